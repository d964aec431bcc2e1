//! Operators and how criteria are joined.

use proptest::prelude::*;
use vestibule::rules::{Conditional, Groups, Operator};

use crate::pki::{Ca, Leaf};
use crate::{Asked, HOST, criterion, one};

/// What an operator means, for the values that a variable has. Not there is empty.
fn means(operator: &str, argument: &str, values: &[&str]) -> bool {
    let values = if values.is_empty() { &[""] } else { values };
    let expression = || regex::Regex::new(argument).unwrap();
    let any = |test: &dyn Fn(&str) -> bool| values.iter().any(|value| test(value));
    match operator {
        "is_equal" => any(&|value| value == argument),
        "is_not_equal" => !any(&|value| value == argument),
        "starts_with" => any(&|value| value.starts_with(argument)),
        "does_not_start_with" => !any(&|value| value.starts_with(argument)),
        "matches" => any(&|value| expression().is_match(value)),
        "does_not_match" => !any(&|value| expression().is_match(value)),
        "ends_with" => any(&|value| value.ends_with(argument)),
        "does_not_end_with" => !any(&|value| value.ends_with(argument)),
        "contains" => any(&|value| value.contains(argument)),
        "does_not_contain" => !any(&|value| value.contains(argument)),
        "exists" => any(&|value| !value.is_empty()),
        "does_not_exist" => !any(&|value| !value.is_empty()),
        other => panic!("{other}"),
    }
}

/// Whether it compares texts: the others are asked over HTTP.
fn is_textual(operator: &str) -> bool {
    !operator.ends_with("_list")
        && !operator.starts_with("less_")
        && !operator.starts_with("greater_")
        && !["before", "after"].contains(&operator)
}

#[test]
fn every_operator_on_every_kind_of_variable() {
    let ca = Ca::root("Root");
    let leaf = Leaf { dns: vec!["alpha.example".into(), "beta.example".into()], ..Leaf::named("alpha") };
    let mut asked = Asked::with(ca.issue(&leaf), ca);
    asked.headers = crate::headers(&[("x-one", "alpha"), ("x-many", "alpha"), ("x-many", "beta"), ("x-empty", "")]);
    let variables: [(&str, &[&str]); 10] = [
        ("${host}", &[HOST]),
        ("${args}", &[]),
        ("${cookie_x}", &[]),
        ("${http_x_one}", &["alpha"]),
        ("${http_x_many}", &["alpha", "beta"]),
        ("${http_x_empty}", &[""]),
        ("${http_x_none}", &[]),
        ("${subject.CN}", &["alpha"]),
        ("${ssl_client_san_dns}", &["alpha.example", "beta.example"]),
        ("${ssl_client_san_email}", &[]),
    ];
    let mut rows = 0;
    for (variable, values) in variables {
        for operator in Operator::NAMES.into_iter().filter(|operator| is_textual(operator)) {
            for argument in ["", "alpha", "beta", "al", "^alpha$", "^beta", "example$", "^$", "alpha,beta", "api.example", "."]
            {
                let held = asked.holds(one(variable, operator, argument));
                // What a client sends twice evades no negated operator: one that does not fit is enough.
                let expected = match operator.contains("not_") && variable == "${http_x_many}" {
                    true => values.iter().any(|value| means(operator, argument, &[value])),
                    false => means(operator, argument, values),
                };
                assert_eq!(held, expected, "{variable} {operator} {argument:?}");
                rows += 1;
            }
        }
    }
    assert_eq!(rows, 10 * 12 * 11);
}

#[test]
fn a_variable_that_is_not_there_is_the_same_whatever_its_kind() {
    let asked = Asked::plain(&[]);
    for operator in Operator::NAMES.into_iter().filter(|operator| is_textual(operator)) {
        for argument in ["", "a", "^$", ".*"] {
            let scalar = asked.holds(one("${ssl_client_s_dn}", operator, argument));
            for list in ["${http_x}", "${subject.OU}", "${ssl_client_san_dns}"] {
                assert_eq!(asked.holds(one(list, operator, argument)), scalar, "{list} {operator} {argument:?}");
            }
        }
    }
}

/// A criterion that holds, or one that does not.
fn truth(joint: Conditional, holds: bool) -> vestibule::rules::Criterion {
    criterion(joint, "${host}", if holds { "is_equal" } else { "is_not_equal" }, HOST)
}

/// A group: its first value, and further ones with how they are joined.
type Group = (bool, Vec<(bool, bool)>);

fn groups(written: &[Group]) -> Groups {
    let group = |(first, others): &Group| {
        let mut group = vec![truth(Conditional::If, *first)];
        group.extend(others.iter().map(|(and, value)| truth(if *and { Conditional::And } else { Conditional::Or }, *value)));
        group
    };
    Groups::new(written.iter().map(group).collect()).unwrap()
}

/// `a and b or c and d`, read as arithmetic: products first, then their sum.
fn arithmetic(group: &Group) -> bool {
    let (mut sum, mut product) = (0, u32::from(group.0));
    for (and, value) in &group.1 {
        if *and {
            product *= u32::from(*value);
        } else {
            sum += product;
            product = u32::from(*value);
        }
    }
    sum + product > 0
}

#[test]
fn and_binds_tighter_than_or() {
    let asked = Asked::plain(&[]);
    let mut rows = 0;
    for count in 0..4u32 {
        for bits in 0..(1u32 << (2 * count + 1)) {
            let bit = |at: u32| bits & (1 << at) != 0;
            let group: Group = (bit(0), (0..count).map(|at| (bit(2 * at + 1), bit(2 * at + 2))).collect());
            assert_eq!(asked.holds(groups(std::slice::from_ref(&group))), arithmetic(&group), "{group:?}");
            rows += 1;
        }
    }
    assert_eq!(rows, 2 + 8 + 32 + 128);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn groups_are_joined_by_and(written in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<(bool, bool)>(), 0..6)), 0..5)) {
        let held = Asked::plain(&[]).holds(groups(&written));
        prop_assert_eq!(held, written.iter().all(arithmetic));
    }
}

#[test]
fn names_are_compared_as_nginx_does() {
    let mut asked = Asked::plain(&[("X-Name", "v"), ("cookie", "Session-Id=abc; b=2; session_id=late"), ("cookie", "c=3; d")]);
    asked.target = "/?A-b=1&a_b=2&empty=&bare&q=a=b";
    for (variable, value) in [
        ("${http_x_name}", "v"),
        ("${http_host}", HOST),
        ("${cookie_session_id}", "abc"),
        ("${cookie_b}", "2"),
        ("${cookie_c}", "3"),
        ("${cookie_d}", ""),
        ("${arg_a_b}", "1"),
        ("${arg_empty}", ""),
        ("${arg_bare}", ""),
        ("${arg_q}", "a=b"),
        ("${args}", "A-b=1&a_b=2&empty=&bare&q=a=b"),
    ] {
        assert!(asked.holds(one(variable, "is_equal", value)), "{variable}");
    }
}

#[test]
fn values_are_compared_with_their_case_and_expressions_are_searches() {
    let asked = Asked::plain(&[("x", "Alpha Beta")]);
    assert!(!asked.holds(one("${http_x}", "is_equal", "alpha beta")));
    assert!(asked.holds(one("${http_x}", "matches", "ha Be")));
    assert!(!asked.holds(one("${http_x}", "matches", "ha be")));
    assert!(asked.holds(one("${http_x}", "matches", "(?i)ha be")));
    assert!(!asked.holds(one("${http_x}", "matches", "^Beta")));
}
