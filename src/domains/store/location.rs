//! Where a store is: a file, or a database by its URL.

use std::net::IpAddr;
use std::path::PathBuf;

use reqwest::Url;
use zeroize::Zeroizing;

/// The parameters of a URL that are taken. sqlx leaves out what it does not know, which may be what makes it safe.
const PARAMETERS: [&str; 5] = ["host", "sslmode", "sslrootcert", "sslcert", "sslkey"];
/// Those that are files.
const FILES: [&str; 3] = ["sslrootcert", "sslcert", "sslkey"];
/// The modes of TLS that mean what they say: `allow` and `prefer` go on without it.
const MODES: [&str; 4] = ["disable", "require", "verify-ca", "verify-full"];

/// Where a store is.
#[derive(Clone)]
pub enum StoreLocation {
    /// A SQLite file of this process alone.
    File(PathBuf),
    /// A PostgreSQL.
    Database(DatabaseUrl),
}

impl std::fmt::Display for StoreLocation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(file) => write!(f, "{}", file.display()),
            Self::Database(url) => write!(f, "{url:?}"),
        }
    }
}

impl std::fmt::Debug for StoreLocation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

/// The URL of a PostgreSQL, with its password.
#[derive(Clone)]
pub struct DatabaseUrl {
    whole: Zeroizing<String>,
    shown: String,
}

impl DatabaseUrl {
    /// Reads `postgres://user@host:port/database?sslmode=…`. To another machine, TLS and the name in its certificate are asked
    /// for unless the URL says otherwise.
    ///
    /// # Errors
    /// What is accepted. The URL is not shown in it: it may hold a password.
    pub fn parse(text: &str, password: Option<&str>) -> Result<Self, String> {
        const ACCEPTED: &str = "accepted: \"postgres://user@host:port/database\"";
        let mut url = Url::parse(text).map_err(|_| ACCEPTED.to_owned())?;
        if !["postgres", "postgresql"].contains(&url.scheme()) || url.path().len() < 2 || url.fragment().is_some() {
            return Err(ACCEPTED.into());
        }
        if url.password().is_some() {
            return Err(format!("{ACCEPTED}; the password stands in a file of its own, `password_file`"));
        }
        let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        if let Some((unknown, _)) = pairs.iter().find(|(key, _)| !PARAMETERS.contains(&key.as_str())) {
            return Err(format!("`{unknown}` is unknown; accepted after `?`: {}", PARAMETERS.join(", ")));
        }
        if let Some((key, _)) = pairs.iter().find(|(key, value)| FILES.contains(&key.as_str()) && !value.starts_with('/')) {
            return Err(format!("accepted as `{key}`: an absolute path"));
        }
        let of = |wanted: &str| pairs.iter().find(|(key, _)| key == wanted).map(|(_, value)| value.as_str());
        let host = of("host").or(url.host_str()).unwrap_or_default().to_owned();
        if host.is_empty() {
            return Err(ACCEPTED.into());
        }
        match of("sslmode").map(str::to_owned) {
            Some(mode) if !MODES.contains(&mode.as_str()) => {
                return Err(format!("accepted as `sslmode`: {}", MODES.join(", ")));
            }
            Some(_) => {}
            None if is_here(&host) => {}
            None => drop(url.query_pairs_mut().append_pair("sslmode", "verify-full")),
        }
        let shown = format!("postgres://{host}{}", url.path());
        if url.set_password(password).is_err() {
            return Err(ACCEPTED.into());
        }
        Ok(Self { whole: Zeroizing::new(url.into()), shown })
    }

    pub(super) fn whole(&self) -> &str {
        &self.whole
    }
}

impl std::fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.shown)
    }
}

/// A Unix socket, or an address of this machine.
fn is_here(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host.starts_with('/') || host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tls_is_asked_for_beyond_this_machine() {
        for (text, whole) in [
            ("postgres://v@db.example/d", "postgres://v:p%40s@db.example/d?sslmode=verify-full"),
            ("postgresql://v@db.example:99/d?sslmode=require", "postgresql://v:p%40s@db.example:99/d?sslmode=require"),
            ("postgres://v@127.0.0.1:5432/d", "postgres://v:p%40s@127.0.0.1:5432/d"),
            ("postgres://v@[::1]/d", "postgres://v:p%40s@[::1]/d"),
            ("postgres://v@localhost/d?host=/run/postgresql", "postgres://v:p%40s@localhost/d?host=/run/postgresql"),
            ("postgres://v@localhost/d?host=db.example", "postgres://v:p%40s@localhost/d?host=db.example&sslmode=verify-full"),
        ] {
            let url = DatabaseUrl::parse(text, Some("p@s")).unwrap();
            assert_eq!(url.whole(), whole);
            assert!(!format!("{url:?}").contains("p%40s"), "{url:?}");
        }
    }

    #[test]
    fn other_urls_are_refused() {
        for (text, said) in [
            ("", "accepted: \"postgres://"),
            ("mysql://v@h/d", "accepted: \"postgres://"),
            ("postgres://v@h", "accepted: \"postgres://"),
            ("postgres:///d", "accepted: \"postgres://"),
            ("postgres://v:geheim@h/d", "password_file"),
            ("postgres://v@h/d?sslmode=prefer", "verify-full"),
            ("postgres://v@h/d?sslmode=allow", "verify-full"),
            ("postgres://v@h/d?sslrootcert=ca.pem", "absolute path"),
            ("postgres://v@h/d?sslnegotiation=direct", "`sslnegotiation` is unknown"),
        ] {
            let why = DatabaseUrl::parse(text, None).unwrap_err();
            assert!(why.contains(said) && !why.contains("geheim"), "{text}: {why}");
        }
    }
}
