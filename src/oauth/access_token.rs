//! May this request use its access token, over the connection that it came on?
//!
//! What counts is the certificate that the authenticated front door presented, trusted or not: possession of its key is all that
//! a bound token asks for (RFC 8705 §6.2).

use std::sync::Arc;

use http::HeaderMap;
use http::header::{AUTHORIZATION, CONTENT_ENCODING};

use super::OAuth;
use super::claims::{Claims, Origin};
use super::introspection::Failed;
use super::issuer::Issuer;
use super::jws::Jws;
use super::parameters::{self, is_form};
use crate::clock::UnixTime;
use crate::header_names::are_aliases;
use crate::refusal::{Refusal, Refused};
use crate::request_head::RequestTarget;

/// The longest token.
const MOST_TOKEN_OCTETS: usize = 8 * 1024;

/// What a route asks of access tokens.
#[derive(Debug, Clone)]
pub struct AccessTokenPolicy {
    /// Whose tokens.
    pub issuer: Arc<Issuer>,
    /// Whether a token that is bound to nothing is refused.
    pub require_binding: bool,
    /// Whether tokens bound to a DPoP key pass; their proofs are the upstream's to check.
    pub pass_dpop: bool,
    /// Scopes that a token must have, all of them.
    pub scopes: Vec<String>,
}

/// What is looked at.
pub struct Presented<'r> {
    /// The request's headers.
    pub headers: &'r HeaderMap,
    /// Its target.
    pub target: &'r RequestTarget,
    /// Its body, where it is a form that was read.
    pub form: Option<&'r [u8]>,
    /// SHA-256 of the certificate that was presented with it.
    pub certificate: Option<&'r [u8; 32]>,
}

/// A token that was accepted, over the connection that it came on.
#[derive(Debug)]
pub struct AcceptedToken {
    /// Its issuer.
    pub issuer: String,
    /// `sub`.
    pub subject: Option<String>,
    /// The client that it was issued to.
    pub client_id: Option<String>,
    /// `scope`.
    pub scopes: Vec<String>,
    /// What it is bound to: the members of its `cnf`.
    pub bound_to: Vec<&'static str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Bearer,
    Dpop,
}

impl AccessTokenPolicy {
    /// Checks a request's access token.
    ///
    /// # Errors
    /// One of the `AccessToken…` refusals.
    pub async fn check(&self, oauth: &OAuth, presented: &Presented<'_>, now: UnixTime) -> Result<AcceptedToken, Refused> {
        let (scheme, token) = credentials(presented)?;
        if scheme == Scheme::Dpop && !self.pass_dpop {
            return Err(Refused::new(Refusal::AccessTokenDpop, "DPoP; `dpop_bound_access_tokens` is `refuse`"));
        }
        let claims = self.claims(oauth, token, now).await?;
        let invalid = |why: String| Refused::new(Refusal::AccessTokenInvalid, why);
        claims.hold_at(now, &self.issuer).map_err(invalid)?;
        self.check_binding(&claims, scheme, presented)?;
        match self.scopes.iter().find(|wanted| !claims.scopes.contains(wanted)) {
            Some(missing) => Err(Refused::new(Refusal::AccessTokenScope, format!("the scope `{missing}` is missing"))),
            None => Ok(self.accepted(claims)),
        }
    }

    /// Checks a bearer token where nobody presents a certificate: one that is bound to a key is refused.
    ///
    /// # Errors
    /// One of the `AccessToken…` refusals.
    pub async fn check_bearer(&self, oauth: &OAuth, token: &str, now: UnixTime) -> Result<AcceptedToken, Refused> {
        if token.len() > MOST_TOKEN_OCTETS {
            return Err(Refused::new(Refusal::AccessTokenInvalid, "it is too long"));
        }
        let claims = self.claims(oauth, token, now).await?;
        claims.hold_at(now, &self.issuer).map_err(|why| Refused::new(Refusal::AccessTokenInvalid, why))?;
        if claims.binding.certificate.is_some() || claims.binding.dpop {
            return Err(Refused::new(Refusal::AccessTokenCertificate, "it is bound to a key, and none is presented here"));
        }
        Ok(self.accepted(claims))
    }

    fn accepted(&self, claims: Claims) -> AcceptedToken {
        let (bound, dpop) = (claims.binding.certificate.map(|_| "x5t#S256"), claims.binding.dpop.then_some("jkt"));
        AcceptedToken {
            issuer: self.issuer.issuer.clone(),
            subject: claims.subject,
            client_id: claims.client_id,
            scopes: claims.scopes,
            bound_to: bound.into_iter().chain(dpop).collect(),
        }
    }

    async fn claims(&self, oauth: &OAuth, token: &str, now: UnixTime) -> Result<Claims, Refused> {
        let invalid = |why: String| Refused::new(Refusal::AccessTokenInvalid, why);
        let jws = Jws::read(token);
        let introspection = self.issuer.introspection.as_ref();
        let asked = introspection.is_some_and(|how| how.of_every_token || jws.is_none());
        if asked {
            return oauth.introspect(&self.issuer, token, now).await.map_err(|failed| match failed {
                Failed::Unavailable(why) => Refused::new(Refusal::AccessTokenUnverifiable, why),
                Failed::Token(why) => invalid(why),
            });
        }
        let jws = jws.ok_or_else(|| invalid("it is no JWT, and there is nobody to ask about it".into()))?;
        let algorithm = jws.algorithm(&self.issuer.algorithms, &self.issuer.token_types).map_err(invalid)?;
        let kid = jws.kid().map(str::to_owned);
        let keys = oauth.keys(&self.issuer, kid, algorithm).await;
        let keys = keys.map_err(|why| Refused::new(Refusal::AccessTokenUnverifiable, why))?;
        let claims = jws.claims(keys.iter(), algorithm).map_err(invalid)?;
        Claims::read(&claims, &self.issuer, Origin::Jwt).map_err(invalid)
    }

