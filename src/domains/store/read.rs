//! What is read. Over any connection, so that a change reads what it is about to change.

use std::collections::HashMap;

use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyConnection};

use super::{ListQuery, StoreError, clients, rows, within};
use crate::clock::UnixTime;
use crate::domains::client::WithCredentials;
use crate::domains::record::{AuditLine, DomainRecord, KeyRecord, Status};

pub(super) async fn domain(on: &mut AnyConnection, id: &str) -> Result<Option<DomainRecord>, StoreError> {
    let row = sqlx::query("SELECT * FROM custom_domains WHERE custom_domain_id = $1").bind(id);
    row.fetch_optional(on).await?.as_ref().map(rows::domain).transpose()
}

pub(super) async fn default_domain(on: &mut AnyConnection) -> Result<Option<DomainRecord>, StoreError> {
    let row = sqlx::query("SELECT * FROM custom_domains WHERE is_default = 1");
    row.fetch_optional(on).await?.as_ref().map(rows::domain).transpose()
}

pub(super) async fn keys(on: &mut AnyConnection, id: &str) -> Result<Vec<KeyRecord>, StoreError> {
    let rows = sqlx::query("SELECT * FROM domain_keys WHERE custom_domain_id = $1 ORDER BY created_at, key_id").bind(id);
    rows.fetch_all(on).await?.iter().map(rows::key).collect()
}

pub(super) async fn list(on: &mut AnyConnection, query: &ListQuery) -> Result<Vec<DomainRecord>, StoreError> {
    let take = i64::try_from(query.take).unwrap_or(i64::MAX);
    let (from, until) = match &query.exact {
        Some(name) => (name.clone(), name.clone()),
        // The names are ASCII, and `~` stands behind all that a host name is made of.
        None => (query.prefix.clone(), format!("{}~", query.prefix)),
    };
    let rows = sqlx::query(
        "SELECT * FROM custom_domains WHERE domain > $1 AND domain >= $2 AND domain <= $3 ORDER BY domain LIMIT $4",
    );
    let rows = rows.bind(&query.after).bind(from).bind(until).bind(take).fetch_all(on).await?;
    rows.iter().map(rows::domain).collect()
}

pub(super) async fn waiting(on: &mut AnyConnection, since: UnixTime, most: i64) -> Result<Vec<DomainRecord>, StoreError> {
    let rows = sqlx::query(
        "SELECT * FROM custom_domains WHERE status = $1 AND COALESCE(attempted_at, created_at) <= $2
         ORDER BY COALESCE(attempted_at, created_at) LIMIT $3",
    );
    let rows = rows.bind(Status::PendingVerification.word()).bind(since.0).bind(most);
    rows.fetch_all(on).await?.iter().map(rows::domain).collect()
}

pub(super) async fn audit(on: &mut AnyConnection, after: i64, most: i64) -> Result<Vec<AuditLine>, StoreError> {
    let rows = sqlx::query("SELECT * FROM audit_log WHERE revision > $1 ORDER BY revision LIMIT $2");
    rows.bind(after).bind(most).fetch_all(on).await?.iter().map(rows::audit).collect()
}

pub(super) async fn setting(on: &mut AnyConnection, name: &str) -> Result<Option<String>, StoreError> {
    let value = sqlx::query_scalar("SELECT value FROM settings WHERE name = $1").bind(name);
    Ok(value.fetch_optional(on).await?)
}

/// The keys of a page of domains, by the domains' ids.
async fn keys_between(on: &mut AnyConnection, first: &str, last: &str) -> Result<HashMap<String, Vec<KeyRecord>>, StoreError> {
    let rows = sqlx::query(
        "SELECT k.* FROM domain_keys k JOIN custom_domains d ON d.custom_domain_id = k.custom_domain_id
         WHERE d.domain >= $1 AND d.domain <= $2 ORDER BY k.created_at, k.key_id",
    );
    let mut keys = HashMap::<String, Vec<KeyRecord>>::new();
    for row in &rows.bind(first).bind(last).fetch_all(on).await? {
        keys.entry(rows::text(row, "custom_domain_id")?).or_default().push(rows::key(row)?);
    }
    Ok(keys)
}

/// A connection that only reads, each step in time.
pub(in crate::domains) struct Reader(PoolConnection<Any>);

impl Reader {
    pub(super) fn new(connection: PoolConnection<Any>) -> Self {
        Self(connection)
    }

    /// The number of the last change.
    pub(in crate::domains) async fn revision(&mut self) -> Result<i64, StoreError> {
        within(sqlx::query_scalar("SELECT number FROM revision").fetch_one(&mut *self.0)).await
    }

    pub(in crate::domains) async fn domain(&mut self, id: &str) -> Result<Option<DomainRecord>, StoreError> {
        within(domain(&mut self.0, id)).await
    }

    pub(in crate::domains) async fn keys(&mut self, id: &str) -> Result<Vec<KeyRecord>, StoreError> {
        within(keys(&mut self.0, id)).await
    }

    pub(in crate::domains) async fn setting(&mut self, name: &str) -> Result<Option<String>, StoreError> {
        within(setting(&mut self.0, name)).await
    }

    pub(in crate::domains) async fn audit(&mut self, after: i64, most: i64) -> Result<Vec<AuditLine>, StoreError> {
        within(audit(&mut self.0, after, most)).await
    }

    pub(in crate::domains) async fn client(&mut self, id: &str) -> Result<Option<WithCredentials>, StoreError> {
        within(clients::with_credentials(&mut self.0, id)).await
    }

    /// Every client with its credentials.
    pub(in crate::domains) async fn all_clients(&mut self) -> Result<Vec<WithCredentials>, StoreError> {
        const PAGE: i64 = 2_000;
        let mut all = Vec::<WithCredentials>::new();
        loop {
            let after = all.last().map(|(client, _)| client.id.clone()).unwrap_or_default();
            let page = within(clients::page(&mut self.0, &after, PAGE)).await?;
            if page.is_empty() {
                return Ok(all);
            }
            all.extend(page);
        }
    }

    /// Hands every domain and its keys to whoever wants them, page by page.
    pub(in crate::domains) async fn each(
        &mut self,
        mut take: impl FnMut(DomainRecord, Vec<KeyRecord>),
    ) -> Result<(), StoreError> {
        const PAGE: usize = 2_000;
        let mut query = ListQuery { take: PAGE, ..ListQuery::default() };
        loop {
            let page = within(list(&mut self.0, &query)).await?;
            let (Some(first), Some(last)) = (page.first(), page.last()) else { return Ok(()) };
            let mut keys = within(keys_between(&mut self.0, &first.domain, &last.domain)).await?;
            query.after.clone_from(&last.domain);
            for domain in page {
                let of_domain = keys.remove(&domain.id).unwrap_or_default();
                take(domain, of_domain);
            }
        }
    }
}
