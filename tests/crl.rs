//! The index of a revocation list: what is refused and under which name, what hostile bytes do, and that a lookup says what
//! OpenSSL says.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support {
    pub(crate) mod crl_writer;
    pub(crate) mod pki;
}

use openssl::bn::BigNum;
use openssl::x509::{CrlStatus, X509Crl};
use proptest::prelude::*;
use support::crl_writer::{CrlWriter, extension, reason};
use support::pki::{Ca, DAY, NOW};
use vestibule::x509::crl::{CrlError, CrlIndex, ReasonCode};
use vestibule::x509::der::encode;

fn read(der: &[u8]) -> Result<CrlIndex, CrlError> {
    CrlIndex::from_der(der)
}

#[test]
fn what_a_list_says_is_read() {
    let ca = Ca::root("Root");
    let list = CrlWriter::of(&ca.certificate, NOW)
        .entry(&[0x05], NOW.plus(-DAY), &[])
        .entry(&[0x00, 0x80], NOW.plus(-2 * DAY), &[reason(1)])
        .entry(&[0x03], NOW.plus(-3 * DAY), &[reason(6), extension("2.5.29.24", false, b"\x18\x0f20250101000000Z")])
        .entry(&[0xFF], NOW.plus(-4 * DAY), &[reason(8)])
        .scoped(&[0x81, 1, 0xFF]);
    let index = read(&list.sign(&ca.key)).unwrap();
    assert_eq!((index.this_update(), index.next_update()), (NOW.plus(-DAY), NOW.plus(DAY)));
    assert_eq!((index.number(), index.signature_algorithm(), index.len()), (Some(&[1][..]), "ecdsa-with-SHA256", 4));
    assert_eq!(index.authority_key(), ca.certificate.subject_key_id().map(|key| key.as_slice()));
    assert_eq!(index.issuer().rfc2253(), "CN=Root,O=Vestibule Test");
    let entry = |serial: &[u8]| index.entry(serial).map(|entry| (entry.reason, entry.revoked_at));
    assert_eq!(entry(&[0x05]), Some((ReasonCode::Unspecified, NOW.plus(-DAY))));
    assert_eq!(entry(&[0x00, 0x80]), Some((ReasonCode::KeyCompromise, NOW.plus(-2 * DAY))));
    assert_eq!(entry(&[0x03]), Some((ReasonCode::CertificateHold, NOW.plus(-3 * DAY))));
    assert_eq!(entry(&[0xFF]), Some((ReasonCode::RemoveFromCrl, NOW.plus(-4 * DAY))));
    for absent in [&[0x04][..], &[0x80], &[], &[0x00, 0x05], &[0x05, 0x05], &[0xFE]] {
        assert_eq!(entry(absent), None, "{absent:02X?}");
    }
}

