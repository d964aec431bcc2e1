//! `routes.oas.json`: operations with `x-zuplo-route`.

use serde_json::Value;

use super::fields;
use super::policy::{Policies, Role};
use crate::cli::import::fields::text;
use crate::cli::import::remark::{Report, one_line};
use crate::cli::import::url::Url;

/// Requests with one path and method, or all of them.
pub(super) struct Operation {
    pub(super) place: String,
    /// What every path begins with.
    pub(super) path: String,
    /// An expression for the whole path; none for everything below `path`.
    pub(super) template: Option<String>,
    /// None means all.
    pub(super) methods: Vec<String>,
    /// Scheme, host and port of where it goes.
    pub(super) upstream: Option<String>,
    /// The policy before it, if any, or why it is closed.
    pub(super) guard: Result<Option<usize>, String>,
}

const METHODS: [&str; 8] = ["delete", "get", "head", "options", "patch", "post", "put", "trace"];
/// The extensions of an operation.
const ROUTE: &str = "x-zuplo-route";

pub(super) fn read(source: &str, json: &Value, policies: &Policies, operations: &mut Vec<Operation>, report: &mut Report) {
    let Some(mut top) = fields(json) else { return };
    top.skip(&["openapi", "info", "components", "tags", "servers", "security", "externalDocs"]);
    let paths = top.get("paths").and_then(Value::as_object);
    report.unknown(source, &top);
    for (path, item) in paths.into_iter().flatten() {
        let place = format!("{source}: path `{}`", one_line(path));
        let Some(mut item) = fields(item) else {
            report.left_out(&place, "is no object");
            continue;
        };
        item.skip(&["summary", "description", "parameters", "servers"]);
        let mode = item.get("x-zuplo-path").and_then(|mode| mode.get("pathMode")).and_then(Value::as_str).unwrap_or("open-api");
        let (start, template) = if mode == "open-api" { template(path) } else { (literal(path), None) };
        for method in METHODS {
            let Some(operation) = item.get(method) else { continue };
            let place = format!("{source}: {} {}", method.to_ascii_uppercase(), one_line(path));
            let (upstream, guard) = self::operation(operation, &place, policies, report);
            let guard = match &template {
                Some(_) => guard,
                None => Err("its path is a pattern that cannot be said here".into()),
            };
            if let Err(why) = &guard {
                report.left_out(&place, format!("its requests are closed: {why}"));
            }
            let (path, methods) = (start.clone(), vec![method.to_ascii_uppercase()]);
            operations.push(Operation { place, path, template: template.clone(), methods, upstream, guard });
        }
        report.unknown(&place, &item);
    }
}

type Guarded = (Option<String>, Result<Option<usize>, String>);

fn operation(json: &Value, place: &str, policies: &Policies, report: &mut Report) -> Guarded {
    let Some(mut route) = json.get(ROUTE).and_then(fields) else {
        return (None, Err(format!("it has no `{ROUTE}`")));
    };
    if route.get("corsPolicy").and_then(text).is_some_and(|cors| cors != "none") {
        report.left_out(place, "`corsPolicy`: there is no CORS here");
    }
    let policies_of = route.get("policies");
    let listed = policies_of.and_then(|policies| policies.get("inbound")).filter(|inbound| !inbound.is_null());
    let inbound = listed.and_then(Value::as_array);
    let unreadable = policies_of.is_some_and(|policies| !policies.is_object()) || listed.is_some() != inbound.is_some();
    let handler = route.get("handler");
    let unknown = report.unknown(place, &route);
    let mut guard = Ok(None);
    for name in inbound.into_iter().flatten() {
        let name = name.as_str().unwrap_or_default();
        match (policies.role(name), &guard) {
            (Role::Other, _) => {}
            (Role::Mtls(at), Ok(None)) => {
                let closed = policies.mtls.get(*at).and_then(|policy| policy.closed.clone());
                guard = closed.map_or(Ok(Some(*at)), Err);
            }
            (Role::Mtls(_), Ok(Some(_))) => guard = Err("two policies mtls-auth-inbound stand before it".into()),
            (Role::Guard, _) => guard = Err(format!("the policy `{}` is not carried over", one_line(name))),
            (Role::Mtls(_), Err(_)) => {}
        }
    }
    if unreadable {
        guard = Err("its `policies` cannot be read".into());
    }
    if unknown {
        guard = Err("it has fields that are not known".into());
    }
    match upstream(handler) {
        Ok(upstream) => {
            if guard == Ok(None) {
                report.note(place, "no policy asks for a certificate: open to everybody, as in Zuplo");
            }
            (upstream, guard)
        }
        Err(why) => (None, guard.and(Err(why))),
    }
}

/// Where a handler forwards to; none when the environment says it.
fn upstream(handler: Option<&Value>) -> Result<Option<String>, String> {
    let export = handler.and_then(|handler| handler.get("export")).and_then(Value::as_str).unwrap_or_default();
    if export != "urlForwardHandler" {
        return Err(format!("its handler `{}` is not carried over; only `urlForwardHandler` is", one_line(export)));
    }
    let options = handler.and_then(|handler| handler.get("options"));
    let base = options.and_then(|options| options.get("baseUrl")).and_then(Value::as_str).unwrap_or_default();
    if base.contains("${") {
        return Ok(None);
    }
    let url = Url::parse(base).filter(|url| matches!(url.protocol.as_str(), "http" | "https") && !url.host.is_empty());
    let url = url.ok_or("its `baseUrl` is no URL of http or https")?;
    if !matches!(url.path.as_str(), "" | "/") {
        return Err("its `baseUrl` has a path, which would stand before every path: an upstream here has none".into());
    }
    let port = url.port.unwrap_or(if url.protocol == "https" { 443 } else { 80 });
    Ok(Some(format!("{}://{}:{port}", url.protocol, url.host)))
}

/// A path of OpenAPI: its literal start, and an expression for all of it. A parameter is one segment, or a part of one.
fn template(path: &str) -> (String, Option<String>) {
    let start = literal(path);
    let mut expression = String::from("^");
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((_, after)) = after.split_once('}') else { return (start, None) };
        if !is_literal(before) {
            return (start, None);
        }
        expression.push_str(&regex::escape(before));
        expression.push_str("[^/]+");
        rest = after;
    }
    expression.push_str(&regex::escape(rest));
    expression.push('$');
    (start, is_literal(rest).then_some(expression))
}

/// Whether a part of a path is only itself.
fn is_literal(part: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_~.!$&'()+,:=@".contains(&byte);
    part.bytes().all(plain) && !part.contains("//")
}

/// What a path begins with, as a path of ours may be.
fn literal(path: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/-_~.".contains(c);
    let end = path.find(|c| !plain(c)).unwrap_or(path.len());
    let start = path.get(..end).unwrap_or_default();
    let climbs = start.split('/').any(|segment| segment == "." || segment == "..") || start.contains("//");
    if start.starts_with('/') && !climbs { start.to_owned() } else { "/".to_owned() }
}
