//! The store of these tests: a SQLite file.

use std::path::Path;
use std::process::Command;

pub(crate) struct Store;

impl Store {
    pub(crate) fn new() -> Self {
        Self
    }

    /// Further lines of `vestibule.toml`.
    pub(crate) fn lines(&self) -> String {
        String::new()
    }

    /// Runs statements on the store of a folder, whose process has ended.
    pub(crate) fn sql(&self, folder: &Path, sql: &str) -> Result<String, String> {
        let ran = Command::new("sqlite3").arg(folder.join("vestibule.sqlite")).arg(sql).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if ran.status.success() { Ok(text(&ran.stdout)) } else { Err(text(&ran.stderr)) }
    }

    /// `d000000.many.example` and so on, each with a key.
    pub(crate) fn many(tag: &str, count: u32) -> String {
        format!(
            "PRAGMA foreign_keys = ON;
             WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {count} - 1)
             INSERT INTO custom_domains SELECT printf('cd_%016d', i), printf('d%06d.many.example', i), 'ready', 'c', NULL, NULL,
                NULL, 0, 1, 1, 1, NULL, NULL, 0, 0 FROM n;
             INSERT INTO domain_keys (key_id, custom_domain_id, tag, created_at, expires_at, uses, last_used_at)
                SELECT 'key_' || custom_domain_id, custom_domain_id, '{tag}', 1, NULL, 0, NULL
                FROM custom_domains WHERE domain LIKE '%.many.example';"
        )
    }
}
