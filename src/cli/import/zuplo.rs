//! Zuplo's `policies.json`, and its `routes.oas.json` when it is there, as a configuration folder.
//!
//! Pure: documents in, files and remarks out. A route whose policies cannot be carried over whole is closed: it leads nowhere.

mod paths;
mod policy;
mod write;

use serde_json::Value;

use self::paths::Operation;
use self::policy::Policies;
use super::fields::Fields;
use super::folder::{Import, NewFile};
use super::remark::Report;

/// What the files do not say.
#[derive(Debug, Default)]
pub struct Options {
    /// Hosts.
    pub domains: Vec<String>,
    /// The format of the front door; none means nginx's.
    pub front_door: Option<String>,
}

/// Converts the documents, each with its name in remarks.
///
/// # Errors
/// When none of them holds policies, or one holds something else.
pub fn convert(sources: &[(String, Value)], options: &Options) -> Result<Import, String> {
    let mut report = Report::default();
    let (mut policies, mut operations, mut has_paths) = (Policies::default(), Vec::new(), false);
    for (name, json) in sources {
        if json.get("policies").is_some_and(Value::is_array) {
            policies.read(name, json, &mut report);
        } else if json.get("paths").is_none_or(|paths| !paths.is_object()) {
            return Err(format!(
                "`{name}` is neither policies.json nor routes.oas.json: no list `policies`, no mapping `paths`"
            ));
        }
    }
    if policies.mtls.is_empty() {
        return Err("holds no policy of the type mtls-auth-inbound".into());
    }
    for (name, json) in sources.iter().filter(|(_, json)| json.get("paths").is_some()) {
        has_paths = true;
        paths::read(name, json, &policies, &mut operations, &mut report);
    }
    if !has_paths {
        operations = everything(&policies, &mut report);
    }
    blanks(&policies, &operations, options, &mut report);
    let written = write::folder(&policies, operations, options, &mut report);
    let summary = format!(
        "{} policies mtls-auth-inbound, {} routes of which {} closed",
        policies.mtls.len(),
        written.routes,
        written.closed
    );
    Ok(Import { files: written.files, remarks: report.remarks, summary })
}

/// Without routes, the one policy stands before everything.
fn everything(policies: &Policies, report: &mut Report) -> Vec<Operation> {
    let text = "which routes the policies stand before is in routes.oas.json: give it too. What comes out has one route, for everything";
    report.left_out("routes", text);
    let Some(policy) = policies.mtls.first() else { return Vec::new() };
    for other in policies.mtls.iter().skip(1) {
        report.left_out(&other.place, "stands before no route, since no routes are given");
    }
    let guard = policy.closed.clone().map_or(Ok(Some(0)), Err);
    let (place, path) = (policy.place.clone(), "/".to_owned());
    vec![Operation { place, path, template: None, methods: Vec::new(), upstream: None, guard }]
}

fn blanks(policies: &Policies, operations: &[Operation], options: &Options, report: &mut Report) {
    if options.domains.is_empty() {
        report.blank("domains", "`name` of [[domains]]; or import again with --domain");
    }
    report.blank(
        "domains",
        "`cname_api_keys` of [[domains]]: `vestibule keygen --config FOLDER` makes the front door's key and its tag",
    );
    for policy in &policies.mtls {
        let of = policy.issuer.as_ref().map_or_else(String::new, |issuer| format!(" whose subject is `{issuer}`"));
        report.blank(
            &policy.place,
            format!("`{}`: the CA certificate{of}; Zuplo keeps it with the account, not in the project", policy.ca_file()),
        );
    }
    if operations.iter().any(|operation| operation.upstream.is_none() && operation.guard.is_ok()) {
        report.blank("upstreams", "`url` of [upstreams.unknown]: no route says it, or it stands in the environment");
    }
}

/// The answers that clients of Zuplo know.
const ERROR_STYLE: &str = "zuplo";

/// An object's fields; none for what is no object.
fn fields(value: &Value) -> Option<Fields<'_>> {
    Fields::of(value)
}

/// The process's file.
fn process() -> NewFile {
    let text = "# Made by `vestibule import zuplo`.\n\n[server]\nlisten = [\"0.0.0.0:8000\"]\n\n[secrets]\npepper_file = \"secrets/pepper\"\n";
    NewFile::new("vestibule.toml", text)
}
