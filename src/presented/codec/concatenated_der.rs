//! DER after DER without anything between, in base64: HAProxy's `ssl_c_chain_der,base64`.

use super::{Ders, MAX_CHAIN, base64, encoding, too_many};
use crate::refusal::{Refusal, Refused};
use crate::x509::der::{Reader, tag};

/// Decodes a header value to the DER of its certificates.
///
/// # Errors
/// [`Refusal::CertificateHeaderEncoding`], [`Refusal::CertificateMalformed`] or [`Refusal::CertificateHeaderTooMany`].
pub fn decode(value: &[u8]) -> Result<Ders, Refused> {
    let joined = base64(value).map_err(|why| encoding(format!("the chain header {why}; the format is base64 of DER")))?;
    let mut reader = Reader::new(&joined);
    let mut ders = Ders::new();
    while !reader.is_empty() {
        if ders.len() == MAX_CHAIN + 1 {
            return Err(too_many());
        }
        let certificate = reader.expect(tag::SEQUENCE).map_err(|why| {
            Refused::new(Refusal::CertificateMalformed, format!("certificate {} of the chain header: {why}", ders.len() + 1))
        })?;
        ders.push(certificate.der.to_vec());
    }
    Ok(ders)
}
