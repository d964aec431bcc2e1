//! A tenant's file: domains, front doors, CAs, policy, routes, rules.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use http::{HeaderName, Method};

use super::policy::PolicySettings;
use super::process::Process;
use super::table::Table;
use super::{profiles, rules, trusted_ca, upstreams};
use crate::clock::UnixTime;
use crate::front_door::{Contract, ContractHeader, Directory, Domain, DomainParts, ForwardedMismatch, FrontDoor, VerdictMode};
use crate::header_names::HeaderNames;
use crate::journey::{Authorize, ErrorStyle, Route, RoutePolicy, Tenant};
use crate::rules::RuleSet;
use crate::secret::{ApiKeys, Tag};
use crate::upstream::Upstream;

/// Which tenant is read, and where.
pub(super) struct Place<'p> {
    pub(super) name: &'p str,
    pub(super) position: usize,
    pub(super) folder: &'p Path,
    pub(super) now: UnixTime,
}

pub(super) fn read(
    table: Table<'_>,
    place: &Place<'_>,
    process: &Process,
    directory: &mut Directory,
    warnings: &mut Vec<String>,
) -> Option<Tenant> {
    let rules = rules::read(&table);
    let doors = front_doors(&table);
    domains(&table, place, process, &doors, &rules, directory);
    let trusted = trusted_ca::read(&table, place, warnings);
    let upstreams = upstreams::read(&table, place.folder);
    let profiles = profiles::read(&table, place.folder);
    let policy = PolicySettings::default().read(table.table_or_empty("policy"), place.folder);
    let read_route = |route| read_route(route, &policy, place.folder, &trusted, &upstreams);
    let routes: Vec<Route> = table.tables("routes").into_iter().filter_map(read_route).collect();
    if !table.has("routes") {
        table.problem("routes", "is missing: every request would be answered 404", "[[routes]] with `path` and `upstream`");
    }
    let styles = [("json", ErrorStyle::Json), ("problem+json", ErrorStyle::ProblemJson), ("kong", ErrorStyle::Kong)];
    let style = table.choice("error_style", &styles, ErrorStyle::Json);
    let authorize = table.table("authorize").and_then(authorize);
    table.finish();
    Some(Tenant::new(place.name.to_owned(), routes, rules, style, authorize, profiles))
}

fn authorize(table: Table<'_>) -> Option<Authorize> {
    let header = |key: &str, default: &'static str| {
        table.parsed(key, parse_header_name).unwrap_or_else(|| HeaderName::from_static(default))
    };
    let original_uri_header = header("original_uri_header", "x-original-uri");
    let original_method_header = header("original_method_header", "x-original-method");
    let path = table.required_text("path", "a path, like \"/-/authorize\"");
    table.finishing(|table| {
        let path = path?;
        if !path.starts_with('/') {
            table.problem("path", format!("found `{path}`"), "a path that starts with `/`");
        }
        Some(Authorize { path, original_uri_header, original_method_header })
    })
}

/// A front door and the names of its contract headers.
struct Door {
    front_door: Arc<FrontDoor>,
    api_key: HeaderName,
    headers: Vec<(ContractHeader, HeaderName)>,
}

fn front_doors(tenant: &Table<'_>) -> Vec<Door> {
    let tables = tenant.tables("front_doors");
    if tables.is_empty() {
        tenant.problem("front_doors", "is missing: nothing could be trusted", "[[front_doors]] with `name` and `proofs`");
    }
    tables.into_iter().filter_map(front_door).collect()
}

