//! `vestibule.toml`: what the process needs before any request.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use super::debugging;
use super::identity;
use super::management::{self, ManagementSettings};
use super::probe;
use super::revocation;
use super::secret_file;
use super::server_tls::{self, ServerTls};
use super::table::Table;
use crate::clock::UnixTime;
use crate::front_door::{HeadLimits, NonceMemory, NonceStore, Replay, StoreAddress};
use crate::identity_headers::IdentityKeys;
use crate::journey::Debugging;
use crate::probe::Probe;
use crate::revocation::RevocationSettings;
use crate::rules::GeoIp;
use crate::secret::Pepper;
use crate::telemetry::access::AccessTarget;
use crate::tls::ServerCertificate;

/// Where front doors connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    /// A TCP address.
    Tcp(SocketAddr),
    /// A Unix socket.
    Unix(PathBuf),
}

impl Listen {
    /// Reads `address:port` or `unix:/path`.
    ///
    /// # Errors
    /// What is accepted.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text.strip_prefix("unix:") {
            Some(path) if path.starts_with('/') => Ok(Self::Unix(path.into())),
            Some(_) => Err("a Unix socket needs an absolute path: \"unix:/path\"".into()),
            None => text.parse().map(Self::Tcp).map_err(|_| "accepted: \"address:port\" or \"unix:/path\"".into()),
        }
    }
}

/// Why there is no pepper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoPepper {
    /// The configuration names none.
    NotNamed,
    /// What it names is none; a problem says so.
    Refused,
}

/// The settings of the process. A reload cannot change `listen`, `workers`, `admin`, `replay`, `probe`, `revocation`, `management` and
/// the time-outs of the server.
#[derive(Debug)]
pub struct Process {
    /// Data listeners without TLS.
    pub listen: Vec<Listen>,
    /// The data listener with TLS of our own.
    pub tls: Option<ServerTls>,
    /// Worker threads; 0 is one for each core.
    pub workers: usize,
    /// How long an idle front-door connection is kept.
    pub keep_alive: Duration,
    /// How long a request head may take.
    pub head_timeout: Duration,
    /// How long requests in flight get after SIGTERM.
    pub shutdown_timeout: Duration,
    /// The admin listener.
    pub admin: Option<SocketAddr>,
    /// Its certificate, when it speaks TLS; the inner one is none after a problem.
    pub(super) admin_tls: Option<Option<ServerCertificate>>,
    /// The secret under which tags are made. Only front doors that prove themselves by a key need it.
    pub pepper: Result<Arc<Pepper>, NoPepper>,
    /// How large a request head may be.
    pub head_limits: HeadLimits,
    /// How many decoded certificate headers are remembered.
    pub certificate_cache_entries: usize,
    /// How many verdicts about certificates are remembered.
    pub verification_cache_entries: usize,
    /// Where addresses are.
    pub geoip: Option<Arc<GeoIp>>,
    /// Who may see what rules do; moves into the snapshot.
    pub debugging: Option<Debugging>,
    /// What signs tokens for upstreams; moves into the snapshot.
    pub identity_keys: Option<IdentityKeys>,
    /// The level of diagnostics.
    pub log_level: String,
    /// What remembers the nonces of signed requests.
    pub replay: Arc<Replay>,
    /// The endpoint for `vestibule probe`, when there is one.
    pub probe: Option<Arc<Probe>>,
    /// Where access lines go.
    pub access: AccessTarget,
    /// How lists and OCSP answers are fetched.
    pub revocation: RevocationSettings,
    /// The management API, when there is one.
    pub management: Option<ManagementSettings>,
}

/// actix-http reads at most this many header lines of a request.
const MOST_HEADERS: usize = 96;
/// actix-http reads at most 128 KiB of a request head.
const MOST_HEADER_BYTES: usize = 128 * 1024;

