//! What rules do to a request, and which rules still run.

use http::HeaderName;
use vestibule::refusal::Refusal;
use vestibule::rules::{Rule, RuleSet, Trace};

use crate::{Asked, HOST, always, behavior, looked_at, one, parsed, rules};

fn add(line: &str) -> vestibule::rules::Behavior {
    behavior("add_request_header", line)
}

fn filter(name: &str) -> vestibule::rules::Behavior {
    behavior("filter_request_header", name)
}

fn when(name: &str, holds: bool, behaviors: Vec<vestibule::rules::Behavior>) -> Rule {
    let operator = if holds { "is_equal" } else { "is_not_equal" };
    Rule::new(name, one("${host}", operator, HOST), behaviors)
}

/// The refusal and its cause.
type Denied = (Refusal, String);

/// The rules that were looked at, and whether they matched.
type Looked = Vec<(String, bool)>;

/// Names of the headers that are set, and the rules that were looked at.
fn run(request: Vec<Rule>) -> (Result<Vec<String>, Denied>, Looked) {
    let mut trace = Vec::new();
    let decided = Asked::plain(&[]).decide(&rules(request), Trace::On(&mut trace));
    let names = decided.map(|permitted| permitted.ours().keys().map(ToString::to_string).collect());
    let looked = looked_at(&trace).into_iter().map(|(name, matched)| (name.to_owned(), matched)).collect();
    (names.map_err(|refused| (refused.refusal, refused.cause)), looked)
}

fn named(names: &[(&str, bool)]) -> Looked {
    names.iter().map(|(name, matched)| ((*name).to_owned(), *matched)).collect()
}

#[test]
fn which_rules_run() {
    let deny = || behavior("deny", "");
    let finish = || behavior("finish_request_phase", "");
    let denied = |rule: &str| Err((Refusal::DeniedByRule, format!("rule `{rule}`")));
    let set = |names: &[&str]| Ok(names.iter().map(ToString::to_string).collect::<Vec<_>>());
    for (request, decided, looked) in [
        (vec![], set(&[]), vec![]),
        (
            vec![always("a", vec![add("A: 1")]), always("b", vec![add("B: 1")])],
            set(&["a", "b"]),
            vec![("a", true), ("b", true)],
        ),
        (
            vec![when("a", false, vec![add("A: 1")]), when("b", true, vec![add("B: 1")])],
            set(&["b"]),
            vec![("a", false), ("b", true)],
        ),
        (vec![always("a", vec![deny()]), always("b", vec![add("B: 1")])], denied("a"), vec![("a", true)]),
        (vec![always("a", vec![add("A: 1")]), always("b", vec![deny()])], denied("b"), vec![("a", true), ("b", true)]),
        (vec![when("a", false, vec![deny()]), always("b", vec![add("B: 1")])], set(&["b"]), vec![("a", false), ("b", true)]),
        (vec![always("a", vec![add("A: 1"), deny(), add("A: 2")])], denied("a"), vec![("a", true)]),
        (vec![always("a", vec![deny(), finish()])], denied("a"), vec![("a", true)]),
        (vec![always("a", vec![finish(), deny()]), always("b", vec![deny()])], set(&[]), vec![("a", true)]),
        (
            vec![always("a", vec![add("A: 1"), finish(), add("B: 1")]), always("b", vec![deny()])],
            set(&["a"]),
            vec![("a", true)],
        ),
        (vec![when("a", false, vec![finish()]), always("b", vec![deny()])], denied("b"), vec![("a", false), ("b", true)]),
    ] {
        assert_eq!(run(request), (decided, named(&looked)));
    }
}

#[test]
fn criteria_see_the_request_as_it_came() {
    let seen = |variable: &str| Rule::new("late", one(variable, "exists", ""), vec![add("Seen: 1")]);
    for first in [add("X-New: 1"), filter("X-Old")] {
        let asked = Asked::plain(&[("x-old", "1")]);
        let permitted = asked.decide(&rules(vec![always("first", vec![first]), seen("${http_x_old}")]), Trace::Off).unwrap();
        assert!(permitted.ours().contains_key("seen"));
        let asked = Asked::plain(&[]);
        let permitted =
            asked.decide(&rules(vec![always("first", vec![add("X-New: 1")]), seen("${http_x_new}")]), Trace::Off).unwrap();
        assert!(!permitted.ours().contains_key("seen"));
    }
}

