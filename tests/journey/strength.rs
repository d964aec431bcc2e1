//! What a policy asks of certificates beyond a sound path: extended key usage, keys, signatures, critical extensions.

use std::fmt::Write as _;

use openssl::ec::{EcGroup, EcKey};
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;

use crate::bank::{Bank, Person, Request, Tenant, authorities, good, leaf, person};
use crate::der_writer::{oid, sequence};
use crate::pki::{Leaf, new_key};

fn bank(policies: &[(&str, &str)]) -> Bank {
    let mut tables = String::new();
    for (path, policy) in policies {
        let _ = write!(tables, "[[routes]]\npath = \"{path}\"\nupstream = \"core\"\npolicy = {{ {policy} }}\n");
    }
    Bank::with(&Tenant { tables, ..Tenant::default() })
}

/// The outcome on each path: nothing for a pass, or the code and a part of the cause.
#[track_caller]
fn table(bank: &Bank, who: &str, person: &Person, rows: &[(&str, &str, &str)]) {
    for (path, code, cause) in rows {
        let answer = bank.vestibule.ask(Request::get(path).of(person).text());
        if code.is_empty() {
            assert_eq!(answer.status, 200, "{who} {path}: {}", bank.vestibule.access_line(&answer));
            assert_eq!(bank.upstream.take_one().header("ssl-client-verify"), "SUCCESS");
            continue;
        }
        assert_eq!(&bank.refused(&answer, 401), code, "{who} {path}");
        let line = bank.vestibule.access_line(&answer);
        assert!(line["refusal.cause"].as_str().unwrap().contains(cause), "{who} {path}: {line}");
    }
}

fn with_key(key: PKey<Private>) -> Person {
    Person { certificate: authorities().issuing.issue_for(&leaf("client"), &key), key }
}

fn rsa(bits: u32) -> Person {
    with_key(PKey::from_rsa(Rsa::generate(bits).unwrap()).unwrap())
}

const PURPOSE: &str = "certificate_purpose";
const UNACCEPTABLE: &str = "certificate_unacceptable";

#[test]
fn client_auth_is_asked_for() {
    let usage = |purposes: &[&str]| ("2.5.29.37", false, sequence(&purposes.iter().map(|id| oid(id)).collect::<Vec<_>>()));
    let with = |purposes: &[&str]| person(&Leaf { no_eku: true, extra: vec![usage(purposes)], ..leaf("client") });
    let none = person(&Leaf { no_eku: true, ..leaf("client") });
    let (client, server, any) = ("1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.1", "2.5.29.37.0");
    let bank = bank(&[("/missing/", "allow_missing_eku = true"), ("/none/", "verification = \"permissive\"")]);
    let unsuitable = "purpose: unsuitable certificate purpose (error 26 at depth 0)";
    table(
        &bank,
        "none",
        &none,
        &[("/", PURPOSE, "has no extended key usage, and `allow_missing_eku` is off"), ("/missing/", "", "")],
    );
    for (purposes, code) in [
        (&[client][..], ""),
        (&[server, client], ""),
        (&[client, any], ""),
        (&[server], PURPOSE),
        // RFC 5280 lets an application refuse it (§4.2.1.12), and so does OpenSSL.
        (&[any], PURPOSE),
        (&[server, any], PURPOSE),
        (&["1.3.6.1.4.1.311.20.2.2"], PURPOSE),
    ] {
        table(&bank, &format!("{purposes:?}"), &with(purposes), &[("/", code, unsuitable), ("/missing/", code, unsuitable)]);
    }
    let answer = bank.vestibule.ask(Request::get("/none/").of(&none).text());
    assert_eq!(answer.status, 200);
    assert_eq!(bank.upstream.take_one().header("ssl-client-verify"), "FAILED:unsuitable certificate purpose");
    // An expired one is not only expired.
    let expired = person(&Leaf { no_eku: true, dates: crate::bank::expired(), ..leaf("client") });
    table(&bank, "expired", &expired, &[("/grace/", PURPOSE, "validity: certificate has expired")]);
}

