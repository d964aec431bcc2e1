//! Tokens of authorization servers.

use serde_json::{Value, json};

use crate::bank::now;
use crate::issuer::{Issuer, header, signed};
use crate::office::{DOMAINS, OFTEN, Office, new};

const API: &str = "https://manage.example/api/v2/";

fn office(issuer: &Issuer) -> Office {
    let issuers = format!("[management.issuers.as]\nissuer = \"{}\"\naudience = [\"{API}\"]\n", issuer.url());
    Office::with(&format!("{OFTEN}\n{issuers}"))
}

fn claims(issuer: &Issuer) -> Value {
    let scope = "read:custom_domains create:custom_domains read:everything";
    json!({ "iss": issuer.url(), "aud": API, "exp": now() + 300, "iat": now(), "sub": "alice", "scope": scope })
}

#[test]
fn a_token_counts_for_the_scopes_that_it_has() {
    let issuer = Issuer::start();
    let office = office(&issuer);
    let token = signed(&header(), &claims(&issuer));
    assert_eq!(office.ask_as(&token, "POST", DOMAINS, Some(new("a.customer.example"))).status, 201);
    assert_eq!(office.ask_as(&token, "GET", DOMAINS, None).status, 200);
    assert_eq!(office.ask_as(&token, "GET", "/api/v2/audit-log", None).status, 403);
    let log = office.ask("GET", "/api/v2/audit-log", None).json();
    assert_eq!(log[0]["actor"], format!("alice of {}", issuer.url()));
    assert_eq!(issuer.asked("/jwks"), 1);
}

#[test]
fn a_name_of_an_issuer_makes_no_lines_in_the_audit_log() {
    let issuer = Issuer::start();
    let office = office(&issuer);
    let mut claims = claims(&issuer);
    claims["sub"] = json!(format!("a\u{0}\r\n\u{1b}[2J{}", "x".repeat(1_000)));
    let token = signed(&header(), &claims);
    assert_eq!(office.ask_as(&token, "POST", DOMAINS, Some(new("a.customer.example"))).status, 201);
    let log = office.ask("GET", "/api/v2/audit-log", None).json();
    let actor = log[0]["actor"].as_str().unwrap();
    assert!(actor.starts_with("a\\0\\r\\n\\u{1b}[2Jx") && actor.ends_with(&format!("x of {}", issuer.url())), "{actor}");
    assert!(!actor.chars().any(char::is_control) && actor.len() < 300, "{actor}");
}

#[test]
fn what_is_wrong_with_a_token_is_for_the_log() {
    let issuer = Issuer::start();
    let office = office(&issuer);
    let with = |key: &str, value: Value| {
        let mut claims = claims(&issuer);
        claims[key] = value;
        signed(&header(), &claims)
    };
    let mut unsigned = with("sub", json!("bob"));
    unsigned.truncate(unsigned.rfind('.').unwrap() + 1);
    for bad in [
        with("aud", json!("https://other.example/")),
        with("exp", json!(now() - 100)),
        with("iss", json!("https://other.example")),
        with("cnf", json!({ "jkt": "k" })),
        with("cnf", json!({ "x5t#S256": "irPW_52cqYoYYbGlSTPo2kuq5YzrdGBTWzjNfIuY8bY" })),
        unsigned,
        "x.y.z".into(),
    ] {
        let answer = office.ask_as(&bad, "GET", DOMAINS, None);
        assert_eq!((answer.status, &answer.json()["message"]), (401, &json!("Invalid token")), "{bad}");
    }
}

#[test]
fn while_the_issuer_is_away_nobody_comes_in_by_its_tokens() {
    let issuer = Issuer::start();
    let office = office(&issuer);
    issuer.state().broken = true;
    let answer = office.ask_as(&signed(&header(), &claims(&issuer)), "GET", DOMAINS, None);
    assert_eq!((answer.status, &answer.json()["errorCode"]), (503, &json!("issuer_unavailable")));
    assert!(answer.header("retry-after").is_some());
    assert_eq!(office.ask("GET", DOMAINS, None).status, 200);
}
