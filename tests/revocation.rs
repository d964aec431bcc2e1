//! What lists mean for a certificate: every outcome, each scope and signer, and lists that change while requests are served.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::type_complexity, reason = "tables")]

mod support {
    pub(crate) mod crl_writer;
    pub(crate) mod pki;
}

use std::sync::Arc;

use openssl::pkey::PKey;
use openssl::x509::X509;
use support::crl_writer::{CrlWriter, reason};
use support::pki::{Ca, DAY, Dates, Extra, Leaf, NOW, certificate, material, new_key, trust};
use vestibule::verifier::cache::CachedVerifier;
use vestibule::verifier::{CertificateStatus, RevocationCheckMode, TrustedCas, Verification, VerificationSettings, verify};
use vestibule::x509::crl::{CrlIndex, ReasonCode};
use vestibule::x509::der::{encode, tag};
use vestibule::x509::ocsp_answers::OcspAnswers;
use vestibule::x509::revocation_lists::{Put, RevocationLists};
use vestibule::x509::trusted_ca::TrustOptions;

/// Content octets of the serial number of every leaf here, 1000.
const SERIAL: &[u8] = &[0x03, 0xE8];

fn strict() -> VerificationSettings {
    VerificationSettings { revocation_check_mode: RevocationCheckMode::Strict, ..VerificationSettings::default() }
}

fn judged(leaf: &X509, chain: &[&Ca], trust: &TrustedCas) -> Verification {
    let chain: Vec<_> = chain.iter().map(|ca| certificate(&ca.certificate)).collect();
    verify(&certificate(leaf), &chain, trust, &strict(), NOW)
}

fn codes(verification: &Verification) -> Vec<(i32, u32)> {
    verification.errors().iter().map(|error| (error.code, error.depth)).collect()
}

fn list(ca: &Ca) -> CrlWriter {
    CrlWriter::of(&ca.certificate, NOW)
}

fn lists_leaf(ca: &Ca, code: Option<u8>) -> CrlWriter {
    list(ca).entry(SERIAL, NOW.plus(-DAY), &code.map(reason).into_iter().collect::<Vec<_>>())
}

