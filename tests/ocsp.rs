//! OCSP answers: what `openssl ocsp` makes of our requests and how its answers are read, what no responder should send, and
//! octets of any kind.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::type_complexity, reason = "tables")]

mod support {
    pub(crate) mod crl_writer;
    pub(crate) mod ocsp_writer;
    pub(crate) mod openssl_ocsp;
    pub(crate) mod pki;
}

use openssl::hash::MessageDigest;
use openssl::ocsp::{OcspCertId, OcspRequest};
use openssl::pkey::{PKey, Private};
use openssl::x509::X509;
use proptest::prelude::*;
use support::crl_writer::extension;
use support::ocsp_writer::{OcspWriter, Single, UNKNOWN, by_key, cert_id, revoked, successful, time};
use support::openssl_ocsp::{Entry, answer};
use support::pki::{Ca, DAY, Dates, Extra, Leaf, NOW, new_key};
use vestibule::clock::UnixTime;
use vestibule::x509::crl::ReasonCode;
use vestibule::x509::der::{encode, tag};
use vestibule::x509::ocsp::{CertId, NonceCheck, NonceMode, OcspAnswer, OcspError, OcspLimits, OcspStatus, request};

const OFF: NonceCheck<'static> = NonceCheck { mode: NonceMode::Off, sent: None };
/// GeneralizedTime cannot be checked to the second against a clock that goes on.
const MINUTE: i64 = 60;

fn around(now: UnixTime) -> Dates {
    Dates(now.0 - DAY, now.0 + 365 * DAY)
}

/// OCSPSigning in extended key usage.
fn ocsp_signing() -> Extra {
    ("2.5.29.37", false, vec![0x30, 0x0A, 6, 8, 0x2B, 6, 1, 5, 5, 7, 3, 9])
}

/// id-pkix-ocsp-nocheck.
fn nocheck() -> Extra {
    ("1.3.6.1.5.5.7.48.1.5", false, vec![5, 0])
}

/// A responder's certificate with these extensions and the usual key identifiers.
fn responder(ca: &Ca, dates: Dates, extra: &[Extra], key: &PKey<Private>) -> X509 {
    use openssl::asn1::{Asn1Integer, Asn1Object, Asn1OctetString, Asn1Time};
    use openssl::x509::{X509Extension, X509Name};
    let mut name = X509Name::builder().unwrap();
    name.append_entry_by_text("CN", "Responder").unwrap();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder.set_subject_name(&name.build()).unwrap();
    builder.set_issuer_name(ca.certificate.subject_name()).unwrap();
    builder.set_pubkey(key).unwrap();
    builder.set_serial_number(&Asn1Integer::from_bn(&openssl::bn::BigNum::from_u32(77).unwrap()).unwrap()).unwrap();
    builder.set_not_before(&Asn1Time::from_unix(dates.0).unwrap()).unwrap();
    builder.set_not_after(&Asn1Time::from_unix(dates.1).unwrap()).unwrap();
    for (oid, critical, der) in extra {
        let value = Asn1OctetString::new_from_bytes(der).unwrap();
        let oid = Asn1Object::from_str(oid).unwrap();
        builder.append_extension(X509Extension::new_from_der(&oid, *critical, &value).unwrap()).unwrap();
    }
    builder.sign(&ca.key, MessageDigest::sha256()).unwrap();
    builder.build()
}

/// A CA and a client of today, as `openssl ocsp` dates its answers.
struct Today {
    now: UnixTime,
    root: Ca,
    leaf_key: PKey<Private>,
    leaf: X509,
}

impl Today {
    fn new() -> Self {
        let now = UnixTime::now();
        let root = Ca::self_signed("Root", new_key(), around(now));
        let leaf_key = new_key();
        let leaf = root.issue_for(&Leaf { dates: around(now), ..Leaf::named("client") }, &leaf_key);
        Self { now, root, leaf_key, leaf }
    }

