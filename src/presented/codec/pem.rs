//! PEM certificates (RFC 7468) and nothing else: no text before, between or after.

use super::{Ders, MAX_CHAIN, base64, too_many};
use crate::refusal::{Refusal, Refused};

pub(super) const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
pub(super) const END: &[u8] = b"-----END CERTIFICATE-----";

/// The DER of every certificate of a text.
pub(super) fn decode(pem: &[u8]) -> Result<Ders, Refused> {
    let mut rest = pem;
    let mut certificates = Vec::with_capacity(1);
    while !rest.is_empty() {
        let (der, after) = block(rest).map_err(|why| not_pem(certificates.len(), why))?;
        if certificates.len() > MAX_CHAIN {
            return Err(too_many());
        }
        certificates.push(der);
        rest = after;
    }
    Ok(certificates)
}

pub(super) fn not_pem(position: usize, why: &str) -> Refused {
    Refused::new(Refusal::CertificateHeaderNotPem, format!("certificate {} of the header: {why}", position + 1))
}

/// One PEM block at the very start of the text, and what follows it and its line end.
fn block(text: &[u8]) -> Result<(Vec<u8>, &[u8]), &'static str> {
    let body = text.strip_prefix(BEGIN).ok_or("does not start with `-----BEGIN CERTIFICATE-----`")?;
    let body = line_end(body).ok_or("the first line does not end after the dashes")?;
    let end = memchr::memchr(b'-', body).ok_or("has no `-----END CERTIFICATE-----`")?;
    let (lines, rest) = body.split_at(end);
    let rest = rest.strip_prefix(END).ok_or("has no `-----END CERTIFICATE-----`")?;
    let after = if rest.is_empty() { rest } else { line_end(rest).ok_or("something follows the last dashes")? };
    Ok((base64(&unfold(lines)?)?, after))
}

/// Takes the line ends out. An empty line is none of RFC 7468: to other readers it ends headers, and what stands before it is
/// no part of the certificate (RFC 1421 §4.4).
fn unfold(body: &[u8]) -> Result<Vec<u8>, &'static str> {
    let lines = body.strip_suffix(b"\n").ok_or("the last line does not end before the dashes")?;
    let mut unfolded = Vec::with_capacity(lines.len());
    for line in lines.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            return Err("the body is empty or has an empty line");
        }
        unfolded.extend_from_slice(line);
    }
    Ok(unfolded)
}

fn line_end(text: &[u8]) -> Option<&[u8]> {
    text.strip_prefix(b"\n").or_else(|| text.strip_prefix(b"\r\n"))
}
