//! What a peer sent before the body, in types that every later stage shares. Nothing here is trusted yet.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use http::{HeaderMap, Method};

use crate::refusal::{Refusal, Refused};

/// A request head as it arrived: anyone can make one.
#[derive(Debug)]
pub struct RequestHead {
    /// The method.
    pub method: Method,
    /// The target in origin form.
    pub target: RequestTarget,
    /// Every header line, repeated names kept.
    pub headers: HeaderMap,
    /// What the connection tells about its other end.
    pub connection: Connection,
}

/// What a connection tells about its other end. The kernel and the TLS handshake say it, not the peer.
#[derive(Debug, Clone, Default)]
pub struct Connection {
    /// The address; none on a Unix socket. An IPv4 address is never in its IPv6-mapped form.
    pub peer: Option<IpAddr>,
    /// Our own end of it; none on a Unix socket.
    pub local: Option<SocketAddr>,
    /// The process at the other end of a Unix socket.
    pub unix_peer: Option<UnixPeer>,
    /// What its TLS handshake said; none without TLS.
    pub tls: Option<Arc<TlsPeer>>,
}

impl Connection {
    /// A connection from an address. `::ffff:192.0.2.1` is `192.0.2.1`: a listener on `[::]` shows IPv4 that way.
    pub fn from_address(address: IpAddr) -> Self {
        Self { peer: Some(address.to_canonical()), ..Self::default() }
    }

    /// A connection of a Unix socket.
    pub fn from_unix_peer(unix_peer: Option<UnixPeer>) -> Self {
        Self { unix_peer, ..Self::default() }
    }
}

/// Who opened a Unix socket (`SO_PEERCRED`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnixPeer {
    /// Its effective user.
    pub uid: u32,
    /// Its effective group; supplementary groups are not told.
    pub gid: u32,
    /// Its process, where the system tells.
    pub pid: Option<i32>,
}

/// What a TLS client said in its handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsPeer {
    /// The certificates that it sent, DER, its own first; none when it sent none.
    pub certificates: Vec<Vec<u8>>,
    /// The server name that it asked for (RFC 6066 §3).
    pub sni: Option<String>,
}

/// An origin-form target (RFC 9112 §3.2.1): the bytes as sent, and the path as nginx normalizes it.
///
/// The upstream gets the target as it was sent, and may read it in another way than we do. So what is judged and what is
/// served could be two things: paths that go up are refused in every spelling, and a path whose slashes can be counted in two
/// ways has both readings here ([`RequestTarget::literal_path`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestTarget {
    raw: String,
    path: String,
    literal_path: Option<String>,
    query_at: Option<usize>,
}

impl RequestTarget {
    /// Reads a target. Only the origin form (`/path?query`) is accepted.
    ///
    /// # Errors
    /// [`Refusal::RequestTargetInvalid`] for another form, a bad escape, a NUL, a backslash, bytes that are not UTF-8, a separator
    /// that is escaped twice, or a `.` or `..` segment in any spelling that an upstream may understand.
    pub fn parse(raw: &str) -> Result<Self, Refused> {
        let invalid = |why: &str| Refused::new(Refusal::RequestTargetInvalid, format!("request target: {why}"));
        if !raw.starts_with('/') {
            return Err(invalid("not in origin form"));
        }
        if raw.bytes().any(|byte| byte <= b' ' || byte == 0x7f || byte == b'#') {
            return Err(invalid("a byte that no target may hold"));
        }
        let query_at = raw.find('?');
        let raw_path = query_at.map_or(raw, |at| raw.get(..at).unwrap_or(raw));
        if raw_path.match_indices('%').any(|(at, _)| raw_path.as_bytes().get(at..).and_then(escaped).is_none()) {
            return Err(invalid("a bad percent escape"));
        }
        let decoded = decode_once(raw_path.as_bytes(), |_| true);
        // Some servers decode twice.
        let twice = decode_once(&decoded, |_| true);
        if climbs(&decoded) || climbs(&twice) {
            return Err(invalid("a `.` or `..` segment; clients resolve them before they send"));
        }
        if decoded.contains(&0) || decoded.contains(&b'\\') {
            return Err(invalid("a NUL or a backslash, which some servers take for a slash"));
        }
        let separators = |path: &[u8]| path.iter().filter(|byte| SEPARATORS.contains(byte)).count();
        if separators(&twice) != separators(&decoded) {
            return Err(invalid("a separator that is escaped twice"));
        }
        let not_text = |_| invalid("a path that is not UTF-8");
        let literal = decode_once(raw_path.as_bytes(), |byte| byte != b'/');
        let literal = std::str::from_utf8(&literal).map_err(not_text)?;
        let path = merge_slashes(std::str::from_utf8(&decoded).map_err(not_text)?);
        let literal_path = (literal != path).then(|| literal.to_owned());
        Ok(Self { literal_path, raw: raw.to_owned(), path: path.into_owned(), query_at })
    }

    /// The target as sent, path and query (nginx `$request_uri`).
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// The same, taken out.
    pub fn into_raw(self) -> String {
        self.raw
    }

    /// The path as sent, without the query.
    pub fn raw_path(&self) -> &str {
        self.query_at.and_then(|at| self.raw.get(..at)).unwrap_or(&self.raw)
    }

