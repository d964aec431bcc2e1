//! JSON that nobody meant well with.

use proptest::prelude::*;
use serde_json::{Value, json};
use vestibule::cli::import::azion::{Phase, Source, convert};
use vestibule::variables::Dialect;

use crate::{import, left_out, read, rule, rules};

#[test]
fn texts_end_no_comment_and_steer_no_terminal() {
    let evil = "x\n[[rules]]\nname = \"evil\"\u{1b}[2J\r\u{202e}\0";
    let json = json!([
        { "name": evil, "description": evil, "criteria": [[{ "variable": evil, "operator": evil, "argument": evil }]],
          "behaviors": [{ "type": evil }, { "type": "deny" }], evil: evil },
        { "name": evil, "criteria": [[{ "variable": "${uri}", "operator": "is_equal", "argument": evil }]],
          "behaviors": [{ "type": "run_function", "attributes": { "value": evil } }] },
    ]);
    let conversion = convert(&[Source { name: evil.into(), json }], Some(Phase::Request), Dialect::Nginx).unwrap();
    let written = rules(&conversion);
    assert_eq!((written.len(), &written[0]["name"], &written[0]["active"]), (1, &json!(evil), &json!(false)));
    let told: String = conversion.remarks.iter().map(|remark| format!("{remark}\n")).collect();
    let comments: String = conversion.toml.lines().filter(|line| line.trim_start().starts_with('#')).collect();
    let raw = |text: &str| ['\u{1b}', '\0', '\r'].iter().any(|c| text.contains(*c));
    assert!(!raw(&told) && !raw(&conversion.toml), "{told}\n{}", conversion.toml);
    assert!(!told.contains('\u{202e}') && !comments.contains('\u{202e}') && comments.contains("\\u{202e}"), "{comments}");
    assert_eq!(told.lines().count(), conversion.remarks.len());
}

#[test]
fn long_texts_are_cut_in_remarks_alone() {
    let long = "y".repeat(100_000);
    let json = json!([[{ "variable": "${uri}", "operator": "is_equal", "argument": long },
                       { "conditional": "and", "variable": long, "operator": "exists" }]]);
    let conversion = import(rule(json, json!([{ "type": "deny" }])), Some(Phase::Request));
    assert!(left_out(&conversion).lines().all(|line| line.len() < 1_000));
    assert_eq!(rules(&conversion)[0]["criteria"][0][0]["argument"], long);
}

/// Words that mean something, and others.
fn word() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "name",
        "type",
        "attributes",
        "target",
        "argument",
        "value",
        "behaviors",
        "criteria",
        "conditional",
        "if",
        "and",
        "or",
        "variable",
        "${uri}",
        "network",
        "${ssl_client_s_dn}",
        "operator",
        "matches",
        "is_in_list",
        "deny",
        "set_origin",
        "capture_match_groups",
        "subject",
        "regex",
        "captured_array",
        "%{a[0]}",
        "${encode_base64(${uri})}",
        "phase",
        "request",
        "default",
        "active",
        "is_active",
        "order",
        "mtls",
        "config",
        "crl",
        "results",
        "data",
        "add_request_header",
        "A: ${host}",
        "set_rate_limit",
        "run_function",
        "input_value",
        "12",
        "${",
        "%{",
        "[\\w-",
        "(?x)",
        "",
        "\n#",
    ]);
    prop_oneof![9 => known.prop_map(String::from), 1 => any::<String>()]
}

fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word().prop_map(Value::from),
    ];
    leaf.prop_recursive(7, 80, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(word(), inner, 0..6).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_json_becomes_toml(json in anything()) {
        read(&import(json, Some(Phase::Request)).toml);
    }

    #[test]
    fn any_rule_becomes_toml_and_a_rule_with_a_gap_is_off(
        criterion in anything(),
        behavior in anything(),
        argument in any::<String>(),
        regex in any::<String>(),
    ) {
        let criteria = json!([[{ "variable": "${nonsense}", "operator": "exists" }, criterion]]);
        let behaviors = json!([behavior, { "type": "deny" }]);
        let conversion = import(rule(criteria, behaviors), Some(Phase::Firewall));
        prop_assert!(!conversion.is_whole());
        for rule in rules(&conversion) {
            prop_assert_eq!(&rule["active"], false);
        }
        let criteria = json!([[{ "variable": "uri", "operator": "is_equal", "argument": argument },
            { "conditional": "or", "variable": "uri", "operator": "matches", "argument": regex }]]);
        let conversion = import(rule(criteria, json!([{ "type": "deny" }])), Some(Phase::Firewall));
        let rules = rules(&conversion);
        prop_assert_eq!(&rules[0]["criteria"][0][0]["argument"], &json!(argument));
        prop_assert_eq!(rules[0].get("active").is_none(), conversion.is_whole());
    }
}
