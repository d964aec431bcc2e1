//! What strangers put into names, headers and targets.

use crate::bank::{Request, good, leaf, person};
use crate::pki::Leaf;
use crate::recording_upstream::{RecordingUpstream, reply};
use crate::{before, rule_at, rule_if, with};

#[test]
fn a_name_is_never_searched_as_a_text() {
    let deny = "{ type = \"deny\" }";
    let admin = |operator, argument| rule_if("request", "admin", ("${subject.CN}", operator, Some(argument)), deny);
    for (operator, argument) in
        [("is_equal", "admin"), ("matches", "^admin$"), ("starts_with", "admin"), ("ends_with", "CN=admin,")]
    {
        let bank = with(&admin(operator, argument));
        for (common_name, denied) in [
            ("admin", operator != "ends_with"),
            ("alice,CN=admin", false),
            ("alice\\,CN=admin", false),
            ("alice/CN=admin", false),
            ("alice+CN=admin", false),
            ("\u{430}dmin", false),
            ("admin ", operator == "starts_with"),
        ] {
            let client = person(&leaf(common_name));
            let status = bank.vestibule.ask(Request::get("/").of(&client).text()).status;
            assert_eq!(status == 403, denied, "{operator} {argument} on {common_name:?}: {status}");
        }
    }
    let bank = with(&admin("is_equal", "admin"));
    let in_another = person(&Leaf { attributes: vec![("2.5.4.11", "CN=admin".into())], ..leaf("alice") });
    assert_eq!(bank.vestibule.ask(Request::get("/").of(&in_another).text()).status, 200);
    // Who asks for it searches the text, and meets the trap.
    let bank = with(&rule_if("request", "text", ("${ssl_client_s_dn}", "matches", Some("CN=admin")), deny));
    assert_eq!(bank.vestibule.ask(Request::get("/").of(&person(&leaf("alice,CN=admin"))).text()).status, 403);
    // An attribute can be asked for by its number as well.
    let bank = with(&rule_if("request", "oid", ("${subject.2.5.4.3}", "is_equal", Some("admin")), deny));
    assert_eq!(bank.vestibule.ask(Request::get("/").of(&person(&leaf("admin"))).text()).status, 403);
    assert_eq!(bank.vestibule.ask(Request::get("/").of(&person(&leaf("alice,CN=admin"))).text()).status, 200);
}

#[test]
fn no_value_begins_a_line_of_its_own() {
    let evil = "a\r\nX-Evil: 1\r\n\r\nGET /evil HTTP/1.1";
    let values = "${subject.CN}${uri}";
    let mut rules = String::new();
    for (phase, name, value) in [
        ("request", "add_request_header", format!("X-Told: {values}")),
        ("request", "add_request_cookie", format!("told={values}")),
        ("response", "add_response_header", format!("X-Told: {values}")),
        ("response", "set_cookie", format!("told={values}")),
    ] {
        let behavior = format!("{{ type = \"{name}\", value = \"{value}\" }}");
        rules += &rule_if(phase, name, ("${host}", "exists", None), &behavior);
    }
    rules += &rule_if(
        "request",
        "away",
        ("${arg_away}", "exists", None),
        "{ type = \"redirect_to_302\", value = \"/x${uri}${subject.CN}\" }",
    );
    rules += &rule_if(
        "request",
        "rewrite",
        ("${arg_rewrite}", "exists", None),
        "{ type = \"rewrite_request\", value = \"/x${uri}${http_x_evil_name}\" }",
    );
    let bank = with(&rules);
    let client = person(&leaf(evil));
    for query in ["", "?rewrite=1"] {
        let answer = bank.vestibule.ask(Request::get(&format!("/ask%0D%0AX-Evil:%201{query}")).of(&client).text());
        assert_eq!(answer.status, 200);
        let received = bank.upstream.take_one();
        assert!(!received.target.contains(['\r', '\n', ' ']) && received.header("x-evil").is_empty(), "{received:?}");
        assert!(received.header("x-told").contains("\\0D\\0AX-Evil"), "{received:?}");
        assert!(received.header("cookie").contains("\\0D\\0AX-Evil"), "{received:?}");
        assert_eq!(answer.header("x-evil"), None);
        assert!(answer.header("x-told").unwrap().contains("\\0D\\0AX-Evil") && answer.all("set-cookie").len() == 1);
    }
    let answer = bank.vestibule.ask(Request::get("/ask%0D%0AX-Evil:%201?away=1").of(&client).text());
    assert_eq!((answer.status, answer.header("x-evil")), (302, None));
    assert!(answer.header("location").unwrap().contains("%0D%0AX-Evil"), "{answer:?}");
}

