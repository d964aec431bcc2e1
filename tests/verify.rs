//! The verifier on certificates of our own: what each kind of trouble looks like, alone and together.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support {
    pub(crate) mod pki;
}

use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::PKey;
use openssl::rsa::Rsa;
use openssl::x509::X509;
use support::pki::{Ca, DAY, Dates, Extra, Leaf, NOW, certificate, material, new_key, self_signed, trust};
use vestibule::clock::UnixTime;
use vestibule::verifier::cache::CachedVerifier;
use vestibule::verifier::{
    ChainFinding, Purpose, PurposeFinding, RevocationCheckMode, RevocationFinding, ValidityFinding, Verification,
    VerificationSettings, verify,
};
use vestibule::x509::ocsp_answers::OcspAnswers;
use vestibule::x509::trusted_ca::{TrustOptions, TrustedCas};

fn check(leaf: &X509, chain: &[&Ca], trust: &TrustedCas) -> Verification {
    check_with(leaf, chain, trust, &VerificationSettings::default(), NOW)
}

fn check_with(leaf: &X509, chain: &[&Ca], trust: &TrustedCas, settings: &VerificationSettings, now: UnixTime) -> Verification {
    let chain: Vec<_> = chain.iter().map(|ca| certificate(&ca.certificate)).collect();
    verify(&certificate(leaf), &chain, trust, settings, now)
}

fn mode(mode: RevocationCheckMode) -> VerificationSettings {
    VerificationSettings { revocation_check_mode: mode, ..VerificationSettings::default() }
}

fn codes(verification: &Verification) -> Vec<(i32, u32)> {
    verification.errors().iter().map(|error| (error.code, error.depth)).collect()
}

#[track_caller]
fn assert_not_waivable(verification: &Verification) {
    assert!(!verification.is_success(), "{verification:?}");
    assert!(!verification.is_exactly_expired(), "{verification:?}");
    assert!(!verification.is_exactly_revoked(), "{verification:?}");
    assert!(!verification.is_expired_and_revoked_only(), "{verification:?}");
}

#[test]
fn a_good_certificate_has_four_good_findings() {
    let root = Ca::root("Root");
    let trust = trust(&[&root], &[], &[root.crl(&[])]);
    let verification = check(&root.issue(&Leaf::named("client")), &[], &trust);
    assert!(verification.is_success());
    assert_eq!(verification.text(), "SUCCESS");
    assert_eq!(verification.chain(), ChainFinding::Trusted);
    assert_eq!(verification.validity(), ValidityFinding::Valid);
    assert_eq!(verification.purpose(), PurposeFinding::Suitable);
    assert_eq!(verification.revocation(), RevocationFinding::NotRevoked);
    assert_eq!(verification.anchor(), trust.anchors().next());
    assert_eq!(verification.path().len(), 2);
}

#[test]
fn an_expired_genuine_certificate_is_exactly_expired() {
    let root = Ca::root("Root");
    let verification = check(&root.issue(&Leaf::expired("client")), &[], &trust(&[&root], &[], &[]));
    assert_eq!(codes(&verification), [(10, 0)]);
    assert!(verification.is_exactly_expired());
    assert!(!verification.is_success());
    assert!(!verification.is_exactly_revoked() && !verification.is_expired_and_revoked_only());
    assert_eq!(verification.chain(), ChainFinding::Trusted);
    assert!(matches!(verification.validity(), ValidityFinding::Expired(reason) if reason.depth == 0));
    assert_eq!(verification.text(), "FAILED:certificate has expired");
}

#[test]
fn an_expired_forgery_is_a_broken_chain_and_expired() {
    let root = Ca::root("Root");
    let verification = check(&root.forge(&Leaf::expired("client")), &[], &trust(&[&root], &[], &[]));
    assert_not_waivable(&verification);
    assert!(matches!(verification.chain(), ChainFinding::Failed(_)));
    assert!(matches!(verification.validity(), ValidityFinding::Expired(_)));
    assert_eq!(verification.text(), "FAILED:certificate signature failure");
    assert_eq!(verification.anchor(), None);
}

