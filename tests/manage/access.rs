//! Who may do what, and how often.

use serde_json::{Value, json};

use crate::http_client::Client;
use crate::office::{DOMAINS, Office, SCOPES, TOKEN, ask, path, token_of};

#[test]
fn every_operation_needs_its_scope_and_no_other() {
    let office = Office::open();
    let (domain, _) = office.ready("a.customer.example");
    let (of, alias) = (path(&domain), json!({ "mtls": { "enable_endpoint_aliases": true } }));
    let rows: [(&str, String, Option<Value>, &str); 15] = [
        ("GET", DOMAINS.into(), None, "read:custom_domains"),
        ("POST", DOMAINS.into(), Some(crate::office::new("b.customer.example")), "create:custom_domains"),
        ("GET", format!("{DOMAINS}/default"), None, "read:custom_domains"),
        ("PATCH", format!("{DOMAINS}/default"), Some(json!({ "domain": "a.customer.example" })), "update:custom_domains"),
        ("GET", of.clone(), None, "read:custom_domains"),
        ("PATCH", of.clone(), Some(json!({})), "update:custom_domains"),
        ("DELETE", of.clone(), None, "delete:custom_domains"),
        ("POST", format!("{of}/verify"), None, "create:custom_domains"),
        ("POST", format!("{of}/test"), None, "read:custom_domains"),
        ("GET", format!("{of}/keys"), None, "read:custom_domains"),
        ("POST", format!("{of}/rotate-key"), None, "create:custom_domains"),
        ("DELETE", format!("{of}/keys/key_0"), None, "delete:custom_domains"),
        ("GET", "/api/v2/tenants/settings".into(), None, "read:tenant_settings"),
        ("PATCH", "/api/v2/tenants/settings".into(), Some(alias), "update:tenant_settings"),
        ("GET", "/api/v2/audit-log".into(), None, "read:logs"),
    ];
    for (method, path, body, needed) in rows {
        for scope in SCOPES {
            let answer = office.ask_as(&token_of(scope), method, &path, body.clone());
            if scope == needed {
                assert_ne!(answer.status, 403, "{method} {path} with {scope}: {}", answer.text());
                continue;
            }
            let message = format!("Insufficient scope, expected any of: {needed}");
            let refusal =
                json!({ "statusCode": 403, "error": "Forbidden", "message": message, "errorCode": "insufficient_scope" });
            assert_eq!(answer.json(), refusal, "{method} {path} with {scope}");
        }
        for stranger in ["", "x", &TOKEN[1..], &TOKEN.to_uppercase()] {
            let answer = office.ask_as(stranger, method, &path, body.clone());
            let refusal = json!({ "statusCode": 401, "error": "Unauthorized", "message": "Invalid token" });
            assert_eq!((answer.json(), answer.header("www-authenticate")), (refusal, Some("Bearer")), "{method} {path}");
        }
    }
}

#[test]
fn without_one_token_nobody_comes_in() {
    let office = Office::open();
    for lines in [
        String::new(),
        format!("authorization: Basic {TOKEN}\r\n"),
        format!("authorization: {TOKEN}\r\n"),
        format!("authorization: Bearer {TOKEN}\r\nauthorization: Bearer {TOKEN}\r\n"),
        format!("cookie: token={TOKEN}\r\n"),
    ] {
        let request = format!("GET {DOMAINS}?access_token={TOKEN} HTTP/1.1\r\nhost: admin\r\n{lines}connection: close\r\n\r\n");
        assert_eq!(Client::tcp(office.bank.vestibule.admin_port()).ask(request).status, 401, "{lines}");
    }
    // The API is on no data listener.
    let answer = ask(office.bank.vestibule.port(), TOKEN, "GET", DOMAINS, None);
    assert!([400, 403].contains(&answer.status), "{}", answer.text());
}

#[test]
fn requests_have_a_rate() {
    let office = Office::with("burst = 3\nrequests_per_second = 1\n");
    let list = || office.ask("GET", DOMAINS, None);
    let first = list();
    assert_eq!((first.header("x-ratelimit-limit"), first.header("x-ratelimit-remaining")), (Some("3"), Some("2")));
    let reset: i64 = first.header("x-ratelimit-reset").unwrap().parse().unwrap();
    assert!((0..10).contains(&(reset - crate::bank::now())), "{reset}");
    let mut answers = [list(), list(), list(), list(), list()].to_vec();
    answers.retain(|answer| answer.status == 429);
    let refused = answers.pop().expect("five more requests at once");
    assert_eq!((refused.header("retry-after"), &refused.json()["errorCode"]), (Some("1"), &json!("too_many_requests")));
    // Another token has a bucket of its own.
    assert_eq!(office.ask_as(&token_of("read:custom_domains"), "GET", DOMAINS, None).status, 200);
}

#[test]
fn verifications_have_a_rate_of_their_own() {
    let office = Office::with("burst = 1000\nrequests_per_second = 1000\n");
    let domain = office.create("a.customer.example");
    for left in (0..5).rev() {
        let answer = office.ask("POST", &format!("{}/verify", path(&domain)), None);
        assert_eq!((answer.status, answer.header("x-ratelimit-remaining")), (200, Some(left.to_string().as_str())));
    }
    let refused = office.ask("POST", &format!("{}/verify", path(&domain)), None);
    assert_eq!((refused.status, refused.header("x-ratelimit-limit")), (429, Some("5")));
    let wait: u32 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=12).contains(&wait), "{wait}");
    assert_eq!(office.ask("GET", &path(&domain), None).status, 200);
}
