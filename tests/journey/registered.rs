//! Certificates that were named one by one: those that may pass, and those that may not.

use std::fmt::Write as _;

use openssl::bn::{BigNum, BigNumContext};
use openssl::ec::EcGroup;
use openssl::ecdsa::EcdsaSig;
use openssl::nid::Nid;
use openssl::sha::sha256;
use openssl::x509::X509;
use vestibule::x509::der::{encode, single, tag};

use crate::bank::{Bank, Person, REVOKED, Request, Tenant, authorities, good, leaf, person};
use crate::pki::{Leaf, new_key};
use crate::vestibule_program::wait_until;

fn fingerprint(person: &Person) -> String {
    format!("sha256:{}", hex::encode(sha256(&person.certificate.to_der().unwrap())))
}

fn key_pin(person: &Person) -> String {
    format!("spki-sha256:{}", hex::encode_upper(sha256(&person.key.public_key_to_der().unwrap())))
}

const ISSUER: &str = "CN=Journey Issuing,O=Vestibule Test";

fn routes(list: &str) -> Tenant {
    let mut tables = String::new();
    for (path, policy) in [
        ("/listed/", ""),
        ("/listed/permissive/", ", verification = \"permissive\""),
        ("/listed/public/", ", allow_unauthenticated_requests = true"),
        ("/listed/grace/", ", allow_expired_certificates = true, allow_revoked_certificates = true"),
    ] {
        let _ = write!(tables, "[[routes]]\npath = \"{path}\"\nupstream = \"core\"\npolicy = {{ {list}{policy} }}\n");
    }
    Tenant { tables, ..Tenant::default() }
}

#[test]
fn a_denied_certificate_passes_nowhere() {
    let people: Vec<_> = (0..4).map(|at| person(&Leaf { serial: 0xAB0 + at, ..leaf("denied") })).collect();
    let pem = String::from_utf8(people[3].certificate.to_pem().unwrap()).unwrap();
    let lines = format!("deny_certificates = [\"{}\", \"lists/denied\", \"lists/denied.pem\"]", fingerprint(&people[0]));
    let upstream = crate::recording_upstream::RecordingUpstream::start();
    let mut files = crate::bank::files(&[(routes(&lines), upstream.url())]);
    let list = format!("# by their keys\n\n{}\nissuer-serial:0{:x} {ISSUER}\n", key_pin(&people[1]), 0xAB2);
    files.push(("lists/denied".into(), list));
    files.push(("lists/denied.pem".into(), pem));
    let bank = Bank { vestibule: crate::vestibule_program::Vestibule::start(&files), upstream };
    for (person, by) in people.iter().zip(["sha256", "spki-sha256", "issuer-serial", "sha256"]) {
        for path in ["/listed/", "/listed/permissive/", "/listed/public/", "/listed/grace/"] {
            let answer = bank.vestibule.ask(Request::get(path).of(person).text());
            assert_eq!(bank.refused(&answer, 401), "certificate_denied", "{path}");
            assert_eq!(bank.vestibule.access_line(&answer)["refusal.cause"], format!("on the deny list, by {by}"));
        }
        assert_eq!(bank.vestibule.ask(Request::get("/").of(person).text()).status, 200, "another route has no list");
        bank.upstream.take();
    }
    assert_eq!(bank.vestibule.ask(Request::get("/listed/").of(&good()).text()).status, 200);
    assert_eq!(bank.vestibule.ask(Request::get("/listed/public/").of_nobody().text()).status, 200);
    bank.upstream.take();

    // A line more, and the client is out at its next request.
    let dismissed = good();
    let mut connection = bank.vestibule.connect();
    assert_eq!(connection.ask(Request::get("/listed/").of(&dismissed).text()).status, 200);
    bank.upstream.take();
    bank.vestibule.replace_file("lists/denied", &fingerprint(&dismissed));
    bank.vestibule.signal("HUP");
    wait_until(|| bank.vestibule.counter("vestibule_reloads_total") > 0, || bank.vestibule.diagnostics());
    let answer = connection.ask(Request::get("/listed/").of(&dismissed).text());
    assert_eq!(bank.refused(&answer, 401), "certificate_denied");
}

