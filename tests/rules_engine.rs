//! The rules engine from outside: requests through the real program, rules as users write them.
//!
//! Most tables put a rule for each row into one configuration, so that one program answers all of them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

#[path = "journey/bank.rs"]
#[allow(dead_code, reason = "a module of several test programs, each of which uses a part of it")]
mod bank;
#[path = "support/edge_config.rs"]
mod edge_config;
#[path = "journey/front_door.rs"]
#[allow(dead_code, reason = "a module of several test programs, each of which uses a part of it")]
mod front_door;
#[path = "support/http_client.rs"]
mod http_client;
#[path = "support/nginx.rs"]
mod nginx;
#[path = "support/pki.rs"]
mod pki;
#[path = "support/ports.rs"]
mod ports;
#[path = "support/recording_upstream.rs"]
mod recording_upstream;
#[path = "journey/tls_client.rs"]
mod tls_client;
#[path = "support/vestibule.rs"]
mod vestibule_program;

#[path = "rules_engine/answers.rs"]
mod answers;
#[path = "rules_engine/attacks.rs"]
mod attacks;
#[path = "rules_engine/both_ways.rs"]
mod both_ways;
#[path = "rules_engine/debugging.rs"]
mod debugging;
#[path = "rules_engine/dialects.rs"]
mod dialects;
#[path = "rules_engine/expressions.rs"]
mod expressions;
#[path = "rules_engine/geoip.rs"]
mod geoip;
#[path = "rules_engine/hostile.rs"]
mod hostile;
#[path = "rules_engine/limits.rs"]
mod limits;
#[path = "rules_engine/lists.rs"]
mod lists;
#[path = "rules_engine/load.rs"]
mod load;
#[path = "rules_engine/monitor.rs"]
mod monitor;
#[path = "rules_engine/operators.rs"]
mod operators;
#[path = "rules_engine/rehearsals.rs"]
mod rehearsals;
#[path = "rules_engine/requests.rs"]
mod requests;
#[path = "rules_engine/responses.rs"]
mod responses;
#[path = "rules_engine/seed.rs"]
mod seed;
#[path = "rules_engine/stops.rs"]
mod stops;

use bank::{Bank, Tenant};
use recording_upstream::RecordingUpstream;

/// A tenant with these rules, lists and whatever else.
fn tenant(tables: &str) -> Tenant {
    Tenant { tables: tables.to_owned(), ..Tenant::default() }
}

/// A program with them.
fn with(tables: &str) -> Bank {
    Bank::with(&tenant(tables))
}

/// A program with them, before an upstream that answers in its own way.
fn before(tables: &str, upstream: RecordingUpstream) -> Bank {
    Bank::before(&tenant(tables), upstream)
}

/// A configuration folder with a tenant, for commands that serve nobody.
fn folder(tenant: &Tenant) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (file, text) in bank::files(&[(tenant.clone(), "http://127.0.0.1:9".into())]) {
        let path = folder.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text.replace("{port}", "1").replace("{admin}", "2")).unwrap();
    }
    folder
}

/// A rule for one path.
fn rule_at(phase: &str, path: &str, behaviors: &str) -> String {
    let criterion = format!("[[{{ variable = \"${{uri}}\", operator = \"is_equal\", argument = \"{path}\" }}]]");
    format!("[[rules]]\nname = \"{phase} {path}\"\nphase = \"{phase}\"\ncriteria = {criterion}\nbehaviors = [{behaviors}]\n")
}

/// A rule with one criterion.
fn rule_if(phase: &str, name: &str, (variable, operator, argument): (&str, &str, Option<&str>), behaviors: &str) -> String {
    let argument = argument.map(|argument| format!(", argument = '{argument}'")).unwrap_or_default();
    let criterion = format!("[[{{ variable = '{variable}', operator = '{operator}'{argument} }}]]");
    format!("[[rules]]\nname = '{name}'\nphase = \"{phase}\"\ncriteria = {criterion}\nbehaviors = [{behaviors}]\n")
}
