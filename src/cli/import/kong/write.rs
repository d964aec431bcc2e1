//! The folder: `vestibule.toml`, a file for each tenant, CAs, consumers, the gateway's own certificates.

use std::collections::BTreeMap;
use toml_edit::Value;

use super::auth::Kind;
use super::plan::Paths;
use super::policy::{Keys, Set};
use crate::cli::import::folder::NewFile;
use crate::cli::import::lines::{Lines, RuleText, texts};

/// The upstream of routes that are closed: nothing can listen there.
pub(super) const CLOSED: &str = "closed";
const NOWHERE: &str = "unix:/dev/null/closed-by-import";

/// A tenant that is ready to be written.
pub(super) struct TenantFile {
    pub(super) name: String,
    pub(super) hosts: Vec<String>,
    pub(super) door: Door,
    /// The file of its consumers.
    pub(super) consumers: Option<Kind>,
    pub(super) sets: BTreeMap<String, (Set, CaFiles)>,
    pub(super) revocation_hosts: Vec<String>,
    pub(super) upstreams: BTreeMap<String, Keys>,
    pub(super) routes: Vec<RouteText>,
    pub(super) rules: Vec<RuleText>,
}

/// Files of a set.
pub(super) struct CaFiles {
    pub(super) anchors: Vec<String>,
    pub(super) intermediates: Vec<String>,
}

/// How certificates arrive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Door {
    /// By our own handshakes.
    OwnTls { asks: bool, send_ca_dn: bool },
    /// By a header of this name and format.
    Header(String, &'static str),
    /// By a front door of this preset.
    Preset(String),
}

/// A route.
pub(super) struct RouteText {
    pub(super) comments: Vec<String>,
    pub(super) path: String,
    pub(super) methods: Vec<String>,
    pub(super) upstream: String,
    pub(super) policy: Keys,
}

/// Refuses these paths, or those of them with this header.
pub(super) fn denial(name: String, paths: &Paths, header: Option<&str>) -> RuleText {
    let path = match paths {
        Paths::Fitting(pattern) => ("${uri}".to_owned(), "matches", Some(pattern.clone())),
        Paths::Below(start) => ("${uri}".to_owned(), "starts_with", Some(start.clone())),
    };
    let header = header.map(|header| {
        let variable = header.to_ascii_lowercase().replace('-', "_");
        (format!("${{http_{variable}}}"), "exists", None)
    });
    let criteria = std::iter::once(path).chain(header).collect();
    RuleText { name, routes: Vec::new(), criteria, behaviors: Vec::new() }.denying()
}

/// Takes what fits of a path off, and puts the service's path before it. `others` are methods that have a route of their own.
pub(super) fn rewrite(name: String, route: &RouteText, others: &[String], stripped: &str, before: &str) -> RuleText {
    let capture = vec![
        ("type", "capture_match_groups".into()),
        ("subject", "${uri}".into()),
        ("regex", format!("(?s)^{}/?(.*)$", regex::escape(stripped)).into()),
        ("captured_array", "path".into()),
    ];
    let rewritten = vec![("type", "rewrite_request".into()), ("value", format!("{before}/%{{path[1]}}").into())];
    let mut rule = RuleText::of_route(name, &route.path, &route.methods, others);
    rule.behaviors = vec![capture, rewritten];
    rule
}

pub(super) fn tenant(source: &str, tenant: &TenantFile) -> NewFile {
    let mut lines = Lines::default();
    lines.comment("Made by `vestibule import kong`.");
    lines.comment(&format!("From {source}"));
    lines.key("error_style", "kong");
    if let Some(kind) = tenant.consumers {
        lines.key("consumers_file", consumers_path(kind));
    }
    domains(&mut lines, tenant);
    door(&mut lines, &tenant.door);
    for (name, (set, files)) in &tenant.sets {
        lines.heading(&format!("[trusted_ca.{name}]"));
        lines.key("certificates", texts(&files.anchors));
        if !files.intermediates.is_empty() {
            lines.key("intermediates", texts(&files.intermediates));
        }
        if set.allow_partial_chain {
            lines.key("allow_partial_chain", true);
        }
        if set.asks && !tenant.revocation_hosts.is_empty() {
            lines.key("ocsp", "leaf");
            lines.key("revocation_hosts", texts(&tenant.revocation_hosts));
        } else if set.asks {
            lines.comment("Nothing is fetched for revocation until this is filled.");
            lines.comment("ocsp = \"leaf\"");
            lines.comment("revocation_hosts = [\"ocsp.ca.example\", \"crl.ca.example\"]");
        }
    }
    for (name, keys) in &tenant.upstreams {
        lines.heading(&format!("[upstreams.{name}]"));
        keys.iter().for_each(|(key, value)| lines.key(key, value.clone()));
    }
    if tenant.routes.iter().any(|route| route.upstream == CLOSED) {
        lines.heading(&format!("[upstreams.{CLOSED}]"));
        lines.comment("Routes that are closed lead here, behind a rule that refuses: their guard could not be carried over.");
        lines.key("url", NOWHERE);
    }
    for route in &tenant.routes {
        lines.heading("[[routes]]");
        route.comments.iter().for_each(|comment| lines.comment(comment));
        lines.key("path", route.path.as_str());
        if !route.methods.is_empty() {
            lines.key("methods", texts(&route.methods));
        }
        lines.key("upstream", route.upstream.as_str());
        lines.0.push_str("[routes.policy]\n");
        route.policy.iter().for_each(|(key, value)| lines.key(key, value.clone()));
    }
    tenant.rules.iter().for_each(|written| lines.rule(written));
    NewFile::new(format!("tenants/{}.toml", tenant.name), lines.0)
}

