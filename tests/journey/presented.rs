//! The certificate header and what the front door says beside it.

use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::x509::extension::{AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectKeyIdentifier};
use openssl::x509::{X509, X509Name};

use crate::bank::{
    Bank, Person, Request, Tenant, authorities, escape, escaped, expired, good, leaf, pem, person, person_of, valid,
};
use crate::pki::{Leaf, new_key};

fn door(line: &str) -> Tenant {
    Tenant { door_lines: format!("{line}\n"), ..Tenant::default() }
}

#[test]
fn a_header_that_is_not_one_escaped_certificate_is_refused() {
    let bank = Bank::open();
    let whole = escaped(&good().certificate);
    let cut = &whole[..whole.len() / 2];
    let without_end = whole.split("-----END").next().unwrap();
    let twelve = "-----BEGIN%20CERTIFICATE-----%0AMAMCAQE%3D%0A-----END%20CERTIFICATE-----%0A".repeat(12);
    for (what, value, code) in [
        ("cut off", cut.trim_end_matches(['%', '2', '0']), "certificate_header_not_pem"),
        ("without its end", without_end, "certificate_header_not_pem"),
        ("escaped twice", &escape(&whole), "certificate_header_not_pem"),
        ("text before it", &format!("x{whole}"), "certificate_header_not_pem"),
        ("text after it", &format!("{whole}x"), "certificate_header_not_pem"),
        ("half an escape", &format!("{whole}%4"), "certificate_header_encoding"),
        ("not escaped", &pem(&good().certificate).replace('\n', " "), "certificate_header_encoding"),
        ("two, with a comma", &format!("{whole},{whole}"), "certificate_header_encoding"),
        ("twelve", &twelve, "certificate_header_too_many"),
        ("not a certificate", &twelve[..twelve.len() / 12], "certificate_malformed"),
        ("spaces as plus signs", &whole.replace("%20", "+"), "certificate_header_not_pem"),
        ("placeholder", "(null)", "certificate_header_encoding"),
        ("a NUL", &format!("{whole}%00"), "certificate_header_not_pem"),
    ] {
        for route in ["/", "/public/", "/permissive/"] {
            let answer = bank.vestibule.ask(Request::get(route).carrying(value).text());
            assert_eq!(bank.refused(&answer, 400), code, "{what} on {route}");
        }
    }
    bank.assert_still_serves();
}

#[test]
fn spellings_of_one_certificate_are_one_certificate() {
    let bank = Bank::open();
    let whole = escaped(&good().certificate);
    let lower: String = whole
        .split('%')
        .enumerate()
        .map(|(at, part)| if at == 0 { part.to_owned() } else { format!("%{}{}", part[..2].to_lowercase(), &part[2..]) })
        .collect();
    let bare_plus = whole.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=");
    for value in [&whole, &lower, &bare_plus, &whole.replace("%0A", "%0D%0A")] {
        let answer = bank.vestibule.ask(Request::get("/").carrying(value).text());
        assert_eq!(answer.status, 200, "{value}");
        assert_eq!(bank.upstream.take_one().header("x-client-cn"), "good");
    }
}

#[test]
fn too_large_headers_have_a_limit_of_their_own() {
    let bank = Bank::with(&door("certificate_header_max = \"2KiB\""));
    bank.assert_still_serves();
    for length in [2049, 20_000] {
        let answer = bank.vestibule.ask(Request::get("/public/").carrying(&"A".repeat(length)).text());
        assert_eq!(bank.refused(&answer, 400), "certificate_header_too_large");
    }
    bank.assert_still_serves();
}