#[test]
fn a_revoked_certificate_is_exactly_revoked() {
    let root = Ca::root("Root");
    let trust = trust(&[&root], &[], &[root.crl(&[1000])]);
    let verification = check(&root.issue(&Leaf::named("client")), &[], &trust);
    assert_eq!(codes(&verification), [(23, 0)]);
    assert!(verification.is_exactly_revoked() && !verification.is_exactly_expired());
    assert_eq!(verification.text(), "FAILED:certificate revoked");
    let other = check(&root.issue(&Leaf { serial: 1001, ..Leaf::named("client") }), &[], &trust);
    assert!(other.is_success());
}

#[test]
fn revoked_and_expired_are_both_told() {
    let root = Ca::root("Root");
    let trust = trust(&[&root], &[], &[root.crl(&[1000])]);
    let verification = check(&root.issue(&Leaf::expired("client")), &[], &trust);
    assert_eq!(codes(&verification), [(10, 0), (23, 0)]);
    assert!(verification.is_expired_and_revoked_only());
    assert!(!verification.is_exactly_expired() && !verification.is_exactly_revoked());
    assert_eq!(verification.text(), "FAILED:certificate revoked");
}

#[test]
fn untrusted_certificates_never_become_waivable() {
    let (root, stranger) = (Ca::root("Root"), Ca::root("Stranger"));
    let trust = trust(&[&root], &[], &[root.crl(&[1000])]);
    let sham_root = Ca::root("Root");
    let cases = [
        (stranger.issue(&Leaf::expired("client")), vec![], "FAILED:unable to verify the first certificate"),
        (stranger.issue(&Leaf::expired("client")), vec![&stranger], "FAILED:self-signed certificate in certificate chain"),
        (self_signed(&Leaf::expired("client")), vec![], "FAILED:self-signed certificate"),
        (sham_root.issue(&Leaf::expired("client")), vec![&sham_root], "FAILED:self-signed certificate in certificate chain"),
    ];
    for (leaf, chain, text) in cases {
        let verification = check(&leaf, &chain, &trust);
        assert_not_waivable(&verification);
        assert_eq!(verification.text(), text);
        assert!(matches!(verification.validity(), ValidityFinding::Expired(_)));
        assert_eq!(verification.revocation(), RevocationFinding::NotChecked);
        assert_eq!(verification.anchor(), None);
    }
}

#[test]
fn a_server_certificate_is_for_another_purpose() {
    let root = Ca::root("Root");
    let trust = trust(&[&root], &[], &[]);
    let leaf = root.issue(&Leaf { client_auth: false, ..Leaf::expired("server") });
    let verification = check(&leaf, &[], &trust);
    assert_not_waivable(&verification);
    assert_eq!(codes(&verification), [(10, 0), (26, 0)]);
    assert_eq!(verification.text(), "FAILED:unsuitable certificate purpose");
    assert_eq!(verification.chain(), ChainFinding::Trusted);
    for purpose in [Purpose::Any, Purpose::Server] {
        let settings = VerificationSettings { purpose, ..VerificationSettings::default() };
        assert!(check_with(&leaf, &[], &trust, &settings, NOW).is_exactly_expired(), "{purpose:?}");
    }
}

#[test]
fn a_ca_certificate_is_no_client_certificate() {
    let root = Ca::root("Root");
    let trust = trust(&[&root], &[], &[]);
    let verification = check(&root.issue(&Leaf { ca: true, ..Leaf::named("sub ca") }), &[], &trust);
    assert_not_waivable(&verification);
    assert!(codes(&verification).contains(&(50, 0)));
    assert!(verification.remarks()[0].contains("of a CA"));
}

