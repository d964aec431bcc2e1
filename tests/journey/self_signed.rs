//! Certificates that are registered by their thumbprint (RFC 8705 §2.2), apart from what CAs issue.

use std::fmt::Write as _;
use std::process::Command;

use openssl::pkey::PKey;
use openssl::rsa::Rsa;
use openssl::sha::sha256;
use openssl::x509::X509;

use crate::bank::{Bank, Person, REVOKED, Request, Tenant, authorities, expired, good, leaf, now, pem, person, person_of};
use crate::pki::{DAY, Dates, Leaf, new_key, self_signed_by};
use crate::recording_upstream::RecordingUpstream;
use crate::vestibule_program::Vestibule;

fn itself(leaf: &Leaf) -> Person {
    itself_with(leaf, new_key())
}

fn itself_with(leaf: &Leaf, key: PKey<openssl::pkey::Private>) -> Person {
    Person { certificate: self_signed_by(leaf, &key), key }
}

fn fingerprint(person: &Person) -> String {
    format!("\"sha256:{}\"", hex::encode(sha256(&person.certificate.to_der().unwrap())))
}

fn key_pin(person: &Person) -> String {
    format!("\"spki-sha256:{}\"", hex::encode(sha256(&person.key.public_key_to_der().unwrap())))
}

/// Tells the upstream what a certificate passed by.
const BASIS_RULE: &str = r#"
[[rules]]
name = "basis"
behaviors = [{ type = "add_request_header", value = "X-Basis: ${client_certificate_basis}" }]
"#;

/// Routes with a list, and further lines of their policies.
fn tenant(list: &[String]) -> Tenant {
    let mut tables = String::new();
    for (path, more) in [
        ("/pinned/", ""),
        ("/pinned/grace/", ", allow_expired_certificates = true, allow_revoked_certificates = true"),
        ("/pinned/permissive/", ", verification = \"permissive\""),
        ("/pinned/public/", ", allow_unauthenticated_requests = true"),
        ("/pinned/profiled/", ", require_profile = true"),
        ("/pinned/strong/", ", min_ec_bits = 384"),
        ("/pinned/strict/", ", revocation_check_mode = \"STRICT\""),
    ] {
        let list = list.join(", ");
        let _ = write!(
            tables,
            "[[routes]]\npath = \"{path}\"\nupstream = \"core\"\npolicy = {{ self_signed_certificates = [{list}]{more} }}\n"
        );
    }
    Tenant { tables: tables + BASIS_RULE, ..Tenant::default() }
}

/// A tenant without any CA for its clients: all its routes have the list.
fn without_ca(list: &[String]) -> Bank {
    let upstream = RecordingUpstream::start();
    let text = Tenant { tables: BASIS_RULE.into(), ..Tenant::default() }.text(&upstream.url());
    let policy = format!("self_signed_certificates = [{}]\n", list.join(", "));
    let mut files = crate::bank::files(&[]);
    files.push(("tenants/bank.toml".into(), text.replace("trusted_ca = \"clients\"\n", &policy)));
    Bank { vestibule: Vestibule::start(&files), upstream }
}

/// It passed, by its thumbprint, and nobody was told that a CA vouches for it.
#[track_caller]
fn passed(bank: &Bank, path: &str, person: &Person, verify: &str) {
    let answer = bank.vestibule.ask(Request::get(path).of(person).text());
    assert_eq!(answer.status, 200, "{path}: {}", bank.vestibule.access_line(&answer));
    let received = bank.upstream.take_one();
    assert_eq!(received.header("ssl-client-verify"), verify);
    assert_eq!(received.header("x-client-cn"), "", "a rule that asks for SUCCESS");
    assert_eq!(received.header("x-basis"), "thumbprint");
    let line = bank.vestibule.access_line(&answer);
    assert_eq!((&line["cert.basis"], &line["cert.verify"]), (&"thumbprint".into(), &verify.into()), "{line}");
}

#[track_caller]
fn refused(bank: &Bank, path: &str, person: &Person, code: &str) -> String {
    let answer = bank.vestibule.ask(Request::get(path).of(person).text());
    assert_eq!(bank.refused(&answer, 401), code, "{path}");
    let line = bank.vestibule.access_line(&answer);
    assert!(line.get("cert.basis").is_none(), "{line}");
    line["refusal.cause"].as_str().unwrap().to_owned()
}

const ITSELF: &str = "FAILED:self-signed certificate";

