//! Requests that are refused, each for its reason, and odd ones that are not.

use serde_json::{Value, json};

use crate::bank::DOMAIN;
use crate::http_client::Client;
use crate::office::{DOMAINS, ORIGIN, Office, TOKEN, new, path};

#[test]
fn bodies_are_read_strictly() {
    let office = Office::open();
    let domain = office.create("a.customer.example");
    let with = |key: &str, value: Value| {
        let mut body = new("b.customer.example");
        body[key] = value;
        body
    };
    let many: serde_json::Map<String, Value> = (0..11).map(|number| (number.to_string(), json!("x"))).collect();
    let bodies = [
        (json!([]), "Expected type object"),
        (json!({}), "Missing required property: domain"),
        (json!({ "domain": "b.customer.example" }), "Missing required property: type"),
        (with("domain", json!("localhost")), "format hostname"),
        (with("domain", json!("127.0.0.1")), "format hostname"),
        (with("domain", json!("*.customer.example")), "format hostname"),
        (with("domain", json!(7)), "Expected type string but found type number"),
        (with("domain", json!(format!("x.{ORIGIN}"))), "below the origin domain"),
        (with("type", json!("auth0_managed_certs")), "only self_managed_certs"),
        (with("type", json!("other")), "No enum match for: other"),
        (with("verification_method", json!("cname")), "No enum match for: cname"),
        (with("tls_policy", json!("compatible")), "No enum match for: compatible"),
        (with("custom_client_ip_header", json!("x-real-ip")), "No enum match for: x-real-ip"),
        (with("domain_metadata", json!({ "a": 1 })), "Expected type string but found type number"),
        (with("domain_metadata", json!({ "a": "x".repeat(256) })), "String is too long"),
        (with("domain_metadata", Value::Object(many)), "too many properties"),
        (with("relying_party_identifier", json!("other.example")), "registrable suffix"),
        (with("strange", json!(1)), "Additional properties not allowed: strange"),
    ];
    for (body, said) in bodies {
        let refused = office.ask("POST", DOMAINS, Some(body.clone()));
        let json = refused.json();
        let message = json["message"].as_str().unwrap();
        assert_eq!((refused.status, json["errorCode"].as_str()), (400, Some("invalid_body")), "{body}: {message}");
        assert!(message.contains(said), "{body}: {message}");
    }
    for body in [json!({ "domain": "c.example" }), json!({ "type": "self_managed_certs" }), json!({ "status": "ready" })] {
        assert_eq!(office.ask("PATCH", &path(&domain), Some(body.clone())).status, 400, "{body}");
    }
    for body in [json!({ "mtls": true }), json!({ "mtls": { "x": 1 } }), json!({ "friendly_name": "x" })] {
        assert_eq!(office.ask("PATCH", "/api/v2/tenants/settings", Some(body.clone())).status, 400, "{body}");
    }
    assert_eq!(office.ask("GET", DOMAINS, None).json().as_array().unwrap().len(), 1);
}

#[test]
fn one_place_for_each_host_name() {
    let office = Office::open();
    office.create("a.customer.example");
    office.create("mtls.b.customer.example");
    for (name, place) in [
        ("a.customer.example", "another custom domain"),
        ("A.CUSTOMER.example", "another custom domain"),
        ("mtls.a.customer.example", "another custom domain, `a.customer.example`"),
        ("b.customer.example", "another custom domain, `mtls.b.customer.example`"),
        (DOMAIN, "tenants/bank.toml"),
    ] {
        let refused = office.ask("POST", DOMAINS, Some(new(name)));
        let json = refused.json();
        let message = json["message"].as_str().unwrap();
        assert_eq!(refused.status, 409, "{name}: {message}");
        assert!(message.starts_with("The specified custom domain already exists.") && message.contains(place), "{message}");
    }
}

#[test]
fn paths_methods_and_ids() {
    let office = Office::open();
    let unknown = format!("{DOMAINS}/cd_0123456789abcdef");
    for (method, path, status) in [
        ("GET", "/api/v2/users", 404),
        ("GET", "/api/v2/custom-domains/", 400),
        ("GET", "/api/v2/custom-domains/cd_1/x/y/z", 404),
        ("PUT", DOMAINS, 405),
        ("DELETE", "/api/v2/tenants/settings", 405),
        ("GET", "/api/v2/custom-domains/x", 400),
        ("DELETE", "/api/v2/custom-domains/cd_..%2f..%2f", 400),
        ("GET", &unknown, 404),
        ("DELETE", &unknown, 204),
    ] {
        assert_eq!(office.ask(method, path, None).status, status, "{method} {path}");
    }
    for action in ["verify", "test", "rotate-key"] {
        assert_eq!(office.ask("POST", &format!("{unknown}/{action}"), None).status, 404, "{action}");
    }
    assert_eq!(office.ask("PUT", DOMAINS, None).header("allow"), Some("GET, POST"));
}

#[test]
fn bodies_that_are_no_json_or_too_long() {
    let office = Office::open();
    let send = |body: &[u8], kind: &str| {
        let head = format!(
            "POST {DOMAINS} HTTP/1.1\r\nhost: admin\r\nauthorization: Bearer {TOKEN}\r\n{kind}content-length: {}\r\n\
             connection: close\r\n\r\n",
            body.len()
        );
        Client::tcp(office.bank.vestibule.admin_port()).ask([head.as_bytes(), body].concat())
    };
    for body in [&b""[..], b"{", b"\xff\xfe", b"{\"domain\":\"a.b\"}}", b"domain=a.b"] {
        assert_eq!(send(body, "content-type: application/json\r\n").status, 400, "{body:?}");
    }
    assert_eq!(send(&vec![b' '; 65 * 1024], "").status, 413);
    // What is no content type of ours is read as JSON all the same.
    let body = new("a.customer.example").to_string();
    assert_eq!(send(body.as_bytes(), "").status, 201);
    let answer = office.ask("GET", DOMAINS, None);
    assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
    assert_eq!((answer.header("cache-control"), answer.header("x-request-id").unwrap().len()), (Some("no-store"), 32));
}
