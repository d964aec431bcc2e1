//! The store: a SQLite file. What was committed is on the disk before it is acknowledged (write-ahead log, `synchronous =
//! FULL`), so that a process that is killed loses nothing. One process owns the file: a second one would serve keys that the
//! first has revoked.

mod change;
mod clients;
mod rows;
mod schema;

use std::path::Path;
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sqlx::any::AnyPoolOptions;
use sqlx::{AnyConnection, AnyPool, Connection, Executor};

use super::record::{AuditLine, DomainRecord, KeyRecord, Status};
use crate::clock::UnixTime;

pub use change::Actor;
pub(super) use change::Change;

/// What is not escaped in the path of a database's URL.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_');

/// Why the store did not do it.
#[derive(Debug)]
pub enum StoreError {
    /// The database said no, or nothing.
    Database(sqlx::Error),
    /// It holds what this program did not write.
    Contents(String),
    /// A newer program wrote it.
    Newer {
        /// The version of its tables.
        found: i64,
        /// The last version that this program knows.
        known: usize,
    },
}

impl std::fmt::Display for StoreError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Database(why) if why.to_string().contains("locked") => {
                write!(f, "it is locked: another process has it open ({why})")
            }
            Self::Database(why) => write!(f, "{why}"),
            Self::Contents(what) => write!(f, "it holds {what}"),
            Self::Newer { found, known } => {
                write!(f, "its tables have version {found}, and this program knows {known}: a newer program wrote it")
            }
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(why: sqlx::Error) -> Self {
        Self::Database(why)
    }
}

/// Which domains are listed.
#[derive(Debug, Clone, Default)]
pub struct ListQuery {
    /// The first of them comes after this name.
    pub after: String,
    /// Names that begin so.
    pub prefix: String,
    /// This name alone.
    pub exact: Option<String>,
    /// At most so many.
    pub take: usize,
}

/// Takes the file for this connection alone, and asks that what is committed be on the disk.
async fn own(connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    for pragma in [
        "PRAGMA locking_mode = EXCLUSIVE",
        "PRAGMA journal_mode = WAL",
        "PRAGMA synchronous = FULL",
        "PRAGMA foreign_keys = ON",
    ] {
        connection.execute(pragma).await?;
    }
    Ok(())
}

/// An open store.
pub struct Store {
    pool: AnyPool,
}

