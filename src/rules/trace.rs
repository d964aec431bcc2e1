//! What rules saw and did, for the log and `explain`.

use super::facts::View;
use super::{Behavior, Phase, ResponseBehavior, Rule};
use crate::refusal::Refused;

/// What a rule saw in a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleTrace {
    /// Its phase.
    pub phase: Phase,
    /// The rule's name.
    pub rule: String,
    /// Whether it is only watched.
    pub monitor: bool,
    /// Whether its criteria held.
    pub matched: bool,
    /// Whether that could not be decided; the request was refused for it, unless the rule is only watched.
    pub undecided: bool,
    /// Each criterion as written, with the value that it saw and whether it held.
    pub criteria: Vec<(String, String, bool)>,
    /// Its behaviors, in order.
    pub behaviors: Vec<&'static str>,
}

/// Whether to write down what each criterion saw.
pub enum Trace<'t> {
    /// No: the way of every request.
    Off,
    /// Into this list.
    On(&'t mut Vec<RuleTrace>),
}

/// What was not done because it is only watched (`mode = "monitor"`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Monitored {
    /// The rule; none for the verification of a route.
    pub rule: Option<String>,
    /// What would have been done: names of behaviors, or the code of a refusal.
    pub would: Vec<&'static str>,
}

pub(super) trait Named {
    fn named(&self) -> &'static str;
}

impl Named for Behavior {
    fn named(&self) -> &'static str {
        self.name()
    }
}

impl Named for ResponseBehavior {
    fn named(&self) -> &'static str {
        self.name()
    }
}

impl RuleTrace {
    /// What became of its criteria.
    pub fn word(&self) -> &'static str {
        match (self.undecided, self.matched) {
            (true, _) => "could not be decided",
            (false, true) => "matched",
            (false, false) => "did not match",
        }
    }

    pub(super) fn of<B: Named>(phase: Phase, rule: &Rule<B>, held: &Result<bool, Refused>, view: &View<'_>) -> Self {
        Self {
            phase,
            rule: rule.name.clone(),
            monitor: rule.monitor,
            matched: matches!(held, Ok(true)),
            undecided: held.is_err(),
            criteria: rule.criteria.trace(view),
            behaviors: rule.behaviors.iter().map(Named::named).collect(),
        }
    }
}

impl Monitored {
    pub(super) fn of(rule: &str, would: Vec<&'static str>) -> Option<Self> {
        (!would.is_empty()).then(|| Self { rule: Some(rule.to_owned()), would })
    }

    /// The text in the log: `no contractors: deny`.
    pub fn text(&self) -> String {
        format!("{}: {}", self.rule.as_deref().unwrap_or("verification"), self.would.join(", "))
    }
}
