//! Behaviors by which a rule answers itself.

use crate::bank::{Request, good};
use crate::{rule_at, with};

const RULES: [(&str, &str, &str); 8] = [
    ("firewall", "/f/deny", "{ type = \"deny\" }"),
    (
        "firewall",
        "/f/custom",
        "{ type = \"set_custom_response\", status_code = 401, content_type = \"text/html\", content_body = \"<p>${remote_addr}</p>\" }",
    ),
    ("request", "/deny", "{ type = \"deny\" }"),
    ("request", "/nothing", "{ type = \"no_content\" }"),
    ("request", "/301", "{ type = \"redirect_to_301\", value = \"https://new.example${request_uri}\" }"),
    ("request", "/302 é", "{ type = \"redirect_to_302\", value = \"/%41${uri}\" }"),
    ("request", "/custom", "{ type = \"set_custom_response\", status_code = 299 }"),
    ("request", "/drop", "{ type = \"drop\" }"),
];

fn rules() -> String {
    RULES.iter().map(|(phase, path, behaviors)| rule_at(phase, path, behaviors)).collect()
}

#[test]
fn each_answer_and_its_line() {
    let bank = with(&rules());
    for (path, status, location, body) in [
        ("/f/custom", 401, None, "<p>203.0.113.9</p>"),
        ("/nothing", 204, None, ""),
        ("/301", 301, Some("https://new.example/301?q=%20"), ""),
        ("/302%20%C3%A9", 302, Some("/%41/302%20%C3%A9"), ""),
        ("/custom", 299, None, ""),
    ] {
        let answer = bank.vestibule.ask(Request::get(&format!("{path}?q=%20")).of(&good()).text());
        assert_eq!((answer.status, answer.header("location"), answer.text().as_str()), (status, location, body), "{path}");
        let line = bank.vestibule.access_line(&answer);
        assert_eq!((line["decision"].as_str(), line["status"].as_u64()), (Some("answer"), Some(u64::from(status))));
        assert!(line["rule.answered"].as_str().unwrap().starts_with("re") || path.starts_with("/f/"), "{line}");
    }
    for path in ["/f/deny", "/deny"] {
        let answer = bank.vestibule.ask(Request::get(path).of(&good()).text());
        assert_eq!(bank.refused(&answer, 403), "denied_by_rule");
    }
    assert_eq!(bank.vestibule.ask(Request::get("/f/custom").of(&good()).text()).header("content-type"), Some("text/html"));
    assert_eq!(bank.upstream.take().len(), 0);
    bank.vestibule.wait_for_counter("vestibule_requests_answered_total", 6);
}

#[test]
fn a_dropped_connection_ends_without_a_byte() {
    let bank = with(&rules());
    let mut connection = bank.vestibule.connect();
    assert_eq!(connection.ask(Request::get("/").of(&good()).text()).status, 200);
    let answer = connection.ask(Request::get("/drop").of(&good()).text());
    assert_eq!((answer.status, answer.body.len()), (0, 0), "{answer:?}");
    crate::vestibule_program::wait_until(
        || bank.vestibule.access_lines().iter().any(|line| line["status"] == 444 && line["rule.answered"] == "request /drop"),
        || bank.vestibule.access_text(),
    );
    // With a body that is still on its way.
    let mut connection = bank.vestibule.connect();
    let answer = connection.ask(Request::new("POST", "/drop").of(&good()).with("Content-Length", "10").text());
    assert_eq!((answer.status, answer.body.len()), (0, 0), "{answer:?}");
    bank.upstream.take();
    bank.assert_still_serves();
}

#[test]
fn an_answer_by_a_rule_is_no_permission() {
    let bank = with(&rules());
    for (path, status) in [("/nothing", 403), ("/custom", 403), ("/drop", 403), ("/301", 301), ("/f/custom", 401), ("/x", 200)]
    {
        let request = Request::get("/-/authorize").of(&good()).with("X-Original-Uri", path).with("X-Original-Method", "GET");
        assert_eq!(bank.vestibule.ask(request.text()).status, status, "{path}");
    }
}
