//! The store of these tests: a database of a PostgreSQL that they share.

use std::path::Path;

use crate::postgres::{Database, Postgres};

pub(crate) struct Store {
    pub(crate) database: Database,
}

impl Store {
    pub(crate) fn new() -> Self {
        Self { database: Postgres::shared().database() }
    }

    /// A server of its own, which can be stopped.
    pub(crate) fn alone() -> Self {
        Self { database: std::sync::Arc::new(Postgres::start()).database() }
    }

    /// Further lines of `vestibule.toml`.
    pub(crate) fn lines(&self) -> String {
        format!("[store]\nurl = \"{}\"\n", self.database.url())
    }

    /// Runs statements, whatever the folder.
    pub(crate) fn sql(&self, _: &Path, sql: &str) -> Result<String, String> {
        self.database.sql(sql)
    }

    /// `d000000.many.example` and so on, each with a key.
    pub(crate) fn many(tag: &str, count: u32) -> String {
        format!(
            "INSERT INTO custom_domains SELECT 'cd_' || lpad(i::text, 16, '0'), 'd' || lpad(i::text, 6, '0') || '.many.example',
                'ready', 'c', NULL, NULL, NULL, 0, 1, 1, 1, NULL, NULL, 0, 0 FROM generate_series(0, {count} - 1) AS n(i);
             INSERT INTO domain_keys SELECT 'key_' || custom_domain_id, custom_domain_id, '{tag}', 1, NULL, 0, NULL
                FROM custom_domains WHERE domain LIKE '%.many.example'"
        )
    }
}
