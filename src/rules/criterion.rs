//! Criteria: a variable, an operator, an argument; joined in groups.

use super::facts::View;
use super::operator::Operator;
use super::variable::Variable;

/// How a criterion is joined to the one before it in its group (Azion's `conditional`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conditional {
    /// Both must hold. Binds tighter than [`Conditional::Or`].
    And,
    /// The first of a group.
    If,
    /// One must hold.
    Or,
}

/// One criterion.
#[derive(Debug)]
pub struct Criterion {
    conditional: Conditional,
    variable: Variable,
    operator: Operator,
    /// As it was written, for `explain`.
    written: String,
}

impl Criterion {
    /// A criterion and its written form.
    pub fn new(conditional: Conditional, name: &str, variable: Variable, operator: Operator) -> Self {
        let written = format!("{name} {}", operator.written());
        Self { conditional, variable, operator, written }
    }

    fn holds(&self, view: &View<'_>) -> bool {
        self.operator.holds(&self.variable.values(view))
    }
}

/// Groups of criteria: all groups must hold.
#[derive(Debug, Default)]
pub struct Groups(Vec<Vec<Criterion>>);

impl Groups {
    /// Groups as they are written.
    ///
    /// # Errors
    /// An empty group, a first criterion joined by something else than `if`, or a later one joined by `if`.
    pub fn new(groups: Vec<Vec<Criterion>>) -> Result<Self, String> {
        for (at, group) in groups.iter().enumerate() {
            let Some((first, others)) = group.split_first() else { return Err(format!("group {at} is empty")) };
            if first.conditional != Conditional::If {
                return Err(format!("the first criterion of group {at} has no `if` before it to be joined to"));
            }
            if others.iter().any(|criterion| criterion.conditional == Conditional::If) {
                return Err(format!("a later criterion of group {at} says `if`; say `and` or `or`"));
            }
        }
        Ok(Self(groups))
    }

    /// Whether they always hold: there is no group at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The variables that they look at.
    pub fn variables(&self) -> impl Iterator<Item = &Variable> {
        self.0.iter().flatten().map(|criterion| &criterion.variable)
    }

    pub(super) fn hold(&self, view: &View<'_>) -> bool {
        self.0.iter().all(|group| group_holds(group, view))
    }

    pub(super) fn trace(&self, view: &View<'_>) -> Vec<(String, String, bool)> {
        let all = self.0.iter().flatten();
        all.map(|one| (one.written.clone(), one.variable.text(view).into_owned(), one.holds(view))).collect()
    }
}

/// A group is an *or* of runs that are joined by *and*.
fn group_holds(group: &[Criterion], view: &View<'_>) -> bool {
    let mut run = true;
    for criterion in group {
        if criterion.conditional == Conditional::Or {
            if run {
                return true;
            }
            run = true;
        }
        run = run && criterion.holds(view);
    }
    run
}
