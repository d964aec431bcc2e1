//! Criteria, behaviors and expressions, one by one.

use serde_json::{Value, json};
use vestibule::cli::import::azion::Phase;

use crate::{always, import, left_out, rule, rules};

/// The one criterion as it was written, or what was told about the gap.
fn criterion(phase: Phase, criterion: Value) -> Result<String, String> {
    let behavior = if phase == Phase::Response { "deliver" } else { "deny" };
    let conversion = import(rule(json!([[criterion]]), json!([{ "type": behavior }])), Some(phase));
    let rule = &rules(&conversion)[0];
    match rule["criteria"][0].as_array() {
        Some(group) => {
            assert!(conversion.is_whole() && rule.get("active").is_none());
            let text = |key: &str| group[0].get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
            Ok(format!("{} {} {}", text("variable"), text("operator"), text("argument")).trim_end().to_owned())
        }
        None => {
            assert_eq!((conversion.is_whole(), &rule["active"]), (false, &json!(false)));
            Err(left_out(&conversion))
        }
    }
}

#[test]
fn criteria() {
    use Phase::{Firewall, Request, Response};
    for (phase, variable, operator, argument, expected) in [
        (Firewall, "header_user_agent", "matches", json!("bot"), Ok("${http_user_agent} matches bot")),
        (Firewall, "${header_cookie}", "does_not_match", json!("a=b"), Ok("${http_cookie} does_not_match a=b")),
        (Firewall, "network", "is_in_list", json!(123), Ok("${remote_addr} is_in_list list_123")),
        (Firewall, "${network}", "does_not_match", json!("123"), Ok("${remote_addr} is_not_in_list list_123")),
        (Firewall, "network", "is_equal", json!("123"), Err("lists only")),
        (Firewall, "network", "is_in_list", json!("a b"), Err("no id")),
        (Firewall, "request_args", "exists", json!(""), Ok("${args} exists")),
        (Firewall, "request_uri", "starts_with", json!("/a"), Ok("${uri} starts_with /a")),
        (Request, "${request_uri}", "starts_with", json!("/a"), Ok("${request_uri} starts_with /a")),
        (
            Firewall,
            "client_certificate_validation",
            "is_not_equal",
            json!("true"),
            Ok("${client_certificate_validation} is_not_equal true"),
        ),
        (
            Firewall,
            "client_certificate_validation",
            "is_equal",
            json!(true),
            Ok("${client_certificate_validation} is_equal true"),
        ),
        (
            Firewall,
            "${ssl_verification_status}",
            "is_equal",
            json!("MISSING_CLIENT_CERTIFICATE"),
            Ok("${ssl_verification_status} is_equal MISSING_CLIENT_CERTIFICATE"),
        ),
        (Request, "${ssl_client_v_remain}", "is_equal", json!("100"), Ok("${ssl_client_v_remain} is_equal 100")),
        (Request, "${geoip_country_code}", "is_equal", json!("BR"), Ok("${geoip_country_code} is_equal BR")),
        (Request, "${arg_x}", "does_not_exist", Value::Null, Ok("${arg_x} does_not_exist")),
        (Response, "${status}", "is_equal", json!(404), Ok("${status} is_equal 404")),
        (Response, "${upstream_http_x_a}", "exists", Value::Null, Ok("${upstream_http_x_a} exists")),
        (Request, "${status}", "is_equal", json!("404"), Err("only the response phase")),
        (Request, "${device_group}", "is_equal", json!("x"), Err("grouped by the CDN")),
        (Request, "${tcpinfo_rtt}", "is_equal", json!("x"), Err("ends at the front door")),
        (Request, "${http_X-A}", "exists", Value::Null, Err("there is no variable")),
        (Request, "${nonsense}", "exists", Value::Null, Err("there is no variable")),
        (Request, "${uri}", "sounds_like", json!("x"), Err("no operator")),
        (Request, "${uri}", "is_equal", Value::Null, Err("needs an argument")),
        (Request, "${uri}", "is_equal", json!({}), Err("neither a text nor a number")),
        // Values whose form differs would never be equal: a deny would let everybody in.
        (Request, "${ssl_client_s_dn}", "is_equal", json!("/C=US/CN=a"), Err("subject.CN")),
        (Request, "${ssl_client_i_dn}", "matches", json!("/CN=admin$"), Err("subject.CN")),
        (Request, "${ssl_client_s_dn}", "matches", json!("CN=admin"), Ok("${ssl_client_s_dn} matches CN=admin")),
        (Request, "${ssl_client_s_dn}", "is_equal", json!("CN=a,C=US"), Ok("${ssl_client_s_dn} is_equal CN=a,C=US")),
        (Request, "${ssl_client_serial}", "is_equal", json!("6c:0A"), Ok("${ssl_client_serial} is_equal 6C0A")),
        (Request, "${ssl_client_serial}", "starts_with", json!("6C:0A"), Err("colons")),
        (Request, "${ssl_client_v_end}", "starts_with", json!("2023"), Err("`before` or `after`")),
    ] {
        let json = json!({ "conditional": "if", "variable": variable, "operator": operator, "argument": argument });
        match (criterion(phase, json.clone()), expected) {
            (Ok(written), Ok(expected)) => assert_eq!(written, expected),
            (Err(told), Err(expected)) => assert!(told.contains(expected), "{json}: {told}"),
            (found, expected) => panic!("{json}: {found:?} and not {expected:?}"),
        }
    }
    for (json, told) in [
        (json!({ "conditional": "or", "variable": "${uri}", "operator": "exists" }), "nothing stands before it"),
        (json!({ "conditional": "xor", "variable": "${uri}", "operator": "exists" }), "no `conditional`"),
        (json!({ "variable": "${uri}", "operator": "is_equal", "argument": "a", "input_value": "b" }), "different things"),
        (json!({ "variable": "${uri}", "operator": "exists", "negate": true }), "unknown fields"),
        (json!("uri"), "no object"),
    ] {
        assert!(criterion(Request, json).unwrap_err().contains(told), "{told}");
    }
}

