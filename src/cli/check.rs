//! `vestibule check`: is this configuration good?

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use super::{done, refused, say};
use crate::clock::UnixTime;
use crate::config;

pub(super) fn run(folder: &Path, out: &mut dyn Write) -> ExitCode {
    match config::load(folder, UnixTime::now()) {
        Ok(loaded) => {
            for warning in &loaded.warnings {
                say(&format!("warning: {warning}"));
            }
            done(write!(out, "{}", loaded.effective).and_then(|()| writeln!(out, "# the configuration is good")))
        }
        Err(problems) => refused(folder, &problems),
    }
}
