//! A PEM text in base64 once more: Apache's `%{base64:%{SSL_CLIENT_CERT}}`.

use super::{Ders, base64, encoding, pem};
use crate::refusal::Refused;

/// Decodes a header value to the DER of its certificates.
///
/// # Errors
/// [`Refusal::CertificateHeaderEncoding`](crate::refusal::Refusal::CertificateHeaderEncoding), and those of PEM.
pub fn decode(value: &[u8]) -> Result<Ders, Refused> {
    pem::decode(&base64(value).map_err(|why| encoding(format!("the header {why}; the format is base64 of PEM")))?)
}
