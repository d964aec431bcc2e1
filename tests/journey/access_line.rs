//! One line a request, with the known keys, and never a secret.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::mpsc::channel;

use serde_json::Value;

use crate::bank::{Bank, KEY, REVOKED, Request, Tenant, escaped, good, leaf, person};
use crate::pki::Leaf;
use crate::recording_upstream::{RecordingUpstream, reply};
use crate::vestibule_program::wait_until;

fn keys(line: &Value) -> BTreeSet<&str> {
    line.as_object().unwrap().keys().map(String::as_str).collect()
}

const ALWAYS: [&str; 8] =
    ["time", "request.id", "client.ip", "request.method", "request.path", "decision", "status", "duration_seconds"];
const AUTHENTICATED: [&str; 5] = ["forward.domain", "forward.key", "tenant", "route", "upstream.name"];
const CERTIFICATE: [&str; 3] = ["cert.fingerprint", "cert.subject", "cert.verify"];
const REFUSED: [&str; 2] = ["refusal.code", "refusal.cause"];
const UPSTREAM: [&str; 5] = ["upstream.status", "upstream.ending", "upstream.head_seconds", "bytes.in", "bytes.out"];

#[test]
fn a_line_has_the_keys_that_apply() {
    let bank = Bank::open();
    let line = |request: Request| bank.vestibule.access_line(&bank.vestibule.ask(request.text()));
    let line_of = |request, parts: &[&[&'static str]]| {
        let line = line(request);
        let expected: BTreeSet<&str> = parts.concat().into_iter().collect();
        assert_eq!(keys(&line), expected, "{line}");
        line
    };
    let permitted = line_of(
        Request::new("POST", "/a%20b?token=hidden").of(&good()).body(b"0123456789"),
        &[&ALWAYS, &AUTHENTICATED, &CERTIFICATE, &["cert.basis"], &UPSTREAM],
    );
    assert_eq!((&permitted["decision"], &permitted["status"]), (&"permit".into(), &200.into()));
    assert_eq!(
        (&permitted["cert.verify"], &permitted["cert.subject"]),
        (&"SUCCESS".into(), &"CN=good,O=Vestibule Test".into())
    );
    assert_eq!((&permitted["bytes.in"], &permitted["client.ip"]), (&10.into(), &crate::bank::CLIENT.into()));
    let revoked = line_of(
        Request::get("/").of(&person(&Leaf { serial: REVOKED, ..leaf("r") })),
        &[&ALWAYS, &AUTHENTICATED, &CERTIFICATE, &REFUSED],
    );
    assert_eq!((&revoked["decision"], &revoked["cert.verify"]), (&"refuse".into(), &"FAILED:certificate revoked".into()));
    line_of(Request::get("/").of_nobody(), &[&ALWAYS, &AUTHENTICATED, &REFUSED]);
    let keyless = line_of(Request::get("/?token=hidden").of(&good()).without("cname-api-key"), &[&ALWAYS, &REFUSED]);
    assert_eq!((&keyless["client.ip"], &keyless["request.path"]), (&"127.0.0.1".into(), &"/".into()));
}

#[test]
fn no_line_holds_a_secret() {
    let bank = Bank::open();
    let certificate = escaped(&good().certificate);
    let body_of_certificate = &certificate[60..120];
    let mut client = bank.vestibule.connect();
    let requests = [
        Request::get("/?token=hidden").of(&good()),
        Request::get("/?token=hidden").of_nobody(),
        Request::get("/?token=hidden").carrying(&format!("{certificate}%")),
        Request::get("/?token=hidden").carrying(&certificate).with("cname_api_key", KEY),
        Request::get("/?token=hidden").carrying(&certificate).with("cname-api-key", KEY),
        Request::get("/?token=hidden").carrying(&certificate).instead("cname-api-key", "wrong-key-of-somebody"),
        Request::get("/?token=hidden").of(&good()).with("Authorization", "Bearer hidden"),
        Request::get("/?token=hidden#hidden").of(&good()),
        Request::get("/-/authorize").of(&good()).with("x-original-uri", "/?token=hidden").with("x-original-method", "GET"),
        Request::get("/-/authorize").of(&good()).with("x-original-uri", "x?token=hidden").with("x-original-method", "GET"),
    ];
    for request in &requests {
        client = if client.ask(request.text()).status == 0 { bank.vestibule.connect() } else { client };
    }
    drop(client);
    wait_until(|| bank.vestibule.access_lines().len() >= requests.len() - 1, || bank.vestibule.access_text());
    let said = bank.vestibule.access_text() + &bank.vestibule.diagnostics();
    for secret in [KEY, "wrong-key-of-somebody", "hidden", body_of_certificate, "BEGIN"] {
        assert!(!said.contains(secret), "{secret} stands in {said}");
    }
}

#[test]
fn each_request_has_one_line_also_when_they_come_at_once() {
    let bank = Bank::open();
    let mut client = bank.vestibule.connect();
    let requests: Vec<u8> = (0..20).flat_map(|number| Request::get(&format!("/{number}")).of(&good()).text()).collect();
    client.send(requests);
    let mut ids = BTreeSet::new();
    for number in 0..20 {
        let answer = client.read_answer();
        assert_eq!(answer.json()["target"], format!("/{number}"));
        ids.insert(answer.header("x-request-id").unwrap().to_owned());
    }
    assert_eq!(ids.len(), 20);
    wait_until(|| bank.vestibule.access_lines().len() >= 20, || bank.vestibule.access_text());
    let lines = bank.vestibule.access_lines();
    let logged: BTreeSet<String> = lines.iter().map(|line| line["request.id"].as_str().unwrap().to_owned()).collect();
    assert_eq!((lines.len(), logged), (20, ids));
}

#[test]
fn a_client_that_leaves_before_the_answer_has_a_line_too() {
    let (step, steps) = channel::<()>();
    let steps = Mutex::new(steps);
    let upstream = RecordingUpstream::answering(move |received, stream| {
        if received.target == "/slow" {
            steps.lock().unwrap().recv().unwrap();
        }
        reply(stream, "", b"ok")
    });
    let bank = Bank::before(&Tenant::default(), upstream);
    let mut client = bank.vestibule.connect();
    client.send(Request::get("/slow").of(&good()).text());
    wait_until(|| bank.upstream.received().len() == 1, || "nothing arrived".to_owned());
    assert_eq!(bank.vestibule.counter("vestibule_requests_in_flight"), 1);
    drop(client);
    wait_until(|| bank.vestibule.access_lines().len() == 1, || "no line".to_owned());
    let line = bank.vestibule.access_lines().remove(0);
    assert_eq!((&line["request.path"], &line["cert.verify"]), (&"/slow".into(), &"SUCCESS".into()), "{line}");
    assert_eq!((&line["status"], &line["upstream.ending"]), (&499.into(), &"abandoned".into()), "{line}");
    assert_eq!(bank.vestibule.counter("vestibule_requests_in_flight"), 0);
    step.send(()).unwrap();
    assert_eq!(bank.vestibule.ask(Request::get("/").of(&good()).text()).status, 200);
}

#[test]
fn a_client_that_leaves_in_the_middle_of_its_request_has_a_line_too() {
    let bank = Bank::open();
    let mut client = bank.vestibule.connect();
    client.send(Request::new("POST", "/half").of(&good()).with("Content-Length", "100000").text());
    client.send("only this");
    wait_until(|| bank.vestibule.counter("vestibule_requests_in_flight") == 1, || "not in flight".to_owned());
    drop(client);
    wait_until(|| bank.vestibule.access_lines().len() == 1, || "no line".to_owned());
    assert_eq!(bank.vestibule.access_lines()[0]["request.path"], "/half");
    assert_eq!(bank.vestibule.counter("vestibule_requests_in_flight"), 0);
    assert_eq!(bank.upstream.take().len(), 0, "the upstream took half a request for a whole one");
    bank.assert_still_serves();
}