    fn request(&self) -> Vec<u8> {
        request(&self.leaf, &self.root.certificate, None).unwrap()
    }

    fn answer(&self, database: &[Entry<'_>], arguments: &[&str]) -> Vec<u8> {
        self.answer_from(&self.root.certificate, &self.root.key, database, arguments)
    }

    fn answer_from(&self, signer: &X509, key: &PKey<Private>, database: &[Entry<'_>], arguments: &[&str]) -> Vec<u8> {
        answer(&self.root.certificate, database, (signer, key), &self.request(), arguments)
    }

    fn read(&self, der: &[u8]) -> Result<OcspAnswer, OcspError> {
        self.read_at(der, self.now.plus(MINUTE))
    }

    fn read_at(&self, der: &[u8], now: UnixTime) -> Result<OcspAnswer, OcspError> {
        OcspAnswer::read(der, &self.leaf, &self.root.certificate, OFF, OcspLimits::default(), now)
    }
}

const VALID: &[Entry<'static>] = &[Entry::Valid(1000)];

#[test]
fn what_openssl_answers() {
    let today = Today::new();
    let good = today.read(&today.answer(VALID, &["-ndays", "1"])).unwrap();
    assert_eq!((good.status(), good.remark()), (OcspStatus::Good, None));
    assert_eq!(good.next_update(), Some(good.this_update().plus(DAY)));
    assert_eq!(good.fresh_until(), good.this_update().plus(DAY + 300));
    assert_eq!(good.refresh_at(), good.this_update().plus(DAY / 5 * 4));
    assert_eq!(Some(good.id()), CertId::of(&today.leaf, &today.root.certificate));
    for (reason, wanted) in [
        ("", ReasonCode::Unspecified),
        (",keyCompromise", ReasonCode::KeyCompromise),
        (",holdInstruction,holdInstructionNone", ReasonCode::CertificateHold),
    ] {
        let revoked = today.read(&today.answer(&[Entry::Revoked(1000, reason)], &["-ndays", "1"])).unwrap();
        let time = UnixTime(1_767_225_600);
        assert_eq!(revoked.status(), OcspStatus::Revoked { time, reason: wanted }, "{reason}");
    }
    let unknown = today.read(&today.answer(&[Entry::Valid(1001)], &["-ndays", "1"])).unwrap();
    assert_eq!(unknown.status(), OcspStatus::Unknown);
    for arguments in
        [&["-ndays", "1", "-resp_key_id"][..], &["-ndays", "1", "-resp_no_certs"], &["-ndays", "1", "-rmd", "sha384"]]
    {
        let answer = today.answer(VALID, arguments);
        assert_eq!(today.read(&answer).unwrap().status(), OcspStatus::Good, "{arguments:?}");
    }
    // With -rcid, OpenSSL 3.0 answers for serial number 0.
    assert_eq!(today.read(&today.answer(VALID, &["-ndays", "1", "-rcid", "sha1"])), Err(OcspError::OtherCertificate));
    let id = OcspCertId::from_cert(MessageDigest::sha256(), &today.leaf, &today.root.certificate).unwrap();
    let mut sha256 = OcspRequest::new().unwrap();
    sha256.add_id(id).unwrap();
    let sha256 = answer(
        &today.root.certificate,
        VALID,
        (&today.root.certificate, &today.root.key),
        &sha256.to_der().unwrap(),
        &["-ndays", "1"],
    );
    assert_eq!(today.read(&sha256).unwrap().status(), OcspStatus::Good, "CertID with SHA-256");
    let algorithm = today.read(&today.answer(VALID, &["-ndays", "1", "-rmd", "sha1"]));
    assert_eq!(algorithm, Err(OcspError::SignatureAlgorithm("1.2.840.10045.4.1".into())));
    assert_eq!(today.read(&today.answer(VALID, &["-ndays", "1", "-badsig"])), Err(OcspError::SignatureWrong));
}

#[test]
fn the_age_of_an_answer() {
    let today = Today::new();
    let der = today.answer(VALID, &["-ndays", "1"]);
    let this = today.read(&der).unwrap().this_update();
    for (at, wanted) in [
        (this.plus(-301), Err(OcspError::NotYetValid)),
        (this.plus(-300), Ok(OcspStatus::Good)),
        (this.plus(DAY + 300), Ok(OcspStatus::Good)),
        (this.plus(DAY + 301), Err(OcspError::Expired)),
    ] {
        let read = today.read_at(&der, at);
        assert_eq!(read.as_ref().map(OcspAnswer::status).map_err(Clone::clone), wanted, "{}", at.0 - this.0);
        if let Ok(answer) = read {
            assert!(answer.is_fresh(at));
        }
    }
    let without = today.answer(VALID, &[]);
    let answer = today.read(&without).unwrap();
    assert_eq!((answer.next_update(), answer.fresh_until()), (None, this_update(&answer, DAY)));
    assert_eq!(today.read_at(&without, this_update(&answer, DAY)).map(|it| it.status()), Ok(OcspStatus::Good));
    assert_eq!(today.read_at(&without, this_update(&answer, DAY + 1)), Err(OcspError::Expired));
    let limits = OcspLimits { max_age_without_next_update: None, ..OcspLimits::default() };
    let refused = OcspAnswer::read(&without, &today.leaf, &today.root.certificate, OFF, limits, today.now.plus(MINUTE));
    assert_eq!(refused, Err(OcspError::NoNextUpdate));
}

fn this_update(answer: &OcspAnswer, later: i64) -> UnixTime {
    answer.this_update().plus(later)
}

#[test]
fn who_may_sign() {
    let today = Today::new();
    let dates = around(today.now);
    let (root, other) = (&today.root, Ca::self_signed("Other", new_key(), dates));
    let key = new_key();
    let delegate = |extra: &[Extra]| responder(root, dates, extra, &key);
    let good = delegate(&[ocsp_signing(), nocheck()]);
    let usage = |bits: u8| ("2.5.29.15", true, vec![3, 2, 0, bits]);
    let expired = responder(root, Dates(today.now.0 - 2 * DAY, today.now.0 - DAY), &[ocsp_signing(), nocheck()], &key);
    let early = responder(root, Dates(today.now.0 + DAY, today.now.0 + 2 * DAY), &[ocsp_signing(), nocheck()], &key);
    let intermediate = root.certify("Between", new_key(), dates);
    let same_name = Ca::self_signed("Root", new_key(), dates);
    let signs_itself = root.issue_for(&Leaf { dates, ..Leaf::named("client") }, &today.leaf_key);
    let unknown_critical = ("1.2.3.4", true, vec![5, 0]);
    let delegate_error = |why: &'static str| Err(OcspError::Delegate(why));
    let not_held = "does not hold now: its dates, its key or an extension that is critical";
    let by_other = "the certificate's issuer did not sign itself";
    let cases: Vec<(&str, X509, &PKey<Private>, &[&str], Result<bool, OcspError>)> = vec![
        ("delegate by name", good.clone(), &key, &[], Ok(false)),
        ("delegate by key", good.clone(), &key, &["-resp_key_id"], Ok(false)),
        ("delegate with digitalSignature", delegate(&[ocsp_signing(), nocheck(), usage(0x80)]), &key, &[], Ok(false)),
        ("delegate without nocheck", delegate(&[ocsp_signing()]), &key, &[], Ok(true)),
        ("certificate left out", good, &key, &["-resp_no_certs"], Err(OcspError::WrongSigner)),
        (
            "without OCSPSigning",
            delegate(&[nocheck()]),
            &key,
            &[],
            delegate_error("is not for OCSPSigning (extended key usage)"),
        ),
        (
            "any purpose, but not OCSPSigning",
            delegate(&[("2.5.29.37", false, vec![0x30, 6, 6, 4, 0x55, 0x1D, 0x25, 0]), nocheck()]),
            &key,
            &[],
            delegate_error("is not for OCSPSigning (extended key usage)"),
        ),
        (
            "key usage without digitalSignature",
            delegate(&[ocsp_signing(), nocheck(), usage(0x06)]),
            &key,
            &[],
            delegate_error("is not for signatures (key usage)"),
        ),
        ("expired", expired, &key, &[], delegate_error(not_held)),
        ("not valid yet", early, &key, &[], delegate_error(not_held)),
        (
            "with an unknown critical extension",
            delegate(&[ocsp_signing(), nocheck(), unknown_critical]),
            &key,
            &[],
            delegate_error(not_held),
        ),
        ("of another CA", responder(&other, dates, &[ocsp_signing(), nocheck()], &key), &key, &[], delegate_error(by_other)),
        (
            "of another CA with the same name",
            responder(&same_name, dates, &[ocsp_signing(), nocheck()], &key),
            &key,
            &[],
            delegate_error(by_other),
        ),
        (
            "of a CA between",
            responder(&intermediate, dates, &[ocsp_signing(), nocheck()], &key),
            &key,
            &[],
            delegate_error(by_other),
        ),
        ("another CA", other.certificate.clone(), &other.key, &[], delegate_error(by_other)),
        ("another CA, silent", other.certificate.clone(), &other.key, &["-resp_no_certs"], Err(OcspError::WrongSigner)),
        (
            "same name, silent",
            same_name.certificate.clone(),
            &same_name.key,
            &["-resp_no_certs"],
            Err(OcspError::SignatureWrong),
        ),
        (
            "the client itself",
            signs_itself,
            &today.leaf_key,
            &[],
            delegate_error("is not for OCSPSigning (extended key usage)"),
        ),
    ];
    for (what, signer, key, arguments, wanted) in cases {
        let der = today.answer_from(&signer, key, VALID, &[&["-ndays", "1"], arguments].concat());
        let read = today.read(&der);
        assert_eq!(read.as_ref().map(|answer| answer.remark().is_some()).map_err(Clone::clone), wanted, "{what}");
        if let Ok(answer) = read {
            assert_eq!(answer.status(), OcspStatus::Good, "{what}");
        }
    }
}

/// Both of an issuer and of a responder. The machine's clock is months away from `NOW`.
#[test]
fn certificates_are_dated_by_the_callers_clock() {
    let days = |from: i64, to: i64| Dates(NOW.0 + from * DAY, NOW.0 + to * DAY);
    let key = new_key();
    for (issuer, delegate, wanted) in [
        (days(-2, 2), days(-1, 1), Ok(OcspStatus::Good)),
        (days(-2, -1), days(-2, 1), Err(OcspError::SecondReader)),
        (days(1, 2), days(-2, 1), Err(OcspError::SecondReader)),
    ] {
        let root = Ca::self_signed("Root", new_key(), issuer);
        let leaf = root.issue(&Leaf::named("client"));
        let good = OcspWriter::good(&leaf, &root.certificate, NOW);
        assert_eq!(read(&good.sign(&root.key), &leaf, &root).map(|answer| answer.status()), wanted);
        let delegate = responder(&root, delegate, &[ocsp_signing(), nocheck()], &key);
        let read = read(&good.from(&delegate).sign(&key), &leaf, &root);
        assert_eq!(read.is_ok(), wanted.is_ok(), "{read:?}");
    }
}

#[test]
fn rsa_keys() {
    let rsa = |bits| PKey::from_rsa(openssl::rsa::Rsa::generate(bits).unwrap()).unwrap();
    let now = UnixTime::now();
    let root = Ca::self_signed("Root", rsa(2048), around(now));
    let leaf = root.issue(&Leaf { dates: around(now), ..Leaf::named("client") });
    let today = Today { now, root, leaf_key: new_key(), leaf };
    for padding in [&[][..], &["-rsigopt", "rsa_padding_mode:pss", "-rsigopt", "rsa_pss_saltlen:32"]] {
        let der = today.answer(VALID, &[&["-ndays", "1"], padding].concat());
        assert_eq!(today.read(&der).map(|answer| answer.status()), Ok(OcspStatus::Good), "{padding:?}");
    }
    let weak = rsa(1024);
    let delegate = responder(&today.root, around(now), &[ocsp_signing(), nocheck()], &weak);
    let der = today.answer_from(&delegate, &weak, VALID, &["-ndays", "1"]);
    let why = "breaks a rule that holds for certificates on a path too";
    assert_eq!(today.read(&der), Err(OcspError::Delegate(why)));
}

#[test]
fn a_responder_does_not_vouch_for_itself() {
    let root = Ca::root("Root");
    let key = new_key();
    let own = responder(&root, Dates::VALID, &[ocsp_signing(), nocheck()], &key);
    let der = OcspWriter::good(&own, &root.certificate, NOW).from(&own).sign(&key);
    let read = OcspAnswer::read(&der, &own, &root.certificate, OFF, OcspLimits::default(), NOW);
    assert_eq!(read, Err(OcspError::Delegate("is the one asked about: it cannot vouch for itself")));
}

#[test]
fn the_certificate_that_was_asked_about() {
    let today = Today::new();
    let der = today.answer(VALID, &["-ndays", "1"]);
    let now = today.now.plus(MINUTE);
    let dates = around(today.now);
    let sibling = today.root.issue(&Leaf { serial: 1001, dates, ..Leaf::named("client") });
    let namesake = Ca::self_signed("Root", new_key(), dates);
    let cousin = namesake.issue(&Leaf { dates, ..Leaf::named("client") });
    let read = |cert, issuer| OcspAnswer::read(&der, cert, issuer, OFF, OcspLimits::default(), now);
    assert_eq!(read(&sibling, &today.root.certificate), Err(OcspError::OtherCertificate));
    assert_eq!(read(&cousin, &namesake.certificate), Err(OcspError::OtherCertificate), "another issuer with the same name");
    assert_eq!(read(&today.leaf, &namesake.certificate), Err(OcspError::OtherCertificate));
    let id = |cert, issuer| CertId::of(cert, issuer).unwrap();
    let ids =
        [id(&today.leaf, &today.root.certificate), id(&sibling, &today.root.certificate), id(&cousin, &namesake.certificate)];
    assert!(ids[0] != ids[1] && ids[0] != ids[2] && ids[1] != ids[2]);
    // The same certificate's issuer in another certificate, cross-signed: the same question.
    let cross = Ca::self_signed("Top", new_key(), dates).certify("Root", today.root.key.clone(), dates);
    assert_eq!(id(&today.leaf, &cross.certificate), ids[0]);
}

#[test]
fn openssl_reads_our_requests_and_sends_the_nonce_back() {
    let today = Today::new();
    let (nonce, other) = ([7_u8; 32], [8_u8; 32]);
    let ask = |nonce: Option<&[u8]>| {
        let request = request(&today.leaf, &today.root.certificate, nonce).unwrap();
        OcspRequest::from_der(&request).unwrap();
        answer(&today.root.certificate, VALID, (&today.root.certificate, &today.root.key), &request, &["-ndays", "1"])
    };
    let (with, without) = (ask(Some(&nonce)), ask(None));
    use NonceMode::{Off, Prefer, Require};
    for (der, mode, sent, wanted) in [
        (&with, Off, None, Ok(())),
        (&with, Off, Some(&other), Ok(())),
        (&with, Prefer, Some(&nonce), Ok(())),
        (&with, Prefer, Some(&other), Err(OcspError::NonceDifferent)),
        (&with, Prefer, None, Ok(())),
        (&with, Require, Some(&nonce), Ok(())),
        (&with, Require, Some(&other), Err(OcspError::NonceDifferent)),
        (&with, Require, None, Err(OcspError::NonceDifferent)),
        (&without, Off, None, Ok(())),
        (&without, Off, Some(&nonce), Ok(())),
        (&without, Prefer, Some(&nonce), Ok(())),
        (&without, Prefer, None, Ok(())),
        (&without, Require, Some(&nonce), Err(OcspError::NonceMissing)),
        (&without, Require, None, Err(OcspError::NonceMissing)),
    ] {
        let sent = sent.map(|nonce| &nonce[..]);
        let check = NonceCheck { mode, sent };
        let now = today.now.plus(MINUTE);
        let read = OcspAnswer::read(der, &today.leaf, &today.root.certificate, check, OcspLimits::default(), now);
        assert_eq!(read.map(|_| ()), wanted, "{mode:?} {sent:?}, echoed: {}", *der == with);
    }
}

#[test]
fn responses_that_are_no_answers() {
    let (root, leaf) = root_and_leaf();
    for (status, wanted) in [
        (1, OcspError::MalformedRequest),
        (2, OcspError::InternalError),
        (3, OcspError::TryLater),
        (4, OcspError::ResponseStatus(4)),
        (5, OcspError::SigRequired),
        (6, OcspError::Unauthorized),
        (7, OcspError::ResponseStatus(7)),
    ] {
        let read = read(&[0x30, 3, 0x0A, 1, status], &leaf, &root);
        assert!(!wanted.to_string().is_empty() && !wanted.to_string().ends_with('.'), "{wanted}");
        assert_eq!(read, Err(wanted));
    }
    let good = OcspWriter::good(&leaf, &root.certificate, NOW).sign(&root.key);
    let trailing = [good.clone(), vec![0]].concat();
    for garbage in [&b""[..], b"<html>", &[0x30, 0x80, 0, 0], &[0x30, 3, 0x0A, 1, 0], &good[..good.len() - 1], &trailing] {
        assert!(matches!(read(garbage, &leaf, &root), Err(OcspError::NotDer(_))), "{garbage:02X?}");
    }
    assert_eq!(read(&successful(&[0x2A, 3], &[]), &leaf, &root), Err(OcspError::ResponseType("1.2.3".into())));
}

fn root_and_leaf() -> (Ca, X509) {
    let root = Ca::root("Root");
    let leaf = root.issue(&Leaf::named("client"));
    (root, leaf)
}

fn read(der: &[u8], leaf: &X509, root: &Ca) -> Result<OcspAnswer, OcspError> {
    OcspAnswer::read(der, leaf, &root.certificate, OFF, OcspLimits::default(), NOW)
}

#[test]
fn what_no_responder_should_send() {
    let (root, leaf) = root_and_leaf();
    let issuer = &root.certificate;
    let good = || OcspWriter::good(&leaf, issuer, NOW);
    let single = || Single::good(&leaf, issuer, NOW);
    let sibling = root.issue(&Leaf { serial: 5, ..Leaf::named("client") });
    let critical = extension("1.2.3", true, &[5, 0]);
    let harmless = extension("1.2.3", false, &[5, 0]);
    let not_der = |reason: &str| Err(format!("is not an OCSP response (not strict DER: {reason})"));
    let refused = |error: OcspError| Err(error.to_string());
    let odd = |single: Single| OcspWriter { singles: vec![single], ..good() };
    let cases: Vec<(&str, OcspWriter, Result<OcspStatus, String>)> = vec![
        ("plain", good(), Ok(OcspStatus::Good)),
        ("unknown", good().status(UNKNOWN), Ok(OcspStatus::Unknown)),
        ("CertID with SHA-256", odd(Single { cert_id: cert_id(&leaf, issuer, true), ..single() }), Ok(OcspStatus::Good)),
        ("by key", OcspWriter { responder: by_key(issuer), ..good() }, Ok(OcspStatus::Good)),
        ("version 1 written", OcspWriter { version: encode(0xA0, &[2, 1, 0]), ..good() }, Ok(OcspStatus::Good)),
        ("version 2", OcspWriter { version: encode(0xA0, &[2, 1, 1]), ..good() }, not_der("a version other than 1")),
        ("a status for another one beside", good().and(Single::good(&sibling, issuer, NOW)), Ok(OcspStatus::Good)),
        ("the same twice", good().and(single()), Ok(OcspStatus::Good)),
        (
            "the same in both hashes",
            good().and(Single { cert_id: cert_id(&leaf, issuer, true), ..single() }),
            Ok(OcspStatus::Good),
        ),
        ("good and revoked", good().and(Single { status: revoked(NOW, None), ..single() }), refused(OcspError::Contradiction)),
        (
            "good and revoked in the other hash",
            good().and(Single { status: revoked(NOW, None), cert_id: cert_id(&leaf, issuer, true), ..single() }),
            refused(OcspError::Contradiction),
        ),
        (
            "good for longer, too",
            good().and(Single { next_update: Some(time(NOW.plus(9 * DAY))), ..single() }),
            refused(OcspError::Contradiction),
        ),
        ("nobody's status", OcspWriter { singles: vec![], ..good() }, refused(OcspError::OtherCertificate)),
        ("an extension", good().with(harmless.clone()), Ok(OcspStatus::Good)),
        ("a critical one", good().with(critical.clone()), refused(OcspError::UnknownCriticalExtension("1.2.3".into()))),
        (
            "a critical one of a status",
            odd(Single { extensions: vec![critical.clone()], ..single() }),
            refused(OcspError::UnknownCriticalExtension("1.2.3".into())),
        ),
        (
            "a critical one of somebody else's status",
            good().and(Single { extensions: vec![critical], ..Single::good(&sibling, issuer, NOW) }),
            refused(OcspError::UnknownCriticalExtension("1.2.3".into())),
        ),
        ("one twice", good().with(harmless.clone()).with(harmless), refused(OcspError::DuplicateExtension("1.2.3".into()))),
        (
            "reason 7, which does not exist",
            good().status(&revoked(NOW, Some(7))),
            not_der("a revocationReason that RFC 5280 does not know"),
        ),
        (
            "revoked for removeFromCRL",
            good().status(&revoked(NOW, Some(8))),
            Ok(OcspStatus::Revoked { time: NOW, reason: ReasonCode::RemoveFromCrl }),
        ),
        ("good with content", good().status(&[0x80, 1, 0]), not_der("a certStatus of an unknown kind")),
        ("a fourth status", good().status(&[0x83, 0]), not_der("a certStatus of an unknown kind")),
        (
            "UTCTime",
            odd(Single { this_update: encode(tag::UTC_TIME, b"260101000000Z"), ..single() }),
            refused(OcspError::Date("thisUpdate")),
        ),
        (
            "fractions",
            odd(Single { this_update: encode(tag::GENERALIZED_TIME, b"20260101000000.5Z"), ..single() }),
            refused(OcspError::Date("thisUpdate")),
        ),
        ("ends before it starts", good().dated(NOW, Some(NOW.plus(-1))), refused(OcspError::Dates)),
        ("from the future", good().dated(NOW.plus(301), Some(NOW.plus(DAY))), refused(OcspError::NotYetValid)),
        ("signed in the future", OcspWriter { produced_at: time(NOW.plus(301)), ..good() }, refused(OcspError::NotYetValid)),
        ("within the skew", good().dated(NOW.plus(300), Some(NOW.plus(DAY))), Ok(OcspStatus::Good)),
        ("past its end", good().dated(NOW.plus(-DAY), Some(NOW.plus(-301))), refused(OcspError::Expired)),
        ("past its end, within the skew", good().dated(NOW.plus(-DAY), Some(NOW.plus(-300))), Ok(OcspStatus::Good)),
    ];
    for (what, writer, wanted) in cases {
        let read = read(&writer.sign(&root.key), &leaf, &root);
        assert_eq!(read.map(|answer| answer.status()).map_err(|error| error.to_string()), wanted, "{what}");
    }
    let forged = read(&good().sign(&new_key()), &leaf, &root);
    assert_eq!(forged, Err(OcspError::SignatureWrong));
    let forged = read(&good().status(&revoked(NOW, None)).sign(&new_key()), &leaf, &root);
    assert_eq!(forged, Err(OcspError::SignatureWrong), "nor is bad news believed");
}

#[test]
fn every_octet_counts() {
    let (root, leaf) = root_and_leaf();
    let key = new_key();
    let delegate = responder(&root, Dates::VALID, &[ocsp_signing(), nocheck()], &key);
    let by_issuer = OcspWriter::good(&leaf, &root.certificate, NOW).sign(&root.key);
    let by_delegate = OcspWriter::good(&leaf, &root.certificate, NOW).from(&delegate).sign(&key);
    for good in [by_issuer, by_delegate] {
        assert_eq!(read(&good, &leaf, &root).unwrap().status(), OcspStatus::Good);
        for at in 0..good.len() {
            for flip in [0x01, 0x80, 0xFF] {
                let mut tampered = good.clone();
                tampered[at] ^= flip;
                let read = read(&tampered, &leaf, &root);
                assert!(read.is_err(), "octet {at} of {}, ^{flip:02X}: {read:?}", good.len());
            }
        }
        for length in 0..good.len() {
            assert!(read(&good[..length], &leaf, &root).is_err());
        }
    }
}

#[test]
fn what_was_kept_on_disk() {
    let (root, leaf) = root_and_leaf();
    let kept = |der: &[u8], now| OcspAnswer::read_kept(der, &leaf, &root.certificate, OcspLimits::default(), now);
    let good = OcspWriter::good(&leaf, &root.certificate, NOW);
    let key = new_key();
    let short = responder(&root, Dates(NOW.0 - DAY, NOW.0 + DAY), &[ocsp_signing(), nocheck()], &key);
    let bad = good.clone().status(&revoked(NOW, Some(1))).from(&short);
    let (good, bad) = (good.sign(&root.key), bad.sign(&key));
    assert!(kept(&good, NOW).unwrap().is_fresh(NOW));
    let later = NOW.plus(30 * DAY);
    assert_eq!(kept(&good, later), Err(OcspError::Expired));
    let still = kept(&bad, later).unwrap();
    assert!(matches!(still.status(), OcspStatus::Revoked { .. }) && !still.is_fresh(later));
    assert_eq!(OcspAnswer::read(&bad, &leaf, &root.certificate, OFF, OcspLimits::default(), later), Err(OcspError::Expired));
    assert!(kept(&good, NOW.plus(-DAY)).is_err() && kept(&bad, NOW.plus(-DAY)).is_err(), "not before its time");
}

proptest! {
    #[test]
    fn any_octets_are_read_without_a_panic(octets in proptest::collection::vec(any::<u8>(), 0..200), status in 0_u8..8) {
        thread_local! {
            static PARTIES: (Ca, X509) = root_and_leaf();
        }
        PARTIES.with(|(root, leaf)| {
            prop_assert!(read(&octets, leaf, root).is_err());
            let basic = successful(&[0x2B, 6, 1, 5, 5, 7, 0x30, 1, 1], &encode(tag::SEQUENCE, &octets));
            prop_assert!(read(&basic, leaf, root).is_err());
            let signed = OcspWriter::good(leaf, &root.certificate, NOW).status(&[0xA0 | status, 0]).with(octets.clone());
            let error = read(&signed.sign(&root.key), leaf, root).map(|_| ()).unwrap_err();
            prop_assert!(!error.to_string().is_empty());
            Ok(())
        })?;
    }
}