#[test]
fn the_registered_pass_and_nobody_else_does() {
    let (by_hash, by_key) = (itself(&leaf("hash")), itself(&leaf("key")));
    let renewed = itself_with(&leaf("renewed"), by_key.key.clone());
    let stranger = person_of(&authorities().stranger, &leaf("stranger"));
    let list = [fingerprint(&by_hash), key_pin(&by_key), fingerprint(&stranger)];
    let (with, without) = (Bank::with(&tenant(&list)), without_ca(&list));
    for (bank, path) in [(&with, "/pinned/"), (&with, "/pinned/strict/"), (&with, "/pinned/permissive/"), (&without, "/")] {
        passed(bank, path, &by_hash, ITSELF);
        passed(bank, path, &by_key, ITSELF);
        passed(bank, path, &renewed, ITSELF);
    }
    // The issuer means nothing.
    passed(&without, "/", &stranger, "FAILED:unable to verify the first certificate");
    // The same name, another key; and a certificate that a CA of another route would vouch for.
    let namesake = itself(&leaf("hash"));
    for (bank, path) in [(&with, "/pinned/"), (&without, "/"), (&without, "/public/"), (&without, "/grace/")] {
        let cause = refused(bank, path, &namesake, "certificate_untrusted");
        assert!(cause.starts_with("chain: self-signed certificate"), "{cause}");
    }
    refused(&without, "/", &good(), "certificate_untrusted");
    // On another route of the same tenant nobody registered it.
    refused(&with, "/", &by_hash, "certificate_untrusted");
    let answer = with.vestibule.ask(Request::get("/pinned/permissive/").of(&namesake).text());
    assert_eq!(answer.status, 200);
    let received = with.upstream.take_one();
    assert_eq!((received.header("ssl-client-verify"), received.header("x-basis")), (ITSELF, ""));
    assert!(with.vestibule.access_line(&answer).get("cert.basis").is_none());
    // Without any certificate nothing has changed.
    let answer = without.vestibule.ask(Request::get("/").of_nobody().text());
    assert_eq!(without.refused(&answer, 401), "certificate_required");
    assert_eq!(without.vestibule.ask(Request::get("/public/").of_nobody().text()).status, 200);
}

#[test]
fn what_still_holds() {
    let rsa = PKey::from_rsa(Rsa::generate(1024).unwrap()).unwrap();
    let people = [
        (itself(&Leaf { dates: expired(), ..leaf("expired") }), "certificate_expired", "error 10"),
        (itself(&Leaf { dates: Dates(now() + DAY, now() + 9 * DAY), ..leaf("early") }), "certificate_not_yet_valid", "error 9"),
        (itself_with(&leaf("weak"), rsa), "certificate_unacceptable", "RSA key of 1024 bits"),
        (
            itself(&Leaf { extra: vec![("1.2.3.4.5", true, vec![5, 0])], ..leaf("critical") }),
            "certificate_unacceptable",
            "critical extension that is not known (1.2.3.4.5)",
        ),
        (
            itself(&Leaf { extra: vec![("2.5.29.17", false, vec![0x30, 3, 0x82, 1, b' '])], ..leaf("names") }),
            "certificate_unacceptable",
            "error 50",
        ),
    ];
    let other = itself(&leaf("other"));
    let list: Vec<_> = people.iter().map(|(person, ..)| fingerprint(person)).chain([fingerprint(&other)]).collect();
    let bank = Bank::with(&tenant(&list));
    for (person, code, why) in &people {
        let cause = refused(&bank, "/pinned/", person, code);
        assert!(cause.starts_with("registered by sha256, but ") && cause.contains(why), "{cause}");
        // What may be waived is waived, and nothing else.
        if *code == "certificate_expired" {
            passed(&bank, "/pinned/grace/", person, ITSELF);
        } else {
            refused(&bank, "/pinned/grace/", person, code);
        }
        let answer = bank.vestibule.ask(Request::get("/pinned/permissive/").of(person).text());
        assert_eq!(answer.status, 200);
        bank.upstream.take();
        assert!(bank.vestibule.access_line(&answer).get("cert.basis").is_none());
    }
    let answer = bank.vestibule.ask(Request::get("/pinned/grace/").of(&people[0].0).text());
    assert_eq!(bank.vestibule.access_line(&answer)["cert.waived"], serde_json::json!(["expired"]));
    bank.upstream.take();
    assert!(refused(&bank, "/pinned/strong/", &other, "certificate_unacceptable").contains("at least 384 are asked for"));
    passed(&bank, "/pinned/public/", &other, ITSELF);
    assert!(refused(&bank, "/pinned/profiled/", &other, "certificate_profile").contains("one is required"));
}

#[test]
fn what_the_real_command_makes() {
    let folder = tempfile::tempdir().unwrap();
    let openssl = |arguments: &str| {
        let ran = Command::new("openssl").current_dir(&folder).args(arguments.split(' ')).output().unwrap();
        assert!(ran.status.success(), "{arguments}: {}", String::from_utf8_lossy(&ran.stderr));
    };
    openssl("req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out ca.pem -subj /CN=partner -days 30");
    openssl("req -new -key key.pem -out request.pem -subj /CN=partner");
    openssl("x509 -req -in request.pem -signkey key.pem -out v1.pem -days 30");
    let key = PKey::private_key_from_pem(&std::fs::read(folder.path().join("key.pem")).unwrap()).unwrap();
    let read = |name: &str| X509::from_pem(&std::fs::read(folder.path().join(name)).unwrap()).unwrap();
    let (ca, v1) = (read("ca.pem"), read("v1.pem"));
    assert!(ca.subject_key_id().is_some() && v1.version() == 0, "a CA, and version 1");
    let upstream = RecordingUpstream::start();
    let tenant = tenant(&["\"certs/partner.pem\"".into()]);
    let mut files = crate::bank::files(&[(tenant, upstream.url())]);
    files.push(("certs/partner.pem".into(), pem(&ca) + &pem(&v1)));
    let bank = Bank { vestibule: Vestibule::start(&files), upstream };
    for certificate in [ca, v1] {
        passed(&bank, "/pinned/", &Person { certificate, key: key.clone() }, ITSELF);
    }
}

