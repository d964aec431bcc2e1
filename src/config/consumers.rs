//! `[[consumers]]` and `consumers_file`: a TOML file with more of them, or one JSON object a line.

use std::path::Path;
use std::sync::Arc;

use config::{Config, File, FileFormat, Value, ValueKind};

use super::pem_file::{self, Wanted};
use super::problem::Collector;
use super::source::Values;
use super::table::Table;
use crate::admission::registered::{CertificateEntry, sha256};
use crate::consumer::{Consumer, ConsumerDirectory, Credential, Mapping};
use crate::variables::AttributeType;

/// The largest file of consumers: more than a million.
const LARGEST_FILE: u64 = 256 << 20;
/// The most problems that one file is told of.
const MOST_PROBLEMS: usize = 10;
/// The longest name of a consumer, group or tag, in bytes: all of them together stand in a header.
const LONGEST_NAME: usize = 255;

const CERTIFICATE: &str = "`sha256:HEX`, `spki-sha256:HEX` or `issuer-serial:SERIAL ISSUER`";
const CA: &str = "`sha256:HEX` of a CA's certificate, or a PEM file with one";
const CA_IN_FILE: &str = "`sha256:HEX` of a CA's certificate";

/// Reads every consumer of a tenant.
pub(super) fn read(tenant: &Table<'_>, folder: &Path) -> Arc<ConsumerDirectory> {
    let mut directory = ConsumerDirectory::default();
    for table in tenant.tables("consumers") {
        consumer(table, Some(folder), &mut directory);
    }
    if let Some(name) = tenant.text("consumers_file") {
        let collector = Collector::default();
        if let Err(found) = file(&folder.join(&name), &collector, &mut directory) {
            tenant.problem("consumers_file", format!("`{name}` {found}"), "a TOML file with [[consumers]], or JSON lines");
        }
        let problems = collector.into_problems();
        let more = problems.len().saturating_sub(MOST_PROBLEMS);
        for problem in problems.into_iter().take(MOST_PROBLEMS) {
            tenant.pass_on(problem);
        }
        if more > 0 {
            tenant.problem("consumers_file", format!("`{name}` has {more} more problems"), "");
        }
    }
    Arc::new(directory)
}

fn file(path: &Path, collector: &Collector, directory: &mut ConsumerDirectory) -> Result<(), String> {
    let unreadable = |why: std::io::Error| format!("cannot be read: {why}");
    let size = std::fs::metadata(path).map_err(unreadable)?.len();
    if size > LARGEST_FILE {
        return Err(format!("has {size} bytes; at most {LARGEST_FILE}"));
    }
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    let before = directory.len();
    let place = path.display().to_string();
    if path.extension().is_some_and(|ending| ending == "toml") {
        let read = Config::builder().add_source(File::from_str(&text, FileFormat::Toml)).build();
        let read = read.and_then(|config| config.cache.into_table()).map_err(|_| "is not TOML".to_owned())?;
        let values = Values { file: place, values: read.into_iter().collect(), ..Values::default() };
        let table = Table::of(values, collector);
        table.tables("consumers").into_iter().for_each(|table| consumer(table, None, directory));
        table.finish();
    } else {
        for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let read = serde_json::from_str(line).map_err(|why| format!("line {}: is not JSON: {why}", at + 1))?;
            let ValueKind::Table(entries) = value(read).kind else {
                return Err(format!("line {}: is no JSON object", at + 1));
            };
            let values =
                Values { file: format!("{place}:{}", at + 1), values: entries.into_iter().collect(), ..Values::default() };
            consumer(Table::of(values, collector), None, directory);
        }
    }
    // A file that was emptied by accident would make strangers of everybody.
    if directory.len() == before { Err("holds no consumer that can be read".to_owned()) } else { Ok(()) }
}

fn value(json: serde_json::Value) -> Value {
    use serde_json::Value as Json;
    let kind = match json {
        Json::Null => ValueKind::Nil,
        Json::Bool(flag) => ValueKind::Boolean(flag),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => ValueKind::I64(whole),
            None => ValueKind::Float(number.as_f64().unwrap_or_default()),
        },
        Json::String(text) => ValueKind::String(text),
        Json::Array(values) => ValueKind::Array(values.into_iter().map(value).collect()),
        Json::Object(entries) => ValueKind::Table(entries.into_iter().map(|(key, one)| (key, value(one))).collect()),
    };
    Value::new(None, kind)
}

/// Reads one consumer. CAs may stand in files only where those files are watched: in a tenant's own file, with a folder.
fn consumer(table: Table<'_>, folder: Option<&Path>, directory: &mut ConsumerDirectory) {
    let id = table.required_text("id", "a name that no other consumer has").and_then(|id| name(&table, "id", id));
    let optional = |key: &str| table.text(key).and_then(|text| name(&table, key, text));
    let (username, custom_id) = (optional("username"), optional("custom_id"));
    let list = |key: &str| table.texts(key).into_iter().filter_map(|text| listed(&table, key, text)).collect();
    let (groups, tags) = (list("groups"), list("tags"));
    let credentials = table.tables("credentials").into_iter().filter_map(|one| credential(one, folder)).collect();
    if let Some(id) = id
        && let Err(problems) = directory.add(Consumer { id, username, custom_id, groups, tags }, credentials)
    {
        for (key, found) in problems {
            table.problem(&key, found, "one consumer for each");
        }
    }
    table.finish();
}

