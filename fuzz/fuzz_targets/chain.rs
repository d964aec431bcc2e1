//! A certificate, what is presented beside it, anchors and CRLs, as `chain_input` writes them, through the verifier.
//!
//! What is accepted must be right by a second reading, x509-parser's: who issued whom, dates, CA flags, purposes, critical
//! extensions, path lengths, and that no list names the certificate. Another validator is not asked: rustls-webpki refuses much
//! that is good, and takes CAs that may not sign.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use openssl::x509::{X509, X509Crl};
use vestibule::clock::UnixTime;
use vestibule::verifier::cache::CachedVerifier;
use vestibule::verifier::{
    Purpose, RevocationCheckMode, TrustedCas, Verification, VerificationSettings, optional_no_ca_text, verify,
};
use vestibule::x509::certificate::Certificate;
use vestibule::x509::ocsp_answers::OcspAnswers;
use vestibule::x509::trusted_ca::{Source, TrustMaterial, TrustOptions};
use vestibule_fuzz::chain_input::{self, Keys, Kind, Piece};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;
use x509_parser::revocation_list::{CertificateRevocationList, RevokedCertificate};

/// The instant of tests/support/pki.rs, with which the seeds are made.
const NOW: UnixTime = UnixTime(1_768_478_400);

/// Critical extensions that the verifier may know (RFC 5280 §4.2).
const KNOWN: [&str; 10] = [
    "2.5.29.14",
    "2.5.29.15",
    "2.5.29.17",
    "2.5.29.19",
    "2.5.29.30",
    "2.5.29.32",
    "2.5.29.33",
    "2.5.29.36",
    "2.5.29.37",
    "2.5.29.54",
];
/// Those that say nothing about the path, and that OpenSSL reads: CRL distribution points, authority key identifier.
const HARMLESS: [&str; 2] = ["2.5.29.31", "2.5.29.35"];

fuzz_target!(|input: &[u8]| {
    static KEYS: OnceLock<Keys> = OnceLock::new();
    let Some((octet, pieces)) = chain_input::read(input, KEYS.get_or_init(Keys::default)) else { return };
    let Some(leaf) = certificates(&pieces, Kind::Leaf).into_iter().next() else { return };
    let presented = certificates(&pieces, Kind::Presented);
    let sources = |kind: Kind| -> Vec<Source> {
        let of_kind = pieces.iter().filter(|piece| piece.kind == kind);
        of_kind.map(|piece| Source { origin: "input".into(), der: piece.der.clone() }).collect()
    };
    let material =
        TrustMaterial { anchors: sources(Kind::Anchor), intermediates: sources(Kind::Intermediate), crls: sources(Kind::Crl) };
    let options = TrustOptions { allow_partial_chain: octet & 1 != 0, x509_strict: octet & 2 == 0, ..TrustOptions::default() };
    // OpenSSL loses the memory of these; they are allowed in a configuration, which is read once.
    if material.anchors.iter().chain(&material.intermediates).any(|source| leaks(&source.der)) {
        return;
    }
    let Ok((trust, _)) = TrustedCas::build_leaving_out(&material, options, NOW) else { return };
    let settings = settings(octet);
    let found = verify(&leaf, &presented, &trust, &settings, NOW);
    consistent(&found, &trust);
    let cached = CachedVerifier::new(4);
    let (identified, answers) = (settings.clone().into(), OcspAnswers::new(1));
    for _ in 0..2 {
        assert_eq!(cached.verify(&leaf, &presented, &trust, &answers, &identified, NOW).text(), found.text());
    }
    let _ = optional_no_ca_text(&leaf, &presented, NOW);
    if found.is_success() {
        right(&found, &leaf, &settings, &trust, &material.crls);
    }
});

fn settings(octet: u8) -> VerificationSettings {
    VerificationSettings {
        purpose: if octet & 4 == 0 { Purpose::Client } else { Purpose::Any },
        revocation_check_mode: match (octet >> 3) & 3 {
            0 | 1 => RevocationCheckMode::IgnoreCaError,
            2 => RevocationCheckMode::Strict,
            _ => RevocationCheckMode::Skip,
        },
        allow_stale_crl: octet & 32 != 0,
        allow_v1: octet & 64 != 0,
        ..VerificationSettings::default()
    }
}

fn certificates(pieces: &[Piece], kind: Kind) -> Vec<Certificate> {
    pieces.iter().filter(|piece| piece.kind == kind).filter_map(|piece| Certificate::from_der(&piece.der).ok()).collect()
}

/// Policy constraints (2.5.29.36) without certificate policies (2.5.29.32).
fn leaks(der: &[u8]) -> bool {
    let has = |last: u8| der.windows(5).any(|octets| octets == [0x06, 0x03, 0x55, 0x1D, last]);
    has(0x24) && !has(0x20)
}

/// What holds of every verification.
fn consistent(found: &Verification, trust: &TrustedCas) {
    let waivable =
        [found.is_success(), found.is_exactly_expired(), found.is_exactly_revoked(), found.is_expired_and_revoked_only()];
    assert!(waivable.iter().filter(|holds| **holds).count() <= 1, "{found:?}");
    assert_eq!(found.text() == "SUCCESS", found.is_success());
    assert!(found.is_success() || found.text().starts_with("FAILED:"));
    assert!(found.holds_from() <= NOW && NOW < found.holds_until());
    assert!(found.errors().is_sorted());
    if let Some(anchor) = found.anchor() {
        assert!(trust.anchors().any(|other| other == anchor), "an anchor of the set");
    }
    if waivable.contains(&true) {
        assert!(found.anchor().is_some());
    }
}