#[test]
fn every_outcome() {
    let (root, other) = (Ca::root("Root"), Ca::root("Other"));
    let unsigned = |list: CrlWriter| list.sign(&new_key());
    let without_key_name = |list: CrlWriter| CrlWriter { extensions: vec![], ..list };
    let other_key = || CrlWriter { extensions: list(&other).extensions, ..list(&root) };
    let (past, future) = (NOW.plus(-9 * DAY), NOW.plus(9 * DAY));
    let cases: Vec<(&str, Vec<Vec<u8>>, &[(i32, u32)])> = vec![
        ("good", vec![list(&root).sign(&root.key)], &[]),
        ("good, no key named", vec![without_key_name(list(&root)).sign(&root.key)], &[]),
        ("at its last second", vec![list(&root).dated(past, NOW).sign(&root.key)], &[]),
        ("at its first second", vec![list(&root).dated(NOW, future).sign(&root.key)], &[]),
        ("a second after its end", vec![list(&root).dated(past, NOW.plus(-1)).sign(&root.key)], &[(12, 0)]),
        ("a second before its start", vec![list(&root).dated(NOW.plus(1), future).sign(&root.key)], &[(11, 0)]),
        ("none", vec![], &[(3, 0)]),
        ("of another CA", vec![list(&other).sign(&other.key)], &[(3, 0)]),
        ("forged", vec![unsigned(list(&root))], &[(8, 0)]),
        ("forged, no key named", vec![unsigned(without_key_name(list(&root)))], &[(8, 0)]),
        ("forged and listed", vec![unsigned(lists_leaf(&root, None))], &[(8, 0)]),
        ("names another key", vec![other_key().sign(&root.key)], &[(33, 0)]),
        ("forged beside a good one", vec![unsigned(lists_leaf(&root, None)), list(&root).sign(&root.key)], &[]),
        ("stale beside a good one", vec![list(&root).dated(past, past).sign(&root.key), list(&root).sign(&root.key)], &[]),
        ("revoked", vec![lists_leaf(&root, None).sign(&root.key)], &[(23, 0)]),
        ("revoked, key", vec![lists_leaf(&root, Some(1)).sign(&root.key)], &[(23, 0)]),
        ("on hold", vec![lists_leaf(&root, Some(6)).sign(&root.key)], &[(23, 0)]),
        ("taken off", vec![lists_leaf(&root, Some(8)).sign(&root.key)], &[]),
        ("revoked on a stale list", vec![lists_leaf(&root, None).dated(past, past).sign(&root.key)], &[(12, 0), (23, 0)]),
        (
            "hold was lifted on a newer list",
            vec![lists_leaf(&root, Some(6)).dated(past, future).sign(&root.key), list(&root).sign(&root.key)],
            &[],
        ),
        (
            "revoked on a newer list",
            vec![lists_leaf(&root, None).sign(&root.key), list(&root).dated(past, future).sign(&root.key)],
            &[(23, 0)],
        ),
        (
            "a newer list is stale already, the older one not",
            vec![
                lists_leaf(&root, None).dated(NOW.plus(-DAY), NOW.plus(-1)).sign(&root.key),
                list(&root).dated(past, future).sign(&root.key),
            ],
            &[(23, 0)],
        ),
        ("for CAs only", vec![list(&root).scoped(&[0x82, 1, 0xFF]).sign(&root.key)], &[(44, 0)]),
        ("for users only", vec![list(&root).scoped(&[0x81, 1, 0xFF]).sign(&root.key)], &[]),
        ("for users only, listed", vec![lists_leaf(&root, None).scoped(&[0x81, 1, 0xFF]).sign(&root.key)], &[(23, 0)]),
    ];
    let leaf = root.issue(&Leaf::named("client"));
    for (what, lists, wanted) in cases {
        let verification = judged(&leaf, &[], &trust(&[&root], &[], &lists));
        assert_eq!(codes(&verification), wanted, "{what}: {verification:?}");
        assert_eq!(verification.is_success(), wanted.is_empty(), "{what}");
        assert_eq!(verification.is_exactly_revoked(), wanted == [(23, 0)], "{what}");
        let status = verification.statuses()[0];
        match wanted.last() {
            None => assert_eq!(status, CertificateStatus::Good, "{what}"),
            Some((23, _)) => assert!(matches!(status, CertificateStatus::Revoked(_)), "{what}"),
            Some((code, _)) => assert_eq!(status, CertificateStatus::Unknown(*code), "{what}"),
        }
    }
}

#[test]
fn the_reason_and_the_date_are_told() {
    let root = Ca::root("Root");
    let leaf = root.issue(&Leaf::named("client"));
    let held = judged(&leaf, &[], &trust(&[&root], &[], &[lists_leaf(&root, Some(6)).sign(&root.key)]));
    let CertificateStatus::Revoked(entry) = held.statuses()[0] else { panic!("{held:?}") };
    assert_eq!((entry.reason, entry.revoked_at), (ReasonCode::CertificateHold, NOW.plus(-DAY)));
    let told = "the certificate at depth 0 is on hold (certificateHold), which counts as revoked, since 2026-01-14T12:00:00Z";
    assert_eq!(held.remarks(), [told]);
    assert_eq!(held.text(), "FAILED:certificate revoked");
    let key = judged(&leaf, &[], &trust(&[&root], &[], &[lists_leaf(&root, Some(1)).sign(&root.key)]));
    assert_eq!(key.remarks(), ["the certificate at depth 0 is revoked (keyCompromise) since 2026-01-14T12:00:00Z"]);
}

#[test]
fn a_list_of_a_ca_that_may_not_sign_lists_is_worth_nothing() {
    let root = Ca::root("Root");
    // keyCertSign alone.
    let issuing = ca_with_usage(&root, "Issuing", &[3, 2, 2, 4]);
    let leaf = issuing.issue(&Leaf::named("client"));
    let lists = [list(&root).sign(&root.key), lists_leaf(&issuing, None).sign(&issuing.key)];
    assert_eq!(codes(&judged(&leaf, &[&issuing], &trust(&[&root], &[], &lists))), [(35, 0)]);
}

