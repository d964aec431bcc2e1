//! The folder of a Zuplo project.

use std::collections::{BTreeMap, BTreeSet};

use super::paths::Operation;
use super::policy::Policies;
use super::{Options, process};
use crate::cli::import::folder::NewFile;
use crate::cli::import::lines::{Lines, RuleText, texts};
use crate::cli::import::remark::Report;

/// The files, and how many routes are in them.
pub(super) struct Written {
    pub(super) files: Vec<NewFile>,
    pub(super) routes: usize,
    pub(super) closed: usize,
}

/// What a route does: where it leads, and by which policy. None leads nowhere.
type Effect = Option<(String, Option<usize>)>;

/// Where routes that are closed lead: nothing can listen there.
const NOWHERE: &str = "unix:/dev/null/closed-by-import";
const UNKNOWN: &str = "unknown";

pub(super) fn folder(policies: &Policies, operations: Vec<Operation>, options: &Options, report: &mut Report) -> Written {
    let urls: BTreeSet<&String> = operations.iter().filter_map(|operation| operation.upstream.as_ref()).collect();
    let name = |url: &Option<String>| match url {
        Some(url) => format!("upstream-{}", urls.iter().position(|known| *known == url).unwrap_or_default() + 1),
        None => UNKNOWN.to_owned(),
    };
    let routes = routes(&operations, name, report);
    let mut lines = Lines::default();
    lines.comment("Made by `vestibule import zuplo`.");
    lines.key("error_style", super::ERROR_STYLE);
    domains(&mut lines, options);
    // What `request.user` was for code in the gateway.
    lines.heading("[identity.user]");
    lines.key("header", "X-Vestibule-User");
    for policy in &policies.mtls {
        lines.heading(&format!("[trusted_ca.{}]", policy.set()));
        let issuer = policy.issuer.as_deref().map_or_else(String::new, |issuer| format!(": {issuer}"));
        lines.comment(&format!("A blank to fill: the CA that issues the certificates itself{issuer}"));
        lines.key("certificates", texts(&[policy.ca_file()]));
        // The CA that issues is the anchor, root or not: so it is with Zuplo.
        lines.key("allow_partial_chain", true);
    }
    for (at, url) in urls.iter().enumerate() {
        lines.heading(&format!("[upstreams.upstream-{}]", at + 1));
        lines.key("url", url.as_str());
        lines.key("host", "upstream");
    }
    if routes.values().flatten().any(|(_, effect)| effect.as_ref().is_some_and(|(name, _)| name == UNKNOWN)) {
        lines.heading(&format!("[upstreams.{UNKNOWN}]"));
        lines.comment("A blank to fill: where requests go.");
        lines.key("url", "");
    }
    if routes.values().flatten().any(|(_, effect)| effect.is_none()) {
        lines.heading("[upstreams.closed]");
        lines
            .comment("Routes that are closed lead here, behind a rule that refuses: their policies could not be carried over.");
        lines.key("url", NOWHERE);
    }
    let mut rules = Vec::new();
    let mut written = Written { files: Vec::new(), routes: 0, closed: 0 };
    for (path, all, methods, effect) in
        routes.iter().flat_map(|(path, all)| all.iter().map(move |(methods, effect)| (path, all, methods, effect)))
    {
        written.routes += 1;
        written.closed += usize::from(effect.is_none());
        lines.heading("[[routes]]");
        lines.key("path", path.as_str());
        if !methods.is_empty() {
            lines.key("methods", texts(methods));
        }
        let (upstream, policy) = effect.as_ref().map_or(("closed", None), |(upstream, policy)| (upstream.as_str(), *policy));
        lines.key("upstream", upstream);
        if effect.is_none() {
            let name = format!("closed: {} {path}", methods.join(" "));
            let others: Vec<String> = all.iter().flat_map(|(methods, _)| methods.iter().cloned()).collect();
            rules.push(RuleText::of_route(name, path, methods, &others).denying());
        }
        lines.0.push_str("[routes.policy]\n");
        match policy.and_then(|at| policies.mtls.get(at)) {
            Some(policy) => policy.keys.iter().for_each(|(key, value)| lines.key(key, value.clone())),
            None => lines.key("verification", "off"),
        }
    }
    rules.extend(exactly(&operations));
    rules.iter().for_each(|rule| lines.rule(rule));
    written.files = vec![process(), NewFile::new("tenants/zuplo.toml", lines.0)];
    written
}

