//! Who may do what, and how often.

use serde_json::{Value, json};

use crate::http_client::Client;
use crate::office::{DOMAINS, Office, SCOPES, TOKEN, ask, path, token_of};

/// What each operation needs. The document says the same, and so does the program.
const NEEDED: [(&str, &str, &str); 25] = [
    ("GET", "/custom-domains", "read:custom_domains"),
    ("POST", "/custom-domains", "create:custom_domains"),
    ("GET", "/custom-domains/default", "read:custom_domains"),
    ("PATCH", "/custom-domains/default", "update:custom_domains"),
    ("GET", "/custom-domains/{id}", "read:custom_domains"),
    ("PATCH", "/custom-domains/{id}", "update:custom_domains"),
    ("DELETE", "/custom-domains/{id}", "delete:custom_domains"),
    ("POST", "/custom-domains/{id}/verify", "create:custom_domains"),
    ("POST", "/custom-domains/{id}/test", "read:custom_domains"),
    ("GET", "/custom-domains/{id}/keys", "read:custom_domains"),
    ("POST", "/custom-domains/{id}/rotate-key", "create:custom_domains"),
    ("DELETE", "/custom-domains/{id}/keys/{key_id}", "delete:custom_domains"),
    ("GET", "/tenants/settings", "read:tenant_settings"),
    ("PATCH", "/tenants/settings", "update:tenant_settings"),
    ("GET", "/clients", "read:clients"),
    ("POST", "/clients", "create:clients"),
    ("GET", "/clients/{client_id}", "read:clients"),
    ("PATCH", "/clients/{client_id}", "update:clients"),
    ("DELETE", "/clients/{client_id}", "delete:clients"),
    ("GET", "/clients/{client_id}/credentials", "read:client_credentials"),
    ("POST", "/clients/{client_id}/credentials", "create:client_credentials"),
    ("GET", "/clients/{client_id}/credentials/{credential_id}", "read:client_credentials"),
    ("PATCH", "/clients/{client_id}/credentials/{credential_id}", "update:client_credentials"),
    ("DELETE", "/clients/{client_id}/credentials/{credential_id}", "delete:client_credentials"),
    ("GET", "/audit-log", "read:logs"),
];

/// Every operation of the document: method, path, the one scope, the statuses.
fn operations(document: &Value) -> Vec<(String, String, String, Vec<u16>)> {
    let mut found = Vec::new();
    let paths = document["paths"].as_object().unwrap();
    // Where tokens come from none is needed.
    for (path, methods) in paths.iter().filter(|(path, _)| *path != "/oauth/token") {
        for (method, operation) in methods.as_object().unwrap() {
            let scopes = operation["security"][0]["bearer"].as_array().unwrap();
            assert_eq!(scopes.len(), 1, "{method} {path}");
            let statuses = operation["responses"].as_object().unwrap().keys().map(|status| status.parse().unwrap()).collect();
            found.push((method.to_uppercase(), path.clone(), scopes[0].as_str().unwrap().to_owned(), statuses));
        }
    }
    found
}

/// What fills the places of a path, and a body that every operation with one can read, right or wrong.
fn filled(path: &str) -> String {
    let ids = [("{id}", "cd_0123456789abcdef"), ("{key_id}", "key_0123456789abcdef"), ("{client_id}", "a-client")];
    let path = ids.iter().fold(path.to_owned(), |path, (place, id)| path.replace(place, id));
    path.replace("{credential_id}", "cred_0123456789abcdefghijkl")
}

#[test]
fn every_operation_needs_its_scope_and_no_other() {
    let office = Office::open();
    let document = office.bank.vestibule.ask_admin("/openapi.json").json();
    let operations = operations(&document);
    let mut said: Vec<(&str, &str, &str)> = operations
        .iter()
        .map(|(method, path, scope, _)| (method.as_str(), path.strip_prefix("/api/v2").unwrap(), scope.as_str()))
        .collect();
    let mut needed = NEEDED.to_vec();
    said.sort_unstable();
    needed.sort_unstable();
    assert_eq!(said, needed);
    for (method, path, needed, statuses) in &operations {
        let path = filled(path);
        for scope in SCOPES {
            let body = (method == "POST" || method == "PATCH").then(|| json!({}));
            let answer = office.ask_as(&token_of(scope), method, &path, body);
            if scope == needed {
                let refused = [401, 403, 405, 429, 500].contains(&answer.status);
                assert!(!refused && statuses.contains(&answer.status), "{method} {path} with {scope}: {}", answer.text());
                continue;
            }
            let message = format!("Insufficient scope, expected any of: {needed}");
            let refusal =
                json!({ "statusCode": 403, "error": "Forbidden", "message": message, "errorCode": "insufficient_scope" });
            assert_eq!(answer.json(), refusal, "{method} {path} with {scope}");
        }
        for stranger in ["", "x", &TOKEN[1..], &TOKEN.to_uppercase()] {
            let answer = office.ask_as(stranger, method, &path, None);
            let refusal = json!({ "statusCode": 401, "error": "Unauthorized", "message": "Invalid token" });
            assert_eq!((answer.json(), answer.header("www-authenticate")), (refusal, Some("Bearer")), "{method} {path}");
        }
    }
}

#[test]
fn the_document_has_every_path_and_every_method() {
    let office = Office::open();
    let document = office.bank.vestibule.ask_admin("/openapi.json").json();
    let paths = document["paths"].as_object().unwrap();
    for (path, methods) in paths {
        let known: Vec<String> = methods.as_object().unwrap().keys().map(|method| method.to_uppercase()).collect();
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "LINK"] {
            let answer = office.ask(method, &filled(path), (method != "GET").then(|| json!({})));
            assert_eq!(answer.status == 405, !known.contains(&method.to_owned()), "{method} {path}");
            if answer.status == 405 {
                let mut allowed: Vec<&str> = answer.header("allow").unwrap().split(", ").collect();
                let mut known: Vec<&str> = known.iter().map(String::as_str).collect();
                allowed.sort_unstable();
                known.sort_unstable();
                assert_eq!(allowed, known, "{path}");
            }
        }
    }
    let ran = std::process::Command::new(env!("CARGO_BIN_EXE_vestibule")).arg("openapi").output().unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&ran.stdout).unwrap(), document);
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
