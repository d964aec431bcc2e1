//! An authorization server whose access tokens are accepted, as the configuration has it.

use std::fmt;
use std::time::Duration;

use reqwest::Url;
use zeroize::Zeroizing;

use super::jwk::SignatureAlgorithm;

/// An authorization server.
#[derive(Debug)]
pub struct Issuer {
    /// What `iss` must be, to the letter.
    pub issuer: String,
    /// What `aud` must name one of.
    pub audience: Vec<String>,
    /// The algorithms that its tokens may be signed with.
    pub algorithms: Vec<SignatureAlgorithm>,
    /// What `typ` of a JWT may be, without `application/`.
    pub token_types: Vec<String>,
    /// How far its clock and ours may differ.
    pub clock_skew: Duration,
    /// Where its keys are.
    pub keys: KeySource,
    /// Where tokens that are no JWT are asked about.
    pub introspection: Option<Introspection>,
    /// Whether an introspection answer may leave out `aud`.
    pub allow_missing_audience: bool,
}

/// Where an issuer's keys are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// The document at this URL names the place (RFC 8414 §3, OpenID Connect Discovery §4). It must be on the same host.
    Discovery(Url),
    /// Here.
    JwksUri(Url),
}

impl KeySource {
    /// The well-known document of an issuer, as OpenID Connect Discovery has it.
    pub fn discovery(issuer: &Url) -> Self {
        let mut url = issuer.clone();
        let path = format!("{}/.well-known/openid-configuration", issuer.path().trim_end_matches('/'));
        url.set_path(&path);
        Self::Discovery(url)
    }

    /// The URL that is asked first.
    pub fn url(&self) -> &Url {
        match self {
            Self::Discovery(url) | Self::JwksUri(url) => url,
        }
    }
}

/// How an issuer is asked about a token (RFC 7662).
pub struct Introspection {
    /// Its endpoint.
    pub endpoint: Url,
    /// Who asks.
    pub client_id: String,
    /// The asker's secret, sent by HTTP Basic.
    pub client_secret: Zeroizing<String>,
    /// How long an answer may be used; never longer than its token lives.
    pub cache: Duration,
    /// Whether it is asked about JWTs too, so that revoked ones are found.
    pub of_every_token: bool,
}

impl fmt::Debug for Introspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Introspection").field("endpoint", &self.endpoint.as_str()).finish_non_exhaustive()
    }
}