impl Store {
    /// Opens a file, makes it when there is none, and brings its tables up to date.
    ///
    /// # Errors
    /// When it cannot be opened, another process has it, or a newer program wrote it.
    pub async fn open(file: &Path) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let url = format!("sqlite:{}?mode=rwc", utf8_percent_encode(&file.to_string_lossy(), PATH));
        // One connection: SQLite has one writer anyway, and it keeps the file's lock for as long as it lives.
        let options = AnyPoolOptions::new().max_connections(1).min_connections(1).idle_timeout(None).max_lifetime(None);
        let options = options.acquire_timeout(Duration::from_secs(10)).after_connect(|connection, _| Box::pin(own(connection)));
        // The pool would try again and again, and say only that it took too long.
        let mut first = AnyConnection::connect(&url).await?;
        own(&mut first).await?;
        first.close().await?;
        let pool = options.connect(&url).await?;
        let store = Self { pool };
        store.migrate().await?;
        Ok(store)
    }

    async fn migrate(&self) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        transaction.execute("CREATE TABLE IF NOT EXISTS vestibule_schema (version INTEGER NOT NULL)").await?;
        let version: Option<i64> =
            sqlx::query_scalar("SELECT MAX(version) FROM vestibule_schema").fetch_one(&mut *transaction).await?;
        let found = version.unwrap_or(0);
        let known = schema::VERSIONS.len();
        let done = usize::try_from(found).ok().filter(|done| *done <= known).ok_or(StoreError::Newer { found, known })?;
        for (version, statements) in (1i64..).zip(schema::VERSIONS).skip(done) {
            for statement in *statements {
                transaction.execute(*statement).await?;
            }
            sqlx::query("INSERT INTO vestibule_schema (version) VALUES ($1)").bind(version).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Begins a change. Nothing of it counts until it is committed.
    pub(super) async fn change(&self) -> Result<Change, StoreError> {
        Ok(Change::new(self.pool.begin().await?))
    }

    pub(super) async fn domain(&self, id: &str) -> Result<Option<DomainRecord>, StoreError> {
        let row = sqlx::query("SELECT * FROM custom_domains WHERE custom_domain_id = $1").bind(id);
        row.fetch_optional(&self.pool).await?.as_ref().map(rows::domain).transpose()
    }

    pub(super) async fn default_domain(&self) -> Result<Option<DomainRecord>, StoreError> {
        let row = sqlx::query("SELECT * FROM custom_domains WHERE is_default = 1");
        row.fetch_optional(&self.pool).await?.as_ref().map(rows::domain).transpose()
    }

    pub(super) async fn keys(&self, id: &str) -> Result<Vec<KeyRecord>, StoreError> {
        let rows = sqlx::query("SELECT * FROM domain_keys WHERE custom_domain_id = $1 ORDER BY created_at, key_id").bind(id);
        rows.fetch_all(&self.pool).await?.iter().map(rows::key).collect()
    }

    /// Domains in the order of their names.
    pub(super) async fn list(&self, query: &ListQuery) -> Result<Vec<DomainRecord>, StoreError> {
        let take = i64::try_from(query.take).unwrap_or(i64::MAX);
        let (from, until) = match &query.exact {
            Some(name) => (name.clone(), name.clone()),
            // The names are ASCII, and `~` stands behind all that a host name is made of.
            None => (query.prefix.clone(), format!("{}~", query.prefix)),
        };
        let rows = sqlx::query(
            "SELECT * FROM custom_domains WHERE domain > $1 AND domain >= $2 AND domain <= $3 ORDER BY domain LIMIT $4",
        );
        let rows = rows.bind(&query.after).bind(from).bind(until).bind(take).fetch_all(&self.pool).await?;
        rows.iter().map(rows::domain).collect()
    }

    /// Domains that wait for their record and were not looked at since an instant, those first that waited longest.
    pub(super) async fn waiting(&self, since: UnixTime, most: i64) -> Result<Vec<DomainRecord>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM custom_domains WHERE status = $1 AND COALESCE(attempted_at, created_at) <= $2
             ORDER BY COALESCE(attempted_at, created_at) LIMIT $3",
        );
        let rows = rows.bind(Status::PendingVerification.word()).bind(since.0).bind(most).fetch_all(&self.pool).await?;
        rows.iter().map(rows::domain).collect()
    }

    /// Hands every domain and its keys to whoever wants them, page by page.
    pub(super) async fn each(&self, mut take: impl FnMut(DomainRecord, Vec<KeyRecord>)) -> Result<(), StoreError> {
        const PAGE: usize = 2_000;
        let mut query = ListQuery { take: PAGE, ..ListQuery::default() };
        loop {
            let page = self.list(&query).await?;
            let (Some(first), Some(last)) = (page.first(), page.last()) else { return Ok(()) };
            let of_page = sqlx::query(
                "SELECT k.*, d.domain FROM domain_keys k JOIN custom_domains d ON d.custom_domain_id = k.custom_domain_id
                 WHERE d.domain >= $1 AND d.domain <= $2 ORDER BY k.created_at, k.key_id",
            );
            let of_page = of_page.bind(&first.domain).bind(&last.domain).fetch_all(&self.pool).await?;
            let mut keys = std::collections::HashMap::<String, Vec<KeyRecord>>::new();
            for row in &of_page {
                keys.entry(rows::text(row, "custom_domain_id")?).or_default().push(rows::key(row)?);
            }
            query.after.clone_from(&last.domain);
            for domain in page {
                let of_domain = keys.remove(&domain.id).unwrap_or_default();
                take(domain, of_domain);
            }
        }
    }

    pub(super) async fn setting(&self, name: &str) -> Result<Option<String>, StoreError> {
        let value = sqlx::query_scalar("SELECT value FROM settings WHERE name = $1").bind(name);
        Ok(value.fetch_optional(&self.pool).await?)
    }

    /// Lines of the audit log in their order, those after a revision.
    pub(super) async fn audit(&self, after: i64, most: i64) -> Result<Vec<AuditLine>, StoreError> {
        let rows = sqlx::query("SELECT * FROM audit_log WHERE revision > $1 ORDER BY revision LIMIT $2");
        rows.bind(after).bind(most).fetch_all(&self.pool).await?.iter().map(rows::audit).collect()
    }

    /// Writes down that a record was looked for, without a revision: nothing changed. Only while the domain waits.
    pub(super) async fn attempted(&self, id: &str, at: UnixTime, error: Option<&str>) -> Result<(), StoreError> {
        let query = sqlx::query(
            "UPDATE custom_domains SET attempted_at = $1, attempt_error = $2, attempts = attempts + 1
             WHERE custom_domain_id = $3 AND status = $4",
        );
        query.bind(at.0).bind(error).bind(id).bind(Status::PendingVerification.word()).execute(&self.pool).await?;
        Ok(())
    }

    /// Writes down how often keys were used.
    pub(super) async fn used(&self, uses: &[(String, i64, Option<UnixTime>)]) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        for (id, count, last) in uses {
            let query = sqlx::query("UPDATE domain_keys SET uses = $1, last_used_at = $2 WHERE key_id = $3");
            query.bind(count).bind(last.map(|last| last.0)).bind(id).execute(&mut *transaction as &mut AnyConnection).await?;
        }
        Ok(transaction.commit().await?)
    }

    /// Ends the connection when everything is written.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}
