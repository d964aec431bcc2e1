//! Every kind of client certificate, shown in a real handshake.

use openssl::ec::{EcGroup, EcKey};
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::ssl::SslVersion;

use crate::bank::{Person, REVOKED, authorities, expired, good, leaf, now, person, person_of, server};
use crate::http_client::Client;
use crate::pki::{DAY, Dates, Leaf, new_key};
use crate::set_up::{ASKED, ClientFiles, House, get, handshake};

fn self_signed() -> Person {
    let ca = crate::pki::Ca::self_signed("lonely", new_key(), Dates(now() - DAY, now() + DAY));
    Person { certificate: ca.certificate, key: ca.key }
}

#[test]
fn each_certificate_gets_its_answer_and_none_breaks_the_handshake() {
    let house = House::open();
    let dates = Dates(now() + DAY, now() + 2 * DAY);
    let forged = person_of(&authorities().stranger, &Leaf { dates: expired(), ..leaf("expired") });
    let cases: [(&str, Option<Person>, &str, &str); 14] = [
        ("good", Some(good()), "/", ""),
        ("good", Some(good()), "/public/", ""),
        ("none", None, "/", "certificate_required"),
        ("none", None, "/public/", ""),
        ("expired", Some(person(&Leaf { dates: expired(), ..leaf("late") })), "/", "certificate_expired"),
        ("expired", Some(person(&Leaf { dates: expired(), ..leaf("late") })), "/grace/", ""),
        ("expired forgery", Some(forged), "/grace/", "certificate_untrusted"),
        ("not yet", Some(person(&Leaf { dates, ..leaf("early") })), "/", "certificate_not_yet_valid"),
        ("revoked", Some(person(&Leaf { serial: REVOKED, ..leaf("gone") })), "/", "certificate_revoked"),
        ("revoked", Some(person(&Leaf { serial: REVOKED, ..leaf("gone") })), "/public/", "certificate_revoked"),
        ("server only", Some(server()), "/", "certificate_purpose"),
        ("wrong ca", Some(person_of(&authorities().stranger, &leaf("good"))), "/", "certificate_untrusted"),
        ("self-signed", Some(self_signed()), "/", "certificate_u"),
        ("self-signed", Some(self_signed()), "/permissive/", ""),
    ];
    for (at, (name, client, path, code)) in cases.into_iter().enumerate() {
        let (status, body) = ClientFiles::of(client.as_ref()).curl(house.port(), ASKED, path, &[]);
        crate::vestibule_program::wait_until(
            || house.vestibule.access_lines().len() > at,
            || format!("{name} {path}: no request came: {status} {body}"),
        );
        let line = &house.vestibule.access_lines()[at];
        let found = line["refusal.code"].as_str().unwrap_or_default();
        if code.is_empty() {
            assert_eq!((status.as_str(), found), ("200", ""), "{name} {path}: {line}");
            let received = house.upstream.take_one();
            let verify = received.header("ssl-client-verify");
            let expected = match name {
                "good" => verify == "SUCCESS",
                "none" => verify == "NONE",
                _ => verify.starts_with("FAILED:"),
            };
            assert!(expected, "{name} {path}: {verify}");
        } else {
            assert!(found.starts_with(code), "{name} {path}: {found}");
            assert_eq!((status.as_str(), house.upstream.take().len()), ("401", 0), "{name} {path}");
        }
    }
}

fn with_key(key: PKey<Private>) -> Person {
    Person { certificate: authorities().issuing.issue_for(&leaf("keyed"), &key), key }
}

#[test]
fn keys_of_every_accepted_kind_prove_themselves_in_both_versions() {
    let house = House::open();
    let curve = |nid| PKey::from_ec_key(EcKey::generate(&EcGroup::from_curve_name(nid).unwrap()).unwrap()).unwrap();
    let keys: [(&str, PKey<Private>); 5] = [
        ("P-256", curve(Nid::X9_62_PRIME256V1)),
        ("P-384", curve(Nid::SECP384R1)),
        ("P-521", curve(Nid::SECP521R1)),
        ("RSA", PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap()),
        ("Ed25519", PKey::generate_ed25519().unwrap()),
    ];
    for (name, key) in keys {
        let client = with_key(key);
        for version in [SslVersion::TLS1_2, SslVersion::TLS1_3] {
            let limit = |builder: &mut openssl::ssl::SslConnectorBuilder| {
                builder.set_max_proto_version(Some(version)).unwrap();
                builder.set_min_proto_version(Some(version)).unwrap();
            };
            let stream = handshake(house.port(), Some(ASKED), Some(&client), limit).unwrap();
            let answer = Client::tls(stream).ask(get(ASKED, "/"));
            assert_eq!(answer.status, 200, "{name} {version:?}: {}", house.code(&answer));
            assert_eq!(house.upstream.take_one().header("ssl-client-verify"), "SUCCESS", "{name} {version:?}");
        }
    }
}

#[test]
fn a_chain_is_used_and_a_connection_outlives_no_date() {
    let house = House::open();
    // The client sends its intermediate along; the certificate itself expires while the connection is open.
    let client = person(&Leaf { dates: Dates(now() - DAY, now() + 4), ..leaf("brief") });
    let with_chain = |builder: &mut openssl::ssl::SslConnectorBuilder| {
        builder.add_extra_chain_cert(authorities().issuing.certificate.clone()).unwrap();
    };
    let mut connection = Client::tls(handshake(house.port(), Some(ASKED), Some(&client), with_chain).unwrap());
    assert_eq!(connection.ask(get(ASKED, "/")).status, 200);
    house.upstream.take_one();
    crate::vestibule_program::wait_until(
        || connection.ask(get(ASKED, "/")).status == 401,
        || "the certificate never expires".into(),
    );
    house.upstream.take();
    house.assert_refused(&connection.ask(get(ASKED, "/")), 401, "certificate_expired");
}

#[test]
fn a_chain_is_read_up_to_a_number() {
    let house = House::open();
    for (others, status) in [(10, 200), (11, 400)] {
        let many = |builder: &mut openssl::ssl::SslConnectorBuilder| {
            for _ in 0..others {
                builder.add_extra_chain_cert(authorities().issuing.certificate.clone()).unwrap();
            }
        };
        let stream = handshake(house.port(), Some(ASKED), Some(&good()), many).unwrap();
        let answer = Client::tls(stream).ask(get(ASKED, "/"));
        assert_eq!(answer.status, status, "{others}");
        let expected = if status == 200 { "" } else { "certificate_header_too_many" };
        assert_eq!(house.code(&answer), expected);
    }
    assert_eq!(house.upstream.take().len(), 1);
}
