//! A tenant's file: domains, front doors, CAs, policy, routes, rules.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use http::HeaderName;

use super::policy::PolicySettings;
use super::process::Process;
use super::table::Table;
use super::{profiles, routes, rules, trust_warnings, trusted_ca, upstreams};
use crate::admission::VerificationMode;
use crate::clock::UnixTime;
use crate::front_door::{Contract, ContractHeader, Directory, Domain, DomainParts, ForwardedMismatch, FrontDoor, VerdictMode};
use crate::header_names::{HeaderNames, are_aliases, is_framing};
use crate::journey::{Authorize, ErrorStyle, Route, Tenant};
use crate::rules::{Rule, RuleSet, Variable};
use crate::secret::{ApiKeys, Tag};

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
    let authorize = table.table("authorize").and_then(|endpoint| authorize(endpoint, &doors, &rules));
    domains(&table, place, process, &doors, &rules, directory);
    let trusted = trusted_ca::read(&table, place, warnings);
    let upstreams = upstreams::read(&table, place.folder);
    let profiles = profiles::read(&table, place.folder);
    let policy = PolicySettings::default().read(table.table_or_empty("policy"), place.folder);
    let routes = routes::read(&table, &policy, place.folder, &trusted, &upstreams);
    let styles = [("json", ErrorStyle::Json), ("problem+json", ErrorStyle::ProblemJson), ("kong", ErrorStyle::Kong)];
    let style = table.choice("error_style", &styles, ErrorStyle::Json);
    rules_without_certificates(&table, &routes, &rules);
    trust_warnings::profiles_without_ca(place.name, &profiles, &trusted, warnings);
    trust_warnings::weak_cas(place.name, &routes, warnings);
    table.finish();
    Some(Tenant::new(place.name.to_owned(), routes, rules, style, authorize, profiles))
}

/// Where no route looks at a certificate, a rule about certificates guards nothing.
fn rules_without_certificates(tenant: &Table<'_>, routes: &[Route], rules: &RuleSet) {
    let nobody_looks = routes.iter().all(|route| route.policy.admission.verification == VerificationMode::Off);
    if routes.is_empty() || !nobody_looks {
        return;
    }
    let asks = |rule: &&Rule| rule.criteria.variables().any(Variable::is_about_certificate);
    for rule in rules.request.iter().filter(asks) {
        let found = format!("rule `{}` asks about the certificate, and no route looks at one", rule.name);
        tenant.problem("rules", found, "`verification` other than `off` on a route, or no such rule");
    }
}

fn authorize(table: Table<'_>, doors: &[Door], rules: &RuleSet) -> Option<Authorize> {
    let header = |key: &str, default: &'static str| {
        table.parsed(key, parse_header_name).unwrap_or_else(|| HeaderName::from_static(default))
    };
    let original_uri_header = header("original_uri_header", "x-original-uri");
    let original_method_header = header("original_method_header", "x-original-method");
    let path = table.required_text("path", "a path, like \"/-/authorize\"");
    if are_aliases(original_uri_header.as_str(), original_method_header.as_str()) {
        table.problem("original_method_header", "is the name of `original_uri_header` too", "two different names");
    }
    for (key, header) in [("original_uri_header", &original_uri_header), ("original_method_header", &original_method_header)] {
        let taken = |other: &HeaderName| are_aliases(other.as_str(), header.as_str());
        let of_contract = doors.iter().any(|door| taken(&door.api_key) || door.headers.iter().any(|(_, name)| taken(name)));
        if of_contract || CLIENT_IP_HEADERS.contains(&header.as_str()) || rules.header_names().any(taken) {
            table.problem(key, format!("`{header}` has another meaning and is taken out before"), "a name of its own");
        }
    }
    table.finishing(|table| {
        let path = path?;
        routes::path_problem(table, &path);
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
    let doors: Vec<Door> = tables.into_iter().filter_map(front_door).collect();
    let mut names = HashSet::new();
    for door in doors.iter().filter(|door| !names.insert(&door.front_door.name)) {
        tenant.problem("front_doors", format!("two have the name `{}`", door.front_door.name), "one name for each");
    }
    doors
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
const CLIENT_IP_HEADERS: [&str; 4] = ["x-forwarded-for", "true-client-ip", "cf-connecting-ip", "x-azure-clientip"];

fn client_ip_header(table: &Table<'_>) -> HeaderName {
    let name = table.choice("custom_client_ip_header", &CLIENT_IP_HEADERS.map(|word| (word, word)), "x-forwarded-for");
    HeaderName::from_static(name)
}

pub(super) fn parse_header_name(text: &str) -> Result<HeaderName, String> {
    let name = HeaderName::from_bytes(text.as_bytes()).map_err(|_| "accepted: a header name".to_owned())?;
    if is_framing(name.as_str()) {
        return Err("accepted: a header name of its own; this one frames or routes the message".to_owned());
    }
    Ok(name)
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
