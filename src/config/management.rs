//! `[management]` and `[store]`: the management API, and the custom domains that are created by it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::domains::{CLIENT_IP_HEADERS, OwnHeaders, host_name, reserved};
use super::front_doors::Door;
use super::process::{ACCEPTED_PEPPER, NoPepper, Process};
use super::table::Table;
use super::tenant::Place;
use super::{oauth, secret_file};
use crate::domains::{DatabaseUrl, DnsSettings, RegistrySettings, StoreLocation};
use crate::front_door::{Contract, ContractHeader, CustomContract, CustomTemplate};
use crate::manage::{AdminClient, AdminClients, AdminToken, RateLimits, Scope};
use crate::oauth::Issuer;
use crate::secret::{Pepper, Tag};
use http::HeaderName;

/// The management API.
#[derive(Debug, Clone)]
pub struct ManagementSettings {
    /// Where the store is.
    pub store: StoreLocation,
    /// What custom domains have in common, their tenant among it.
    pub registry: RegistrySettings,
    /// The front door of the tenant that they are reached through.
    pub front_door: String,
    /// Who may ask for what.
    pub tokens: Vec<AdminToken>,
    /// Clients that get tokens.
    pub clients: Option<AdminClients>,
    /// Authorization servers whose tokens are taken.
    pub issuers: Vec<Arc<Issuer>>,
    /// How often.
    pub limits: RateLimits,
}

/// The settings, when there is a table `[management]`. Something must stand for a table with a problem.
pub(super) fn read(
    process: &Table<'_>,
    folder: &Path,
    (admin, has_tls): (Option<SocketAddr>, bool),
    pepper: &Result<Arc<Pepper>, NoPepper>,
    warnings: &mut Vec<String>,
) -> Option<ManagementSettings> {
    let (store, table) = (process.table_or_empty("store"), process.table_or_empty("management"));
    let settings = settings(&table, &store, folder, warnings);
    if !process.has("management") {
        if process.has("store") {
            process.problem("store", "has no effect without [management]", "[management], or no [store]");
        }
        return None;
    }
    match admin {
        None => process.problem("management", "is served by the admin listener, and there is none", "`listen` in [admin]"),
        Some(address) if !address.ip().is_loopback() && !has_tls => {
            let found = format!("would be served in clear text to others: `admin.listen` is {address}");
            process.problem("management", found, "[admin.tls], or an address of this machine alone, like \"127.0.0.1:9180\"");
        }
        Some(_) => {}
    }
    if pepper.as_ref().is_err_and(|why| *why == NoPepper::NotNamed) {
        let accepted = format!("`secrets.pepper_file` = a file with {ACCEPTED_PEPPER}");
        process.problem("management", "issues keys, and there is no pepper to keep their tags under", accepted);
    }
    for key in ["tenant", "front_door", "origin_domain"].into_iter().filter(|key| !table.has(key)) {
        table.problem(key, "is missing", accepted(key));
    }
    if !table.has("tokens") && !table.has("clients") && !table.has("issuers") {
        table.problem("tokens", "is missing: nobody could ask for anything", accepted("tokens"));
    }
    store.finish();
    table.finish();
    settings
}

fn accepted(key: &str) -> &'static str {
    match key {
        "tenant" => "the name of the tenant that custom domains belong to",
        "front_door" => "the name of the front door of that tenant that they are reached through",
        "origin_domain" => "a host name below which origin domain names stand, like \"edge.example.com\"",
        _ => "[[management.tokens]] with `name`, `tag` and `scopes`; `vestibule keygen --admin-token` makes one",
    }
}

