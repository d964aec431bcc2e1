//! One change: a transaction with a line of the audit log and a revision of its own.

use sqlx::{Any, Transaction};

use super::StoreError;
use crate::clock::UnixTime;
use crate::domains::record::{DomainRecord, KeyRecord, Status};

/// Who changes something, when, and in which request.
#[derive(Debug, Clone)]
pub struct Actor {
    /// The name of the token.
    pub name: String,
    /// The id of the request.
    pub request_id: String,
}

/// A change that is being made. Dropped, it never was.
pub(in crate::domains) struct Change {
    pub(super) transaction: Transaction<'static, Any>,
}

impl Change {
    pub(super) fn new(transaction: Transaction<'static, Any>) -> Self {
        Self { transaction }
    }

    /// Adds a domain; false when there is one with its name.
    pub(in crate::domains) async fn insert(&mut self, new: &DomainRecord) -> Result<bool, StoreError> {
        let query = sqlx::query(
            "INSERT INTO custom_domains (custom_domain_id, domain, status, challenge, custom_client_ip_header,
                domain_metadata, relying_party_identifier, is_default, created_at, started_at, attempts, revision)
             VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8, $9, 0, 0) ON CONFLICT (domain) DO NOTHING",
        );
        let query = query.bind(&new.id).bind(&new.domain).bind(new.status.word()).bind(&new.challenge);
        let query = query.bind(new.client_ip_header.clone()).bind(metadata(new)).bind(new.relying_party_identifier.clone());
        let done = query.bind(new.created_at.0).bind(new.started_at.0).execute(&mut *self.transaction).await?;
        Ok(done.rows_affected() == 1)
    }

    /// Writes what may change of a domain.
    pub(in crate::domains) async fn update(&mut self, domain: &DomainRecord) -> Result<(), StoreError> {
        let query = sqlx::query(
            "UPDATE custom_domains SET custom_client_ip_header = $1, domain_metadata = $2, relying_party_identifier = $3
             WHERE custom_domain_id = $4",
        );
        let query = query.bind(domain.client_ip_header.clone()).bind(metadata(domain));
        query.bind(domain.relying_party_identifier.clone()).bind(&domain.id).execute(&mut *self.transaction).await?;
        Ok(())
    }

    /// Makes a domain ready; false when somebody else was faster.
    pub(in crate::domains) async fn verified(&mut self, id: &str, at: UnixTime) -> Result<bool, StoreError> {
        let query = sqlx::query(
            "UPDATE custom_domains SET status = $1, verified_at = $2, attempted_at = $2, attempt_error = NULL,
                attempts = attempts + 1 WHERE custom_domain_id = $3 AND status <> $1",
        );
        let query = query.bind(Status::Ready.word()).bind(at.0).bind(id);
        Ok(query.execute(&mut *self.transaction).await?.rows_affected() == 1)
    }

    /// Begins the verification anew. A domain that became ready in the meantime stays so.
    pub(in crate::domains) async fn wait_again(&mut self, id: &str, at: UnixTime) -> Result<(), StoreError> {
        let query = sqlx::query(
            "UPDATE custom_domains SET status = $1, started_at = $2, attempts = 0 WHERE custom_domain_id = $3 AND status = $4",
        );
        let query = query.bind(Status::PendingVerification.word()).bind(at.0).bind(id).bind(Status::Failed.word());
        query.execute(&mut *self.transaction).await?;
        Ok(())
    }

    /// Ends the verification in vain; false when the domain does not wait for it any more.
    pub(in crate::domains) async fn fail(&mut self, id: &str) -> Result<bool, StoreError> {
        let query = sqlx::query("UPDATE custom_domains SET status = $1 WHERE custom_domain_id = $2 AND status = $3");
        let query = query.bind(Status::Failed.word()).bind(id).bind(Status::PendingVerification.word());
        Ok(query.execute(&mut *self.transaction).await?.rows_affected() == 1)
    }

    /// Takes a domain and its keys away; false when there is none.
    pub(in crate::domains) async fn delete(&mut self, id: &str) -> Result<bool, StoreError> {
        let query = sqlx::query("DELETE FROM custom_domains WHERE custom_domain_id = $1").bind(id);
        Ok(query.execute(&mut *self.transaction).await?.rows_affected() == 1)
    }

    /// Makes one domain the default, or none.
    pub(in crate::domains) async fn set_default(&mut self, id: Option<&str>) -> Result<(), StoreError> {
        let query = sqlx::query("UPDATE custom_domains SET is_default = 0 WHERE is_default = 1");
        query.execute(&mut *self.transaction).await?;
        if let Some(id) = id {
            let query = sqlx::query("UPDATE custom_domains SET is_default = 1 WHERE custom_domain_id = $1").bind(id);
            query.execute(&mut *self.transaction).await?;
        }
        Ok(())
    }

    pub(in crate::domains) async fn insert_key(&mut self, id: &str, key: &KeyRecord) -> Result<(), StoreError> {
        let query =
            sqlx::query("INSERT INTO domain_keys (key_id, custom_domain_id, tag, created_at, uses) VALUES ($1, $2, $3, $4, 0)");
        let query = query.bind(&key.id).bind(id).bind(key.tag.to_string()).bind(key.created_at.0);
        query.execute(&mut *self.transaction).await?;
        Ok(())
    }

    /// Says when a key ends.
    pub(in crate::domains) async fn end_key(&mut self, key: &str, at: UnixTime) -> Result<(), StoreError> {
        let query = sqlx::query("UPDATE domain_keys SET expires_at = $1 WHERE key_id = $2").bind(at.0).bind(key);
        query.execute(&mut *self.transaction).await?;
        Ok(())
    }

    /// Takes a key away at once; false when the domain has no such key.
    pub(in crate::domains) async fn delete_key(&mut self, id: &str, key: &str) -> Result<bool, StoreError> {
        let query = sqlx::query("DELETE FROM domain_keys WHERE custom_domain_id = $1 AND key_id = $2").bind(id).bind(key);
        Ok(query.execute(&mut *self.transaction).await?.rows_affected() == 1)
    }

    pub(in crate::domains) async fn set_setting(&mut self, name: &str, value: &str) -> Result<(), StoreError> {
        let query = sqlx::query(
            "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        );
        query.bind(name).bind(value).execute(&mut *self.transaction).await?;
        Ok(())
    }

    /// Writes the line of the audit log, gives the change its number, and makes it last.
    pub(in crate::domains) async fn commit(
        mut self,
        (actor, at): (&Actor, UnixTime),
        action: &str,
        domain: Option<&DomainRecord>,
        details: &str,
    ) -> Result<(), StoreError> {
        let revision: i64 = sqlx::query_scalar("UPDATE revision SET number = number + 1 RETURNING number")
            .fetch_one(&mut *self.transaction)
            .await?;
        if let Some(domain) = domain {
            let query = sqlx::query("UPDATE custom_domains SET revision = $1 WHERE custom_domain_id = $2");
            query.bind(revision).bind(&domain.id).execute(&mut *self.transaction).await?;
        }
        let query = sqlx::query(
            "INSERT INTO audit_log (revision, at, actor, action, custom_domain_id, domain, details, request_id)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        );
        let query = query.bind(revision).bind(at.0).bind(&actor.name).bind(action);
        let query = query.bind(domain.map(|domain| domain.id.clone())).bind(domain.map(|domain| domain.domain.clone()));
        query.bind(details).bind(&actor.request_id).execute(&mut *self.transaction).await?;
        Ok(self.transaction.commit().await?)
    }
}

fn metadata(domain: &DomainRecord) -> Option<String> {
    // A map of texts is always JSON.
    domain.metadata.as_ref().and_then(|metadata| serde_json::to_string(metadata).ok())
}
