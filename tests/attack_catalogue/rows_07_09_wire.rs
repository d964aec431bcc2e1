//! Where a request ends, and for whom it is: framing, HTTP/2, Host.

use crate::attempt::{assert_log, assert_nobody_else, assert_refused, get, intruder, judge, raw, still_serves, victim};
use crate::bank::{Bank, DOMAIN, KEY, Request, escaped};
use crate::http2::{self, End};
use crate::product::{FrontDoor, RUNNING};
use crate::tls::{Hello, connect};

/// Lines that make two servers disagree about the end of a request, and what is sent after its head.
const FRAMINGS: [(&str, &str); 11] = [
    ("content-length: 4\r\ntransfer-encoding: chunked", "0\r\n\r\n"),
    ("transfer-encoding: chunked\r\ncontent-length: 4", "0\r\n\r\n"),
    ("content-length: 0\r\ncontent-length: 5", ""),
    ("content-length: 5, 0", ""),
    ("content-length: +0", ""),
    ("transfer-encoding: xchunked", "0\r\n\r\n"),
    ("transfer-encoding : chunked", "0\r\n\r\n"),
    ("transfer-encoding: chunked\r\ntransfer-encoding: identity", "0\r\n\r\n"),
    ("x: y\r\n transfer-encoding: chunked", "0\r\n\r\n"),
    (": empty\r\ncontent-length: 0", ""),
    ("transfer-encoding:\x0bchunked", "0\r\n\r\n"),
];

#[test]
fn row_07_a_request_hidden_in_another() {
    let certificate = escaped(&victim().certificate);
    // A front door may see two requests; then the second one is the same client's.
    let hidden = |key: &str| {
        format!(
            "GET /public/smuggled HTTP/1.1\r\nhost: {DOMAIN}\r\n{key}x-forwarded-for: 192.0.2.1\r\nclient-certificate: {certificate}\r\n\
             client-certificate-ca-verified: SUCCESS\r\n\r\n"
        )
    };
    let own = intruder();
    for kind in RUNNING {
        let door = FrontDoor::open(kind);
        for (framing, end) in FRAMINGS {
            for person in [None, Some(&own)] {
                let who = format!("x-who: {}\r\n", if person.is_some() { "own" } else { "nobody" });
                let head = format!("POST /public/ HTTP/1.1\r\nhost: {DOMAIN}\r\n{who}{framing}\r\n\r\n");
                let answer = door.ask(&Hello::of(person), format!("{head}{end}{}", hidden(&who)));
                assert!(answer.status == 0 || answer.status == 200 || (400..=501).contains(&answer.status), "{kind} {framing}");
                for received in door.bank.upstream.take() {
                    assert_nobody_else(&received, received.header("x-who") == "own", &format!("{kind}: {framing}"));
                }
            }
        }
        still_serves(&door, &own);
        assert_log(&door.bank, &[&own]);
    }
    // A front door that passes such framing on, its key before it: one request or none, and never the hidden one.
    let bank = Bank::open();
    let head = String::from_utf8(Request::new("POST", "/public/").of_nobody().text()).unwrap();
    let head = head.strip_suffix("\r\n").unwrap();
    for (framing, end) in FRAMINGS {
        let key = format!("cname-api-key: {KEY}\r\n");
        let answer = raw(&bank, format!("{head}{framing}\r\n\r\n{end}{}", hidden(&key)));
        assert!((400..=501).contains(&answer.status), "{framing}: {answer:?}");
        assert_eq!(bank.upstream.take().len(), 0, "{framing}");
        assert!(!bank.vestibule.access_text().contains("smuggled"), "{framing}");
    }
    bank.assert_still_serves();
}

