//! One fetch over HTTP, within its limits.
//!
//! No cookies, no decompression, no proxy of the environment, no redirect that [`super::redirect`] does not allow. What a
//! certificate names is reached at public addresses only: literal ones are looked at before each hop, names when they are
//! resolved, so that no second answer of the DNS can slip in between look and use.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use http::header;
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Proxy, Response, StatusCode, Url};

use super::address::is_public;
use super::hosts::literal_address;
use super::outcome::FetchError;
use super::redirect::{MOST_HOPS, next_hop};
use super::resolver::{AddressRefused, PublicAddresses};
use super::settings::RevocationSettings;

/// Which addresses may be talked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Reach {
    /// All: the operator named the URL, or allowed private addresses.
    Any,
    /// Those of the public internet.
    Public,
}

/// What is asked for.
pub(super) struct Ask {
    pub(super) url: Url,
    pub(super) reach: Reach,
    /// A POST with this OCSP request; without it a GET.
    pub(super) body: Option<Vec<u8>>,
    pub(super) accept: &'static str,
    /// The most octets of the answer's body.
    pub(super) limit: usize,
}

/// The clients. Connections to public addresses and to all are never mixed.
pub(super) struct Fetcher {
    any: Client,
    public: Client,
    proxies: Vec<Url>,
    http_timeout: Duration,
}

/// Idle connections to one host.
const MOST_IDLE: usize = 4;
const IDLE: Duration = Duration::from_secs(15);

impl Fetcher {
    /// # Errors
    /// When the TLS library cannot be made ready.
    pub(super) fn new(settings: &RevocationSettings) -> Result<Self, reqwest::Error> {
        let proxies: Vec<Url> = settings.http_proxy.iter().chain(&settings.https_proxy).cloned().collect();
        let public = Arc::new(PublicAddresses::except(proxies.iter().filter_map(|url| url.host_str())));
        Ok(Self {
            any: builder(settings)?.build()?,
            public: builder(settings)?.dns_resolver(public).build()?,
            proxies,
            http_timeout: settings.http_timeout,
        })
    }

    /// Fetches, within the time.
    pub(super) async fn fetch(&self, ask: &Ask) -> Result<Vec<u8>, FetchError> {
        tokio::time::timeout(self.http_timeout, self.hops(ask)).await.unwrap_or(Err(FetchError::Timeout))
    }

    async fn hops(&self, ask: &Ask) -> Result<Vec<u8>, FetchError> {
        let mut url = ask.url.clone();
        for _ in 0..=MOST_HOPS {
            let response = self.hop(ask, &url).await?;
            let status = response.status();
            let keeps_method = matches!(status, StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT);
            let moves = matches!(status, StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND | StatusCode::SEE_OTHER);
            let followed = keeps_method || (moves && ask.body.is_none());
            if !followed {
                return body(response, ask.limit).await;
            }
            let location = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
            let location = location.ok_or_else(|| FetchError::Redirect("without a readable Location".into()))?;
            url = next_hop(&url, location).map_err(FetchError::Redirect)?;
        }
        Err(FetchError::Redirect(format!("more than {MOST_HOPS} hops")))
    }

    async fn hop(&self, ask: &Ask, url: &Url) -> Result<Response, FetchError> {
        let client = match ask.reach {
            Reach::Any => &self.any,
            Reach::Public => {
                self.refuse_private(url)?;
                &self.public
            }
        };
        let request = match &ask.body {
            Some(body) => client.post(url.clone()).header(header::CONTENT_TYPE, "application/ocsp-request").body(body.clone()),
            None => client.get(url.clone()),
        };
        let request = request.header(header::ACCEPT, ask.accept).header(header::ACCEPT_ENCODING, "identity");
        request.send().await.map_err(|why| error_of(&why))
    }

    /// The proxy's own name is not filtered when it is resolved, so no certificate may name it.
    fn refuse_private(&self, url: &Url) -> Result<(), FetchError> {
        let is_proxy = self.proxies.iter().any(|proxy| proxy.host_str() == url.host_str());
        match literal_address(url) {
            Some(address) if !is_public(address) => Err(FetchError::Address(address.to_string())),
            _ if is_proxy => Err(FetchError::Address(format!("{url}, the proxy,"))),
            _ => Ok(()),
        }
    }
}

fn builder(settings: &RevocationSettings) -> Result<reqwest::ClientBuilder, reqwest::Error> {
    let mut builder = Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        .referer(false)
        .user_agent(concat!("vestibule/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(settings.connect_timeout)
        .pool_max_idle_per_host(MOST_IDLE)
        .pool_idle_timeout(IDLE);
    if let Some(url) = &settings.http_proxy {
        builder = builder.proxy(Proxy::http(url.clone())?);
    }
    if let Some(url) = &settings.https_proxy {
        builder = builder.proxy(Proxy::https(url.clone())?);
    }
    let cas = settings.https_cas.iter().map(|der| Certificate::from_der(der)).collect::<Result<Vec<_>, _>>()?;
    Ok(builder.tls_certs_merge(cas))
}

async fn body(mut response: Response, limit: usize) -> Result<Vec<u8>, FetchError> {
    if response.status() != StatusCode::OK {
        return Err(FetchError::Status(response.status().as_u16()));
    }
    if let Some(how) = response.headers().get_all(header::CONTENT_ENCODING).iter().find(|how| *how != "identity") {
        return Err(FetchError::Encoded(String::from_utf8_lossy(how.as_bytes()).escape_debug().to_string()));
    }
    if response.content_length().is_some_and(|length| length > limit as u64) {
        return Err(FetchError::TooLarge(limit));
    }
    let mut octets = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|why| error_of(&why))? {
        if octets.len().saturating_add(chunk.len()) > limit {
            return Err(FetchError::TooLarge(limit));
        }
        octets.extend_from_slice(&chunk);
    }
    Ok(octets)
}

/// OpenSSL's words for a server whose certificate nobody vouches for.
const UNVOUCHED: &str = "certificate verify failed";

fn with_mend(why: String) -> String {
    if why.contains(UNVOUCHED) { format!("{why}; `ca_file` of [revocation] names further CAs for https") } else { why }
}

/// The innermost cause says what happened; what is around it repeats the URL.
fn error_of(why: &reqwest::Error) -> FetchError {
    if why.is_timeout() {
        return FetchError::Timeout;
    }
    let mut cause: &dyn Error = why;
    loop {
        if let Some(refused) = cause.downcast_ref::<AddressRefused>() {
            return FetchError::Address(refused.0.clone());
        }
        match cause.source() {
            Some(inner) => cause = inner,
            None => return FetchError::Connection(with_mend(cause.to_string())),
        }
    }
}
