//! Answers that were made for one client are not for a shared cache to give to another.
//!
//! Caches know this of requests with `Authorization` (RFC 9111 §3.5). Of a client certificate they see nothing: the front door
//! took it out of the handshake (RFC 9440). So we say it, wherever a certificate counts: an answer is `private` unless the
//! upstream said what shared caches may do. A `Vary` on the header with the certificate would not reach the front door's own
//! cache, which looks before that header is made.

use http::HeaderMap;
use http::header::{CACHE_CONTROL, HeaderValue};

/// What says all about shared caches. `private` with a list of fields is about these fields alone.
const SAYS_ENOUGH: [&str; 4] = ["no-store", "private", "public", "s-maxage"];

/// Adds `Cache-Control: private` to an answer that says nothing about shared caches.
pub(super) fn keep_out(headers: &mut HeaderMap) {
    let says_enough = headers.get_all(CACHE_CONTROL).iter().flat_map(|line| directives(line.as_bytes())).any(|directive| {
        let mut parts = directive.splitn(2, |byte| *byte == b'=');
        let name = parts.next().unwrap_or_default().trim_ascii();
        let whole = parts.next().is_none() || name.eq_ignore_ascii_case(b"s-maxage");
        whole && SAYS_ENOUGH.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
    });
    if !says_enough {
        headers.append(CACHE_CONTROL, HeaderValue::from_static("private"));
    }
}

/// Parts between commas, those within quotes left out of account (RFC 9110 §5.6.4).
fn directives(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let (mut quoted, mut escaped) = (false, false);
    line.split(move |byte| {
        let escape = quoted && !escaped && *byte == b'\\';
        if *byte == b'"' && !escaped {
            quoted = !quoted;
        }
        escaped = escape;
        *byte == b',' && !quoted
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept_out(lines: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(CACHE_CONTROL, HeaderValue::from_str(line).unwrap());
        }
        keep_out(&mut headers);
        let added = headers.get_all(CACHE_CONTROL).iter().count() > lines.len();
        assert!(!added || headers.get_all(CACHE_CONTROL).iter().next_back().is_some_and(|last| last == "private"));
        added
    }

    #[test]
    fn an_answer_is_private_unless_it_says_what_shared_caches_may_do() {
        for lines in [
            &[][..],
            &[""],
            &["max-age=60"],
            &["max-age=60", "must-revalidate"],
            &["no-cache"],
            &["private=\"set-cookie\""],
            &["x=\"a, public, b\""],
            &["x=\"\\\", public, b\""],
            &["publicly"],
            &["public=1"],
        ] {
            assert!(kept_out(lines), "{lines:?}");
        }
        for lines in
            [&["public"][..], &["max-age=60, Public"], &["max-age=60", "s-maxage=60"], &["PRIVATE"], &["x=\"a\", no-store"]]
        {
            assert!(!kept_out(lines), "{lines:?}");
        }
    }
}
