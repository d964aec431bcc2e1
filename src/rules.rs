//! Rules: criteria about a request and its certificate, and what follows.
//!
//! **Enters:** an [`AuthenticatedForward`] and the [`Facts`] about it. **Leaves:** a [`Permitted`], which owns the request: only
//! this can be sent to an upstream. Refused: [`Refusal::DeniedByRule`](crate::refusal::Refusal::DeniedByRule).
//!
//! Names and meaning are Azion's ("Rules Engine for Edge Applications"): rules run in their order, a rule that matches does
//! not stop the later ones, `deny` and `finish_request_phase` do. Criteria are groups joined by *and*; inside a group, *and*
//! binds tighter than *or*.

mod behavior;
mod criterion;
mod facts;
mod permitted;
mod template;
mod variable;

pub use behavior::{Behavior, BehaviorError};
pub use criterion::{Conditional, Criterion, Groups, Operator};
pub use facts::Facts;
pub use permitted::Permitted;
pub use template::Template;
pub use variable::Variable;

use http::HeaderName;

use crate::front_door::AuthenticatedForward;
use crate::refusal::Refused;
use behavior::Next;

/// One rule.
#[derive(Debug)]
pub struct Rule {
    /// Its name, for the log and `explain`.
    pub name: String,
    /// When it applies; no group at all means always.
    pub criteria: Groups,
    /// What it does, in this order.
    pub behaviors: Vec<Behavior>,
}

/// The rules of a tenant, compiled, and the headers that every permitted request gets.
#[derive(Debug, Default)]
pub struct RuleSet {
    /// Headers for the upstream, set before the rules run. One whose value is empty is not sent.
    pub upstream_headers: Vec<(HeaderName, Template)>,
    /// The rules of the request phase, in order.
    pub request: Vec<Rule>,
}

/// What a rule did to a request, for the log and `explain`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleTrace {
    /// The rule's name.
    pub rule: String,
    /// Whether its criteria held.
    pub matched: bool,
    /// Each criterion as written, with the value that it saw and whether it held.
    pub criteria: Vec<(String, String, bool)>,
}

/// Whether to write down what each criterion saw.
pub enum Trace<'t> {
    /// No: the way of every request.
    Off,
    /// Into this list.
    On(&'t mut Vec<RuleTrace>),
}

impl RuleSet {
    /// Runs the request phase.
    ///
    /// # Errors
    /// [`Refusal::DeniedByRule`](crate::refusal::Refusal::DeniedByRule) when a rule denies,
    /// [`Refusal::RuleFailed`](crate::refusal::Refusal::RuleFailed) when a header that a rule makes cannot be sent.
    pub fn decide(
        &self,
        forward: AuthenticatedForward,
        facts: &Facts<'_>,
        request_id: &str,
        mut trace: Trace<'_>,
    ) -> Result<Permitted, Refused> {
        let view = facts.about(&forward, request_id);
        let mut changes = behavior::Changes::default();
        for (name, value) in facts.lines() {
            changes.add_text(name, value);
        }
        for (name, template) in &self.upstream_headers {
            changes.add(name, template, &view)?;
        }
        for rule in &self.request {
            let matched = rule.criteria.hold(&view);
            if let Trace::On(list) = &mut trace {
                list.push(RuleTrace { rule: rule.name.clone(), matched, criteria: rule.criteria.trace(&view) });
            }
            if matched && rule.run(&view, &mut changes)? == Next::Finish {
                break;
            }
        }
        Permitted::new(forward, request_id, changes)
    }

    /// The names of all headers that these rules set: a client's own copies are removed at the front door.
    pub fn header_names(&self) -> impl Iterator<Item = &HeaderName> {
        let by_rules = self.request.iter().flat_map(|rule| rule.behaviors.iter()).filter_map(Behavior::header_set);
        self.upstream_headers.iter().map(|(name, _)| name).chain(by_rules)
    }
}

impl Rule {
    fn run(&self, view: &facts::View<'_>, changes: &mut behavior::Changes) -> Result<Next, Refused> {
        for behavior in &self.behaviors {
            if behavior.apply(&self.name, view, changes)? == Next::Finish {
                return Ok(Next::Finish);
            }
        }
        Ok(Next::Continue)
    }
}

#[cfg(test)]
mod tests;