#[test]
fn what_would_be_half_understood_is_refused_by_name() {
    let ca = Ca::root("Root");
    let good = || CrlWriter::of(&ca.certificate, NOW);
    let with_entry = |extensions: &[Vec<u8>]| good().entry(&[5], NOW, extensions);
    let version_1 = || CrlWriter { version: vec![], extensions: vec![], ..good() };
    let dates = |dates: &[u8]| CrlWriter { dates: dates.to_vec(), ..good() };
    let algorithm = |inside: &[u8], outside: &[u8]| CrlWriter { algorithms: [inside.to_vec(), outside.to_vec()], ..good() };
    let sha1 = b"\x30\x09\x06\x07\x2a\x86\x48\xce\x3d\x04\x01";
    let ecdsa = support::crl_writer::ECDSA_SHA256;
    let cases: Vec<(&str, CrlWriter, Result<(), CrlError>)> = vec![
        ("a good one", good(), Ok(())),
        ("version 1", version_1(), Ok(())),
        ("version 1 with an entry", version_1().entry(&[5], NOW, &[]), Ok(())),
        ("an empty scope", good().scoped(&[]), Ok(())),
        ("freshest CRL", good().with(extension("2.5.29.46", false, b"\x30\x00")), Ok(())),
        ("unknown extension", good().with(extension("1.2.3.4", false, b"x")), Ok(())),
        ("unknown entry extension", with_entry(&[extension("1.2.3.4", false, b"x")]), Ok(())),
        ("delta", good().with(extension("2.5.29.27", true, &[2, 1, 1])), Err(CrlError::Delta)),
        ("delta, not critical", good().with(extension("2.5.29.27", false, &[2, 1, 1])), Err(CrlError::Delta)),
        ("indirect", good().scoped(&[0x84, 1, 0xFF]), Err(CrlError::Indirect)),
        ("entry of another issuer", with_entry(&[extension("2.5.29.29", true, b"\x30\x00")]), Err(CrlError::Indirect)),
        ("some reasons", good().scoped(&[0x83, 2, 6, 0x40]), Err(CrlError::OnlySomeReasons)),
        ("attribute certificates", good().scoped(&[0x85, 1, 0xFF]), Err(CrlError::AttributeCertificates)),
        ("users and CAs", good().scoped(&[0x81, 1, 0xFF, 0x82, 1, 0xFF]), Err(CrlError::ContradictoryScope)),
        (
            "unknown critical",
            good().with(extension("1.2.3.4", true, b"x")),
            Err(CrlError::UnknownCriticalExtension("1.2.3.4".into())),
        ),
        (
            "critical number",
            CrlWriter { extensions: vec![extension("2.5.29.20", true, &[2, 1, 1])], ..good() },
            Err(CrlError::UnknownCriticalExtension("2.5.29.20".into())),
        ),
        (
            "unknown critical in an entry",
            with_entry(&[reason(1), extension("1.2.3.4", true, b"x")]),
            Err(CrlError::UnknownCriticalEntryExtension("1.2.3.4".into())),
        ),
        (
            "an extension twice",
            good().with(extension("2.5.29.20", false, &[2, 1, 2])),
            Err(CrlError::DuplicateExtension("2.5.29.20".into())),
        ),
        ("a reason twice", with_entry(&[reason(1), reason(8)]), Err(CrlError::DuplicateExtension("2.5.29.21".into()))),
        ("version 1 with extensions", CrlWriter { version: vec![], ..good() }, Err(CrlError::Version1WithExtensions)),
        ("version 1 with a reason", version_1().entry(&[5], NOW, &[reason(1)]), Err(CrlError::Version1WithExtensions)),
        ("version 3", CrlWriter { version: vec![2, 1, 2], ..good() }, Err(CrlError::Version)),
        ("version 1 written", CrlWriter { version: vec![2, 1, 0], ..good() }, Err(CrlError::Version)),
        ("no nextUpdate", dates(b"\x17\x0d250101000000Z"), Err(CrlError::NoNextUpdate)),
        ("no seconds", dates(b"\x17\x0b2501010000Z\x17\x0d350101000000Z"), Err(CrlError::Date("thisUpdate"))),
        ("month 13", dates(b"\x17\x0d251301000000Z\x17\x0d350101000000Z"), Err(CrlError::Date("thisUpdate"))),
        ("a fraction", dates(b"\x17\x0d250101000000Z\x18\x1120350101000000.5Z"), Err(CrlError::Date("nextUpdate"))),
        ("a local time", dates(b"\x17\x0d250101000000Z\x17\x11350101000000+0100"), Err(CrlError::Date("nextUpdate"))),
        (
            "a bad revocation date",
            CrlWriter { entries: b"\x30\x12\x02\x01\x05\x17\x0d250230000000Z".to_vec(), ..good() },
            Err(CrlError::Date("revocationDate")),
        ),
        ("SHA-1", algorithm(sha1, sha1), Err(CrlError::SignatureAlgorithm("1.2.840.10045.4.1".into()))),
        ("two algorithms", algorithm(ecdsa, sha1), Err(CrlError::SignatureAlgorithms)),
    ];
    for (what, list, wanted) in cases {
        let found = read(&list.sign(&ca.key)).map(|_| ());
        assert_eq!(found, wanted, "{what}");
        if let Err(error) = found {
            let sentence = error.to_string();
            assert!(
                sentence.starts_with("is a CRL") || sentence.starts_with("is a") || sentence.starts_with("is an"),
                "{sentence}"
            );
        }
    }
}