    fn check_binding(&self, claims: &Claims, scheme: Scheme, presented: &Presented<'_>) -> Result<(), Refused> {
        let refuse = |refusal, why: &str| Err(Refused::new(refusal, why));
        let binding = &claims.binding;
        let says_dpop = claims.token_type.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case("dpop"));
        match scheme {
            Scheme::Bearer if binding.dpop || says_dpop => {
                return refuse(Refusal::AccessTokenDpop, "a token bound to a DPoP key, sent as a bearer token");
            }
            Scheme::Dpop if !binding.dpop => {
                return refuse(Refusal::AccessTokenInvalid, "sent with the scheme DPoP, and bound to no key");
            }
            Scheme::Dpop if presented.headers.get_all("dpop").iter().count() != 1 => {
                return refuse(Refusal::AccessTokenDpop, "not exactly one DPoP proof");
            }
            Scheme::Bearer | Scheme::Dpop => {}
        }
        match (&binding.certificate, presented.certificate) {
            (Some(bound), Some(certificate)) if openssl::memcmp::eq(bound, certificate) => Ok(()),
            (Some(_), Some(_)) => refuse(Refusal::AccessTokenCertificate, "it is bound to another certificate"),
            (Some(_), None) => refuse(Refusal::AccessTokenCertificate, "it is bound to a certificate, and none was presented"),
            (None, _) if binding.dpop || !self.require_binding => Ok(()),
            (None, _) => refuse(Refusal::AccessTokenUnbound, "it is bound to no certificate"),
        }
    }

    /// The challenges of a refusal (RFC 6750 §3, RFC 9449 §7.1), each a line of its own. None when it is about something else.
    pub fn challenges(&self, refusal: Refusal) -> Vec<String> {
        let error = match refusal {
            Refusal::AccessTokenMissing => "",
            Refusal::AccessTokenRepeated => " error=\"invalid_request\"",
            Refusal::AccessTokenInvalid
            | Refusal::AccessTokenCertificate
            | Refusal::AccessTokenUnbound
            | Refusal::AccessTokenDpop => " error=\"invalid_token\"",
            Refusal::AccessTokenScope => {
                let scopes = self.scopes.join(" ");
                return vec![format!("Bearer error=\"insufficient_scope\", scope=\"{scopes}\"")];
            }
            _ => return Vec::new(),
        };
        let mut challenges = vec![format!("Bearer{error}")];
        if self.pass_dpop {
            let comma = if error.is_empty() { "" } else { "," };
            challenges.push(format!("DPoP{error}{comma} algs=\"ES256 PS256 EdDSA\""));
        }
        challenges
    }
}

/// The one token of a request. In a query it would be in every log on the way (RFC 9700 §4.3.2).
fn credentials<'r>(presented: &Presented<'r>) -> Result<(Scheme, &'r str), Refused> {
    let missing = |why: &str| Refused::new(Refusal::AccessTokenMissing, why);
    let repeated = |why: &str| Err(Refused::new(Refusal::AccessTokenRepeated, why));
    let names_token = |text: &[u8]| parameters::count(text, "access_token") > 0;
    if presented.target.query().is_some_and(|query| names_token(query.as_bytes())) {
        return repeated("a token in the query");
    }
    if presented.form.is_some_and(names_token) {
        return repeated("a token in the form");
    }
    if is_form(presented.headers) && presented.headers.contains_key(CONTENT_ENCODING) {
        return repeated("a form that is packed, and may hold another token");
    }
    let alias = |name: &str| name != AUTHORIZATION.as_str() && are_aliases(name, AUTHORIZATION.as_str());
    if presented.headers.keys().any(|name| alias(name.as_str())) {
        return repeated("an alias of the header `authorization`");
    }
    let mut lines = presented.headers.get_all(AUTHORIZATION).iter();
    let line = lines.next().ok_or_else(|| missing("no `authorization`"))?;
    if lines.next().is_some() {
        return repeated("more than one `authorization`");
    }
    let line = line.to_str().map_err(|_| missing("`authorization` is not text"))?;
    let (scheme, token) = line.split_once(' ').unwrap_or((line, ""));
    let scheme = match scheme {
        _ if scheme.eq_ignore_ascii_case("bearer") => Scheme::Bearer,
        _ if scheme.eq_ignore_ascii_case("dpop") => Scheme::Dpop,
        _ => return Err(missing("`authorization` has another scheme")),
    };
    let token = token.trim_matches(' ');
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
    let body = token.trim_end_matches('=');
    if body.is_empty() || token.len() > MOST_TOKEN_OCTETS || !body.bytes().all(known) {
        return Err(Refused::new(Refusal::AccessTokenInvalid, "not the form of a token (RFC 6750 §2.1), or longer than 8 KiB"));
    }
    Ok((scheme, token))
}
