//! Staged rollout: what is only watched is told and not done.

use crate::bank::{Bank, REVOKED, Request, Tenant, expired, good, leaf, person};
use crate::pki::Leaf;
use crate::{rule_at, with};

fn watched(rule: &str) -> String {
    rule.replacen("phase =", "mode = \"monitor\"\nphase =", 1)
}

#[test]
fn a_watched_rule_changes_nothing() {
    let limit = "{ type = \"set_rate_limit\", rate_type = \"minute\", average_rate_limit = 1, maximum_burst_size = 1 }";
    let rules = watched(&rule_at("firewall", "/a", "{ type = \"deny\" }"))
        + &watched(&rule_at("firewall", "/limit", limit))
        + &watched(&rule_at(
            "request",
            "/a",
            "{ type = \"add_request_header\", value = \"X-A: 1\" }, { type = \"no_content\" }",
        ))
        + &watched(&rule_at("response", "/a", "{ type = \"add_response_header\", value = \"X-B: 1\" }"));
    let bank = with(&rules);
    let answer = bank.vestibule.ask(Request::get("/a").of(&good()).with("x-a", "forged").text());
    let received = bank.upstream.take_one();
    assert_eq!((answer.status, answer.header("x-b"), received.header("x-a")), (200, None, ""));
    let line = bank.vestibule.access_line(&answer);
    let told = ["firewall /a: deny", "request /a: add_request_header, no_content", "response /a: add_response_header"];
    assert_eq!((&line["monitored"], line["decision"].as_str()), (&serde_json::json!(told), Some("permit")));
    for would in ["deny", "add_request_header", "no_content", "add_response_header"] {
        bank.vestibule.wait_for_counter(&format!("vestibule_monitored_total{{would=\"{would}\"}}"), 1);
    }
    // The first request fits the limit, and there is nothing to tell.
    for told in [serde_json::Value::Null, serde_json::json!(["firewall /limit: set_rate_limit"])] {
        let answer = bank.vestibule.ask(Request::get("/limit").of(&good()).text());
        assert_eq!((answer.status, &bank.vestibule.access_line(&answer)["monitored"]), (200, &told));
    }
    let answer = bank.vestibule.ask(Request::get("/other").of(&good()).text());
    assert!(bank.vestibule.access_line(&answer)["monitored"].is_null());
}

#[test]
fn a_watched_verification_lets_pass_and_tells_the_code() {
    let route = "[[routes]]\npath = \"/watched/\"\nupstream = \"core\"\npolicy = { verification_mode = \"monitor\" }\n";
    let rules = rule_at(
        "request",
        "/watched/name",
        "{ type = \"add_request_header\", value = \"X-Validated: ${client_certificate_validation}\" }",
    );
    let bank = Bank::with(&Tenant { tables: route.to_owned() + &rules, ..Tenant::default() });
    let late = person(&Leaf { dates: expired(), ..leaf("late") });
    let revoked = person(&Leaf { serial: REVOKED, ..leaf("revoked") });
    for (request, code, verify) in [
        (Request::get("/watched/name").of(&good()), None, "SUCCESS"),
        (Request::get("/watched/name").of(&late), Some("certificate_expired"), "FAILED:certificate has expired"),
        (Request::get("/watched/name").of(&revoked), Some("certificate_revoked"), "FAILED:certificate revoked"),
        (Request::get("/watched/name").of_nobody(), Some("certificate_required"), "NONE"),
    ] {
        let answer = bank.vestibule.ask(request.text());
        let line = bank.vestibule.access_line(&answer);
        assert_eq!((answer.status, line["cert.verify"].as_str()), (200, Some(verify)), "{line}");
        let told = code.map_or(serde_json::Value::Null, |code| serde_json::json!([format!("verification: {code}")]));
        assert_eq!(line["monitored"], told);
        let received = bank.upstream.take_one();
        assert_eq!(received.header("ssl-client-verify"), verify);
        assert_eq!(received.header("x-validated"), if code.is_none() { "true" } else { "false" });
        if let Some(code) = code {
            bank.vestibule.wait_for_counter(&format!("vestibule_monitored_total{{would=\"{code}\"}}"), 1);
        }
        // Elsewhere it is enforced.
        let answer = bank.vestibule.ask(request.retarget("/").text());
        assert_eq!(answer.status == 200, code.is_none());
        bank.upstream.take();
    }
    // What the front door does wrong is nobody's certificate.
    let answer = bank.vestibule.ask(Request::get("/watched/name").carrying("nonsense").text());
    assert_eq!(bank.refused(&answer, 400), "certificate_header_not_pem");
}