#[test]
fn an_empty_header_is_no_certificate_only_when_the_verdict_says_so() {
    let bank = Bank::open();
    let empty = |route: &str| Request::get(route).with("client-certificate", "");
    for verdict in [None, Some("SUCCESS"), Some("FAILED:x")] {
        let request = match verdict {
            Some(verdict) => empty("/public/").with("client-certificate-ca-verified", verdict),
            None => empty("/public/"),
        };
        let answer = bank.vestibule.ask(request.text());
        assert_eq!(bank.refused(&answer, 400), "certificate_header_empty", "{verdict:?}");
    }
    let answer = bank.vestibule.ask(empty("/public/").with("client-certificate-ca-verified", "NONE").text());
    assert_eq!((answer.status, bank.upstream.take_one().header("ssl-client-verify")), (200, "NONE"));
    let answer = bank.vestibule.ask(empty("/").with("client-certificate-ca-verified", "NONE").text());
    assert_eq!(bank.refused(&answer, 401), "certificate_required");
}

#[test]
fn the_first_certificate_is_the_client_and_no_later_one_ever() {
    let bank = Bank::open();
    let attackers =
        [person_of(&authorities().stranger, &leaf("attacker")), person(&Leaf { dates: expired(), ..leaf("attacker") })];
    for attacker in &attackers {
        let both = escaped(&attacker.certificate) + &escaped(&good().certificate);
        let answer = bank.vestibule.ask(Request::get("/").carrying(&both).text());
        let code = bank.refused(&answer, 401);
        assert!(code == "certificate_untrusted" || code == "certificate_expired", "{code}");
        assert!(!bank.vestibule.access_line(&answer).to_string().contains("CN=good"));
        let answer = bank.vestibule.ask(Request::get("/permissive/").carrying(&both).text());
        assert_eq!(answer.status, 200);
        let received = bank.upstream.take_one();
        assert!(received.header("ssl-client-verify").starts_with("FAILED:"));
        assert!(!format!("{received:?}").contains("good"), "{received:?}");
    }
    // A good client followed by anybody is the good client.
    let both = escaped(&good().certificate) + &escaped(&attackers[0].certificate);
    assert_eq!(bank.vestibule.ask(Request::get("/").carrying(&both).text()).status, 200);
    assert_eq!(bank.upstream.take_one().header("x-client-cn"), "good");
}

#[test]
fn an_intermediate_may_come_with_the_certificate() {
    let bank = Bank::with(&Tenant { trust_lines: String::new(), ..Tenant::default() });
    let person = good();
    let answer = bank.vestibule.ask(Request::get("/").of(&person).text());
    assert_eq!(bank.refused(&answer, 401), "certificate_untrusted");
    let chain = escaped(&person.certificate) + &escaped(&authorities().issuing.certificate);
    let answer = bank.vestibule.ask(Request::get("/").carrying(&chain).text());
    assert_eq!((answer.status, bank.upstream.take_one().header("ssl-client-verify")), (200, "SUCCESS"));
    // One of the same name that signed nothing does not help, and neither does bringing one's own root.
    let stranger = person_of(&authorities().stranger, &leaf("stranger"));
    for issuer in [&authorities().stranger, &authorities().issuing] {
        let chain = escaped(&stranger.certificate) + &escaped(&issuer.certificate);
        let answer = bank.vestibule.ask(Request::get("/").carrying(&chain).text());
        assert_eq!(bank.refused(&answer, 401), "certificate_untrusted");
    }
}

#[test]
fn a_verdict_that_contradicts_or_is_unknown_is_refused() {
    let bank = Bank::open();
    let with = |request: Request, verdict: &str| request.instead("client-certificate-ca-verified", verdict);
    let (carrying, bare) = (Request::get("/public/").of(&good()), Request::get("/public/"));
    for (request, code) in [
        (with(carrying.clone(), "NONE"), "forwarded_verdict_contradicts"),
        (with(bare.clone(), "SUCCESS"), "forwarded_verdict_contradicts"),
        (with(bare.clone(), "FAILED:x"), "forwarded_verdict_contradicts"),
        (with(carrying.clone(), "GENEROUS"), "forwarded_verdict_unknown"),
        (with(carrying.clone(), "success"), "forwarded_verdict_unknown"),
        (with(carrying.clone(), "SUCCESS, FAILED"), "forwarded_verdict_unknown"),
        (with(carrying, ""), "forwarded_verdict_unknown"),
        (with(bare, "0"), "forwarded_verdict_unknown"),
    ] {
        let answer = bank.vestibule.ask(request.text());
        assert_eq!(bank.refused(&answer, 400), code);
    }
}

