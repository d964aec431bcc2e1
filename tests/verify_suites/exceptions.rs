//! Where we differ from the suites, and why.

use std::collections::BTreeMap;

use crate::score::Outcome;

/// Tiers in which no reason excuses a false accept.
const GATING: [&str; 5] = ["core", "crl", "weak-crypto", "dos", "policy"];

/// The listed differences that have not been met yet: expected and actual by id.
#[derive(Default)]
pub(crate) struct Exceptions(BTreeMap<String, [String; 2]>);

impl Exceptions {
    pub(crate) fn read() -> Self {
        let list: Vec<BTreeMap<String, String>> = serde_json::from_str(include_str!("../conformance_exceptions.json")).unwrap();
        let count = list.len();
        let exceptions: BTreeMap<_, _> = list.into_iter().map(entry).collect();
        assert_eq!(exceptions.len(), count, "an id that stands twice");
        Self(exceptions)
    }

    /// What is wrong with an outcome, if anything. A listed one is struck from the list.
    pub(crate) fn problem(&mut self, outcome: &Outcome) -> Option<String> {
        let Outcome { id, tier, expected, actual, reason, .. } = outcome;
        if !matches!(actual.as_str(), "accept" | "reject") {
            return Some(format!("{id} ({tier}): {actual}: {reason}"));
        }
        if !outcome.differs() {
            return None;
        }
        let listed = self.0.remove(id).is_some_and(|listed| listed == [expected.as_str(), actual.as_str()]);
        let false_accept = actual == "accept" && GATING.contains(&tier.as_str());
        (!listed || false_accept).then(|| format!("{id} ({tier}): expected {expected}, got {actual}: {reason}"))
    }

    /// Exceptions that are none (any more).
    pub(crate) fn unused(&self) -> impl Iterator<Item = String> {
        self.0.keys().map(|id| format!("{id}: listed as an exception, but is none"))
    }
}

fn entry(mut entry: BTreeMap<String, String>) -> (String, [String; 2]) {
    let mut take = |key: &str| entry.remove(key).filter(|value| !value.is_empty()).unwrap_or_else(|| panic!("no `{key}`"));
    let read = (take("id"), [take("expected"), take("actual")]);
    take("why");
    assert!(entry.is_empty(), "{entry:?}");
    read
}
