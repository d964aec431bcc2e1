//! One certificate's DER in base64: HAProxy `ssl_c_der,base64`, Caddy `certificate_der_base64`, Azure `X-ARR-ClientCert`.

use super::{base64, encoding};
use crate::refusal::Refused;

/// Decodes a header value to one certificate's DER. What follows the DER is for the certificate's reader to refuse.
///
/// # Errors
/// [`Refusal::CertificateHeaderEncoding`](crate::refusal::Refusal::CertificateHeaderEncoding).
pub fn decode(value: &[u8]) -> Result<Vec<u8>, Refused> {
    base64(value).map_err(|why| encoding(format!("the header {why}; the format is base64 of DER")))
}
