//! The tables, as they came to be. A file is brought up to the last version when it is opened; one that is newer than the
//! program is left alone.

/// What each version adds to the one before it.
pub(super) const VERSIONS: &[&[&str]] = &[&[
    "CREATE TABLE revision (number INTEGER NOT NULL)",
    "INSERT INTO revision (number) VALUES (0)",
    "CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    "CREATE TABLE custom_domains (
        custom_domain_id TEXT PRIMARY KEY,
        domain TEXT NOT NULL UNIQUE,
        status TEXT NOT NULL,
        challenge TEXT NOT NULL,
        custom_client_ip_header TEXT,
        domain_metadata TEXT,
        relying_party_identifier TEXT,
        is_default INTEGER NOT NULL,
        created_at INTEGER NOT NULL,
        started_at INTEGER NOT NULL,
        verified_at INTEGER,
        attempted_at INTEGER,
        attempt_error TEXT,
        attempts INTEGER NOT NULL,
        revision INTEGER NOT NULL)",
    "CREATE INDEX custom_domains_by_status ON custom_domains (status, attempted_at)",
    "CREATE TABLE domain_keys (
        key_id TEXT PRIMARY KEY,
        custom_domain_id TEXT NOT NULL REFERENCES custom_domains (custom_domain_id) ON DELETE CASCADE,
        tag TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        expires_at INTEGER,
        uses INTEGER NOT NULL,
        last_used_at INTEGER)",
    "CREATE INDEX domain_keys_by_domain ON domain_keys (custom_domain_id)",
    "CREATE TABLE audit_log (
        revision INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        actor TEXT NOT NULL,
        action TEXT NOT NULL,
        custom_domain_id TEXT,
        domain TEXT,
        details TEXT NOT NULL,
        request_id TEXT NOT NULL)",
    "CREATE TRIGGER audit_log_keeps_its_lines BEFORE UPDATE ON audit_log BEGIN SELECT RAISE(ABORT, 'append only'); END",
    "CREATE TRIGGER audit_log_loses_no_lines BEFORE DELETE ON audit_log BEGIN SELECT RAISE(ABORT, 'append only'); END",
]];
