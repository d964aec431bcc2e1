//! What is wrong with a configuration: all of it at once.

use std::cell::RefCell;
use std::fmt;

/// One thing that is wrong: where, what was found, what is accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file, or the environment.
    pub file: String,
    /// The key, like `policy.verification`.
    pub key: String,
    /// What stands there. Never a secret.
    pub found: String,
    /// What would be right.
    pub accepted: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.file)?;
        if !self.key.is_empty() {
            write!(f, "`{}`: ", self.key)?;
        }
        write!(f, "{}", self.found)?;
        if !self.accepted.is_empty() {
            write!(f, "\n  hint: {}", self.accepted)?;
        }
        Ok(())
    }
}

/// Collects problems while a configuration is read.
#[derive(Debug, Default)]
pub(super) struct Collector(RefCell<Vec<Problem>>);

impl Collector {
    pub(super) fn add(&self, problem: Problem) {
        self.0.borrow_mut().push(problem);
    }

    pub(super) fn into_problems(self) -> Vec<Problem> {
        self.0.into_inner()
    }
}
