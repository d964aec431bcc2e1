//! A tenant's file: domains, front doors, CAs, policy, routes, rules.

use std::path::Path;
use std::sync::Arc;

use http::HeaderName;

use super::domains::CLIENT_IP_HEADERS;
use super::front_doors::{Door, parse_header_name};
use super::policy::{PolicySettings, Sets};
use super::process::Process;
use super::server_tls::Wanted;
use super::table::Table;
use super::{
    consumers, domains, front_doors, identity, management, oauth, profiles, routes, rules, trust_warnings, trusted_ca,
    upstreams,
};
use crate::admission::VerificationMode;
use crate::clock::UnixTime;
use crate::consumer::{ConsumerDirectory, ConsumerVariable, Lookup};
use crate::front_door::Directory;
use crate::header_names::are_aliases;
use crate::journey::{Authorize, ErrorStyle, Route, Routes, Tenant};
use crate::oauth::Clients;
use crate::rules::{Behavior, Known, Phase, Rule, RuleSet, Scope, Variable};

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
    wanted: &mut Wanted,
    warnings: &mut Vec<String>,
) -> Option<Tenant> {
    let trusted = trusted_ca::read(&table, place, warnings);
    let doors = front_doors::read(&table, place, &trusted, warnings);
    let upstreams = upstreams::read(&table, place.folder);
    let known = rules::known(&table, place.folder, process, &doors, &upstreams);
    let mut rules = rules::read(&table, &known);
    let consumers = consumers::read(&table, place.folder);
    let authorize = table.table("authorize").and_then(|endpoint| authorize(endpoint, &doors, &rules));
    let dn_helper = table.table("dn_helper").and_then(|helper| dn_helper(helper, authorize.as_ref()));
    let mtls_hosts = mtls_hosts(&table);
    let beside = identity::Beside { process, rules: &rules, known: &known, authorize: authorize.as_ref() };
    let identity = identity::settings(&table, &beside);
    let ours = domains::OwnHeaders { rules: &rules, identity: &identity };
    let own_hosts = domains::read(&table, place, process, &doors, ours, directory, mtls_hosts.as_deref());
    if let Some(template) = management::template(&table, place, process, &doors, ours) {
        directory.set_template(template);
    }
    let profiles = profiles::read(&table, place.folder);
    let policy = PolicySettings::default().read(table.table_or_empty("policy"), place.folder);
    let (issuers, clients) = oauth::read(&table, place.folder, warnings);
    // The clients of the store and the aliases of its custom domains come and go without this file.
    let has_store = process.management.as_ref().is_some_and(|management| management.registry.tenant == place.name);
    let clients = clients.or_else(|| has_store.then(Clients::default)).map(Arc::new);
    let sets = Sets {
        trusted: &trusted,
        consumers: &consumers,
        issuers: &issuers,
        clients: clients.as_ref(),
        mtls_hosts: mtls_hosts.is_some() || has_store,
    };
    let mut routes = routes::read(&table, &policy, place.folder, sets, &upstreams);
    consumer_headers(&table, &routes, &known, &mut rules);
    wanted.hosts.extend(own_hosts.into_iter().map(|host| host.asked(&routes)));
    wanted.mutual_tls |= doors.iter().any(|door| door.front_door.proofs.need_front_door_certificate());
    let style = table.choice("error_style", &ErrorStyle::ALL, ErrorStyle::Json);
    rules_without_certificates(&table, &routes, &rules);
    consumers_without_certificates(&table, &routes, &consumers);
    rules_without_oauth(&table, &routes, &rules);
    rules::compile(&rules, &mut routes);
    trust_warnings::profiles_without_ca(place.name, &profiles, &trusted, warnings);
    trust_warnings::weak_cas(place.name, &routes, warnings);
    trust_warnings::without_the_last_slash(place.name, &routes, warnings);
    table.finish();
    // In the order of their numbers; one that is missing is a problem, and then nothing of this comes into force.
    let upstreams = upstreams.into_values().flatten().collect();
    Some(Tenant {
        name: place.name.to_owned(),
        rules,
        upstreams,
        error_style: style,
        authorize,
        dn_helper,
        profiles,
        identity,
        clients: clients.unwrap_or_default(),
        registered_clients: None,
        routes: Routes::new(routes),
    })
}

