//! What the front door says about the certificate: its verdict, its reading of the subject. Cross-checked, never believed.

use http::HeaderValue;

use super::Presentation;
use crate::front_door::ContractValues;
use crate::refusal::{Refusal, Refused};
use crate::variables::Scalar;

/// A front door's verdict: nginx `$ssl_client_verify`, Auth0 `client-certificate-ca-verified`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ForwardedVerdict {
    /// It verified the certificate.
    Success,
    /// It did not; with its reason, which may be empty.
    Failed(String),
    /// The client sent no certificate.
    None,
}

impl ForwardedVerdict {
    /// Reads `SUCCESS`, `FAILED`, `FAILED:reason`, `FAILED: reason` or `NONE`.
    ///
    /// # Errors
    /// [`Refusal::ForwardedVerdictUnknown`] for anything else.
    pub fn parse(value: &HeaderValue) -> Result<Self, Refused> {
        let unknown = || Refused::new(Refusal::ForwardedVerdictUnknown, format!("forwarded verdict {value:?}"));
        match value.to_str().map_err(|_| unknown())? {
            "SUCCESS" => Ok(Self::Success),
            "NONE" => Ok(Self::None),
            "FAILED" => Ok(Self::Failed(String::new())),
            text => match text.strip_prefix("FAILED:") {
                Some(reason) => Ok(Self::Failed(reason.trim_start().to_owned())),
                None => Err(unknown()),
            },
        }
    }
}

/// An empty certificate header means "no certificate" only when the verdict says so too. Alone it may be a header that a
/// front door emptied because it was too large.
pub(super) fn is_absent(certificate: &HeaderValue, verdict: Option<&ForwardedVerdict>) -> bool {
    certificate.is_empty() && verdict == Some(&ForwardedVerdict::None)
}

/// The scheme names of TLS (RFC 8446 §4.2.3) are lower-case letters, digits and underscores.
pub(super) fn signature_algorithm(value: Option<&HeaderValue>) -> Result<String, Refused> {
    let Some(value) = value else { return Ok(String::new()) };
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    match value.to_str() {
        Ok(text) if text.len() <= 64 && text.bytes().all(known) => Ok(text.to_owned()),
        _ => Err(Refused::new(Refusal::ContractHeaderControlBytes, "the forwarded signature algorithm is no scheme name")),
    }
}

/// Every way in which the front door's words and the certificate disagree.
pub(super) fn contradictions(presentation: &Presentation, contract: &ContractValues) -> Vec<Refused> {
    let mut found = Vec::new();
    match (presentation.certificate(), presentation.verdict()) {
        (Some(_), Some(ForwardedVerdict::None)) => found.push(contradicts("the verdict is NONE beside a certificate")),
        (None, Some(ForwardedVerdict::Success | ForwardedVerdict::Failed(_))) => {
            found.push(contradicts("a verdict about a certificate, but no certificate"));
        }
        _ => {}
    }
    found.extend(contract.subject_dn().and_then(|dn| subject_dn(presentation, dn)));
    found.extend(contract.subject_dn_parsed().and_then(|cn| subject_dn_parsed(presentation, cn)));
    found
}

fn contradicts(why: &str) -> Refused {
    Refused::new(Refusal::ForwardedVerdictContradicts, why)
}

fn mismatch(what: &str, forwarded: &HeaderValue) -> Option<Refused> {
    Some(Refused::new(Refusal::ForwardedDnMismatch, format!("{what} {forwarded:?} is not the certificate's")))
}

/// The subject may come in nginx's RFC 2253 form or in the legacy one.
fn subject_dn(presentation: &Presentation, forwarded: &HeaderValue) -> Option<Refused> {
    let Some(certificate) = presentation.certificate() else {
        return if forwarded.is_empty() { None } else { mismatch("a subject DN without a certificate,", forwarded) };
    };
    let (forwarded_text, said) = (forwarded.as_bytes(), |scalar| certificate.text(scalar));
    if same_text(&said(Scalar::SDn), forwarded_text) || said(Scalar::SDnLegacy).as_bytes() == forwarded_text {
        return None;
    }
    mismatch("the subject DN", forwarded)
}

/// The CN may come as it stands in the DN, escaped, or as plain text.
fn subject_dn_parsed(presentation: &Presentation, forwarded: &HeaderValue) -> Option<Refused> {
    let Some(certificate) = presentation.certificate() else {
        return if forwarded.is_empty() { None } else { mismatch("a subject CN without a certificate,", forwarded) };
    };
    let common_name = certificate.leaf().subject().last_common_name();
    let plain = common_name.map(|name| name.text()).unwrap_or_default();
    let forwarded_text = forwarded.as_bytes();
    if same_text(&certificate.text(Scalar::SDnParsed), forwarded_text) || plain.trim_matches(' ').as_bytes() == forwarded_text {
        return None;
    }
    mismatch("the subject CN", forwarded)
}

/// Equal, or equal but for the last, escaped space: HTTP cuts white space off a value's end, so `O=Example\ ` arrives as
/// `O=Example\`.
fn same_text(ours: &str, forwarded: &[u8]) -> bool {
    ours.as_bytes() == forwarded || (ours.ends_with("\\ ") && ours.trim_end_matches(' ').as_bytes() == forwarded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts() {
        let parse = |text: &str| ForwardedVerdict::parse(&HeaderValue::from_bytes(text.as_bytes()).unwrap());
        assert_eq!(parse("SUCCESS").unwrap(), ForwardedVerdict::Success);
        assert_eq!(parse("NONE").unwrap(), ForwardedVerdict::None);
        assert_eq!(parse("FAILED").unwrap(), ForwardedVerdict::Failed(String::new()));
        for text in ["FAILED:self-signed certificate", "FAILED: self-signed certificate"] {
            assert_eq!(parse(text).unwrap(), ForwardedVerdict::Failed("self-signed certificate".into()));
        }
        for text in ["", "success", "SUCCESS ", "SUCCESS:x", "GENEROUS", "0", "(null)", "FAILEDx", "NONE,SUCCESS", "\u{fc}"] {
            assert_eq!(parse(text).unwrap_err().refusal, Refusal::ForwardedVerdictUnknown, "{text}");
        }
    }

    #[test]
    fn a_lost_last_space_is_forgiven_and_nothing_else() {
        assert!(same_text("CN=a,O=b\\ ", b"CN=a,O=b\\"));
        assert!(same_text("CN=a,O=b\\ ", b"CN=a,O=b\\ "));
        assert!(!same_text("CN=a,O=b\\ ", b"CN=a,O=b"));
        assert!(!same_text("CN=a", b"CN=a "));
    }
}
