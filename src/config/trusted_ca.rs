//! `[trusted_ca.<name>]`: files of certificates and CRLs to trust that is ready for use.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::pem_file::{self, Wanted};
use super::revocation;
use super::table::Table;
use super::tenant::Place;
use crate::revocation::FetchPlan;
use crate::verifier::TrustedCas;
use crate::x509::ocsp::NonceMode;
use crate::x509::trusted_ca::{Source, TrustMaterial, TrustOptions};

/// A set of CAs, and what may be fetched about the certificates below them.
#[derive(Clone)]
pub(super) struct TrustSet {
    pub(super) trust: Arc<TrustedCas>,
    pub(super) plan: Option<Arc<FetchPlan>>,
}

/// Every set by its name; one that has problems stands as `None`.
pub(super) type TrustSets = BTreeMap<String, Option<TrustSet>>;

/// Reads every set. One that has problems stands as `None`, so that its name is still known.
pub(super) fn read(tenant: &Table<'_>, place: &Place<'_>, warnings: &mut Vec<String>) -> TrustSets {
    let mut sets = BTreeMap::new();
    for (name, table) in tenant.named_tables("trusted_ca") {
        let material = TrustMaterial {
            anchors: sources(&table, "certificates", Wanted::Certificates, place.folder),
            intermediates: sources(&table, "intermediates", Wanted::Certificates, place.folder),
            crls: sources(&table, "crl", Wanted::Crls, place.folder),
        };
        let (ocsp, plan) = revocation::plan(&table);
        let sources = plan.as_ref().is_some_and(|plan| !plan.crl_urls.is_empty() || !plan.hosts.is_empty());
        let options = TrustOptions {
            allow_partial_chain: table.boolean("allow_partial_chain", false),
            x509_strict: table.boolean("x509_strict", true),
            allow_ed448: table.boolean("allow_ed448", false),
            ocsp,
            ocsp_nonce_required: plan.as_ref().is_some_and(|plan| plan.ocsp_nonce == NonceMode::Require),
            revocation_sources: sources,
        };
        if table.texts("certificates").is_empty() {
            table.problem("certificates", "is missing", "a list of PEM files with the CAs that are trusted");
        }
        let trust = match TrustedCas::build(&material, options, place.now) {
            Ok(trust) => {
                warnings.extend(trust.warnings().iter().map(ToString::to_string));
                Some(TrustSet { trust: Arc::new(trust), plan })
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