fn settings(table: &Table<'_>, store: &Table<'_>, folder: &Path, warnings: &mut Vec<String>) -> Option<ManagementSettings> {
    let (tenant, front_door) = (table.text("tenant"), table.text("front_door"));
    let origin_domain = table.parsed("origin_domain", host_name);
    let servers = table.texts("dns_servers");
    let read = servers.iter().map(|text| {
        let accepted = "accepted: a list of \"address:port\"";
        text.parse().map_err(|_| table.problem("dns_servers", format!("found `{text}`"), accepted)).ok()
    });
    let dns = DnsSettings {
        servers: read.collect::<Vec<_>>().into_iter().flatten().collect(),
        timeout: table.positive_duration("dns_timeout", Duration::from_secs(3)),
    };
    let recheck = table.positive_duration("recheck_interval", Duration::from_secs(300)).as_secs();
    let limits = RateLimits {
        burst: number(table, "burst", 50),
        per_second: number(table, "requests_per_second", 16),
        verifications_per_minute: number(table, "verifications_per_minute", 5),
    };
    let tokens = table.tables("tokens").into_iter().filter_map(token).collect();
    let clients = clients(table);
    let issuers = table.named_tables("issuers").into_iter();
    let issuers = issuers.filter_map(|(_, table)| oauth::issuer(table, folder, warnings).map(Arc::new)).collect();
    let place = location(store, folder, warnings);
    let snapshot_file = store.text("snapshot_file").map(|file| folder.join(file));
    let recheck = u32::try_from(recheck).unwrap_or(u32::MAX);
    Some(ManagementSettings {
        store: place,
        registry: RegistrySettings { tenant: tenant?, origin_domain: origin_domain?, dns, recheck, snapshot_file },
        front_door: front_door?,
        tokens,
        clients,
        issuers,
        limits,
    })
}

/// Where the store is. Something must stand for a table with a problem.
fn location(store: &Table<'_>, folder: &Path, warnings: &mut Vec<String>) -> StoreLocation {
    let file = folder.join(store.text("file").unwrap_or_else(|| "vestibule.sqlite".into()));
    if !store.has("url") {
        for key in ["password_file", "snapshot_file"].into_iter().filter(|key| store.has(key)) {
            store.problem(key, "has no effect", format!("`url`, or no `{key}`"));
        }
        return StoreLocation::File(file);
    }
    if store.has("file") {
        store.problem("file", "has no effect beside `url`", "one of the two");
    }
    let of = ("the password of the database", "the password alone");
    let password = store.text("password_file");
    let password = password.and_then(|file| secret_file::read(store, "password_file", folder, &file, of, warnings));
    let password = password.as_ref().map(|password| password.trim());
    // A URL that is refused may hold a password.
    let url = store.text("url").and_then(|text| {
        let shown = if text.contains('@') { "***" } else { &text };
        DatabaseUrl::parse(&text, password).map_err(|why| store.problem("url", format!("found `{shown}`"), why)).ok()
    });
    url.map_or(StoreLocation::File(file), StoreLocation::Database)
}

fn number(table: &Table<'_>, key: &str, default: u32) -> u32 {
    u32::try_from(table.number(key, 1..=1_000_000, default as usize)).unwrap_or(default)
}

fn token(table: Table<'_>) -> Option<AdminToken> {
    let name = table.required_text("name", "a name, for the audit log");
    let accepted = "the tag that `vestibule keygen --admin-token` prints";
    let tag = table.required_text("tag", accepted);
    let tag = tag.and_then(|tag| Tag::parse(&tag).map_err(|why| table.problem("tag", format!("it {why}"), accepted)).ok());
    let scopes = scopes(&table);
    table.finish();
    Some(AdminToken { name: name?, tag: tag?, scopes })
}

fn scopes(table: &Table<'_>) -> Vec<Scope> {
    let words: Vec<&str> = Scope::ALL.iter().map(|(_, word)| *word).collect();
    let texts = table.texts("scopes");
    if texts.is_empty() {
        table.problem("scopes", "allows nothing", format!("some of {}", words.join(", ")));
    }
    let mut scopes = Vec::new();
    for text in &texts {
        match Scope::parse(text) {
            Some(scope) => scopes.push(scope),
            None => table.problem("scopes", format!("found `{text}`"), format!("accepted: {}", words.join(", "))),
        }
    }
    scopes
}

/// A day: a token cannot be called back.
const LONGEST_LIFETIME: Duration = Duration::from_secs(86_400);

