//! Services: where requests go.

use std::collections::BTreeMap;

use serde_json::Value;

use super::authority::Authority;
use super::entity::{Names, Strict, fields, named, objects, text};
use crate::cli::import::fields::Fields;
use crate::cli::import::remark::Report;
use crate::cli::import::url::Url;

/// A service.
pub(super) struct Service {
    pub(super) names: Names,
    pub(super) place: String,
    pub(super) enabled: bool,
    pub(super) tls: bool,
    pub(super) host: String,
    pub(super) port: u64,
    /// What stands before each path; empty for none.
    pub(super) path: String,
    pub(super) connect_timeout: Option<u64>,
    pub(super) read_timeout: Option<u64>,
    /// CAs of the upstream's own certificate.
    pub(super) ca_pem: Option<String>,
    /// Why nothing can be sent there.
    pub(super) unusable: Option<String>,
}

/// Kong's default, also for https.
const PORT: u64 = 80;

pub(super) fn read(
    names: Names,
    place: String,
    of: &mut Fields<'_>,
    authorities: &[Authority],
    report: &mut Report,
) -> Service {
    let mut strict = Strict { fields: of, problems: Vec::new() };
    let enabled = strict.flag("enabled").unwrap_or(true);
    let url = strict.text("url");
    let mut protocol = strict.text("protocol").unwrap_or_else(|| "http".into());
    let mut host = strict.text("host").unwrap_or_default();
    let mut port = strict.whole("port");
    let mut path = strict.text("path").unwrap_or_default();
    if let Some(url) = url.as_deref().and_then(Url::parse) {
        (protocol, host, path) = (url.protocol, url.host, url.path);
        port = url.port.or(Some(if protocol == "https" { 443 } else { PORT }));
    } else if url.is_some() {
        strict.problems.push("`url` is no URL".into());
    }
    let (connect_timeout, read_timeout) = (strict.whole("connect_timeout"), strict.whole("read_timeout"));
    let verifies = strict.flag("tls_verify");
    let wanted = strict.texts("ca_certificates");
    let shows = strict.fields.get("client_certificate").is_some();
    let (retries, write) = (strict.whole("retries"), strict.whole("write_timeout"));
    let depth = strict.whole("tls_verify_depth");
    let mut problems = strict.problems;
    let tls = protocol == "https";
    if !tls && protocol != "http" {
        problems.push(format!("its protocol is `{protocol}`, which is neither http nor https"));
    }
    if host.is_empty() {
        problems.push("it has no `host`".into());
    } else if !host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte)) {
        problems.push("its `host` is no host".into());
    }
    if shows {
        report.left_out(&place, "`client_certificate`: no certificate of ours is shown to upstreams");
    }
    if retries.is_some_and(|retries| retries > 0) {
        report.left_out(&place, "`retries`: a request is sent once");
    }
    if write.is_some() {
        report.left_out(&place, "`write_timeout`: there is none; `response_timeout` ends what hangs");
    }
    if depth.is_some() {
        report.left_out(&place, "`tls_verify_depth`: OpenSSL's own limit holds");
    }
    if read_timeout.is_some() {
        report.note(&place, "`read_timeout` becomes `response_timeout`, the wait for the answer's head");
    }
    if tls && verifies != Some(true) {
        report.stronger(&place, "the upstream's certificate is always verified; Kong does so with `tls_verify: true`");
    }
    let ca_pem = wanted.filter(|_| tls).and_then(|ids| pems(&ids, authorities, &mut problems));
    let unusable = (!problems.is_empty()).then(|| problems.join("; "));
    if let Some(why) = &unusable {
        report.left_out(&place, format!("nothing can be sent there: {why}"));
    }
    let path = path.trim_end_matches('/').to_owned();
    let port = port.unwrap_or(PORT);
    Service { names, place, enabled, tls, host, port, path, connect_timeout, read_timeout, ca_pem, unusable }
}

fn pems(ids: &[String], authorities: &[Authority], problems: &mut Vec<String>) -> Option<String> {
    let mut text = String::new();
    for id in ids {
        match authorities.iter().find(|authority| authority.names.are(id)) {
            Some(authority) => text.push_str(&authority.pem),
            None => problems.push("one of its `ca_certificates` is not in the file".into()),
        }
    }
    (!text.is_empty()).then_some(text)
}

/// A service whose host is the name of an upstream of Kong's goes to its first target.
pub(super) fn balance(
    source: &str,
    (upstreams, targets): (Option<&Value>, Option<&Value>),
    services: &mut [Service],
    report: &mut Report,
) {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for value in objects(upstreams, &format!("{source}: upstreams"), report) {
        let Some(mut of) = fields(value) else { continue };
        let name = text(&mut of, "name").unwrap_or_default();
        of.skip(&["id"]);
        let nested = of.get("targets");
        let place = format!("{source}: upstream `{name}`");
        for target in objects(nested, &place, report) {
            found.entry(name.clone()).or_default().extend(target.get("target").and_then(Value::as_str).map(str::to_owned));
        }
        let others = of.unknown();
        if !others.is_empty() {
            report.left_out(&place, format!("nothing is balanced here: `{}`", others.join("`, `")));
        }
        found.entry(name).or_default();
    }
    for target in objects(targets, &format!("{source}: targets"), report) {
        if let (Some(of), Some(to)) = (target.get("upstream").and_then(named), target.get("target").and_then(Value::as_str)) {
            found.entry(of).or_default().push(to.to_owned());
        }
    }
    for service in services {
        let Some(targets) = found.get(&service.host) else { continue };
        let Some(first) = targets.first() else {
            service.unusable = Some("its upstream has no target".into());
            report.left_out(&service.place, "nothing can be sent there: its upstream has no target");
            continue;
        };
        if targets.len() > 1 {
            let others = targets.len() - 1;
            report.left_out(&service.place, format!("{others} more targets of its upstream: an upstream has one address here"));
        }
        let (host, port) = first.rsplit_once(':').map_or((first.as_str(), None), |(host, port)| (host, port.parse().ok()));
        service.host = host.to_owned();
        // Kong's default port of targets.
        service.port = port.unwrap_or(8000);
    }
}