#[test]
fn an_anchor_does_not_pass_as_its_own_client() {
    let root = Ca::root("Root");
    assert_not_waivable(&check(&root.certificate, &[&root], &trust(&[&root], &[], &[])));
    let pinned = self_signed(&Leaf::named("client"));
    let problems = TrustedCas::build(
        &material(&[&Ca { certificate: pinned, key: new_key() }], &[], &[]),
        TrustOptions { allow_partial_chain: true, ..TrustOptions::default() },
        NOW,
    );
    assert!(problems.err().unwrap()[0].sentence.contains("is not the certificate of a CA"));
}

#[test]
fn a_missing_intermediate_is_told_and_a_presented_or_configured_one_helps() {
    let root = Ca::root("Root");
    let intermediate = root.intermediate("Intermediate");
    let leaf = intermediate.issue(&Leaf::named("client"));
    let bare = trust(&[&root], &[], &[]);
    assert_eq!(check(&leaf, &[], &bare).text(), "FAILED:unable to verify the first certificate");
    assert!(check(&leaf, &[&intermediate], &bare).is_success());
    assert!(check(&leaf, &[&root, &Ca::root("Noise"), &intermediate], &bare).is_success(), "any order, any noise");
    assert!(check(&leaf, &[], &trust(&[&root], &[&intermediate], &[])).is_success());
}

#[test]
fn an_intermediate_is_an_anchor_only_with_partial_chains() {
    let root = Ca::root("Root");
    let intermediate = root.intermediate("Intermediate");
    let leaf = intermediate.issue(&Leaf::named("client"));
    let material = material(&[&root, &intermediate], &[], &[]);
    let whole = TrustedCas::build(&material, TrustOptions::default(), NOW).ok().unwrap();
    assert!(whole.warnings()[0].sentence.contains("allow_partial_chain"));
    assert_eq!(check(&leaf, &[], &whole).path().len(), 3);
    let options = TrustOptions { allow_partial_chain: true, ..TrustOptions::default() };
    let partial = TrustedCas::build(&material, options, NOW).ok().unwrap();
    assert_eq!(check(&leaf, &[], &partial).path().len(), 2);
    assert_ne!(whole.identity(), partial.identity());
}

#[test]
fn a_cross_signed_ca_is_followed_to_the_trusted_side() {
    let (old, new) = (Ca::root("Old"), Ca::root("New"));
    let from_old = old.intermediate("Issuing");
    let from_new = new.certify("Issuing", from_old.key.clone(), Dates::VALID);
    let expired_from_new = new.certify("Issuing", from_old.key.clone(), Dates::EXPIRED);
    let leaf = from_old.issue(&Leaf::named("client"));
    let trust = trust(&[&new], &[], &[]);
    assert!(check(&leaf, &[&old, &from_old, &expired_from_new, &from_new], &trust).is_success());
    assert!(check(&leaf, &[&from_new, &expired_from_new, &from_old, &old], &trust).is_success());
    let only_expired = check(&leaf, &[&from_old, &expired_from_new], &trust);
    assert_eq!(codes(&only_expired), [(10, 1)]);
    assert_not_waivable(&only_expired);
}

#[test]
fn an_expired_intermediate_or_root_is_not_an_expired_client() {
    let root = Ca::root("Root");
    let intermediate = root.certify("Intermediate", new_key(), Dates::EXPIRED);
    let leaf = intermediate.issue(&Leaf::named("client"));
    let verification = check(&leaf, &[&intermediate], &trust(&[&root], &[], &[]));
    assert_eq!(codes(&verification), [(10, 1)]);
    assert_not_waivable(&verification);
    let old_root = Ca::self_signed("Old root", new_key(), Dates::EXPIRED);
    let old_trust = trust(&[&old_root], &[], &[]);
    assert!(old_trust.warnings()[0].sentence.contains("has expired"));
    assert_not_waivable(&check(&old_root.issue(&Leaf::expired("client")), &[], &old_trust));
}

#[test]
fn a_certificate_of_tomorrow_is_not_waivable() {
    let root = Ca::root("Root");
    let leaf = root.issue(&Leaf { dates: Dates::NOT_YET, ..Leaf::named("client") });
    let verification = check(&leaf, &[], &trust(&[&root], &[], &[]));
    assert_eq!(codes(&verification), [(9, 0)]);
    assert!(matches!(verification.validity(), ValidityFinding::NotYetValid(_)));
    assert_not_waivable(&verification);
}