#[test]
fn a_rewrite_reaches_no_path_that_a_client_could_not_ask_for() {
    let rules = rule_if(
        "request",
        "rewrite",
        ("${arg_to}", "exists", None),
        "{ type = \"rewrite_request\", value = \"/files/${http_x_file}?${args}\" }",
    );
    let bank = with(&rules);
    for (file, target) in [
        ("a b", Some("/files/a%20b?to=1")),
        ("a?b#c", Some("/files/a%3Fb%23c?to=1")),
        ("a%2e", Some("/files/a%252e?to=1")),
        ("a;b", Some("/files/a%3Bb?to=1")),
        ("../secret", None),
        ("x/../../secret", None),
        ("..%2fsecret", None),
        ("a\\b", None),
    ] {
        let answer = bank.vestibule.ask(Request::get("/?to=1").of(&good()).with("X-File", file).text());
        match target {
            Some(target) => assert_eq!((answer.status, bank.upstream.take_one().target.as_str()), (200, target)),
            None => assert_eq!(bank.refused(&answer, 500), "rule_failed", "{file}"),
        }
    }
}

#[test]
fn a_clients_own_cookie_is_gone_even_if_the_rule_does_not_apply() {
    let rules = rule_at("request", "/never", "{ type = \"add_request_cookie\", value = \"user=${subject.CN}\" }");
    let bank = with(&rules);
    assert_eq!(bank.vestibule.ask(Request::get("/").of(&good()).with("Cookie", "user=mallory; a=1").text()).status, 200);
    assert_eq!(bank.upstream.take_one().header("cookie"), "a=1");
}

#[test]
fn the_contract_is_seen_by_no_rule() {
    let mut rules = String::new();
    for (at, name) in ["cname_api_key", "client_certificate", "x_forwarded_for"].iter().enumerate() {
        let variable = format!("${{http_{name}}}");
        let told = format!("{{ type = \"add_request_header\", value = \"X-Seen-{at}: yes\" }}");
        rules += &rule_if("request", name, (&variable, "exists", None), &told);
    }
    let bank = with(&rules);
    assert_eq!(bank.vestibule.ask(Request::get("/").of(&good()).text()).status, 200);
    let received = bank.upstream.take_one();
    assert!(received.headers.iter().all(|(name, _)| !name.starts_with("x-seen")), "{received:?}");
}

#[test]
fn a_header_that_would_be_too_long_is_not_sent() {
    let long = "${upstream_http_x_long}".repeat(9);
    let rule = format!("{{ type = \"add_response_header\", value = \"X-New: {long}\" }}");
    let upstream =
        RecordingUpstream::answering(|_, stream| reply(stream, &format!("x-long: {}\r\n", "y".repeat(8_000)), b"ok"));
    let bank = before(&rule_at("response", "/long", &rule), upstream);
    let answer = bank.vestibule.ask(Request::get("/long").of(&good()).text());
    assert_eq!(answer.status, 500);
    assert_eq!(bank.vestibule.code(&answer), "rule_failed");
    assert_eq!(bank.vestibule.ask(Request::get("/other").of(&good()).text()).text(), "ok");
}