#[test]
fn a_front_doors_verdict_narrows_and_never_widens() {
    let verdicts = [Some("SUCCESS"), Some("FAILED:its reason"), Some("FAILED"), None];
    // For each mode, whether a good certificate passes with each of the verdicts.
    for (mode, passes) in
        [("ignore", [true, true, true, true]), ("narrow", [true, false, false, true]), ("require", [true, false, false, false])]
    {
        let bank = Bank::with(&door(&format!("forwarded_verdict = \"{mode}\"")));
        let stranger = person_of(&authorities().stranger, &leaf("stranger"));
        let late = person(&Leaf { dates: expired(), ..leaf("late") });
        for (verdict, passes) in verdicts.into_iter().zip(passes) {
            let saying = |request: Request| {
                let request = request.without("client-certificate-ca-verified");
                let request =
                    if let Some(verdict) = verdict { request.with("client-certificate-ca-verified", verdict) } else { request };
                bank.vestibule.ask(request.text())
            };
            let answer = saying(Request::get("/").of(&good()));
            if passes {
                assert_eq!(answer.status, 200, "{mode} {verdict:?}");
                assert_eq!(bank.upstream.take_one().header("ssl-client-verify"), "SUCCESS");
            } else {
                assert_eq!(bank.refused(&answer, 401), "forwarded_verdict_failed", "{mode} {verdict:?}");
                let answer = saying(Request::get("/permissive/").of(&good()));
                assert_eq!(answer.status, 200);
                let received = bank.upstream.take_one();
                assert!(received.header("ssl-client-verify").starts_with("FAILED:"), "{mode} {verdict:?}");
                assert_eq!(received.header("x-client-cn"), "");
            }
            // A waiver is no way around it either.
            assert_eq!(saying(Request::get("/grace/").of(&late)).status, if passes { 200 } else { 401 }, "{mode} {verdict:?}");
            bank.upstream.take();
            let answer = saying(Request::get("/").of(&stranger));
            assert_eq!(bank.refused(&answer, 401), "certificate_untrusted", "{mode} {verdict:?}");
            let answer = saying(Request::get("/").of(&late));
            assert_eq!(bank.refused(&answer, 401), "certificate_expired", "{mode} {verdict:?}");
        }
    }
}

/// A good certificate whose subject ends with a space where nginx prints it last.
fn with_last_space() -> Person {
    let (issuer, key) = (&authorities().issuing, new_key());
    let mut name = X509Name::builder().unwrap();
    name.append_entry_by_nid(Nid::ORGANIZATIONNAME, "Example ").unwrap();
    name.append_entry_by_nid(Nid::COMMONNAME, "spacious").unwrap();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder.set_subject_name(&name.build()).unwrap();
    builder.set_issuer_name(issuer.certificate.subject_name()).unwrap();
    builder.set_pubkey(&key).unwrap();
    builder.set_serial_number(&openssl::bn::BigNum::from_u32(77).unwrap().to_asn1_integer().unwrap()).unwrap();
    builder.set_not_before(&openssl::asn1::Asn1Time::from_unix(valid().0).unwrap()).unwrap();
    builder.set_not_after(&openssl::asn1::Asn1Time::from_unix(valid().1).unwrap()).unwrap();
    builder.append_extension(BasicConstraints::new().build().unwrap()).unwrap();
    builder.append_extension(KeyUsage::new().critical().digital_signature().build().unwrap()).unwrap();
    builder.append_extension(ExtendedKeyUsage::new().client_auth().build().unwrap()).unwrap();
    let subject_key = SubjectKeyIdentifier::new().build(&builder.x509v3_context(None, None)).unwrap();
    builder.append_extension(subject_key).unwrap();
    let context = builder.x509v3_context(Some(&issuer.certificate), None);
    let issuer_key = AuthorityKeyIdentifier::new().keyid(true).build(&context).unwrap();
    builder.append_extension(issuer_key).unwrap();
    builder.sign(&issuer.key, MessageDigest::sha256()).unwrap();
    Person { certificate: builder.build(), key }
}

