//! Real TLS clients, a real nginx with the configuration of this repository, Vestibule, an upstream.

use crate::bank::{Person, REVOKED, Tenant, authorities, escaped, expired, good, leaf, now, person, person_of};
use crate::front_door::{FrontDoor, get};
use crate::pki::{DAY, Dates, Leaf, new_key};
use crate::recording_upstream::RecordingUpstream;

const EXPIRED: &str = "FAILED:certificate has expired";

/// A client, where it goes, and what the upstream is told of it or which code refuses it.
struct Case {
    name: &'static str,
    person: Option<Person>,
    ends: &'static [(&'static str, Result<&'static str, &'static str>)],
}

fn cases() -> Vec<Case> {
    let key = new_key();
    let issuing = &authorities().issuing;
    let forged = Leaf { dates: expired(), ..leaf("victim") };
    // The issuer's name and key identifier, another key's signature; the client holds the key of its own certificate.
    let imitation = crate::pki::Ca { certificate: issuing.certificate.clone(), key: new_key() };
    let own = self_signed_person();
    let case = |name, person, ends| Case { name, person: Some(person), ends };
    vec![
        case("good", good(), &[("/", Ok("SUCCESS")), ("/public/", Ok("SUCCESS")), ("/permissive/", Ok("SUCCESS"))]),
        Case {
            name: "none",
            person: None,
            ends: &[("/", Err("certificate_required")), ("/public/", Ok("NONE")), ("/permissive/", Ok("NONE"))],
        },
        case(
            "expired",
            person(&Leaf { dates: expired(), ..leaf("expired") }),
            &[
                ("/", Err("certificate_expired")),
                ("/public/", Err("certificate_expired")),
                ("/grace/", Ok(EXPIRED)),
                ("/permissive/", Ok(EXPIRED)),
            ],
        ),
        case(
            "expired forgery",
            Person { certificate: imitation.issue_for(&forged, &key), key },
            &[
                ("/", Err("certificate_untrusted")),
                ("/grace/", Err("certificate_untrusted")),
                ("/forgiving/", Err("certificate_untrusted")),
            ],
        ),
        case(
            "revoked",
            person(&Leaf { serial: REVOKED, ..leaf("revoked") }),
            &[
                ("/", Err("certificate_revoked")),
                ("/grace/", Err("certificate_revoked")),
                ("/lenient/", Ok("FAILED:certificate revoked")),
            ],
        ),
        case(
            "expired and revoked",
            person(&Leaf { serial: REVOKED, dates: expired(), ..leaf("both") }),
            &[
                ("/grace/", Err("certificate_revoked")),
                ("/lenient/", Err("certificate_revoked")),
                ("/forgiving/", Ok("FAILED:certificate revoked")),
            ],
        ),
        case(
            "wrong CA",
            person_of(&authorities().stranger, &leaf("stranger")),
            &[("/", Err("certificate_untrusted")), ("/forgiving/", Err("certificate_untrusted"))],
        ),
        case("self-signed", own, &[("/", Err("certificate_untrusted")), ("/public/", Err("certificate_untrusted"))]),
        case(
            "not yet valid",
            person(&Leaf { dates: Dates(now() + DAY, now() + 9 * DAY), ..leaf("early") }),
            &[("/", Err("certificate_not_yet_valid")), ("/forgiving/", Err("certificate_not_yet_valid"))],
        ),
        case(
            "server",
            person(&Leaf { client_auth: false, ..leaf("server") }),
            &[("/", Err("certificate_purpose")), ("/forgiving/", Err("certificate_purpose"))],
        ),
    ]
}

/// A certificate that is its own issuer, with its key: a CA that nobody knows.
fn self_signed_person() -> Person {
    let own = crate::pki::Ca::self_signed("itself", new_key(), crate::bank::valid());
    Person { certificate: own.certificate, key: own.key }
}