/// A CA certificate with this keyUsage instead of the usual one.
fn ca_with_usage(issuer: &Ca, common_name: &str, usage: &[u8]) -> Ca {
    let usual = issuer.certify(common_name, new_key(), Dates::VALID);
    let der = usual.certificate.to_der().unwrap();
    // keyUsage as `support::pki` writes it: keyCertSign and cRLSign. Its place is kept, and the signature made again.
    let at = memchr::memmem::find(&der, &[0x55, 0x1D, 0x0F]).unwrap();
    let value = at + memchr::memmem::find(&der[at..], &[3, 2, 1, 6]).unwrap();
    let mut changed = der.clone();
    changed[value..value + 4].copy_from_slice(usage);
    Ca { certificate: X509::from_der(&signed_again(&changed, &issuer.key)).unwrap(), key: usual.key }
}

fn signed_again(der: &[u8], key: &PKey<openssl::pkey::Private>) -> Vec<u8> {
    use vestibule::x509::der::{Reader, single};
    let mut parts = Reader::new(single(der, tag::SEQUENCE).unwrap().content);
    let (signed, algorithm) = (parts.any().unwrap().der, parts.any().unwrap().der);
    let mut signer = openssl::sign::Signer::new(openssl::hash::MessageDigest::sha256(), key).unwrap();
    let signature = signer.sign_oneshot_to_vec(signed).unwrap();
    let signature = encode(tag::BIT_STRING, &[&[0], signature.as_slice()].concat());
    encode(tag::SEQUENCE, &[signed, algorithm, &signature].concat())
}

#[test]
fn every_ca_below_the_anchor_is_asked_about() {
    let root = Ca::root("Root");
    let issuing = root.intermediate("Issuing");
    let leaf = issuing.issue(&Leaf::named("client"));
    let serial = issuing.certificate.serial_number().to_bn().unwrap().to_vec();
    let serial = if serial[0] & 0x80 == 0 { serial } else { [vec![0], serial].concat() };
    let of_issuing = list(&issuing).sign(&issuing.key);
    let revoking = |scope: &[u8]| list(&root).entry(&serial, NOW, &[reason(2)]).scoped(scope).sign(&root.key);
    for (what, of_root, wanted) in [
        ("good", vec![list(&root).sign(&root.key)], vec![]),
        ("none", vec![], vec![(3, 1)]),
        ("revoked", vec![revoking(&[])], vec![(23, 1)]),
        ("revoked on the list for CAs", vec![revoking(&[0x82, 1, 0xFF])], vec![(23, 1)]),
        ("a list for users", vec![revoking(&[0x81, 1, 0xFF])], vec![(44, 1)]),
    ] {
        let trust = trust(&[&root], &[], &[of_root, vec![of_issuing.clone()]].concat());
        let verification = judged(&leaf, &[&issuing], &trust);
        assert_eq!(codes(&verification), wanted, "{what}");
        assert!(!verification.is_exactly_revoked());
    }
}

/// cRLDistributionPoints with these points.
fn points(points: &[Vec<u8>]) -> Extra {
    ("2.5.29.31", false, encode(tag::SEQUENCE, &points.concat()))
}

/// A DistributionPoint whose name is a URI, and what follows the name.
fn point(uri: &str, after: &[u8]) -> Vec<u8> {
    encode(tag::SEQUENCE, &[point_name(&[uri]), after.to_vec()].concat())
}

/// The field distributionPoint with URIs as fullName.
fn point_name(uris: &[&str]) -> Vec<u8> {
    let names: Vec<u8> = uris.iter().flat_map(|uri| encode(0x86, uri.as_bytes())).collect();
    encode(0xA0, &encode(0xA0, &names))
}

