//! A tenant: the hosts that take the same routes.

use std::collections::{BTreeMap, BTreeSet};

use super::Options;
use super::auth::{Auth, Kind};
use super::document::Document;
use super::guard::{self, Guard, Role};
use super::plan::{self, Hosts, Placed};
use super::policy::{self, Set};
use super::upstream::{upstream, word_character};
use super::write::{self, CLOSED, CaFiles, Door, RouteText, TenantFile};
use crate::cli::import::folder::NewFile;
use crate::cli::import::lines::RuleText;
use crate::cli::import::remark::Report;

/// What all tenants need together.
#[derive(Default)]
pub(super) struct Made {
    pub(super) kinds: BTreeSet<Kind>,
    pub(super) doors: Vec<Door>,
    /// Files of CAs by their SHA-256.
    pub(super) authorities: BTreeMap<[u8; 32], String>,
    pub(super) files: Vec<NewFile>,
    pub(super) routes: usize,
    pub(super) closed: usize,
    told: BTreeSet<(String, String)>,
}

/// A name for its file, and for its variables.
pub(super) fn name(at: usize, hosts: &[String]) -> String {
    let host = hosts.first().map_or("kong", String::as_str);
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let name: String = host.chars().map(plain).take(60).collect();
    if at == 0 { name } else { format!("{name}-{}", at + 1) }
}

pub(super) fn make(
    name: String,
    hosts: &Hosts,
    document: &Document<'_>,
    roles: &[Role],
    options: &Options,
    made: &mut Made,
    report: &mut Report,
) -> TenantFile {
    let placed = plan::place(document, hosts);
    let guards: Vec<Guard<'_>> = placed.iter().map(|placed| guard::of_route(placed.route, document, roles)).collect();
    let leading = guards.iter().filter(|guard| guard.closed.is_empty()).find_map(|guard| guard.auth);
    let kind = leading.map(|auth| auth.kind);
    let door = door(leading, &guards, options);
    if !matches!(door, Door::OwnTls { .. }) {
        for auth in guards.iter().filter_map(|guard| guard.auth).filter(|auth| auth.send_ca_dn) {
            tell_once(
                made,
                report,
                &auth.place,
                "`send_ca_dn`: the front door shakes hands, and says which CAs it wants".into(),
            );
        }
    }
    let mut tenant = TenantFile {
        name,
        hosts: hosts.names.clone(),
        door,
        consumers: None,
        sets: BTreeMap::new(),
        revocation_hosts: options.revocation_hosts.clone(),
        upstreams: BTreeMap::new(),
        routes: Vec::new(),
        rules: Vec::new(),
    };
    for (route, mut guard) in placed.iter().zip(guards) {
        let same = placed.iter().filter(|other| other.path == route.path);
        let others: Vec<String> = same.flat_map(|other| other.methods.iter().cloned()).collect();
        if let (Some(auth), Some(leading)) = (guard.auth, leading)
            && (auth.kind != leading.kind || auth.header != leading.header)
        {
            guard.closed.push("a domain is reached through one front door, and other routes of it have another".into());
        }
        guard.closed.extend(route.doubt.clone());
        let written = self::route((route, &others), &mut guard, document, &mut tenant, made, report);
        tenant.routes.push(written);
    }
    let looks_up = |route: &RouteText| {
        let has = |wanted: &str| route.policy.iter().any(|(key, _)| *key == wanted);
        has("trusted_ca") && !has("skip_consumer_lookup")
    };
    if tenant.routes.iter().any(looks_up) {
        tenant.consumers = kind;
        made.kinds.extend(kind);
    }
    denials(hosts, document, &mut tenant, made, report);
    made.doors.push(tenant.door.clone());
    tenant
}