#[test]
fn an_expression_over_a_whole_name_is_carried_with_a_note() {
    for (variable, operator, noted) in [
        ("${ssl_client_s_dn}", "matches", Some("${subject.CN}")),
        ("${ssl_client_i_dn}", "does_not_match", Some("${issuer.CN}")),
        ("${ssl_client_s_dn}", "is_equal", None),
        ("${uri}", "matches", None),
    ] {
        let criterion = json!({ "conditional": "if", "variable": variable, "operator": operator, "argument": "CN=admin" });
        let conversion = import(rule(json!([[criterion]]), json!([{ "type": "deny" }])), Some(Phase::Request));
        let notes: Vec<String> = conversion.remarks.iter().map(ToString::to_string).collect();
        let found = notes.iter().any(|note| noted.is_some_and(|noted| note.contains(noted) && !note.contains("admin$")));
        assert_eq!(found, noted.is_some(), "{variable} {operator}: {notes:?}");
        assert!(conversion.is_whole());
    }
}

/// The one behavior as it was written; what was told about the gap; or neither, when it was dropped from a rule that stays on.
fn behavior(phase: Phase, behavior: Value) -> Result<Option<Value>, String> {
    let marker = if phase == Phase::Response { json!({ "type": "enable_gzip" }) } else { json!({ "type": "deny" }) };
    let conversion = import(rule(always(), json!([behavior, marker])), Some(phase));
    let rule = &rules(&conversion)[0];
    let written = rule["behaviors"].as_array().unwrap();
    let first = written.first().filter(|first| **first != marker || behavior["type"] == marker["type"]).cloned();
    let on = rule.get("active").is_none();
    assert!(first.is_some() || !conversion.is_whole());
    if on { Ok(first) } else { Err(left_out(&conversion)) }
}

