//! What each policy does with each kind of certificate, and what the upstream gets to know of it.

use crate::bank::{Bank, Person, REVOKED, Request, authorities, expired, good, leaf, now, person, person_of};
use crate::pki::{DAY, Dates, Leaf, self_signed};

fn expired_person() -> Person {
    person(&Leaf { dates: expired(), ..leaf("expired") })
}

fn forgery(leaf: &Leaf) -> Person {
    Person { certificate: authorities().issuing.forge(leaf), key: crate::pki::new_key() }
}

/// Everything that is wrong with exactly one thing, or with several.
fn people() -> Vec<(&'static str, Person)> {
    let revoked = |dates| person(&Leaf { serial: REVOKED, dates, ..leaf("revoked") });
    let expired_forgery = forgery(&Leaf { dates: expired(), ..leaf("victim") });
    let itself = self_signed(&leaf("itself"));
    vec![
        ("good", good()),
        ("expired", expired_person()),
        ("revoked", revoked(crate::bank::valid())),
        ("expired and revoked", revoked(expired())),
        ("forgery", forgery(&leaf("victim"))),
        ("expired forgery", expired_forgery),
        ("revoked forgery", forgery(&Leaf { serial: REVOKED, ..leaf("victim") })),
        ("stranger", person_of(&authorities().stranger, &leaf("stranger"))),
        ("expired stranger", person_of(&authorities().stranger, &Leaf { dates: expired(), ..leaf("stranger") })),
        ("self-signed", Person { certificate: itself, key: crate::pki::new_key() }),
        ("not yet valid", person(&Leaf { dates: Dates(now() + DAY, now() + 9 * DAY), ..leaf("early") })),
        ("server", person(&Leaf { client_auth: false, ..leaf("server") })),
        ("expired server", person(&Leaf { client_auth: false, dates: expired(), ..leaf("server") })),
    ]
}

