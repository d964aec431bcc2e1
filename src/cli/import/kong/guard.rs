//! What stands before each route: a certificate, groups, and what cannot be carried over.

use std::collections::BTreeMap;

use serde_json::Value;

use super::auth::{self, Auth, Kind};
use super::document::{Document, Plugin};
use super::entity::Strict;
use super::person::People;
use crate::cli::import::fields::Fields;
use crate::cli::import::remark::Report;

/// Plugins that never decide who gets in: without them more is logged elsewhere, slower or otherwise shaped, and nobody new
/// passes. Every other plugin that is not known here closes the routes that it stands before.
const NOT_GUARDS: [&str; 28] = [
    "ai-prompt-decorator",
    "canary",
    "correlation-id",
    "cors",
    "datadog",
    "exit-transformer",
    "file-log",
    "forward-proxy",
    "graphql-proxy-cache-advanced",
    "grpc-gateway",
    "grpc-web",
    "http-log",
    "kafka-log",
    "loggly",
    "opentelemetry",
    "prometheus",
    "proxy-cache",
    "proxy-cache-advanced",
    "rate-limiting",
    "rate-limiting-advanced",
    "request-size-limiting",
    "response-ratelimiting",
    "session",
    "statsd",
    "syslog",
    "tcp-log",
    "tls-metadata-headers",
    "zipkin",
];

/// Plugins that change requests on their way.
const TRANSFORMERS: [&str; 2] = ["request-transformer", "request-transformer-advanced"];

/// Plugins that change answers.
const ANSWERS: [&str; 3] = ["jq", "response-transformer", "response-transformer-advanced"];

/// The plugin acl.
#[derive(Debug, Default)]
pub(super) struct Acl {
    pub(super) allow: Vec<String>,
    pub(super) deny: Vec<String>,
    /// Whether consumer groups count beside those of `acls`.
    pub(super) include_consumer_groups: bool,
    closed: Vec<String>,
}

impl Acl {
    /// Takes in which consumer groups no consumer has here: to deny one of them would deny nobody.
    pub(super) fn settle(&mut self, counted: &BTreeMap<String, bool>) {
        let lost = |group: &String| counted.get(group) == Some(&false);
        if self.include_consumer_groups && self.deny.iter().any(lost) {
            self.closed
                .push("acl denies a consumer group that is not carried over, since another acl must not count it".into());
        }
    }

    pub(super) fn names(&self, group: &str) -> bool {
        self.allow.iter().chain(&self.deny).any(|named| named == group)
    }
}

/// What a plugin is for us.
pub(super) enum Role {
    Auth(Box<Auth>),
    Acl(Acl),
    Guard,
    Other,
}

/// Reads every plugin's configuration.
pub(super) fn roles(plugins: &[Plugin<'_>], report: &mut Report) -> Vec<Role> {
    plugins.iter().map(|plugin| role(plugin, report)).collect()
}

fn role(plugin: &Plugin<'_>, report: &mut Report) -> Role {
    if let Some(kind) = Kind::of(&plugin.name) {
        return Role::Auth(Box::new(auth::read(kind, plugin, report)));
    }
    if plugin.name == "acl" {
        return Role::Acl(acl(plugin, report));
    }
    if plugin.name == "tls-metadata-headers" {
        let text =
            "headers about the certificate: write [upstream_headers], like \"x-client-cert\" = \"${ssl_client_escaped_cert}\"";
        report.left_out(&plugin.place, text);
        return Role::Other;
    }
    if TRANSFORMERS.contains(&plugin.name.as_str()) && !leads_elsewhere(plugin) {
        let text = "is not carried over: what it takes out of requests, or sets in them, comes as the client says it. Rules do that \
                    here (`filter_request_header`, `add_request_header`)";
        report.weaker(&plugin.place, text);
        return Role::Other;
    }
    if ANSWERS.contains(&plugin.name.as_str()) {
        report.weaker(&plugin.place, "is not carried over: what it takes out of answers reaches clients");
        return Role::Other;
    }
    if NOT_GUARDS.contains(&plugin.name.as_str()) {
        report.left_out(&plugin.place, "is not carried over; nobody gets in for that");
        return Role::Other;
    }
    report.left_out(&plugin.place, "may decide who gets in, and is not carried over: its routes are closed");
    Role::Guard
}

/// Whether requests reach another path or method than the one that clients ask for: without it they would reach what they never did.
fn leads_elsewhere(plugin: &Plugin<'_>) -> bool {
    let said = |value: Option<&Value>| value.is_some_and(|value| !value.is_null());
    let Some(config) = plugin.config else { return false };
    said(config.get("http_method")) || said(config.get("replace").and_then(|replace| replace.get("uri")))
}

fn acl(plugin: &Plugin<'_>, report: &mut Report) -> Acl {
    let empty = serde_json::Map::new();
    let mut fields = plugin.config.and_then(Fields::of).unwrap_or_else(|| Fields::of_map(&empty));
    let mut strict = Strict { fields: &mut fields, problems: Vec::new() };
    // Until 3.0 they were called otherwise.
    let mut either = |now, before| strict.texts(now).or_else(|| strict.texts(before)).unwrap_or_default();
    let (allow, deny) = (either("allow", "whitelist"), either("deny", "blacklist"));
    let include_consumer_groups = strict.flag("include_consumer_groups").unwrap_or(false);
    if strict.flag("hide_groups_header") == Some(true) {
        report.left_out(&plugin.place, "`hide_groups_header`: the upstream gets `X-Consumer-Groups` with every consumer");
    }
    // Here a request has either a consumer or an authenticated group.
    strict.flag("always_use_authenticated_groups");
    let mut closed = std::mem::take(&mut strict.problems);
    if plugin.personal {
        closed.push("its groups are for one consumer alone".into());
    }
    if allow.is_empty() && deny.is_empty() {
        closed.push("acl names no groups".into());
    }
    if allow.iter().chain(&deny).any(|group| group.contains(',') || group.trim() != group) {
        closed.push("acl names a group that cannot stand in a list of groups".into());
    }
    if report.unknown(&plugin.place, &fields) {
        closed.push("acl has fields that are not known".into());
    }
    Acl { allow, deny, include_consumer_groups, closed }
}

/// What stands before a route.
#[derive(Default)]
pub(super) struct Guard<'r> {
    pub(super) auth: Option<&'r Auth>,
    pub(super) acl: Option<&'r Acl>,
    /// Why nobody may pass.
    pub(super) closed: Vec<String>,
}

