//! Rules as they are written.

use crate::{accepted, edited, refused_alone};

const CRITERION: &str =
    "{ conditional = \"if\", variable = \"${subject.O}\", operator = \"is_equal\", argument = \"Contractors\" }";
const DENY: &str = "[{ type = \"deny\" }]";

#[test]
fn criteria_that_cannot_be() {
    for (criterion, key, expected) in [
        ("{ operator = \"exists\" }", "criteria[0][0].variable", "is missing"),
        ("{ variable = \"${host}\" }", "criteria[0][0].operator", "one of is_equal, is_not_equal"),
        ("{ variable = \"${hots}\", operator = \"exists\" }", "criteria[0][0].variable", "there is no variable `${hots}`"),
        ("{ variable = \"${http_X}\", operator = \"exists\" }", "criteria[0][0].variable", "there is no variable"),
        ("{ variable = \"${arg_}\", operator = \"exists\" }", "criteria[0][0].variable", "there is no variable"),
        ("{ variable = \"${subject.cn}\", operator = \"exists\" }", "criteria[0][0].variable", "there is no variable"),
        ("{ variable = \"${host}\", operator = \"equals\" }", "criteria[0][0].operator", "`equals` is no operator"),
        ("{ variable = \"${host}\", operator = \"is_equal\" }", "criteria[0][0].operator", "needs an `argument`"),
        ("{ variable = \"${host}\", operator = \"exists\", argument = \"x\" }", "criteria[0][0].operator", "takes no argument"),
        (
            "{ variable = \"${host}\", operator = \"is_equal\", argument = 1 }",
            "criteria[0][0].argument",
            "found a whole number",
        ),
        ("{ variable = \"${host}\", operator = \"matches\", argument = \"a(?=b)\" }", "criteria[0][0].operator", "look-ahead"),
        (
            "{ variable = \"${host}\", operator = \"matches\", argument = \"(?<!b)a\" }",
            "criteria[0][0].operator",
            "look-behind",
        ),
        (
            "{ variable = \"${host}\", operator = \"matches\", argument = '(a)\\1' }",
            "criteria[0][0].operator",
            "backreferences",
        ),
        ("{ variable = \"${host}\", operator = \"matches\", argument = \"(\" }", "criteria[0][0].operator", "unclosed group"),
        ("{ variable = \"${host}\", operator = \"matches\", argument = '\\w{9999}' }", "criteria[0][0].operator", "size limit"),
        (
            "{ conditional = \"unless\", variable = \"${host}\", operator = \"exists\" }",
            "criteria[0][0].conditional",
            "if, and, or",
        ),
        ("{ conditional = \"and\", variable = \"${host}\", operator = \"exists\" }", "criteria", "no `if` before it"),
        (
            "{ variable = \"${host}\", operator = \"exists\" }, { conditional = \"if\", variable = \"${uri}\", operator = \"exists\" }",
            "criteria",
            "say `and` or `or`",
        ),
        ("1", "criteria[0][0]", "accepted: a table"),
    ] {
        let ran = edited(&[(CRITERION, criterion)]).check();
        refused_alone(&ran, &[&format!("acme.toml: `rules[0].{key}`: "), expected]);
    }
    let flat = edited(&[("[[{ conditional", "[{ conditional"), ("\"Contractors\" }]]", "\"Contractors\" }]")]);
    refused_alone(&flat.check(), &["`rules[0].criteria[0]`: found a table", "a group: a list of criteria"]);
}

#[test]
fn a_bad_criterion_is_one_problem() {
    let two = format!("{}, {}", CRITERION.replace("subject.O", "subject.o"), CRITERION.replace("\"if\"", "\"or\""));
    refused_alone(&edited(&[(CRITERION, &two)]).check(), &["`rules[0].criteria[0][0].variable`: there is no variable"]);
}

#[test]
fn behaviors_that_cannot_be() {
    for (behaviors, key, expected) in [
        ("[{ type = \"deny\", value = \"x\" }]", "behaviors[0]", "`deny` takes no `value`"),
        ("[{ type = \"finish_request_phase\", value = \"x\" }]", "behaviors[0]", "takes no `value`"),
        ("[{ type = \"block\" }]", "behaviors[0]", "`block` is no behavior"),
        ("[{ type = \"add_request_header\" }]", "behaviors[0]", "needs a `value`"),
        ("[{ type = \"filter_request_header\" }]", "behaviors[0]", "needs a `value`"),
        ("[{ type = \"add_request_header\", value = \"A: ${hots}\" }]", "behaviors[0]", "there is no variable `${hots}`"),
        ("[{ type = \"add_request_header\", value = \"A: ${host\" }]", "behaviors[0]", "has no `}`"),
        ("[{ value = \"x\" }]", "behaviors[0].type", "one of add_request_cookie, add_request_header"),
        ("[{ type = \"deny\" }, { type = \"filter_request_header\", value = \"A\" }]", "behaviors", "is never run"),
        ("[{ type = \"finish_request_phase\" }, { type = \"deny\" }]", "behaviors", "is never run"),
    ] {
        refused_alone(&edited(&[(DENY, behaviors)]).check(), &[&format!("acme.toml: `rules[0].{key}`: "), expected]);
    }
    refused_alone(&edited(&[(&format!("behaviors = {DENY}"), "")]).check(), &["`rules[0].behaviors`: is empty"]);
    refused_alone(&edited(&[("name = \"tell\"", "")]).check(), &["`rules[1].name`: is missing"]);
}

#[test]
fn spellings_that_are_accepted() {
    for criterion in [
        "{ variable = \"host\", operator = \"exists\" }",
        "{ variable = \"${host}\", operator = \"exists\", argument = \"\" }",
        "{ variable = \"${host}\", operator = \"does_not_starts_with\", argument = \"x\" }",
        "{ variable = \"${issuer.2.5.4.97}\", operator = \"matches\", argument = \"^PSD\" }",
        "{ variable = \"${uri}\", operator = \"exists\" }, { variable = \"${host}\", operator = \"exists\" }",
    ] {
        accepted(&edited(&[(CRITERION, criterion)]).check());
    }
    accepted(&edited(&[("active = true", "active = false")]).check());
}