#[test]
fn a_list_for_a_distribution_point_speaks_for_its_certificates_alone() {
    let root = Ca::root("Root");
    let (one, two) = ("http://crl.example/1", "http://crl.example/2");
    let of = |uris: &[&str]| lists_leaf(&root, None).scoped(&point_name(uris)).sign(&root.key);
    let directory = |name: &[u8]| encode(0xA0, &encode(0xA0, &encode(0xA4, name)));
    let issuer = root.certificate.subject_name().to_der().unwrap();
    let other = Ca::root("Other").certificate.subject_name().to_der().unwrap();
    let relative = |common_name: &str| {
        let pair = [encode(tag::OID, &[0x55, 4, 3]), encode(tag::UTF8_STRING, common_name.as_bytes())].concat();
        encode(0xA0, &encode(0xA1, &encode(tag::SEQUENCE, &pair)))
    };
    let named = |name: Vec<u8>| lists_leaf(&root, None).scoped(&name).sign(&root.key);
    // keyCompromise and cACompromise alone, and all others.
    let (some, rest) = (encode(0x81, &[5, 0x60]), encode(0x81, &[7, 0x1F, 0x80]));
    let crl_issuer = encode(0xA2, &encode(0xA4, &issuer));
    let cases: Vec<(&str, Vec<Extra>, Vec<u8>, &[(i32, u32)])> = vec![
        ("its own", vec![points(&[point(one, &[])])], of(&[one]), &[(23, 0)]),
        ("one of several", vec![points(&[point(one, &[]), point(two, &[])])], of(&["ldap://x", two]), &[(23, 0)]),
        ("another one", vec![points(&[point(one, &[])])], of(&[two]), &[(44, 0)]),
        ("no point in the certificate", vec![], of(&[one]), &[(44, 0)]),
        ("no point in the list", vec![points(&[point(one, &[])])], lists_leaf(&root, None).sign(&root.key), &[(23, 0)]),
        ("the issuer's name, no point in the certificate", vec![], named(directory(&issuer)), &[(23, 0)]),
        ("another name, no point in the certificate", vec![], named(directory(&other)), &[(44, 0)]),
        (
            "names relative to the issuer",
            vec![points(&[encode(tag::SEQUENCE, &relative("one"))])],
            named(relative(" ONE  ")),
            &[(23, 0)],
        ),
        (
            "another name relative to the issuer",
            vec![points(&[encode(tag::SEQUENCE, &relative("one"))])],
            named(relative("two")),
            &[(44, 0)],
        ),
        ("a point of an indirect list", vec![points(&[point(one, &crl_issuer)])], of(&[one]), &[(44, 0)]),
        ("listed, for some reasons", vec![points(&[point(one, &some)])], of(&[one]), &[(23, 0)]),
        (
            "not listed, for some reasons",
            vec![points(&[point(one, &some)])],
            list(&root).scoped(&point_name(&[one])).sign(&root.key),
            &[(3, 0)],
        ),
        (
            "not listed, for all reasons together",
            vec![points(&[point(one, &some), point(two, &rest)])],
            list(&root).scoped(&point_name(&[one, two])).sign(&root.key),
            &[],
        ),
    ];
    for (what, extra, list, wanted) in cases {
        let leaf = root.issue(&Leaf { extra, ..Leaf::named("client") });
        assert_eq!(codes(&judged(&leaf, &[], &trust(&[&root], &[], &[list]))), wanted, "{what}");
    }
}

#[test]
fn another_key_of_the_issuer_may_sign_when_it_is_as_good() {
    let root = Ca::root("Root");
    let issuing = root.intermediate("Issuing");
    let signer = ca_with_usage(&root, "Issuing", &[3, 2, 1, 2]);
    let expired = root.certify("Issuing", new_key(), Dates::EXPIRED);
    let stranger = Ca::root("Stranger").intermediate("Issuing");
    let certifying_only = ca_with_usage(&root, "Issuing", &[3, 2, 2, 4]);
    let leaf = issuing.issue(&Leaf::named("client"));
    let of_root = list(&root).sign(&root.key);
    let by = |signer: &Ca| lists_leaf(signer, None).sign(&signer.key);
    for (what, signer, wanted) in [
        ("a key for lists", &signer, vec![(23, 0)]),
        ("expired", &expired, vec![(54, 0)]),
        ("below another root", &stranger, vec![(54, 0)]),
        ("not for lists", &certifying_only, vec![(35, 0)]),
    ] {
        let lists = [of_root.clone(), by(signer)];
        let presented = judged(&leaf, &[&issuing, signer], &trust(&[&root], &[], &lists));
        assert_eq!(codes(&presented), wanted, "{what}, presented");
        let configured = judged(&leaf, &[&issuing], &trust(&[&root], &[signer], &lists));
        assert_eq!(codes(&configured), wanted, "{what}, configured");
        let absent = judged(&leaf, &[&issuing], &trust(&[&root], &[], &lists));
        assert_eq!(codes(&absent), [(33, 0)], "{what}, not to be had");
    }
    let serial = signer.certificate.serial_number().to_bn().unwrap().to_vec();
    let serial = if serial[0] & 0x80 == 0 { serial } else { [vec![0], serial].concat() };
    let revoked_signer = list(&root).entry(&serial, NOW, &[]).sign(&root.key);
    let lists = [revoked_signer, list(&signer).sign(&signer.key)];
    let verification = judged(&leaf, &[&issuing, &signer], &trust(&[&root], &[], &lists));
    assert_eq!(codes(&verification), [(54, 0)], "a revoked signer vouches for nobody");
}