#[test]
fn row_08_http2_lines_that_http1_cannot_hold() {
    let certificate = escaped(&victim().certificate);
    let forged = format!("a\r\nclient-certificate: {certificate}\r\nclient-certificate-ca-verified: SUCCESS");
    let own = intruder();
    for kind in RUNNING {
        let door = FrontDoor::open(kind);
        let plain = http2::ask(door.https, Some(&own), "/", &[("x-plain", "1")], &[]);
        if plain == End::NotSpoken {
            // The printed configuration of nginx leaves HTTP/2 off.
            assert_eq!(kind, "nginx");
            continue;
        }
        assert_eq!(plain, End::Answered, "{kind}");
        assert_nobody_else(&door.bank.upstream.take_one(), true, kind);
        let mut passed = 0;
        for (name, value) in [
            ("x-other", forged.as_str()),
            ("x-other", "a\nssl-client-verify: SUCCESS"),
            ("x-other", "a\0b"),
            ("x-other\r\nclient-certificate", certificate.as_str()),
            ("x-other: a\r\nclient-certificate", certificate.as_str()),
            ("client-certificate ", certificate.as_str()),
            ("Client-Certificate", certificate.as_str()),
            ("client-certificate", certificate.as_str()),
            ("client_certificate", certificate.as_str()),
            ("connection", "client-certificate-ca-verified"),
            ("transfer-encoding", "chunked"),
            ("content-length", "5"),
            (":authority", "other.example"),
            (":path", "/"),
            ("host", "other.example"),
            (":x-client-cn", "victim"),
            ("", "victim"),
        ] {
            for person in [None, Some(&own)] {
                let what = format!("{kind}: {name:?}: {}", value.chars().take(40).collect::<String>());
                http2::ask(door.https, person, "/public/", &[(name, value)], &[]);
                for received in door.bank.upstream.take() {
                    assert_nobody_else(&received, person.is_some(), &what);
                    assert!(!format!("{received:?}").contains("other.example"), "{what}: {received:?}");
                    passed += 1;
                }
            }
        }
        assert!(passed < 20, "{kind} passes nearly everything on: does it speak HTTP/2 at all?");
        still_serves(&door, &own);
        assert_log(&door.bank, &[&own]);
    }
    // Vestibule itself speaks HTTP/1.1 alone.
    let bank = Bank::open();
    let answer = raw(&bank, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0");
    assert!(matches!(answer.status, 0 | 400..=505), "{answer:?}");
    assert_eq!(bank.upstream.take().len(), 0);
}

#[test]
fn row_09_two_hosts_or_another_one() {
    let own = intruder();
    for kind in RUNNING {
        let door = FrontDoor::open(kind);
        for host in [
            format!("host: {DOMAIN}\r\nhost: other.example"),
            format!("host: other.example\r\nhost: {DOMAIN}"),
            format!("host: {DOMAIN},other.example"),
            format!("host: {DOMAIN}, {DOMAIN}"),
            format!("host: {DOMAIN}@other.example"),
            "host: other.example".to_owned(),
            format!("host: mtls.{DOMAIN}"),
            format!("host: {DOMAIN}\r\nx-forwarded-host: other.example\r\nforwarded: host=other.example"),
        ] {
            for target in ["/public/".to_owned(), "http://other.example/public/".to_owned()] {
                let answer = door.ask(&Hello::of(Some(&own)), format!("GET {target} HTTP/1.1\r\n{host}\r\n\r\n"));
                judge(&door, &answer, true, &format!("{kind}: {host}, {target}"));
            }
        }
        for line in door.bank.vestibule.access_lines() {
            let domain = line["forward.domain"].as_str();
            assert!(domain.is_none_or(|domain| domain == DOMAIN), "{kind}: {line}");
        }
        // Two names of one domain: where that passes, it passes as what it is.
        let answer = door.ask(&Hello { name: &format!("mtls.{DOMAIN}"), ..Hello::of(Some(&own)) }, get("/", ""));
        judge(&door, &answer, true, kind);
        assert!(connect(door.https, &Hello { name: "other.example", ..Hello::of(Some(&own)) }).is_none(), "{kind}");
        still_serves(&door, &own);
    }
    let bank = Bank::open();
    for host in [format!("{DOMAIN},{DOMAIN}"), format!("{DOMAIN}, other.example"), format!("{DOMAIN}\u{a0}"), String::new()] {
        let answer = raw(&bank, Request::get("/").of(&own).instead("Host", &host).text());
        assert_refused(&bank, &answer, &["unknown_domain", "request_malformed"], &host);
    }
    let answer = raw(&bank, Request::get("/").of(&own).with("Host", DOMAIN).text());
    assert_eq!((answer.status, bank.upstream.take().len()), (400, 0));
}
