//! `[[domains]]`: host names, and what a request for them must bring.

use std::sync::Arc;

use http::HeaderName;

use super::front_doors::Door;
use super::own_tls::OwnHost;
use super::process::{ACCEPTED_PEPPER, NoPepper, Process};
use super::table::Table;
use super::tenant::Place;
use crate::consumer::ConsumerVariable;
use crate::front_door::{CERTIFICATE_HEADERS, Contract, ContractHeader, Directory, Domain, DomainParts, PRESETS};
use crate::header_names::{HeaderNames, are_aliases};
use crate::identity_headers::{DEFAULT_HEADERS, IdentitySettings};
use crate::journey::Debugging;
use crate::oauth::{CLIENT_ID_HEADER, CLIENT_METHOD_HEADER};
use crate::rules::RuleSet;
use crate::secret::{ApiKeys, Tag};

/// What sets headers of its own, which nobody else may send.
#[derive(Clone, Copy)]
pub(super) struct OwnHeaders<'o> {
    pub(super) rules: &'o RuleSet,
    pub(super) identity: &'o IdentitySettings,
}

pub(super) fn read(
    tenant: &Table<'_>,
    place: &Place<'_>,
    process: &Process,
    doors: &[Door],
    ours: OwnHeaders<'_>,
    directory: &mut Directory,
    mtls_hosts: Option<&str>,
) -> Vec<OwnHost> {
    let mut own_hosts = Vec::new();
    let tables = tenant.tables("domains");
    let has_custom = process.management.as_ref().is_some_and(|management| management.registry.tenant == place.name);
    if tables.is_empty() && !has_custom {
        tenant.problem(
            "domains",
            "is missing: no request could be for this tenant",
            "[[domains]] with `name` and `cname_api_keys`",
        );
    }
    for table in tables {
        let Some((domain, door)) = domain(&table, place, process, (doors, mtls_hosts), ours) else {
            table.finish();
            continue;
        };
        let domain = Arc::new(domain);
        let mut hosts = vec![domain.name().to_owned()];
        hosts.extend(domain.mtls_host().map(str::to_owned));
        if let Some(asking) = door.own_tls {
            let own = |host: &String| OwnHost { host: host.clone(), is_alias: host != domain.name(), asking };
            own_hosts.extend(hosts.iter().map(own));
        }
        for host in hosts {
            if directory.add(&host, Arc::clone(&domain)).is_err() {
                table.problem(
                    "name",
                    format!("`{host}` is a domain, or the mTLS host of one, already"),
                    "one place for each host name",
                );
            }
        }
        table.finish();
    }
    own_hosts
}

fn domain<'d>(
    table: &Table<'_>,
    place: &Place<'_>,
    process: &Process,
    (doors, mtls_hosts): (&'d [Door], Option<&str>),
    ours: OwnHeaders<'_>,
) -> Option<(Domain, &'d Door)> {
    let name = table.required_text("name", "a host name");
    let name = name.and_then(|name| host_name(&name).map_err(|why| table.problem("name", format!("found `{name}`"), why)).ok());
    let mtls_host = match (mtls_hosts, &name) {
        (Some(prefix), Some(name)) => mtls_host(table, prefix, name),
        _ => None,
    };
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
    let api_keys = api_keys(table, door, process);
    let door = door?;
    let mut headers = door.headers.clone();
    if door.own_tls.is_none() {
        headers.push((ContractHeader::ClientAddress, client_ip.clone()));
    } else if table.has("custom_client_ip_header") {
        let found = "has no effect: clients connect to us, and the connection says their address";
        table.problem("custom_client_ip_header", found, "no such key with a front door of format `tls`");
    }
    let contract = Contract::new(door.api_key.clone(), &headers)
        .map_err(|why| table.problem("", why, "different names for [front_doors.headers] and custom_client_ip_header"))
        .ok()?;
    let reserved = reserved(door, &contract, ours, process.debugging.as_ref(), table);
    let parts = DomainParts {
        name: name?,
        mtls_host,
        tenant: place.position,
        front_door: Arc::clone(&door.front_door),
        contract,
        api_keys: api_keys?,
        client_ip_header: client_ip,
        reserved,
    };
    Some((Domain::new(parts), door))
}