fn name(table: &Table<'_>, key: &str, text: String) -> Option<String> {
    let good = !text.is_empty() && text.len() <= LONGEST_NAME && text.trim() == text && !text.chars().any(char::is_control);
    if !good {
        let accepted = format!("1 to {LONGEST_NAME} bytes without control characters and without spaces at the ends");
        table.problem(key, format!("found {text:?}"), accepted);
    }
    good.then_some(text)
}

/// Lists go to the upstream in one header.
fn listed(table: &Table<'_>, key: &str, text: String) -> Option<String> {
    if text.contains(',') {
        table.problem(key, format!("found `{text}`"), "names without a comma");
        return None;
    }
    name(table, key, text)
}

fn credential(table: Table<'_>, folder: Option<&Path>) -> Option<Credential> {
    let id = table.text("id").and_then(|id| name(&table, "id", id));
    let mapping = mapping(&table);
    let ca = table.parsed("ca_certificate", |text| ca_certificate(text, folder));
    table.finishing(|table| {
        let scoped = table.has("ca_certificate");
        if scoped && matches!(mapping, Some(Mapping::Certificate(_))) {
            table.problem(
                "ca_certificate",
                "has no effect beside `certificate`, which names one certificate",
                "one of the two",
            );
        }
        let ca_certificate = if scoped { Some(ca?) } else { None };
        Some(Credential { id, mapping: mapping?, ca_certificate })
    })
}

const KINDS: [&str; 4] = ["certificate", "san_uri", "subject", "subject_name"];

fn mapping(table: &Table<'_>) -> Option<Mapping> {
    let certificate = table
        .parsed("certificate", |text| CertificateEntry::parse(text).map_err(|why| format!("accepted: {CERTIFICATE}; {why}")));
    let text = |key: &str| table.text(key).and_then(|text| name(table, key, text));
    let san_uri = table.parsed("san_uri", |text| {
        let scheme = text.split_once(':').is_some_and(|(scheme, rest)| !scheme.is_empty() && !rest.is_empty());
        scheme.then(|| text.to_owned()).ok_or_else(|| "a URI, like \"spiffe://example.org/payments\"".to_owned())
    });
    let subject_name = text("subject_name").map(|name| match name.parse::<std::net::IpAddr>() {
        Ok(address) => address.to_string(),
        Err(_) => name,
    });
    let subject = table.has("subject").then(|| subject(table)).flatten();
    let written: Vec<&str> = KINDS.into_iter().filter(|kind| table.has(kind)).collect();
    if written.len() != 1 {
        table.problem("", format!("has {} of {}", written.len(), KINDS.join(", ")), "exactly one");
        return None;
    }
    let certificate = certificate.map(Mapping::Certificate);
    certificate.or(san_uri.map(Mapping::SanUri)).or(subject_name.map(Mapping::SubjectName)).or(subject.map(Mapping::Subject))
}

fn subject(table: &Table<'_>) -> Option<Vec<(AttributeType, String)>> {
    const ACCEPTED: &str = "one or more attributes by OpenSSL's short name or OID, like { O = \"Acme\", OU = \"Payments\" }";
    let mut attributes: Vec<(AttributeType, String)> = Vec::new();
    let written = table.named_texts("subject");
    let mut whole = !written.is_empty();
    for (kind, value) in written {
        match AttributeType::parse(&kind) {
            Some(kind) if !value.is_empty() && attributes.iter().all(|(known, _)| known.oid() != kind.oid()) => {
                attributes.push((kind, value));
            }
            _ => whole = false,
        }
    }
    if !whole {
        table.problem("subject", "has no attribute, an unknown one, an empty one, or one twice", ACCEPTED);
    }
    whole.then_some(attributes)
}

fn ca_certificate(text: &str, folder: Option<&Path>) -> Result<[u8; 32], String> {
    if let Some(digits) = text.strip_prefix("sha256:") {
        return sha256(digits).ok_or_else(|| format!("accepted: {CA}; a SHA-256 is 64 hexadecimal digits"));
    }
    let folder = folder.ok_or_else(|| format!("accepted: {CA_IN_FILE}"))?;
    let blocks = pem_file::blocks(&folder.join(text), Wanted::Certificates).map_err(|(found, _)| format!("{found}: {CA}"))?;
    match blocks.as_slice() {
        [der] => Ok(openssl::sha::sha256(der)),
        _ => Err(format!("holds {} certificates: {CA}", blocks.len())),
    }
}
