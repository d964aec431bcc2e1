//! What an enemy with a token, a zone of DNS or a connection tries.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::dns_server::Entry;
use crate::http_client::{Answer, Client};
use crate::office::{DOMAINS, Office, SECRET, TOKEN, ask, new, path};

const CLIENTS: &str = "/api/v2/clients";

fn send(office: &Office, text: String) -> Answer {
    Client::tcp(office.bank.vestibule.admin_port()).ask(text)
}

fn posted(lines: &str, path: &str, body: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nhost: admin\r\n{lines}content-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}

#[test]
fn a_late_look_does_not_touch_who_has_the_name_now() {
    let office = Office::open();
    for turn in 0..8 {
        let host = format!("d{turn}.customer.example");
        let name = format!("_cf-custom-hostname.{host}");
        let record = |domain: &Value| domain["verification"]["methods"][0]["record"].as_str().unwrap().to_owned();
        let old = office.create(&host);
        office.dns.set(&name, Entry::TxtAlone("not yet".into()));
        let (port, late) = (office.bank.vestibule.admin_port(), format!("{}/verify", path(&old)));
        let late = std::thread::spawn(move || ask(port, TOKEN, "POST", &late, None));
        crate::vestibule_program::wait_until(|| office.dns.asked(&name) > 1, || "nobody asked".into());
        assert_eq!(office.ask("DELETE", &path(&old), None).status, 204);
        let now = office.create(&host);
        office.dns.set(&name, Entry::TxtAlone(record(&now)));
        let key = office.verify(&now)["cname_api_key"].as_str().unwrap().to_owned();
        let was_late = !late.is_finished();
        let answer = late.join().unwrap();
        if !was_late {
            continue;
        }
        assert_eq!((answer.status, &answer.json()["errorCode"]), (404, &json!("inexistent_custom_domain")));
        assert_eq!((office.knock(&host, &key), office.knock(&host, "another")), (200, 403));
        let log = office.ask("GET", "/api/v2/audit-log?take=1000", None).json();
        let lines: Vec<&Value> = log.as_array().unwrap().iter().filter(|line| line["domain"] == host).collect();
        let actions: Vec<&str> = lines.iter().map(|line| line["action"].as_str().unwrap()).collect();
        assert_eq!(actions, ["create", "delete", "create", "verify"]);
        return;
    }
    panic!("no look was late");
}

#[test]
fn a_text_with_a_nul_is_refused_by_every_store() {
    let office = Office::open();
    let nul = "a\u{0}b";
    let subject = |subject: &str, name: &str| {
        let credential = json!({ "credential_type": "cert_subject_dn", "subject_dn": subject, "name": name });
        json!({ "name": "app", "client_authentication_methods": { "tls_client_auth": { "credentials": [credential] } } })
    };
    let cursor = openssl::base64::encode_block(b"a\0b");
    for (method, path, body) in [
        ("POST", CLIENTS.to_owned(), Some(json!({ "name": nul }))),
        ("POST", CLIENTS.to_owned(), Some(json!({ "name": "app", "description": nul }))),
        ("POST", CLIENTS.to_owned(), Some(subject(nul, "one"))),
        ("POST", CLIENTS.to_owned(), Some(subject("CN=one", nul))),
        ("PATCH", format!("{DOMAINS}/default"), Some(json!({ "domain": nul }))),
        ("GET", format!("{DOMAINS}?from={cursor}"), None),
    ] {
        let answer = office.ask(method, &path, body.clone());
        assert_eq!(answer.status, 400, "{method} {path} {body:?}: {}", answer.text());
    }
    // Other odd letters are texts like every other.
    let odd = "x'; DROP TABLE clients; --\"\\\r\n\u{7f}\u{202e}\u{1f600}%00";
    let made = office.ask("POST", CLIENTS, Some(json!({ "name": odd })));
    assert_eq!((made.status, &made.json()["name"]), (201, &json!(odd)));
    let (domain, _) = office.ready("a.customer.example");
    let patched = office.ask("PATCH", &path(&domain), Some(json!({ "domain_metadata": { odd: odd } })));
    assert_eq!((patched.status, &patched.json()["domain_metadata"][odd]), (200, &json!(odd)));
}

