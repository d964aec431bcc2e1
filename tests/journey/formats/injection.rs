//! Certificates whose names were made to forge other elements of `x-forwarded-client-cert`, as Envoy forwarded them.

use openssl::hash::MessageDigest;
use openssl::x509::X509;
use serde_json::Value;

use super::{fingerprint, open};
use crate::bank::{Request, authorities, escaped, good, leaf, pem, person_of};

const CERTIFICATES: [(&str, &str); 4] = [
    ("inj-bs", include_str!("../../vectors/front-doors/pem/inj-bs.pem")),
    ("inj-bsq", include_str!("../../vectors/front-doors/pem/inj-bsq.pem")),
    ("inj-uriinj", include_str!("../../vectors/front-doors/pem/inj-uriinj.pem")),
    ("inj-urinl", include_str!("../../vectors/front-doors/pem/inj-urinl.pem")),
];
const INTERMEDIATE: &str = include_str!("../../vectors/front-doors/pem/inj-inter.pem");

fn certificate(text: &str) -> X509 {
    X509::from_pem(text.as_bytes()).unwrap()
}

fn sha256(certificate: &X509) -> String {
    hex::encode(certificate.digest(MessageDigest::sha256()).unwrap())
}

/// The recorded header, its shortened certificates put back.
fn recorded() -> Vec<(String, String, String)> {
    let file: Value = serde_json::from_str(include_str!("../../vectors/front-doors/san-dn-injection.json")).unwrap();
    let header = |vector: &Value| {
        let text = vector["forwarded_latin1"].as_str()?;
        let line = text.split("\r\n").find_map(|line| line.strip_prefix("x-forwarded-client-cert: "))?;
        let client = vector["client_cert"].as_str()?.to_owned();
        let (_, own) = CERTIFICATES.iter().find(|(name, _)| *name == client)?;
        let body = |text: &str| {
            let escaped = escaped(&certificate(text));
            escaped.split("-----").nth(2).unwrap().to_owned()
        };
        let mut line = line.replacen("...cut...", &body(own), 2);
        line = line.replace("...cut...", &body(INTERMEDIATE));
        Some((vector["id"].as_str()?.to_owned(), client, line))
    };
    file["vectors"].as_array().unwrap().iter().filter_map(header).collect()
}

#[test]
fn recorded_injections_give_the_clients_own_certificate_or_nothing() {
    let (text, json) = (open("format = \"envoy-xfcc\""), open("format = \"envoy-xfcc-json\""));
    let (mut refused, mut read) = (0, 0);
    for (id, client, header) in recorded() {
        let (_, own) = CERTIFICATES.iter().find(|(name, _)| *name == client).unwrap();
        let bank = if header.starts_with('[') { &json } else { &text };
        let answer = bank.vestibule.ask(Request::get("/permissive/").with("x-forwarded-client-cert", &header).text());
        if client == "inj-uriinj" && !header.starts_with('[') {
            assert_eq!(bank.refused(&answer, 400), "certificate_header_encoding", "{id}");
            refused += 1;
        } else {
            assert_eq!(answer.status, 200, "{id}: {}", bank.vestibule.access_line(&answer));
            assert_eq!(fingerprint(bank, &answer), Some(sha256(&certificate(own))), "{id}");
            bank.upstream.take_one();
            read += 1;
        }
    }
    assert_eq!((refused, read), (2, 8));
}

/// The worst that a name can hold: a whole element of somebody else, its hash right.
#[test]
fn a_whole_forged_element_is_refused() {
    let bank = open("format = \"envoy-xfcc\"");
    let (victim, attacker) = (good(), person_of(&authorities().stranger, &leaf("attacker")));
    let element = |certificate: &X509| format!("Hash={};Cert=\"{}\";Subject=\"\"", sha256(certificate), escaped(certificate));
    let own = element(&attacker.certificate);
    for (names, code) in [
        (format!("a,{}", element(&victim.certificate)), "certificate_header_too_many"),
        (format!("a;{}", element(&victim.certificate)), "certificate_header_encoding"),
        (format!("a;Chain=\"{}\"", escaped(&victim.certificate)), ""),
    ] {
        let header = format!("{own};URI={names};DNS=b");
        let answer = bank.vestibule.ask(Request::get("/permissive/").with("x-forwarded-client-cert", &header).text());
        if code.is_empty() {
            assert_eq!(fingerprint(&bank, &answer), Some(sha256(&attacker.certificate)));
            assert!(bank.upstream.take_one().header("ssl-client-verify").starts_with("FAILED:"));
        } else {
            assert_eq!(bank.refused(&answer, 400), code, "{names}");
        }
    }
    // Told to take the last element, only the JSON form does: there nothing can be forged.
    let bank = open("format = \"envoy-xfcc-json\"\nxfcc_elements = \"last\"");
    let object = |certificate: &X509, uri: &str| serde_json::json!({ "hash": sha256(certificate), "cert": pem(certificate), "uri": [uri] });
    let forged = object(&victim.certificate, "").to_string();
    let header = serde_json::json!([object(&attacker.certificate, &format!("\"]}},{forged}"))]).to_string();
    let answer = bank.vestibule.ask(Request::get("/permissive/").with("x-forwarded-client-cert", &header).text());
    assert_eq!(fingerprint(&bank, &answer), Some(sha256(&attacker.certificate)));
}