#[test]
fn hostile_bytes_are_refused() {
    let ca = Ca::root("Root");
    let good = || CrlWriter::of(&ca.certificate, NOW);
    let entries = |entries: &[u8]| CrlWriter { entries: entries.to_vec(), ..good() }.sign(&ca.key);
    let not_der = [
        ("nothing", vec![]),
        ("garbage of ten megabytes", vec![0x30; 10 << 20]),
        ("zeros of ten megabytes", vec![0; 10 << 20]),
        ("a length of four gigabytes", vec![0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF]),
        ("a certificate", ca.certificate.to_der().unwrap()),
        ("more after it", [good().sign(&ca.key), vec![0]].concat()),
        ("long length of an entry", entries(b"\x30\x81\x12\x02\x01\x05\x17\x0d250101000000Z")),
        ("long length of a serial", entries(b"\x30\x13\x02\x81\x01\x05\x17\x0d250101000000Z")),
        ("endless entry", entries(b"\x30\x80\x02\x01\x05\x17\x0d250101000000Z\x00\x00")),
        ("a serial that is not minimal", entries(b"\x30\x13\x02\x02\x00\x05\x17\x0d250101000000Z")),
        ("an empty serial", entries(b"\x30\x11\x02\x00\x17\x0d250101000000Z")),
        ("an entry with more", entries(b"\x30\x14\x02\x01\x05\x17\x0d250101000000Z\x05\x00")),
        ("an entry past the end", entries(b"\x30\x7f\x02\x01\x05\x17\x0d250101000000Z")),
        ("an entry without a date", entries(b"\x30\x03\x02\x01\x05")),
        ("a serial of a megabyte", good().entry(&vec![1; 1 << 20], NOW, &[]).sign(&ca.key)),
        ("a reason without an end", good().entry(&[5], NOW, &[extension("2.5.29.21", false, &[0x0A, 2, 1])]).sign(&ca.key)),
        ("a reason of two octets", good().entry(&[5], NOW, &[extension("2.5.29.21", false, &[0x0A, 2, 1, 1])]).sign(&ca.key)),
        ("reason 7", good().entry(&[5], NOW, &[reason(7)]).sign(&ca.key)),
        ("reason 255", good().entry(&[5], NOW, &[reason(255)]).sign(&ca.key)),
        ("a flag written FALSE", good().scoped(&[0x81, 1, 0]).sign(&ca.key)),
        ("a flag of two octets", good().scoped(&[0x81, 2, 0xFF, 0xFF]).sign(&ca.key)),
        ("a scope with more", good().scoped(&[0x81, 1, 0xFF, 0x05, 0]).sign(&ca.key)),
        ("a scope without names", good().scoped(&[0xA0, 2, 0xA0, 0]).sign(&ca.key)),
        ("a signature with unused bits", {
            let mut der = good().finish(b"signature");
            let at = der.len() - b"\x00signature".len();
            der[at] = 1;
            der
        }),
    ];
    for (what, der) in not_der {
        assert!(matches!(read(&der), Err(CrlError::NotDer(_))), "{what}");
    }
    let many: Vec<Vec<u8>> = (0..5).map(|n| extension(&format!("1.2.3.{n}"), false, b"x")).collect();
    assert!(read(&good().entry(&[5], NOW, &many).sign(&ca.key)).is_err(), "five extensions in an entry");
    let huge = extension("1.2.3.4", false, &vec![7; 1 << 20]);
    let index = read(&good().entry(&[5], NOW, &[huge]).sign(&ca.key)).unwrap();
    assert!(index.memory() < 200, "an extension that nobody needs is not kept");
}

