//! `allow_certificates` and `deny_certificates` of a policy.

use std::path::Path;
use std::sync::Arc;

use super::table::Table;
use crate::admission::registered::{CertificateEntry, CertificateList, RegisteredCertificates};
use crate::x509::certificate::Certificate;

/// The largest file of a list: some 800,000 fingerprints.
const LARGEST_FILE: u64 = 64 << 20;
/// The most problems that one file is told of.
const MOST_PROBLEMS: usize = 10;

const ACCEPTED: &str = "`sha256:HEX`, `spki-sha256:HEX`, `issuer-serial:HEX ISSUER`, or a file with one of them in each line";

/// Reads both lists; one that is left out is as in `inherited`.
pub(super) fn read(table: &Table<'_>, folder: &Path, inherited: &Arc<RegisteredCertificates>) -> Arc<RegisteredCertificates> {
    let (allow, deny) = (list(table, "allow_certificates", folder), list(table, "deny_certificates", folder));
    // A list that was written and became empty would let everybody pass; one that is written `[]` is meant to.
    if allow.as_ref().is_some_and(CertificateList::is_empty) && !table.texts("allow_certificates").is_empty() {
        table.problem("allow_certificates", "names no certificate", "at least one; `[]` is no allow list");
    }
    match (allow, deny) {
        (None, None) => Arc::clone(inherited),
        (allow, deny) => Arc::new(RegisteredCertificates {
            allow: allow.unwrap_or_else(|| inherited.allow.clone()),
            deny: deny.unwrap_or_else(|| inherited.deny.clone()),
        }),
    }
}

fn list(table: &Table<'_>, key: &str, folder: &Path) -> Option<CertificateList> {
    if !table.has(key) {
        return None;
    }
    let mut list = CertificateList::default();
    for text in table.texts(key) {
        if CertificateEntry::claims(&text) {
            match CertificateEntry::parse(&text) {
                Ok(entry) => list.insert(entry),
                Err(why) => table.problem(key, format!("found `{text}`"), why),
            }
        } else if let Err((found, accepted)) = file(table, key, &text, folder, &mut list) {
            table.problem(key, format!("`{text}` {found}"), accepted);
        }
    }
    Some(list)
}

/// A file of entries, one a line, with empty lines and lines that start with `#`; or of certificates, as PEM.
fn file(table: &Table<'_>, key: &str, name: &str, folder: &Path, list: &mut CertificateList) -> Result<(), (String, String)> {
    let path = folder.join(name);
    let unreadable = |why: std::io::Error| (format!("cannot be read: {why}"), ACCEPTED.to_owned());
    let size = std::fs::metadata(&path).map_err(unreadable)?.len();
    if size > LARGEST_FILE {
        return Err((format!("has {size} bytes"), format!("at most {LARGEST_FILE} bytes")));
    }
    let text = std::fs::read_to_string(&path).map_err(unreadable)?;
    if text.contains("-----BEGIN ") {
        let certificates = Certificate::from_pem_or_der(text.as_bytes());
        let certificates = certificates.map_err(|why| (format!("holds {why}"), "certificates, as PEM".to_owned()))?;
        certificates.iter().for_each(|certificate| list.insert(CertificateEntry::Sha256(*certificate.sha256())));
        return Ok(());
    }
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
    let mut problems = 0;
    for (at, line) in lines {
        match CertificateEntry::parse(line.trim_end_matches(['\r', '\t'])) {
            Ok(entry) => list.insert(entry),
            Err(why) if problems < MOST_PROBLEMS => {
                problems += 1;
                table.problem(key, format!("`{name}`, line {}: found `{line}`", at + 1), why);
            }
            Err(_) => return Err(("has more lines that cannot be read".to_owned(), ACCEPTED.to_owned())),
        }
    }
    Ok(())
}
