//! The request (RFC 6960 §4.1), unsigned, for one certificate.

use openssl::x509::X509Ref;

use super::OcspError;
use super::cert_id::Subject;
use super::nonce::NONCE;
use crate::x509::der::{encode, tag};

/// The DER of an OCSPRequest. `nonce` is 32 random octets (RFC 9654 §2.1), or none: a responder that answers from a store
/// leaves it out of the answer.
///
/// # Errors
/// When one of the certificates cannot be read.
pub fn request(cert: &X509Ref, issuer: &X509Ref, nonce: Option<&[u8]>) -> Result<Vec<u8>, OcspError> {
    let cert_id = Subject::read(cert, issuer)?.cert_id_sha1()?;
    let list = encode(tag::SEQUENCE, &encode(tag::SEQUENCE, &cert_id));
    let extensions = nonce.map(extensions).unwrap_or_default();
    Ok(encode(tag::SEQUENCE, &encode(tag::SEQUENCE, &[list, extensions].concat())))
}

fn extensions(nonce: &[u8]) -> Vec<u8> {
    let value = encode(tag::OCTET_STRING, &encode(tag::OCTET_STRING, nonce));
    let extension = encode(tag::SEQUENCE, &[encode(tag::OID, NONCE), value].concat());
    encode(tag::context_constructed(2), &encode(tag::SEQUENCE, &extension))
}