/// A certificate; the routes where it passes, each with what the upstream is told; the code that refuses it elsewhere.
type Row = (&'static str, &'static [(&'static str, &'static str)], &'static str);

/// Who passes on which route, and as what; everybody else is refused with the code of the last column.
const EXPECTED: [Row; 13] = [
    (
        "good",
        &[
            ("/", "SUCCESS"),
            ("/public/", "SUCCESS"),
            ("/grace/", "SUCCESS"),
            ("/lenient/", "SUCCESS"),
            ("/forgiving/", "SUCCESS"),
            ("/strict/", "SUCCESS"),
        ],
        "",
    ),
    (
        "expired",
        &[("/grace/", "FAILED:certificate has expired"), ("/forgiving/", "FAILED:certificate has expired")],
        "certificate_expired",
    ),
    (
        "revoked",
        &[("/lenient/", "FAILED:certificate revoked"), ("/forgiving/", "FAILED:certificate revoked")],
        "certificate_revoked",
    ),
    ("expired and revoked", &[("/forgiving/", "FAILED:certificate revoked")], "certificate_revoked"),
    ("forgery", &[], "certificate_untrusted"),
    ("expired forgery", &[], "certificate_untrusted"),
    ("revoked forgery", &[], "certificate_untrusted"),
    ("stranger", &[], "certificate_untrusted"),
    ("expired stranger", &[], "certificate_untrusted"),
    ("self-signed", &[], "certificate_untrusted"),
    ("not yet valid", &[], "certificate_not_yet_valid"),
    ("server", &[], "certificate_purpose"),
    ("expired server", &[], "certificate_purpose"),
];

#[test]
fn each_certificate_on_each_route() {
    let bank = Bank::open();
    let people = people();
    for (name, passes, code) in EXPECTED {
        let (_, person) = people.iter().find(|(found, _)| *found == name).unwrap();
        for route in ["/", "/public/", "/grace/", "/lenient/", "/forgiving/", "/strict/"] {
            let answer = bank.vestibule.ask(Request::get(route).of(person).text());
            match passes.iter().find(|(passing, _)| *passing == route) {
                None => assert_eq!(bank.refused(&answer, 401), code, "{name} on {route}"),
                Some((_, verify)) => {
                    assert_eq!(answer.status, 200, "{name} on {route}: {}", bank.vestibule.code(&answer));
                    let received = bank.upstream.take_one();
                    assert_eq!(received.header("ssl-client-verify"), *verify, "{name} on {route}");
                    assert_eq!(received.header("x-client-cn"), if *verify == "SUCCESS" { name } else { "" });
                }
            }
        }
    }
    bank.assert_still_serves();
}

#[test]
fn a_waiver_is_written_down() {
    let bank = Bank::open();
    let answer = bank.vestibule.ask(Request::get("/grace/").of(&expired_person()).text());
    let line = bank.vestibule.access_line(&answer);
    assert_eq!((&line["decision"], &line["cert.waived"]), (&"permit".into(), &serde_json::json!(["expired"])), "{line}");
    assert_eq!(line["cert.verify"], "FAILED:certificate has expired");
    let answer = bank.vestibule.ask(Request::get("/grace/").of(&good()).text());
    assert_eq!(bank.vestibule.access_line(&answer)["cert.waived"], serde_json::Value::Null);
}

#[test]
fn everybody_passes_permissive_routes_but_nobody_false_as_somebody() {
    let bank = Bank::open();
    for (name, person) in people() {
        let answer = bank.vestibule.ask(Request::get("/permissive/").of(&person).text());
        assert_eq!(answer.status, 200, "{name}");
        let received = bank.upstream.take_one();
        let verify = received.header("ssl-client-verify");
        assert_eq!(verify == "SUCCESS", name == "good", "{name}: {verify}");
        assert!(verify == "SUCCESS" || verify.starts_with("FAILED:"), "{name}: {verify}");
        assert_eq!(received.header("x-client-cn"), if name == "good" { "good" } else { "" }, "{name}");
    }
    let answer = bank.vestibule.ask(Request::get("/permissive/").of_nobody().text());
    assert_eq!((answer.status, bank.upstream.take_one().header("ssl-client-verify")), (200, "NONE"));
}

#[test]
fn nobody_passes_where_the_route_lets_nobody_in_only() {
    let bank = Bank::open();
    for (route, passes) in [("/", false), ("/public/", true), ("/grace/", false), ("/forgiving/", false), ("/off/", true)] {
        for request in [Request::get(route).of_nobody(), Request::get(route)] {
            let answer = bank.vestibule.ask(request.text());
            if passes {
                assert_eq!(answer.status, 200, "{route}");
                let received = bank.upstream.take_one();
                assert_eq!(received.header("ssl-client-verify"), "NONE", "{route}");
                assert_eq!((received.header("ssl-client-s-dn"), received.header("ssl-client-serial")), ("", ""), "{route}");
            } else {
                assert_eq!(bank.refused(&answer, 401), "certificate_required", "{route}");
            }
        }
    }
}

#[test]
fn a_route_that_looks_at_no_certificate_says_nothing_of_one() {
    let bank = Bank::open();
    for request in [Request::get("/off/").of(&good()), Request::get("/off/").carrying("garbage%")] {
        assert_eq!(bank.vestibule.ask(request.text()).status, 200);
        let received = bank.upstream.take_one();
        assert_eq!(received.header("ssl-client-verify"), "NONE");
        for name in ["ssl-client-s-dn", "ssl-client-fingerprint-sha256", "x-client-cn", "client-certificate", "cname-api-key"] {
            assert_eq!(received.header(name), "", "{name}");
        }
    }
}

#[test]
fn rules_deny() {
    let bank = Bank::open();
    let contractor = person(&leaf("contractor-7"));
    let answer = bank.vestibule.ask(Request::get("/payments/1").of(&contractor).text());
    assert_eq!(bank.refused(&answer, 403), "denied_by_rule");
    assert_eq!(bank.vestibule.ask(Request::get("/").of(&contractor).text()).status, 200);
    assert_eq!(bank.vestibule.ask(Request::get("/payments/1").of(&good()).text()).status, 200);
}
