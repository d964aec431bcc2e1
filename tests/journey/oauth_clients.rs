//! Clients of an authorization server that authenticate themselves with certificates (RFC 8705 §2). The upstream is a provider that
//! checks nothing: whatever it sees was let through here.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::bank::{
    Bank, DOMAIN, Person, Request, Tenant, alternative_names, authorities, expired, good, leaf, now, person, person_of,
};
use crate::pki::{DAY, Dates, Leaf, new_key, self_signed_by};
use crate::recording_upstream::{RecordingUpstream, reply};
use crate::vestibule_program::Vestibule;

fn itself(leaf: &Leaf) -> Person {
    let key = new_key();
    Person { certificate: self_signed_by(leaf, &key), key }
}

fn jwks(people: &[&Person]) -> Value {
    let keys: Vec<Value> = people
        .iter()
        .map(|person| json!({"kty": "EC", "crv": "P-256", "x": "x", "y": "y", "x5c": [STANDARD.encode(person.certificate.to_der().unwrap())]}))
        .collect();
    json!({ "keys": keys })
}

/// A bank in front of a provider, with clients.
fn bank(clients: &str, jwks: &Value) -> Bank {
    let upstream = RecordingUpstream::start();
    let mut tables = clients.to_owned();
    for (path, more) in [
        ("/token", "tls_client_auth = true, self_signed_tls_client_auth = true"),
        ("/introspect", "tls_client_auth = true"),
        ("/par", "tls_client_auth = true, self_signed_tls_client_auth = true, pass_unregistered_clients = true"),
    ] {
        let _ = write!(
            tables,
            "[[routes]]\npath = \"{path}\"\nupstream = \"core\"\npolicy = {{ verification = \"permissive\", {more} }}\n"
        );
    }
    let tenant = Tenant { tables, ..Tenant::default() };
    let mut files = crate::bank::files(&[(tenant, upstream.url())]);
    files.push(("clients/own.json".into(), jwks.to_string()));
    Bank { vestibule: Vestibule::start(&files), upstream }
}

fn client(id: &str, method: &str, line: &str) -> String {
    format!("[[oauth.clients]]\nclient_id = \"{id}\"\ntoken_endpoint_auth_method = \"{method}\"\n{line}\n")
}

fn named(id: &str, line: &str) -> String {
    client(id, "tls_client_auth", line)
}

fn post(path: &str, body: &str) -> Request {
    Request::new("POST", path)
        .instead("Host", &format!("mtls.{DOMAIN}"))
        .with("Content-Type", "application/x-www-form-urlencoded")
        .body(body.as_bytes())
}

/// It reached the provider, whole, and the provider is told this.
#[track_caller]
fn passes(bank: &Bank, request: &Request, body: &str, told: (&str, &str)) {
    let answer = bank.vestibule.ask(request.text());
    assert_eq!(answer.status, 200, "{}", bank.vestibule.access_line(&answer));
    let received = bank.upstream.take_one();
    assert_eq!(String::from_utf8(received.body.clone()).unwrap(), body);
    assert_eq!((received.header("x-vestibule-client-id"), received.header("x-vestibule-client-auth-method")), told);
}

#[track_caller]
fn refused(bank: &Bank, request: &Request, status: u16, error: &str, code: &str) {
    let answer = bank.vestibule.ask(request.text());
    assert_eq!(bank.refused(&answer, status), code, "{}", bank.vestibule.access_line(&answer));
    assert_eq!(answer.json()["error"], error);
    assert_eq!(answer.header("content-type"), Some("application/json"));
}

#[track_caller]
fn invalid_client(bank: &Bank, request: &Request) {
    refused(bank, request, 401, "invalid_client", "oauth_client_refused");
}

