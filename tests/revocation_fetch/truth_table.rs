//! Every situation under the three modes, as one table.

use std::time::Duration;

use vestibule::clock::UnixTime;

use crate::bank::{Bank, Person, authorities, now};
use crate::crl_writer::{CrlWriter, extension};
use crate::ocsp_writer::{OcspWriter, UNKNOWN, revoked};
use crate::openssl_responder::OpensslResponder;
use crate::pki::DAY;
use crate::revocation_server::{Behaviour, RevocationServer};
use crate::set_up::{MODES, QUICK, delegate, fetches, list, list_dated, list_of_root, naming, open, outcome};

const PASSED: &str = "passed";
const REVOKED: &str = "certificate_revoked";
const UNKNOWN_STATUS: &str = "revocation_unknown";

/// What SKIP, IGNORE_CA_ERROR and STRICT do.
type Row = [&'static str; 3];
const GOOD: Row = [PASSED, PASSED, PASSED];
const BAD: Row = [PASSED, REVOKED, REVOKED];
/// A list that is there and does not speak for the certificate is no trouble of the network: nothing is tolerated.
const OUT_OF_SCOPE: Row = [PASSED, UNKNOWN_STATUS, UNKNOWN_STATUS];
const NOT_TO_BE_TOLD: Row = [PASSED, PASSED, UNKNOWN_STATUS];

#[track_caller]
fn assert_row(bank: &Bank, what: &str, person: &Person, wanted: Row) {
    for ((mode, path), wanted) in MODES.into_iter().zip(wanted) {
        let found = outcome(bank, path, person);
        assert_eq!(found, wanted, "{what}, {mode}: {}", bank.vestibule.diagnostics());
    }
}

/// A bank to whose root's list a file speaks: these tables are about the client's own certificate.
fn opened(lines: &str) -> Bank {
    open(&format!("crl = [\"crl/root.pem\"]\n{lines}"), QUICK)
}

fn opened_for(server: &RevocationServer) -> Bank {
    opened(&format!("revocation_hosts = [\"{}\"]\nallow_private_addresses = true", server.host()))
}

#[test]
fn lists() {
    let server = RevocationServer::start();
    let stranger = &authorities().stranger;
    let forged = stranger.crl_signed_by(&stranger.key, &[], crate::pki::Dates(now() - DAY, now() + DAY));
    let pem = |der: Vec<u8>| pem::encode(&pem::Pem::new("X509 CRL", der)).into_bytes();
    let packed =
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\nconnection: close\r\n\r\n\x1f\x8b".to_vec();
    let cut = [b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\nconnection: close\r\n\r\n".to_vec(), list(&[])].concat();
    let unusual = |der: Vec<u8>| {
        [format!("HTTP/1.1 200 OK\r\ncontent-encoding: identity\r\ncontent-length: {}\r\n\r\n", der.len()).into_bytes(), der]
            .concat()
    };
    let other = RevocationServer::start();
    other.set_any(Behaviour::Body(list(&[])));
    let to_private = format!("http://127.0.0.2:{}/good.crl", server.port());
    server.set("/target", Behaviour::Body(list(&[])));
    let huge = b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n".to_vec();
    let issuing = &authorities().issuing;
    let written = |content: &[u8]| {
        let list = CrlWriter::of(&issuing.certificate, UnixTime(now()));
        Behaviour::Body(list.scoped(content).sign(&issuing.key))
    };
    let delta = CrlWriter::of(&issuing.certificate, UnixTime(now())).with(extension("2.5.29.27", true, &[2, 1, 1]));
    let cases: Vec<(&str, Behaviour, Row, &str)> = vec![
        ("good", Behaviour::Body(list(&[])), GOOD, "ok"),
        ("revoked", Behaviour::Body(list(&[1000])), BAD, "ok"),
        ("revoked, slow", Behaviour::Slow(Duration::from_millis(150), list(&[1000])), BAD, "ok"),
        ("revoked, stale", Behaviour::Body(list_dated(&[1000], -3 * DAY, -DAY)), BAD, "stale"),
        ("of another CA", Behaviour::Body(list_of_root()), NOT_TO_BE_TOLD, "invalid"),
        ("of a delegate: indirect", written(&[0x84, 1, 0xFF]), NOT_TO_BE_TOLD, "invalid"),
        ("a delta", Behaviour::Body(delta.sign(&issuing.key)), NOT_TO_BE_TOLD, "invalid"),
        ("for other certificates: CAs", written(&[0x82, 1, 0xFF]), OUT_OF_SCOPE, "ok"),
        ("huge", Behaviour::Raw(huge), NOT_TO_BE_TOLD, "too_large"),
        ("good, in chunks", Behaviour::Chunked(list(&[])), GOOD, "ok"),
        ("good, PEM", Behaviour::Body(pem(list(&[]))), GOOD, "ok"),
        ("good, packed by nothing", Behaviour::Raw(unusual(list(&[]))), GOOD, "ok"),
        ("slow, but in time", Behaviour::Slow(Duration::from_millis(150), list(&[])), GOOD, "ok"),
        ("redirect to the same host", Behaviour::Redirect(302, "/target".into()), GOOD, "ok"),
        ("stale", Behaviour::Body(list_dated(&[], -3 * DAY, -DAY)), [PASSED, UNKNOWN_STATUS, UNKNOWN_STATUS], "stale"),
        ("of tomorrow", Behaviour::Body(list_dated(&[], DAY, 2 * DAY)), [PASSED, UNKNOWN_STATUS, UNKNOWN_STATUS], "ok"),
        ("signed by another key", Behaviour::Body(forged), NOT_TO_BE_TOLD, "invalid"),
        ("garbage", Behaviour::Body(b"<html>not found</html>".to_vec()), NOT_TO_BE_TOLD, "invalid"),
        ("nothing", Behaviour::Body(vec![]), NOT_TO_BE_TOLD, "invalid"),
        ("cut off", Behaviour::Raw(cut), NOT_TO_BE_TOLD, "connection"),
        ("not HTTP", Behaviour::Raw(b"220 ftp ready\r\n".to_vec()), NOT_TO_BE_TOLD, "connection"),
        ("too slow", Behaviour::Slow(Duration::from_millis(1_500), list(&[])), NOT_TO_BE_TOLD, "timeout"),
        ("silent", Behaviour::Silent, NOT_TO_BE_TOLD, "timeout"),
        ("closed", Behaviour::Closed, NOT_TO_BE_TOLD, "connection"),
        ("an error", Behaviour::Status(500), NOT_TO_BE_TOLD, "http_status"),
        ("not there", Behaviour::Status(404), NOT_TO_BE_TOLD, "http_status"),
        ("no content", Behaviour::Status(204), NOT_TO_BE_TOLD, "http_status"),
        ("packed", Behaviour::Raw(packed), NOT_TO_BE_TOLD, "encoded"),
        ("redirect to another host", Behaviour::Redirect(302, other.url("/x")), NOT_TO_BE_TOLD, "refused_redirect"),
        ("redirect to a private address", Behaviour::Redirect(307, to_private), NOT_TO_BE_TOLD, "refused_redirect"),
        ("redirect to a file", Behaviour::Redirect(301, "file:///etc/passwd".into()), NOT_TO_BE_TOLD, "refused_redirect"),
        ("redirect without end", Behaviour::Redirect(302, "/redirect_without_end".into()), NOT_TO_BE_TOLD, "refused_redirect"),
    ];
    for (what, behaviour, wanted, counted) in cases {
        let path = format!("/{}", what.replace([' ', ','], "_"));
        server.set(&path, behaviour);
        // A program of its own: a list speaks for every certificate of its issuer.
        let bank = opened_for(&server);
        let client = naming("client", 1000, Some(&server.url(&path)), None);
        assert_row(&bank, what, &client, wanted);
        assert!(fetches(&bank, "crl", counted) >= 1, "{what}: not counted as {counted}: {}", bank.vestibule.diagnostics());
    }
    assert_eq!(other.hits(), 0, "another host was asked");
}

#[test]
fn a_list_that_names_the_client() {
    let server = RevocationServer::start();
    server.set("/list.crl", Behaviour::Body(list(&[1000])));
    let bank = opened_for(&server);
    assert_row(&bank, "revoked", &naming("client", 1000, Some(&server.url("/list.crl")), None), BAD);
    assert_row(&bank, "another one", &naming("client", 1001, Some(&server.url("/list.crl")), None), GOOD);
    assert_eq!(server.hits(), 1);
}

#[test]
fn dead_servers() {
    let server = RevocationServer::start();
    let (host, url) = (server.host(), server.url("/list.crl"));
    drop(server);
    let bank = opened(&format!("ocsp = \"leaf\"\nrevocation_hosts = [\"{host}\"]\nallow_private_addresses = true"));
    assert_row(&bank, "dead list server", &naming("client", 1000, Some(&url), None), NOT_TO_BE_TOLD);
    assert_row(&bank, "dead responder", &naming("client", 1001, None, Some(&url)), NOT_TO_BE_TOLD);
    assert_row(&bank, "names nothing", &naming("client", 1002, None, None), NOT_TO_BE_TOLD);
    assert!(fetches(&bank, "crl", "connection") >= 1 && fetches(&bank, "ocsp", "connection") >= 1);
}

#[test]
fn the_real_responder() {
    let issuing = &authorities().issuing;
    let (good, bad, other) = (person(2001), person(2002), person(2003));
    for (what, signer) in [("the CA itself", None), ("a delegate", Some(delegate(authorities(), true)))] {
        let (certificate, key) =
            signer.as_ref().map_or((&issuing.certificate, &issuing.key), |one| (&one.certificate, &one.key));
        let responder =
            OpensslResponder::start(&issuing.certificate, certificate, key, &[&good.certificate], &[&bad.certificate]);
        for nonce in ["off", "prefer", "require"] {
            let lines = format!("ocsp = \"leaf\"\nocsp_nonce = \"{nonce}\"\nocsp_responder = \"{}\"", responder.url());
            let bank = opened(&lines);
            assert_row(&bank, &format!("good, {what}, {nonce}"), &good, GOOD);
            assert_row(&bank, &format!("revoked, {what}, {nonce}"), &bad, BAD);
            assert_row(&bank, &format!("unknown, {what}, {nonce}"), &other, NOT_TO_BE_TOLD);
            assert_eq!(fetches(&bank, "ocsp", "ok"), 3, "{what}, {nonce}: {}", bank.vestibule.diagnostics());
        }
        let named = format!("ocsp = \"leaf\"\nrevocation_hosts = [\"{}\"]\nallow_private_addresses = true", responder.host());
        let client = naming("client", 2001, None, Some(&responder.url()));
        assert_row(&opened(&named), &format!("named by the certificate, {what}"), &client, GOOD);
    }
    let stranger = &authorities().stranger;
    let wrong_purpose = delegate(authorities(), false);
    for (what, certificate, key) in [
        ("signed by another CA of the same name", &stranger.certificate, &stranger.key),
        ("signed by a certificate that is not for OCSP", &wrong_purpose.certificate, &wrong_purpose.key),
        ("signed by the client", &good.certificate, &good.key),
    ] {
        let responder = OpensslResponder::start(&issuing.certificate, certificate, key, &[&good.certificate], &[]);
        let bank = opened(&format!("ocsp = \"leaf\"\nocsp_responder = \"{}\"", responder.url()));
        assert_row(&bank, what, &good, NOT_TO_BE_TOLD);
        assert!(fetches(&bank, "ocsp", "invalid") >= 1, "{what}");
    }
}

fn person(serial: u32) -> Person {
    naming("client", serial, None, None)
}

#[test]
fn answers() {
    let server = RevocationServer::start();
    let issuing = &authorities().issuing;
    let (client, at) = (person(3000), UnixTime(now()));
    let written = || OcspWriter::good(&client.certificate, &issuing.certificate, at);
    let signed = |answer: OcspWriter| answer.sign(&issuing.key);
    let (past, hour) = (at.plus(-2 * DAY), 3_600);
    let other = person(3001);
    let of_other = OcspWriter::good(&other.certificate, &issuing.certificate, at);
    let try_later = vec![0x30, 3, 0x0A, 1, 3];
    let packed = b"HTTP/1.1 200 OK\r\ncontent-encoding: br\r\ncontent-length: 2\r\nconnection: close\r\n\r\nxx".to_vec();
    let cut = [b"HTTP/1.1 200 OK\r\ncontent-length: 9000\r\nconnection: close\r\n\r\n".to_vec(), signed(written())].concat();
    server.set("/target", Behaviour::Body(signed(written())));
    let cases: Vec<(&str, Behaviour, Row, &str)> = vec![
        ("good", Behaviour::Body(signed(written())), GOOD, "ok"),
        ("revoked", Behaviour::Body(signed(written().status(&revoked(past, Some(1))))), BAD, "ok"),
        ("unknown", Behaviour::Body(signed(written().status(UNKNOWN))), NOT_TO_BE_TOLD, "ok"),
        ("expired", Behaviour::Body(signed(written().dated(past, Some(at.plus(-DAY))))), NOT_TO_BE_TOLD, "invalid"),
        ("of tomorrow", Behaviour::Body(signed(written().dated(at.plus(DAY), None))), NOT_TO_BE_TOLD, "invalid"),
        ("young, without an end", Behaviour::Body(signed(written().dated(at.plus(-hour), None))), GOOD, "ok"),
        ("old, without an end", Behaviour::Body(signed(written().dated(past, None))), NOT_TO_BE_TOLD, "invalid"),
        ("of another certificate", Behaviour::Body(signed(of_other)), NOT_TO_BE_TOLD, "invalid"),
        ("wrong signer", Behaviour::Body(written().sign(&authorities().stranger.key)), NOT_TO_BE_TOLD, "invalid"),
        ("tryLater", Behaviour::Body(try_later), NOT_TO_BE_TOLD, "invalid"),
        ("garbage", Behaviour::Body(b"<html>".to_vec()), NOT_TO_BE_TOLD, "invalid"),
        (
            "revoked, slow",
            Behaviour::Slow(Duration::from_millis(150), signed(written().status(&revoked(past, None)))),
            BAD,
            "ok",
        ),
        ("huge", Behaviour::Endless, NOT_TO_BE_TOLD, "too_large"),
        ("too slow", Behaviour::Slow(Duration::from_millis(1_500), signed(written())), NOT_TO_BE_TOLD, "timeout"),
        ("nothing", Behaviour::Body(vec![]), NOT_TO_BE_TOLD, "invalid"),
        ("not HTTP", Behaviour::Raw(b"220 ftp ready\r\n".to_vec()), NOT_TO_BE_TOLD, "connection"),
        ("cut off", Behaviour::Raw(cut), NOT_TO_BE_TOLD, "connection"),
        ("good, in chunks", Behaviour::Chunked(signed(written())), GOOD, "ok"),
        ("redirect to the same host", Behaviour::Redirect(307, "/target".into()), GOOD, "ok"),
        (
            "redirect to a private address",
            Behaviour::Redirect(308, "http://10.0.0.1/".into()),
            NOT_TO_BE_TOLD,
            "refused_redirect",
        ),
        ("redirect to a file", Behaviour::Redirect(302, "file:///etc/passwd".into()), NOT_TO_BE_TOLD, "refused_redirect"),
        ("redirect without end", Behaviour::Redirect(307, "/again".into()), NOT_TO_BE_TOLD, "refused_redirect"),
        ("silent", Behaviour::Silent, NOT_TO_BE_TOLD, "timeout"),
        ("slow, but in time", Behaviour::Slow(Duration::from_millis(150), signed(written())), GOOD, "ok"),
        ("closed", Behaviour::Closed, NOT_TO_BE_TOLD, "connection"),
        ("an error", Behaviour::Status(503), NOT_TO_BE_TOLD, "http_status"),
        ("packed", Behaviour::Raw(packed), NOT_TO_BE_TOLD, "encoded"),
        ("redirect to another host", Behaviour::Redirect(302, "http://127.0.0.2/".into()), NOT_TO_BE_TOLD, "refused_redirect"),
    ];
    for (what, behaviour, wanted, counted) in cases {
        server.set_any(behaviour);
        let bank = opened(&format!("ocsp = \"leaf\"\nocsp_responder = \"{}\"", server.url("/")));
        assert_row(&bank, what, &client, wanted);
        assert!(fetches(&bank, "ocsp", counted) >= 1, "{what}: not counted as {counted}: {}", bank.vestibule.diagnostics());
    }
}

#[test]
fn a_list_stands_in_for_a_dead_responder() {
    let server = RevocationServer::start();
    server.set("/ocsp", Behaviour::Closed);
    server.set("/list.crl", Behaviour::Body(list(&[4001])));
    let lines = format!(
        "ocsp = \"leaf\"\nocsp_responder = \"{}\"\nrevocation_hosts = [\"{}\"]\nallow_private_addresses = true",
        server.url("/ocsp"),
        server.host()
    );
    let bank = opened(&lines);
    assert_row(&bank, "good by the list", &naming("client", 4000, Some(&server.url("/list.crl")), None), GOOD);
    assert_row(&bank, "revoked by the list", &naming("client", 4001, Some(&server.url("/list.crl")), None), BAD);
    server.set("/ocsp", Behaviour::Silent);
    let patient = "[revocation]\nhttp_timeout = \"15s\"\nfirst_wait = \"4s\"\n";
    let bank = open(&format!("crl = [\"crl/root.pem\"]\n{lines}"), patient);
    let client = naming("client", 4000, Some(&server.url("/list.crl")), None);
    assert_eq!(outcome(&bank, "/strict/", &client), PASSED, "a silent responder took all of the time");
}
