//! `[trusted_ca.<name>]`: files of certificates and CRLs to trust that is ready for use.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::table::Table;
use super::tenant::Place;
use crate::verifier::TrustedCas;
use crate::x509::trusted_ca::{Source, TrustMaterial, TrustOptions};

/// The largest file of certificates or CRLs.
const LARGEST_FILE: u64 = 256 << 20;

/// Reads every set. One that has problems stands as `None`, so that its name is still known.
pub(super) fn read(
    tenant: &Table<'_>,
    place: &Place<'_>,
    warnings: &mut Vec<String>,
) -> BTreeMap<String, Option<Arc<TrustedCas>>> {
    let mut sets = BTreeMap::new();
    for (name, table) in tenant.named_tables("trusted_ca") {
        let material = TrustMaterial {
            anchors: sources(&table, "certificates", &["CERTIFICATE", "X509 CERTIFICATE"], place.folder),
            intermediates: sources(&table, "intermediates", &["CERTIFICATE", "X509 CERTIFICATE"], place.folder),
            crls: sources(&table, "crl", &["X509 CRL"], place.folder),
        };
        let options = TrustOptions {
            allow_partial_chain: table.boolean("allow_partial_chain", false),
            x509_strict: table.boolean("x509_strict", true),
            allow_ed448: table.boolean("allow_ed448", false),
            ..TrustOptions::default()
        };
        if table.texts("certificates").is_empty() {
            table.problem("certificates", "is missing", "a list of PEM files with the CAs that are trusted");
        }
        let trust = match TrustedCas::build(&material, options, place.now) {
            Ok(trust) => {
                warnings.extend(trust.warnings().iter().map(ToString::to_string));
                Some(Arc::new(trust))
            }
            Err(problems) => {
                for problem in problems {
                    table.problem("", problem.to_string(), "");
                }
                None
            }
        };
        table.finish();
        sets.insert(name, trust);
    }
    sets
}

fn sources(table: &Table<'_>, key: &str, labels: &[&str], folder: &Path) -> Vec<Source> {
    let mut sources = Vec::new();
    for file in table.texts(key) {
        match blocks(&folder.join(&file), labels) {
            Ok(blocks) => {
                let named = |(at, der): (usize, Vec<u8>)| Source { origin: format!("{file}, block {}", at + 1), der };
                sources.extend(blocks.into_iter().enumerate().map(named));
            }
            Err((found, accepted)) => table.problem(key, format!("`{file}` {found}"), accepted),
        }
    }
    sources
}

/// The blocks of a PEM file; every one must be of the right kind.
fn blocks(path: &Path, labels: &[&str]) -> Result<Vec<Vec<u8>>, (String, String)> {
    let wanted = labels.first().copied().unwrap_or_default();
    let unreadable = |why: std::io::Error| (format!("cannot be read: {why}"), format!("a PEM file with {wanted} blocks"));
    let size = std::fs::metadata(path).map_err(unreadable)?.len();
    if size > LARGEST_FILE {
        return Err((format!("has {size} bytes"), format!("at most {LARGEST_FILE} bytes")));
    }
    let bytes = std::fs::read(path).map_err(unreadable)?;
    if bytes.first() == Some(&0x30) {
        let command = if wanted == "X509 CRL" { "crl" } else { "x509" };
        return Err(("is DER, not PEM".into(), format!("convert it: openssl {command} -inform der -in FILE -out FILE.pem")));
    }
    let blocks =
        pem::parse_many(&bytes).map_err(|why| (format!("is not PEM: {why}"), format!("a PEM file with {wanted} blocks")))?;
    if blocks.is_empty() {
        return Err(("holds no PEM block".into(), format!("a PEM file with {wanted} blocks")));
    }
    blocks.into_iter().enumerate().map(|(at, block)| right_kind(block, at, labels, wanted)).collect()
}

fn right_kind(block: pem::Pem, at: usize, labels: &[&str], wanted: &str) -> Result<Vec<u8>, (String, String)> {
    let label = block.tag();
    if labels.contains(&label) {
        return Ok(block.into_contents());
    }
    let mend = if label.ends_with("PRIVATE KEY") {
        "a private key has no place here: remove it, and replace the key if others could read this file".to_owned()
    } else if label.ends_with("CERTIFICATE REQUEST") {
        "this is a request; use the certificate that the CA made of it".to_owned()
    } else {
        format!("only {wanted} blocks")
    };
    Err((format!("holds a {label} block at place {}", at + 1), mend))
}