#[test]
fn not_after_is_exclusive_and_not_before_inclusive() {
    let root = Ca::self_signed("Root", new_key(), Dates(NOW.0 - 10 * DAY, NOW.0 + 10 * DAY));
    let trust = trust(&[&root], &[], &[]);
    let leaf = root.issue(&Leaf { dates: Dates(NOW.0, NOW.0 + 100), ..Leaf::named("client") });
    for (second, good) in [(-1, false), (0, true), (99, true), (100, false)] {
        let verification = check_with(&leaf, &[], &trust, &VerificationSettings::default(), NOW.plus(second));
        assert_eq!(verification.is_success(), good, "{second}");
        assert!(verification.holds_from() <= NOW.plus(second) && NOW.plus(second) < verification.holds_until());
    }
}

#[test]
fn crl_trouble_by_mode() {
    use RevocationCheckMode::{IgnoreCaError, Skip, Strict};
    let (root, other) = (Ca::root("Root"), Ca::root("Other"));
    let leaf = root.issue(&Leaf::named("client"));
    let stale = root.crl_signed_by(&root.key, &[], Dates(NOW.0 - 9 * DAY, NOW.0 - DAY));
    let wrong_key = root.crl_signed_by(&new_key(), &[], Dates(NOW.0 - DAY, NOW.0 + DAY));
    let cases: [(&str, Vec<Vec<u8>>, RevocationCheckMode, &str); 12] = [
        ("none", vec![], Skip, "SUCCESS"),
        ("none", vec![], IgnoreCaError, "SUCCESS"),
        ("none", vec![], Strict, "FAILED:unable to get certificate CRL"),
        ("of another CA", vec![other.crl(&[])], Skip, "SUCCESS"),
        ("of another CA", vec![other.crl(&[])], IgnoreCaError, "SUCCESS"),
        ("of another CA", vec![other.crl(&[])], Strict, "FAILED:unable to get certificate CRL"),
        ("stale", vec![stale.clone()], Skip, "SUCCESS"),
        ("stale", vec![stale.clone()], IgnoreCaError, "FAILED:CRL has expired"),
        ("stale", vec![stale], Strict, "FAILED:CRL has expired"),
        ("wrong key", vec![wrong_key.clone()], IgnoreCaError, "FAILED:CRL signature failure"),
        ("wrong key", vec![wrong_key], Strict, "FAILED:CRL signature failure"),
        ("good", vec![root.crl(&[])], Strict, "SUCCESS"),
    ];
    for (what, crls, revocation, text) in cases {
        let verification = check_with(&leaf, &[], &trust(&[&root], &[], &crls), &mode(revocation), NOW);
        assert_eq!(verification.text(), text, "{what} {revocation:?}");
    }
}

#[test]
fn a_tolerated_unknown_status_is_told_and_does_not_refuse() {
    let (root, other) = (Ca::root("Root"), Ca::root("Other"));
    let trust = trust(&[&root], &[], &[other.crl(&[])]);
    let good = check(&root.issue(&Leaf::named("client")), &[], &trust);
    assert!(matches!(good.revocation(), RevocationFinding::UnknownTolerated(reason) if reason.code == 3));
    assert!(good.is_success());
    assert!(check(&root.issue(&Leaf::expired("client")), &[], &trust).is_exactly_expired());
    let strict = mode(RevocationCheckMode::Strict);
    assert_not_waivable(&check_with(&root.issue(&Leaf::expired("client")), &[], &trust, &strict, NOW));
}

