//! OCSP answers in a verification: beside the lists, under every mode; what is asked for; and which kept verifications a new
//! answer touches.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::type_complexity, reason = "tables")]

mod support {
    pub(crate) mod crl_writer;
    pub(crate) mod ocsp_writer;
    pub(crate) mod pki;
}

use std::sync::Arc;

use openssl::x509::X509;
use support::crl_writer::{CrlWriter, reason};
use support::ocsp_writer::{OcspWriter, UNKNOWN, revoked};
use support::pki::{Ca, DAY, Dates, Leaf, NOW, certificate, material, new_key};
use vestibule::clock::UnixTime;
use vestibule::verifier::cache::CachedVerifier;
use vestibule::verifier::{
    CertificateStatus, OcspUse, RevocationCheckMode, RevocationFinding, TrustedCas, Urgency, Verification,
    VerificationSettings, verify, verify_knowing,
};
use vestibule::x509::crl::ReasonCode;
use vestibule::x509::ocsp::{CertId, NonceCheck, OcspAnswer, OcspLimits};
use vestibule::x509::ocsp_answers::OcspAnswers;
use vestibule::x509::trusted_ca::TrustOptions;

use RevocationCheckMode::{IgnoreCaError, Skip, Strict};
use Urgency::{Ageing, Wanted};

/// Content octets of the serial number of every leaf here, 1000.
const SERIAL: &[u8] = &[0x03, 0xE8];

fn mode(mode: RevocationCheckMode) -> VerificationSettings {
    VerificationSettings { revocation_check_mode: mode, ..VerificationSettings::default() }
}