    /// The path: escapes decoded once, repeated slashes merged (nginx `$uri`).
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The path as a server reads it that neither decodes `%2F` nor merges slashes.
    pub fn literal_path(&self) -> &str {
        self.literal_path.as_deref().unwrap_or(&self.path)
    }

    /// Whether a segment has parameters (`/a;b=c`), which Java servers cut off before they look for a path.
    pub fn has_path_parameters(&self) -> bool {
        self.path.contains(';')
    }

    /// The query without `?` (nginx `$args`); none when there is no `?`.
    pub fn query(&self) -> Option<&str> {
        self.query_at.and_then(|at| self.raw.get(at + 1..))
    }
}

/// What separates segments, or a segment from its parameters, for one server or another.
const SEPARATORS: [u8; 3] = *b"/\\;";

/// Whether a segment goes nowhere or up: `.`, `..`, also between backslashes, also with parameters behind (`..;a=b`), which
/// Java servers cut off.
fn climbs(path: &[u8]) -> bool {
    path.split(|byte| matches!(byte, b'/' | b'\\')).any(|segment| {
        let name = segment.split(|byte| *byte == b';').next().unwrap_or(segment);
        matches!(name, b"." | b"..")
    })
}

/// Decodes the escapes of the bytes that are wanted; what is no escape stays as it is. Most paths have none, and are read four
/// times over.
fn decode_once(path: &[u8], wanted: impl Fn(u8) -> bool) -> Cow<'_, [u8]> {
    if !path.contains(&b'%') {
        return Cow::Borrowed(path);
    }
    let mut decoded = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some((&first, after)) = rest.split_first() {
        match escaped(rest).filter(|(byte, _)| wanted(*byte)) {
            Some((byte, after)) => {
                decoded.push(byte);
                rest = after;
            }
            None => {
                decoded.push(first);
                rest = after;
            }
        }
    }
    Cow::Owned(decoded)
}

/// The byte of an escape that a text begins with, and what follows.
fn escaped(text: &[u8]) -> Option<(u8, &[u8])> {
    let (digits, after) = text.strip_prefix(b"%")?.split_at_checked(2)?;
    let digit = |at: usize| digits.get(at).and_then(|digit| char::from(*digit).to_digit(16));
    u8::try_from(digit(0)? * 16 + digit(1)?).ok().map(|byte| (byte, after))
}

fn merge_slashes(path: &str) -> Cow<'_, str> {
    if !path.contains("//") {
        return Cow::Borrowed(path);
    }
    let mut merged = String::with_capacity(path.len());
    for c in path.chars() {
        if c != '/' || !merged.ends_with('/') {
            merged.push(c);
        }
    }
    Cow::Owned(merged)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_is_normalized_as_nginx_does() {
        for (raw, path, literal, query) in [
            ("/", "/", "/", None),
            ("/a/b", "/a/b", "/a/b", None),
            ("/a//b///c", "/a/b/c", "/a//b///c", None),
            ("//a", "/a", "//a", None),
            ("/a%2Fb", "/a/b", "/a%2Fb", None),
            ("/a%2fb%20c", "/a/b c", "/a%2fb c", None),
            ("/a/", "/a/", "/a/", None),
            ("/a;b/c", "/a;b/c", "/a;b/c", None),
            ("/.a/..b/...", "/.a/..b/...", "/.a/..b/...", None),
            ("/a?x=1&y=/../z", "/a", "/a", Some("x=1&y=/../z")),
            ("/a?", "/a", "/a", Some("")),
            ("/%41%2541", "/A%41", "/A%41", None),
            ("/100%25", "/100%", "/100%", None),
        ] {
            let target = RequestTarget::parse(raw).unwrap();
            assert_eq!((target.path(), target.literal_path(), target.query(), target.raw()), (path, literal, query, raw));
        }
    }

    #[test]
    fn hostile_targets_are_refused() {
        for raw in ["", "*", "http://h/", "a", "/%", "/%0", "/%zz", "/%+1", "/%00", "/a b", "/a#b", "/a\u{7f}"] {
            let refused = RequestTarget::parse(raw).unwrap_err();
            assert_eq!(refused.refusal, Refusal::RequestTargetInvalid, "{raw:?}");
        }
    }

    #[test]
    fn paths_that_another_server_would_read_in_another_way_are_refused() {
        for raw in ["/a\\b", "/a%5cb", "/a%255cb", "/a%252fb", "/a%253bb", "/a/%c0%ae", "/a%ff"] {
            assert!(RequestTarget::parse(raw).is_err(), "{raw}");
        }
        assert!(RequestTarget::parse("/a%3bb").unwrap().has_path_parameters());
        assert!(!RequestTarget::parse("/a?b;c").unwrap().has_path_parameters());
    }

    #[test]
    fn paths_that_go_up_are_refused_in_every_spelling() {
        for raw in [
            "/..",
            "/a/../../b",
            "/a/..",
            "/a/.",
            "/a/./b",
            "/%2e%2e/",
            "/a/.%2E/b",
            "/a/..%2fb",
            "/a%2f..%2fb",
            "/a/..;/b",
            "/a/..;x=1/b",
            "/a/%2e%2e%3bx/b",
            "/a\\..\\b",
            "/a/..%5cb",
            "/a%5c..%5cb",
            "/a/%252e%252e/b",
            "/a/..%252fb",
            "/a/.;/b",
            "/%25/..%252fb",
        ] {
            assert!(RequestTarget::parse(raw).is_err(), "{raw}");
        }
    }
}
