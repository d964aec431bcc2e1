//! What stands around rules, how their parts are called, and in which order they come.

use serde_json::{Value, json};
use vestibule::cli::import::azion::{Phase, Source, convert};
use vestibule::variables::Dialect;

use crate::{always, import, left_out, rule, rules};

const REQUEST: Option<Phase> = Some(Phase::Request);

fn v3() -> Value {
    json!({ "id": 7, "name": "r", "description": "d", "phase": "request", "is_active": true, "order": 1,
        "criteria": [[{ "conditional": "if", "variable": "${host}", "operator": "is_equal", "input_value": "a.example" },
                      { "conditional": "or", "variable": "${uri}", "operator": "does_not_starts_with", "input_value": "/b" }]],
        "behaviors": [{ "name": "add_request_header", "target": "X-A: ${host}" }, { "name": "deny", "target": null }] })
}

fn v4() -> Value {
    json!({ "id": 7, "name": "r", "description": "d", "active": true, "order": 1, "last_editor": "e", "last_modified": "m",
        "created_at": "c",
        "criteria": [[{ "conditional": "if", "variable": "${host}", "operator": "is_equal", "argument": "a.example" },
                      { "conditional": "or", "variable": "uri", "operator": "does_not_start_with", "argument": "/b" }]],
        "behaviors": [{ "type": "add_request_header", "attributes": { "value": "X-A: ${host}" } },
                      { "type": "deny", "attributes": {} }] })
}

#[test]
fn every_shape_is_the_same_rule() {
    let expected = json!([{ "name": "r", "description": "d",
        "criteria": [[{ "conditional": "if", "variable": "${host}", "operator": "is_equal", "argument": "a.example" },
                      { "conditional": "or", "variable": "${uri}", "operator": "does_not_start_with", "argument": "/b" }]],
        "behaviors": [{ "type": "add_request_header", "value": "X-A: ${host}" }, { "type": "deny" }] }]);
    let mut flat = v4();
    flat["criteria"] = flat["criteria"][0].clone();
    let mut apart = v4();
    apart["behaviors"][0]["attributes"] = json!({ "name": "X-A", "value": "${host}" });
    let mut firewall_style = v3();
    firewall_style["behaviors"][0] = json!({ "name": "add_request_header", "argument": "X-A: ${host}" });
    for shape in [
        v3(),
        v4(),
        flat,
        apart,
        firewall_style,
        json!([v4()]),
        json!({ "results": v3(), "schema_version": 3 }),
        json!({ "count": 1, "total_pages": 1, "schema_version": 3, "links": { "previous": null, "next": null },
                "results": [v3()] }),
        json!({ "state": "executed", "data": v4() }),
        json!({ "count": 1, "page": 1, "page_size": 10, "total_pages": 1, "next": null, "previous": null, "results": [v4()] }),
        json!({ "state": "pending", "data": [v4()] }),
    ] {
        let conversion = import(shape.clone(), REQUEST);
        assert_eq!(json!(rules(&conversion)), expected, "{shape}");
        assert!(conversion.is_whole(), "{shape}: {}", left_out(&conversion));
    }
}

#[test]
fn a_flat_list_begins_a_group_at_each_if() {
    let criterion = |conditional: &str, argument: &str| json!({ "conditional": conditional, "variable": "${uri}", "operator": "is_equal", "argument": argument });
    let flat = json!([criterion("if", "/a"), criterion("or", "/b"), criterion("if", "/c")]);
    let conversion = import(rule(flat, json!([{ "type": "deny" }])), REQUEST);
    let groups = rules(&conversion)[0]["criteria"].as_array().unwrap().clone();
    assert_eq!(groups.iter().map(|group| group.as_array().unwrap().len()).collect::<Vec<_>>(), [2, 1]);
    assert!(conversion.is_whole());
    // Half in groups could be read in two ways.
    let mixed = json!([criterion("if", "/a"), [criterion("if", "/b")]]);
    let conversion = import(rule(mixed, json!([{ "type": "deny" }])), REQUEST);
    assert_eq!(rules(&conversion)[0]["active"], false);
}