#[test]
fn behaviors_that_are_carried() {
    use Phase::{Firewall, Request, Response};
    let value = |value: &str| json!({ "value": value });
    for (phase, spelled, attributes, ours) in [
        (Request, "no-content", Value::Null, json!({ "type": "no_content" })),
        (Request, "redirect_https", Value::Null, json!({ "type": "redirect_http_to_https" })),
        (Request, "forward_cookies", json!({}), json!({ "type": "forward_cookies" })),
        (Request, "set_edge_connector", value("9"), json!({ "type": "set_origin", "value": "connector_9" })),
        (Request, "set_connector", json!({ "value": 9 }), json!({ "type": "set_origin", "value": "connector_9" })),
        (Request, "set_origin", value("a-1"), json!({ "type": "set_origin", "value": "origin_a-1" })),
        (Request, "filter_request_header", value("X-A"), json!({ "type": "filter_request_header", "value": "X-A" })),
        (Request, "add_request_cookie", value("a=b"), json!({ "type": "add_request_cookie", "value": "a=b" })),
        (
            Request,
            "add_request_header",
            json!({ "name": "Escaped-Client-Cert", "value": "${ssl_client_escaped_cert}" }),
            json!({ "type": "add_request_header", "value": "Escaped-Client-Cert: ${ssl_client_escaped_cert}" }),
        ),
        (
            Request,
            "redirect_to_301",
            value("https://${host}${encode_base64(${uri}-x)}"),
            json!({ "type": "redirect_to_301", "value": "https://${host}${encode_base64(${uri}-x)}" }),
        ),
        (
            Response,
            "add_response_cookie",
            value("a=b; Expires=${cookie_time_offset(60)}"),
            json!({ "type": "set_cookie", "value": "a=b; Expires=${cookie_time_offset(60)}" }),
        ),
        (Response, "filter_response_header", value("Server"), json!({ "type": "filter_response_header", "value": "Server" })),
        (Firewall, "drop", Value::Null, json!({ "type": "drop" })),
        (
            Firewall,
            "set_rate_limit",
            json!({ "type": "second", "limit_by": "client_ip", "average_rate_limit": "10", "maximum_burst_size": 20 }),
            json!({ "type": "set_rate_limit", "rate_type": "second", "limit_by": "client_ip", "average_rate_limit": 10,
                    "maximum_burst_size": 20 }),
        ),
        (
            Firewall,
            "set_custom_response",
            json!({ "status_code": 401, "content_type": "text/plain", "content_body": "no\n\"certificate\"" }),
            json!({ "type": "set_custom_response", "status_code": 401, "content_type": "text/plain",
                    "content_body": "no\n\"certificate\"" }),
        ),
    ] {
        let v4 = json!({ "type": spelled, "attributes": attributes });
        assert_eq!(behavior(phase, v4), Ok(Some(ours.clone())), "{spelled}");
        let key = if phase == Firewall { "argument" } else { "target" };
        let mut v3 = json!({ "name": spelled });
        // v3 has a text where v4 has `value` alone.
        let alone = attributes.get("value").filter(|_| attributes.as_object().is_some_and(|all| all.len() == 1));
        v3[key] = alone.cloned().unwrap_or_else(|| attributes.clone());
        assert_eq!(behavior(phase, v3), Ok(Some(ours)), "{spelled} of v3");
    }
}

#[test]
fn what_only_a_cdn_needs_is_dropped_and_what_decides_switches_the_rule_off() {
    use Phase::{Firewall, Request, Response};
    for (phase, json) in [
        (Request, json!({ "type": "set_cache_policy", "attributes": { "value": 5 } })),
        (Request, json!({ "name": "bypass_cache_phase", "target": null })),
        (Request, json!({ "type": "optimize_images" })),
        (Firewall, json!({ "name": "tag_event", "argument": "x" })),
        (Firewall, json!({ "type": "set_waf", "attributes": { "waf_id": 1, "mode": "logging" } })),
    ] {
        assert_eq!(behavior(phase, json.clone()), Ok(None), "{json}");
    }
    let line = |value: &str| json!({ "type": "add_request_header", "attributes": { "value": value } });
    for (phase, json, told) in [
        (Firewall, json!({ "type": "set_waf", "attributes": { "waf_id": 1, "mode": "blocking" } }), "could block"),
        (Firewall, json!({ "name": "set_waf_ruleset", "argument": "1" }), "could block"),
        (Request, json!({ "type": "run_function", "attributes": { "value": 5 } }), "could answer or refuse"),
        (Response, json!({ "type": "run_function", "attributes": { "value": 5 } }), "could answer or refuse"),
        (Request, json!({ "type": "teleport" }), "no known behavior"),
        (Request, json!({ "type": "deny", "name": "drop" }), "different things"),
        (Request, json!({ "type": "deny", "attributes": { "value": "x" } }), "takes no argument"),
        (Request, json!({ "type": "set_cookie", "attributes": { "value": "a=b" } }), "does not stand in the request phase"),
        (Request, line("no colon"), "not `Name: value`"),
        (Request, line("Host: x"), "frames or routes"),
        (Request, line("X-Forwarded-For: x"), "always set here"),
        (Request, line("X-A: a\r\nX-B: b"), "control characters"),
        (Request, line("X-A: ${ssl_client_cert}"), "ssl_client_escaped_cert"),
        (Request, line("X-A: ${server_addr}"), "not forwarded"),
        (Request, line("X-A: %{none[0]}"), "captures `none`"),
        (Request, line("X-A: ${host"), "has no `}`"),
        (Request, line("X-A: ${decode(x)}"), "no function"),
        (Request, json!({ "type": "set_origin", "attributes": { "value": "a/b" } }), "no id"),
        (Request, json!({ "type": "rewrite_request", "attributes": { "value": "/", "code": 1 } }), "unknown fields"),
        (Firewall, json!({ "type": "set_custom_response", "attributes": { "status_code": 500 } }), "not 200 to 499"),
        (
            Firewall,
            json!({ "type": "set_rate_limit", "attributes": { "type": "hour", "limit_by": "global", "average_rate_limit": 1 } }),
            "second, minute",
        ),
    ] {
        let told_too = behavior(phase, json.clone()).expect_err(&json.to_string());
        assert!(told_too.contains(told), "{json}: {told_too}");
        assert!(!told_too.contains("X-B"), "arguments may be secrets: {told_too}");
    }
}

