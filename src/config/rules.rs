//! `[[rules]]` and `[upstream_headers]`: Azion's shape to compiled rules.

mod behaviors;
mod criteria;
mod lists;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use http::HeaderName;

use super::front_doors::Door;
use super::process::Process;
use super::table::Table;
use crate::front_door::ContractHeader;
use crate::header_names::are_aliases;
use crate::journey::Route;
use crate::oauth::{CLIENT_ID_HEADER, CLIENT_METHOD_HEADER};
use crate::rules::{Behavior, Known, Phase, ResponseBehavior, Rule, RuleSet, Scope, Template};
use crate::upstream::Upstream;
use crate::variables::Dialect;

/// What the upstream is told when a tenant says nothing of it.
const DEFAULT_UPSTREAM_HEADERS: [(&str, &str); 5] = [
    ("ssl-client-verify", "${ssl_client_verify}"),
    ("ssl-client-s-dn", "${ssl_client_s_dn}"),
    ("ssl-client-i-dn", "${ssl_client_i_dn}"),
    ("ssl-client-serial", "${ssl_client_serial}"),
    ("ssl-client-fingerprint-sha256", "${ssl_client_fingerprint_sha256}"),
];

/// What the rules of a tenant may name.
pub(super) fn known(
    tenant: &Table<'_>,
    folder: &Path,
    process: &Process,
    doors: &[Door],
    upstreams: &BTreeMap<String, Option<Arc<Upstream>>>,
) -> Known {
    // Whoever comes to our own TLS listener comes over https.
    let says = |door: &Door| {
        door.own_tls.is_some() || door.headers.iter().any(|(header, _)| *header == ContractHeader::ForwardedProto)
    };
    Known {
        lists: lists::read(tenant, folder),
        upstreams: upstreams.keys().cloned().collect(),
        geoip: process.geoip.clone(),
        forwarded_proto: !doors.is_empty() && doors.iter().all(says),
    }
}

/// All rules of the tenant.
pub(super) fn read(tenant: &Table<'_>, known: &Known) -> RuleSet {
    let dialect = tenant.choice("output_dialect", &Dialect::ALL, Dialect::Nginx);
    let mut rules = RuleSet { upstream_headers: upstream_headers(tenant, known).into(), dialect, ..RuleSet::default() };
    let paths = tenant.texts_of_tables("routes", "path");
    for table in tenant.tables("rules") {
        match rule(table, known, &paths) {
            Some((Phase::Firewall, Read::Request(rule))) => rules.firewall.push(Arc::new(rule)),
            Some((_, Read::Request(rule))) => rules.request.push(Arc::new(rule)),
            Some((_, Read::Response(rule))) => rules.response.push(Arc::new(rule)),
            None => {}
        }
    }
    two_voices(tenant, &rules);
    unreachable_rules(tenant, &rules.firewall, Behavior::is_last);
    unreachable_rules(tenant, &rules.request, Behavior::is_last);
    unreachable_rules(tenant, &rules.response, ResponseBehavior::is_last);
    rules.with_own_cookies()
}

/// The rules of each route; one set serves all routes that no rule names.
pub(super) fn compile(all: &RuleSet, routes: &mut [Route]) {
    let by_request = all.firewall.iter().chain(&all.request).flat_map(|rule| &rule.routes);
    let named: Vec<String> = by_request.chain(all.response.iter().flat_map(|rule| &rule.routes)).cloned().collect();
    let of_no_route = Arc::new(all.for_route(""));
    for route in routes {
        let own = named.contains(&route.path);
        route.rules = if own { Arc::new(all.for_route(&route.path)) } else { Arc::clone(&of_no_route) };
    }
}