/// The headers that only we set, and those of other front doors where we are the front door.
pub(super) fn reserved(
    door: &Door,
    contract: &Contract,
    ours: OwnHeaders<'_>,
    debugging: Option<&Debugging>,
    table: &Table<'_>,
) -> HeaderNames<()> {
    let mut reserved = HeaderNames::default();
    let of_presets = PRESETS.iter().flat_map(|preset| preset.headers).map(|(_, name)| name);
    let forwarded = CERTIFICATE_HEADERS.iter().chain(of_presets);
    for header in forwarded.filter(|header| door.own_tls.is_some() && !contract.claims(header)) {
        reserved.insert(header, ());
    }
    for header in [CLIENT_ID_HEADER, CLIENT_METHOD_HEADER].iter().filter(|header| !contract.claims(header.as_str())) {
        reserved.insert(header.as_str(), ());
    }
    for header in ours.rules.header_names().filter(|header| !contract.claims(header.as_str())) {
        reserved.insert(header.as_str(), ());
    }
    // Whoever is behind us may believe Kong's headers and ours, also where we set none of them.
    let of_consumers = ConsumerVariable::UPSTREAM_HEADERS.iter().map(|(header, _)| *header);
    for header in of_consumers.chain(DEFAULT_HEADERS).filter(|header| !contract.claims(header)) {
        reserved.insert(header, ());
    }
    for header in ours.identity.header_names() {
        if contract.claims(header.as_str()) {
            let found = format!("`{header}` of [identity] is a header of the contract, too");
            table.problem("", found, "a `header` in [identity.token] or [identity.user] with a name of its own");
        }
        reserved.insert(header.as_str(), ());
    }
    if let Some(header) = debugging.map(|debugging| &debugging.header) {
        if contract.claims(header.as_str()) || ours.rules.header_names().any(|own| are_aliases(own.as_str(), header.as_str())) {
            let found = format!("`{header}` of [debug] is a header of the contract or of a rule, too");
            table.problem("", found, "`debug.header` in vestibule.toml with a name of its own");
        }
        reserved.insert(header.as_str(), ());
    }
    reserved
}

fn mtls_host(table: &Table<'_>, prefix: &str, name: &str) -> Option<String> {
    let host = host_name(&format!("{prefix}{name}"));
    if host.is_err() {
        let found = format!("`{prefix}{name}`, with `mtls_host_prefix`, is no host name");
        table.problem("name", found, "a shorter name or prefix: labels have 63 characters, names 253");
    }
    host.ok()
}

/// The longest list of keys: the one in use, and the one that follows it.
const MOST_KEYS: usize = 2;

/// The keys that the front door sends for this domain. The outer option is none after a problem.
fn api_keys(table: &Table<'_>, door: Option<&Door>, process: &Process) -> Option<Option<ApiKeys>> {
    let Some(door) = door.filter(|door| !door.front_door.proofs.need_api_keys()) else {
        let tags = tags(table)?;
        if process.pepper.as_ref().is_err_and(|why| *why == NoPepper::NotNamed) {
            let accepted = format!("in vestibule.toml, `secrets.pepper_file` = a file with {ACCEPTED_PEPPER}");
            table.problem("cname_api_keys", "cannot be checked: there is no pepper", accepted);
        }
        return Some(Some(ApiKeys::new(Arc::clone(process.pepper.as_ref().ok()?), tags)));
    };
    if table.has("cname_api_keys") {
        let found = format!("has no effect: the front door `{}` does not prove itself by a key", door.front_door.name);
        table.problem("cname_api_keys", found, "no such key, or \"api_key\" among the `proofs` of the front door");
    }
    Some(None)
}

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
pub(super) const CLIENT_IP_HEADERS: [&str; 4] = ["x-forwarded-for", "true-client-ip", "cf-connecting-ip", "x-azure-clientip"];

fn client_ip_header(table: &Table<'_>) -> HeaderName {
    let name = table.choice("custom_client_ip_header", &CLIENT_IP_HEADERS.map(|word| (word, word)), "x-forwarded-for");
    HeaderName::from_static(name)
}

/// A host name, lower case: labels of letters, digits and hyphens (RFC 1123 §2.1).
pub(super) fn host_name(text: &str) -> Result<String, String> {
    let label = |label: &str| {
        let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !label.is_empty() && label.len() <= 63 && label.bytes().all(known) && !label.starts_with('-') && !label.ends_with('-')
    };
    if text.len() > 253 || !text.split('.').all(label) {
        return Err("accepted: a host name, without port and without final dot".into());
    }
    Ok(text.to_ascii_lowercase())
}