#[test]
fn a_stale_crl_passes_by_its_own_switch_and_still_revokes() {
    let root = Ca::root("Root");
    let stale = root.crl_signed_by(&root.key, &[1000], Dates(NOW.0 - 9 * DAY, NOW.0 - DAY));
    let trust = trust(&[&root], &[], &[stale]);
    let allow = VerificationSettings { allow_stale_crl: true, ..VerificationSettings::default() };
    let listed = check_with(&root.issue(&Leaf::named("client")), &[], &trust, &allow, NOW);
    assert!(listed.is_exactly_revoked());
    let free = root.issue(&Leaf { serial: 7, ..Leaf::named("client") });
    assert!(check_with(&free, &[], &trust, &allow, NOW).is_success());
    let strict = VerificationSettings { revocation_check_mode: RevocationCheckMode::Strict, ..allow };
    assert_eq!(check_with(&free, &[], &trust, &strict, NOW).text(), "FAILED:CRL has expired");
}

#[test]
fn a_revoked_intermediate_refuses_and_is_not_waivable() {
    let root = Ca::root("Root");
    let intermediate = root.intermediate("Intermediate");
    let serial: u32 = intermediate.certificate.serial_number().to_bn().unwrap().to_dec_str().unwrap().parse().unwrap();
    let trust = trust(&[&root], &[], &[root.crl(&[serial]), intermediate.crl(&[])]);
    let verification = check(&intermediate.issue(&Leaf::named("client")), &[&intermediate], &trust);
    assert_eq!(codes(&verification), [(23, 1)]);
    assert_not_waivable(&verification);
}

/// nameConstraints: excludedSubtrees with one dNSName.
const EXCLUDES_BAD_EXAMPLE: &[u8] = b"\x30\x11\xa1\x0f\x30\x0d\x82\x0bbad.example";

#[test]
fn wildcards_do_not_slip_past_what_a_ca_excludes() {
    let root = Ca::root("Root");
    let excluding = root.intermediate_with("Excluding", &[("2.5.29.30", true, EXCLUDES_BAD_EXAMPLE.to_vec())]);
    let plain = root.intermediate("Plain");
    let trust = trust(&[&root], &[], &[]);
    let named = |ca: &Ca, host: &str| check(&ca.issue(&Leaf { dns: vec![host.into()], ..Leaf::named("c") }), &[ca], &trust);
    assert!(named(&plain, "*.example").is_success(), "without constraints a wildcard is an ordinary name");
    assert!(named(&excluding, "good.example").is_success());
    assert_eq!(named(&excluding, "a.bad.example").text(), "FAILED:excluded subtree violation");
    let wildcard = named(&excluding, "*.example");
    assert_not_waivable(&wildcard);
    assert_eq!(codes(&wildcard), [(50, 0)]);
}

#[test]
fn rules_of_ours_refuse_before_and_beside_openssl() {
    let root = Ca::root("Root");
    let trust = trust(&[&root], &[], &[]);
    let expired_with = |extra: Extra| Leaf { extra: vec![extra], ..Leaf::expired("client") };
    let constraints: Extra = ("2.5.29.30", true, EXCLUDES_BAD_EXAMPLE.to_vec());
    let cases = [
        (Leaf { dns: vec!["a b".into()], ..Leaf::expired("client") }, 50, "dNSName"),
        (Leaf { dns: vec!["a".into(); 513], ..Leaf::expired("client") }, 50, "more than 512"),
        (expired_with(constraints), 50, "name constraints"),
        (expired_with(("2.5.29.15", false, vec![3, 2, 7, 0x80])), 50, "twice"),
        (expired_with(("2.5.29.17", false, b"\x30\x05\x87\x03\x01\x02\x03".to_vec())), 50, "iPAddress of 3 octets"),
        (expired_with(("2.5.29.17", false, b"\x30\x05\x81\x03abc".to_vec())), 50, "no mailbox"),
        (expired_with(("1.2.3.4.5", true, vec![5, 0])), 34, ""),
    ];
    for (leaf, code, remark) in cases {
        let verification = check(&root.issue(&leaf), &[], &trust);
        assert_not_waivable(&verification);
        assert!(verification.errors().iter().any(|e| (e.code, e.depth) == (code, 0)), "{code} {remark}: {verification:?}");
        assert_eq!(verification.validity(), ValidityFinding::Expired(vestibule::verifier::Reason { code: 10, depth: 0 }));
        assert!(remark.is_empty() || verification.remarks()[0].contains(remark), "{remark}: {verification:?}");
    }
    let harmless = Leaf { extra: vec![("1.2.3.4.5", false, vec![5, 0])], ..Leaf::named("client") };
    assert!(check(&root.issue(&harmless), &[], &trust).is_success());
}