fn door(leading: Option<&Auth>, guards: &[Guard<'_>], options: &Options) -> Door {
    if let Some(format) = &options.front_door {
        return Door::Preset(format.clone());
    }
    match leading.and_then(|auth| auth.header.clone()) {
        Some((name, format)) => Door::Header(name, format),
        None => {
            let send_ca_dn = guards.iter().any(|guard| guard.auth.is_some_and(|auth| auth.send_ca_dn));
            Door::OwnTls { asks: leading.is_some(), send_ca_dn }
        }
    }
}

fn route(
    (placed, others): (&Placed, &[String]),
    guard: &mut Guard<'_>,
    document: &Document<'_>,
    tenant: &mut TenantFile,
    made: &mut Made,
    report: &mut Report,
) -> RouteText {
    let of = document.routes.get(placed.route);
    let place = of.map_or_else(String::new, |route| route.place.clone());
    made.routes += 1;
    let (path, methods) = (placed.path.clone(), placed.methods.clone());
    let service = of.and_then(|route| document.services.get(route.service?));
    // Without it, requests would leave the part of the upstream that they are for.
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    if service.is_some_and(|service| !service.path.bytes().all(plain)) {
        guard.closed.push("its service's `path` cannot be said here".into());
    }
    let (Some(of), Some(service), true) = (of, service, guard.closed.is_empty()) else {
        made.closed += 1;
        let why = guard.closed.join("; ");
        tell_once(made, report, &place, format!("its requests are closed: {why}"));
        let comments = vec![format!("closed: {place}: {why}")];
        let name = format!("closed: {place} ({})", tenant.rules.len() + 1);
        tenant.rules.push(RuleText::of_route(name, &path, &methods, others).denying());
        return RouteText { comments, path, methods, upstream: CLOSED.into(), policy: policy::off() };
    };
    let upstream = upstream(service, of.preserve_host, document, tenant, made);
    let policy = match guard.auth {
        None => {
            if made.told.insert((place.clone(), "open".into())) {
                report.note(&place, "no plugin that asks for a certificate stands before it: open to everybody, as in Kong");
            }
            policy::off()
        }
        Some(auth) => {
            let set = set(auth, document, tenant, made);
            policy::of(guard, auth, &set, &document.people)
        }
    };
    let stripped = if of.strip_path { placed.matched.trim_end_matches('/') } else { "" };
    let written = RouteText { comments: vec![place.clone()], path, methods, upstream, policy };
    let before = service.path.as_str();
    if !stripped.is_empty() || !before.is_empty() {
        let name = format!("path: {place} ({})", tenant.rules.len() + 1);
        tenant.rules.push(write::rewrite(name, &written, others, stripped, before));
    }
    if !before.is_empty() && made.told.insert((place.clone(), "joined".into())) {
        report.note(
            &place,
            format!("paths are joined with one `/`: the route's own path arrives as `{before}/`, with Kong as `{before}`"),
        );
    }
    written
}

fn tell_once(made: &mut Made, report: &mut Report, place: &str, text: String) {
    if made.told.insert((place.to_owned(), text.clone())) {
        report.left_out(place, text);
    }
}

/// The set of CAs of a plugin: its name, and its files.
fn set(auth: &Auth, document: &Document<'_>, tenant: &mut TenantFile, made: &mut Made) -> String {
    let mut ids = auth.authorities.clone();
    ids.sort();
    ids.dedup();
    let same = |set: &Set| set.authorities == ids && set.allow_partial_chain == auth.allow_partial_chain;
    let asks = auth.revocation_check_mode != "SKIP";
    if let Some((name, (set, _))) = tenant.sets.iter_mut().find(|(_, (set, _))| same(set)) {
        set.asks |= asks;
        return name.clone();
    }
    let mut files = CaFiles { anchors: Vec::new(), intermediates: Vec::new() };
    for (at, authority) in document.authorities.iter().enumerate() {
        if !ids.iter().any(|id| authority.names.are(id)) {
            continue;
        }
        let id: String = authority.names.id.as_deref().unwrap_or_default().chars().map(word_character).take(60).collect();
        let path = made.authorities.entry(authority.sha256).or_insert_with(|| format!("trusted-ca/{}-{id}.pem", at + 1));
        let list = if authority.is_root || auth.allow_partial_chain { &mut files.anchors } else { &mut files.intermediates };
        if !list.contains(path) {
            list.push(path.clone());
        }
    }
    let name = format!("clients-{}", tenant.sets.len() + 1);
    let set = Set { authorities: ids, allow_partial_chain: auth.allow_partial_chain, asks };
    tenant.sets.insert(name.clone(), (set, files));
    name
}

fn denials(hosts: &Hosts, document: &Document<'_>, tenant: &mut TenantFile, made: &mut Made, report: &mut Report) {
    for denied in plan::denied(document, hosts) {
        let Some(route) = document.routes.get(denied.route) else { continue };
        let why = match (&denied.paths, &denied.header) {
            (_, Some(header)) => format!("it asks for the header `{header}`: requests with that header are refused"),
            (plan::Paths::Fitting(_), None) => {
                "a path that is a regular expression: its requests are refused, and those with escapes that it could mean"
                    .into()
            }
            (plan::Paths::Below(start), None) => {
                format!("a path that cannot be said here: everything below `{start}` is refused")
            }
        };
        tell_once(made, report, &route.place, why);
        let name = format!("closed: {} ({})", route.place, tenant.rules.len() + 1);
        tenant.rules.push(write::denial(name, &denied.paths, denied.header.as_deref()));
    }
}
