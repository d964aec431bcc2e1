//! PEM with a space for each line end: Apache's `%{SSL_CLIENT_CERT}s`, Open Finance Brasil's `BANK-TLS-Certificate`.
//!
//! The space after the last line is not seen here: HTTP cuts it off.

use super::pem::{BEGIN, END, not_pem};
use super::{Ders, MAX_CHAIN, base64, encoding, too_many};
use crate::refusal::Refused;

/// Decodes a header value to the DER of its certificates.
///
/// # Errors
/// [`Refusal::CertificateHeaderEncoding`](crate::refusal::Refusal::CertificateHeaderEncoding) for bytes that the form does not
/// have, or those of PEM.
pub fn decode(value: &[u8]) -> Result<Ders, Refused> {
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"-+/= ".contains(byte);
    if let Some(byte) = value.iter().find(|byte| !allowed(byte)) {
        return Err(encoding(format!("byte 0x{byte:02X}; the format is PEM with spaces for line ends")));
    }
    let mut rest = value;
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

fn block(text: &[u8]) -> Result<(Vec<u8>, &[u8]), &'static str> {
    let body = text.strip_prefix(BEGIN).ok_or("does not start with `-----BEGIN CERTIFICATE-----`")?;
    let body = body.strip_prefix(b" ").ok_or("the first line does not end after the dashes")?;
    let end = memchr::memchr(b'-', body).ok_or("has no `-----END CERTIFICATE-----`")?;
    let (lines, rest) = body.split_at(end);
    let rest = rest.strip_prefix(END).ok_or("has no `-----END CERTIFICATE-----`")?;
    let after = if rest.is_empty() { rest } else { rest.strip_prefix(b" ").ok_or("something follows the last dashes")? };
    let lines = lines.strip_suffix(b" ").ok_or("the last dashes do not begin a line")?;
    if lines.split(|byte| *byte == b' ').any(<[u8]>::is_empty) {
        return Err("has an empty line");
    }
    let text: Vec<u8> = lines.iter().copied().filter(|byte| *byte != b' ').collect();
    Ok((base64(&text)?, after))
}
