//! `allow_certificates`, `deny_certificates` and `self_signed_certificates` of a policy.

use std::path::Path;
use std::sync::Arc;

use super::table::Table;
use crate::admission::registered::{CertificateEntry, CertificateList, RegisteredCertificates};
use crate::verifier::{Thumbprint, Thumbprints};
use crate::x509::certificate::Certificate;

/// The largest file of a list: some 800,000 fingerprints.
const LARGEST_FILE: u64 = 64 << 20;
/// The most problems that one file is told of.
const MOST_PROBLEMS: usize = 10;

const ACCEPTED: &str = "`sha256:HEX`, `spki-sha256:HEX`, `issuer-serial:HEX ISSUER`, or a file with one of them in each line";

const THUMBPRINTS: &str =
    "`sha256:HEX`, `spki-sha256:HEX`, a file with one of them in each line, or a PEM file with certificates";

/// Reads the lists; one that is left out is as in `inherited`.
pub(super) fn read(table: &Table<'_>, folder: &Path, inherited: &Arc<RegisteredCertificates>) -> Arc<RegisteredCertificates> {
    let (allow, deny) = (list(table, "allow_certificates", folder), list(table, "deny_certificates", folder));
    // A list that was written and became empty would let everybody pass; one that is written `[]` is meant to.
    if allow.as_ref().is_some_and(CertificateList::is_empty) && !table.texts("allow_certificates").is_empty() {
        table.problem("allow_certificates", "names no certificate", "at least one; `[]` is no allow list");
    }
    let self_signed = thumbprints(table, "self_signed_certificates", folder);
    match (allow, deny, self_signed) {
        (None, None, None) => Arc::clone(inherited),
        (allow, deny, self_signed) => Arc::new(RegisteredCertificates {
            allow: allow.unwrap_or_else(|| inherited.allow.clone()),
            deny: deny.unwrap_or_else(|| inherited.deny.clone()),
            self_signed: self_signed.unwrap_or_else(|| inherited.self_signed.clone()),
        }),
    }
}

fn list(table: &Table<'_>, key: &str, folder: &Path) -> Option<CertificateList> {
    let mut list = CertificateList::default();
    entries(table, key, folder)?.into_iter().for_each(|entry| list.insert(entry));
    Some(list)
}

fn thumbprints(table: &Table<'_>, key: &str, folder: &Path) -> Option<Thumbprints> {
    let mut thumbprints = Thumbprints::default();
    for entry in entries(table, key, folder)? {
        match entry {
            CertificateEntry::Sha256(digest) => thumbprints.insert(Thumbprint::Sha256(digest)),
            CertificateEntry::SpkiSha256(digest) => thumbprints.insert(Thumbprint::SpkiSha256(digest)),
            CertificateEntry::IssuerSerial { serial, issuer } => {
                let found = format!("found `issuer-serial:{serial} {issuer}`: anybody can write these into a certificate");
                table.problem(key, found, THUMBPRINTS);
            }
        }
    }
    Some(thumbprints)
}

/// What a list names; none when the key is not there.
fn entries(table: &Table<'_>, key: &str, folder: &Path) -> Option<Vec<CertificateEntry>> {
    if !table.has(key) {
        return None;
    }
    let mut entries = Vec::new();
    for text in table.texts(key) {
        if CertificateEntry::claims(&text) {
            match CertificateEntry::parse(&text) {
                Ok(entry) => entries.push(entry),
                Err(why) => table.problem(key, format!("found `{text}`"), why),
            }
        } else if let Err((found, accepted)) = file(table, key, &text, folder, &mut entries) {
            table.problem(key, format!("`{text}` {found}"), accepted);
        }
    }
    Some(entries)
}

/// A file of entries, one a line, with empty lines and lines that start with `#`; or of certificates, as PEM.
fn file(
    table: &Table<'_>,
    key: &str,
    name: &str,
    folder: &Path,
    entries: &mut Vec<CertificateEntry>,
) -> Result<(), (String, String)> {
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
        entries.extend(certificates.iter().map(|certificate| CertificateEntry::Sha256(*certificate.sha256())));
        return Ok(());
    }
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
    let mut problems = 0;
    for (at, line) in lines {
        match CertificateEntry::parse(line.trim_end_matches(['\r', '\t'])) {
            Ok(entry) => entries.push(entry),
            Err(why) if problems < MOST_PROBLEMS => {
                problems += 1;
                table.problem(key, format!("`{name}`, line {}: found `{line}`", at + 1), why);
            }
            Err(_) => return Err(("has more lines that cannot be read".to_owned(), ACCEPTED.to_owned())),
        }
    }
    Ok(())
}
