//! `vestibule check`: is this configuration good?

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use super::{done, refused, say};
use crate::clock::UnixTime;
use crate::config::{self, Loaded, Problem};
use crate::revocation::can_keep_in;

pub(super) fn run(folder: &Path, out: &mut dyn Write) -> ExitCode {
    let now = UnixTime::now();
    match config::load(folder, now) {
        Ok(loaded) => {
            if let Some(problem) = no_cache(&loaded) {
                return refused(folder, &[problem]);
            }
            for tenant in &loaded.snapshot.tenants {
                // Those that have ended stand among the other warnings.
                for ca in tenant.ending_cas(now).iter().filter(|ca| ca.end > now) {
                    let (name, until, days) = (&tenant.name, ca.end.rfc3339(), ca.end.days_after(now));
                    say(&format!(
                        "warning: {name}: the CA certificate `{}` ends on {until}, in {days} days; get its successor",
                        ca.subject
                    ));
                }
            }
            for warning in &loaded.warnings {
                say(&format!("warning: {warning}"));
            }
            done(write!(out, "{}", loaded.effective).and_then(|()| writeln!(out, "# the configuration is good")))
        }
        Err(problems) => refused(folder, &problems),
    }
}

/// The server would not start without it.
fn no_cache(loaded: &Loaded) -> Option<Problem> {
    let path = loaded.process.revocation.cache_folder.as_ref()?;
    let why = can_keep_in(path).err()?;
    Some(Problem {
        file: "vestibule.toml".into(),
        key: "revocation.cache_folder".into(),
        found: format!("{} cannot be written: {why}", path.display()),
        accepted: "a folder that the user who runs Vestibule can make, or write to".into(),
    })
}
