//! A request that may be sent.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName, Method};

use super::behavior::Changes;
use crate::front_door::AuthenticatedForward;
use crate::header_names::are_aliases;
use crate::request_head::RequestTarget;

/// A permitted request. It owns the request that it permits, so that a permit cannot meet another one; only the rules make it.
///
/// Nothing can be added to one, and it cannot be used twice:
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
/// use vestibule::rules::{Facts, Permitted, RuleSet, Trace};
/// fn once(rules: &RuleSet, forward: AuthenticatedForward, facts: &Facts<'_>) -> Result<Permitted, Refused> {
///     rules.decide(forward, facts, "id", Trace::Off)
/// }
/// ```
#[derive(Debug)]
pub struct Permitted {
    host: String,
    client_address: IpAddr,
    method: Method,
    target: RequestTarget,
    headers: HeaderMap,
    ours: HeaderMap,
    request_id: String,
}

impl Permitted {
    pub(super) fn new(forward: AuthenticatedForward, request_id: &str, changes: Changes) -> Self {
        let mut parts = forward.into_parts();
        if !changes.filtered.is_empty() {
            remove_with_aliases(&mut parts.headers, &changes.filtered);
        }
        let mut ours = HeaderMap::with_capacity(changes.added.len());
        for (name, value) in changes.added {
            ours.append(name, value);
        }
        Self {
            host: parts.host,
            client_address: parts.client_address,
            method: parts.method,
            target: parts.target,
            headers: parts.headers,
            ours,
            request_id: request_id.to_owned(),
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

    /// The headers that we set for the upstream.
    pub fn ours(&self) -> &HeaderMap {
        &self.ours
    }

    /// The request's id.
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    /// The request's own headers and ours, taken out.
    pub fn into_headers(self) -> (HeaderMap, HeaderMap) {
        (self.headers, self.ours)
    }
}

/// Who filters `X-Debug` means `X_Debug` too: to many upstreams they are one.
fn remove_with_aliases(headers: &mut HeaderMap, filtered: &[HeaderName]) {
    let goes = |name: &&HeaderName| filtered.iter().any(|filtered| are_aliases(name.as_str(), filtered.as_str()));
    let gone: Vec<HeaderName> = headers.keys().filter(goes).cloned().collect();
    for name in gone {
        headers.remove(name);
    }
}