#[test]
fn a_list_of_the_other_key_counts_only_where_there_is_none_of_the_own() {
    let root = Ca::root("Root");
    let (today, before) = (root.intermediate("Issuing"), root.intermediate("Issuing"));
    let leaf = today.issue(&Leaf::named("client"));
    let of_root = list(&root).sign(&root.key);
    let newer = |ca: &Ca| list(ca).dated(NOW, NOW.plus(DAY)).sign(&ca.key);
    let lists = [of_root, lists_leaf(&today, None).sign(&today.key), newer(&before)];
    let verification = judged(&leaf, &[&today, &before], &trust(&[&root], &[], &lists));
    assert_eq!(codes(&verification), [(23, 0)], "the other key's list is newer and knows nothing of this certificate");
}

#[test]
fn names_are_compared_as_names() {
    let root = Ca::root("Root");
    let leaf = root.issue(&Leaf::named("client"));
    let pair = |oid: u8, kind: u8, text: &str| {
        let pair = [encode(tag::OID, &[0x55, 4, oid]), encode(kind, text.as_bytes())].concat();
        encode(tag::SET, &encode(tag::SEQUENCE, &pair))
    };
    let name = |o: &str, cn: &str| {
        let rdns = [pair(10, tag::PRINTABLE_STRING, o), pair(3, tag::PRINTABLE_STRING, cn)].concat();
        encode(tag::SEQUENCE, &rdns)
    };
    for (issuer, wanted) in
        [(name(" VESTIBULE  test", "root "), vec![(23, 0)]), (name("Vestibule Test", "Root2"), vec![(3, 0)])]
    {
        let list = CrlWriter { issuer, ..lists_leaf(&root, None) }.sign(&root.key);
        assert_eq!(codes(&judged(&leaf, &[], &trust(&[&root], &[], &[list]))), wanted);
    }
}

#[test]
fn lists_that_cannot_be_used_stop_the_start_with_a_sentence() {
    let root = Ca::root("Root");
    let delta = list(&root).with(support::crl_writer::extension("2.5.29.27", true, &[2, 1, 1])).sign(&root.key);
    let problems = TrustedCas::build(&material(&[&root], &[], &[delta]), TrustOptions::default(), NOW).err().unwrap();
    assert_eq!(problems.len(), 1);
    assert!(problems[0].to_string().starts_with("crl 0: is a delta CRL"), "{}", problems[0]);
}

fn index(der: &[u8]) -> Arc<CrlIndex> {
    Arc::new(CrlIndex::from_der(der).unwrap())
}