/// What stands before a domain's name to make its mTLS host; none when domains have one name alone.
fn mtls_hosts(tenant: &Table<'_>) -> Option<String> {
    let on = tenant.boolean("enable_mtls_endpoint_aliases", false);
    if !on && tenant.has("mtls_host_prefix") {
        let found = "has no effect: domains have no other name";
        tenant.problem("mtls_host_prefix", found, "`enable_mtls_endpoint_aliases` = true with it");
    }
    let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'.';
    let prefix = |text: &str| {
        let good =
            text.bytes().all(known) && text.ends_with(['.', '-']) && !text.starts_with(['.', '-']) && !text.contains("..");
        let accepted = "the start of a host name that ends with `.` or `-`, lower case, like \"mtls.\"";
        if good { Ok(text.to_owned()) } else { Err(format!("accepted: {accepted}")) }
    };
    let prefix = tenant.parsed("mtls_host_prefix", prefix).unwrap_or_else(|| "mtls.".to_owned());
    on.then_some(prefix)
}

/// Where no route looks at a certificate, a rule about certificates guards nothing.
fn rules_without_certificates(tenant: &Table<'_>, routes: &[Route], rules: &RuleSet) {
    let nobody_looks = routes.iter().all(|route| route.policy.admission.verification == VerificationMode::Off);
    if routes.is_empty() || !nobody_looks {
        return;
    }
    for rule in asking(rules, Variable::is_about_certificate) {
        let found = format!("rule `{rule}` asks about the certificate, and no route looks at one");
        tenant.problem("rules", found, "`verification` other than `off` on a route, or no such rule");
    }
}

/// Nobody is found where nobody looks.
fn consumers_without_certificates(tenant: &Table<'_>, routes: &[Route], consumers: &ConsumerDirectory) {
    let nobody_looks = routes.iter().all(|route| matches!(route.policy.consumers.lookup, Lookup::Off | Lookup::Skip(_)));
    if !consumers.is_empty() && !routes.is_empty() && nobody_looks {
        let found = "has no effect: on every route `verification` is `off` or consumers are not looked up";
        tenant.problem("consumers", found, "a route that looks at certificates, or no consumers");
    }
}

/// The upstream gets to know the consumer in Kong's headers, wherever a route asks for one.
fn consumer_headers(tenant: &Table<'_>, routes: &[Route], known: &Known, rules: &mut RuleSet) {
    if routes.iter().all(|route| matches!(route.policy.consumers.lookup, Lookup::Off)) {
        return;
    }
    let scope = Scope::new(Phase::Request, known);
    let mut headers = rules.upstream_headers.to_vec();
    for (name, variable) in ConsumerVariable::UPSTREAM_HEADERS {
        if rules.header_names().any(|taken| are_aliases(taken.as_str(), name)) {
            let found = format!("`{name}` is set by a rule or [upstream_headers], and tells the consumer");
            tenant.problem("upstream_headers", found, "a name of its own");
        }
        if let Ok(Behavior::AddRequestHeader(name, template)) =
            Behavior::add(name, &format!("${{{}}}", variable.name()), &scope)
        {
            headers.push((name, template));
        }
    }
    rules.upstream_headers = headers.into();
}

fn dn_helper(table: Table<'_>, authorize: Option<&Authorize>) -> Option<String> {
    let path = table.required_text("path", "a path, like \"/-/dn\"");
    table.finishing(|table| {
        let path = path?;
        routes::path_problem(table, &path);
        if authorize.is_some_and(|endpoint| endpoint.path == path) {
            table.problem("path", format!("`{path}` is `authorize.path`"), "a path of its own");
        }
        Some(path)
    })
}

/// The same for tokens and OAuth clients.
fn rules_without_oauth(tenant: &Table<'_>, routes: &[Route], rules: &RuleSet) {
    let nobody_looks = !routes.iter().any(|route| route.policy.checks_oauth());
    if routes.is_empty() || !nobody_looks {
        return;
    }
    for rule in asking(rules, Variable::is_about_oauth) {
        let found = format!("rule `{rule}` asks about an OAuth client or its token, and no route checks one");
        let mend = "`certificate_bound_access_tokens` or `tls_client_auth` on a route, or no such rule";
        tenant.problem("rules", found, mend);
    }
}

/// The names of the rules whose criteria ask for such a variable.
fn asking(rules: &RuleSet, about: fn(&Variable) -> bool) -> Vec<&str> {
    fn of<B>(rules: &[Arc<Rule<B>>], about: fn(&Variable) -> bool) -> impl Iterator<Item = &str> {
        let asks = move |rule: &&Arc<Rule<B>>| rule.criteria.variables().into_iter().any(about);
        rules.iter().filter(asks).map(|rule| rule.name.as_str())
    }
    of(&rules.firewall, about).chain(of(&rules.request, about)).chain(of(&rules.response, about)).collect()
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