fn front_door(table: Table<'_>) -> Option<Door> {
    let name = table.required_text("name", "a name");
    let format = table.text("format");
    if format.as_deref().is_some_and(|format| format != "nginx") {
        table.problem("format", format!("found `{}`", format.unwrap_or_default()), "accepted: nginx");
    }
    proofs(&table);
    let front_door = FrontDoor {
        name: name.clone().unwrap_or_default(),
        certificate_header_max: table.size("certificate_header_max", 16 * 1024),
        forwarded_verdict: table.choice(
            "forwarded_verdict",
            &[("ignore", VerdictMode::Ignore), ("narrow", VerdictMode::Narrow), ("require", VerdictMode::Require)],
            VerdictMode::Ignore,
        ),
        forwarded_mismatch: table.choice(
            "forwarded_mismatch",
            &[("refuse", ForwardedMismatch::Refuse), ("report", ForwardedMismatch::Report)],
            ForwardedMismatch::Refuse,
        ),
    };
    let names = table.table_or_empty("headers");
    let header = |key: &str, default: &'static str| {
        names.parsed(key, parse_header_name).unwrap_or_else(|| HeaderName::from_static(default))
    };
    let api_key = header("cname_api_key", "cname-api-key");
    let mut headers = vec![
        (ContractHeader::Certificate, header("client_certificate", "client-certificate")),
        (ContractHeader::Verdict, header("client_certificate_ca_verified", "client-certificate-ca-verified")),
        (ContractHeader::SubjectDn, header("ssl_client_s_dn", "ssl_client_s_dn")),
        (ContractHeader::SubjectDnParsed, header("ssl_client_s_dn_parsed", "ssl_client_s_dn_parsed")),
        (ContractHeader::SignatureAlgorithm, header("ssl_client_sigalg", "ssl_client_sigalg")),
    ];
    headers.extend(names.parsed("request_id", parse_header_name).map(|name| (ContractHeader::RequestId, name)));
    names.finish();
    table.finish();
    name.map(|_| Door { front_door: Arc::new(front_door), api_key, headers })
}

/// A front door without a proof would let everybody say anything.
fn proofs(table: &Table<'_>) {
    let proofs = table.texts("proofs");
    if proofs.is_empty() {
        table.problem("proofs", "is missing: anybody could be this front door", "proofs = [\"api_key\"]");
    }
    for proof in proofs.iter().filter(|proof| *proof != "api_key") {
        table.problem("proofs", format!("found `{proof}`"), "accepted: api_key");
    }
}

fn domains(
    tenant: &Table<'_>,
    place: &Place<'_>,
    process: &Process,
    doors: &[Door],
    rules: &RuleSet,
    directory: &mut Directory,
) {
    let aliases = tenant.boolean("enable_mtls_endpoint_aliases", false);
    let tables = tenant.tables("domains");
    if tables.is_empty() {
        tenant.problem(
            "domains",
            "is missing: no request could be for this tenant",
            "[[domains]] with `name` and `cname_api_keys`",
        );
    }
    for table in tables {
        let Some(domain) = domain(&table, place, process, doors, rules) else {
            table.finish();
            continue;
        };
        let domain = Arc::new(domain);
        let mut hosts = vec![domain.name().to_owned()];
        if aliases {
            hosts.push(format!("mtls.{}", domain.name()));
        }
        for host in hosts {
            if directory.add(&host, Arc::clone(&domain)).is_err() {
                table.problem(
                    "name",
                    format!("`{host}` is a domain, or the mtls. alias of one, already"),
                    "one place for each host name",
                );
            }
        }
        table.finish();
    }
}

fn domain(table: &Table<'_>, place: &Place<'_>, process: &Process, doors: &[Door], rules: &RuleSet) -> Option<Domain> {
    let name = table.required_text("name", "a host name");
    let name = name.and_then(|name| host_name(&name).map_err(|why| table.problem("name", format!("found `{name}`"), why)).ok());
    let tags = tags(table);
    let client_ip = client_ip_header(table);
    let wanted = table.text("front_door");
    let door = match (&wanted, doors) {
        (None, [door]) => Some(door),
        (None, _) => {
            let known: Vec<&str> = doors.iter().map(|door| door.front_door.name.as_str()).collect();
            table.problem("front_door", "is missing", format!("one of {}", known.join(", ")));
            None
        }
        (Some(wanted), _) => {
            let door = doors.iter().find(|door| door.front_door.name == *wanted);
            if door.is_none() {
                table.problem("front_door", format!("there is no front door `{wanted}`"), "the name of one of [[front_doors]]");
            }
            door
        }
    };
    let door = door?;
    let mut headers = door.headers.clone();
    headers.push((ContractHeader::ClientAddress, client_ip.clone()));
    let contract = Contract::new(door.api_key.clone(), &headers)
        .map_err(|why| table.problem("", why, "different names for [front_doors.headers] and custom_client_ip_header"))
        .ok()?;
    let mut reserved = HeaderNames::default();
    for header in rules.header_names().filter(|header| !contract.claims(header.as_str())) {
        reserved.insert(header.as_str(), ());
    }
    Some(Domain::new(DomainParts {
        name: name?,
        tenant: place.position,
        front_door: Arc::clone(&door.front_door),
        contract,
        api_keys: ApiKeys::new(Arc::clone(process.pepper.as_ref()?), tags?),
        client_ip_header: client_ip,
        reserved,
    }))
}