#[test]
fn the_one_subject_of_a_client_is_asked_for() {
    let rich = Leaf { extra: vec![("2.5.29.17", false, alternative_names())], ..leaf("app") };
    let app = person(&rich);
    let clients = [
        ("dn", "tls_client_auth_subject_dn = \"cn=APP , o=vestibule  test\""),
        ("turned", "tls_client_auth_subject_dn = \"O=Vestibule Test,CN=app\"\nrdn_order = \"any\""),
        ("dns", "tls_client_auth_san_dns = \"APP.bank.example\""),
        ("uri", "tls_client_auth_san_uri = \"spiffe://bank.example/app\""),
        ("ip", "tls_client_auth_san_ip = \"2001:DB8:0:0::0042\""),
        ("email", "tls_client_auth_san_email = \"App@BANK.example\""),
    ];
    let others = [
        ("dn2", "tls_client_auth_subject_dn = \"CN=app\""),
        ("dn3", "tls_client_auth_subject_dn = \"O=Vestibule Test,CN=app\""),
        ("dns2", "tls_client_auth_san_dns = \"app\""),
        ("uri2", "tls_client_auth_san_uri = \"spiffe://bank.example/app/\""),
        ("ip2", "tls_client_auth_san_ip = \"2001:db8::43\""),
        ("email2", "tls_client_auth_san_email = \"app@bank.example\""),
    ];
    let all: String = clients.iter().chain(&others).map(|(id, line)| named(id, line)).collect();
    let bank = bank(&all, &jwks(&[]));
    for (id, _) in clients {
        for path in ["/token", "/introspect", "/par"] {
            let body = format!("grant_type=client_credentials&client_id={id}");
            passes(&bank, &post(path, &body).of(&app), &body, (id, "tls_client_auth"));
        }
    }
    for (id, _) in others {
        invalid_client(&bank, &post("/token", &format!("client_id={id}")).of(&app));
    }
}

#[test]
fn a_name_counts_only_where_a_trusted_ca_wrote_it() {
    let bank = bank(&named("app", "tls_client_auth_subject_dn = \"CN=app,O=Vestibule Test\""), &jwks(&[]));
    let body = "client_id=app";
    let asked = |path: &str| post(path, body);
    passes(&bank, &asked("/token").of(&person(&leaf("app"))), body, ("app", "tls_client_auth"));
    let wrong = [
        good(),
        person_of(&authorities().stranger, &leaf("app")),
        itself(&leaf("app")),
        person(&Leaf { dates: expired(), ..leaf("app") }),
        person(&Leaf { dates: Dates(now() + DAY, now() + 2 * DAY), ..leaf("app") }),
        person(&Leaf { client_auth: false, ..leaf("app") }),
    ];
    for path in ["/token", "/introspect", "/par"] {
        for person in &wrong {
            invalid_client(&bank, &asked(path).of(person));
        }
        invalid_client(&bank, &asked(path).of_nobody());
        // What a client says of itself is taken out.
        let forged = asked(path).of_nobody().with("X-Vestibule-Client-Id", "app");
        invalid_client(&bank, &forged.with("X-Vestibule-Client-Auth-Method", "tls_client_auth"));
    }
    // The host where nobody is asked for a certificate.
    invalid_client(&bank, &asked("/token").instead("Host", DOMAIN).of(&person(&leaf("app"))));
}

#[test]
fn self_signed_certificates_are_compared_whole() {
    let (own, second) = (itself(&leaf("own")), itself(&leaf("own")));
    let same_key = Person { certificate: self_signed_by(&leaf("own"), &own.key), key: own.key.clone() };
    let old = itself(&Leaf { dates: expired(), ..leaf("own") });
    let bank =
        bank(&client("own", "self_signed_tls_client_auth", "jwks_file = \"clients/own.json\""), &jwks(&[&own, &second, &old]));
    let body = "client_id=own";
    for person in [&own, &second] {
        passes(&bank, &post("/token", body).of(person), body, ("own", "self_signed_tls_client_auth"));
    }
    for person in [&itself(&leaf("own")), &same_key, &old, &good()] {
        invalid_client(&bank, &post("/token", body).of(person));
    }
    invalid_client(&bank, &post("/token", body).of_nobody());
    // Not a way to authenticate on this route.
    invalid_client(&bank, &post("/introspect", body).of(&own));
}

#[test]
fn a_renewed_certificate_is_found_at_the_jwks_uri_and_others_cannot_make_us_ask_and_ask() {
    let (old, new) = (itself(&leaf("own")), itself(&leaf("own")));
    let published = Arc::new(Mutex::new(jwks(&[&old])));
    let shown = Arc::clone(&published);
    let host = RecordingUpstream::answering(move |_, stream| reply(stream, "", shown.lock().unwrap().to_string().as_bytes()));
    let uri = format!("jwks_uri = \"{}/jwks\"\n", host.url());
    let clients = client("own", "self_signed_tls_client_auth", &format!("{uri}allow_private_addresses = true"))
        + &client("private", "self_signed_tls_client_auth", &uri);
    let bank = bank(&clients, &jwks(&[]));
    let body = "client_id=own";
    let told = ("own", "self_signed_tls_client_auth");
    passes(&bank, &post("/token", body).of(&old), body, told);
    *published.lock().unwrap() = jwks(&[&new]);
    passes(&bank, &post("/token", body).of(&new), body, told);
    invalid_client(&bank, &post("/token", body).of(&old));
    for _ in 0..10 {
        invalid_client(&bank, &post("/token", body).of(&itself(&leaf("own"))));
    }
    assert_eq!(host.received().len(), 2);
    // A private address is not for clients to name.
    let request = post("/token", "client_id=private").of(&new);
    refused(&bank, &request, 503, "temporarily_unavailable", "oauth_client_unverifiable");
    assert_eq!(host.received().len(), 2);
}

