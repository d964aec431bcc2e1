//! `[revocation]` of the process, and what a `[trusted_ca.<name>]` says about fetching.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::pem_file::{self, Wanted};
use super::table::Table;
use crate::revocation::hosts::RevocationHosts;
use crate::revocation::{FetchPlan, RevocationSettings, configured_url};
use crate::x509::ocsp::NonceMode;
use crate::x509::trusted_ca::OcspUse;

/// The largest limit of a list: what it takes in memory while it is read.
const LARGEST_LIST: usize = 256 << 20;

/// What holds for every fetch.
pub(super) fn settings(table: &Table<'_>, folder: &Path) -> RevocationSettings {
    let default = RevocationSettings::default();
    let settings = RevocationSettings {
        http_timeout: table.positive_duration("http_timeout", default.http_timeout),
        connect_timeout: table.positive_duration("connect_timeout", default.connect_timeout),
        first_wait: table.duration("first_wait", default.first_wait),
        crl_max_size: table.size("crl_max_size", default.crl_max_size),
        http_proxy: table.parsed("http_proxy", proxy),
        https_proxy: table.parsed("https_proxy", proxy),
        https_cas: https_cas(table, folder),
        cache_folder: table.text("cache_folder").filter(|text| !text.is_empty()).map(|text| folder.join(text)),
        retry_after_failure: table.duration("retry_after_failure", default.retry_after_failure),
        ocsp_max_age: table.duration("ocsp_max_age", default.ocsp_max_age),
    };
    if settings.crl_max_size == 0 || settings.crl_max_size > LARGEST_LIST {
        table.problem("crl_max_size", format!("found {} bytes", settings.crl_max_size), "accepted: up to \"256MiB\"");
    }
    if settings.retry_after_failure < Duration::from_secs(1) {
        let found = "found less than a second: a server that is down would be asked all the time";
        table.problem("retry_after_failure", found, "accepted: at least \"1s\"");
    }
    settings
}

/// For servers inside: their CA is in no system's store.
fn https_cas(table: &Table<'_>, folder: &Path) -> Vec<Vec<u8>> {
    let Some(file) = table.text("ca_file") else { return Vec::new() };
    match pem_file::blocks(&folder.join(&file), Wanted::Certificates) {
        Ok(blocks) => blocks,
        Err((found, accepted)) => {
            table.problem("ca_file", format!("`{file}` {found}"), accepted);
            Vec::new()
        }
    }
}

fn proxy(text: &str) -> Result<reqwest::Url, String> {
    let plain = configured_url(text).ok().filter(|url| url.path() == "/" && url.query().is_none());
    plain.ok_or_else(|| "accepted: \"http://host:port\"".to_owned())
}

/// How OCSP is used for a set, and what may be fetched for it; none when nothing may.
pub(super) fn plan(table: &Table<'_>) -> (OcspUse, Option<Arc<FetchPlan>>) {
    let words = [("off", Some(OcspUse::Off)), ("leaf", Some(OcspUse::Leaf)), ("on", Some(OcspUse::On))];
    let ocsp = if table.has("ocsp") { table.choice("ocsp", &words, None) } else { Some(OcspUse::Off) };
    let nonces = [("off", NonceMode::Off), ("prefer", NonceMode::Prefer), ("require", NonceMode::Require)];
    let hosts = RevocationHosts::parse(&table.texts("revocation_hosts")).map_err(|bad| {
        let accepted = "accepted: host names, like \"crl.ca.example\", \"*.ca.example\", \"ca.example:8080\"";
        table.problem("revocation_hosts", format!("found `{bad}`"), accepted);
    });
    let nobody = hosts.as_ref().is_ok_and(RevocationHosts::is_empty);
    let urls = table.texts("crl_urls");
    let url =
        |text: &String| configured_url(text).map_err(|why| table.problem("crl_urls", format!("found `{text}`"), why)).ok();
    let plan = FetchPlan {
        crl_urls: urls.iter().filter_map(url).collect(),
        ocsp_responder: table.parsed("ocsp_responder", configured_url),
        ocsp_nonce: table.choice("ocsp_nonce", &nonces, NonceMode::Off),
        hosts: hosts.unwrap_or_default(),
        allow_private_addresses: table.boolean("allow_private_addresses", false),
    };
    if let Some(ocsp) = ocsp {
        without_effect(table, ocsp, &plan, nobody);
    }
    let ocsp = ocsp.unwrap_or_default();
    let fetches = ocsp != OcspUse::Off || !plan.crl_urls.is_empty() || !plan.hosts.is_empty();
    (ocsp, fetches.then(|| Arc::new(plan)))
}

/// Whoever writes these believes that something is asked.
fn without_effect(table: &Table<'_>, ocsp: OcspUse, plan: &FetchPlan, nobody: bool) {
    if ocsp != OcspUse::Off && nobody && !table.has("ocsp_responder") {
        let found = "nobody can be asked: there is no `ocsp_responder`, and certificates may name no host";
        table.problem("ocsp", found, "`ocsp_responder` = \"http://…\", or `revocation_hosts` with the responder's host");
    }
    if ocsp == OcspUse::Off {
        for key in ["ocsp_responder", "ocsp_nonce"].into_iter().filter(|key| table.has(key)) {
            if key != "ocsp_nonce" || plan.ocsp_nonce != NonceMode::Off {
                table.problem(key, "has no effect: `ocsp` is `off`", "`ocsp` = \"leaf\" or \"on\" with it");
            }
        }
    }
    if plan.allow_private_addresses && nobody {
        let found = "has no effect: it is about hosts that certificates name, and they may name none";
        table.problem("allow_private_addresses", found, "`revocation_hosts` with it");
    }
}
