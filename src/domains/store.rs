//! The store: a SQLite file of one process, or a PostgreSQL that any number of processes share. The statements are the same;
//! only what stands in [`schema`] differs.
//!
//! What was committed is on the disk before it is acknowledged. A change takes the row with the revision number before it reads
//! anything: changes are made one after the other, whichever process makes them, and a reader who has seen a number has seen all
//! changes up to it.

mod change;
mod clients;
mod dump;
mod location;
mod read;
mod rows;
mod schema;
mod told;

use std::fs::{File, TryLockError};
use std::future::Future;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sqlx::any::AnyPoolOptions;
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyConnection, AnyPool, AssertSqlSafe, Connection, Executor};
use tokio::sync::OnceCell;

use super::record::{AuditLine, DomainRecord, KeyRecord, Status};
use crate::clock::UnixTime;

pub use change::Actor;
pub(super) use change::Change;
pub use dump::{Counts, DumpError};
pub use location::{DatabaseUrl, StoreLocation};
pub(super) use read::Reader;
use schema::Dialect;

/// What is not escaped in the path of a database's URL.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_');
/// The longest for one step: a database that is silent is not there. The database itself gives up a little earlier.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest for new tables, with all that is in them.
const MIGRATING: Duration = Duration::from_secs(600);
/// How long a connection to PostgreSQL may take.
const CONNECTING: Duration = Duration::from_secs(2);
/// Connections of one process to PostgreSQL, beside the one that listens.
const CONNECTIONS: u32 = 4;

/// Why the store did not do it.
#[derive(Debug)]
pub enum StoreError {
    /// The database said no, or nothing.
    Database(sqlx::Error),
    /// It did not answer in time.
    Silent,
    /// Its last change is older than what this process has seen, which is about to be read anew.
    WentBack,
    /// Another process has the file.
    Owned,
    /// The file that says whose it is cannot be made.
    Lock(std::io::Error),
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

impl StoreError {
    /// Whether the same may succeed a little later: the database is away, or has no time.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Silent | Self::WentBack => true,
            Self::Database(sqlx::Error::Database(why)) => why.code().is_some_and(|code| {
                // Connections, conflicts of transactions, resources, an operator's intervention; a standby that only reads.
                ["08", "40", "53", "55", "57"].iter().any(|class| code.len() == 5 && code.starts_with(class)) || code == "25006"
            }),
            Self::Database(why) => matches!(
                why,
                sqlx::Error::Io(_)
                    | sqlx::Error::Tls(_)
                    | sqlx::Error::Protocol(_)
                    | sqlx::Error::PoolTimedOut
                    | sqlx::Error::PoolClosed
                    | sqlx::Error::WorkerCrashed
            ),
            _ => false,
        }
    }
}

impl std::fmt::Display for StoreError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Database(why) => write!(f, "{why}"),
            Self::Silent => write!(f, "it does not answer"),
            Self::WentBack => write!(f, "it went back to an older revision"),
            Self::Owned => write!(f, "another process has it open"),
            Self::Lock(why) => write!(f, "the file beside it that says whose it is cannot be made: {why}"),
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

/// One step of work with the database, which ends in time.
async fn within<T, E: Into<StoreError>>(work: impl Future<Output = Result<T, E>>) -> Result<T, StoreError> {
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(done) => done.map_err(Into::into),
        Err(_) => Err(StoreError::Silent),
    }
}

/// Asks that what is committed be on the disk, and that nobody waits for ever.
async fn settle(connection: &mut AnyConnection, dialect: Dialect) -> Result<(), sqlx::Error> {
    let statements: &[&'static str] = match dialect {
        Dialect::Sqlite => &["PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", "PRAGMA foreign_keys = ON"],
        Dialect::Postgres => &[
            "SET statement_timeout = '4s'",
            "SET lock_timeout = '4s'",
            "SET idle_in_transaction_session_timeout = '20s'",
            // A server that acknowledges before it has written is told not to; one that waits for its standbys goes on so.
            "DO $$ BEGIN IF current_setting('synchronous_commit') = 'off' THEN SET synchronous_commit = 'on'; END IF; END $$",
        ],
    };
    for statement in statements {
        connection.execute(*statement).await?;
    }
    Ok(())
}

/// A store.
pub struct Store {
    pool: AnyPool,
    dialect: Dialect,
    location: StoreLocation,
    /// Set once its tables are those that this program knows.
    prepared: OnceCell<()>,
    /// The lock on the file beside a SQLite file. It ends with the process, however that ends.
    _owner: Option<File>,
}