#[test]
fn captured_groups_in_both_notations() {
    let capture = json!({ "type": "capture_match_groups",
        "attributes": { "captured_array": "captured", "subject": "${uri}", "regex": "^/(\\w+)/(?<rest>.*)$" } });
    let rewrite = |value: &str| json!({ "type": "rewrite_request", "attributes": { "value": value } });
    for (value, expected) in [
        ("/${captured[1]}", Some("/%{captured[1]}")),
        ("/%{captured[rest]}/%{captured[0]}", Some("/%{captured[rest]}/%{captured[0]}")),
        ("/%{captured[3]}", None),
        ("/%{captured[other]}", None),
        ("/%{captured}", None),
    ] {
        let conversion = import(rule(always(), json!([capture, rewrite(value)])), Some(Phase::Request));
        let rule = &rules(&conversion)[0];
        assert_eq!(rule["behaviors"][0]["regex"], "^/([0-9A-Za-z_]+)/(?<rest>.*)$");
        assert_eq!(rule["behaviors"].get(1).and_then(|rewrite| rewrite["value"].as_str()), expected, "{value}");
        assert_eq!(rule.get("active").is_none(), expected.is_some(), "{value}");
    }
    // Before the capture there is nothing.
    let conversion = import(rule(always(), json!([rewrite("/%{captured[1]}"), capture])), Some(Phase::Request));
    assert_eq!(rules(&conversion)[0]["active"], false);
}

#[test]
fn expressions() {
    for (pcre, ours) in [
        ("^/a/b$", Some("^/a/b$")),
        (r"\.php$", Some(r"\.php$")),
        (r"^\d+\w\s?$", Some(r"^[0-9]+[0-9A-Za-z_][\t\n\x0B\f\r\x20]?$")),
        (r"[\w.-]", Some(r"[[0-9A-Za-z_].-]")),
        (r"[\w-.]", Some(r"[[0-9A-Za-z_]-.]")),
        (r"\bbot\b", Some(r"(?-u:\b)bot(?-u:\b)")),
        ("(?i)curl|wget", Some("(?i)curl|wget")),
        ("[[:alpha:]]{2,3}?", Some("[[:alpha:]]{2,3}?")),
        ("[]a]", Some(r"[\]a]")),
        ("[a[b]", Some(r"[a\[b]")),
        ("[a&&b]", Some(r"[a\&\&b]")),
        (r"\<a\>", Some("<a>")),
        ("(?P<n>a)(?<m>b)", Some("(?P<n>a)(?<m>b)")),
        ("a(?=b)", None),
        ("(?<!a)b", None),
        (r"(a)\1", None),
        ("a++b", None),
        ("(?>a)b", None),
        ("(?R)", None),
        ("(?x)a b", None),
        (r"[+-\d]", None),
        (r"\Qa\E", None),
        (r"a\v", None),
        ("[a", None),
        ("(a", None),
        ("a\\", None),
        (r"(\w{1000}){1000}", None),
    ] {
        let json = json!([[{ "variable": "${uri}", "operator": "matches", "argument": pcre }]]);
        let conversion = import(rule(json, json!([{ "type": "deny" }])), Some(Phase::Request));
        let written =
            rules(&conversion)[0]["criteria"].pointer("/0/0/argument").and_then(|found| found.as_str().map(String::from));
        assert_eq!(written.as_deref(), ours, "{pcre}");
        if let Some(ours) = &written {
            regex::Regex::new(ours).unwrap();
        } else {
            assert!(left_out(&conversion).contains("linear time"), "{pcre}");
        }
    }
}

#[test]
fn what_stands_behind_the_end_is_gone() {
    let behaviors = json!([{ "type": "deny" }, { "type": "add_request_header", "attributes": { "value": "A: b" } }]);
    let conversion = import(rule(always(), behaviors), Some(Phase::Request));
    assert_eq!(rules(&conversion)[0]["behaviors"], json!([{ "type": "deny" }]));
    assert!(conversion.is_whole() && conversion.toml.contains("was never run"));
}