#[test]
fn every_kind_of_client() {
    let door = FrontDoor::open();
    for case in cases() {
        for (target, end) in case.ends {
            let answer = door.ask(case.person.as_ref(), get(target, ""));
            match end {
                Err(code) => assert_eq!(door.bank.refused(&answer, 401), *code, "{} on {target}", case.name),
                Ok(verify) => {
                    assert_eq!(answer.status, 200, "{} on {target}: {}", case.name, answer.text());
                    let received = door.bank.upstream.take_one();
                    assert_eq!(received.header("ssl-client-verify"), *verify, "{} on {target}", case.name);
                    assert_eq!(received.header("x-client-cn"), if *verify == "SUCCESS" { "good" } else { "" });
                    assert_eq!(received.header("x-forwarded-for"), "127.0.0.1");
                    for name in ["cname-api-key", "client-certificate", "client-certificate-ca-verified"] {
                        assert_eq!(received.header(name), "", "{name}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_front_door_that_asks_first() {
    let door = FrontDoor::open();
    let contractor = person(&leaf("contractor-1"));
    let late = person(&Leaf { dates: expired(), ..leaf("late") });
    for (person, target, status, code) in [
        (Some(&good()), "/?secret=1", 200, ""),
        (Some(&late), "/grace/", 200, ""),
        (None, "/public/", 200, ""),
        (None, "/", 401, "certificate_required"),
        (Some(&late), "/", 401, "certificate_expired"),
        (Some(&contractor), "/payments/1", 403, "denied_by_rule"),
        // A 400 of the one who was asked: nginx knows 401 and 403 only.
        (Some(&contractor), "/public/../payments/1", 500, "request_target_invalid"),
    ] {
        let answer = door.ask_asking(person, get(target, ""));
        assert_eq!(answer.status, status, "{target}: {answer:?}");
        assert_eq!(door.bank.vestibule.code(&answer), code, "{target}");
        let mut received = door.bank.upstream.take();
        if status == 200 {
            let received = received.remove(0);
            let verify = match person {
                None => "NONE",
                Some(person) if std::ptr::eq(person, &late) => EXPIRED,
                Some(_) => "SUCCESS",
            };
            assert_eq!((received.header("ssl-client-verify"), received.target.as_str()), (verify, target));
        } else {
            assert_eq!(received.len(), 0, "{target}");
            assert!(!answer.text().contains(code) && answer.header("ssl-client-verify").is_none(), "{answer:?}");
        }
    }
    // Clients cannot ask by themselves.
    let answer = door.ask_asking(Some(&good()), get("/-/authorize", ""));
    assert_eq!((answer.status, door.bank.upstream.take().len()), (404, 0), "{answer:?}");
}

/// What clients may try: every name that means something to Vestibule or to the upstream.
/// What an application believes of us is ours alone there too, with and without the tables that set it.
#[test]
fn an_application_behind_a_door_that_asks_believes_us_alone() {
    let forged = "X-Vestibule-Identity: forged\r\nX-Vestibule-User: forged\r\nX-Vestibule-Client-Id: forged\r\n\
                  X-Vestibule-Client-Auth-Method: forged\r\nX-Consumer-ID: forged\r\nX-Consumer-Groups: forged\r\n\
                  X-Authenticated-Groups: forged\r\nX-Client-Cert-Dn: forged\r\nX-Own: forged\r\n";
    let identity =
        "[identity.token]\nheader = \"X-Own\"\nissuer = \"https://edge\"\naudience = \"https://core\"\n[identity.user]\n";
    for tables in ["", identity] {
        let door = FrontDoor::with(&Tenant { tables: tables.to_owned(), ..Tenant::default() }, RecordingUpstream::start());
        for (person, target) in [(Some(good()), "/"), (None, "/public/")] {
            let answer = door.ask_asking(person.as_ref(), get(target, forged));
            assert_eq!(answer.status, 200, "{target} {}", answer.text());
            let received = door.bank.upstream.take_one();
            let ours = |name: &str| received.headers.iter().filter(|(own, _)| own.eq_ignore_ascii_case(name)).count();
            let set = usize::from(!tables.is_empty());
            let of_client = usize::from(tables.is_empty());
            assert_eq!(
                (ours("x-vestibule-user"), ours("x-own")),
                (set * usize::from(person.is_some()), 1),
                "{target} {tables}"
            );
            let believed: Vec<_> = received.headers.iter().filter(|(_, value)| value == "forged").collect();
            assert_eq!(believed.len(), of_client, "{target}: {believed:?}");
        }
    }
}

fn forged_lines() -> Vec<String> {
    let certificate = escaped(&person(&leaf("victim")).certificate);
    let mut lines = Vec::new();
    for name in ["client-certificate", "Client-Certificate", "client_certificate", "client.certificate"] {
        lines.push(format!("{name}: {certificate}\r\n"));
        lines.push(format!("{name}: {certificate}\r\n{name}: {certificate}\r\n"));
        lines.push(format!("{name}: {certificate}\r\nclient-certificate-ca-verified: SUCCESS\r\n"));
    }
    for name in [
        "cname-api-key",
        "cname_api_key",
        "client-certificate-ca-verified",
        "client_certificate_ca_verified",
        "ssl-client-verify",
        "ssl_client_verify",
        "ssl.client.verify",
        "ssl-client-s-dn",
        "ssl_client_s_dn",
        "ssl_client_s_dn_parsed",
        "ssl-client-serial",
        "ssl-client-fingerprint-sha256",
        "x-client-cn",
        "X_Client_CN",
    ] {
        lines.push(format!("{name}: SUCCESS\r\n"));
        lines.push(format!("{name}: CN=victim\r\n"));
    }
    lines
}

#[test]
fn nothing_that_a_client_writes_makes_it_somebody() {
    let door = FrontDoor::open();
    for lines in forged_lines() {
        let nobody = door.ask(None, get("/", &lines));
        assert!(matches!(nobody.status, 400 | 401), "{lines}: {nobody:?}");
        assert_eq!(door.bank.upstream.take().len(), 0, "{lines}");
        for (asking, person, verify, name) in
            [(false, None, "NONE", ""), (true, None, "NONE", ""), (false, Some(good()), "SUCCESS", "good")]
        {
            let ask = if asking { FrontDoor::ask_asking } else { FrontDoor::ask };
            let answer = ask(&door, person.as_ref(), get("/public/", &lines));
            for received in door.bank.upstream.take() {
                assert_eq!(answer.status, 200);
                assert_eq!(received.header("ssl-client-verify"), verify, "{lines} {received:?}");
                assert_eq!(received.header("x-client-cn"), name, "{lines} {received:?}");
                let text = format!("{received:?}");
                assert!(!text.contains("victim") && !text.contains("CERTIFICATE"), "{lines} {text}");
            }
        }
    }
}

#[test]
fn a_client_does_not_choose_which_request_is_asked_about() {
    let door = FrontDoor::open();
    for lines in ["x-original-uri: /public/\r\n", "x_original_uri: /public/\r\n", "x-original-method: OPTIONS\r\n"] {
        for ask in [FrontDoor::ask, FrontDoor::ask_asking] {
            let answer = ask(&door, None, get("/", lines));
            assert_eq!((answer.status, door.bank.upstream.take().len()), (401, 0), "{lines}");
            assert_eq!(door.bank.vestibule.access_line(&answer)["request.path"], "/", "{lines}");
        }
    }
}

#[test]
fn another_host_on_our_connection_is_answered_by_nginx() {
    let door = FrontDoor::open();
    let request = "GET / HTTP/1.1\r\nhost: other.example\r\n\r\n";
    let answer = door.ask(Some(&good()), request);
    assert_eq!((answer.status, door.bank.upstream.take().len()), (421, 0));
    assert!(door.bank.vestibule.access_lines().is_empty());
}

/// nginx is still sending when the answer comes. If the connection were reset, it would say 502 and take Vestibule for dead.
#[test]
fn a_refused_upload_gets_its_refusal_and_not_nginxs() {
    let door = FrontDoor::open();
    let body = vec![b'x'; 20 * 1024 * 1024];
    let head = get("/", &format!("content-length: {}\r\n", body.len())).replacen("GET", "POST", 1);
    for _ in 0..6 {
        let mut request = head.clone().into_bytes();
        request.extend_from_slice(&body);
        let answer = door.ask(None, request);
        assert_eq!(answer.status, 401, "{answer:?}");
        assert_eq!(door.bank.vestibule.code(&answer), "certificate_required");
    }
    assert_eq!(door.ask(Some(&good()), get("/", "")).status, 200);
}
