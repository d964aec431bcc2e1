//! Any text as the `when` of a rule. What is taken has a value or none, and its negation the other; where no name stands in it,
//! the interpreter of the `cel` crate finds the same.
#![no_main]

use cel::{Context, Program, Value};
use libfuzzer_sys::fuzz_target;
use vestibule::refusal::Refusal;
use vestibule::rules::{Behavior, Condition, Expression, Outcome, Phase, Scope};
use vestibule_fuzz::decision::{KNOWN, decided};

fuzz_target!(|written: &str| {
    let _ = Expression::parse(written, &Scope::new(Phase::Response, &KNOWN));
    let scope = Scope::new(Phase::Request, &KNOWN);
    let expression = match Expression::parse(written, &scope) {
        Ok(expression) => expression,
        Err(why) => {
            assert!(!why.is_empty());
            return;
        }
    };
    let constant = expression.variables().next().is_none();
    let held = held(expression);
    // The line feed ends a comment.
    match Expression::parse(&format!("!({written}\n)"), &scope) {
        Ok(negated) => assert_eq!(self::held(negated), held.map(|held| !held), "the negation"),
        Err(why) => assert!(["deep", "more than 256", "are the most"].iter().any(|limit| why.contains(limit)), "{why}"),
    }
    if constant
        && let Ok(program) = Program::compile(written)
        && let Ok(Value::Bool(theirs)) = program.execute(&Context::default())
    {
        assert_eq!(held, Some(theirs), "the value for another interpreter");
    }
});

fn held(expression: Expression) -> Option<bool> {
    let scope = Scope::new(Phase::Request, &KNOWN);
    let deny = Behavior::parse("deny", None, &scope).unwrap();
    match decided(Condition::When(expression), vec![deny]) {
        Ok(Outcome::Permitted(_)) => Some(false),
        Ok(Outcome::Answered(answer)) => panic!("answered by {answer:?}"),
        Err(refused) if refused.refusal == Refusal::DeniedByRule => Some(true),
        Err(refused) => {
            assert_eq!(refused.refusal, Refusal::RuleFailed, "{refused:?}");
            None
        }
    }
}
