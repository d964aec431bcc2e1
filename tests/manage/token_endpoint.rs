//! `POST /oauth/token`: short-lived tokens for clients with an id and a secret.

use serde_json::{Value, json};

use crate::http_client::{Answer, Client};
use crate::office::{AUDIENCE, CLIENT_SCOPES, DOMAINS, Office, SECRET, new};

fn audience(office: &Office) -> String {
    AUDIENCE.replace("{admin}", &office.bank.vestibule.admin_port().to_string())
}

fn post(office: &Office, lines: &str, body: &str) -> Answer {
    let head = format!(
        "POST /oauth/token HTTP/1.1\r\nhost: admin\r\n{lines}content-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    Client::tcp(office.bank.vestibule.admin_port()).ask(head + body)
}

const FORM: &str = "content-type: application/x-www-form-urlencoded\r\n";

fn form(office: &Office, secret: &str, further: &str) -> String {
    let audience = crate::bank::escape(&audience(office));
    format!("grant_type=client_credentials&client_id=ci&client_secret={secret}&audience={audience}{further}")
}

fn token(office: &Office, further: &str) -> Value {
    let answer = post(office, FORM, &form(office, SECRET, further));
    assert_eq!((answer.status, answer.header("cache-control")), (200, Some("no-store")), "{}", answer.text());
    answer.json()
}

#[test]
fn a_secret_for_a_token_with_the_scopes_of_its_client() {
    let office = Office::open();
    let all = token(&office, "");
    assert_eq!(
        (&all["token_type"], &all["expires_in"], &all["scope"]),
        (&json!("Bearer"), &json!(900), &json!(CLIENT_SCOPES.join(" ")))
    );
    let all = all["access_token"].as_str().unwrap();
    assert_eq!(office.ask_as(all, "POST", DOMAINS, Some(new("a.customer.example"))).status, 201);
    let log = office.ask_as(all, "GET", "/api/v2/audit-log", None).json();
    assert_eq!(log[0]["actor"], "ci@clients");
    assert_eq!(office.ask_as(all, "GET", "/api/v2/tenants/settings", None).status, 403);
    let less = token(&office, "&scope=read%3Acustom_domains");
    assert_eq!(less["scope"], "read:custom_domains");
    let less = less["access_token"].as_str().unwrap();
    assert_eq!(office.ask_as(less, "GET", DOMAINS, None).status, 200);
    assert_eq!(office.ask_as(less, "POST", DOMAINS, Some(new("b.customer.example"))).status, 403);
    for spoilt in [&all[..all.len() - 1], &all[1..], &all.replacen('.', "..", 1), &format!("{less}x")] {
        assert_eq!(office.ask_as(spoilt, "GET", DOMAINS, None).status, 401, "{spoilt}");
    }
    assert!(!office.bank.vestibule.diagnostics().contains(SECRET) && !office.bank.vestibule.diagnostics().contains(all));

    // As JSON, and with the secret in a header.
    let (audience, kind) = (audience(&office), "content-type: application/json\r\n");
    let body = json!({ "grant_type": "client_credentials", "client_id": "ci", "client_secret": SECRET, "audience": audience });
    assert_eq!(post(&office, kind, &body.to_string()).status, 200);
    let basic = openssl::base64::encode_block(format!("ci:{SECRET}").as_bytes());
    let lines = format!("{FORM}authorization: Basic {basic}\r\n");
    let body = format!("grant_type=client_credentials&audience={}", crate::bank::escape(&audience));
    assert_eq!(post(&office, &lines, &body).status, 200);
}

#[test]
fn who_is_refused_and_why() {
    let office = Office::open();
    let good = form(&office, SECRET, "");
    let basic = format!("{FORM}authorization: Basic {}\r\n", openssl::base64::encode_block(b"ci:x"));
    for (lines, body, status, error) in [
        (FORM, form(&office, "x", ""), 401, "access_denied"),
        (FORM, good.replace("client_id=ci", "client_id=co"), 401, "access_denied"),
        (FORM, good.replace("client_credentials", "password"), 400, "unsupported_grant_type"),
        (FORM, good.replace("grant_type=client_credentials&", ""), 400, "unsupported_grant_type"),
        (FORM, good.replace("v2", "v3"), 403, "access_denied"),
        (FORM, good.split("&audience").next().unwrap().to_owned(), 400, "invalid_request"),
        (FORM, form(&office, SECRET, "&scope=update:custom_domains"), 400, "invalid_scope"),
        (FORM, form(&office, SECRET, "&scope=everything"), 400, "invalid_scope"),
        (FORM, form(&office, SECRET, "&client_id=ci"), 400, "invalid_request"),
        (FORM, "grant_type=client_credentials".into(), 400, "invalid_request"),
        (&basic, good.clone(), 400, "invalid_request"),
        ("content-type: application/json\r\n", good.clone(), 400, "invalid_request"),
        ("content-type: application/json\r\n", r#"{"client_id":7}"#.into(), 400, "invalid_request"),
        ("", "\u{0}".into(), 400, "invalid_request"),
    ] {
        let answer = post(&office, lines, &body);
        let json = answer.json();
        assert_eq!((answer.status, json["error"].as_str()), (status, Some(error)), "{body}: {json}");
        assert!(json["error_description"].is_string() && answer.header("x-ratelimit-limit").is_some(), "{json}");
    }
    let wrong = Client::tcp(office.bank.vestibule.admin_port())
        .ask("GET /oauth/token HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n\r\n");
    assert_eq!((wrong.status, wrong.header("allow")), (405, Some("POST")));
}

#[test]
fn a_token_ends() {
    let office = Office::with("token_lifetime = \"1s\"\n");
    let token = token(&office, "")["access_token"].as_str().unwrap().to_owned();
    let refused = || office.ask_as(&token, "GET", DOMAINS, None).status == 401;
    crate::vestibule_program::wait_until(refused, || "the token goes on".into());
}
