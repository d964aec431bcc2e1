//! When a rule applies.

use super::criterion::Groups;
use super::expression::Expression;
use super::facts::View;
use super::variable::Variable;
use crate::refusal::Refused;

/// When a rule applies.
#[derive(Debug)]
pub enum Condition {
    /// `criteria`: Azion's groups.
    Criteria(Groups),
    /// `when`: an expression.
    When(Expression),
}

impl From<Groups> for Condition {
    fn from(groups: Groups) -> Self {
        Self::Criteria(groups)
    }
}

impl Condition {
    /// Whether it always holds: nothing is asked.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Criteria(groups) => groups.is_empty(),
            Self::When(_) => false,
        }
    }

    /// The variables that it looks at.
    pub fn variables(&self) -> Vec<&Variable> {
        match self {
            Self::Criteria(groups) => groups.variables().collect(),
            Self::When(expression) => expression.variables().collect(),
        }
    }

    /// # Errors
    /// [`Refusal::RuleFailed`](crate::refusal::Refusal::RuleFailed) when an expression has no value. What follows from the rule
    /// cannot be known then, and nobody passes a `deny` that could not be decided.
    pub(super) fn holds(&self, view: &View<'_>) -> Result<bool, Refused> {
        match self {
            Self::Criteria(groups) => Ok(groups.hold(view)),
            Self::When(expression) => expression.holds(view),
        }
    }

    pub(super) fn trace(&self, view: &View<'_>) -> Vec<(String, String, bool)> {
        match self {
            Self::Criteria(groups) => groups.trace(view),
            Self::When(expression) => vec![expression.trace(view)],
        }
    }
}