/// Puts the plugins together: of each name the one with the most specific scope counts alone, as in Kong.
pub(super) fn of_route<'r>(at: usize, document: &Document<'_>, roles: &'r [Role]) -> Guard<'r> {
    let mut guard = Guard::default();
    let Some(route) = document.routes.get(at) else { return guard };
    let covers = |plugin: &Plugin<'_>| {
        plugin.route.is_none_or(|of| of == at) && plugin.service.is_none_or(|of| Some(of) == route.service)
    };
    let score = |plugin: &Plugin<'_>| (plugin.route.is_some(), plugin.service.is_some());
    for (plugin, role) in document.plugins.iter().zip(roles).filter(|(plugin, _)| covers(plugin)) {
        let mut others = document.plugins.iter().filter(|other| other.name == plugin.name && covers(other));
        if others.any(|other| score(other) > score(plugin)) && !plugin.personal {
            continue;
        }
        match role {
            Role::Auth(auth) => match guard.auth.replace(auth) {
                Some(before) if before.kind == auth.kind => guard.closed.push(format!("two plugins {}", auth.kind.plugin())),
                Some(_) => guard.closed.push("both mtls-auth and header-cert-auth stand before it".into()),
                None => guard.closed.extend(auth.closed.iter().cloned()),
            },
            Role::Acl(acl) => {
                guard.closed.extend(acl.closed.iter().cloned());
                if guard.acl.replace(acl).is_some() {
                    guard.closed.push("two plugins acl".into());
                }
            }
            Role::Guard => guard.closed.push(format!("the plugin `{}` is not carried over", plugin.name)),
            Role::Other => {}
        }
    }
    if guard.acl.is_some() && guard.auth.is_none() {
        guard.closed.push("acl asks for groups, and no plugin that is carried over says who it is".into());
    }
    if let Some(auth) = guard.auth {
        authorities(auth, document, &mut guard.closed);
        people(auth, &document.people, &mut guard.closed);
    }
    match route.service.map(|service| document.services.get(service)) {
        Some(Some(service)) => guard.closed.extend(service.unusable.clone()),
        _ => guard.closed.push("it has no service".into()),
    }
    guard
}

fn authorities(auth: &Auth, document: &Document<'_>, closed: &mut Vec<String>) {
    let found = |id: &String| document.authorities.iter().find(|authority| authority.names.are(id));
    let all: Vec<_> = auth.authorities.iter().map(found).collect();
    if all.iter().any(Option::is_none) {
        closed.push("one of its `ca_certificates` is not in the file".into());
    } else if !auth.authorities.is_empty() && !auth.allow_partial_chain && !all.iter().flatten().any(|ca| ca.is_root) {
        closed.push("none of its `ca_certificates` is self-signed, and `allow_partial_chain` is off: no path could end".into());
    }
}

/// Without consumers we would let every trusted certificate pass; Kong lets none.
fn people(auth: &Auth, people: &People, closed: &mut Vec<String>) {
    if people.consumers.is_empty() && !auth.skip_consumer_lookup {
        closed.push("a certificate must be a consumer's, and the file has no consumers".into());
    }
}