#[test]
fn requests_that_could_be_read_in_two_ways_are_refused() {
    let clients =
        named("app", "tls_client_auth_subject_dn = \"CN=app,O=Vestibule Test\"") + &client("jwt", "private_key_jwt", "");
    let bank = bank(&clients, &jwks(&[]));
    let app = person(&leaf("app"));
    let basic = |user: &str| format!("Basic {}", STANDARD.encode(format!("{user}:secret")));
    let assertion = |sub: &str| format!("client_assertion=x.{}.x", URL_SAFE_NO_PAD.encode(json!({"sub": sub}).to_string()));
    for request in [
        post("/token", "client_id=app&client_id=jwt"),
        post("/token", "client_id=jwt&client%5fid=app"),
        post("/token", "grant_type=x"),
        post("/token?client_id=jwt", "client_id=app"),
        post("/token", "client_id=jwt").with("Authorization", &basic("app")),
        post("/token", &format!("client_id=jwt&{}", assertion("app"))),
        post("/token", "client_id=app").instead("Content-Type", "application/json"),
        post("/token", "client_id=app").with("Content-Encoding", "gzip"),
        Request::get("/token?client_id=app").instead("Host", &format!("mtls.{DOMAIN}")),
    ] {
        refused(&bank, &request.of(&app), 400, "invalid_request", "oauth_request_invalid");
    }
    // Another way to authenticate than the registered one.
    for request in [
        post("/token", "client_id=app&client_secret=x"),
        post("/token", "").with("Authorization", &basic("app")),
        post("/token", &assertion("app")),
    ] {
        invalid_client(&bank, &request.of(&app));
    }
    for (sent, challenges) in [(None, vec![]), (Some(basic("app")), vec!["Basic realm=\"oauth\""])] {
        let request = post("/token", "client_id=app").of_nobody();
        let request = sent.map_or(request.clone(), |sent| request.with("Authorization", &sent));
        let answer = bank.vestibule.ask(request.text());
        assert_eq!((answer.status, answer.all("www-authenticate")), (401, challenges));
    }
    let unknown = post("/token", "client_id=who").of(&app);
    refused(&bank, &unknown, 401, "invalid_client", "oauth_client_unknown");
    passes(&bank, &post("/par", "client_id=who").of(&app), "client_id=who", ("", ""));
    // Left to the provider, at either host.
    let body = format!("client_id=jwt&{}", assertion("jwt"));
    passes(&bank, &post("/token", &body).of_nobody(), &body, ("", ""));
    passes(&bank, &post("/token", &body).instead("Host", DOMAIN).of_nobody(), &body, ("", ""));
    let forged = post("/token", &body).of_nobody().with("X_Vestibule_Client_Id", "app");
    passes(&bank, &forged, &body, ("", ""));
}

#[test]
fn forms_reach_the_provider_whole_within_their_limit() {
    let bank = bank(&named("app", "tls_client_auth_subject_dn = \"CN=app,O=Vestibule Test\""), &jwks(&[]));
    let app = person(&leaf("app"));
    let told = ("app", "tls_client_auth");
    let body = format!("client_id=app&request={}", "x".repeat(60_000));
    passes(&bank, &post("/par", &body).of(&app), &body, told);
    let head = Request::new("POST", "/token")
        .instead("Host", &format!("mtls.{DOMAIN}"))
        .with("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
        .with("Transfer-Encoding", "chunked")
        .of(&app);
    let mut chunked = head.text();
    chunked.extend_from_slice(b"7\r\nclient_\r\n6\r\nid=app\r\n0\r\n\r\n");
    let answer = bank.vestibule.ask(&chunked);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let received = bank.upstream.take_one();
    assert_eq!((received.body.as_slice(), received.header("x-vestibule-client-id")), (&b"client_id=app"[..], "app"));
    let large = post("/token", &format!("client_id=app&x={}", "x".repeat(65_536))).of(&app);
    let answer = bank.vestibule.ask(large.text());
    assert_eq!(bank.refused(&answer, 413), "request_body_too_large");
    // A subrequest has no body to look into.
    let asking = Request::get("/-/authorize").of(&app).with("X-Original-URI", "/token").with("X-Original-Method", "POST");
    refused(&bank, &asking, 400, "invalid_request", "oauth_request_invalid");
}
