//! A row of the table.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use config::{Config, File, FileFormat};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use serde::Deserialize;

use super::found::Expected;
use crate::cli::inspect::instant;
use crate::cli::recorded::headers_of;
use crate::clock::UnixTime;
use crate::request_head::{Connection, RequestHead, RequestTarget, TlsPeer};
use crate::x509::certificate::Certificate;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(default)]
    test: Vec<Written>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    at: Option<String>,
    request: WrittenRequest,
    upstream_answer: Option<WrittenAnswer>,
    expect: Expected,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRequest {
    host: String,
    #[serde(default = "get")]
    method: String,
    #[serde(default = "root")]
    target: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    certificate: Option<PathBuf>,
    client_address: Option<IpAddr>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenAnswer {
    #[serde(default = "ok")]
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
}

fn get() -> String {
    "GET".into()
}

fn root() -> String {
    "/".into()
}

fn ok() -> u16 {
    200
}

/// A test.
pub(super) struct Case {
    /// Its name.
    pub(super) name: String,
    /// The instant at which it is judged.
    pub(super) now: UnixTime,
    head: RequestHead,
    /// What the upstream answers.
    pub(super) answer: (StatusCode, HeaderMap),
    /// What must be decided.
    pub(super) expect: Expected,
}

impl Case {
    /// The request, made anew.
    pub(super) fn head(&self) -> RequestHead {
        RequestHead {
            method: self.head.method.clone(),
            target: self.head.target.clone(),
            headers: self.head.headers.clone(),
            connection: self.head.connection.clone(),
        }
    }
}

/// Reads a table. Certificates are named relative to it.
///
/// # Errors
/// What is wrong, with the test's name.
pub(super) fn read(file: &Path, now: UnixTime) -> Result<Vec<Case>, String> {
    let text = std::fs::read_to_string(file).map_err(|why| format!("cannot be read: {why}"))?;
    let source = Config::builder().add_source(File::from_str(&text, FileFormat::Toml)).build();
    let table: Table = source.and_then(Config::try_deserialize).map_err(|why| why.to_string())?;
    if table.test.is_empty() {
        return Err("has no [[test]]".into());
    }
    let folder = file.parent().unwrap_or(Path::new(""));
    let case = |written: Written| {
        let name = written.name.clone();
        case(written, folder, now).map_err(|why| format!("test `{}`: {why}", name.escape_debug()))
    };
    table.test.into_iter().map(case).collect()
}

fn case(written: Written, folder: &Path, now: UnixTime) -> Result<Case, String> {
    let now =
        written.at.map_or(Ok(now), |at| instant(&at).map_err(|_| format!("`at` is `{at}`; accepted: an RFC 3339 time")))?;
    let request = written.request;
    let lines = request.headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    let mut headers = headers_of(lines)?;
    if headers.contains_key(header::HOST) {
        return Err("`host` stands beside `headers`, not in it".into());
    }
    headers.insert(header::HOST, HeaderValue::from_str(&request.host).map_err(|_| "`host` is no host name")?);
    let certificates = match &request.certificate {
        None => Vec::new(),
        Some(file) => certificates(&folder.join(file)).map_err(|why| format!("`{}`: {why}", file.display()))?,
    };
    let mut connection = Connection::from_address(request.client_address.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)));
    connection.tls = Some(Arc::new(TlsPeer { certificates, sni: Some(request.host.clone()) }));
    let head = RequestHead {
        method: Method::from_bytes(request.method.as_bytes()).map_err(|_| "`method` is no method")?,
        target: RequestTarget::parse(&request.target).map_err(|refused| refused.cause)?,
        headers,
        connection,
    };
    let answered = written.upstream_answer.unwrap_or(WrittenAnswer { status: ok(), headers: BTreeMap::new() });
    let lines = answered.headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    let answer = (StatusCode::from_u16(answered.status).map_err(|_| "`status` is no status")?, headers_of(lines)?);
    written.expect.check()?;
    for name in written.expect.header_names() {
        HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("`{name}` is no header name"))?;
    }
    Ok(Case { name: written.name, now, head, answer, expect: written.expect })
}

/// The client's certificate first, then its chain.
fn certificates(file: &Path) -> Result<Vec<Vec<u8>>, String> {
    let bytes = std::fs::read(file).map_err(|why| why.to_string())?;
    let read = Certificate::from_pem_or_der(&bytes).map_err(|why| why.to_string())?;
    Ok(read.iter().map(|certificate| certificate.der().to_vec()).collect())
}
