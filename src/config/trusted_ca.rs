//! `[trusted_ca.<name>]`: files of certificates and CRLs to trust that is ready for use.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::pem_file::{self, Wanted};
use super::table::Table;
use super::tenant::Place;
use crate::verifier::TrustedCas;
use crate::x509::trusted_ca::{Source, TrustMaterial, TrustOptions};

/// Reads every set. One that has problems stands as `None`, so that its name is still known.
pub(super) fn read(
    tenant: &Table<'_>,
    place: &Place<'_>,
    warnings: &mut Vec<String>,
) -> BTreeMap<String, Option<Arc<TrustedCas>>> {
    let mut sets = BTreeMap::new();
    for (name, table) in tenant.named_tables("trusted_ca") {
        let material = TrustMaterial {
            anchors: sources(&table, "certificates", Wanted::Certificates, place.folder),
            intermediates: sources(&table, "intermediates", Wanted::Certificates, place.folder),
            crls: sources(&table, "crl", Wanted::Crls, place.folder),
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

fn sources(table: &Table<'_>, key: &str, wanted: Wanted, folder: &Path) -> Vec<Source> {
    let mut sources = Vec::new();
    for file in table.texts(key) {
        match pem_file::blocks(&folder.join(&file), wanted) {
            Ok(blocks) => {
                let named = |(at, der): (usize, Vec<u8>)| Source { origin: format!("{file}, block {}", at + 1), der };
                sources.extend(blocks.into_iter().enumerate().map(named));
            }
            Err((found, accepted)) => table.problem(key, format!("`{file}` {found}"), accepted),
        }
    }
    sources
}
