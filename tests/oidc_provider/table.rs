//! A case's outcome, and the table that says what it must be.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::bank::DOMAIN;
use crate::vestibule_program::{Vestibule, wait_until};

/// Who decided about a request that did not come through Vestibule.
pub(crate) const NOBODY: &str = "nobody between";

/// What the client saw, and who decided.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    pub(crate) name: String,
    pub(crate) saw: Saw,
    /// What Vestibule's access line says about its refusal.
    pub(crate) cause: String,
    /// The whole line, for what a case found out besides.
    pub(crate) line: Value,
}

/// Status, OAuth error, and by whom: the code of Vestibule's refusal, or the upstream that answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Saw {
    pub(crate) status: u64,
    pub(crate) error: String,
    pub(crate) by: String,
}

pub(crate) fn saw(status: u64, error: &str, by: &str) -> Saw {
    Saw { status, error: error.into(), by: by.into() }
}

impl Outcome {
    pub(crate) fn new(line: Value, vestibule: &Vestibule) -> Self {
        let text = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
        assert!(line.get("threw").is_none(), "{line}");
        let id = text("id");
        let (by, cause) = if id.is_empty() { (NOBODY.to_owned(), String::new()) } else { decided(vestibule, &id, &line) };
        let saw = saw(line["status"].as_u64().unwrap_or_default(), &text("error"), &by);
        Self { name: text("name"), saw, cause, line }
    }

    /// Whether the request went to the `mtls.` host.
    pub(crate) fn at_mtls_host(&self) -> bool {
        self.line["host"] == format!("mtls.{DOMAIN}")
    }
}

/// Who decided about a request and why, by its access line.
fn decided(vestibule: &Vestibule, id: &str, line: &Value) -> (String, String) {
    let find = || vestibule.access_lines().into_iter().find(|line| line["request.id"] == id);
    wait_until(|| find().is_some(), || format!("no access line: {line}"));
    let access = find().unwrap();
    let text = |key: &str| access[key].as_str().unwrap_or_default().to_owned();
    if access["decision"] == "refuse" {
        assert!(access.get("upstream.status").is_none_or(Value::is_null), "refused, and yet forwarded: {access}");
        return (text("refusal.code"), text("refusal.cause"));
    }
    assert_eq!(access["upstream.status"], line["status"], "{access}");
    (text("upstream.name"), String::new())
}

/// Every case must be in the table, and everything in the table must have been asked.
#[track_caller]
pub(crate) fn assert_as_expected(outcomes: &[Outcome], expected: &BTreeMap<String, Saw>) {
    let mut wrong: Vec<String> = Vec::new();
    for outcome in outcomes {
        match expected.get(&outcome.name) {
            Some(expected) if *expected == outcome.saw => {}
            expected => wrong
                .push(format!("{}\n  is        {:?}\n  should be {expected:?}\n  {}", outcome.name, outcome.saw, outcome.line)),
        }
    }
    let asked: Vec<&str> = outcomes.iter().map(|outcome| outcome.name.as_str()).collect();
    wrong.extend(expected.keys().filter(|name| !asked.contains(&name.as_str())).map(|name| format!("never asked: {name}")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(asked.len(), expected.len(), "a case was asked twice");
}
