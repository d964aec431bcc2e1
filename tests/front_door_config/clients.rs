//! The demo's table through each product: who passes where, and who is refused why.

use openssl::ssl::SslVersion;

use crate::bank::{DOMAIN, Person, REVOKED, Tenant, authorities, expired, good, leaf, now, person, person_of};
use crate::pki::{Ca, DAY, Dates, Leaf, new_key};
use crate::product::{FrontDoor, RUNNING};
use crate::tls::Hello;

const EXPIRED: &str = "FAILED:certificate has expired";

/// What the upstream is told of a client on a path, or which code refuses it.
type End = (&'static str, Result<&'static str, &'static str>);

struct Case {
    name: &'static str,
    person: Option<Person>,
    ends: &'static [End],
    /// Apache ends its handshake.
    apache_refuses: bool,
}

fn cases() -> Vec<Case> {
    let issuing = &authorities().issuing;
    let key = new_key();
    let forged = Leaf { dates: expired(), ..leaf("victim") };
    let imitation = Ca { certificate: issuing.certificate.clone(), key: new_key() };
    let expired_forgery = Person { certificate: imitation.issue_for(&forged, &key), key };
    let own = Ca::self_signed("itself", new_key(), crate::bank::valid());
    let itself = Person { certificate: own.certificate, key: own.key };
    let of = |name, person, ends| Case { name, person: Some(person), ends, apache_refuses: false };
    let gone = |name, person, ends| Case { name, person: Some(person), ends, apache_refuses: true };
    vec![
        of("good", good(), &[("/", Ok("SUCCESS")), ("/public/", Ok("SUCCESS"))]),
        Case {
            name: "none",
            person: None,
            ends: &[("/", Err("certificate_required")), ("/public/", Ok("NONE"))],
            apache_refuses: false,
        },
        gone(
            "expired",
            person(&Leaf { dates: expired(), ..leaf("expired") }),
            &[("/", Err("certificate_expired")), ("/grace/", Ok(EXPIRED))],
        ),
        gone("expired forgery", expired_forgery, &[("/grace/", Err("certificate_untrusted"))]),
        of(
            "revoked",
            person(&Leaf { serial: REVOKED, ..leaf("revoked") }),
            &[("/", Err("certificate_revoked")), ("/lenient/", Ok("FAILED:certificate revoked"))],
        ),
        of("wrong CA", person_of(&authorities().stranger, &leaf("stranger")), &[("/", Err("certificate_untrusted"))]),
        // A CA's certificate: for Apache of another purpose.
        gone("self-signed", itself, &[("/", Err("certificate_untrusted")), ("/public/", Err("certificate_untrusted"))]),
        gone(
            "not yet valid",
            person(&Leaf { dates: Dates(now() + DAY, now() + 9 * DAY), ..leaf("early") }),
            &[("/", Err("certificate_not_yet_valid"))],
        ),
        gone("server", person(&Leaf { client_auth: false, ..leaf("server") }), &[("/", Err("certificate_purpose"))]),
    ]
}

/// A request as a browser sends it.
pub(crate) fn get(host: &str, target: &str, lines: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nhost: {host}\r\n{lines}\r\n")
}

fn every_kind_of_client_through(kind: &'static str) {
    let door = FrontDoor::open(kind);
    for case in cases() {
        for (target, end) in case.ends {
            for version in [SslVersion::TLS1_2, SslVersion::TLS1_3] {
                let what = format!("{} on {target} through {kind}", case.name);
                let answer = door.ask(&Hello { version, ..Hello::of(case.person.as_ref()) }, get(DOMAIN, target, ""));
                if kind == "apache" && case.apache_refuses {
                    assert_eq!((answer.status, door.bank.upstream.take().len()), (0, 0), "{what}: {answer:?}");
                    continue;
                }
                assert_ne!(answer.status, 0, "{what}: {}", door.said());
                assert_eq!(answer.header("strict-transport-security"), Some("max-age=63072000"), "{what}");
                match end {
                    Err(code) => assert_eq!(door.bank.refused(&answer, 401), *code, "{what}"),
                    Ok(verify) => {
                        assert_eq!(answer.status, 200, "{what}: {}", door.bank.vestibule.code(&answer));
                        let received = door.bank.upstream.take_one();
                        assert_eq!(received.header("ssl-client-verify"), *verify, "{what}");
                        assert_eq!(received.header("x-forwarded-for"), "127.0.0.1", "{what}");
                        assert!(!format!("{received:?}").contains("CERTIFICATE"), "{what}: {received:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn every_kind_of_client_through_nginx() {
    every_kind_of_client_through("nginx");
}

#[test]
fn every_kind_of_client_through_haproxy() {
    every_kind_of_client_through("haproxy");
}

#[test]
fn every_kind_of_client_through_apache() {
    every_kind_of_client_through("apache");
}

#[test]
fn every_kind_of_client_through_caddy() {
    every_kind_of_client_through("caddy");
}

#[test]
fn with_aliases_alone_the_domains_own_name_asks_nobody() {
    let alias = format!("mtls.{DOMAIN}");
    for kind in RUNNING {
        let door = FrontDoor::with(kind, &Tenant::default(), &["--ask", "aliases"]);
        for version in [SslVersion::TLS1_2, SslVersion::TLS1_3] {
            let person = good();
            let own = Hello { version, ..Hello::of(Some(&person)) };
            let answer = door.ask(&own, get(DOMAIN, "/", ""));
            assert_eq!(door.bank.refused(&answer, 401), "certificate_required", "{kind}");
            let answer = door.ask(&own, get(DOMAIN, "/public/", ""));
            assert_eq!((answer.status, door.bank.upstream.take_one().header("ssl-client-verify")), (200, "NONE"), "{kind}");
            let answer = door.ask(&Hello { name: &alias, ..own }, get(&alias, "/", ""));
            assert_eq!(answer.status, 200, "{kind}: {}", door.bank.vestibule.code(&answer));
            assert_eq!(door.bank.upstream.take_one().header("ssl-client-verify"), "SUCCESS", "{kind}");
            // The name of the session is the name of the request: else the alias would be asked for with nobody's certificate.
            let crossed = door.ask(&own, get(&alias, "/", ""));
            assert!(matches!(crossed.status, 400..=499), "{kind}: {crossed:?}");
            assert_eq!(door.bank.upstream.take().len(), 0, "{kind}");
        }
    }
}

#[test]
fn large_certificates_arrive_whole_and_too_large_ones_are_refused() {
    let names = |count: usize| (0..count).map(|at| format!("a-rather-long-host-name-{at:04}.partner.example")).collect();
    let large = person(&Leaf { dns: names(120), ..leaf("good") });
    let too_large = person(&Leaf { dns: names(600), ..leaf("good") });
    for kind in RUNNING {
        let door = FrontDoor::open(kind);
        let answer = door.ask(&Hello::of(Some(&large)), get(DOMAIN, "/", ""));
        assert_eq!(answer.status, 200, "{kind}: {answer:?} {}", door.said());
        assert_eq!(door.bank.upstream.take_one().header("ssl-client-verify"), "SUCCESS", "{kind}");
        // Over certificate_header_max. Never taken for no certificate.
        let answer = door.ask(&Hello::of(Some(&too_large)), get(DOMAIN, "/public/", ""));
        assert!(answer.status >= 400, "{kind}: {answer:?}");
        assert_eq!(door.bank.upstream.take().len(), 0, "{kind}");
    }
}