/// A bare certificate of this CA: version, serial number and subject to taste, no extensions.
fn bare(ca: &Ca, version: i32, serial: &[u8], subject: &[String]) -> X509 {
    let mut name = openssl::x509::X509Name::builder().unwrap();
    subject.iter().for_each(|value| name.append_entry_by_nid(Nid::ORGANIZATIONALUNITNAME, value).unwrap());
    let mut builder = X509::builder().unwrap();
    builder.set_version(version).unwrap();
    builder.set_subject_name(&name.build()).unwrap();
    builder.set_issuer_name(ca.certificate.subject_name()).unwrap();
    builder.set_pubkey(&new_key()).unwrap();
    builder.set_serial_number(&BigNum::from_slice(serial).unwrap().to_asn1_integer().unwrap()).unwrap();
    builder.set_not_before(&Asn1Time::from_unix(Dates::VALID.0).unwrap()).unwrap();
    builder.set_not_after(&Asn1Time::from_unix(Dates::VALID.1).unwrap()).unwrap();
    builder.sign(&ca.key, MessageDigest::sha256()).unwrap();
    builder.build()
}

#[test]
fn versions_serial_numbers_and_names_have_limits() {
    let root = Ca::root("Root");
    let trust = trust(&[&root], &[], &[]);
    let allow_v1 = VerificationSettings { allow_v1: true, allow_missing_eku: true, ..VerificationSettings::default() };
    let one = ["x".to_owned()];
    let remark = |version, serial: &[u8], subject: &[String]| {
        let verification = check_with(&bare(&root, version, serial, subject), &[], &trust, &allow_v1, NOW);
        verification.remarks().first().cloned().unwrap_or_default()
    };
    assert!(check_with(&bare(&root, 0, &[7], &one), &[], &trust, &allow_v1, NOW).is_success());
    assert!(check(&bare(&root, 0, &[7], &one), &[], &trust).remarks()[0].contains("version 1"));
    assert!(remark(1, &[7], &one).contains("version 2"));
    assert_eq!(remark(0, &[0x7f; 20], &one), "");
    assert!(remark(0, &[0x7f; 21], &one).contains("21 octets"));
    assert_eq!(remark(0, &[7], &vec!["x".to_owned(); 64]), "");
    assert!(remark(0, &[7], &vec!["x".to_owned(); 65]).contains("more than 64 parts"));
}

#[test]
fn keys_that_are_worth_nothing_are_refused_in_leaves_and_anchors() {
    let root = Ca::root("Root");
    let good = trust(&[&root], &[], &[]);
    let curve = |nid| PKey::from_ec_key(EcKey::generate(&EcGroup::from_curve_name(nid).unwrap()).unwrap()).unwrap();
    let rsa = |bits| PKey::from_rsa(Rsa::generate(bits).unwrap()).unwrap();
    let weak = [rsa(1024), curve(Nid::SECP256K1), curve(Nid::SECP224R1), PKey::generate_ed448().unwrap()];
    for key in weak {
        let verification = check(&root.issue_for(&Leaf::expired("client"), &key), &[], &good);
        assert_not_waivable(&verification);
        assert_eq!(verification.text(), "FAILED:EE certificate key too weak");
    }
    for key in [rsa(2048), curve(Nid::SECP384R1), curve(Nid::SECP521R1), PKey::generate_ed25519().unwrap()] {
        assert!(check(&root.issue_for(&Leaf::named("client"), &key), &[], &good).is_success());
    }
    let anchor = Ca::self_signed("Weak", curve(Nid::SECP256K1), Dates::VALID);
    let problems = TrustedCas::build(&material(&[&anchor], &[], &[]), TrustOptions::default(), NOW).err().unwrap();
    assert!(problems[0].sentence.contains("1.3.132.0.10"), "{problems:?}");
}

