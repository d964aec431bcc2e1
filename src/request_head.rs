//! What a peer sent before the body, in types that every later stage shares. Nothing here is trusted yet.

use std::net::IpAddr;

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
    /// The address of the connection's other end; none on a Unix socket.
    pub peer: Option<IpAddr>,
}

/// An origin-form target (RFC 9112 §3.2.1): the bytes as sent, and the path as nginx normalizes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestTarget {
    raw: String,
    path: String,
    query_at: Option<usize>,
}

impl RequestTarget {
    /// Reads a target. Only the origin form (`/path?query`) is accepted.
    ///
    /// # Errors
    /// [`Refusal::RequestTargetInvalid`] for another form, a bad escape, a NUL, or a path that climbs above the root.
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
        let path = normalize(raw_path).map_err(invalid)?;
        Ok(Self { raw: raw.to_owned(), path, query_at })
    }

    /// The target as sent, path and query (nginx `$request_uri`).
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// The path: escapes decoded once, `.` and `..` resolved, repeated slashes merged (nginx `$uri`).
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The query without `?` (nginx `$args`); none when there is no `?`.
    pub fn query(&self) -> Option<&str> {
        self.query_at.and_then(|at| self.raw.get(at + 1..))
    }
}

fn normalize(raw_path: &str) -> Result<String, &'static str> {
    let decoded = decode_once(raw_path)?;
    let mut segments: Vec<&str> = Vec::new();
    let mut directory = true;
    for segment in decoded.split('/').skip(1) {
        directory = matches!(segment, "" | "." | "..");
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop().ok_or("climbs above the root")?;
            }
            name => segments.push(name),
        }
    }
    let mut path = String::with_capacity(decoded.len());
    for segment in &segments {
        path.push('/');
        path.push_str(segment);
    }
    if directory {
        path.push('/');
    }
    Ok(path)
}

fn decode_once(raw_path: &str) -> Result<String, &'static str> {
    let mut bytes = raw_path.bytes();
    let mut decoded = Vec::with_capacity(raw_path.len());
    while let Some(byte) = bytes.next() {
        let byte = match byte {
            b'%' => {
                let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
                let (high, low) = (digit(bytes.next()), digit(bytes.next()));
                let (Some(high), Some(low)) = (high, low) else { return Err("a bad percent escape") };
                u8::try_from(high * 16 + low).map_err(|_| "a bad percent escape")?
            }
            byte => byte,
        };
        if byte == 0 {
            return Err("a NUL");
        }
        decoded.push(byte);
    }
    // Bytes that are not UTF-8 stay distinguishable from each other only in the raw form; rules see the replacement character.
    Ok(String::from_utf8(decoded).unwrap_or_else(|bad| String::from_utf8_lossy(bad.as_bytes()).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_is_normalized_as_nginx_does() {
        for (raw, path, query) in [
            ("/", "/", None),
            ("/a/b", "/a/b", None),
            ("/a//b///c", "/a/b/c", None),
            ("/a/./b/../c", "/a/c", None),
            ("/a/%2e%2e/admin", "/admin", None),
            ("/a%2Fb", "/a/b", None),
            ("/a/", "/a/", None),
            ("/a/.", "/a/", None),
            ("/a/b/..", "/a/", None),
            ("/a?x=1&y=/../z", "/a", Some("x=1&y=/../z")),
            ("/a?", "/a", Some("")),
            ("/%41%2541", "/A%41", None),
        ] {
            let target = RequestTarget::parse(raw).unwrap();
            assert_eq!((target.path(), target.query(), target.raw()), (path, query, raw));
        }
    }

    #[test]
    fn hostile_targets_are_refused() {
        for raw in [
            "",
            "*",
            "http://h/",
            "a",
            "/..",
            "/a/../../b",
            "/%2e%2e/",
            "/%",
            "/%0",
            "/%zz",
            "/%00",
            "/a b",
            "/a#b",
            "/a\u{7f}",
        ] {
            let refused = RequestTarget::parse(raw).unwrap_err();
            assert_eq!(refused.refusal, Refusal::RequestTargetInvalid, "{raw:?}");
        }
    }
}