impl Process {
    pub(super) fn read(table: Table<'_>, folder: &Path, now: UnixTime, warnings: &mut Vec<String>) -> Self {
        let server = table.table_or_empty("server");
        let admin = table.table_or_empty("admin");
        let limits = table.table_or_empty("limits");
        let logs = table.table_or_empty("logs");
        let secrets = table.table_or_empty("secrets");
        let geo = table.table_or_empty("geoip");
        let fetching = table.table_or_empty("revocation");
        let debugging = table.table("debug").and_then(|table| debugging::read(table, folder, warnings));
        let identity_table = table.table_or_empty("identity");
        let replay_table = table.table_or_empty("replay");
        let admin_listen = admin.parsed("listen", |text| text.parse().map_err(|_| "accepted: \"address:port\"".to_owned()));
        let admin_tls = server_tls::admin(&admin, folder, warnings);
        if admin_tls.is_some() && !admin.has("listen") {
            admin.problem("tls", "has no effect without `admin.listen`", "`listen` in [admin], or no [admin.tls]");
        }
        let has_tls = admin_tls.is_some();
        let probing = table.table_or_empty("probe");
        let pepper = pepper(&secrets, folder, warnings).map(Arc::new);
        let process = Self {
            listen: listeners(&server),
            tls: server_tls::read(&server, folder, warnings),
            workers: server.number("workers", 0..=1024, 0),
            keep_alive: server.duration("keep_alive", Duration::from_secs(75)),
            head_timeout: server.positive_duration("head_timeout", Duration::from_secs(10)),
            shutdown_timeout: server.duration("shutdown_timeout", Duration::from_secs(30)),
            admin: admin_listen,
            admin_tls,
            management: management::read(&table, folder, (admin_listen, has_tls), &pepper, warnings),
            pepper,
            head_limits: HeadLimits {
                header_count: limits.number("header_count", 1..=MOST_HEADERS, MOST_HEADERS),
                header_bytes: header_bytes(&limits),
                allow_path_parameters: limits.boolean("allow_path_parameters", false),
            },
            certificate_cache_entries: limits.number("certificate_cache_entries", 0..=10_000_000, 10_000),
            verification_cache_entries: limits.number("verification_cache_entries", 0..=10_000_000, 10_000),
            geoip: geoip(&geo, folder),
            debugging,
            identity_keys: identity::keys(&identity_table, folder, warnings),
            log_level: logs.choice("level", &["error", "warn", "info", "debug"].map(|word| (word, word)), "info").to_owned(),
            replay: Arc::new(replay(&replay_table, folder, now, warnings)),
            probe: probe::read(&probing, folder, now, warnings).map(Arc::new),
            access: AccessTarget::parse(&logs.text("access").unwrap_or_else(|| "stdout".into()), folder),
            revocation: revocation::settings(&fetching, folder),
        };
        for child in [server, admin, limits, logs, secrets, geo, fetching, identity_table, replay_table, probing, table] {
            child.finish();
        }
        process
    }
}

fn listeners(server: &Table<'_>) -> Vec<Listen> {
    let texts = server.texts("listen");
    if texts.is_empty() && !server.has("tls") {
        server.problem("listen", "is missing", "a list of listeners, like [\"127.0.0.1:8080\"]");
    }
    let read = texts
        .iter()
        .map(|text| Listen::parse(text).map_err(|why| server.problem("listen", format!("found `{text}`"), why)).ok());
    read.collect::<Vec<_>>().into_iter().flatten().collect()
}

fn geoip(table: &Table<'_>, folder: &Path) -> Option<Arc<GeoIp>> {
    let file = folder.join(table.text("database")?);
    let opened = GeoIp::open(&file);
    let problem =
        |why| table.problem("database", format!("{}: {why}", file.display()), "a database in MaxMind's format (MMDB)");
    opened.map_err(problem).map(Arc::new).ok()
}