fn set(anchors: &[&Ca], lists: &[Vec<u8>], ocsp: OcspUse, revocation_sources: bool) -> TrustedCas {
    let options = TrustOptions { ocsp, revocation_sources, ..TrustOptions::default() };
    TrustedCas::build(&material(anchors, &[], lists), options, NOW).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn codes(verification: &Verification) -> Vec<(i32, u32)> {
    verification.errors().iter().map(|error| (error.code, error.depth)).collect()
}

/// Depth, and what an OCSP answer and a list are worth.
fn inquiries(verification: &Verification) -> Vec<(u32, Option<Urgency>, Option<Urgency>)> {
    verification.inquiries().iter().map(|inquiry| (inquiry.depth, inquiry.ocsp, inquiry.list)).collect()
}

/// Reads an answer at the instant at which it was good.
fn read(writer: &OcspWriter, cert: &X509, issuer: &Ca, at: UnixTime) -> OcspAnswer {
    let der = writer.sign(&issuer.key);
    OcspAnswer::read(&der, cert, &issuer.certificate, NonceCheck::default(), OcspLimits::default(), at).unwrap()
}

fn id(cert: &X509, issuer: &Ca) -> CertId {
    CertId::of(cert, &issuer.certificate).unwrap()
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Ocsp {
    None,
    Good,
    Ageing,
    Revoked,
    Unknown,
    GoodOnce,
    RevokedOnce,
    UnknownOnce,
}

impl Ocsp {
    fn put(self, answers: &OcspAnswers, leaf: &X509, root: &Ca) {
        let (yesterday, soon) = (NOW.plus(-DAY), NOW.plus(DAY));
        let good = || OcspWriter::good(leaf, &root.certificate, NOW);
        let once = || good().dated(yesterday, Some(NOW.plus(-3600)));
        let (writer, at) = match self {
            Self::None => return,
            Self::Good => (good(), NOW),
            Self::Ageing => (good().dated(NOW.plus(-4 * DAY), Some(soon)), NOW),
            Self::Revoked => (good().status(&revoked(yesterday, Some(1))), NOW),
            Self::Unknown => (good().status(UNKNOWN), NOW),
            Self::GoodOnce => (once(), yesterday),
            Self::RevokedOnce => (once().status(&revoked(yesterday, Some(6))), yesterday),
            Self::UnknownOnce => (once().status(UNKNOWN), yesterday),
        };
        assert!(answers.put(id(leaf, root), read(&writer, leaf, root, at)));
    }
}

#[derive(Clone, Copy, Debug)]
enum List {
    None,
    Good,
    Listed,
    Stale,
    StaleListed,
    Forged,
}

impl List {
    fn of(self, root: &Ca) -> Vec<Vec<u8>> {
        let good = || CrlWriter::of(&root.certificate, NOW);
        let listed = || good().entry(SERIAL, NOW.plus(-DAY), &[reason(1)]);
        let (from, to) = (NOW.plus(-9 * DAY), NOW.plus(-DAY));
        match self {
            Self::None => vec![],
            Self::Good => vec![good().sign(&root.key)],
            Self::Listed => vec![listed().sign(&root.key)],
            Self::Stale => vec![good().dated(from, to).sign(&root.key)],
            Self::StaleListed => vec![listed().dated(from, to).sign(&root.key)],
            Self::Forged => vec![good().sign(&new_key())],
        }
    }
}

/// What is held, the refusing codes under STRICT and under IGNORE_CA_ERROR, and what is asked for.
#[test]
fn ocsp_and_lists_under_every_mode() {
    let w = Some(Wanted);
    let a = Some(Ageing);
    let table: &[(Ocsp, List, &[i32], &[i32], (Option<Urgency>, Option<Urgency>))] = &[
        (Ocsp::None, List::None, &[74], &[], (w, w)),
        (Ocsp::None, List::Good, &[], &[], (w, None)),
        (Ocsp::None, List::Listed, &[23], &[23], (None, None)),
        (Ocsp::None, List::Stale, &[12], &[12], (w, w)),
        (Ocsp::None, List::StaleListed, &[12, 23], &[12, 23], (w, w)),
        (Ocsp::None, List::Forged, &[8], &[8], (w, w)),
        (Ocsp::Good, List::None, &[], &[], (None, None)),
        (Ocsp::Good, List::Good, &[], &[], (None, None)),
        (Ocsp::Good, List::Listed, &[23], &[23], (None, None)),
        (Ocsp::Good, List::Stale, &[], &[], (None, None)),
        (Ocsp::Good, List::StaleListed, &[12, 23], &[12, 23], (None, w)),
        (Ocsp::Good, List::Forged, &[], &[], (None, None)),
        (Ocsp::Ageing, List::None, &[], &[], (a, None)),
        (Ocsp::Ageing, List::Good, &[], &[], (a, None)),
        (Ocsp::Revoked, List::None, &[23], &[23], (None, None)),
        (Ocsp::Revoked, List::Good, &[23], &[23], (None, None)),
        (Ocsp::Revoked, List::Listed, &[23], &[23], (None, None)),
        (Ocsp::Revoked, List::Stale, &[23], &[23], (None, None)),
        (Ocsp::Unknown, List::None, &[75], &[], (None, w)),
        (Ocsp::Unknown, List::Good, &[], &[], (None, None)),
        (Ocsp::Unknown, List::Listed, &[23], &[23], (None, None)),
        (Ocsp::Unknown, List::Stale, &[12, 75], &[12], (None, w)),
        (Ocsp::Unknown, List::Forged, &[8, 75], &[8], (None, w)),
        (Ocsp::GoodOnce, List::None, &[74], &[], (w, w)),
        (Ocsp::GoodOnce, List::Good, &[], &[], (w, None)),
        (Ocsp::GoodOnce, List::Stale, &[12], &[12], (w, w)),
        (Ocsp::RevokedOnce, List::None, &[23, 74], &[23], (w, w)),
        (Ocsp::RevokedOnce, List::Good, &[23, 74], &[23], (w, None)),
        (Ocsp::RevokedOnce, List::Listed, &[23], &[23], (None, None)),
        (Ocsp::UnknownOnce, List::None, &[74], &[], (w, w)),
        (Ocsp::UnknownOnce, List::Good, &[], &[], (w, None)),
    ];
    let root = Ca::root("Root");
    let leaf = root.issue(&Leaf::named("client"));
    for (ocsp, list, strict, soft, asked) in table {
        let answers = OcspAnswers::new(10);
        ocsp.put(&answers, &leaf, &root);
        let what = format!("{ocsp:?}, {list:?}");
        let asked: Vec<_> =
            Some((0, asked.0, asked.1)).filter(|asked| asked.1.is_some() || asked.2.is_some()).into_iter().collect();
        for (settings, wanted) in [(mode(Strict), *strict), (mode(IgnoreCaError), *soft), (mode(Skip), &[])] {
            let skipped = settings.revocation_check_mode == Skip;
            let trust = set(&[&root], &list.of(&root), OcspUse::On, true);
            let verification = verify_knowing(&certificate(&leaf), &[], &trust, &answers, &settings, NOW);
            let found: Vec<i32> = codes(&verification).into_iter().map(|(code, _)| code).collect();
            let what = format!("{what}, {:?}", settings.revocation_check_mode);
            assert_eq!(found, wanted, "{what}");
            assert_eq!(verification.is_success(), wanted.is_empty(), "{what}");
            assert_eq!(verification.is_exactly_revoked(), wanted == [23], "{what}");
            assert_eq!(inquiries(&verification), if skipped { vec![] } else { asked.clone() }, "{what}");
            let finding = verification.revocation();
            match (skipped, strict.is_empty(), wanted) {
                (true, ..) => assert_eq!(finding, RevocationFinding::NotChecked, "{what}"),
                (_, true, _) => assert_eq!(finding, RevocationFinding::NotRevoked, "{what}"),
                (_, _, []) => assert!(matches!(finding, RevocationFinding::UnknownTolerated(_)), "{what}"),
                (_, _, codes) if codes.contains(&23) => assert!(matches!(finding, RevocationFinding::Revoked(_)), "{what}"),
                _ => assert!(matches!(finding, RevocationFinding::Unknown(_)), "{what}"),
            }
            // Without a source for lists nobody asks for one, and the verdict is the same.
            let trust = set(&[&root], &list.of(&root), OcspUse::On, false);
            let without = verify_knowing(&certificate(&leaf), &[], &trust, &answers, &settings, NOW);
            assert_eq!(codes(&without), codes(&verification), "{what}");
            assert!(without.inquiries().iter().all(|inquiry| inquiry.list.is_none()), "{what}");
            // A set that does not use OCSP does not see the answers.
            let trust = set(&[&root], &list.of(&root), OcspUse::Off, false);
            let off = verify_knowing(&certificate(&leaf), &[], &trust, &answers, &settings, NOW);
            assert_eq!(codes(&off), codes(&verify(&certificate(&leaf), &[], &trust, &settings, NOW)), "{what}");
            assert!(off.inquiries().is_empty(), "{what}");
        }
    }
}

#[test]
fn the_texts_are_openssls() {
    let root = Ca::root("Root");
    let leaf = root.issue(&Leaf::named("client"));
    let trust = set(&[&root], &[], OcspUse::Leaf, false);
    for (ocsp, text) in [
        (Ocsp::None, "FAILED:OCSP verification failed"),
        (Ocsp::Unknown, "FAILED:OCSP unknown cert"),
        (Ocsp::Revoked, "FAILED:certificate revoked"),
        (Ocsp::Good, "SUCCESS"),
    ] {
        let answers = OcspAnswers::new(10);
        ocsp.put(&answers, &leaf, &root);
        let verification = verify_knowing(&certificate(&leaf), &[], &trust, &answers, &mode(Strict), NOW);
        assert_eq!(verification.text(), text);
        if ocsp == Ocsp::Revoked {
            let CertificateStatus::Revoked(entry) = verification.statuses()[0] else { panic!("{verification:?}") };
            assert_eq!((entry.reason, entry.revoked_at), (ReasonCode::KeyCompromise, NOW.plus(-DAY)));
            assert_eq!(
                verification.remarks(),
                ["the certificate at depth 0 is revoked (keyCompromise) since 2026-01-14T12:00:00Z"]
            );
        }
    }
}

#[test]
fn every_certificate_below_the_anchor_or_the_clients_alone() {
    let root = Ca::root("Root");
    let between = root.intermediate("Between");
    let leaf = between.issue(&Leaf::named("client"));
    let chain = [certificate(&between.certificate)];
    let ask = |ocsp, answers: &OcspAnswers, settings| {
        verify_knowing(&certificate(&leaf), &chain, &set(&[&root], &[], ocsp, false), answers, &settings, NOW)
    };
    let answers = OcspAnswers::new(10);
    let w = Some(Wanted);
    let none = ask(OcspUse::On, &answers, mode(Strict));
    assert_eq!((codes(&none), inquiries(&none)), (vec![(74, 0), (74, 1)], vec![(0, w, None), (1, w, None)]));
    assert_eq!(none.inquiries()[0].id, id(&leaf, &between));
    assert_eq!(none.inquiries()[1].id, id(&between.certificate, &root));
    assert_eq!(none.inquiries()[1].issuer.to_der().unwrap(), root.certificate.to_der().unwrap());
    let leaf_only = ask(OcspUse::Leaf, &answers, mode(Strict));
    assert_eq!((codes(&leaf_only), inquiries(&leaf_only)), (vec![(3, 1), (74, 0)], vec![(0, w, None)]));

    Ocsp::Good.put(&answers, &leaf, &between);
    assert_eq!(codes(&ask(OcspUse::On, &answers, mode(Strict))), [(74, 1)]);
    assert!(ask(OcspUse::Leaf, &answers, mode(IgnoreCaError)).is_success());
    Ocsp::Revoked.put(&answers, &between.certificate, &root);
    for settings in [mode(Strict), mode(IgnoreCaError)] {
        let verification = ask(OcspUse::On, &answers, settings);
        assert_eq!(codes(&verification), [(23, 1)]);
        assert!(!verification.is_exactly_revoked(), "a CA's revocation is not the client's");
    }
    assert!(ask(OcspUse::Leaf, &answers, mode(IgnoreCaError)).is_success(), "its answer was not asked for");
}

#[test]
fn nothing_is_asked_where_no_answer_could_help() {
    let (root, other) = (Ca::root("Root"), Ca::root("Other"));
    let trust = set(&[&root], &[], OcspUse::On, true);
    let asked = |leaf: &X509| verify(&certificate(leaf), &[], &trust, &mode(Strict), NOW).inquiries().len();
    assert_eq!(asked(&root.issue(&Leaf::named("client"))), 1);
    assert_eq!(asked(&root.issue(&Leaf::expired("client"))), 1, "the route may let it pass");
    assert_eq!(asked(&root.forge(&Leaf::named("client"))), 0, "forged");
    assert_eq!(asked(&other.issue(&Leaf::named("client"))), 0, "of another CA");
    assert_eq!(asked(&root.issue(&Leaf { client_auth: false, ..Leaf::named("client") })), 0, "for something else");
    assert_eq!(asked(&root.issue(&Leaf { ca: true, ..Leaf::named("client") })), 0, "breaks a rule of ours");
}

/// Two roads to one anchor, through two certificates of one CA. STRICT needs one of which everything is known; both are asked
/// about, because nobody knows which responder lives.
#[test]
fn all_paths_that_wait_for_a_status_are_asked_about() {
    let root = Ca::root("Root");
    let key = new_key();
    let (one, two) = (root.certify("Between", key.clone(), Dates::VALID), root.certify("Between", key, Dates::VALID));
    let leaf = one.issue(&Leaf::named("client"));
    let chain = [certificate(&one.certificate), certificate(&two.certificate)];
    let trust = set(&[&root], &[], OcspUse::On, false);
    let answers = OcspAnswers::new(10);
    let ask = || verify_knowing(&certificate(&leaf), &chain, &trust, &answers, &mode(Strict), NOW);
    let asked: Vec<CertId> = ask().inquiries().iter().map(|inquiry| inquiry.id).collect();
    assert_eq!(asked.len(), 3);
    for (cert, issuer) in [(&leaf, &one), (&one.certificate, &root), (&two.certificate, &root)] {
        assert!(asked.contains(&id(cert, issuer)));
    }
    Ocsp::Good.put(&answers, &leaf, &one);
    Ocsp::Good.put(&answers, &two.certificate, &root);
    let verification = ask();
    assert!(verification.is_success() && verification.inquiries().is_empty(), "the other one is no longer needed");
}

#[test]
fn a_new_answer_touches_what_was_verified_with_the_last_one_and_nothing_else() {
    let root = Ca::root("Root");
    let leaves = [1000, 1001].map(|serial| root.issue(&Leaf { serial, ..Leaf::named("client") }));
    let trust = set(&[&root], &[], OcspUse::On, false);
    let (verifier, answers) = (CachedVerifier::new(10), OcspAnswers::new(10));
    let settings = mode(Strict).into();
    let ask = |at: usize, now| verifier.verify(&certificate(&leaves[at]), &[], &trust, &answers, &settings, now);
    assert_eq!(codes(&ask(0, NOW)), [(74, 0)]);
    assert!(Arc::ptr_eq(&ask(0, NOW), &ask(0, NOW)));
    Ocsp::Good.put(&answers, &leaves[0], &root);
    Ocsp::Good.put(&answers, &leaves[1], &root);
    let (first, second) = (ask(0, NOW), ask(1, NOW));
    assert!(first.is_success() && second.is_success());
    Ocsp::Good.put(&answers, &leaves[0], &root);
    assert!(Arc::ptr_eq(&first, &ask(0, NOW)), "the same answer again changes nothing");
    Ocsp::Revoked.put(&answers, &leaves[0], &root);
    assert!(ask(0, NOW).is_exactly_revoked(), "from the first request on");
    assert!(Arc::ptr_eq(&second, &ask(1, NOW)), "the other client's stays");
}

#[test]
fn a_verification_ends_with_its_answer() {
    let root = Ca::root("Root");
    let leaf = root.issue(&Leaf::named("client"));
    let trust = set(&[&root], &[], OcspUse::On, false);
    let answers = OcspAnswers::new(10);
    // Its window is 1,000 seconds: due at 800, and with the skew good until 1,300.
    let writer = OcspWriter::good(&leaf, &root.certificate, NOW).dated(NOW, Some(NOW.plus(1000)));
    assert!(answers.put(id(&leaf, &root), read(&writer, &leaf, &root, NOW)));
    let verifier = CachedVerifier::new(10);
    let ask = |second| {
        let now = NOW.plus(second);
        verifier.verify(&certificate(&leaf), &[], &trust, &answers, &mode(Strict).into(), now)
    };
    for (second, until, asked, success) in [
        (0, 60, None, true),
        (790, 800, None, true),
        (799, 800, None, true),
        (800, 860, Some(Ageing), true),
        (1290, 1301, Some(Ageing), true),
        (1300, 1301, Some(Ageing), true),
        (1301, 1361, Some(Wanted), false),
    ] {
        let verification = ask(second);
        assert_eq!(verification.holds_until(), NOW.plus(until), "{second}");
        assert_eq!(verification.inquiries().first().and_then(|inquiry| inquiry.ocsp), asked, "{second}");
        assert_eq!(verification.is_success(), success, "{second}");
    }
}

#[test]
fn which_answer_takes_the_place_of_which() {
    let root = Ca::root("Root");
    let leaf = root.issue(&Leaf::named("client"));
    let about = id(&leaf, &root);
    let make = |age: i64, status: &[u8]| {
        let writer = OcspWriter::good(&leaf, &root.certificate, NOW).dated(NOW.plus(-age), Some(NOW.plus(DAY)));
        read(&writer.status(status), &leaf, &root, NOW)
    };
    let good: &[u8] = &[0x80, 0];
    let bad = &revoked(NOW.plus(-DAY), None)[..];
    for (held, new, taken, what) in [
        ((20, good), (10, good), true, "newer"),
        ((20, good), (30, good), false, "older"),
        ((20, good), (20, good), true, "the same"),
        ((20, good), (10, bad), true, "newly revoked"),
        ((20, good), (20, bad), true, "bad news of the same second"),
        ((20, good), (30, bad), false, "older, and the newer one knew better"),
        ((20, bad), (10, good), true, "a hold was lifted"),
        ((20, bad), (20, good), false, "good news of the same second"),
        ((20, bad), (30, good), false, "played back"),
        ((20, bad), (10, UNKNOWN), false, "the responder has forgotten"),
        ((20, good), (10, UNKNOWN), true, "unknown since"),
        ((20, UNKNOWN), (10, good), true, "known since"),
    ] {
        let answers = OcspAnswers::new(10);
        assert!(answers.is_empty() && answers.get(&about).is_none());
        assert!(answers.put(about, make(held.0, held.1)));
        let before = answers.get(&about).unwrap();
        let new = make(new.0, new.1);
        assert_eq!(answers.put(about, new.clone()), taken, "{what}");
        let after = answers.get(&about).unwrap();
        assert_eq!(*after.answer == new, taken, "{what}");
        let changed = taken && *before.answer != new;
        assert_eq!(after.generation > before.generation, changed, "{what}");
        assert_eq!(after.generation == before.generation, !changed, "{what}");
    }
    let answers = OcspAnswers::new(10);
    let other = root.issue(&Leaf { serial: 7, ..Leaf::named("client") });
    assert!(!answers.put(id(&other, &root), make(10, good)), "about another certificate");
    assert!(answers.is_empty());
}

#[test]
fn threads_end_with_the_newest_answer() {
    let root = Ca::root("Root");
    let leaf = root.issue(&Leaf::named("client"));
    let about = id(&leaf, &root);
    let aged = |age: i64| {
        let writer = OcspWriter::good(&leaf, &root.certificate, NOW).dated(NOW.plus(-age), Some(NOW.plus(DAY)));
        read(&writer, &leaf, &root, NOW)
    };
    let answers = OcspAnswers::new(10);
    let made: Vec<OcspAnswer> = (0..40).map(aged).collect();
    std::thread::scope(|scope| {
        for part in 0..4 {
            let (answers, made) = (&answers, &made);
            scope.spawn(move || {
                let mut last = NOW.plus(-DAY);
                for at in 0..40 {
                    answers.put(about, made[(at * 7 + part * 13) % 40].clone());
                    let seen = answers.get(&about).unwrap().answer.this_update();
                    assert!(last <= seen, "never backwards");
                    last = seen;
                }
            });
        }
    });
    assert_eq!(answers.get(&about).unwrap().answer.this_update(), NOW);
}

#[test]
fn sets_that_ask_differently_are_different_sets() {
    let root = Ca::root("Root");
    let mut identities = Vec::new();
    for ocsp in [OcspUse::Off, OcspUse::Leaf, OcspUse::On] {
        for sources in [false, true] {
            identities.push(*set(&[&root], &[], ocsp, sources).identity());
        }
    }
    let different: std::collections::HashSet<_> = identities.iter().collect();
    assert_eq!(different.len(), identities.len());
}

#[test]
fn there_is_room_for_so_many_and_no_more() {
    let root = Ca::root("Root");
    let answers = OcspAnswers::new(4);
    for serial in 1..40 {
        let leaf = root.issue(&Leaf { serial, ..Leaf::named("client") });
        let answer = read(&OcspWriter::good(&leaf, &root.certificate, NOW), &leaf, &root, NOW);
        answers.put(id(&leaf, &root), answer);
    }
    assert!((1..=8).contains(&answers.len()), "{}", answers.len());
}
