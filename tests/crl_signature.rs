//! Who signed a list: the check in two halves says what `X509_CRL_verify` says of the whole.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support {
    pub(crate) mod crl_writer;
    pub(crate) mod pki;
}

use std::sync::Arc;

use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::{Padding, Rsa};
use openssl::sign::{RsaPssSaltlen, Signer};
use openssl::x509::X509Crl;
use support::crl_writer::{CrlWriter, ECDSA_SHA256, reason};
use support::pki::{Ca, Dates, NOW};
use vestibule::x509::crl::{CrlError, CrlIndex};
use vestibule::x509::der::{encode, tag};
use vestibule::x509::oid::parse_dotted;
use vestibule::x509::revocation_lists::{Put, RevocationLists};

fn identifier(dotted: &str, parameters: &[u8]) -> Vec<u8> {
    encode(tag::SEQUENCE, &[encode(tag::OID, &parse_dotted(dotted).unwrap()), parameters.to_vec()].concat())
}

const SHA256: (&str, fn() -> MessageDigest) = ("2.16.840.1.101.3.4.2.1", MessageDigest::sha256);
const SHA384: (&str, fn() -> MessageDigest) = ("2.16.840.1.101.3.4.2.2", MessageDigest::sha384);
const SHA512: (&str, fn() -> MessageDigest) = ("2.16.840.1.101.3.4.2.3", MessageDigest::sha512);

/// An algorithm, and how to sign with it.
struct Scheme {
    name: &'static str,
    identifier: Vec<u8>,
    key: fn() -> PKey<Private>,
    sign: Sign,
}

type Sign = Box<dyn Fn(&PKey<Private>, &[u8]) -> Vec<u8>>;

fn rsa() -> PKey<Private> {
    PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap()
}

fn p256() -> PKey<Private> {
    support::pki::new_key()
}

fn p521() -> PKey<Private> {
    PKey::from_ec_key(EcKey::generate(&EcGroup::from_curve_name(Nid::SECP521R1).unwrap()).unwrap()).unwrap()
}

fn with_digest(
    name: &'static str,
    dotted: &str,
    key: fn() -> PKey<Private>,
    digest: fn() -> MessageDigest,
    parameters: &[u8],
) -> Scheme {
    let sign = move |key: &PKey<Private>, data: &[u8]| Signer::new(digest(), key).unwrap().sign_oneshot_to_vec(data).unwrap();
    Scheme { name, identifier: identifier(dotted, parameters), key, sign: Box::new(sign) }
}

fn edwards(name: &'static str, dotted: &str, key: fn() -> PKey<Private>) -> Scheme {
    let sign = |key: &PKey<Private>, data: &[u8]| Signer::new_without_digest(key).unwrap().sign_oneshot_to_vec(data).unwrap();
    Scheme { name, identifier: identifier(dotted, &[]), key, sign: Box::new(sign) }
}

fn pss(digest: (&str, fn() -> MessageDigest), mask: (&str, fn() -> MessageDigest), salt: u8) -> Scheme {
    let parameters = [
        encode(0xA0, &identifier(digest.0, &[])),
        encode(0xA1, &identifier("1.2.840.113549.1.1.8", &identifier(mask.0, &[5, 0]))),
        encode(0xA2, &[2, 1, salt]),
    ];
    let (digest, mask) = (digest.1, mask.1);
    let sign = move |key: &PKey<Private>, data: &[u8]| {
        let mut signer = Signer::new(digest(), key).unwrap();
        signer.set_rsa_padding(Padding::PKCS1_PSS).unwrap();
        signer.set_rsa_mgf1_md(mask()).unwrap();
        signer.set_rsa_pss_saltlen(RsaPssSaltlen::custom(salt.into())).unwrap();
        signer.sign_oneshot_to_vec(data).unwrap()
    };
    let identifier = identifier("1.2.840.113549.1.1.10", &encode(tag::SEQUENCE, &parameters.concat()));
    Scheme { name: "RSASSA-PSS", identifier, key: rsa, sign: Box::new(sign) }
}

fn schemes() -> Vec<Scheme> {
    let null = &[5, 0];
    vec![
        with_digest("sha256WithRSAEncryption", "1.2.840.113549.1.1.11", rsa, MessageDigest::sha256, null),
        with_digest("sha384WithRSAEncryption", "1.2.840.113549.1.1.12", rsa, MessageDigest::sha384, null),
        with_digest("sha512WithRSAEncryption", "1.2.840.113549.1.1.13", rsa, MessageDigest::sha512, null),
        with_digest("ecdsa-with-SHA256", "1.2.840.10045.4.3.2", p256, MessageDigest::sha256, &[]),
        with_digest("ecdsa-with-SHA384", "1.2.840.10045.4.3.3", p256, MessageDigest::sha384, &[]),
        with_digest("ecdsa-with-SHA512", "1.2.840.10045.4.3.4", p521, MessageDigest::sha512, &[]),
        edwards("Ed25519", "1.3.101.112", || PKey::generate_ed25519().unwrap()),
        edwards("Ed448", "1.3.101.113", || PKey::generate_ed448().unwrap()),
        pss(SHA256, SHA256, 32),
        pss(SHA384, SHA384, 48),
        pss(SHA512, SHA512, 20),
        pss(SHA256, SHA512, 0),
    ]
}

