//! Headers that a client sends in the front door's name.

use crate::attempt::{
    assert_log, assert_nobody_else, assert_refused, get, intruder, judge, raw, still_serves, through_every_door, victim,
};
use crate::bank::{Bank, DOMAIN, KEY, Request, escaped};
use crate::http2;
use crate::product::{FrontDoor, RUNNING};
use crate::tls::Hello;

/// The names that mean something, to us or to the upstream.
const TRUSTED: [&str; 5] =
    ["client-certificate", "client-certificate-ca-verified", "cname-api-key", "ssl-client-verify", "x-client-cn"];

#[test]
fn row_01_the_client_sends_the_trusted_headers_itself() {
    let certificate = escaped(&victim().certificate);
    let forged = format!("client-certificate: {certificate}\r\nclient-certificate-ca-verified: SUCCESS\r\n");
    through_every_door(&[
        forged.clone(),
        format!("{forged}cname-api-key: guess\r\nx-forwarded-for: 192.0.2.1\r\n"),
        "ssl-client-verify: SUCCESS\r\nssl-client-s-dn: CN=victim\r\nx-client-cn: victim\r\n".to_owned(),
    ]);
    let bank = Bank::open();
    let answer = raw(&bank, get("/public/", &forged));
    assert_refused(&bank, &answer, &["front_door_key_missing"], "past the front door");
}

#[test]
fn row_02_the_front_door_is_passed_by() {
    let forged = || Request::get("/").of(&victim()).instead("client-certificate-ca-verified", "SUCCESS");
    let keys = Bank::open();
    let signing = crate::attempt::signing();
    let network = crate::attempt::proving("\"network\"", "networks = [\"10.0.0.0/8\"]\n");
    for (bank, request, code) in [
        (&keys, forged().without("cname-api-key"), "front_door_key_missing"),
        (&keys, forged().instead("cname-api-key", "guess"), "front_door_key_wrong"),
        (&keys, forged().with("cname-api-key", "guess"), "front_door_key_repeated"),
        (&keys, forged().instead("Host", "internal-lb.example"), "unknown_domain"),
        (&keys, forged().instead("Host", "127.0.0.1"), "unknown_domain"),
        (&signing, forged(), "signature_missing"),
        (&network, forged().instead("X-Forwarded-For", "10.0.0.1"), "front_door_network"),
    ] {
        let answer = raw(bank, request.text());
        assert_eq!(bank.refused(&answer, 403), code);
        assert_log(bank, &[]);
    }
}

#[test]
fn row_03_duplicates_and_case_variants() {
    let certificate = escaped(&victim().certificate);
    let mut attacks = Vec::new();
    for name in TRUSTED {
        let upper = name.to_uppercase();
        attacks.push(format!("{name}: {certificate}\r\n{name}: SUCCESS\r\n"));
        attacks.push(format!("{upper}: SUCCESS\r\n{name}: {certificate}\r\n{upper}: {certificate}\r\n"));
    }
    through_every_door(&attacks);
    let bank = Bank::open();
    for name in ["client-certificate", "CLIENT-CERTIFICATE", "Client-Certificate-Ca-Verified", "X-FORWARDED-FOR"] {
        let request = Request::get("/public/").of(&intruder()).with(name, &certificate);
        assert_refused(&bank, &raw(&bank, request.text()), &["contract_header_repeated"], name);
    }
}