#[test]
fn what_is_said_twice_is_refused() {
    let office = Office::open();
    let (bearer, as_json) = (format!("authorization: Bearer {TOKEN}\r\n"), "content-type: application/json\r\n");
    for body in [
        r#"{"domain":"a.customer.example","domain":"b.customer.example","type":"self_managed_certs"}"#,
        r#"{"domain":"a.customer.example","\u0064omain":"b.customer.example","type":"self_managed_certs"}"#,
        r#"{"domain":"a.customer.example","type":"self_managed_certs","domain_metadata":{"a":"1","a":"2"}}"#,
    ] {
        let answer = send(&office, posted(&bearer, DOMAINS, body));
        assert_eq!((answer.status, &answer.json()["errorCode"]), (400, &json!("invalid_body")), "{body}");
        assert!(answer.text().contains("twice"), "{}", answer.text());
    }
    assert_eq!(office.ask("GET", DOMAINS, None).json(), json!([]));
    let audience = crate::office::AUDIENCE.replace("{admin}", &office.bank.vestibule.admin_port().to_string());
    let twice = format!(
        r#"{{"grant_type":"client_credentials","client_id":"co","client_id":"ci","client_secret":"{SECRET}","audience":"{audience}"}}"#
    );
    let basic = format!("authorization: Basic {}\r\n", openssl::base64::encode_block(format!("ci:{SECRET}").as_bytes()));
    let once = format!(r#"{{"grant_type":"client_credentials","audience":"{audience}"}}"#);
    assert_eq!(send(&office, posted(&format!("{as_json}{basic}"), "/oauth/token", &once)).status, 200);
    for (lines, body) in [
        (as_json.to_owned(), &twice),
        (format!("{as_json}{basic}{basic}"), &once),
        (format!("{as_json}{basic}{bearer}"), &once),
        (format!("{as_json}content-type: application/x-www-form-urlencoded\r\n{basic}"), &once),
    ] {
        let answer = send(&office, posted(&lines, "/oauth/token", body));
        assert_eq!((answer.status, &answer.json()["error"]), (400, &json!("invalid_request")), "{lines}{body}");
    }
}

#[test]
fn a_body_that_never_comes_holds_nobody() {
    let office = Office::open();
    for lines in
        ["POST /oauth/token HTTP/1.1\r\n".to_owned(), format!("POST {DOMAINS} HTTP/1.1\r\nauthorization: Bearer {TOKEN}\r\n")]
    {
        let begun = Instant::now();
        let mut stream = TcpStream::connect(("127.0.0.1", office.bank.vestibule.admin_port())).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream.write_all(format!("{lines}host: admin\r\ncontent-length: 20\r\n\r\n{{").as_bytes()).unwrap();
        let mut answer = Vec::new();
        let read = stream.read_to_end(&mut answer);
        assert!(read.is_ok() && answer.starts_with(b"HTTP/1.1 408 "), "{read:?} {}", String::from_utf8_lossy(&answer));
        assert!(begun.elapsed() < Duration::from_secs(25), "{lines}");
    }
}

#[test]
fn a_rotation_does_not_keep_a_key_for_longer_than_was_said() {
    let office = Office::open();
    let (domain, first) = office.ready("a.customer.example");
    let rotate = |seconds: u32| {
        office.ask("POST", &format!("{}/rotate-key", path(&domain)), Some(json!({ "overlap_seconds": seconds }))).json()
    };
    let second = rotate(1);
    let id = second["keys"].as_array().unwrap().iter().find(|key| key["expires_at"].is_null()).unwrap()["key_id"].clone();
    let gone = office.ask("DELETE", &format!("{}/keys/{}", path(&domain), id.as_str().unwrap()), None);
    assert_eq!(gone.status, 204);
    // The first one has a second left, and a rotation for a day gives it no more.
    rotate(86_400);
    crate::vestibule_program::wait_until(
        || office.knock("a.customer.example", &first) == 403,
        || office.ask("GET", &format!("{}/keys", path(&domain)), None).text(),
    );
}

#[test]
fn hostile_records_of_dns() {
    let office = Office::open();
    let domain = office.create("a.customer.example");
    let name = "_cf-custom-hostname.a.customer.example";
    let many: Vec<String> = (0..12).map(|number| format!("{number:02}\u{1b}[2J\n{}", "y".repeat(70))).collect();
    office.dns.set(name, Entry::Txts(many));
    let why = office.verify(&domain)["verification"]["error_msg"].as_str().unwrap().to_owned();
    assert!(why.contains("which is another value") && why.contains("\"00") && why.contains("9 more"), "{why}");
    assert!(why.len() < 600 && !why.chars().any(char::is_control), "{why:?}");
    for entry in [Entry::Loop, Entry::Silent] {
        office.dns.set(name, entry);
        let asked = Instant::now();
        assert_eq!(office.verify(&domain)["status"], "pending_verification");
        assert!(asked.elapsed() < Duration::from_secs(8), "{:?}", asked.elapsed());
    }
}

#[test]
fn other_spellings_of_a_path_or_a_method_lead_nowhere() {
    let office = Office::open();
    let (domain, key) = office.ready("a.customer.example");
    let (read, here) = (crate::office::token_of("read:custom_domains"), path(&domain));
    for (method, path, further, status) in [
        ("GET", format!("/{here}"), "", 404),
        ("GET", here.replace("/api", "/API"), "", 404),
        ("GET", here.replace("/custom", "//custom"), "", 404),
        ("GET", here.replace("/custom", "/x/../custom"), "", 404),
        ("GET", here.replace("/custom", "%2Fcustom"), "", 404),
        ("GET", here.replace("/custom", "/%63ustom"), "", 404),
        ("GET", here.replace("/cd_", "%2Fcd_"), "", 404),
        ("GET", format!("{here}/"), "", 404),
        ("GET", format!("{here};x=1"), "", 400),
        ("HEAD", here.clone(), "", 405),
        ("get", here.clone(), "", 405),
        ("DELETE", here.clone(), "x-http-method-override: GET\r\n", 403),
        ("POST", here.clone(), "x-http-method-override: DELETE\r\n", 405),
        ("GET", here.clone(), "x-http-method-override: DELETE\r\n", 200),
        ("GET", format!("{here}?_method=DELETE"), "", 200),
    ] {
        let answer = send(
            &office,
            format!(
                "{method} {path} HTTP/1.1\r\nhost: admin\r\nauthorization: Bearer {read}\r\n{further}content-length: 0\r\nconnection: close\r\n\r\n"
            ),
        );
        assert_eq!(answer.status, status, "{method} {path} {further}");
    }
    assert_eq!(office.knock("a.customer.example", &key), 200);
}

#[test]
fn other_spellings_of_a_host_and_keys_of_others() {
    let office = Office::open();
    let (one, key) = office.ready("a.customer.example");
    let (other, strange) = office.ready("b.customer.example");
    let origin = one["origin_domain_name"].as_str().unwrap();
    for host in ["a.customer.example", "A.Customer.EXAMPLE", "a.customer.example:443", origin] {
        assert_eq!((office.knock(host, &key), office.knock(host, &strange)), (200, 403), "{host}");
    }
    let id = |domain: &Value| domain["custom_domain_id"].as_str().unwrap().to_owned();
    for host in [
        "mtls.a.customer.example",
        "a.customer.example.edge.vestibule.example",
        "x.a.customer.example",
        "a.customer.example..",
        "a.customer.example@b.customer.example",
        "a.customer.example, b.customer.example",
        "edge.vestibule.example",
        &id(&one),
    ] {
        assert_ne!(office.knock(host, &key), 200, "{host}");
    }
    let keys = office.ask("GET", &format!("{}/keys", path(&one)), None).json();
    // A key by its id and another domain's.
    let crossed = format!("{}/keys/{}", path(&other), keys[0]["key_id"].as_str().unwrap());
    assert_eq!(office.ask("DELETE", &crossed, None).status, 404);
    assert_eq!((office.knock("a.customer.example", &key), office.knock("b.customer.example", &strange)), (200, 200));
    // The tag is no key, nor is a key's id.
    assert_eq!(office.knock("a.customer.example", &crate::office::tag(&key)), 403);
    assert_eq!(office.knock("a.customer.example", keys[0]["key_id"].as_str().unwrap()), 403);
    assert_eq!(office.ask("POST", DOMAINS, Some(new("a.customer.example."))).status, 400);
}

#[test]
fn verifications_at_once_show_keys_that_work() {
    let office = Office::open();
    let domain = office.create("a.customer.example");
    office.prove(&domain);
    let answers: Vec<Answer> = std::thread::scope(|scope| {
        let (office, path) = (&office, format!("{}/verify", path(&domain)));
        let asked: Vec<_> = (0..6)
            .map(|_| {
                scope.spawn({
                    let path = path.clone();
                    move || office.ask("POST", &path, None)
                })
            })
            .collect();
        asked.into_iter().map(|asked| asked.join().unwrap()).collect()
    });
    let keys: Vec<String> =
        answers.iter().filter_map(|answer| answer.json()["cname_api_key"].as_str().map(str::to_owned)).collect();
    assert_eq!(keys.len(), 2, "{:?}", answers.iter().map(Answer::text).collect::<Vec<_>>());
    assert!(answers.iter().all(|answer| [200, 400].contains(&answer.status)));
    for key in keys {
        assert_eq!(office.knock("a.customer.example", &key), 200);
    }
}

#[test]
fn after_a_deletion_no_key_works_whatever_was_asked_beside_it() {
    let office = Office::open();
    for turn in 0..8 {
        let host = format!("d{turn}.customer.example");
        let (domain, first) = office.ready(&host);
        let here = path(&domain);
        let mut keys: Vec<String> = std::thread::scope(|scope| {
            let (office, here) = (&office, &here);
            let rotation = |overlap: u32| {
                scope.spawn(move || {
                    office.ask("POST", &format!("{here}/rotate-key"), Some(json!({ "overlap_seconds": overlap })))
                })
            };
            let asked = [rotation(0), rotation(60), rotation(0)];
            let patched = scope.spawn(move || office.ask("PATCH", here, Some(json!({ "domain_metadata": { "a": "b" } }))));
            let deleted = scope.spawn(move || office.ask("DELETE", here, None));
            assert_eq!(deleted.join().unwrap().status, 204);
            assert!([200, 404].contains(&patched.join().unwrap().status));
            let answers = asked.map(|asked| asked.join().unwrap());
            assert!(answers.iter().all(|answer| [201, 404, 409].contains(&answer.status)));
            answers.iter().filter_map(|answer| answer.json()["cname_api_key"].as_str().map(str::to_owned)).collect()
        });
        keys.push(first);
        for key in keys {
            assert_eq!(office.knock(&host, &key), 403);
        }
        assert_eq!(office.ask("GET", &here, None).status, 404);
    }
}

#[test]
fn a_name_whose_record_could_not_be_is_refused() {
    let office = Office::open();
    // `_cf-custom-hostname.` and the name have 253 letters and 254.
    let name = |last: usize| format!("{}.{}.{}.{}.example", "a".repeat(60), "b".repeat(60), "c".repeat(60), "d".repeat(last));
    assert_eq!(office.ask("POST", DOMAINS, Some(new(&name(42)))).status, 201);
    let refused = office.ask("POST", DOMAINS, Some(new(&name(43))));
    assert!(refused.status == 400 && refused.text().contains("its record of DNS"), "{}", refused.text());
}
