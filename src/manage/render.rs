//! Domains, keys and lines of the audit log as JSON, their fields in Auth0's order.

use serde::Serialize;
use serde_json::Value;

use crate::clock::UnixTime;
use crate::domains::{AuditLine, DomainRecord, Issued, KeyRecord, Registry, Status};

#[derive(Serialize)]
struct Method {
    name: &'static str,
    record: String,
    domain: String,
}

#[derive(Serialize)]
struct Verification {
    methods: [Method; 2],
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_msg: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_verified_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_attempt_at: Option<String>,
    attempts: i64,
}

/// A custom domain.
#[derive(Serialize)]
pub(super) struct Domain {
    custom_domain_id: String,
    domain: String,
    primary: bool,
    is_default: bool,
    status: &'static str,
    r#type: &'static str,
    verification: Verification,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin_domain_name: Option<String>,
    custom_client_ip_header: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    domain_metadata: Option<std::collections::BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    relying_party_identifier: Option<String>,
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    cname_api_key: Option<String>,
}

/// A key without its secret.
#[derive(Serialize)]
pub(super) struct Key {
    key_id: String,
    created_at: String,
    expires_at: Option<String>,
    uses: i64,
    last_used_at: Option<String>,
}

/// A key that is shown this once, and those that the domain has now.
#[derive(Serialize)]
pub(super) struct Rotated {
    cname_api_key: String,
    key_id: String,
    keys: Vec<Key>,
}

/// A line of the audit log.
#[derive(Serialize)]
pub(super) struct Audit {
    revision: i64,
    at: String,
    actor: String,
    action: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_domain_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    domain: Option<String>,
    details: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    request_id: String,
}

/// With milliseconds, as Auth0 writes instants.
pub(super) fn instant(time: UnixTime) -> String {
    time.rfc3339().replace('Z', ".000Z")
}

pub(super) fn domain(registry: &Registry, record: DomainRecord, issued: Option<Issued>) -> Domain {
    let (name, challenge, target) = registry.proof(&record);
    let ready = record.status == Status::Ready;
    let found = record.attempted_at.is_some() && record.attempt_error.is_none();
    Domain {
        primary: false,
        is_default: record.is_default,
        status: record.status.word(),
        r#type: "self_managed_certs",
        verification: Verification {
            methods: [
                Method { name: "TXT", record: challenge, domain: name.clone() },
                Method { name: "CNAME", record: target, domain: name },
            ],
            status: match record.status {
                Status::Failed => "failed",
                Status::Ready => "verified",
                // Its record is there; the key waits for whoever asks for the verification.
                Status::PendingVerification if found => "verified",
                Status::PendingVerification => "pending",
            },
            error_msg: record.attempt_error.filter(|_| !ready),
            last_verified_at: record.verified_at.map(instant),
            last_attempt_at: record.attempted_at.map(instant),
            attempts: record.attempts,
        },
        origin_domain_name: ready.then(|| registry.origin_domain_name(&record.id)),
        custom_client_ip_header: record.client_ip_header,
        domain_metadata: record.metadata,
        relying_party_identifier: record.relying_party_identifier,
        created_at: instant(record.created_at),
        cname_api_key: issued.map(|issued| issued.key.to_string()),
        custom_domain_id: record.id,
        domain: record.domain,
    }
}

pub(super) fn key(record: KeyRecord) -> Key {
    Key {
        key_id: record.id,
        created_at: instant(record.created_at),
        expires_at: record.expires_at.map(instant),
        uses: record.uses,
        last_used_at: record.last_used_at.map(instant),
    }
}

pub(super) fn rotated(issued: &Issued, keys: Vec<KeyRecord>) -> Rotated {
    let keys = keys.into_iter().map(key).collect();
    Rotated { cname_api_key: issued.key.to_string(), key_id: issued.record.id.clone(), keys }
}

pub(super) fn audit(line: AuditLine) -> Audit {
    let AuditLine { revision, at, actor, action, custom_domain_id, domain, details, request_id } = line;
    Audit { revision, at: instant(at), actor, action, custom_domain_id, domain, details, request_id }
}

/// The named fields of an object, or all but them.
pub(super) fn project(value: Value, fields: &[String], include: bool) -> Value {
    match value {
        Value::Object(entries) if !fields.is_empty() => {
            entries.into_iter().filter(|(name, _)| fields.contains(name) == include).collect()
        }
        other => other,
    }
}
