//! Zuplo's `request.user`, as its policy `mtls-auth-inbound` fills it, in a header.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::claims::ConsumerClaims;
use super::{Known, SubjectFrom, failed, hex_colons, subject};
use crate::presented::PresentedCertificate;
use crate::refusal::Refused;

/// `{"sub", "data": {"mtlsAuth", …}}`. `sub` is there for a verified certificate alone; Zuplo also sets it for one that is not.
#[derive(Serialize)]
pub(super) struct User<'u> {
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<Cow<'u, str>>,
    data: Data<'u>,
}

#[derive(Serialize)]
struct Data<'u> {
    verified: bool,
    waived: Vec<&'static str>,
    #[serde(rename = "mtlsAuth")]
    mtls_auth: MtlsAuth,
    #[serde(skip_serializing_if = "Option::is_none")]
    consumer: Option<ConsumerClaims<'u>>,
}

/// Zuplo's fields and forms: names with `, ` between their parts, dates of ISO 8601, octets with colons between them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MtlsAuth {
    subject: String,
    issuer: String,
    not_before: String,
    not_after: String,
    sha256_fingerprint: String,
}

impl<'u> User<'u> {
    /// None without a certificate: then Zuplo has no user either.
    pub(super) fn of(known: Known<'u>, from: SubjectFrom) -> Option<Self> {
        let certificate = known.presentation.certificate()?;
        let identity = known.admission.identity();
        let data = Data {
            verified: identity.is_some(),
            waived: identity.iter().flat_map(|identity| identity.waived()).map(|waiver| waiver.word()).collect(),
            mtls_auth: MtlsAuth::of(certificate),
            consumer: known.identification.consumer().map(ConsumerClaims::of),
        };
        Some(Self { sub: subject(known, from), data })
    }

    pub(super) fn base64(&self) -> Result<String, Refused> {
        let text = serde_json::to_vec(self).map_err(|why| failed(&format!("the user object cannot be written: {why}")))?;
        Ok(STANDARD.encode(text))
    }
}

impl MtlsAuth {
    fn of(certificate: &PresentedCertificate) -> Self {
        let leaf = certificate.leaf();
        Self {
            subject: spaced(&certificate.subject()),
            issuer: spaced(&leaf.issuer().rfc2253()),
            not_before: leaf.not_before().to_unix().map(|time| time.rfc3339()).unwrap_or_default(),
            not_after: leaf.not_after().to_unix().map(|time| time.rfc3339()).unwrap_or_default(),
            sha256_fingerprint: hex_colons(leaf.sha256()),
        }
    }
}

/// A space behind each comma that stands between two parts of a name; one inside a value has a backslash before it.
fn spaced(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 8);
    let mut escaped = false;
    for one in name.chars() {
        text.push(one);
        if one == ',' && !escaped {
            text.push(' ');
        }
        escaped = one == '\\' && !escaped;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_between_parts_get_a_space() {
        for (name, text) in [
            ("", ""),
            ("CN=a", "CN=a"),
            ("CN=a,O=b,C=c", "CN=a, O=b, C=c"),
            ("CN=a\\,b,O=c", "CN=a\\,b, O=c"),
            ("CN=a\\\\,O=c", "CN=a\\\\, O=c"),
        ] {
            assert_eq!(spaced(name), text);
        }
    }
}
