//! Bodies of PEM certificates, their first and last lines and line ends taken out, joined by commas: Traefik's
//! `X-Forwarded-Tls-Client-Cert`. Before 2.9.2 it was query-escaped; a body has no space, so no `+` means one.

use super::escaped_pem::unescape;
use super::{Ders, MAX_CHAIN, base64, encoding, too_many};
use crate::refusal::Refused;

/// Decodes a header value to the DER of its certificates, the client's first.
///
/// # Errors
/// [`Refusal::CertificateHeaderEncoding`](crate::refusal::Refusal::CertificateHeaderEncoding) or
/// [`Refusal::CertificateHeaderTooMany`](crate::refusal::Refusal::CertificateHeaderTooMany).
pub fn decode(value: &[u8]) -> Result<Ders, Refused> {
    if value.iter().filter(|byte| **byte == b',').count() > MAX_CHAIN {
        return Err(too_many());
    }
    let body = |(position, body): (usize, &[u8])| {
        base64(body).map_err(|why| encoding(format!("certificate {} of the header {why}", position + 1)))
    };
    value.split(|byte| *byte == b',').enumerate().map(body).collect()
}

/// Decodes a header value that is `%XX`-escaped, as a query is: a bare `+` would mean a space and is refused.
///
/// # Errors
/// Those of [`decode`].
pub fn decode_escaped(value: &[u8]) -> Result<Ders, Refused> {
    if value.contains(&b'+') {
        return Err(encoding("a bare `+`; the format is query-escaped"));
    }
    decode(&unescape(value)?)
}
