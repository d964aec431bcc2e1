//! The tables, as they came to be. A store is brought up to the last version when it is opened; one that is newer than the
//! program is left alone.
//!
//! What stands in braces differs: `{name}` is a text that is compared by its octets, also where a database would sort it by a
//! language's alphabet.

/// In which SQL a store is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Sqlite,
    Postgres,
}

/// What a version adds to the one before it.
pub(super) struct Version {
    both: &'static [&'static str],
    sqlite: &'static [&'static str],
    postgres: &'static [&'static str],
}

/// On this channel PostgreSQL tells the number of every revision.
pub(super) const CHANNEL: &str = "vestibule_revision";

pub(super) const VERSIONS: &[Version] = &[
    Version {
        both: &[
            "CREATE TABLE revision (number BIGINT NOT NULL)",
            "INSERT INTO revision (number) VALUES (0)",
            "CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
            "CREATE TABLE custom_domains (
            custom_domain_id TEXT PRIMARY KEY,
            domain {name} NOT NULL UNIQUE,
            status TEXT NOT NULL,
            challenge TEXT NOT NULL,
            custom_client_ip_header TEXT,
            domain_metadata TEXT,
            relying_party_identifier TEXT,
            is_default BIGINT NOT NULL,
            created_at BIGINT NOT NULL,
            started_at BIGINT NOT NULL,
            verified_at BIGINT,
            attempted_at BIGINT,
            attempt_error TEXT,
            attempts BIGINT NOT NULL,
            revision BIGINT NOT NULL)",
            "CREATE INDEX custom_domains_by_status ON custom_domains (status, (COALESCE(attempted_at, created_at)))",
            "CREATE TABLE domain_keys (
            key_id TEXT PRIMARY KEY,
            custom_domain_id TEXT NOT NULL REFERENCES custom_domains (custom_domain_id) ON DELETE CASCADE,
            tag TEXT NOT NULL,
            created_at BIGINT NOT NULL,
            expires_at BIGINT,
            uses BIGINT NOT NULL,
            last_used_at BIGINT)",
            "CREATE INDEX domain_keys_by_domain ON domain_keys (custom_domain_id)",
            "CREATE TABLE audit_log (
            revision BIGINT PRIMARY KEY,
            at BIGINT NOT NULL,
            actor TEXT NOT NULL,
            action TEXT NOT NULL,
            custom_domain_id TEXT,
            domain TEXT,
            details TEXT NOT NULL,
            request_id TEXT NOT NULL)",
        ],
        sqlite: &[
            "CREATE TRIGGER audit_log_keeps_its_lines BEFORE UPDATE ON audit_log BEGIN SELECT RAISE(ABORT, 'append only'); END",
            "CREATE TRIGGER audit_log_loses_no_lines BEFORE DELETE ON audit_log BEGIN SELECT RAISE(ABORT, 'append only'); END",
        ],
        postgres: &[
            "CREATE FUNCTION audit_log_refuses() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION 'append only'; END $$",
            "CREATE TRIGGER audit_log_keeps_its_lines BEFORE UPDATE OR DELETE ON audit_log
            FOR EACH ROW EXECUTE FUNCTION audit_log_refuses()",
            "CREATE TRIGGER audit_log_loses_no_lines BEFORE TRUNCATE ON audit_log
            FOR EACH STATEMENT EXECUTE FUNCTION audit_log_refuses()",
            "CREATE FUNCTION audit_log_tells() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN PERFORM pg_notify('vestibule_revision', NEW.revision::text); RETURN NULL; END $$",
            "CREATE TRIGGER audit_log_is_told AFTER INSERT ON audit_log FOR EACH ROW EXECUTE FUNCTION audit_log_tells()",
        ],
    },
    Version {
        both: &[
            "CREATE TABLE clients (
            client_id {name} PRIMARY KEY,
            name TEXT NOT NULL,
            description TEXT,
            token_endpoint_auth_method TEXT,
            certificates TEXT,
            created_at BIGINT NOT NULL,
            updated_at BIGINT NOT NULL)",
            "CREATE TABLE client_credentials (
            credential_id TEXT PRIMARY KEY,
            client_id {name} NOT NULL REFERENCES clients (client_id) ON DELETE CASCADE,
            in_use BIGINT NOT NULL,
            credential_type TEXT NOT NULL,
            name TEXT,
            subject_dn TEXT,
            thumbprint TEXT,
            created_at BIGINT NOT NULL,
            updated_at BIGINT NOT NULL,
            expires_at BIGINT)",
            "CREATE INDEX client_credentials_by_client ON client_credentials (client_id)",
            "ALTER TABLE domain_keys ADD COLUMN front_door TEXT",
            "CREATE INDEX audit_log_by_domain ON audit_log (custom_domain_id, revision)",
        ],
        sqlite: &[],
        postgres: &[],
    },
];

impl Version {
    /// The statements of one database.
    pub(super) fn statements(&self, dialect: Dialect) -> Vec<String> {
        let (name, own) = match dialect {
            Dialect::Sqlite => ("TEXT", self.sqlite),
            Dialect::Postgres => ("TEXT COLLATE \"C\"", self.postgres),
        };
        self.both.iter().chain(own).map(|statement| statement.replace("{name}", name)).collect()
    }
}

/// Every table but the two that hold a number, in the order in which they are made: whoever refers to another one comes after it.
pub(super) fn tables() -> impl Iterator<Item = &'static str> {
    let statements = VERSIONS.iter().flat_map(|version| version.both);
    let names = statements.filter_map(|statement| statement.strip_prefix("CREATE TABLE ")?.split(' ').next());
    names.filter(|name| *name != "revision")
}

#[cfg(test)]
mod tests {
    #[test]
    fn tables_are_found() {
        let found: Vec<&str> = super::tables().collect();
        assert!(found.starts_with(&["settings", "custom_domains", "domain_keys", "audit_log"]), "{found:?}");
        assert!(
            super::VERSIONS.iter().flat_map(|version| version.both).filter(|text| text.contains("CREATE TABLE")).count()
                > found.len()
        );
    }
}
