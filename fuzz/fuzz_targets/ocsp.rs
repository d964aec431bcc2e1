//! Octets as an OCSP answer: as they are, or signed by the issuer.
//!
//! As they are: an answer is believed only if what it signs is what the fixture signed. Signed: OpenSSL finds the same status.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use openssl::hash::MessageDigest;
use openssl::ocsp::{OcspCertId, OcspCertStatus, OcspResponse};
use vestibule::x509::ocsp::{NonceCheck, OcspAnswer, OcspLimits, OcspStatus};
use vestibule_fuzz::fixture::{Pki, signed_by_issuer, signed_part};
use vestibule_fuzz::support::pki::NOW;

struct Fixture {
    pki: Pki,
    signed_as_good: Vec<Vec<u8>>,
}

fuzz_target!(|input: &[u8]| {
    static FIXTURE: OnceLock<Fixture> = OnceLock::new();
    let fixture = FIXTURE.get_or_init(|| {
        let pki = Pki::default();
        Fixture { signed_as_good: pki.signed_as_good(), pki }
    });
    let Some((&how, octets)) = input.split_first() else { return };
    let (leaf, issuer) = (&fixture.pki.leaf, &fixture.pki.issuing.certificate);
    let read = |der: &[u8]| OcspAnswer::read(der, leaf, issuer, NonceCheck::default(), OcspLimits::default(), NOW);
    if how & 1 == 0 {
        let answer = read(octets);
        let kept = OcspAnswer::read_kept(octets, leaf, issuer, OcspLimits::default(), NOW);
        let signed = signed_part(octets);
        for answer in [&answer, &kept].into_iter().flatten() {
            let genuine = fixture.signed_as_good.iter().any(|good| signed == Some(good));
            assert!(answer.status() != OcspStatus::Good || genuine, "nobody has signed that");
        }
        assert!(answer.is_err() || kept.is_ok(), "what is believed now is believed again");
    } else {
        let der = signed_by_issuer(octets, &fixture.pki.issuing.key);
        if let Ok(answer) = read(&der) {
            assert_eq!(Some(kind(answer.status())), theirs(&der, fixture), "OpenSSL finds another status");
        }
    }
});

fn kind(status: OcspStatus) -> i32 {
    match status {
        OcspStatus::Good => OcspCertStatus::GOOD.as_raw(),
        OcspStatus::Revoked { .. } => OcspCertStatus::REVOKED.as_raw(),
        OcspStatus::Unknown => OcspCertStatus::UNKNOWN.as_raw(),
    }
}

fn theirs(der: &[u8], fixture: &Fixture) -> Option<i32> {
    let basic = OcspResponse::from_der(der).ok()?.basic().ok()?;
    [MessageDigest::sha1(), MessageDigest::sha256()].into_iter().find_map(|digest| {
        let id = OcspCertId::from_cert(digest, &fixture.pki.leaf, &fixture.pki.issuing.certificate).ok()?;
        basic.find_status(&id).map(|found| found.status.as_raw())
    })
}