fn domains(lines: &mut Lines, tenant: &TenantFile) {
    let blank = [String::new()];
    let hosts = if tenant.hosts.is_empty() { &blank[..] } else { &tenant.hosts };
    for host in hosts {
        lines.heading("[[domains]]");
        if host.is_empty() {
            lines.comment("A blank to fill: the host name.");
        }
        lines.key("name", host.as_str());
        if !matches!(tenant.door, Door::OwnTls { .. }) {
            lines.comment("A blank to fill: the tag of the key that the front door sends; `vestibule keygen --config FOLDER`.");
            lines.key("cname_api_keys", texts(&[]));
        }
    }
}

fn door(lines: &mut Lines, door: &Door) {
    lines.heading("[[front_doors]]");
    match door {
        Door::OwnTls { asks, send_ca_dn } => {
            lines.key("name", "own");
            lines.key("format", "tls");
            lines.key("request_client_certificate", if *asks { "always" } else { "never" });
            if *asks {
                lines.key("send_ca_dn", *send_ca_dn);
            }
        }
        Door::Preset(format) => {
            lines.key("name", "front");
            lines.key("format", format.as_str());
            lines.key("proofs", texts(&["api_key".to_owned()]));
        }
        Door::Header(name, format) => {
            lines.key("name", "front");
            lines.key("format", "raw");
            lines.key("proofs", texts(&["api_key".to_owned()]));
            lines.heading("[front_doors.raw]");
            lines.key("certificate", *format);
            lines.heading("[front_doors.headers]");
            lines.key("client_certificate", name.to_ascii_lowercase());
        }
    }
}

pub(super) fn consumers_path(kind: Kind) -> String {
    format!("consumers/{}.toml", kind.plugin())
}

/// What the process needs.
pub(super) struct ProcessFile {
    /// Files of certificates and keys; empty for none of our own.
    pub(super) certificates: Vec<(String, String)>,
    pub(super) own_tls: bool,
    pub(super) front_doors: bool,
    /// Keys of `[revocation]`.
    pub(super) revocation: Keys,
}

pub(super) fn process(source: &str, process: &ProcessFile) -> NewFile {
    let mut lines = Lines::default();
    lines.comment("Made by `vestibule import kong`.");
    lines.comment(&format!("From {source}"));
    lines.heading("[server]");
    lines.comment("Kong's ports; take others while Kong has them.");
    if process.front_doors {
        lines.key("listen", texts(&["0.0.0.0:8000".to_owned()]));
    }
    if process.own_tls {
        lines.0.push_str("[server.tls]\n");
        lines.key("listen", texts(&["0.0.0.0:8443".to_owned()]));
        let pairs: Vec<String> = process
            .certificates
            .iter()
            .map(|(chain, key)| {
                format!("{{ certificate = {}, key = {} }}", Value::from(chain.as_str()), Value::from(key.as_str()))
            })
            .collect();
        lines.0.push_str(&format!("certificates = [{}]\n", pairs.join(", ")));
    }
    lines.heading("[secrets]");
    lines.key("pepper_file", "secrets/pepper");
    if !process.revocation.is_empty() {
        lines.heading("[revocation]");
        process.revocation.iter().for_each(|(key, value)| lines.key(key, value.clone()));
    }
    NewFile::new("vestibule.toml", lines.0)
}
