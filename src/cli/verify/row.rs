//! One row of a suite, from JSON to values of ours. Unknown keys are skipped; null and missing mean the default.

use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::clock::UnixTime;
use crate::verifier::{PolicyInputs, Purpose, RevocationCheckMode, VerificationSettings};
use crate::x509::certificate::Certificate;
use crate::x509::crl::CrlIndex;
use crate::x509::trusted_ca::{Source, TrustMaterial};

/// A row as written.
#[derive(Debug, Deserialize)]
struct RawRow {
    leaf: String,
    intermediates: Option<Vec<String>>,
    trust_anchors: Option<Vec<String>>,
    crls: Option<Vec<String>>,
    validation_time: Option<String>,
    purpose: Option<RawPurpose>,
    max_depth: Option<u32>,
    revocation: Option<RawRevocation>,
    policy: Option<RawPolicy>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RawPurpose {
    Any,
    Client,
    Server,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RawRevocation {
    Hard,
    None,
    Soft,
}

#[derive(Debug, Default, Deserialize)]
struct RawPolicy {
    initial_policy_set: Option<Vec<String>>,
    explicit: Option<bool>,
    inhibit_mapping: Option<bool>,
    inhibit_any: Option<bool>,
}

/// A row that was understood.
pub(super) struct Row {
    leaf: String,
    /// DER, or why not.
    pub(super) intermediates: Vec<Result<Vec<u8>, String>>,
    pub(super) trust: TrustMaterial,
    pub(super) time: UnixTime,
    pub(super) settings: VerificationSettings,
}

impl Row {
    /// Reads a row.
    ///
    /// # Errors
    /// What cannot be understood.
    pub(super) fn parse(value: serde_json::Value, now: UnixTime) -> Result<Self, String> {
        let raw: RawRow = serde_json::from_value(value).map_err(|error| error.to_string())?;
        let settings = settings(&raw)?;
        let time = raw.validation_time.as_deref().map_or(Ok(now), instant)?;
        let sources = |pems: Option<Vec<String>>, tag: &str| {
            let pems = pems.unwrap_or_default();
            pems.iter().flat_map(|pem| blocks(pem, tag)).enumerate().map(|(at, der)| source(der, tag, at)).collect::<Vec<_>>()
        };
        Ok(Self {
            leaf: raw.leaf,
            intermediates: raw.intermediates.unwrap_or_default().iter().flat_map(|pem| blocks(pem, CERTIFICATE)).collect(),
            trust: TrustMaterial {
                anchors: sources(raw.trust_anchors, CERTIFICATE),
                intermediates: Vec::new(),
                crls: sources(raw.crls, CRL),
            },
            time,
            settings,
        })
    }

    /// Revocation is to be checked, and a CRL of the row cannot be read.
    pub(super) fn has_unreadable_crl(&self) -> bool {
        let checks = self.settings.revocation_check_mode != RevocationCheckMode::Skip;
        checks && self.trust.crls.iter().any(|crl| CrlIndex::from_der(&crl.der).is_err())
    }

    /// The certificate to judge.
    pub(super) fn leaf(&self) -> Result<Certificate, String> {
        Certificate::from_der(&der_of(&self.leaf, CERTIFICATE)?).map_err(|error| error.0)
    }
}

const CERTIFICATE: &str = "CERTIFICATE";
const CRL: &str = "X509 CRL";

fn settings(raw: &RawRow) -> Result<VerificationSettings, String> {
    let standard = VerificationSettings::default();
    let policy = raw.policy.as_ref();
    let initial_set = policy.and_then(|policy| policy.initial_policy_set.as_deref()).unwrap_or_default();
    let mut inputs =
        PolicyInputs::build(initial_set).map_err(|bad| format!("policy `{}` is no object identifier", bad.escape_debug()))?;
    inputs.explicit = policy.and_then(|policy| policy.explicit).unwrap_or_default();
    inputs.inhibit_mapping = policy.and_then(|policy| policy.inhibit_mapping).unwrap_or_default();
    inputs.inhibit_any = policy.and_then(|policy| policy.inhibit_any).unwrap_or_default();
    Ok(VerificationSettings {
        purpose: match raw.purpose {
            None => standard.purpose,
            Some(RawPurpose::Any) => Purpose::Any,
            Some(RawPurpose::Client) => Purpose::Client,
            Some(RawPurpose::Server) => Purpose::Server,
        },
        revocation_check_mode: match raw.revocation {
            None => standard.revocation_check_mode,
            Some(RawRevocation::Hard) => RevocationCheckMode::Strict,
            Some(RawRevocation::None) => RevocationCheckMode::Skip,
            Some(RawRevocation::Soft) => RevocationCheckMode::IgnoreCaError,
        },
        max_path_length: raw.max_depth.unwrap_or(standard.max_path_length),
        policy: inputs,
        // The suites are about paths, and count an end entity without extended key usage as fit for everything (RFC 5280).
        allow_missing_eku: true,
        ..standard
    })
}

fn instant(text: &str) -> Result<UnixTime, String> {
    let time = OffsetDateTime::parse(text, &Rfc3339).map_err(|error| format!("validation_time: {error}"))?;
    Ok(UnixTime(time.unix_timestamp()))
}

/// What is not PEM becomes empty bytes, which nothing accepts: the problem is then told where the bytes are used.
fn source(der: Result<Vec<u8>, String>, tag: &str, at: usize) -> Source {
    Source { origin: format!("{tag} {}", at + 1), der: der.unwrap_or_default() }
}

/// Every block of a text: a file of several is written as it is.
fn blocks(text: &str, tag: &str) -> Vec<Result<Vec<u8>, String>> {
    match pem::parse_many(text) {
        Ok(blocks) if blocks.is_empty() => vec![Err("not PEM: no block".to_owned())],
        Ok(blocks) => blocks.into_iter().map(|block| of_kind(block, tag)).collect(),
        Err(error) => vec![Err(format!("not PEM: {error}"))],
    }
}

fn der_of(text: &str, tag: &str) -> Result<Vec<u8>, String> {
    of_kind(pem::parse(text).map_err(|error| format!("not PEM: {error}"))?, tag)
}

fn of_kind(block: pem::Pem, tag: &str) -> Result<Vec<u8>, String> {
    if block.tag() == tag { Ok(block.into_contents()) } else { Err(format!("not a {tag}")) }
}
