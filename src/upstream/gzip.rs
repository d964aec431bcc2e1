//! Compresses an answer's body on its way (RFC 9110 §8.4.1.3).

use std::io::Write;
use std::task::Poll;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::HeaderMap;
use http::header::{
    ACCEPT_ENCODING, ACCEPT_RANGES, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderValue, VARY,
};

/// Level 6 takes twice as long for a few percent.
const LEVEL: u32 = 4;
/// Chunks gather until so many bytes are there or the upstream pauses.
const GATHER: usize = 16 * 1024;
/// An answer that says it is shorter gains nothing.
const SHORTEST: u64 = 256;

/// Media types that compress well; images, videos and archives are compressed already.
const TYPES: [&str; 9] = [
    "application/javascript",
    "application/json",
    "application/ld+json",
    "application/problem+json",
    "application/wasm",
    "application/xhtml+xml",
    "application/xml",
    "image/svg+xml",
    "application/rss+xml",
];

/// Whether to compress an answer to this request. If so, its headers say it.
pub(super) fn is_wanted(request: &HeaderMap, headers: &mut HeaderMap) -> bool {
    if headers.contains_key(CONTENT_ENCODING) || !compresses_well(headers) || must_not_change(headers) {
        return false;
    }
    // Also what is not compressed for this client may be for the next one.
    headers.append(VARY, HeaderValue::from_static("Accept-Encoding"));
    if !accepts(request) {
        return false;
    }
    headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    for name in [CONTENT_LENGTH, ACCEPT_RANGES] {
        headers.remove(name);
    }
    for digest in ["content-digest", "content-md5", "digest"] {
        headers.remove(digest);
    }
    weaken(headers);
    true
}

fn compresses_well(headers: &HeaderMap) -> bool {
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    length.is_none_or(|length| length >= SHORTEST) && (media_type.starts_with("text/") || TYPES.contains(&media_type.as_str()))
}

/// `no-transform` (RFC 9111 §5.2.2.6).
fn must_not_change(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(CACHE_CONTROL).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|directive| directive.trim().eq_ignore_ascii_case("no-transform"))
}

/// Whether the client takes gzip (RFC 9110 §12.5.3): named, or by `*`, and not with `q=0`.
fn accepts(request: &HeaderMap) -> bool {
    let lines = request.get_all(ACCEPT_ENCODING).iter().filter_map(|line| line.to_str().ok());
    let mut by_star = false;
    for coding in lines.flat_map(|line| line.split(',')) {
        let (name, parameters) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = parameters.split(';').filter_map(|one| one.trim().strip_prefix("q=")?.parse::<f32>().ok()).next();
        let wanted = weight.is_none_or(|weight| weight > 0.0);
        match name.trim() {
            name if name.eq_ignore_ascii_case("gzip") => return wanted,
            "*" => by_star = wanted,
            _ => {}
        }
    }
    by_star
}

/// Other bytes need another strong validator (RFC 9110 §8.8.1).
fn weaken(headers: &mut HeaderMap) {
    let Some(strong) = headers.get(ETAG).filter(|tag| tag.as_bytes().starts_with(b"\"")) else { return };
    match HeaderValue::from_bytes(&[b"W/", strong.as_bytes()].concat()) {
        Ok(weak) => headers.insert(ETAG, weak),
        Err(_) => headers.remove(ETAG),
    };
}

/// A body that is being compressed.
#[derive(Debug)]
pub(super) struct Gzip {
    /// None when the last byte has been handed out.
    encoder: Option<GzEncoder<Vec<u8>>>,
    /// Whether bytes have gone in that have not come out.
    pending: bool,
}

impl Default for Gzip {
    fn default() -> Self {
        Self { encoder: Some(GzEncoder::new(Vec::new(), Compression::new(LEVEL))), pending: false }
    }
}

impl Gzip {
    /// The next compressed bytes. When the upstream pauses, what there is goes out: a stream of events stays one.
    pub(super) fn poll<E>(
        &mut self,
        mut next: impl FnMut() -> Poll<Option<Result<Bytes, E>>>,
    ) -> Poll<Option<Result<Bytes, E>>> {
        loop {
            let Some(encoder) = self.encoder.as_mut() else { return Poll::Ready(None) };
            // Writing into memory cannot fail.
            match next() {
                Poll::Ready(Some(Ok(chunk))) => {
                    let _ = encoder.write_all(&chunk);
                    self.pending = true;
                    if encoder.get_ref().len() >= GATHER {
                        return Poll::Ready(Some(Ok(std::mem::take(encoder.get_mut()).into())));
                    }
                }
                Poll::Ready(Some(Err(why))) => {
                    self.encoder = None;
                    return Poll::Ready(Some(Err(why)));
                }
                Poll::Ready(None) => {
                    let rest = self.encoder.take().and_then(|encoder| encoder.finish().ok()).unwrap_or_default();
                    return Poll::Ready(
                        Some(Ok(rest.into())).filter(|rest: &Result<Bytes, E>| !matches!(rest, Ok(rest) if rest.is_empty())),
                    );
                }
                Poll::Pending if self.pending => {
                    let _ = encoder.flush();
                    self.pending = false;
                    return Poll::Ready(Some(Ok(std::mem::take(encoder.get_mut()).into())));
                }
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_takes_gzip() {
        for (lines, takes) in [
            (&[][..], false),
            (&["gzip"], true),
            (&["br, GZIP;q=0.5"], true),
            (&["gzip;q=0"], false),
            (&["gzip;q=0, *"], false),
            (&["*"], true),
            (&["*;q=0"], false),
            (&["br", "gzip"], true),
            (&["identity"], false),
            (&["xgzip"], false),
        ] {
            let mut request = HeaderMap::new();
            for line in lines {
                request.append(ACCEPT_ENCODING, HeaderValue::from_static(line));
            }
            assert_eq!(accepts(&request), takes, "{lines:?}");
        }
    }
}