#[test]
fn a_good_path_counts_first() {
    let listed = good();
    let server = person(&Leaf { client_auth: false, ..leaf("server") });
    let nameless = person(&Leaf { no_eku: true, ..leaf("nameless") });
    let revoked = person(&Leaf { serial: REVOKED, ..leaf("revoked") });
    let list = [&listed, &server, &nameless, &revoked].map(fingerprint);
    let mut tenant = tenant(&list);
    tenant.tables = "[[profiles]]\nname = \"all\"\nkind = \"cdr\"\ncheck = \"report\"\nissuers = [\"trusted-ca/issuing.pem\"]\n"
        .to_owned() + &tenant.tables;
    let bank = Bank::with(&tenant);
    let answer = bank.vestibule.ask(Request::get("/pinned/profiled/").of(&listed).text());
    assert_eq!((answer.status, bank.upstream.take_one().header("ssl-client-verify")), (200, "SUCCESS"));
    let line = bank.vestibule.access_line(&answer);
    assert_eq!((&line["cert.basis"], &line["cert.profile"]), (&"ca".into(), &"all".into()));
    // Not fit by its path, fit by its thumbprint; and then its issuer gives it no profile.
    for person in [&server, &nameless] {
        refused(&bank, "/", person, "certificate_purpose");
        passed(&bank, "/pinned/", person, "FAILED:unsuitable certificate purpose");
        refused(&bank, "/pinned/profiled/", person, "certificate_profile");
    }
    // A CA that the route trusts has taken it back: to be registered does not bring it back.
    refused(&bank, "/pinned/", &revoked, "certificate_revoked");
    let answer = bank.vestibule.ask(Request::get("/pinned/grace/").of(&revoked).text());
    assert_eq!((answer.status, &bank.vestibule.access_line(&answer)["cert.basis"]), (200, &"ca".into()));
}

#[test]
fn the_other_lists_and_the_front_door_narrow() {
    let (one, other) = (itself(&leaf("one")), itself(&leaf("other")));
    let mut tenant = tenant(&[fingerprint(&one), fingerprint(&other)]);
    tenant.tables = tenant
        .tables
        .replacen("policy = { ", &format!("policy = {{ deny_certificates = [{}], ", key_pin(&one)), 1)
        .replace("permissive\" }", &format!("permissive\", allow_certificates = [{}] }}", fingerprint(&one)));
    let bank = Bank::with(&tenant);
    refused(&bank, "/pinned/", &one, "certificate_denied");
    passed(&bank, "/pinned/", &other, ITSELF);
    passed(&bank, "/pinned/permissive/", &one, ITSELF);
    let answer = bank.vestibule.ask(Request::get("/pinned/permissive/").of(&other).text());
    assert_eq!(answer.status, 200);
    bank.upstream.take();
    assert!(bank.vestibule.access_line(&answer).get("cert.basis").is_none(), "not on the allow list: anonymous");
    let narrow = Bank::with(&Tenant { door_lines: "forwarded_verdict = \"narrow\"\n".into(), ..tenant });
    refused(&narrow, "/pinned/", &other, "forwarded_verdict_failed");
}

#[test]
fn subrequests_and_reloads() {
    let one = itself(&leaf("one"));
    let upstream = RecordingUpstream::start();
    let mut files = crate::bank::files(&[(tenant(&["\"lists/partners\"".into()]), upstream.url())]);
    files.push(("lists/partners".into(), "# nobody yet\n".into()));
    let bank = Bank { vestibule: Vestibule::start(&files), upstream };
    refused(&bank, "/pinned/", &one, "certificate_untrusted");
    bank.vestibule.replace_file("lists/partners", fingerprint(&one).trim_matches('"'));
    // No signal: the list is one of the files that are watched.
    bank.vestibule.wait_for_counter("vestibule_reloads_total", 1);
    passed(&bank, "/pinned/", &one, ITSELF);
    let asked = Request::get("/-/authorize").with("x-original-uri", "/pinned/").with("x-original-method", "GET").of(&one);
    let answer = bank.vestibule.ask(asked.text());
    assert_eq!((answer.status, answer.header("ssl-client-verify")), (200, Some(ITSELF)));
    assert_eq!(bank.vestibule.access_line(&answer)["cert.basis"], "thumbprint");
}
