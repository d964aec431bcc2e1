//! Envoy's `x-forwarded-client-cert`, text form: elements with commas between, pairs with semicolons between.
//!
//! Envoy 1.40 does not quote `URI` and `DNS`, so a subject alternative name with `;` or `,` in it forges pairs and elements
//! (envoyproxy/envoy#32945). Hence: exactly one element, no pair twice that cannot be there twice, no pair that is not known,
//! `Hash` is the certificate's, and nothing but `Hash`, `Cert` and `Chain` is used.

use sha2::{Digest, Sha256};

use super::{Ders, encoding, escaped_pem, only_one};
use crate::refusal::{Refusal, Refused};

/// The pairs of an element. Those with `false` may be repeated.
const KEYS: [(&str, bool); 8] = [
    ("by", false),
    ("hash", true),
    ("cert", true),
    ("chain", true),
    ("subject", true),
    ("issuer", true),
    ("uri", false),
    ("dns", false),
];

/// Decodes a header value to the DER of its certificates, the client's first.
///
/// # Errors
/// [`Refusal::CertificateHeaderEncoding`] for another shape, [`Refusal::CertificateHeaderTooMany`] for several elements,
/// [`Refusal::ForwardedFieldMismatch`] where `Hash` is not the certificate's, and those of escaped PEM.
pub fn decode(value: &[u8]) -> Result<Ders, Refused> {
    let pairs = element(value)?;
    let find = |wanted: &str| pairs.iter().find(|(key, _)| *key == wanted).map(|(_, value)| value.as_slice());
    let hash = find("hash").ok_or_else(|| encoding("the element has no Hash"))?;
    let cert = find("cert").map(|cert| only_one(escaped_pem::decode(cert)?)).transpose()?;
    let chain = find("chain").map(escaped_pem::decode).transpose()?;
    client_first(hash, [cert.unwrap_or_default(), chain.unwrap_or_default()].concat())
}

/// The client's certificate is the first one, and has this SHA-256 in hexadecimal digits.
pub(super) fn client_first(hash: &[u8], ders: Ders) -> Result<Ders, Refused> {
    let client = ders.first().ok_or_else(|| encoding("the element has no Cert; the front door must be told to send it"))?;
    if hex::encode(Sha256::digest(client)).as_bytes() == hash {
        return Ok(ders);
    }
    Err(Refused::new(Refusal::ForwardedFieldMismatch, "Hash is not the SHA-256 of Cert"))
}

type Pairs = Vec<(&'static str, Vec<u8>)>;

/// The pairs of the one element.
fn element(value: &[u8]) -> Result<Pairs, Refused> {
    let mut pairs = Pairs::new();
    let mut rest = value;
    loop {
        let equals = memchr::memchr(b'=', rest).ok_or_else(|| encoding("a pair without `=`"))?;
        let (name, after) = rest.split_at(equals);
        let (key, once) = known(name).ok_or_else(|| encoding("a pair whose name is not known"))?;
        if once && pairs.iter().any(|(other, _)| *other == key) {
            return Err(encoding(format!("`{key}` is there twice")));
        }
        let (text, after) = pair_value(after.get(1..).unwrap_or_default())?;
        pairs.push((key, text));
        rest = match after.split_first() {
            None => return Ok(pairs),
            Some((b';', rest)) => rest,
            Some((b',', _)) => {
                return Err(Refused::new(
                    Refusal::CertificateHeaderTooMany,
                    "more than one element; let the front door set it anew",
                ));
            }
            Some(_) => return Err(encoding("something follows a quoted value")),
        };
    }
}

fn known(name: &[u8]) -> Option<(&'static str, bool)> {
    KEYS.into_iter().find(|(key, _)| name.eq_ignore_ascii_case(key.as_bytes()))
}

/// A value, and what follows it.
fn pair_value(text: &[u8]) -> Result<(Vec<u8>, &[u8]), Refused> {
    let Some(quoted) = text.strip_prefix(b"\"") else {
        let end = memchr::memchr2(b';', b',', text).unwrap_or(text.len());
        let (value, rest) = text.split_at(end);
        if memchr::memchr2(b'"', b'\\', value).is_some() {
            return Err(encoding("a quote or backslash in a value that is not quoted"));
        }
        return Ok((value.to_vec(), rest));
    };
    let mut value = Vec::new();
    let mut rest = quoted;
    loop {
        let at = memchr::memchr2(b'"', b'\\', rest).ok_or_else(|| encoding("a quoted value without an end"))?;
        let (run, after) = rest.split_at(at);
        value.extend_from_slice(run);
        match after {
            // A backslash stands before the next byte, whatever that is.
            [b'\\', next, after @ ..] => {
                value.push(*next);
                rest = after;
            }
            [b'"', after @ ..] => return Ok((value, after)),
            _ => return Err(encoding("a quoted value without an end")),
        }
    }
}