impl Store {
    /// Opens a store. A file is made when there is none, and is this process's alone from now on; a database may be away for
    /// now, and [`Store::prepare`] says so.
    ///
    /// # Errors
    /// When the file cannot be opened, or another process has it.
    pub async fn open(location: &StoreLocation) -> Result<Self, StoreError> {
        let owner = match location {
            StoreLocation::File(file) => {
                let owner = own(file)?;
                // SQLite would make it readable by all, and what it puts beside it is as readable as the file.
                private(file).map_err(StoreError::Lock)?;
                Some(owner)
            }
            StoreLocation::Database(_) => None,
        };
        Self::connect(location, owner, "rwc").await
    }

    /// Opens a store to read it: also a file that another process has, but none that does not exist.
    ///
    /// # Errors
    /// When there is none, or it cannot be opened.
    pub async fn open_to_read(location: &StoreLocation) -> Result<Self, StoreError> {
        Self::connect(location, None, "rw").await
    }

    async fn connect(location: &StoreLocation, owner: Option<File>, mode: &str) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let options = AnyPoolOptions::new().max_lifetime(None);
        let (pool, dialect) = match location {
            StoreLocation::File(file) => {
                let dialect = Dialect::Sqlite;
                let url = format!("sqlite:{}?mode={mode}", utf8_percent_encode(&file.to_string_lossy(), PATH));
                // The pool would try again and again, and say only that it took too long.
                let mut first = AnyConnection::connect(&url).await?;
                settle(&mut first, dialect).await?;
                first.close().await?;
                // One connection: SQLite has one writer anyway.
                let options = options.max_connections(1).min_connections(1).idle_timeout(None);
                let options = options.after_connect(move |connection, _| Box::pin(settle(connection, dialect)));
                (options.acquire_timeout(PATIENCE).connect(&url).await?, dialect)
            }
            StoreLocation::Database(url) => {
                let dialect = Dialect::Postgres;
                let options = options.max_connections(CONNECTIONS).acquire_timeout(CONNECTING);
                let options = options.after_connect(move |connection, _| Box::pin(settle(connection, dialect)));
                (options.connect_lazy(url.whole())?, dialect)
            }
        };
        Ok(Self { pool, dialect, location: location.clone(), prepared: OnceCell::new(), _owner: owner })
    }

    /// Where it is.
    pub fn location(&self) -> &StoreLocation {
        &self.location
    }

    /// Brings the tables up to date. Whatever is asked of a store does so first, until it was done once.
    ///
    /// # Errors
    /// When the database is away, or a newer program wrote it.
    pub async fn prepare(&self) -> Result<(), StoreError> {
        if let (StoreLocation::Database(url), None) = (&self.location, self.prepared.get()) {
            // For its own words: the pool says only that it took too long.
            within(AnyConnection::connect(url.whole())).await?.close().await?;
        }
        self.prepared().await
    }

    /// Makes sure that its tables are those that this program knows. Nothing is brought up to date.
    pub(super) async fn check_version(&self) -> Result<(), StoreError> {
        let (found, known) = (within(async { version(&mut *self.pool.acquire().await?).await }).await?, schema::VERSIONS.len());
        if usize::try_from(found) != Ok(known) {
            return Err(StoreError::Contents(format!("tables of version {found}, and this program's have {known}")));
        }
        self.prepared.get_or_init(async || ()).await;
        Ok(())
    }

    async fn prepared(&self) -> Result<(), StoreError> {
        let up_to_date = async || {
            let found = within(async { version(&mut *self.pool.acquire().await?).await }).await;
            match found {
                Ok(found) if usize::try_from(found) == Ok(schema::VERSIONS.len()) => Ok(()),
                Err(why) if why.is_passing() => Err(why),
                // An older version, a newer one, or no table yet.
                _ => tokio::time::timeout(MIGRATING, self.migrate()).await.unwrap_or(Err(StoreError::Silent)),
            }
        };
        self.prepared.get_or_try_init(up_to_date).await.copied()
    }

    async fn migrate(&self) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        if self.dialect == Dialect::Postgres {
            transaction.execute("SET LOCAL statement_timeout = 0").await?;
            transaction.execute("SET LOCAL lock_timeout = 0").await?;
            // Processes that start together.
            transaction.execute("DO $$ BEGIN PERFORM pg_advisory_xact_lock(8387794210171054); END $$").await?;
        }
        transaction.execute("CREATE TABLE IF NOT EXISTS vestibule_schema (version BIGINT NOT NULL)").await?;
        let found = version(&mut transaction).await?;
        let known = schema::VERSIONS.len();
        let done = usize::try_from(found).ok().filter(|done| *done <= known).ok_or(StoreError::Newer { found, known })?;
        for (version, changes) in (1i64..).zip(schema::VERSIONS).skip(done) {
            for statement in changes.statements(self.dialect) {
                transaction.execute(AssertSqlSafe(statement)).await?;
            }
            sqlx::query("INSERT INTO vestibule_schema (version) VALUES ($1)").bind(version).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    async fn connection(&self) -> Result<PoolConnection<Any>, StoreError> {
        self.prepared().await?;
        within(self.pool.acquire()).await
    }

    /// A connection to read several things by, one after the other.
    pub(super) async fn reader(&self) -> Result<Reader, StoreError> {
        Ok(Reader::new(self.connection().await?))
    }

    /// Begins a change, when no other one is being made. Nothing of it counts until it is committed.
    pub(super) async fn change(&self) -> Result<Change, StoreError> {
        self.prepared().await?;
        within(async { Change::begin(self.pool.begin().await?).await }).await
    }

    pub(super) async fn domain(&self, id: &str) -> Result<Option<DomainRecord>, StoreError> {
        self.reader().await?.domain(id).await
    }

    pub(super) async fn default_domain(&self) -> Result<Option<DomainRecord>, StoreError> {
        within(read::default_domain(&mut *self.connection().await?)).await
    }

    pub(super) async fn keys(&self, id: &str) -> Result<Vec<KeyRecord>, StoreError> {
        self.reader().await?.keys(id).await
    }

    /// Domains in the order of their names.
    pub(super) async fn list(&self, query: &ListQuery) -> Result<Vec<DomainRecord>, StoreError> {
        within(read::list(&mut *self.connection().await?, query)).await
    }

    /// Domains that wait for their record and were not looked at since an instant, those first that waited longest.
    pub(super) async fn waiting(&self, since: UnixTime, most: i64) -> Result<Vec<DomainRecord>, StoreError> {
        within(read::waiting(&mut *self.connection().await?, since, most)).await
    }

    pub(super) async fn setting(&self, name: &str) -> Result<Option<String>, StoreError> {
        self.reader().await?.setting(name).await
    }

    /// Lines of the audit log in their order, those after a revision.
    pub(super) async fn audit(&self, after: i64, most: i64) -> Result<Vec<AuditLine>, StoreError> {
        self.reader().await?.audit(after, most).await
    }

    /// Writes down that a record was looked for, without a revision: nothing changed. Only while the domain waits.
    pub(super) async fn attempted(&self, id: &str, at: UnixTime, error: Option<&str>) -> Result<(), StoreError> {
        let query = sqlx::query(
            "UPDATE custom_domains SET attempted_at = $1, attempt_error = $2, attempts = attempts + 1
             WHERE custom_domain_id = $3 AND status = $4",
        );
        let query = query.bind(at.0).bind(error.map(str::to_owned)).bind(id).bind(Status::PendingVerification.word());
        within(query.execute(&mut *self.connection().await?)).await?;
        Ok(())
    }

    /// Adds to the uses of keys what this process has seen since the last time.
    pub(super) async fn used(&self, uses: &[(String, i64, Option<UnixTime>)]) -> Result<(), StoreError> {
        self.prepared().await?;
        let mut transaction = within(self.pool.begin()).await?;
        // All writers take this row first: none waits for another one that waits for it.
        within(transaction.execute("UPDATE revision SET number = number")).await?;
        for (id, more, last) in uses {
            let query = sqlx::query(
                "UPDATE domain_keys SET uses = uses + $1,
                    last_used_at = CASE WHEN last_used_at > $2 THEN last_used_at ELSE $2 END WHERE key_id = $3",
            );
            let query = query.bind(more).bind(last.map(|last| last.0)).bind(id);
            within(query.execute(&mut *transaction as &mut AnyConnection)).await?;
        }
        within(transaction.commit()).await
    }

    /// Ends the connections when everything is written, or when that takes too long.
    pub async fn close(&self) {
        let _ = tokio::time::timeout(PATIENCE, self.pool.close()).await;
    }
}

/// The version of the tables; 0 when there are none.
async fn version(connection: &mut AnyConnection) -> Result<i64, StoreError> {
    let version: Option<i64> = sqlx::query_scalar("SELECT MAX(version) FROM vestibule_schema").fetch_one(connection).await?;
    Ok(version.unwrap_or(0))
}

/// Opens a file, which is made readable by its owner alone when there is none.
fn private(file: &Path) -> std::io::Result<File> {
    File::options().create(true).write(true).truncate(false).mode(0o600).open(file)
}

/// Takes a SQLite file for this process. A file beside it is locked, and not the file itself: whoever closes a file loses all
/// locks of SQLite on it, and a backup reads it meanwhile.
fn own(file: &Path) -> Result<File, StoreError> {
    let mut name = file.as_os_str().to_owned();
    name.push(".owner");
    let owner = private(Path::new(&name)).map_err(StoreError::Lock)?;
    match owner.try_lock() {
        Ok(()) => Ok(owner),
        Err(TryLockError::WouldBlock) => Err(StoreError::Owned),
        Err(TryLockError::Error(why)) => Err(StoreError::Lock(why)),
    }
}
