//! Lists in both shapes, and the audit log.

use serde_json::{Value, json};

use crate::office::{DOMAINS, Office, TOKEN, path};

fn names(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|domain| domain["domain"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn both_shapes() {
    let office = Office::open();
    assert_eq!(office.ask("GET", DOMAINS, None).json(), json!([]));
    let all: Vec<String> = (0..7).map(|number| format!("d{number}.customer.example")).collect();
    for name in &all {
        office.create(name);
    }
    assert_eq!(names(&office.ask("GET", DOMAINS, None).json()), all);
    let (mut seen, mut from) = (Vec::new(), String::new());
    for page in 0.. {
        let answer = office.ask("GET", &format!("{DOMAINS}?take=3{from}"), None).json();
        seen.extend(names(&answer["custom_domains"]));
        let Some(next) = answer.get("next") else {
            assert_eq!(page, 2);
            break;
        };
        from = format!("&from={}", next.as_str().unwrap());
    }
    assert_eq!(seen, all);
    let found = |query: &str| names(&office.ask("GET", &format!("{DOMAINS}?{query}"), None).json());
    assert_eq!(found("q=domain%3Ad3*"), ["d3.customer.example"]);
    assert_eq!(found("q=domain:d3.customer.example&sort=domain:1"), ["d3.customer.example"]);
    assert_eq!(found("q=domain:customer*"), Vec::<String>::new());
    let projected = office.ask("GET", &format!("{DOMAINS}?fields=domain,status&include_fields=true&q=domain:d1*"), None);
    assert_eq!(projected.json(), json!([{ "domain": "d1.customer.example", "status": "pending_verification" }]));
    let without = office.ask("GET", &format!("{DOMAINS}?fields=domain&include_fields=false&q=domain:d1*"), None).json();
    assert!(without[0].get("domain").is_none() && without[0]["status"].is_string());
    for (query, code) in [
        ("take=0", "invalid_paging"),
        ("take=101", "invalid_paging"),
        ("take=x", "invalid_paging"),
        ("take=5&from=%21", "invalid_paging"),
        ("q=status:ready", "invalid_query_string"),
        ("q=domain:*x*", "invalid_query_string"),
        ("sort=domain:-1", "invalid_query_string"),
        ("include_fields=maybe", "invalid_query_string"),
        ("page=1", "invalid_query_string"),
        ("q=%ff", "invalid_query_string"),
    ] {
        let refused = office.ask("GET", &format!("{DOMAINS}?{query}"), None);
        assert_eq!((refused.status, refused.json()["errorCode"].as_str()), (400, Some(code)), "{query}");
    }
}

#[test]
fn the_audit_log_says_who_changed_what() {
    let office = Office::open();
    let (domain, key) = office.ready("a.customer.example");
    office.ask("PATCH", &path(&domain), Some(json!({ "custom_client_ip_header": "true-client-ip" })));
    let deleted = office.ask("DELETE", &path(&domain), None);
    let log = office.ask("GET", "/api/v2/audit-log", None);
    assert!(!log.text().contains(&key) && !log.text().contains(TOKEN));
    let log = log.json();
    let lines = log.as_array().unwrap();
    let actions: Vec<&str> = lines.iter().map(|line| line["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["create", "verify", "update", "delete"]);
    for (revision, line) in (1..).zip(lines) {
        assert_eq!((&line["revision"], &line["actor"], &line["domain"]), (&json!(revision), &json!("ops"), &domain["domain"]));
    }
    assert_eq!(lines[2]["details"], "custom_client_ip_header");
    assert_eq!(lines[3]["request_id"].as_str(), deleted.header("x-request-id"));
    let rest = office.ask("GET", "/api/v2/audit-log?from=2&take=1", None).json();
    assert_eq!(rest, json!([lines[2]]));
    for bad in ["from=-1", "from=x", "take=0", "take=1001", "x=1"] {
        assert_eq!(office.ask("GET", &format!("/api/v2/audit-log?{bad}"), None).status, 400, "{bad}");
    }
}