/// The longest list of keys: the one in use, and the one that follows it.
const MOST_KEYS: usize = 2;

fn tags(table: &Table<'_>) -> Option<Vec<Tag>> {
    let texts = table.texts("cname_api_keys");
    let accepted = "one tag, or two while a key is rotated; `vestibule keygen` prints them";
    if texts.is_empty() || texts.len() > MOST_KEYS {
        table.problem("cname_api_keys", format!("found {} tags", texts.len()), accepted);
        return None;
    }
    let parsed = texts.iter().enumerate().map(|(at, text)| {
        let key = format!("cname_api_keys[{at}]");
        Tag::parse(text).map_err(|why| table.problem(&key, format!("the tag {why}"), accepted)).ok()
    });
    parsed.collect::<Vec<_>>().into_iter().collect()
}

/// Auth0's four, and no other: a front door must know which one it overwrites.
fn client_ip_header(table: &Table<'_>) -> HeaderName {
    let words = ["x-forwarded-for", "true-client-ip", "cf-connecting-ip", "x-azure-clientip"];
    let name = table.choice("custom_client_ip_header", &words.map(|word| (word, word)), "x-forwarded-for");
    HeaderName::from_static(name)
}

fn read_route(
    table: Table<'_>,
    policy: &PolicySettings,
    folder: &Path,
    trusted: &HashMap<String, Option<Arc<crate::verifier::TrustedCas>>>,
    upstreams: &HashMap<String, Option<Arc<Upstream>>>,
) -> Option<Route> {
    let path = table.required_text("path", "the start of a path, like \"/\"");
    if path.as_ref().is_some_and(|path| !path.starts_with('/')) {
        table.problem("path", format!("found `{}`", path.clone().unwrap_or_default()), "a path that starts with `/`");
    }
    let methods = table.texts("methods").iter().filter_map(|text| method(&table, text)).collect();
    let upstream =
        table.required_text("upstream", "the name of one of [upstreams]").and_then(|name| match upstreams.get(&name) {
            Some(upstream) => upstream.clone(),
            None => {
                let known: Vec<&str> = upstreams.keys().map(String::as_str).collect();
                table.problem("upstream", format!("there is no upstream `{name}`"), format!("one of {}", known.join(", ")));
                None
            }
        });
    let settings = table.table("policy").map_or_else(|| policy.clone(), |own| policy.read(own, folder));
    let policy: Option<RoutePolicy> = settings.ready(&table, trusted);
    let limit = table.size("request_body_max", 0);
    let request_body_limit = (limit > 0).then_some(limit as u64);
    table.finish();
    Some(Route { path: path?, methods, policy: policy?, upstream: upstream?, request_body_limit })
}

fn method(table: &Table<'_>, text: &str) -> Option<Method> {
    let upper = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-');
    let method = Method::from_bytes(text.as_bytes()).ok().filter(|_| upper);
    if method.is_none() {
        table.problem("methods", format!("found `{text}`"), "HTTP methods in capitals, like \"GET\"");
    }
    method
}

fn parse_header_name(text: &str) -> Result<HeaderName, String> {
    HeaderName::from_bytes(text.as_bytes()).map_err(|_| "accepted: a header name".to_owned())
}

/// A host name, lower case: labels of letters, digits and hyphens (RFC 1123 §2.1).
fn host_name(text: &str) -> Result<String, String> {
    let label = |label: &str| {
        let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !label.is_empty() && label.len() <= 63 && label.bytes().all(known) && !label.starts_with('-') && !label.ends_with('-')
    };
    if text.len() > 253 || !text.split('.').all(label) {
        return Err("accepted: a host name, without port and without final dot".into());
    }
    Ok(text.to_ascii_lowercase())
}
