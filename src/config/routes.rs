//! `[[routes]]`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use http::Method;

use super::policy::{PolicySettings, Sets};
use super::table::Table;
use crate::journey::{ErrorStyle, Route, RoutePolicy};
use crate::upstream::Upstream;

pub(super) fn read(
    tenant: &Table<'_>,
    policy: &PolicySettings,
    folder: &Path,
    sets: Sets<'_>,
    upstreams: &BTreeMap<String, Option<Arc<Upstream>>>,
) -> Vec<Route> {
    let tables = tenant.tables("routes");
    if tables.is_empty() {
        tenant.problem("routes", "is missing: every request would be answered 404", "[[routes]] with `path` and `upstream`");
    }
    let routes: Vec<Route> = tables.into_iter().filter_map(|table| route(table, policy, folder, sets, upstreams)).collect();
    same_routes(tenant, &routes);
    routes
}

fn route(
    table: Table<'_>,
    policy: &PolicySettings,
    folder: &Path,
    sets: Sets<'_>,
    upstreams: &BTreeMap<String, Option<Arc<Upstream>>>,
) -> Option<Route> {
    let path = table.required_text("path", "the start of a path, like \"/\"");
    if let Some(path) = &path {
        path_problem(&table, path);
    }
    if table.has("methods") && table.texts("methods").is_empty() {
        table.problem("methods", "is empty", "at least one method; all of them are meant when the key is left out");
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
    let policy: Option<RoutePolicy> = settings.ready(&table, sets);
    let limit = table.size("request_body_max", 0) as u64;
    let error_style = table.choice("error_style", &ErrorStyle::ALL, ErrorStyle::Json);
    let error_style = table.has("error_style").then_some(error_style);
    let request_body_limit = table.has("request_body_max").then_some(limit);
    table.finish();
    Some(Route {
        path: path?,
        methods,
        policy: policy?,
        upstream: upstream?,
        request_body_limit,
        error_style,
        rules: Arc::default(),
    })
}

fn method(table: &Table<'_>, text: &str) -> Option<Method> {
    let upper = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-');
    let method = Method::from_bytes(text.as_bytes()).ok().filter(|_| upper);
    if method.is_none() {
        table.problem("methods", format!("found `{text}`"), "HTTP methods in capitals, like \"GET\"");
    }
    method
}

/// Of two routes for the same requests only one is ever taken, with its policy: the other's author is mistaken.
fn same_routes(tenant: &Table<'_>, routes: &[Route]) {
    for (at, route) in routes.iter().enumerate() {
        let same = |earlier: &&Route| {
            let methods = (&earlier.methods, &route.methods);
            let both = methods.0.is_empty() && methods.1.is_empty();
            earlier.path == route.path && (both || methods.0.iter().any(|method| methods.1.contains(method)))
        };
        if let Some(same) = routes.iter().take(at).find(same) {
            let found = format!("two routes are for `{}` with the same method", same.path);
            tenant.problem("routes", found, "one route for each path and method");
        }
    }
}

/// A path is compared with normalized ones: one that is not would fit nothing, and its requests would take another route.
pub(super) fn path_problem(table: &Table<'_>, path: &str) {
    let climbs = path.split('/').any(|segment| segment == "." || segment == "..");
    if !path.starts_with('/') || path.contains(['%', '?']) || path.contains("//") || climbs {
        let accepted = "the start of a normalized path: `/` first, decoded, no query, no `.`, `..` or `//`";
        table.problem("path", format!("found `{path}`"), accepted);
    }
}