#[test]
fn every_truncation_and_every_flipped_bit_is_an_answer() {
    let ca = Ca::root("Root");
    let list = CrlWriter::of(&ca.certificate, NOW).entry(&[5], NOW, &[reason(1)]).scoped(&[0x82, 1, 0xFF]);
    let der = list.sign(&ca.key);
    for length in 0..der.len() {
        assert!(read(&der[..length]).is_err(), "{length} octets");
    }
    for bit in 0..der.len() * 8 {
        let mut changed = der.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        if read(&changed).is_ok() {
            assert!(X509Crl::from_der(&changed).is_ok(), "only what OpenSSL takes as well");
        }
    }
}

#[test]
fn of_two_entries_any_revocation_counts() {
    let ca = Ca::root("Root");
    for order in [[8, 6, 1], [1, 6, 8], [6, 8, 1]] {
        let mut list = CrlWriter::of(&ca.certificate, NOW);
        for code in order {
            list.push(&[5], NOW.plus(-i64::from(code)), &[reason(code)]);
        }
        let index = read(&list.sign(&ca.key)).unwrap();
        assert_eq!(index.len(), 3);
        assert_eq!(index.entry(&[5]).unwrap().reason, ReasonCode::KeyCompromise, "{order:?}");
    }
}

/// Numbers near each other and near the places where an INTEGER becomes longer.
fn serial() -> impl Strategy<Value = i128> {
    let edge = (0_u32..126, -2_i128..3).prop_map(|(bits, near)| (1_i128 << bits) + near);
    prop_oneof![-300_i128..300, edge.clone(), edge.prop_map(|number| -number), any::<i128>()]
}

/// Content octets of the INTEGER.
fn octets(number: i128) -> Vec<u8> {
    let all = number.to_be_bytes();
    let skip = (0..15).take_while(|&at| matches!((all[at], all[at + 1] & 0x80), (0, 0) | (0xFF, 0x80))).count();
    all[skip..].to_vec()
}

fn openssl_says(crl: &X509Crl, number: i128) -> Option<bool> {
    let mut bignum = BigNum::from_slice(&number.unsigned_abs().to_be_bytes()).unwrap();
    bignum.set_negative(number < 0);
    match crl.get_by_serial(&bignum.to_asn1_integer().unwrap()) {
        CrlStatus::NotRevoked => None,
        CrlStatus::Revoked(_) => Some(true),
        CrlStatus::RemoveFromCrl(_) => Some(false),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_lookup_says_what_openssl_says(
        listed in prop::collection::btree_map(serial(), prop_oneof![Just(None), Just(Some(1)), Just(Some(6)), Just(Some(8))], 0..80),
        asked in prop::collection::vec(serial(), 50),
    ) {
        let ca = Ca::root("Root");
        let mut list = CrlWriter::of(&ca.certificate, NOW);
        // Neither sorted by number nor by octets.
        for (number, code) in listed.iter().filter(|(n, _)| *n % 2 == 0).chain(listed.iter().filter(|(n, _)| *n % 2 != 0)) {
            list.push(&octets(*number), NOW, &code.map(reason).into_iter().collect::<Vec<_>>());
        }
        let der = list.sign(&ca.key);
        let (index, crl) = (read(&der).unwrap(), X509Crl::from_der(&der).unwrap());
        prop_assert_eq!(index.len(), listed.len());
        for number in listed.keys().chain(&asked) {
            let ours = index.entry(&octets(*number)).map(|entry| entry.reason != ReasonCode::RemoveFromCrl);
            prop_assert_eq!(ours, openssl_says(&crl, *number), "{}", number);
        }
    }

    #[test]
    fn garbage_is_refused(mut bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(read(&bytes).is_err());
        bytes = encode(0x30, &encode(0x30, &bytes));
        prop_assert!(read(&bytes).is_err());
    }
}
