//! A store as lines of JSON, for a backup: the same for every database, so that one can be restored from the other's.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use futures_util::TryStreamExt;
use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use sqlx::{Any, AnyConnection, AssertSqlSafe, Column, Row, Transaction};

use super::schema::{Dialect, VERSIONS, tables};
use super::{Executor, Store, StoreError, StoreLocation, version};
use crate::clock::UnixTime;
use crate::domains::sealed::{Lines, Writer};
use crate::secret::Pepper;

/// The form of the file.
const FORM: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Head {
    vestibule_backup: u32,
    schema: i64,
    revision: i64,
    at: i64,
}

#[derive(Serialize, Deserialize)]
struct Line {
    table: String,
    row: BTreeMap<String, Cell>,
}

/// Texts and numbers are all that a store holds. What is NULL is left out: it has no type that every database would take.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Cell {
    Number(i64),
    Text(String),
}

/// How much was written or read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// The last change.
    pub revision: i64,
    /// Rows of each table.
    pub rows: BTreeMap<String, u64>,
}

/// Why there is no backup, or nothing was restored.
#[derive(Debug)]
pub enum DumpError {
    /// The store.
    Store(StoreError),
    /// The file.
    File(io::Error),
    /// What the file says.
    Contents(String),
    /// The store has something in it already.
    NotEmpty,
}

impl std::fmt::Display for DumpError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Store(why) => write!(f, "the store: {why}"),
            Self::File(why) => write!(f, "the backup: {why}"),
            Self::Contents(what) => write!(f, "the backup holds {what}"),
            Self::NotEmpty => write!(f, "the store holds something already: a backup is restored into an empty one"),
        }
    }
}

impl From<StoreError> for DumpError {
    fn from(why: StoreError) -> Self {
        Self::Store(why)
    }
}

impl From<sqlx::Error> for DumpError {
    fn from(why: sqlx::Error) -> Self {
        Self::Store(why.into())
    }
}

impl From<io::Error> for DumpError {
    fn from(why: io::Error) -> Self {
        Self::File(why)
    }
}

impl Store {
    /// Writes all that a store holds into a file, as it is at one moment. Whoever has the store open goes on.
    ///
    /// # Errors
    /// When the store cannot be read, has another version than this program, or the file cannot be written.
    pub async fn back_up(location: &StoreLocation, file: &Path, pepper: &Pepper, now: UnixTime) -> Result<Counts, DumpError> {
        let store = Self::open_to_read(location).await?;
        let begin = match store.dialect {
            Dialect::Sqlite => "BEGIN",
            Dialect::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        };
        let mut transaction = store.pool.begin_with(begin).await?;
        store.take_time(&mut transaction).await?;
        let (schema, known) = (version(&mut transaction).await?, VERSIONS.len());
        if usize::try_from(schema) != Ok(known) {
            return Err(StoreError::Contents(format!("tables of version {schema}, and this program's have {known}")).into());
        }
        let revision = sqlx::query_scalar("SELECT number FROM revision").fetch_one(&mut *transaction).await?;
        let mut writer = Writer::create(file)?;
        writer.line(&Head { vestibule_backup: FORM, schema, revision, at: now.0 })?;
        let mut counts = Counts { revision, ..Counts::default() };
        for table in tables() {
            // The first column is the key.
            let query = AssertSqlSafe(format!("SELECT * FROM {table} ORDER BY 1"));
            let mut rows = sqlx::query(query).fetch(&mut *transaction);
            while let Some(row) = rows.try_next().await? {
                writer.line(&Line { table: table.to_owned(), row: cells(&row)? })?;
                *counts.rows.entry(table.to_owned()).or_default() += 1;
            }
        }
        drop(transaction);
        writer.finish(pepper)?;
        store.close().await;
        Ok(counts)
    }

    /// Fills an empty store from a backup: all of it, or nothing.
    ///
    /// # Errors
    /// When the store is not empty, is another process's, or the backup is not whole or not of this program.
    pub async fn restore(location: &StoreLocation, file: &Path, pepper: &Pepper) -> Result<Counts, DumpError> {
        let mut lines = Lines::open(file, pepper)?;
        let head = lines.next::<Head>()?.ok_or_else(|| DumpError::Contents("nothing".into()))?;
        if head.vestibule_backup != FORM || usize::try_from(head.schema).is_ok_and(|schema| schema > VERSIONS.len()) {
            return Err(DumpError::Contents("what a newer program wrote".into()));
        }
        let store = Self::open(location).await?;
        store.prepare().await?;
        let mut transaction = store.pool.begin().await?;
        store.take_time(&mut transaction).await?;
        // Nobody else writes from now on.
        let number: i64 =
            sqlx::query_scalar("UPDATE revision SET number = number RETURNING number").fetch_one(&mut *transaction).await?;
        if number != 0 {
            return Err(DumpError::NotEmpty);
        }
        let mut counts = Counts { revision: head.revision, ..Counts::default() };
        while let Some(line) = lines.next::<Line>()? {
            insert(&mut transaction, &line).await?;
            *counts.rows.entry(line.table).or_default() += 1;
        }
        sqlx::query("UPDATE revision SET number = $1").bind(head.revision).execute(&mut *transaction).await?;
        transaction.commit().await?;
        store.close().await;
        Ok(counts)
    }

    /// Whatever limits statements have otherwise.
    async fn take_time(&self, transaction: &mut Transaction<'_, Any>) -> Result<(), sqlx::Error> {
        if self.dialect == Dialect::Postgres {
            transaction.execute("SET LOCAL statement_timeout = 0").await?;
        }
        Ok(())
    }
}

async fn insert(connection: &mut AnyConnection, line: &Line) -> Result<(), DumpError> {
    // Names go into the statement: those of a file that nobody has changed, and of the form that ours have all the same.
    let plain = |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if !tables().any(|table| table == line.table) || !line.row.keys().all(|name| plain(name)) {
        return Err(DumpError::Contents(format!("something unknown in `{}`", line.table)));
    }
    let columns: Vec<&str> = line.row.keys().map(String::as_str).collect();
    let places: Vec<String> = (1..=columns.len()).map(|place| format!("${place}")).collect();
    let statement = format!("INSERT INTO {} ({}) VALUES ({})", line.table, columns.join(", "), places.join(", "));
    let mut query = sqlx::query(AssertSqlSafe(statement));
    for cell in line.row.values() {
        query = match cell {
            Cell::Number(number) => query.bind(*number),
            Cell::Text(text) => query.bind(text.clone()),
        };
    }
    query.execute(connection).await?;
    Ok(())
}

fn cells(row: &AnyRow) -> Result<BTreeMap<String, Cell>, DumpError> {
    let mut cells = BTreeMap::new();
    for column in row.columns() {
        let place = column.ordinal();
        let cell = match row.try_get::<Option<i64>, _>(place) {
            Ok(number) => number.map(Cell::Number),
            Err(_) => row.try_get::<Option<String>, _>(place)?.map(Cell::Text),
        };
        cells.extend(cell.map(|cell| (column.name().to_owned(), cell)));
    }
    Ok(cells)
}