/// A second line of a header that every request gets would contradict the first, or say `SUCCESS` beside `FAILED`. The OAuth
/// client's are not even a configuration's to set: a provider believes them.
fn two_voices(tenant: &Table<'_>, rules: &RuleSet) {
    for ours in [CLIENT_ID_HEADER, CLIENT_METHOD_HEADER] {
        if rules.header_names().any(|name| are_aliases(name.as_str(), ours.as_str())) {
            let found =
                format!("`{ours}` is set by a rule or [upstream_headers], and tells the OAuth client that authenticated");
            tenant.problem("rules", found, "another name");
        }
    }
    for rule in &rules.request {
        let set = rule.behaviors.iter().filter_map(Behavior::header_set);
        for name in
            set.filter(|name| rules.upstream_headers.iter().any(|(known, _)| are_aliases(known.as_str(), name.as_str())))
        {
            let found = format!("rule `{}` adds `{name}`, which every request gets from [upstream_headers] already", rule.name);
            tenant.problem("rules", found, "another name, or an [upstream_headers] table without it");
        }
    }
}

/// A `deny` that is never reached lets everybody in.
fn unreachable_rules<B>(tenant: &Table<'_>, rules: &[Arc<Rule<B>>], is_last: fn(&B) -> bool) {
    let always_ends = |rule: &Arc<Rule<B>>| {
        rule.criteria.is_empty() && rule.routes.is_empty() && !rule.monitor && rule.behaviors.iter().any(is_last)
    };
    let Some(at) = rules.iter().position(always_ends) else { return };
    if let (Some(last), Some(next)) = (rules.get(at), rules.get(at + 1)) {
        let found =
            format!("rule `{}` is never reached: `{}` before it has no criteria and ends the phase", next.name, last.name);
        tenant.problem("rules", found, "criteria for the one, or another order");
    }
}

fn upstream_headers(tenant: &Table<'_>, known: &Known) -> Vec<(HeaderName, Template)> {
    let written = if tenant.has("upstream_headers") {
        tenant.named_texts("upstream_headers")
    } else {
        DEFAULT_UPSTREAM_HEADERS.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
    };
    let scope = Scope::new(Phase::Request, known);
    let mut headers = Vec::new();
    for (name, value) in written {
        match Behavior::add(&name, &value, &scope) {
            Ok(Behavior::AddRequestHeader(name, template)) => headers.push((name, template)),
            Ok(_) => {}
            Err(why) => tenant.problem(&format!("upstream_headers.{name}"), format!("found `{value}`"), why.0),
        }
    }
    headers
}

enum Read {
    Request(Rule),
    Response(Rule<ResponseBehavior>),
}

fn rule(table: Table<'_>, known: &Known, paths: &[String]) -> Option<(Phase, Read)> {
    let phase = table.choice("phase", &Phase::ALL, Phase::Request);
    let mut scope = Scope::new(phase, known);
    let name = table.required_text("name", "a name, for the log");
    // For whoever reads the file: nothing else is done with it.
    table.text("description");
    let monitor = table.choice("mode", &[("enforce", false), ("monitor", true)], false);
    let routes = table.texts("routes");
    if table.has("routes") && routes.is_empty() {
        table.problem("routes", "is empty", "at least one path of a route; all routes are meant when the key is left out");
    }
    for path in routes.iter().filter(|path| !paths.contains(path)) {
        table.problem(
            "routes",
            format!("found `{path}`, and no route has this path"),
            format!("accepted: {}", paths.join(", ")),
        );
    }
    let criteria = criteria::read(&table, &scope);
    let read = if phase == Phase::Response {
        let behaviors = behaviors::read(&table, &mut scope, behaviors::response, ResponseBehavior::is_last);
        criteria.zip(name).map(|(criteria, name)| Read::Response(Rule { name, routes, monitor, criteria, behaviors }))
    } else {
        let behaviors = behaviors::read(&table, &mut scope, behaviors::request, Behavior::is_last);
        criteria.zip(name).map(|(criteria, name)| Read::Request(Rule { name, routes, monitor, criteria, behaviors }))
    };
    let active = table.boolean("active", true);
    table.finish();
    read.filter(|_| active).map(|read| (phase, read))
}
