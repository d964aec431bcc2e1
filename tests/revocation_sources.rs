//! What a certificate names as places where its status can be had.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::type_complexity, reason = "tables")]

mod support {
    pub(crate) mod pki;
}

use openssl::x509::X509;
use proptest::prelude::*;
use support::pki::{Ca, Extra, Leaf};
use vestibule::x509::der::{encode, tag};
use vestibule::x509::oid::parse_dotted;
use vestibule::x509::revocation_sources::RevocationSources;

const AIA: &str = "1.3.6.1.5.5.7.1.1";
const CRLDP: &str = "2.5.29.31";

fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    encode(tag::SEQUENCE, &parts.concat())
}

fn uri(text: &str) -> Vec<u8> {
    encode(0x86, text.as_bytes())
}

/// AccessDescription.
fn access(method: &str, location: Vec<u8>) -> Vec<u8> {
    sequence(&[encode(tag::OID, &parse_dotted(method).unwrap()), location])
}

fn ocsp(location: &str) -> Vec<u8> {
    access("1.3.6.1.5.5.7.48.1", uri(location))
}

/// DistributionPoint with a fullName of these GeneralNames, and more fields after it.
fn point(names: &[Vec<u8>], more: &[Vec<u8>]) -> Vec<u8> {
    sequence(&[encode(0xA0, &encode(0xA0, &names.concat())), more.concat()])
}

fn named_by(extra: Vec<Extra>) -> RevocationSources {
    let leaf: X509 = Ca::root("Root").issue(&Leaf { extra, ..Leaf::named("client") });
    RevocationSources::read(&leaf)
}

#[test]
fn nothing_named() {
    assert_eq!(named_by(vec![]), RevocationSources::default());
}

#[test]
fn responders() {
    let issuers = access("1.3.6.1.5.5.7.48.2", uri("http://ca.example/ca.cer"));
    let long = |octets: usize| format!("http://a.example/{}", "x".repeat(octets - 17));
    let many: Vec<Vec<u8>> = (1..=6).map(|n| ocsp(&format!("http://{n}.example"))).collect();
    let cases: Vec<(&str, Vec<Vec<u8>>, Vec<String>)> = vec![
        ("one", vec![ocsp("http://ocsp.example/a?b=c")], vec!["http://ocsp.example/a?b=c".into()]),
        ("https, case kept", vec![ocsp("HTTPS://ocsp.example")], vec!["HTTPS://ocsp.example".into()]),
        ("beside caIssuers", vec![issuers.clone(), ocsp("http://b")], vec!["http://b".into()]),
        ("caIssuers alone", vec![issuers], vec![]),
        ("no URI", vec![access("1.3.6.1.5.5.7.48.1", encode(0x82, b"ocsp.example"))], vec![]),
        ("twice", vec![ocsp("http://b"), ocsp("http://b")], vec!["http://b".into()]),
        ("four of six", many, (1..=4).map(|n| format!("http://{n}.example")).collect()),
        ("the longest", vec![ocsp(&long(1024))], vec![long(1024)]),
        ("one octet longer", vec![ocsp(&long(1025)), ocsp("http://b")], vec!["http://b".into()]),
        ("another scheme", vec![ocsp("ldap://b"), ocsp("file:///etc"), ocsp("httpx://b"), ocsp("//b"), ocsp("")], vec![]),
        ("a scheme alone", vec![ocsp("http://"), ocsp("http:/b")], vec![]),
        ("a space", vec![ocsp("http://b /c"), ocsp("http://b\r\nHost: c"), ocsp("http://b\0"), ocsp("http://b\u{e9}")], vec![]),
    ];
    for (what, descriptions, wanted) in cases {
        let found = named_by(vec![(AIA, false, sequence(&descriptions))]);
        assert_eq!((found.ocsp, found.crl.len()), (wanted, 0), "{what}");
    }
}

#[test]
fn distribution_points() {
    let a = || uri("http://a/1.crl");
    let directory = encode(0xA4, &sequence(&[]));
    let relative = sequence(&[encode(0xA0, &encode(0xA1, &[]))]);
    let reasons = encode(0x81, &[1, 0x40]);
    let crl_issuer = encode(0xA2, &directory);
    let cases: Vec<(&str, Vec<Vec<u8>>, &[&str])> = vec![
        ("one", vec![point(&[a()], &[])], &["http://a/1.crl"]),
        ("two names of one", vec![point(&[a(), uri("http://b")], &[])], &["http://a/1.crl", "http://b"]),
        ("two points", vec![point(&[uri("http://b")], &[]), point(&[a()], &[])], &["http://b", "http://a/1.crl"]),
        ("beside a directory", vec![point(&[directory, a(), uri("ldap://c")], &[])], &["http://a/1.crl"]),
        ("relative to the issuer", vec![relative, point(&[a()], &[])], &["http://a/1.crl"]),
        ("some reasons", vec![point(&[uri("http://b")], &[reasons])], &[]),
        ("of another issuer", vec![point(&[uri("http://b")], &[crl_issuer]), point(&[a()], &[])], &["http://a/1.crl"]),
        ("without a name", vec![sequence(&[])], &[]),
    ];
    for (what, points, wanted) in cases {
        let found = named_by(vec![(CRLDP, false, sequence(&points))]);
        assert_eq!((found.crl, found.ocsp.len()), (wanted.iter().map(ToString::to_string).collect(), 0), "{what}");
    }
}

#[test]
fn what_is_no_der_names_nothing() {
    let good = sequence(&[ocsp("http://a")]);
    let cut = good[..good.len() - 1].to_vec();
    let trailing = [good.clone(), vec![0]].concat();
    let half = sequence(&[ocsp("http://a"), vec![0x05, 0]]);
    for bad in [vec![], cut, trailing, half] {
        assert_eq!(named_by(vec![(AIA, false, bad.clone())]), RevocationSources::default(), "{bad:02X?}");
    }
    let both = named_by(vec![(AIA, false, vec![0x30, 0x80]), (CRLDP, false, sequence(&[point(&[uri("http://a")], &[])]))]);
    assert_eq!((both.ocsp.len(), both.crl.len()), (0, 1), "one does not spoil the other");
    let twice = named_by(vec![(AIA, false, good.clone()), (AIA, false, good)]);
    assert_eq!(twice, RevocationSources::default(), "which of two counts?");
}

proptest! {
    #[test]
    fn any_octets(aia in proptest::collection::vec(any::<u8>(), 0..60), points in proptest::collection::vec(any::<u8>(), 0..60)) {
        let inner = [(AIA, false, sequence(&[aia])), (CRLDP, false, sequence(&[points]))];
        let found = named_by(inner.to_vec());
        for uri in found.ocsp.iter().chain(&found.crl) {
            prop_assert!(uri.starts_with("http") && uri.bytes().all(|octet| octet.is_ascii_graphic()));
        }
    }
}