fn header_bytes(limits: &Table<'_>) -> usize {
    let bytes = limits.size("header_bytes", 96 * 1024);
    if bytes == 0 || bytes > MOST_HEADER_BYTES {
        limits.problem("header_bytes", format!("found {bytes} bytes"), "accepted: up to \"128KiB\"");
    }
    bytes
}

/// As many as one process gets at 11,000 signed requests a second.
const NONCES: usize = 1_000_000;

/// Where nonces are remembered. Something must stand for a table with a problem.
fn replay(table: &Table<'_>, folder: &Path, now: UnixTime, warnings: &mut Vec<String>) -> Replay {
    let timeout = table.positive_duration("redis_timeout", Duration::from_millis(250));
    let file = table.text("redis_password_file");
    let password = file.and_then(|file| {
        secret_file::read(
            table,
            "redis_password_file",
            folder,
            &file,
            ("the password of Redis", "the password alone"),
            warnings,
        )
    });
    let memory = Replay::Memory(NonceMemory::new(table.number("memory_entries", 1_000..=100_000_000, NONCES), now));
    // An address that is refused may hold a password.
    let address = table.text("redis").and_then(|text| {
        let shown = if text.contains('@') { "***" } else { &text };
        StoreAddress::parse(&text).map_err(|why| table.problem("redis", format!("found `{shown}`"), why)).ok()
    });
    if !table.has("redis") {
        for key in ["redis_timeout", "redis_password_file"].iter().filter(|key| table.has(key)) {
            table.problem(key, "has no effect", format!("`redis`, or no `{key}`"));
        }
    } else if table.has("memory_entries") {
        table.problem("memory_entries", "has no effect beside `redis`", "one of the two");
    }
    let Some(address) = address else { return memory };
    match NonceStore::new(&address, password.as_ref().map(|password| password.trim()), timeout) {
        Ok(store) => Replay::Redis(store),
        Err(why) => {
            table.problem("redis", format!("cannot be used: {why}"), "a Redis that can be reached");
            memory
        }
    }
}

/// What a pepper looks like, and where it comes from.
pub(super) const ACCEPTED_PEPPER: &str = "64 hexadecimal digits; `vestibule keygen --pepper` makes them";

fn pepper(secrets: &Table<'_>, folder: &Path, warnings: &mut Vec<String>) -> Result<Pepper, NoPepper> {
    let accepted = ACCEPTED_PEPPER;
    let (key, text) = match (secrets.text("pepper"), secrets.text("pepper_file")) {
        // The environment's wins: it is the way to override the file's.
        (Some(text), _) => ("pepper", Zeroizing::new(text)),
        (None, Some(file)) => {
            let text = secret_file::read(secrets, "pepper_file", folder, &file, ("the pepper", accepted), warnings);
            ("pepper_file", text.ok_or(NoPepper::Refused)?)
        }
        (None, None) if secrets.has("pepper") || secrets.has("pepper_file") => return Err(NoPepper::Refused),
        (None, None) => return Err(NoPepper::NotNamed),
    };
    Pepper::parse(&text).map_err(|why| {
        secrets.problem(key, format!("the pepper {why}"), accepted);
        NoPepper::Refused
    })
}

/// Reads the pepper of a configuration folder alone, for `vestibule keygen`.
///
/// # Errors
/// Every problem on the way to it.
pub fn read_pepper(folder: &Path) -> Result<Pepper, Vec<super::Problem>> {
    let collector = super::Collector::default();
    let read = super::source::read(folder, &collector);
    let table = Table::of(read.process, &collector);
    let secrets = table.table_or_empty("secrets");
    let found = pepper(&secrets, folder, &mut Vec::new());
    if found.as_ref().is_err_and(|why| *why == NoPepper::NotNamed) {
        secrets.problem("pepper_file", "is missing", format!("a file with {ACCEPTED_PEPPER}"));
    }
    drop((secrets, table));
    found.map_err(|_| collector.into_problems())
}