fn domains(lines: &mut Lines, options: &Options) {
    let blank = [String::new()];
    for host in if options.domains.is_empty() { &blank[..] } else { &options.domains } {
        lines.heading("[[domains]]");
        lines.key("name", host.as_str());
        lines.comment("A blank to fill: the tag of the key that the front door sends; `vestibule keygen --config FOLDER`.");
        lines.key("cname_api_keys", texts(&[]));
    }
    lines.heading("[[front_doors]]");
    lines.key("name", "front");
    lines.key("format", options.front_door.as_deref().unwrap_or("nginx"));
    lines.key("proofs", texts(&["api_key".to_owned()]));
}

/// For each start of a path, which methods have which effect. Two effects for the same requests close them.
fn routes(
    operations: &[Operation],
    name: impl Fn(&Option<String>) -> String,
    report: &mut Report,
) -> BTreeMap<String, Vec<(Vec<String>, Effect)>> {
    let mut effects: BTreeMap<(&str, &str), Effect> = BTreeMap::new();
    for operation in operations {
        let effect = operation.guard.as_ref().ok().map(|policy| (name(&operation.upstream), *policy));
        let methods =
            if operation.methods.is_empty() { vec![""] } else { operation.methods.iter().map(String::as_str).collect() };
        for method in methods {
            let known = effects.entry((&operation.path, method)).or_insert_with(|| effect.clone());
            if *known != effect {
                if known.is_some() {
                    let text = format!("its requests are closed: another route below `{}` has other policies", operation.path);
                    report.left_out(&operation.place, text);
                }
                *known = None;
            }
        }
    }
    let mut routes: BTreeMap<String, Vec<(Vec<String>, Effect)>> = BTreeMap::new();
    for ((path, method), effect) in effects {
        let methods = || (!method.is_empty()).then(|| method.to_owned());
        let of_path = routes.entry(path.to_owned()).or_default();
        match of_path.iter_mut().find(|(_, known)| *known == effect) {
            Some((all, _)) => all.extend(methods()),
            None => of_path.push((methods().into_iter().collect(), effect)),
        }
    }
    routes
}

/// Zuplo's paths are exact, and ours are the start of paths: what only begins like a route is refused.
fn exactly(operations: &[Operation]) -> Vec<RuleText> {
    let with = |operation: &Operation, method: &str| operation.methods.iter().any(|own| own == method);
    let all = operations
        .iter()
        .flat_map(|operation| operation.methods.iter().map(|method| (operation.path.as_str(), method.as_str())));
    let mut rules = Vec::new();
    for (start, method) in all.collect::<BTreeSet<_>>() {
        let below = operations.iter().filter(|operation| operation.path.starts_with(start) && with(operation, method));
        // One that cannot be said has a closed route for all that begins like it.
        let template = |operation: &Operation| {
            operation.template.clone().unwrap_or_else(|| format!("^{}", regex::escape(&operation.path)))
        };
        let templates: BTreeSet<String> = below.map(template).collect();
        let templates: Vec<String> = templates.into_iter().collect();
        let criteria = vec![
            ("${request_method}".to_owned(), "is_equal", Some(method.to_owned())),
            ("${uri}".to_owned(), "starts_with", Some(start.to_owned())),
            ("${uri}".to_owned(), "does_not_match", Some(templates.join("|"))),
        ];
        let name = format!("no other {method} below {start}");
        rules.push(RuleText { name, routes: Vec::new(), criteria, behaviors: Vec::new() }.denying());
    }
    rules
}