/// What holds of every one that is accepted.
fn right(found: &Verification, leaf: &Certificate, settings: &VerificationSettings, trust: &TrustedCas, lists: &[Source]) {
    let path = found.path();
    assert_eq!(path.first().unwrap().to_der().unwrap(), leaf.der());
    for pair in path.windows(2) {
        let [below, above] = pair else { unreachable!() };
        assert!(below.issuer_name().try_cmp(above.subject_name()).unwrap().is_eq(), "names chain");
        assert!(below.verify(&above.public_key().unwrap()).unwrap(), "signatures chain");
    }
    for (depth, certificate) in path.iter().enumerate() {
        let der = certificate.to_der().unwrap();
        let (rest, read) = X509Certificate::from_der(&der).expect("another reader reads it");
        assert!(rest.is_empty());
        // OpenSSL takes the second of notAfter for past.
        assert!(read.validity().not_before.timestamp() <= NOW.0 && NOW.0 <= read.validity().not_after.timestamp(), "dates");
        sound_extensions(&read, depth, path, settings);
    }
    if settings.revocation_check_mode != RevocationCheckMode::Skip {
        for pair in path.windows(2) {
            let [below, above] = pair else { unreachable!() };
            assert!(!is_listed(below, above, trust, lists), "listed as revoked");
        }
    }
}

/// The only list there is speaks for this issuer, in plain words, and names the certificate.
fn is_listed(certificate: &X509, issuer: &X509, trust: &TrustedCas, lists: &[Source]) -> bool {
    let (current, [list]) = (trust.revocation_lists().current(), lists) else { return false };
    let ([index], Ok(theirs)) = (current.lists(), X509Crl::from_der(&list.der)) else { return false };
    let Ok((_, read)) = CertificateRevocationList::from_der(&list.der) else { return false };
    let issuer_der = issuer.to_der().unwrap();
    let issuer_read = X509Certificate::from_der(&issuer_der).unwrap().1;
    let may_sign = issuer_read.key_usage().is_ok_and(|usage| usage.is_none_or(|usage| usage.value.crl_sign()));
    let key_id = issuer.subject_key_id().map(|id| id.as_slice().to_vec());
    let same_key = index.authority_key().is_none() || key_id.is_none() || index.authority_key() == key_id.as_deref();
    let speaks = read.tbs_cert_list.issuer.as_raw() == issuer_read.subject().as_raw()
        && may_sign
        && same_key
        && read.extensions().iter().all(|extension| !extension.critical)
        && index.this_update() <= NOW
        && NOW < index.next_update()
        && theirs.verify(&issuer.public_key().unwrap()).unwrap_or(false);
    let der = certificate.to_der().unwrap();
    let serial = X509Certificate::from_der(&der).unwrap().1.raw_serial().to_vec();
    let names = |entry: &RevokedCertificate<'_>| {
        entry.raw_serial() == serial && entry.reason_code().is_none_or(|(_, code)| code.0 != 8)
    };
    speaks && read.iter_revoked_certificates().any(names)
}

fn sound_extensions(read: &X509Certificate<'_>, depth: usize, path: &[X509], settings: &VerificationSettings) {
    let is_anchor = depth + 1 == path.len();
    let critical =
        read.extensions().iter().filter(|extension| extension.critical).map(|extension| extension.oid.to_id_string());
    // An anchor is a name and a key; OpenSSL looks at its extensions all the same.
    for oid in critical {
        assert!(KNOWN.contains(&oid.as_str()) || HARMLESS.contains(&oid.as_str()), "critical {oid} at {depth}");
    }
    let usage = read.key_usage().expect("one key usage").map(|usage| usage.value);
    let constraints = read.basic_constraints().expect("one basicConstraints").map(|constraints| constraints.value);
    let extended = read.extended_key_usage().expect("one extended key usage").map(|usage| usage.value);
    if settings.purpose == Purpose::Client && !is_anchor {
        assert!(extended.is_none_or(|extended| extended.client_auth || (depth > 0 && extended.any)), "clientAuth at {depth}");
    }
    if depth == 0 {
        assert!(!constraints.is_some_and(|constraints| constraints.ca), "a client is no CA");
        let usable = |usage: &x509_parser::extensions::KeyUsage| usage.digital_signature() || usage.key_agreement();
        assert!(settings.purpose == Purpose::Any || usage.is_none_or(usable), "key usage of a client");
    } else if !is_anchor {
        let constraints = constraints.expect("a CA says so");
        assert!(constraints.ca && usage.is_none_or(|usage| usage.key_cert_sign()), "a CA may sign");
        let below = path.iter().take(depth).skip(1).filter(|ca| !is_self_issued(ca)).count();
        let most = constraints.path_len_constraint.unwrap_or(u32::MAX);
        assert!(below <= most as usize, "path length at {depth}");
    }
}

fn is_self_issued(ca: &X509) -> bool {
    ca.subject_name().try_cmp(ca.issuer_name()).is_ok_and(std::cmp::Ordering::is_eq)
}
