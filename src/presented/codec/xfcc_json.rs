//! Envoy's `x-forwarded-client-cert`, JSON form: an array of objects, one for each proxy on the way.

use serde::Deserialize;

use super::xfcc::client_first;
use super::{Ders, encoding, only_one, pem};
use crate::front_door::XfccElements;
use crate::refusal::{Refusal, Refused};

/// What is used of an element. A member that is there twice is an error.
#[derive(Deserialize)]
struct Element {
    hash: Option<String>,
    cert: Option<String>,
    #[serde(default)]
    chain: Vec<String>,
}

/// Decodes a header value to the DER of its certificates, the client's first.
///
/// # Errors
/// [`Refusal::CertificateHeaderEncoding`] for another shape, [`Refusal::CertificateHeaderTooMany`] for several elements,
/// [`Refusal::ForwardedFieldMismatch`] where `hash` is not the certificate's, and those of PEM.
pub fn decode(value: &[u8], elements: XfccElements) -> Result<Ders, Refused> {
    let mut found: Vec<Element> = serde_json::from_slice(value).map_err(|why| encoding(format!("not XFCC in JSON: {why}")))?;
    if elements == XfccElements::One && found.len() > 1 {
        let cause = "more than one element; let the front door set it anew, or see xfcc_elements";
        return Err(Refused::new(Refusal::CertificateHeaderTooMany, cause));
    }
    let element = found.pop().ok_or_else(|| encoding("no element"))?;
    let hash = element.hash.ok_or_else(|| encoding("the element has no hash"))?;
    let mut ders = match element.cert {
        Some(cert) => only_one(pem::decode(cert.as_bytes())?)?,
        None => Ders::new(),
    };
    for other in element.chain {
        ders.extend(only_one(pem::decode(other.as_bytes())?)?);
    }
    client_first(hash.as_bytes(), ders)
}