#[test]
fn a_forwarded_subject_must_be_the_certificates() {
    let bank = Bank::open();
    let (good, spacious) = (good(), with_last_space());
    let dn = "CN=good,O=Vestibule Test";
    for (person, name, value, passes) in [
        (&good, "ssl_client_s_dn", dn, true),
        (&good, "ssl-client-s-dn", dn, true),
        (&good, "ssl_client_s_dn", "/O=Vestibule Test/CN=good", true),
        (&good, "ssl_client_s_dn_parsed", "good", true),
        (&good, "ssl-client-s-dn-parsed", "good", true),
        (&spacious, "ssl_client_s_dn", "CN=spacious,O=Example\\ ", true),
        (&spacious, "ssl_client_s_dn", "CN=spacious,O=Example\\", true),
        (&spacious, "ssl_client_s_dn", "CN=spacious,O=Example", false),
        (&good, "ssl_client_s_dn", "CN=victim,O=Vestibule Test", false),
        (&good, "ssl_client_s_dn", "O=Vestibule Test,CN=good", false),
        (&good, "ssl_client_s_dn", "cn=good,o=vestibule test", false),
        (&good, "ssl_client_s_dn", "", false),
        (&good, "ssl_client_s_dn_parsed", "victim", false),
        (&good, "ssl-client-s-dn-parsed", "Good", false),
    ] {
        let answer = bank.vestibule.ask(Request::get("/").of(person).with(name, value).text());
        if passes {
            assert_eq!(answer.status, 200, "{name}: {value}: {}", bank.vestibule.code(&answer));
            bank.upstream.take();
        } else {
            assert_eq!(bank.refused(&answer, 400), "forwarded_dn_mismatch", "{name}: {value}");
        }
    }
    for name in ["ssl_client_s_dn", "ssl_client_s_dn_parsed"] {
        let answer = bank.vestibule.ask(Request::get("/public/").of_nobody().with(name, "good").text());
        assert_eq!(bank.refused(&answer, 400), "forwarded_dn_mismatch");
        let answer = bank.vestibule.ask(Request::get("/public/").of_nobody().with(name, "").text());
        assert_eq!(answer.status, 200);
        bank.upstream.take();
    }
    let both = Request::get("/").of(&good).with("ssl_client_s_dn", dn).with("ssl-client-s-dn", dn);
    assert_eq!(bank.refused(&bank.vestibule.ask(both.text()), 400), "contract_header_repeated");
}

#[test]
fn a_front_door_that_only_reports_contradictions_does_not_choose_the_identity() {
    let bank = Bank::with(&door("forwarded_mismatch = \"report\""));
    let request = Request::get("/").of(&good()).with("ssl_client_s_dn", "CN=victim,O=Vestibule Test");
    let answer = bank.vestibule.ask(request.instead("client-certificate-ca-verified", "NONE").text());
    assert_eq!(answer.status, 200);
    let received = bank.upstream.take_one();
    assert_eq!(received.header("ssl-client-s-dn"), "CN=good,O=Vestibule Test");
    assert!(!format!("{received:?}").contains("victim"));
    let notes = bank.vestibule.access_line(&answer)["forward.notes"].to_string();
    assert!(notes.contains("forwarded_dn_mismatch") && notes.contains("forwarded_verdict_contradicts"), "{notes}");
}