#[test]
fn keys_are_as_strong_as_the_policy_asks() {
    let bank = bank(&[("/rsa/", "min_rsa_bits = 3072"), ("/ec/", "min_ec_bits = 384"), ("/both/", "min_rsa_bits = 8192")]);
    let weak = "RSA key of 1024 bits, not 2048 to 8192";
    let rows = |code| [("/", code, weak), ("/rsa/", code, weak), ("/ec/", code, weak)];
    table(&bank, "RSA-1024", &rsa(1024), &rows(UNACCEPTABLE));
    let asked = "the certificate at depth 0 has an RSA key of 2048 bits; at least 3072 are asked for";
    let ca = "the certificate at depth 1 has an elliptic-curve key of 256 bits; at least 384 are asked for";
    table(&bank, "RSA-2048", &rsa(2048), &[("/", "", ""), ("/rsa/", UNACCEPTABLE, asked), ("/ec/", UNACCEPTABLE, ca)]);
    table(&bank, "RSA-3072", &rsa(3072), &[("/rsa/", "", ""), ("/both/", UNACCEPTABLE, "at least 8192")]);
    let leaf = "the certificate at depth 0 has an elliptic-curve key of 256 bits; at least 384 are asked for";
    table(&bank, "P-256", &good(), &[("/rsa/", "", ""), ("/both/", "", ""), ("/ec/", UNACCEPTABLE, leaf)]);
    let curve = |nid| PKey::from_ec_key(EcKey::generate(&EcGroup::from_curve_name(nid).unwrap()).unwrap()).unwrap();
    // The whole path counts: the CAs here are P-256.
    let p384 = with_key(curve(Nid::SECP384R1));
    table(&bank, "P-384", &p384, &[("/", "", ""), ("/ec/", UNACCEPTABLE, "depth 2 has an elliptic-curve key of 256 bits")]);
    let k256 = with_key(curve(Nid::SECP256K1));
    table(&bank, "secp256k1", &k256, &[("/", UNACCEPTABLE, "has a key on curve 1.3.132.0.10")]);
    let ed25519 = with_key(PKey::generate_ed25519().unwrap());
    table(&bank, "Ed25519", &ed25519, &[("/", "", ""), ("/ec/", UNACCEPTABLE, "an Ed25519 key of 256 bits")]);
}

#[test]
fn signatures_are_of_an_accepted_kind() {
    let bank = bank(&[
        ("/sha256/", "signature_algorithms = [\"ecdsa-with-SHA256\", \"ED25519\"]"),
        ("/sha384/", "signature_algorithms = \"ecdsa-with-SHA384\""),
        ("/all/", "signature_algorithms = []"),
    ]);
    let said = "is signed with ecdsa-with-SHA256, which is not one of the accepted algorithms";
    table(&bank, "good", &good(), &[("/", "", ""), ("/sha256/", "", ""), ("/all/", "", ""), ("/sha384/", UNACCEPTABLE, said)]);
    let sha1 = Person { certificate: crate::pki::sha1_signed(&authorities().issuing, &leaf("sha1")), key: new_key() };
    for path in ["/", "/sha256/", "/all/", "/grace/"] {
        table(&bank, "SHA-1", &sha1, &[(path, UNACCEPTABLE, "error 68 at depth 0")]);
    }
}

#[test]
fn critical_extensions_are_known_or_refused() {
    let bank = bank(&[("/qc/", "allow_critical_qc_statements = true")]);
    let statements = ("1.3.6.1.5.5.7.1.3", true, sequence(&[sequence(&[oid("0.4.0.1862.1.1")])]));
    let unknown = ("1.2.3.4.5", true, vec![5, 0]);
    let with = |extra: Vec<crate::pki::Extra>| person(&Leaf { extra, ..leaf("client") });
    let refused = "unhandled critical extension (error 34 at depth 0)";
    let rows = |code| [("/", UNACCEPTABLE, refused), ("/qc/", code, refused)];
    table(&bank, "qcStatements", &with(vec![statements.clone()]), &rows(""));
    table(&bank, "unknown", &with(vec![unknown.clone()]), &rows(UNACCEPTABLE));
    table(&bank, "both", &with(vec![statements, unknown]), &rows(UNACCEPTABLE));
    let broken = ("1.3.6.1.5.5.7.1.3", true, vec![0x30, 2, 5, 0]);
    table(&bank, "unreadable", &with(vec![broken]), &rows(UNACCEPTABLE));
    let plain = with(vec![("1.2.3.4.5", false, vec![5, 0])]);
    table(&bank, "not critical", &plain, &[("/", "", ""), ("/qc/", "", "")]);
}
