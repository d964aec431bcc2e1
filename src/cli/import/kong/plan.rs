//! Kong's router as ours: which route a request takes there, for every path and method that makes a difference.
//!
//! In Kong the route that says more about a request counts first: of hosts, methods, headers and paths, how many it asks for; then
//! exact hosts before wildcards, then how many headers, then the longer path. Ours goes by the longest path alone. So each path
//! of a host is written with the route that Kong takes there, and not with its own.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::document::Document;
use super::route::Route;
use crate::cli::import::remark::Report;

/// Hosts whose requests take the same routes.
#[derive(Debug)]
pub(super) struct Hosts {
    /// None when no host is known.
    pub(super) names: Vec<String>,
    /// Routes by their index, each with how it names the host.
    routes: Vec<(usize, Named)>,
}

/// How a route names a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Named {
    Not,
    ByWildcard,
    Exactly,
}

/// A route of ours.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Placed {
    pub(super) path: String,
    /// None means all others.
    pub(super) methods: Vec<String>,
    /// Kong's route.
    pub(super) route: usize,
    /// The path of it that fits; empty when it is for every path.
    pub(super) matched: String,
    /// Why it may be another route that nobody can tell here.
    pub(super) doubt: Option<String>,
}

/// A host in Kong's order of matching.
fn named(route: &Route, host: &str) -> Option<Named> {
    if route.hosts.is_empty() {
        return Some(Named::Not);
    }
    let wildcard = |pattern: &String| match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(end), _) => host.len() > end.len() && host.ends_with(end),
        (_, Some(start)) => host.len() > start.len() && host.starts_with(start),
        _ => false,
    };
    if route.hosts.iter().any(|own| own == host) {
        return Some(Named::Exactly);
    }
    route.hosts.iter().any(wildcard).then_some(Named::ByWildcard)
}

/// Puts hosts with the same routes together.
pub(super) fn hosts(source: &str, document: &Document<'_>, more: &[String], report: &mut Report) -> Vec<Hosts> {
    let is_wildcard = |host: &&String| host.contains('*');
    let all = || document.routes.iter().flat_map(|route| &route.hosts);
    let mut names: Vec<&String> = Vec::new();
    for name in all().filter(|host| !is_wildcard(host)).chain(more) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let wildcards: BTreeSet<&String> = all().filter(is_wildcard).collect();
    for wildcard in wildcards {
        let text = format!("the host `{wildcard}`: a domain has no wildcard; name its hosts with --domain, and import again");
        report.left_out(source, text);
    }
    let for_all = document.routes.iter().filter(|route| route.hosts.is_empty()).count();
    if for_all > 0 && more.is_empty() && !names.is_empty() {
        let text =
            format!("{for_all} routes without `hosts` are served for the hosts of the other routes; name more with --domain");
        report.left_out(source, text);
    }
    let mut found: Vec<Hosts> = Vec::new();
    for name in names {
        let routes: Vec<_> = enabled(document).filter_map(|(at, route)| Some((at, named(route, name)?))).collect();
        match found.iter_mut().find(|hosts| hosts.routes == routes) {
            Some(same) => same.names.push(name.clone()),
            None => found.push(Hosts { names: vec![name.clone()], routes }),
        }
    }
    if found.is_empty() && for_all > 0 {
        report.blank(source, "`name` of [[domains]]: the file names no host; fill it in, or import again with --domain");
        let routes = enabled(document).filter(|(_, route)| route.hosts.is_empty()).map(|(at, _)| (at, Named::Not));
        found.push(Hosts { names: Vec::new(), routes: routes.collect() });
    }
    found
}

/// Routes of services that are switched off take no requests.
fn enabled<'d>(document: &'d Document<'_>) -> impl Iterator<Item = (usize, &'d Route)> {
    let on = |route: &Route| route.service.and_then(|at| document.services.get(at)).is_none_or(|service| service.enabled);
    document.routes.iter().enumerate().filter(move |(_, route)| on(route))
}

/// A route that may take a request.
struct Candidate<'d> {
    at: usize,
    route: &'d Route,
    named: Named,
    matched: &'d str,
}

impl Candidate<'_> {
    /// The larger, the earlier it counts.
    fn rank(&self) -> impl Ord + use<> {
        let route = self.route;
        let said = [&route.hosts, &route.methods, &route.headers].map(|list| !list.is_empty());
        let asks = said.into_iter().chain([!self.matched.is_empty(), route.by_sni]);
        let asks = asks.filter(|asks| *asks).count();
        (asks, self.named, route.headers.len(), self.matched.len(), Reverse(self.at))
    }
}

