//! Sets of header names that see through aliases.
//!
//! Many programs read `X_Client_Cert` or `X.Client.Cert` as `X-Client-Cert` (CVE-2025-64484, CVE-2026-39858 are of that
//! kind). Two names are aliases here when they are equal after every character that is no letter and no digit became `-`.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use http::HeaderName;

/// A small map from header names to a mark. A look-up costs one comparison for nearly every name that is not in it.
#[derive(Debug, Clone)]
pub struct HeaderNames<T> {
    lengths: u128,
    entries: Vec<(String, T)>,
}

impl<T> Default for HeaderNames<T> {
    fn default() -> Self {
        Self { lengths: 0, entries: Vec::new() }
    }
}

impl<T> HeaderNames<T> {
    /// Adds a name; an alias of a name that is there already replaces nothing.
    pub fn insert(&mut self, name: &str, mark: T) {
        let folded = fold(&name.to_ascii_lowercase()).into_owned();
        if self.entries.iter().any(|(known, _)| *known == folded) {
            return;
        }
        self.lengths |= length_bit(folded.len());
        self.entries.push((folded, mark));
    }

    /// The marks of all names, in the order in which they were added.
    pub fn marks(&self) -> impl Iterator<Item = &T> {
        self.entries.iter().map(|(_, mark)| mark)
    }

    /// The mark of a lower-case name or of the name that it is an alias of.
    pub fn find(&self, name: &str) -> Option<&T> {
        if self.lengths & length_bit(name.len()) == 0 {
            return None;
        }
        let folded = fold(name);
        self.entries.iter().find(|(known, _)| *known == folded).map(|(_, mark)| mark)
    }
}

/// Headers that frame or route the message, or stay on their hop: nobody may configure them.
const FRAMING: [&str; 15] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authentication-info",
    "proxy-authorization",
    "proxy-connection",
    "range",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Headers that tell an upstream about the client. The upstream stage always writes them itself.
const ABOUT_THE_CLIENT: [&str; 6] =
    ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "x-request-id"];

/// Headers of requests that mean something to servers: who asks, for what, and what proves it.
const OF_REQUESTS: [&str; 21] = [
    "authorization",
    "cache-control",
    "client-cert",
    "client-cert-chain",
    "cookie",
    "date",
    "dpop",
    "from",
    "max-forwards",
    "origin",
    "pragma",
    "priority",
    "referer",
    "set-cookie",
    "signature",
    "signature-input",
    "user-agent",
    "via",
    "www-authenticate",
    "x-http-method-override",
    "x-rewrite-url",
];
/// And families of them, by how they begin.
const FAMILIES_OF_REQUESTS: [&str; 7] = ["accept-", "access-control-", "content-", "if-", "proxy-", "sec-", "x-original-"];

/// Whether a lower-case name, or what it is an alias of, means something else in requests: a client's own value would be lost, and
/// ours taken for it.
pub fn has_a_meaning(name: &str) -> bool {
    let folded = fold(name);
    folded == "accept"
        || OF_REQUESTS.contains(&folded.as_ref())
        || FAMILIES_OF_REQUESTS.iter().any(|family| folded.starts_with(family))
}

/// Whether a lower-case name, or what it is an alias of, frames or routes the message.
pub fn is_framing(name: &str) -> bool {
    FRAMING.contains(&fold(name).as_ref())
}

/// Whether a lower-case name, or what it is an alias of, tells an upstream about the client.
pub fn is_about_the_client(name: &str) -> bool {
    ABOUT_THE_CLIENT.contains(&fold(name).as_ref())
}

/// Whether two lower-case names are equal or aliases of each other.
pub fn are_aliases(one: &str, other: &str) -> bool {
    one.len() == other.len() && fold(one) == fold(other)
}

/// A lower-case name with every character that is no letter and no digit turned into `-`.
pub fn fold(name: &str) -> Cow<'_, str> {
    if name.bytes().all(|byte| byte == b'-' || byte.is_ascii_alphanumeric()) {
        return Cow::Borrowed(name);
    }
    Cow::Owned(name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect())
}

/// The same name in memory that is never given back. All workers clone the names that a configuration sets into every request;
/// of other names each clone counts references in memory that the workers then fight for. A configuration names few headers,
/// and a reload names them again, so what is kept does not grow.
pub fn interned(name: &HeaderName) -> HeaderName {
    static KNOWN: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let text = match known.get(name.as_str()) {
        Some(text) => text,
        None => {
            let text: &'static str = Box::leak(name.as_str().into());
            known.insert(text);
            text
        }
    };
    HeaderName::from_static(text)
}

fn length_bit(length: usize) -> u128 {
    1 << length.min(127)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_are_found_and_others_are_not() {
        let mut names = HeaderNames::default();
        names.insert("Client-Certificate", 1);
        names.insert("ssl_client_s_dn", 2);
        names.insert("CLIENT.CERTIFICATE", 3);
        for alias in
            ["client-certificate", "client_certificate", "client.certificate", "client~certificate", "client-certificate"]
        {
            assert_eq!(names.find(alias), Some(&1), "{alias}");
        }
        assert_eq!(names.find("ssl-client-s-dn"), Some(&2));
        for other in ["client-certificat", "client-certificate-", "clientcertificate", "", "host", &"x".repeat(300)] {
            assert_eq!(names.find(other), None, "{other}");
        }
    }
}
