//! A request that may be sent.

use std::net::IpAddr;

use http::header::{
    ACCEPT_ENCODING, HeaderValue, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, RANGE,
};
use http::{HeaderMap, HeaderName, Method};

use super::changes::Changes;
use super::{After, cookies};
use crate::front_door::AuthenticatedForward;
use crate::header_names::are_aliases;
use crate::identity_headers::IdentityHeaders;
use crate::refusal::Refused;
use crate::request_head::RequestTarget;

/// A permitted request. It owns the request that it permits, so that a permit cannot meet another one; only the rules make it.
///
/// Nothing can be added to one but [`IdentityHeaders`], and it cannot be used twice:
///
/// ```compile_fail
/// use vestibule::rules::Permitted;
/// fn twice(permitted: Permitted) -> (Permitted, Permitted) {
///     (permitted.clone(), permitted)
/// }
/// ```
///
/// ```
/// use vestibule::front_door::AuthenticatedForward;
/// use vestibule::refusal::Refused;
/// use vestibule::rules::{Facts, Outcome, RuleSet, Trace};
/// fn once(rules: &RuleSet, forward: AuthenticatedForward, facts: &Facts<'_>) -> Result<Outcome, Refused> {
///     rules.decide(forward, facts, "id", Trace::Off, &mut Vec::new())
/// }
/// ```
#[derive(Debug)]
pub struct Permitted {
    host: String,
    client_address: IpAddr,
    method: Method,
    target: RequestTarget,
    headers: HeaderMap,
    ours: Vec<(HeaderName, HeaderValue)>,
    scheme: &'static str,
    request_id: String,
    origin: Option<usize>,
    after: Option<After>,
}

impl Permitted {
    /// A client's own copies of the cookies that rules set never pass, whether the rule applied or not.
    pub(super) fn new(
        forward: AuthenticatedForward,
        request_id: &str,
        changes: Changes,
        own_cookies: &[String],
        after: Option<After>,
    ) -> Result<Self, Refused> {
        let mut parts = forward.into_parts();
        if !changes.filtered.is_empty() {
            remove_with_aliases(&mut parts.headers, &changes.filtered);
        }
        let without: Vec<&str> = changes.filtered_cookies.iter().chain(own_cookies).map(String::as_str).collect();
        cookies::change_sent(&mut parts.headers, &without, &changes.cookies());
        let target = changes.target()?.unwrap_or(parts.target);
        Ok(Self {
            host: parts.host,
            client_address: parts.client_address,
            method: parts.method,
            target,
            headers: parts.headers,
            origin: changes.origin,
            ours: changes.into_lines()?,
            scheme: parts.scheme,
            request_id: request_id.to_owned(),
            after,
        })
    }

    /// Asks for the whole answer, unpacked, and under this host name: what is to be changed on its way must be seen whole.
    pub fn ask_whole(&mut self, host: &str) {
        remove_with_aliases(
            &mut self.headers,
            &[ACCEPT_ENCODING, RANGE, IF_RANGE, IF_MATCH, IF_NONE_MATCH, IF_MODIFIED_SINCE, IF_UNMODIFIED_SINCE],
        );
        self.headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        host.clone_into(&mut self.host);
    }

    /// Tells the upstream who it is. No rule can undo that: they have run.
    pub fn tell(&mut self, identity: IdentityHeaders) {
        for (name, value) in identity.into_lines() {
            self.ours.retain(|(known, _)| *known != name);
            self.ours.push((name, value));
        }
    }

    /// The host name asked for.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The client's address.
    pub fn client_address(&self) -> IpAddr {
        self.client_address
    }

    /// The method.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The target.
    pub fn target(&self) -> &RequestTarget {
        &self.target
    }

    /// The request's own headers, without the contract's; those of the connection are still among them.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The headers that we set for the upstream, for whoever looks them up.
    pub fn ours(&self) -> HeaderMap {
        let mut ours = HeaderMap::with_capacity(self.ours.len());
        for (name, value) in &self.ours {
            ours.append(name, value.clone());
        }
        ours
    }

    /// How the client reached the front door: `http` or `https`.
    pub fn scheme(&self) -> &'static str {
        self.scheme
    }

    /// The number of the upstream that a rule chose.
    pub fn origin(&self) -> Option<usize> {
        self.origin
    }

    /// What is to be done when the answer is there; taken out, since it lives longer.
    pub fn take_after(&mut self) -> Option<After> {
        self.after.take()
    }

    /// The request's id.
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    /// What it is made of, taken out.
    pub fn into_parts(self) -> PermittedParts {
        let Self { host, client_address, method, target, headers, ours, scheme, request_id, origin: _, after: _ } = self;
        PermittedParts { host, client_address, method, target, headers, ours, scheme, request_id }
    }
}

/// What is left of a permitted request when it is sent.
#[derive(Debug)]
pub struct PermittedParts {
    /// The host name asked for.
    pub host: String,
    /// The client's address.
    pub client_address: IpAddr,
    /// The method.
    pub method: Method,
    /// The target.
    pub target: RequestTarget,
    /// The request's own headers.
    pub headers: HeaderMap,
    /// The headers that we set.
    pub ours: Vec<(HeaderName, HeaderValue)>,
    /// How the client reached the front door.
    pub scheme: &'static str,
    /// The request's id.
    pub request_id: String,
}

/// Who filters `X-Debug` means `X_Debug` too: to many upstreams they are one.
fn remove_with_aliases(headers: &mut HeaderMap, filtered: &[HeaderName]) {
    let goes = |name: &&HeaderName| filtered.iter().any(|filtered| are_aliases(name.as_str(), filtered.as_str()));
    let gone: Vec<HeaderName> = headers.keys().filter(goes).cloned().collect();
    for name in gone {
        headers.remove(name);
    }
}