/// The routes of ours for these hosts, the shorter paths first.
pub(super) fn place(document: &Document<'_>, hosts: &Hosts) -> Vec<Placed> {
    let routes: Vec<(usize, &Route, Named)> =
        hosts.routes.iter().filter_map(|(at, named)| Some((*at, document.routes.get(*at)?, *named))).collect();
    let mut paths: BTreeSet<&str> = routes.iter().flat_map(|(_, route, _)| &route.prefixes).map(String::as_str).collect();
    if routes.iter().any(|(_, route, _)| route.is_for_every_path()) {
        paths.insert("/");
    }
    let mut placed = Vec::new();
    for path in paths {
        let mut candidates = Vec::new();
        for (at, route, named) in &routes {
            let fits =
                route.prefixes.iter().filter(|prefix| path.starts_with(prefix.as_str())).max_by_key(|prefix| prefix.len());
            let matched = if route.is_for_every_path() { Some("") } else { fits.map(String::as_str) };
            if let Some(matched) = matched {
                candidates.push(Candidate { at: *at, route, named: *named, matched });
            }
        }
        candidates.sort_by_key(|candidate| Reverse(candidate.rank()));
        place_at(path, &candidates, &mut placed);
    }
    placed
}

fn place_at(path: &str, candidates: &[Candidate<'_>], placed: &mut Vec<Placed>) {
    let others = winner(path, candidates, None);
    let methods: BTreeSet<&str> = candidates.iter().flat_map(|found| &found.route.methods).map(String::as_str).collect();
    let mut of_method: BTreeMap<usize, Placed> = BTreeMap::new();
    for method in methods {
        let Some(found) = winner(path, candidates, Some(method)) else { continue };
        if others.as_ref().is_some_and(|others| (others.route, &others.doubt) == (found.route, &found.doubt)) {
            continue;
        }
        of_method.entry(found.route).or_insert(found).methods.push(method.to_owned());
    }
    placed.extend(of_method.into_values());
    placed.extend(others);
}

/// The route that takes requests with this method, or with one that no route names.
fn winner(path: &str, candidates: &[Candidate<'_>], method: Option<&str>) -> Option<Placed> {
    let fits = |found: &&Candidate<'_>| {
        let methods = &found.route.methods;
        methods.is_empty() || method.is_some_and(|method| methods.iter().any(|own| own == method))
    };
    // Requests with these headers are refused by a rule, so what is left has none.
    let mut fitting = candidates.iter().filter(fits).filter(|found| found.route.headers.is_empty());
    // Where such a one stands in Kong's order, only Kong can tell.
    let unseen = fitting.clone().find(|found| !found.route.unseen.is_empty());
    let doubt = unseen.map(|found| {
        let what = found.route.unseen.join(", ");
        format!("it depends on {what} whether {} takes these requests, and that is not seen here", found.route.place)
    });
    let found = fitting.next()?;
    let (path, matched) = (path.to_owned(), found.matched.to_owned());
    Some(Placed { path, methods: Vec::new(), route: found.at, matched, doubt })
}

/// Requests that no route of ours can be for: a rule refuses them before a broader route takes them.
pub(super) struct Denied {
    /// Kong's route.
    pub(super) route: usize,
    /// The paths.
    pub(super) paths: Paths,
    /// A header that is there.
    pub(super) header: Option<String>,
}

/// Some paths.
#[derive(Debug, Clone)]
pub(super) enum Paths {
    /// Those that an expression fits.
    Fitting(String),
    /// Those that begin so.
    Below(String),
}

/// Everything of these hosts that must be refused.
pub(super) fn denied(document: &Document<'_>, hosts: &Hosts) -> Vec<Denied> {
    let mut denied = Vec::new();
    for (at, route) in hosts.routes.iter().filter_map(|(at, _)| Some((*at, document.routes.get(*at)?))) {
        let headers = || -> Vec<Option<String>> {
            if route.headers.is_empty() { vec![None] } else { route.headers.iter().cloned().map(Some).collect() }
        };
        for expression in &route.expressions {
            let paths = expression.pattern.clone().map_or_else(|| Paths::Below(expression.start.clone()), Paths::Fitting);
            for paths in std::iter::once(paths).chain(expression.escaped.clone().map(Paths::Fitting)) {
                denied.extend(headers().into_iter().map(|header| Denied { route: at, paths: paths.clone(), header }));
            }
        }
        if route.headers.is_empty() {
            continue;
        }
        let every = if route.is_for_every_path() { vec!["/".to_owned()] } else { Vec::new() };
        for prefix in every.iter().chain(&route.prefixes) {
            let all = headers().into_iter().map(|header| Denied { route: at, paths: Paths::Below(prefix.clone()), header });
            denied.extend(all);
        }
    }
    denied
}
