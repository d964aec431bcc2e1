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
        let (found, accepted) = (masked(&problem.found), masked(&problem.accepted));
        self.0.borrow_mut().push(Problem { found, accepted, ..problem });
    }

    pub(super) fn into_problems(self) -> Vec<Problem> {
        self.0.into_inner()
    }
}

/// As many hexadecimal digits as a pepper, a key and a tag have.
const SECRET_DIGITS: usize = 64;

/// A text without what may be a secret. Peppers, keys and tags end up under wrong keys and in broken lines, and problems are
/// read by more people than the files.
pub(super) fn masked(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut run = String::new();
    for character in text.chars().map(Some).chain([None]) {
        if let Some(digit) = character.filter(char::is_ascii_hexdigit) {
            run.push(digit);
            continue;
        }
        shown.push_str(if run.len() < SECRET_DIGITS { &run } else { "***" });
        run.clear();
        shown.extend(character);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_runs_of_hexadecimal_digits_are_masked() {
        let secret = "0aB".repeat(22);
        assert_eq!(masked(&format!("found `hmac-sha256:{secret}`")), "found `hmac-sha256:***`");
        assert_eq!(masked(&secret), "***");
        assert_eq!(masked("a face, 63 digits and é"), "a face, 63 digits and é");
        assert_eq!(masked(&"a".repeat(63)), "a".repeat(63));
    }
}