/// What we say, having made sure that OpenSSL says the same of the whole list.
#[track_caller]
fn is_signed(der: &[u8], issuer: &Ca, what: &str) -> bool {
    let list = Arc::new(CrlIndex::from_der(der).unwrap());
    let ours = RevocationLists::new(vec![]).put(&list, &issuer.certificate) == Put::Added;
    let key = issuer.certificate.public_key().unwrap();
    let theirs = X509Crl::from_der(der).unwrap().verify(&key).unwrap_or(false);
    assert_eq!(ours, theirs, "{what}");
    ours
}

#[test]
fn every_algorithm_with_the_right_key_the_wrong_key_and_changed_octets() {
    let root = Ca::root("Root");
    for scheme in schemes() {
        // Two certificates of one name and no key identifier in the list: only the signature tells them apart.
        let issuer = root.certify("Issuing", (scheme.key)(), Dates::VALID);
        let namesake = root.certify("Issuing", (scheme.key)(), Dates::VALID);
        let list = CrlWriter {
            algorithms: [scheme.identifier.clone(), scheme.identifier.clone()],
            extensions: vec![],
            ..CrlWriter::of(&issuer.certificate, NOW).entry(&[7], NOW, &[reason(1)])
        };
        let signature = (scheme.sign)(&issuer.key, &list.signed_part());
        let der = list.finish(&signature);
        assert_eq!(CrlIndex::from_der(&der).unwrap().signature_algorithm(), scheme.name);
        assert!(is_signed(&der, &issuer, scheme.name), "{}", scheme.name);
        assert!(!is_signed(&der, &namesake, scheme.name), "{}: another key", scheme.name);
        assert!(!is_signed(&der, &root.intermediate("Issuing"), scheme.name), "{}: a key of P-256", scheme.name);
        let other_entry = CrlWriter { entries: vec![], ..list.clone() }.entry(&[8], NOW, &[reason(1)]);
        assert!(!is_signed(&other_entry.finish(&signature), &issuer, scheme.name), "{}: another entry", scheme.name);
        for (at, bit) in [(0, 1), (signature.len() / 2, 0x10), (signature.len() - 1, 0x80)] {
            let mut changed = signature.clone();
            changed[at] ^= bit;
            assert!(!is_signed(&list.finish(&changed), &issuer, scheme.name), "{}: octet {at}", scheme.name);
        }
        for wrong in [&[][..], &[0; 64], &signature[1..]] {
            assert!(!is_signed(&list.finish(wrong), &issuer, scheme.name), "{}", scheme.name);
        }
    }
}

#[test]
fn an_algorithm_does_not_pass_for_another() {
    let root = Ca::root("Root");
    let issuer = root.certify("Issuing", rsa(), Dates::VALID);
    let relabel = |identifier: &[u8]| CrlWriter {
        algorithms: [identifier.to_vec(), identifier.to_vec()],
        ..CrlWriter::of(&issuer.certificate, NOW)
    };
    for scheme in schemes() {
        let list = relabel(&scheme.identifier);
        let rsa = Signer::new(MessageDigest::sha256(), &issuer.key).unwrap().sign_oneshot_to_vec(&list.signed_part()).unwrap();
        assert_eq!(is_signed(&list.finish(&rsa), &issuer, scheme.name), scheme.name == "sha256WithRSAEncryption");
    }
}

#[test]
fn weak_and_unknown_algorithms_are_refused() {
    let root = Ca::root("Root");
    let sha1 = identifier("1.3.14.3.2.26", &[5, 0]);
    let mgf1 = |hash: &[u8]| encode(0xA1, &identifier("1.2.840.113549.1.1.8", hash));
    let pss = |parts: &[Vec<u8>]| identifier("1.2.840.113549.1.1.10", &encode(tag::SEQUENCE, &parts.concat()));
    let sha256 = identifier(SHA256.0, &[]);
    let salt = encode(0xA2, &[2, 1, 32]);
    let weak = [
        identifier("1.2.840.113549.1.1.5", &[5, 0]),
        identifier("1.2.840.113549.1.1.4", &[5, 0]),
        identifier("1.2.840.10040.4.3", &[]),
        identifier("1.2.840.113549.1.1.11", &[4, 0]),
        pss(&[]),
        pss(&[encode(0xA0, &sha256), salt.clone()]),
        pss(&[encode(0xA0, &sha1), mgf1(&sha256), salt.clone()]),
        pss(&[encode(0xA0, &sha256), mgf1(&sha1), salt.clone()]),
        pss(&[encode(0xA0, &sha256), mgf1(&sha256), encode(0xA2, &[2, 1, 0x80])]),
        pss(&[encode(0xA0, &sha256), mgf1(&sha256), salt, encode(0xA3, &[2, 1, 2])]),
        identifier("1.2.840.113549.1.1.10", &[]),
    ];
    for algorithm in weak {
        let list = CrlWriter { algorithms: [algorithm.clone(), algorithm], ..CrlWriter::of(&root.certificate, NOW) };
        assert!(matches!(CrlIndex::from_der(&list.sign(&root.key)), Err(CrlError::SignatureAlgorithm(_))));
    }
    assert!(CrlIndex::from_der(&CrlWriter::of(&root.certificate, NOW).sign(&root.key)).is_ok());
    assert_eq!(identifier("1.2.840.10045.4.3.2", &[]), ECDSA_SHA256);
}
