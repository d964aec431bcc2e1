//! `[server.tls]`: our own TLS listener, and which of its hosts ask for client certificates.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::secret_file;
use super::table::Table;
use crate::tls::{AskedHost, BuildError, ServerCertificate, ServerNames};

/// The TLS listener.
#[derive(Debug)]
pub struct ServerTls {
    /// Where it listens.
    pub listen: Vec<SocketAddr>,
    /// How long a handshake may take, from the connection on.
    pub handshake_timeout: Duration,
    /// How many handshakes are worked on at a time.
    pub max_handshakes: usize,
    /// Certificates and keys; the first one is for connections without a server name.
    pub(super) certificates: Vec<ServerCertificate>,
}

/// Bounds of `max_handshakes`.
const HANDSHAKES: std::ops::RangeInclusive<usize> = 1..=100_000;

/// Reads `[server.tls]` of `[server]`; none when it is left out.
pub(super) fn read(server: &Table<'_>, folder: &Path, warnings: &mut Vec<String>) -> Option<ServerTls> {
    let table = server.table("tls")?;
    let certificates = certificates(&table, folder, warnings);
    let tls = ServerTls {
        listen: listen(&table),
        handshake_timeout: table.positive_duration("handshake_timeout", Duration::from_secs(10)),
        max_handshakes: table.number("max_handshakes", HANDSHAKES, 512),
        certificates,
    };
    table.finish();
    Some(tls)
}

fn listen(table: &Table<'_>) -> Vec<SocketAddr> {
    let texts = table.texts("listen");
    if texts.is_empty() {
        table.problem("listen", "is missing", "a list of addresses, like [\"0.0.0.0:8443\"]");
    }
    let parsed = texts.iter().filter_map(|text| match text.parse() {
        Ok(address) => Some(address),
        Err(_) => {
            table.problem("listen", format!("found `{text}`"), "accepted: \"address:port\"");
            None
        }
    });
    parsed.collect()
}

fn certificates(table: &Table<'_>, folder: &Path, warnings: &mut Vec<String>) -> Vec<ServerCertificate> {
    let tables = table.tables("certificates");
    if tables.is_empty() {
        table.problem("certificates", "is missing", "[{ certificate = \"tls/server.pem\", key = \"tls/server.key\" }]");
    }
    let mut read = |pair: &Table<'_>| certificate(pair, folder, warnings, ServerCertificate::from_pem);
    tables.into_iter().filter_map(|pair| pair.finishing(&mut read)).collect()
}

/// Reads `[admin.tls]` of `[admin]`; none when it is left out. The inner one is none after a problem.
pub(super) fn admin(admin: &Table<'_>, folder: &Path, warnings: &mut Vec<String>) -> Option<Option<ServerCertificate>> {
    let table = admin.table("tls")?;
    Some(table.finishing(|table| certificate(table, folder, warnings, ServerCertificate::of_any_name)))
}

type FromPem = fn(&[u8], &[u8]) -> Result<ServerCertificate, crate::tls::PemError>;

fn certificate(pair: &Table<'_>, folder: &Path, warnings: &mut Vec<String>, from_pem: FromPem) -> Option<ServerCertificate> {
    let file = |key: &str| pair.text(key).unwrap_or_default();
    let chain = pair.required_text("certificate", "a PEM file").and_then(|file| {
        let unreadable = |why| pair.problem("certificate", format!("`{file}` cannot be read: {why}"), "a PEM file");
        std::fs::read(folder.join(&file)).map_err(unreadable).ok()
    });
    let key = pair
        .required_text("key", "a PEM file")
        .and_then(|file| secret_file::read(pair, "key", folder, &file, ("a private key", "one private key, as PEM"), warnings));
    let made = from_pem(&chain?, key?.as_bytes());
    let problem = |why: crate::tls::PemError| {
        let key = if why.of_key { "key" } else { "certificate" };
        pair.problem(key, format!("`{}` {}", file(key), why.found), why.accepted);
    };
    made.map_err(problem).ok()
}

/// What the front doors of all tenants want of the listener.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    /// The hosts of `tls` front doors.
    pub(super) hosts: Vec<AskedHost>,
    /// Whether a front door proves itself by a certificate of its own.
    pub(super) mutual_tls: bool,
}

/// Joins the two. A problem is a key of `vestibule.toml`, what was found, and what is accepted.
pub(super) fn names(
    tls: Option<&ServerTls>,
    wanted: &Wanted,
    problem: impl Fn(&str, String, &str),
) -> Option<Arc<ServerNames>> {
    let Some(tls) = tls else {
        let accepted = "[server.tls] with `listen` and `certificates`";
        if let Some(host) = wanted.hosts.first() {
            let found = format!("is missing, and `{}` is reached through a front door of format `tls`", host.host);
            problem("server.tls", found, accepted);
        } else if wanted.mutual_tls {
            problem("server.tls", "is missing, and a front door has the proof `mutual_tls`".into(), accepted);
        }
        return None;
    };
    // What could not be read is a problem already.
    if tls.certificates.is_empty() {
        return None;
    }
    let told = |error: BuildError| match error {
        BuildError::NoCertificate(host) => {
            let found = format!("none is for `{host}`, which is reached through a front door of format `tls`");
            problem("server.tls.certificates", found, "a certificate with this name, or with a wildcard for it");
        }
        BuildError::CaNamesTooLong(host, bytes) => {
            let found = format!("the names of the trusted CAs of `{host}` have {bytes} bytes, too many for a handshake");
            problem("server.tls", found, "send_ca_dn = false at its front door");
        }
        BuildError::Refused(why) => problem("server.tls", why, "certificates and keys that rustls takes"),
    };
    let built = ServerNames::build(&tls.certificates, &wanted.hosts, wanted.mutual_tls);
    built.map(Arc::new).map_err(|errors| errors.into_iter().for_each(told)).ok()
}