/// (r, s) is a signature, so (r, n − s) is one: the same certificate with another SHA-256, made by its holder.
fn turned(certificate: &X509) -> X509 {
    let signature = EcdsaSig::from_der(certificate.signature().as_slice()).unwrap();
    let (mut order, mut s, mut context) = (BigNum::new().unwrap(), BigNum::new().unwrap(), BigNumContext::new().unwrap());
    EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap().order(&mut order, &mut context).unwrap();
    s.checked_sub(&order, signature.s()).unwrap();
    let other = EcdsaSig::from_private_components(signature.r().to_owned().unwrap(), s).unwrap().to_der().unwrap();
    let der = certificate.to_der().unwrap();
    let old = encode(tag::BIT_STRING, &[&[0], certificate.signature().as_slice()].concat());
    let content = single(&der, tag::SEQUENCE).unwrap().content.strip_suffix(old.as_slice()).unwrap();
    let new = encode(tag::BIT_STRING, &[&[0], other.as_slice()].concat());
    X509::from_der(&encode(tag::SEQUENCE, &[content, &new].concat())).unwrap()
}

#[test]
fn a_turned_signature_does_not_slip_past_the_deny_list() {
    let denied = good();
    let bank = Bank::with(&routes(&format!("deny_certificates = [\"{}\"]", fingerprint(&denied))));
    let slipping = Person { certificate: turned(&denied.certificate), key: new_key() };
    assert_ne!(fingerprint(&slipping), fingerprint(&denied));
    // It is as good as the other one.
    assert_eq!(bank.vestibule.ask(Request::get("/").of(&slipping).text()).status, 200);
    bank.upstream.take();
    for path in ["/listed/", "/listed/permissive/"] {
        let answer = bank.vestibule.ask(Request::get(path).of(&slipping).text());
        assert_eq!(bank.refused(&answer, 401), "certificate_denied", "{path}");
    }
}

#[test]
fn an_allow_list_narrows_and_never_widens() {
    let listed = person(&leaf("listed"));
    let expired = person(&Leaf { dates: crate::bank::expired(), ..leaf("expired") });
    let revoked = person(&Leaf { serial: REVOKED, ..leaf("revoked") });
    let forged = Person { certificate: authorities().issuing.forge(&leaf("forged")), key: new_key() };
    let entries: Vec<_> = [&listed, &expired, &revoked, &forged].map(|one| format!("\"{}\"", fingerprint(one))).into();
    let bank = Bank::with(&routes(&format!("allow_certificates = [{}]", entries.join(", "))));
    assert_eq!(bank.vestibule.ask(Request::get("/listed/").of(&listed).text()).status, 200);
    bank.upstream.take();
    // To be on the list makes nothing good.
    for (person, code) in
        [(&expired, "certificate_expired"), (&revoked, "certificate_revoked"), (&forged, "certificate_untrusted")]
    {
        let answer = bank.vestibule.ask(Request::get("/listed/").of(person).text());
        assert_eq!(bank.refused(&answer, 401), code);
    }
    // Good ones that nobody named.
    for path in ["/listed/", "/listed/public/", "/listed/grace/"] {
        let answer = bank.vestibule.ask(Request::get(path).of(&good()).text());
        assert_eq!(bank.refused(&answer, 401), "certificate_not_registered", "{path}");
    }
    let answer = bank.vestibule.ask(Request::get("/listed/permissive/").of(&good()).text());
    assert_eq!(answer.status, 200);
    let received = bank.upstream.take_one();
    assert_eq!(received.header("ssl-client-verify"), "FAILED:certificate_not_registered");
    assert_eq!(received.header("x-client-cn"), "");
    assert_eq!(bank.vestibule.ask(Request::get("/listed/grace/").of(&expired).text()).status, 200);
}

#[test]
fn a_route_changes_the_tenants_list() {
    let listed = person(&leaf("listed"));
    let mut tenant = routes("allow_certificates = []");
    tenant.tables = tenant.tables.replace("/listed/", "/open/");
    let text = tenant
        .text("http://127.0.0.1:9")
        .replace("[policy]\n", &format!("[policy]\nallow_certificates = [\"{}\"]\n", fingerprint(&listed)));
    let mut files = crate::bank::files(&[]);
    let upstream = crate::recording_upstream::RecordingUpstream::start();
    files.push(("tenants/bank.toml".into(), text.replace("http://127.0.0.1:9", &upstream.url())));
    let bank = Bank { vestibule: crate::vestibule_program::Vestibule::start(&files), upstream };
    let answer = bank.vestibule.ask(Request::get("/").of(&good()).text());
    assert_eq!(bank.refused(&answer, 401), "certificate_not_registered");
    assert_eq!(bank.vestibule.ask(Request::get("/").of(&listed).text()).status, 200);
    assert_eq!(bank.vestibule.ask(Request::get("/open/").of(&good()).text()).status, 200);
}