#[test]
fn a_revocation_holds_on_every_path() {
    let (first, second) = (Ca::root("First"), Ca::root("Second"));
    let issuing = first.intermediate("Issuing");
    let cross = second.certify("Issuing", issuing.key.clone(), Dates::VALID);
    let trust = trust(&[&first, &second], &[&issuing, &cross], &[issuing.crl(&[1000])]);
    let verification = check(&issuing.issue(&Leaf::named("client")), &[], &trust);
    assert!(matches!(verification.revocation(), RevocationFinding::Revoked(_)));
    assert!(verification.is_exactly_revoked());
}

#[test]
fn the_path_length_setting_counts_intermediates() {
    let root = Ca::root("Root");
    let first = root.intermediate("First");
    let second = first.intermediate("Second");
    let leaf = second.issue(&Leaf::named("client"));
    let trust = trust(&[&root], &[], &[]);
    for (max_path_length, good) in [(0, false), (1, false), (2, true)] {
        let settings = VerificationSettings { max_path_length, ..VerificationSettings::default() };
        assert_eq!(check_with(&leaf, &[&first, &second], &trust, &settings, NOW).is_success(), good, "{max_path_length}");
    }
}

#[test]
fn trust_problems_are_told_all_at_once() {
    let root = Ca::root("Root");
    let mut material = material(&[&root], &[], &[]);
    let leaf = root.issue(&Leaf::named("client")).to_der().unwrap();
    for der in [b"not a certificate".to_vec(), leaf] {
        material.anchors.push(vestibule::x509::trusted_ca::Source { origin: "x.pem".into(), der });
    }
    material.crls.push(vestibule::x509::trusted_ca::Source { origin: "x.crl".into(), der: vec![0x30, 0] });
    let problems = TrustedCas::build(&material, TrustOptions::default(), NOW).err().unwrap();
    assert_eq!(problems.len(), 3, "{problems:?}");
    let none = TrustedCas::build(&Default::default(), TrustOptions::default(), NOW).err().unwrap();
    assert!(none[0].sentence.contains("no trust anchor"));
}

#[test]
fn a_kept_verification_ends_with_the_certificate_and_with_the_crl() {
    let root = Ca::self_signed("Root", new_key(), Dates(NOW.0 - DAY, NOW.0 + 300 * DAY));
    let leaf = certificate(&root.issue(&Leaf { dates: Dates(NOW.0 - DAY, NOW.0 + 20), ..Leaf::named("client") }));
    let crl = root.crl_signed_by(&root.key, &[], Dates(NOW.0 - DAY, NOW.0 + 10));
    let trust = trust(&[&root], &[], &[crl]);
    let settings = VerificationSettings::default();
    let verifier = CachedVerifier::new(100);
    let text =
        |second| verifier.verify(&leaf, &[], &trust, &OcspAnswers::new(1), &settings.clone().into(), NOW.plus(second)).text();
    assert_eq!(text(0), "SUCCESS");
    assert_eq!(text(9), "SUCCESS");
    assert_eq!(verifier.len(), 1);
    assert_eq!(text(11), "FAILED:CRL has expired");
    assert_eq!(text(0), "SUCCESS", "a verdict of later does not hold for earlier");
    let skip = mode(RevocationCheckMode::Skip);
    assert_eq!(
        verifier.verify(&leaf, &[], &trust, &OcspAnswers::new(1), &skip.clone().into(), NOW.plus(11)).text(),
        "SUCCESS",
        "settings are in the key"
    );
    assert_eq!(
        verifier.verify(&leaf, &[], &trust, &OcspAnswers::new(1), &skip.clone().into(), NOW.plus(21)).text(),
        "FAILED:certificate has expired"
    );
    verifier.clear();
    assert!(verifier.is_empty());
}