#[test]
fn order_is_firewall_default_request_response_and_the_numbers_within() {
    let named = |name: &str, phase: &str, order: i64| {
        let behavior = if phase == "response" { "deliver" } else { "deny" };
        json!({ "name": name, "phase": phase, "order": order, "criteria": always(), "behaviors": [{ "type": behavior }] })
    };
    let first = json!([
        named("resp", "response", 1),
        named("b", "request", 2),
        named("a", "request", 1),
        named("Default Rule", "default", 5),
        named("fw", "firewall", 9)
    ]);
    let second = json!([named("c", "request", 1)]);
    let sources = [("1", first), ("2", second)].map(|(name, json)| Source { name: name.into(), json });
    let conversion = convert(&sources, None, Dialect::Nginx).unwrap();
    let names: Vec<Value> = rules(&conversion).iter().map(|rule| rule["name"].clone()).collect();
    assert_eq!(names, ["fw", "Default Rule", "a", "b", "c", "resp"]);
    assert_eq!(rules(&conversion)[0]["phase"], "firewall");
    assert!(conversion.is_whole(), "{}", left_out(&conversion));
    let partly = json!([named("b", "request", 2), { "name": "a", "phase": "request", "criteria": always(), "behaviors": [] }]);
    assert!(left_out(&import(partly, None)).contains("some rules have an `order`"));
}

#[test]
fn the_phase_of_the_json_goes_before_that_of_the_command_line() {
    let conversion = import(v3(), Some(Phase::Response));
    assert_eq!(rules(&conversion)[0].get("phase"), None);
    let error =
        convert(&[Source { name: "f".into(), json: json!([v4(), v4()]) }], None, Dialect::Nginx).unwrap_err().to_string();
    assert_eq!(
        error,
        "f: rule `r` and 1 more: the JSON does not say which phase it is for; add --phase request, response or firewall"
    );
}

#[test]
fn what_is_not_understood_is_told() {
    for (json, told) in [
        (json!({ "count": 2, "total_pages": 2, "results": [v3()] }), "one page of several"),
        (json!({ "count": 5, "results": [v3()] }), "one page of several"),
        (json!({ "results": [v3()], "links": { "next": "https://x" } }), "one page of several"),
        (json!({ "results": [v3()], "next": "https://x" }), "one page of several"),
        (json!({ "data": v3(), "state": "failed" }), "a `state` that is not known"),
        (json!({ "data": v3(), "extra": 1 }), "unknown fields, whose meaning would be lost: `extra`"),
        (json!({ "nothing": 1 }), "neither a rule nor a domain"),
        (json!(["text"]), "neither a rule nor a list of rules"),
        (json!([[[[[v3()]]]]]), "nested deeper"),
    ] {
        let conversion = import(json.clone(), None);
        assert!(left_out(&conversion).contains(told), "{json}: {}", left_out(&conversion));
    }
    let mut more = v4();
    more["expires_at"] = json!("2030");
    let conversion = import(more, REQUEST);
    assert!(left_out(&conversion).contains("unknown fields of the rule: `expires_at`"));
    assert!(import(json!([]), None).remarks[0].text.contains("no rule"));
}

#[test]
fn whether_a_rule_is_active_is_never_guessed() {
    let with = |fields: Value| {
        let mut rule = rule(always(), json!([{ "type": "deny" }]));
        rule.as_object_mut().unwrap().remove("active");
        rule.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        rule
    };
    for (fields, active, whole) in [
        (json!({}), true, true),
        (json!({ "active": true }), true, true),
        (json!({ "is_active": false }), false, true),
        (json!({ "active": "yes" }), false, false),
        (json!({ "active": true, "is_active": false }), false, false),
        (json!({ "phase": "later" }), false, false),
        (json!({ "criteria": [] }), false, false),
        (json!({ "criteria": [[]] }), false, false),
        (json!({ "criteria": null }), false, false),
        (json!({ "criteria": "all" }), false, false),
        // The first rule of every application may apply always.
        (json!({ "criteria": [], "phase": "default" }), true, true),
    ] {
        let conversion = import(with(fields.clone()), REQUEST);
        let written = rules(&conversion)[0].get("active").cloned().unwrap_or(json!(true));
        assert_eq!((written, conversion.is_whole()), (json!(active), whole), "{fields}");
    }
}
