//! `when = '<CEL>'`: an expression in the place of criteria (Common Expression Language, cel.dev).
//!
//! The `cel` crate reads the text; what comes out is checked against the types of our variables and becomes a closed tree, so
//! that at run time no name is looked up and no type is wrong. We evaluate the tree ourselves: the crate's interpreter compiles
//! a regular expression each time it meets one, and its functions cannot hold lists.
//!
//! Costs are bounded at load: the length and the depth of the expression, one macro over a list inside no other, and no
//! operation that makes texts or lists longer. What is left is linear in the expression and in what a request brings.

mod check;
mod evaluate;
mod names;
mod size;

use cel::Env;
use cel::common::ast::IdedExpr;

use super::facts::View;
use super::scope::Scope;
use super::variable::Variable;
use crate::refusal::{Refusal, Refused};
use check::Checker;
use evaluate::Test;

/// The parser calls itself often for each bracket.
const STACK: usize = 32 << 20;

/// A checked expression whose value is true or false.
#[derive(Debug)]
pub struct Expression {
    written: String,
    test: Test,
    variables: Vec<(String, Variable)>,
}

impl Expression {
    /// Reads and checks an expression.
    ///
    /// # Errors
    /// What is wrong, and the mend.
    pub fn parse(written: &str, scope: &Scope<'_>) -> Result<Self, String> {
        size::check(written).map_err(|why| format!("{why}{}", mend(written)))?;
        let read = std::thread::scope(|threads| {
            let reader = std::thread::Builder::new().stack_size(STACK);
            let work = || -> Result<(Test, Vec<(String, Variable)>), String> {
                let tree = tree(written)?;
                let mut checker = Checker::new(scope);
                let test = checker.test(&tree)?;
                Ok((test, checker.into_variables()))
            };
            let running = reader.spawn_scoped(threads, work).map_err(|why| format!("cannot be read: {why}"))?;
            running.join().unwrap_or_else(|_| Err("cannot be read".into()))
        });
        let (test, variables) = read?;
        Ok(Self { written: written.trim().to_owned(), test, variables })
    }

    /// The variables that it looks at.
    pub fn variables(&self) -> impl Iterator<Item = &Variable> {
        self.variables.iter().map(|(_, variable)| variable)
    }

    /// # Errors
    /// [`Refusal::RuleFailed`] when it has no value: a number that is not there, for example. What cannot be decided does not
    /// pass.
    pub(super) fn holds(&self, view: &View<'_>) -> Result<bool, Refused> {
        self.test.holds(view, None).map_err(|why| Refused::new(Refusal::RuleFailed, format!("`when`: {why}")))
    }

    pub(super) fn trace(&self, view: &View<'_>) -> (String, String, bool) {
        let seen = self.variables.iter().map(|(name, variable)| format!("{name}={}", variable.text(view)));
        let mut seen: Vec<String> = seen.collect();
        let held = self.holds(view);
        if let Err(refused) = &held {
            seen.push(refused.cause.clone());
        }
        (format!("when {}", self.written), seen.join(", "), held.unwrap_or(false))
    }
}

/// Macros stay the calls that they are written as: they are checked as such.
fn tree(written: &str) -> Result<IdedExpr, String> {
    let parser = Env::default().with_optional_support(false).parser().enable_ident_escape_syntax(true);
    parser.parse(written).map_err(|why| {
        let why = why.to_string();
        let why = why.lines().next().unwrap_or_default().trim_start_matches("ERROR: <input>:");
        format!("is no CEL: {why}{}", mend(written))
    })
}

/// What people write who know other languages.
fn mend(written: &str) -> &'static str {
    let words = || written.split_ascii_whitespace();
    if written.contains("${") {
        return "; names stand here without `${}`, like request.host";
    }
    if words().any(|word| matches!(word, "and" | "or" | "not" | "AND" | "OR" | "NOT" | "=")) {
        return "; operators are && || ! ==";
    }
    ""
}
