//! What the front door says the certificate holds: names, serial number, digests, dates. Cross-checked, never believed, and
//! never compared with anything but the certificate.

mod date;
mod digest;
mod name;
mod serial;

use http::HeaderValue;

use super::verdict::{ForwardedVerdict, Said};
use super::{Presentation, PresentedCertificate};
use crate::front_door::{ContractHeader, ContractValues, Format};
use crate::refusal::{Refusal, Refused};
use crate::x509::certificate::Certificate;

/// The scheme names of TLS (RFC 8446 §4.2.3) are lower-case letters, digits and underscores.
pub(super) fn signature_algorithm(value: Option<&HeaderValue>) -> Result<String, Refused> {
    let Some(value) = value else { return Ok(String::new()) };
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    match value.to_str() {
        Ok(text) if text.len() <= 64 && text.bytes().all(known) => Ok(text.to_owned()),
        _ => Err(Refused::new(Refusal::ContractHeaderControlBytes, "the forwarded signature algorithm is no scheme name")),
    }
}

/// Whether a value is the certificate's.
type Agrees = fn(&PresentedCertificate, &[u8], &Format) -> bool;

/// What is compared, with what a disagreement is called.
const FIELDS: [(ContractHeader, &str, Refusal, Agrees); 9] = [
    (ContractHeader::SubjectDn, "subject DN", Refusal::ForwardedDnMismatch, name::subject),
    (ContractHeader::SubjectDnParsed, "subject CN", Refusal::ForwardedDnMismatch, name::common_name),
    (ContractHeader::IssuerDn, "issuer DN", Refusal::ForwardedDnMismatch, name::issuer),
    (ContractHeader::SerialNumber, "serial number", Refusal::ForwardedFieldMismatch, |certificate, value, format| {
        serial::agrees(certificate.leaf().serial(), value, format.serial)
    }),
    (ContractHeader::FingerprintSha1, "SHA-1 fingerprint", Refusal::ForwardedFieldMismatch, |certificate, value, _| {
        digest::agrees(certificate.leaf().sha1(), value)
    }),
    (ContractHeader::FingerprintSha256, "SHA-256 fingerprint", Refusal::ForwardedFieldMismatch, |certificate, value, _| {
        digest::agrees(certificate.leaf().sha256(), value)
    }),
    (ContractHeader::ValidFrom, "first moment", Refusal::ForwardedFieldMismatch, |certificate, value, _| {
        date::agrees(certificate.leaf().not_before(), value)
    }),
    (ContractHeader::ValidUntil, "last moment", Refusal::ForwardedFieldMismatch, |certificate, value, _| {
        date::agrees(certificate.leaf().not_after(), value)
    }),
    (ContractHeader::Validity, "validity", Refusal::ForwardedFieldMismatch, |certificate, value, _| {
        validity(certificate.leaf(), value)
    }),
];

/// AWS: `NotBefore=2023-09-21T01:50:17Z;NotAfter=2024-09-20T01:50:17Z`.
fn validity(certificate: &Certificate, value: &[u8]) -> bool {
    let mut parts = value.splitn(2, |byte| *byte == b';');
    let (from, until) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let first = from.strip_prefix(b"NotBefore=").is_some_and(|text| date::agrees(certificate.not_before(), text));
    first && until.strip_prefix(b"NotAfter=").is_some_and(|text| date::agrees(certificate.not_after(), text))
}

/// Every way in which the front door's words and the certificate disagree.
pub(super) fn contradictions(
    presentation: &Presentation,
    contract: &ContractValues,
    format: &Format,
    said: &Said,
) -> Vec<Refused> {
    let mut found = Vec::new();
    match (presentation.certificate(), presentation.verdict()) {
        (Some(_), Some(ForwardedVerdict::None)) => found.push(contradicts("the verdict is NONE beside a certificate")),
        (None, Some(ForwardedVerdict::Success | ForwardedVerdict::Failed(_))) => {
            found.push(contradicts("a verdict about a certificate, but no certificate"));
        }
        _ => {}
    }
    for (meaning, what, refusal, agrees) in FIELDS {
        let Some(forwarded) = contract.get(meaning) else { continue };
        let says_nothing = forwarded.is_empty() || format.says_absent(forwarded.as_bytes());
        let agrees = match presentation.certificate() {
            None => says_nothing || digest::is_of_nothing(forwarded.as_bytes()),
            Some(_) if says_nothing && said.left_out => true,
            Some(certificate) if says_nothing => agrees(certificate, b"", format),
            Some(certificate) => agrees(certificate, forwarded.as_bytes(), format),
        };
        if !agrees {
            let whose = if presentation.certificate().is_some() { "is not the certificate's" } else { "without a certificate" };
            found.push(Refused::new(refusal, format!("the {what} {forwarded:?} {whose}")));
        }
    }
    found
}

fn contradicts(why: &str) -> Refused {
    Refused::new(Refusal::ForwardedVerdictContradicts, why)
}