/// Clients that get tokens for their secrets; none when there are none.
fn clients(table: &Table<'_>) -> Option<AdminClients> {
    let clients: Vec<AdminClient> = table.tables("clients").into_iter().filter_map(client).collect();
    let audience = table.parsed("audience", audience);
    let lifetime = table.positive_duration("token_lifetime", Duration::from_secs(900));
    if lifetime > LONGEST_LIFETIME || lifetime.subsec_nanos() > 0 {
        table.problem("token_lifetime", format!("found {lifetime:?}"), "accepted: whole seconds, up to \"24h\"");
    }
    if !table.has("clients") {
        for key in ["audience", "token_lifetime"].into_iter().filter(|key| table.has(key)) {
            table.problem(key, "has no effect without [[management.clients]]", format!("a client, or no `{key}`"));
        }
        return None;
    }
    if !table.has("audience") {
        table.problem("audience", "is missing, and there are clients", AUDIENCE);
    }
    for (position, client) in clients.iter().enumerate() {
        if clients.iter().take(position).any(|other| other.client_id == client.client_id) {
            table.problem("clients", format!("two have the client_id `{}`", client.client_id), "one each");
        }
    }
    Some(AdminClients { audience: audience?, lifetime: u32::try_from(lifetime.as_secs()).ok()?, clients })
}

const AUDIENCE: &str = "where the SDKs find the API, like \"https://manage.example.com/api/v2/\"";

fn audience(text: &str) -> Result<String, String> {
    let host = text.strip_prefix("https://").and_then(|rest| rest.strip_suffix("/api/v2/"));
    let named = host.is_some_and(|host| !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/'));
    if named { Ok(text.to_owned()) } else { Err(format!("accepted: {AUDIENCE}")) }
}

fn client(table: Table<'_>) -> Option<AdminClient> {
    let client_id = table.required_text("client_id", "an id, which stands in the audit log too");
    let accepted = "one tag, or two while the secret is changed; `vestibule keygen --admin-token` prints them";
    let texts = table.texts("client_secrets");
    if texts.is_empty() || texts.len() > 2 {
        table.problem("client_secrets", format!("found {} tags", texts.len()), accepted);
    }
    let secrets = texts.iter().filter_map(|tag| {
        Tag::parse(tag).map_err(|why| table.problem("client_secrets", format!("a tag {why}"), accepted)).ok()
    });
    let (secrets, scopes) = (secrets.collect(), scopes(&table));
    table.finish();
    Some(AdminClient { client_id: client_id?, secrets, scopes })
}

/// What the custom domains of a tenant have in common; none when they are another tenant's.
pub(super) fn template(
    tenant: &Table<'_>,
    place: &Place<'_>,
    process: &Process,
    doors: &[Door],
    ours: OwnHeaders<'_>,
) -> Option<CustomTemplate> {
    let settings = process.management.as_ref().filter(|settings| settings.registry.tenant == place.name)?;
    let wanted = &settings.front_door;
    let Some(door) = doors.iter().find(|door| door.front_door.name == *wanted) else {
        let found = format!("there is no front door `{wanted}`, which [management] names");
        tenant.problem("front_doors", found, "the name of one of them as `management.front_door`");
        return None;
    };
    if !door.front_door.proofs.need_api_keys() {
        let found = format!("`{wanted}` does not prove itself by a key, and custom domains have keys");
        tenant.problem("front_doors", found, "\"api_key\" among its `proofs`, or another `management.front_door`");
        return None;
    }
    let contracts = CLIENT_IP_HEADERS.iter().filter_map(|name| {
        let client_ip_header = HeaderName::from_static(name);
        let mut headers = door.headers.clone();
        headers.push((ContractHeader::ClientAddress, client_ip_header.clone()));
        let accepted = "other names in [front_doors.headers]: a custom domain may choose any header with the client's address";
        let contract = Contract::new(door.api_key.clone(), &headers)
            .map_err(|why| tenant.problem("front_doors", format!("`{wanted}`: {why}"), accepted))
            .ok()?;
        let reserved = Arc::new(reserved(door, &contract, ours, process.debugging.as_ref(), tenant));
        Some(CustomContract { client_ip_header, contract: Arc::new(contract), reserved })
    });
    let contracts = contracts.collect();
    Some(CustomTemplate { tenant: place.position, front_door: Arc::clone(&door.front_door), contracts })
}
