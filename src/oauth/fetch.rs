//! Requests to authorization servers, within their limits: no redirects, no cookies, no proxy of the environment, no packed
//! bodies. URLs are the operator's own; what a client hosts is reached at public addresses only.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use http::header;
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Url};

use crate::revocation::address::is_public;
use crate::revocation::hosts::literal_address;
use crate::revocation::resolver::PublicAddresses;

/// The most octets of an answer.
const MOST_OCTETS: usize = 256 * 1024;
/// Idle connections to one host.
const MOST_IDLE: usize = 8;
const IDLE: Duration = Duration::from_secs(15);

/// The client.
#[derive(Clone)]
pub(super) struct Web {
    any: Client,
    public: Client,
}

/// Which addresses may be talked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// All.
    Any,
    /// Those of the public internet.
    Public,
}

/// An answer with status 200.
pub(super) struct Fetched {
    pub(super) body: Vec<u8>,
    /// `max-age` of its Cache-Control; nothing when it must not be kept.
    pub(super) max_age: Option<Duration>,
}

/// How one asks for a token's state (RFC 7662 §2.1).
pub(super) struct Form<'f> {
    pub(super) url: &'f Url,
    pub(super) user: &'f str,
    pub(super) password: &'f str,
    pub(super) body: String,
}

impl Web {
    /// # Errors
    /// When the TLS library cannot be made ready.
    pub(super) fn new(timeout: Duration) -> Result<Self, reqwest::Error> {
        let builder = || {
            Client::builder()
                .no_proxy()
                .redirect(Policy::none())
                .referer(false)
                .user_agent(concat!("vestibule/", env!("CARGO_PKG_VERSION")))
                .timeout(timeout)
                .pool_max_idle_per_host(MOST_IDLE)
                .pool_idle_timeout(IDLE)
        };
        let public = Arc::new(PublicAddresses::except(std::iter::empty()));
        Ok(Self { any: builder().build()?, public: builder().dns_resolver(public).build()? })
    }

    /// Fetches a document.
    pub(super) async fn get(&self, url: &Url, reach: Reach) -> Result<Fetched, String> {
        let private = literal_address(url).is_some_and(|address| !is_public(address));
        let client = match reach {
            Reach::Any => &self.any,
            Reach::Public if private => return Err(format!("{url}: not an address of the public internet")),
            Reach::Public => &self.public,
        };
        answer(url, client.get(url.clone())).await
    }

    /// Posts a form.
    pub(super) async fn post(&self, form: Form<'_>) -> Result<Fetched, String> {
        let request = self.any.post(form.url.clone()).basic_auth(form.user, Some(form.password));
        let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(form.body);
        answer(form.url, request).await
    }
}

async fn answer(url: &Url, request: RequestBuilder) -> Result<Fetched, String> {
    let request = request.header(header::ACCEPT, "application/json").header(header::ACCEPT_ENCODING, "identity");
    let failed = |why: &reqwest::Error| format!("{url}: {}", innermost(why));
    let mut response = request.send().await.map_err(|why| failed(&why))?;
    let status = response.status().as_u16();
    if status != 200 {
        return Err(format!("{url}: HTTP status {status}"));
    }
    if response.headers().get_all(header::CONTENT_ENCODING).iter().any(|how| how != "identity") {
        return Err(format!("{url}: the body is packed"));
    }
    let max_age = response.headers().get(header::CACHE_CONTROL).and_then(|value| max_age(value.to_str().ok()?));
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|why| failed(&why))? {
        if body.len().saturating_add(chunk.len()) > MOST_OCTETS {
            return Err(format!("{url}: more than {MOST_OCTETS} octets"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Fetched { body, max_age })
}

fn max_age(cache_control: &str) -> Option<Duration> {
    let mut directives = cache_control.split(',').map(str::trim);
    if directives.clone().any(|directive| ["no-store", "no-cache"].iter().any(|word| directive.eq_ignore_ascii_case(word))) {
        return Some(Duration::ZERO);
    }
    directives.find_map(|directive| {
        let (name, seconds) = directive.split_once('=')?;
        let seconds = name.eq_ignore_ascii_case("max-age").then(|| seconds.trim_matches('"').parse().ok())?;
        seconds.map(Duration::from_secs)
    })
}

/// The innermost cause says what happened; what is around it repeats the URL.
fn innermost(why: &reqwest::Error) -> String {
    if why.is_timeout() {
        return "no whole answer in time".into();
    }
    let mut cause: &dyn Error = why;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_read() {
        for (text, age) in [
            ("max-age=60", Some(60)),
            ("public, Max-Age=\"60\", must-revalidate", Some(60)),
            ("max-age=60, no-store", Some(0)),
            ("no-cache", Some(0)),
            ("public", None),
            ("max-age=", None),
            ("max-age=-1", None),
            ("s-maxage=60", None),
        ] {
            assert_eq!(max_age(text), age.map(Duration::from_secs), "{text}");
        }
    }
}
