//! What may be fetched for a set of trusted CAs.

use reqwest::Url;

use super::client::Reach;
use super::hosts::{NotPermitted, RevocationHosts};
use crate::x509::ocsp::NonceMode;

/// Where the status of the certificates below one set of CAs comes from.
#[derive(Debug, Clone, Default)]
pub struct FetchPlan {
    /// Lists that are fetched from the start.
    pub crl_urls: Vec<Url>,
    /// The responder that is asked instead of the one that a certificate names (nginx's `ssl_ocsp_responder`).
    pub ocsp_responder: Option<Url>,
    /// What is done about the nonce.
    pub ocsp_nonce: NonceMode,
    /// Hosts that certificates may name.
    pub hosts: RevocationHosts,
    /// Whether those may have addresses that are not of the public internet.
    pub allow_private_addresses: bool,
}

/// A URL, and which addresses it may lead to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Target {
    pub(super) url: Url,
    pub(super) reach: Reach,
}

impl Target {
    /// What the operator wrote is not filtered.
    pub(super) fn configured(url: &Url) -> Self {
        Self { url: url.clone(), reach: Reach::Any }
    }
}

impl FetchPlan {
    /// The addresses that certificates may lead to.
    pub(super) fn reach(&self) -> Reach {
        if self.allow_private_addresses { Reach::Any } else { Reach::Public }
    }

    /// The targets among the URLs that a certificate names; of every other one `why_not` is told.
    pub(super) fn permitted(&self, named: &[String], mut why_not: impl FnMut(&Url, NotPermitted)) -> Vec<Target> {
        let urls = named.iter().filter_map(|text| Url::parse(text).ok());
        let permitted = urls.filter(|url| self.hosts.permit(url).map_err(|why| why_not(url, why)).is_ok());
        permitted.map(|url| Target { url, reach: self.reach() }).collect()
    }
}

/// A URL of the configuration.
///
/// # Errors
/// What is accepted.
pub fn configured_url(text: &str) -> Result<Url, String> {
    let accepted = || "accepted: \"http://host/path\" or \"https://host/path\", without user name and password".to_owned();
    let url = Url::parse(text).map_err(|_| accepted())?;
    let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    if matches!(url.scheme(), "http" | "https") && plain { Ok(url) } else { Err(accepted()) }
}
