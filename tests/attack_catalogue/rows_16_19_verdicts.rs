//! What the front door found, or says that it found: it never makes a certificate good.

use crate::attempt::{assert_log, assert_nobody_else, bank, get, intruder, judge, raw, still_serves};
use crate::bank::{Bank, DOMAIN, Person, REVOKED, Request, Tenant, authorities, expired, leaf, person, person_of, valid};
use crate::pki::{Ca, Leaf, new_key};
use crate::product::{FrontDoor, RUNNING};
use crate::s_client::Connection;
use crate::tls::Hello;

/// Clients that only a front door in an unverified mode lets in, and what refuses them.
fn unverified() -> Vec<(&'static str, Person, &'static str)> {
    let itself = Ca::self_signed("victim", new_key(), valid());
    let imitation = Ca { certificate: authorities().issuing.certificate.clone(), key: new_key() };
    let key = new_key();
    let forged = Person { certificate: imitation.issue_for(&leaf("victim"), &key), key };
    vec![
        ("of a CA of the same name", person_of(&authorities().stranger, &leaf("victim")), "certificate_untrusted"),
        ("self-signed", Person { certificate: itself.certificate, key: itself.key }, "certificate_untrusted"),
        ("forged", forged, "certificate_untrusted"),
        ("expired", person(&Leaf { dates: expired(), ..leaf("victim") }), "certificate_expired"),
        ("revoked", person(&Leaf { serial: REVOKED, ..leaf("victim") }), "certificate_revoked"),
        ("a server's", person(&Leaf { client_auth: false, ..leaf("victim") }), "certificate_purpose"),
    ]
}

#[test]
fn row_16_modes_that_verify_nothing() {
    for kind in RUNNING {
        let door = FrontDoor::open(kind);
        for (what, person, code) in unverified() {
            for path in ["/", "/public/"] {
                let answer = door.ask(&Hello::of(Some(&person)), get(path, ""));
                assert_eq!(door.bank.upstream.take().len(), 0, "{what} through {kind}");
                // Apache ends some handshakes by itself.
                assert!(answer.status == 401 || (kind == "apache" && answer.status == 0), "{what} through {kind}: {answer:?}");
                if answer.status != 0 {
                    assert_eq!(door.bank.vestibule.code(&answer), code, "{what} through {kind}");
                }
            }
        }
        still_serves(&door, &intruder());
    }
}

#[test]
fn row_17_a_verdict_that_changes_when_a_session_is_resumed() {
    // What is judged is the certificate, whatever the front door says of it now.
    let bank = Bank::open();
    for (what, person, code) in unverified() {
        for verdict in ["FAILED:unable to verify the first certificate", "SUCCESS", "FAILED:certificate has expired", "SUCCESS"]
        {
            let request = Request::get("/").of(&person).instead("client-certificate-ca-verified", verdict);
            assert_eq!(bank.refused(&raw(&bank, request.text()), 401), code, "{what}: {verdict}");
        }
    }
    let mut resumed = 0;
    for kind in RUNNING {
        let door = FrontDoor::open(kind);
        for (what, person, _) in unverified() {
            for version in ["-tls1_2", "-tls1_3"] {
                let folder = tempfile::tempdir().unwrap();
                let connection = Connection { port: door.https, name: DOMAIN, version, person: Some(&person) };
                let first = connection.get(folder.path(), false);
                assert!(matches!(first.status, 0 | 401), "{what} through {kind} {version}: {first:?}");
                if first.status == 401 && folder.path().join("session").exists() {
                    let second = connection.get(folder.path(), true);
                    assert!(matches!(second.status, 0 | 401), "{what} through {kind} {version}: {second:?}");
                    resumed += usize::from(second.reused);
                }
                assert_eq!(door.bank.upstream.take().len(), 0, "{what} through {kind} {version}");
            }
        }
    }
    assert!(resumed > 0, "no front door resumed a session, so nothing was shown");
}

#[test]
fn row_18_a_session_resumed_under_another_name() {
    let (alias, own) = (format!("mtls.{DOMAIN}"), intruder());
    for kind in RUNNING {
        // Only the alias asks for certificates: a session that was made there brings one along.
        let door = FrontDoor::with(kind, &Tenant::default(), &["--ask", "aliases"]);
        for version in ["-tls1_2", "-tls1_3"] {
            let folder = tempfile::tempdir().unwrap();
            let there = Connection { port: door.https, name: &alias, version, person: Some(&own) };
            assert_eq!(there.get(folder.path(), false).status, 200, "{kind} {version}: {}", door.said());
            assert_nobody_else(&door.bank.upstream.take_one(), true, kind);
            if !folder.path().join("session").exists() {
                continue;
            }
            let here = Connection { name: DOMAIN, person: None, ..there };
            let stolen = here.get(folder.path(), true);
            assert!(matches!(stolen.status, 0 | 200 | 400..=499), "{kind} {version}: {stolen:?}");
            for received in door.bank.upstream.take() {
                assert_nobody_else(&received, false, &format!("{kind} {version}"));
            }
        }
        assert_log(&door.bank, &[&own]);
    }
    // A front door that says which name the handshake was for is held to it.
    let bank = bank("require_sni = true\n[front_doors.headers]\nssl_server_name = \"ssl-server-name\"");
    for name in [alias.as_str(), "other.example", ""] {
        let answer = raw(&bank, Request::get("/public/").of(&own).with("ssl-server-name", name).text());
        assert_eq!(bank.refused(&answer, 421), "sni_mismatch", "{name}");
    }
}

#[test]
fn row_19_a_front_door_that_fails_open() {
    // It could not read its CA file, or its OCSP check went wrong: it trusts everybody and says so.
    let bank = Bank::open();
    for path in ["/", "/public/"] {
        for (what, person, code) in unverified() {
            let request = Request::get(path).of(&person).instead("client-certificate-ca-verified", "SUCCESS");
            assert_eq!(bank.refused(&raw(&bank, request.text()), 401), code, "{what}");
        }
    }
    let strict = Tenant { door_lines: "forwarded_verdict = \"require\"\n".to_owned(), ..Tenant::default() };
    let strict = Bank::with(&strict);
    for (what, person, code) in unverified() {
        let request = Request::get("/").of(&person).instead("client-certificate-ca-verified", "SUCCESS");
        assert_eq!(strict.refused(&raw(&strict, request.text()), 401), code, "{what}");
    }
    // The front doors' own configuration knows no revocation: it is found all the same.
    for kind in RUNNING {
        let door = FrontDoor::open(kind);
        let revoked = person(&Leaf { serial: REVOKED, ..leaf("victim") });
        let answer = door.ask(&Hello::of(Some(&revoked)), get("/public/", ""));
        assert_eq!(door.bank.refused(&answer, 401), "certificate_revoked", "{kind}");
        judge(&door, &door.ask(&Hello::of(None), get("/public/", "")), false, kind);
    }
}