#[test]
fn a_kept_verification_belongs_to_its_chain_and_its_trust() {
    let root = Ca::root("Root");
    let intermediate = root.intermediate("Intermediate");
    let leaf = certificate(&intermediate.issue(&Leaf::named("client")));
    let chain = [certificate(&intermediate.certificate)];
    let (ours, theirs) = (trust(&[&root], &[], &[]), trust(&[&Ca::root("Root")], &[], &[]));
    let settings = VerificationSettings::default();
    let verifier = CachedVerifier::new(100);
    assert!(verifier.verify(&leaf, &chain, &ours, &OcspAnswers::new(1), &settings.clone().into(), NOW).is_success());
    assert!(!verifier.verify(&leaf, &[], &ours, &OcspAnswers::new(1), &settings.clone().into(), NOW).is_success());
    assert!(!verifier.verify(&leaf, &chain, &theirs, &OcspAnswers::new(1), &settings.clone().into(), NOW).is_success());
    let again = verifier.verify(&leaf, &chain, &ours, &OcspAnswers::new(1), &settings.clone().into(), NOW.plus(59));
    assert!(again.is_success());
    assert!(std::sync::Arc::ptr_eq(
        &again,
        &verifier.verify(&leaf, &chain, &ours, &OcspAnswers::new(1), &settings.clone().into(), NOW.plus(30))
    ));
}

#[test]
fn an_anchor_that_is_not_self_signed_needs_no_status_of_its_own() {
    let root = Ca::root("Root");
    let anchor = root.intermediate("Anchor");
    let issuing = anchor.intermediate("Issuing");
    let leaf = issuing.issue(&Leaf::named("client"));
    let strict = mode(RevocationCheckMode::Strict);
    let options = TrustOptions { allow_partial_chain: true, ..TrustOptions::default() };
    let with = |crls: &[Vec<u8>]| TrustedCas::build(&material(&[&anchor], &[&issuing], crls), options, NOW).unwrap();
    let all = with(&[anchor.crl(&[]), issuing.crl(&[])]);
    assert_eq!(check_with(&leaf, &[], &all, &strict, NOW).text(), "SUCCESS");
    let above = with(&[root.crl(&[]), anchor.crl(&[]), issuing.crl(&[])]);
    assert_eq!(check_with(&leaf, &[], &above, &strict, NOW).text(), "SUCCESS", "a CRL from above the anchor changes nothing");
    for crls in [vec![], vec![anchor.crl(&[])], vec![issuing.crl(&[])]] {
        assert!(!check_with(&leaf, &[], &with(&crls), &strict, NOW).is_success());
    }
}

#[test]
fn threads_that_start_with_the_same_trust_agree() {
    let root = Ca::root("Root");
    let intermediate = root.intermediate("Intermediate");
    let trust = trust(&[&root], &[&intermediate], &[root.crl(&[]), intermediate.crl(&[7])]);
    let good = intermediate.issue(&Leaf::named("client")).to_der().unwrap();
    let bad = intermediate.issue(&Leaf { serial: 7, ..Leaf::named("client") }).to_der().unwrap();
    let verifier = CachedVerifier::new(1);
    let settings = VerificationSettings::default();
    let read = |der: &[u8]| vestibule::x509::certificate::Certificate::from_der(der).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..50 {
                    assert!(
                        verifier
                            .verify(&read(&good), &[], &trust, &OcspAnswers::new(1), &settings.clone().into(), NOW)
                            .is_success()
                    );
                    assert!(
                        verifier
                            .verify(&read(&bad), &[], &trust, &OcspAnswers::new(1), &settings.clone().into(), NOW)
                            .is_exactly_revoked()
                    );
                }
            });
        }
    });
}

#[test]
fn trust_and_verifications_are_shared_by_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<TrustedCas>();
    shared::<Verification>();
    shared::<CachedVerifier>();
}
