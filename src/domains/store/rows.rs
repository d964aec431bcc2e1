//! Rows into values. What does not fit was not written by this program.

use sqlx::Row;
use sqlx::any::AnyRow;

use super::StoreError;
use crate::clock::UnixTime;
use crate::domains::record::{AuditLine, DomainRecord, KeyRecord, Status};
use crate::secret::Tag;

pub(super) fn text(row: &AnyRow, column: &str) -> Result<String, StoreError> {
    Ok(row.try_get(column)?)
}

fn some_text(row: &AnyRow, column: &str) -> Result<Option<String>, StoreError> {
    Ok(row.try_get(column)?)
}

fn number(row: &AnyRow, column: &str) -> Result<i64, StoreError> {
    Ok(row.try_get(column)?)
}

fn time(row: &AnyRow, column: &str) -> Result<UnixTime, StoreError> {
    number(row, column).map(UnixTime)
}

fn some_time(row: &AnyRow, column: &str) -> Result<Option<UnixTime>, StoreError> {
    let found: Option<i64> = row.try_get(column)?;
    Ok(found.map(UnixTime))
}

pub(super) fn domain(row: &AnyRow) -> Result<DomainRecord, StoreError> {
    let status = text(row, "status")?;
    let metadata = some_text(row, "domain_metadata")?.map(|text| serde_json::from_str(&text));
    Ok(DomainRecord {
        id: text(row, "custom_domain_id")?,
        domain: text(row, "domain")?,
        status: Status::parse(&status).ok_or_else(|| StoreError::Contents(format!("the status `{status}`")))?,
        challenge: text(row, "challenge")?,
        client_ip_header: some_text(row, "custom_client_ip_header")?,
        metadata: metadata.transpose().map_err(|why| StoreError::Contents(format!("metadata that are no JSON: {why}")))?,
        relying_party_identifier: some_text(row, "relying_party_identifier")?,
        is_default: number(row, "is_default")? == 1,
        created_at: time(row, "created_at")?,
        started_at: time(row, "started_at")?,
        verified_at: some_time(row, "verified_at")?,
        attempted_at: some_time(row, "attempted_at")?,
        attempt_error: some_text(row, "attempt_error")?,
        attempts: number(row, "attempts")?,
        revision: number(row, "revision")?,
    })
}

pub(super) fn key(row: &AnyRow) -> Result<KeyRecord, StoreError> {
    let tag = text(row, "tag")?;
    Ok(KeyRecord {
        id: text(row, "key_id")?,
        tag: Tag::parse(&tag).map_err(|why| StoreError::Contents(format!("a tag that {why}")))?,
        created_at: time(row, "created_at")?,
        expires_at: some_time(row, "expires_at")?,
        uses: number(row, "uses")?,
        last_used_at: some_time(row, "last_used_at")?,
    })
}

pub(super) fn audit(row: &AnyRow) -> Result<AuditLine, StoreError> {
    Ok(AuditLine {
        revision: number(row, "revision")?,
        at: time(row, "at")?,
        actor: text(row, "actor")?,
        action: text(row, "action")?,
        custom_domain_id: some_text(row, "custom_domain_id")?,
        domain: some_text(row, "domain")?,
        details: text(row, "details")?,
        request_id: text(row, "request_id")?,
    })
}
