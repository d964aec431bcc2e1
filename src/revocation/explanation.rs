//! Why a status is not known, in words for the log and `explain`: who could have told, and what is in the way.

use reqwest::Url;

use super::core::Core;
use super::plan::FetchPlan;
use crate::verifier::Inquiry;
use crate::x509::revocation_sources::RevocationSources;

/// Certificates that are told of; the first ones are nearest to the client.
const MOST: usize = 2;

/// A sentence for each certificate whose status is still wanted.
pub(super) fn of(core: &Core, plan: &FetchPlan, inquiries: &[Inquiry]) -> Vec<String> {
    let mut sentences = Vec::new();
    for inquiry in inquiries.iter().take(MOST) {
        let named = RevocationSources::read(&inquiry.certificate);
        let mut causes = Vec::new();
        if inquiry.ocsp.is_some() {
            let configured = plan.ocsp_responder.as_slice();
            let named = if configured.is_empty() { named.ocsp.as_slice() } else { &[] };
            causes.extend(troubles(core, plan, "OCSP responder", configured, named));
        }
        if inquiry.list.is_some() {
            causes.extend(troubles(core, plan, "list", &plan.crl_urls, &named.crl));
        }
        if !causes.is_empty() {
            sentences.push(format!("the status at depth {} is not known: {}", inquiry.depth, causes.join(", ")));
        }
    }
    sentences
}

fn troubles(core: &Core, plan: &FetchPlan, what: &str, configured: &[Url], named: &[String]) -> Vec<String> {
    if configured.is_empty() && named.is_empty() {
        return vec![format!("the certificate names no {what}, and none is configured")];
    }
    let named: Vec<Url> = named.iter().filter_map(|text| Url::parse(text).ok()).collect();
    let refused = named.iter().filter_map(|url| {
        let why = plan.hosts.permit(url).err()?;
        Some(format!("the {what} {url} that the certificate names is not asked: {why}"))
    });
    let failed = configured.iter().chain(&named).filter_map(|url| {
        let why = core.troubles.of(url)?;
        Some(format!("the {what} {url}: {why}"))
    });
    refused.chain(failed).collect()
}
