//! `[[profiles]]`: which CA certificates issue by the rules of which open-finance profile.

use std::collections::HashSet;
use std::path::Path;

use super::table::Table;
use crate::admission::profiles::{ConfiguredProfile, ProfileCheck, Profiles};
use crate::admission::registered::sha256;
use crate::x509::certificate::Certificate;
use crate::x509::profile::ProfileKind;

const ISSUERS: &str = "`sha256:HEX` of the CA certificates that issue by these rules, or PEM files with them";

pub(super) fn read(tenant: &Table<'_>, folder: &Path) -> Profiles {
    let mut names = HashSet::new();
    let mut profiles = Vec::new();
    for table in tenant.tables("profiles") {
        profiles.extend(profile(table, folder).filter(|profile| {
            let new = names.insert(profile.name.clone());
            if !new {
                tenant.problem("profiles", format!("two are named `{}`", profile.name), "a name of its own for each");
            }
            new
        }));
    }
    Profiles::new(profiles).unwrap_or_else(|shared| {
        let [one, other] = &shared.profiles;
        let found = format!("the CA certificate sha256:{} is in `{one}` and in `{other}`", hex::encode(shared.issuer));
        tenant.problem(
            "profiles",
            found,
            "one profile for each CA: it is chosen by issuer, not by what a certificate looks like",
        );
        Profiles::default()
    })
}

fn profile(table: Table<'_>, folder: &Path) -> Option<ConfiguredProfile> {
    let kinds = ProfileKind::ALL.map(|(_, word)| word).join(", ");
    let name = table.required_text("name", "a name, for the log and `certificate_profile`");
    let kind = table.required_text("kind", &format!("one of {kinds}")).and_then(|word| {
        let kind = ProfileKind::ALL.iter().find(|(_, known)| *known == word).map(|(kind, _)| *kind);
        if kind.is_none() {
            table.problem("kind", format!("found `{word}`"), format!("accepted: {kinds}"));
        }
        kind
    });
    let checks = [("enforce", ProfileCheck::Enforce), ("report", ProfileCheck::Report)];
    let check = table.choice("check", &checks, ProfileCheck::Enforce);
    let issuers = issuers(&table, folder);
    table.finish();
    Some(ConfiguredProfile { name: name?, kind: kind?, check, issuers })
}

fn issuers(table: &Table<'_>, folder: &Path) -> Vec<[u8; 32]> {
    let texts = table.texts("issuers");
    if texts.is_empty() {
        table.problem("issuers", "is missing: the profile would be nobody's", ISSUERS);
    }
    let mut issuers = Vec::new();
    for text in texts {
        if let Some(digits) = text.strip_prefix("sha256:") {
            match sha256(digits) {
                Some(digest) => issuers.push(digest),
                None => table.problem("issuers", format!("found `{text}`"), "a SHA-256 is 64 hexadecimal digits"),
            }
            continue;
        }
        let read = std::fs::read(folder.join(&text)).map_err(|why| why.to_string());
        match read.and_then(|content| Certificate::from_pem_or_der(&content).map_err(|why| why.to_string())) {
            Ok(certificates) => issuers.extend(certificates.iter().map(|certificate| *certificate.sha256())),
            Err(why) => table.problem("issuers", format!("`{text}` cannot be read: {why}"), ISSUERS),
        }
    }
    issuers
}
