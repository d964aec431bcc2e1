//! What a token says, but for its two instants.

use std::borrow::Cow;

use serde::Serialize;

use super::{Audience, Known, SubjectFrom, subject};
use crate::consumer::FoundConsumer;

/// The claims. Registered ones keep their names (RFC 7519, RFC 7800); the others are named as in our log and variables.
#[derive(Serialize)]
pub(super) struct Claims<'c> {
    iss: &'c str,
    aud: &'c Audience,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<Cow<'c, str>>,
    /// Whether somebody is known: by a path to a CA, or by a registered thumbprint.
    verified: bool,
    /// nginx's word. It says the truth where something was waived, too.
    ssl_client_verify: &'c str,
    #[serde(skip_serializing_if = "Option::is_none")]
    basis: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    anchor_sha256: Option<String>,
    waived: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cnf: Option<Confirmation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    consumer: Option<ConsumerClaims<'c>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authenticated_group: Option<&'c str>,
}

/// Which certificate the client has shown that it holds the key of (RFC 8705 §3.1).
#[derive(Serialize)]
struct Confirmation {
    #[serde(rename = "x5t#S256")]
    x5t_s256: String,
}

/// The consumer.
#[derive(Serialize)]
pub(super) struct ConsumerClaims<'c> {
    id: &'c str,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<&'c str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_id: Option<&'c str>,
    groups: &'c [String],
    tags: &'c [String],
    by: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    credential: Option<&'c str>,
}

impl<'c> ConsumerClaims<'c> {
    pub(super) fn of(found: &'c FoundConsumer) -> Self {
        let consumer = found.consumer();
        Self {
            id: &consumer.id,
            username: consumer.username.as_deref(),
            custom_id: consumer.custom_id.as_deref(),
            groups: &consumer.groups,
            tags: &consumer.tags,
            by: found.by().word(),
            credential: found.credential(),
        }
    }
}

impl<'c> Claims<'c> {
    pub(super) fn of(known: Known<'c>, issuer: &'c str, audience: &'c Audience, from: SubjectFrom) -> Self {
        let identity = known.admission.identity();
        let certificate = known.presentation.certificate();
        Self {
            iss: issuer,
            aud: audience,
            sub: subject(known, from),
            verified: identity.is_some(),
            ssl_client_verify: known.admission.verify_text(),
            basis: identity.map(|identity| identity.basis().word()),
            anchor_sha256: identity.and_then(|identity| identity.anchor()).map(hex::encode),
            waived: identity.iter().flat_map(|identity| identity.waived()).map(|waiver| waiver.word()).collect(),
            cnf: certificate.map(|certificate| Confirmation { x5t_s256: certificate.leaf().x5t_s256() }),
            consumer: known.identification.consumer().map(ConsumerClaims::of),
            authenticated_group: known.identification.authenticated_group(),
        }
    }
}