#[test]
fn row_04_names_that_other_programs_fold_together() {
    let certificate = escaped(&victim().certificate);
    let aliases = |name: &str| {
        let mixed = name.replacen('-', "_", 1).replacen('-', ".", 1);
        [name.replace('-', "_"), name.replace('-', "."), mixed]
    };
    let attacks: Vec<String> = TRUSTED
        .iter()
        .flat_map(|name| aliases(name).map(|alias| format!("{alias}: {certificate}\r\n{alias}: SUCCESS\r\n")))
        .collect();
    through_every_door(&attacks);
    let bank = Bank::open();
    for name in ["client-certificate", "client-certificate-ca-verified", "cname-api-key", "x-forwarded-for"] {
        for alias in aliases(name) {
            let request = Request::get("/public/").of_nobody().with(&alias, &certificate);
            assert_refused(&bank, &raw(&bank, request.text()), &["contract_header_aliased"], &alias);
        }
    }
    // Names of ours leave the request in every spelling.
    for alias in aliases("ssl-client-verify").iter().chain(&aliases("x-client-cn")) {
        let answer = raw(&bank, Request::get("/public/").of_nobody().with(alias, "victim").text());
        assert_eq!(answer.status, 200, "{alias}");
        assert_nobody_else(&bank.upstream.take_one(), false, alias);
    }
}

#[test]
fn row_05_connection_names_what_the_front_door_has_set() {
    let mut attacks = Vec::new();
    for name in TRUSTED.iter().chain(&["x-forwarded-for", "Client_Certificate", "CLIENT-CERTIFICATE"]) {
        attacks.push(format!("connection: close, {name}\r\n"));
        attacks.push(format!("connection: {name}\r\nte: trailers\r\nkeep-alive: {name}\r\n"));
    }
    attacks.push(format!("connection: client-certificate\r\nclient-certificate: {}\r\n", escaped(&victim().certificate)));
    through_every_door(&attacks);
    let bank = Bank::open();
    for name in ["client-certificate", "Client_Certificate", "cname-api-key", "client-certificate-ca-verified"] {
        let request = Request::get("/public/").of(&intruder()).with("Connection", &format!("keep-alive, {name}"));
        assert_refused(&bank, &raw(&bank, request.text()), &["contract_header_in_connection"], name);
    }
    // A front door that obeyed: without the status header nothing that it says is taken.
    let deleted = Request::get("/").of(&intruder()).without("cname-api-key");
    assert_refused(&bank, &raw(&bank, deleted.text()), &["front_door_key_missing"], "the key is gone");
    let deleted = Request::get("/").of(&intruder()).without("client-certificate");
    assert_refused(&bank, &raw(&bank, deleted.text()), &["forwarded_verdict_contradicts"], "the certificate is gone");
}

#[test]
fn row_06_trailers() {
    let certificate = escaped(&victim().certificate);
    let trailers = [("client-certificate", certificate.as_str()), ("cname-api-key", "guess"), ("ssl-client-verify", "SUCCESS")];
    let text: String = trailers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let own = intruder();
    for kind in RUNNING {
        let door = FrontDoor::open(kind);
        for announced in ["", "trailer: client-certificate, ssl-client-verify\r\n", "te: trailers\r\n"] {
            for person in [None, Some(&own)] {
                let request = format!(
                    "POST /public/ HTTP/1.1\r\nhost: {DOMAIN}\r\ntransfer-encoding: chunked\r\n{announced}\r\n\
                     3\r\nabc\r\n0\r\n{text}\r\n"
                );
                let answer = door.ask(&Hello::of(person), request);
                judge(&door, &answer, person.is_some(), &format!("{kind}, {announced}"));
            }
        }
        for person in [None, Some(&own)] {
            http2::ask(door.https, person, "/public/", &[], &trailers);
            for received in door.bank.upstream.take() {
                assert_nobody_else(&received, person.is_some(), &format!("{kind} by HTTP/2"));
            }
        }
        still_serves(&door, &own);
        assert_log(&door.bank, &[&own]);
    }
    // Trailers that a front door hands on, as HAProxy does.
    let bank = Bank::open();
    let mut request = Request::new("POST", "/public/").of_nobody().with("Transfer-Encoding", "chunked").text();
    request.extend(format!("3\r\nabc\r\n0\r\n{text}cname-api-key: {KEY}\r\n\r\n").bytes());
    let answer = raw(&bank, request);
    assert!(matches!(answer.status, 0 | 200 | 400), "{answer:?}");
    for received in bank.upstream.take() {
        assert_nobody_else(&received, false, "relayed trailers");
    }
}