/// The lines for the upstream of a request with these headers.
fn lines(sent: &[(&str, &str)], behaviors: Vec<vestibule::rules::Behavior>) -> (Vec<String>, Vec<String>) {
    let permitted = Asked::plain(sent).decide(&rules(vec![always("r", behaviors)]), Trace::Off).unwrap();
    let lines = |headers: &http::HeaderMap| {
        let own = headers.iter().filter(|(name, _)| *name != http::header::HOST);
        own.map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect::<Vec<_>>()
    };
    (lines(permitted.headers()), lines(&permitted.ours()))
}

fn texts(lines: &[&str]) -> Vec<String> {
    lines.iter().map(ToString::to_string).collect()
}

#[test]
fn added_lines_gather_and_filters_take_away() {
    for (sent, behaviors, left, ours) in [
        (&[][..], vec![add("A: 1"), add("a: 2"), add("A: 1")], &[][..], &["a: 1", "a: 2", "a: 1"][..]),
        (&[("a", "client")], vec![add("A: 1")], &[], &["a: 1"]),
        (&[("a_b", "client"), ("a.b", "client"), ("A-B", "client")], vec![add("A-B: 1")], &[], &["a-b: 1"]),
        (&[("a", "x"), ("b", "y"), ("a", "z")], vec![filter("A")], &["b: y"], &[]),
        (&[("a_b", "x"), ("a-b", "y"), ("a.b", "z"), ("ab", "w")], vec![filter("A-B")], &["ab: w"], &[]),
        (&[], vec![add("A: 1"), filter("a")], &[], &[]),
        (&[], vec![add("A_B: 1"), filter("a-b"), add("A-B: 2")], &[], &["a-b: 2"]),
        (&[("a", "x")], vec![filter("A"), add("A: 1")], &[], &["a: 1"]),
        (&[("a", "x")], vec![add("A:"), add("B:   ")], &[], &[]),
        (&[("x", "1")], vec![add("A: ${http_none}"), add("B: ${ssl_client_s_dn}"), add("C: ${arg_x}")], &["x: 1"], &[]),
        (&[], vec![add("A: a: b:c")], &[], &["a: a: b:c"]),
    ] {
        assert_eq!(lines(sent, behaviors), (texts(left), texts(ours)), "{sent:?}");
    }
}

#[test]
fn copies_are_gone_even_if_the_rule_does_not_apply() {
    let asked = Asked::plain(&[("x-user", "mallory"), ("ssl_client_verify", "SUCCESS"), ("x-set-upstream", "me")]);
    let template = |text: &str| parsed(text).unwrap();
    let rules = RuleSet {
        upstream_headers: [
            (HeaderName::from_static("ssl-client-verify"), template("${ssl_client_verify}")),
            (HeaderName::from_static("x-set-upstream"), template("${ssl_client_s_dn}")),
        ]
        .into(),
        ..rules(vec![when("never", false, vec![add("X-User: ${subject.CN}")])])
    };
    let permitted = asked.decide(&rules, Trace::Off).unwrap();
    assert_eq!(permitted.headers().keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["host"]);
    assert_eq!(permitted.ours()["ssl-client-verify"], "NONE");
    assert_eq!(permitted.ours().len(), 1);
}

#[test]
fn a_filter_takes_away_what_every_request_gets() {
    let name = HeaderName::from_static("x-cn");
    let rules =
        RuleSet { upstream_headers: [(name, parsed("cn").unwrap())].into(), ..rules(vec![always("r", vec![filter("X-CN")])]) };
    assert!(Asked::plain(&[]).decide(&rules, Trace::Off).unwrap().ours().is_empty());
}

#[test]
fn a_value_that_is_too_long_fails_and_names_the_header() {
    let long = "y".repeat(40_000);
    let asked = Asked::plain(&[("x", &long), ("x", &long)]);
    let refused = asked.decide(&rules(vec![always("r", vec![add("X-All: ${http_x}")])]), Trace::Off).unwrap_err();
    assert_eq!(refused.refusal, Refusal::RuleFailed);
    assert!(refused.cause.contains("`x-all` would have 80002 bytes"), "{}", refused.cause);
}

#[test]
fn a_trace_tells_what_each_criterion_saw() {
    let mut trace = Vec::new();
    let rule = Rule::new("r", one("${http_x}", "starts_with", "b"), vec![add("A: 1")]);
    Asked::plain(&[("x", "a"), ("x", "b")]).decide(&rules(vec![rule]), Trace::On(&mut trace)).unwrap();
    assert_eq!(trace[0].criteria, [("${http_x} starts_with \"b\"".to_owned(), "a, b".to_owned(), true)]);
}