#[test]
fn from_the_first_request_after_an_update_a_revoked_certificate_is_refused() {
    let root = Ca::root("Root");
    let trust = trust(&[&root], &[], &[list(&root).sign(&root.key)]);
    let leaf = certificate(&root.issue(&Leaf::named("client")));
    let verifier = CachedVerifier::new(10);
    let ask = || verifier.verify(&leaf, &[], &trust, &OcspAnswers::new(1), &strict().into(), NOW);
    let kept = ask();
    assert!(kept.is_success() && Arc::ptr_eq(&kept, &ask()));
    let before = trust.revocation_lists().current();

    let newer = lists_leaf(&root, Some(1)).dated(NOW, NOW.plus(DAY)).sign(&root.key);
    assert_eq!(trust.revocation_lists().put(&index(&newer), &root.certificate), Put::Replaced);
    assert!(ask().is_exactly_revoked());
    assert!(trust.revocation_lists().current().epoch() > before.epoch());
    assert!(before.lists()[0].is_empty(), "a request that is under way keeps what it has begun with");

    trust.revocation_lists().replace_all(vec![]);
    assert_eq!(codes(&ask()), [(3, 0)]);
    trust.revocation_lists().replace_all(vec![index(&list(&root).sign(&root.key))]);
    assert!(ask().is_success());
    let holds = ask().holds_until();
    let soon = list(&root).dated(NOW.plus(-10), NOW.plus(5)).sign(&root.key);
    assert_eq!(trust.revocation_lists().put(&index(&soon), &root.certificate), Put::Replaced);
    assert_eq!((holds, ask().holds_until()), (NOW.plus(60), NOW.plus(5)), "a new list brings its own dates");
}

#[test]
fn a_list_is_put_in_force_only_with_its_issuers_signature_and_only_if_newer() {
    let (root, other) = (Ca::root("Root"), Ca::root("Other"));
    let lists = RevocationLists::new(vec![]);
    let at = |day: i64, serial: u8| list(&root).dated(NOW.plus(day), NOW.plus(9 * DAY)).entry(&[serial], NOW, &[]);
    let put = |list: &CrlWriter, key: &Ca, issuer: &Ca| lists.put(&index(&list.sign(&key.key)), &issuer.certificate);
    assert_eq!(put(&at(0, 1), &root, &root), Put::Added);
    let epoch = lists.current().epoch();
    assert_eq!(put(&at(1, 2), &other, &root), Put::NotSigned, "forged");
    assert_eq!(put(&at(1, 2), &root, &other), Put::NotSigned, "of another CA");
    assert_eq!(put(&at(0, 2), &root, &root), Put::NotNewer, "of the same second, with the same number");
    assert_eq!(put(&at(-1, 2), &root, &root), Put::NotNewer);
    let certifying_only = ca_with_usage(&root, "Issuing", &[3, 2, 2, 4]);
    assert_eq!(put(&list(&certifying_only), &certifying_only, &certifying_only), Put::NotSigned);
    assert_eq!(lists.current().epoch(), epoch, "nothing changed");
    assert_eq!(put(&at(1, 2), &root, &root), Put::Replaced);
    assert_eq!(put(&list(&other), &other, &other), Put::Added);
    assert_eq!(put(&at(1, 3).scoped(&[0x82, 1, 0xFF]), &root, &root), Put::Added, "another scope is another series");
    assert_eq!(lists.current().lists().len(), 3);
    let held = lists.current();
    let held = held.lists().iter().filter(|list| list.entry(&[2]).is_some() || list.entry(&[3]).is_some()).count();
    assert_eq!(held, 2);
}

#[test]
fn threads_see_one_snapshot_or_the_next_and_never_none() {
    let root = Ca::root("Root");
    let revoking = index(&lists_leaf(&root, None).sign(&root.key));
    let also_revoking = index(&lists_leaf(&root, Some(1)).sign(&root.key));
    let trust = trust(&[&root], &[], &[lists_leaf(&root, None).sign(&root.key)]);
    let leaf = root.issue(&Leaf::named("client")).to_der().unwrap();
    let verifier = CachedVerifier::new(10);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let leaf = vestibule::x509::certificate::Certificate::from_der(&leaf).unwrap();
                for _ in 0..200 {
                    assert!(
                        verifier.verify(&leaf, &[], &trust, &OcspAnswers::new(1), &strict().into(), NOW).is_exactly_revoked()
                    );
                }
            });
        }
        scope.spawn(|| {
            for turn in 0..200 {
                let list = if turn % 2 == 0 { &revoking } else { &also_revoking };
                trust.revocation_lists().replace_all(vec![Arc::clone(list)]);
            }
        });
    });
}
