//! Tests of reading and printing times, against known texts and against OpenSSL itself.

use super::*;
use crate::x509::der;
use openssl::x509::X509;
use proptest::prelude::*;

fn time(kind: u8, text: &str) -> Asn1Time {
    let der = der::encode(kind, text.as_bytes());
    Asn1Time::from_tlv(der::single(&der, kind).unwrap()).unwrap()
}

/// What OpenSSL prints for notAfter of a certificate that holds these octets. `None` where it prints `Bad time value`, which
/// the crate reports as an error.
fn openssl_text(kind: u8, octets: &[u8]) -> Option<String> {
    let empty = der::encode(tag::SEQUENCE, &[]);
    let algorithm = der::encode(tag::SEQUENCE, &der::encode(tag::OID, &[0x2A, 0x03]));
    let validity = der::encode(tag::SEQUENCE, &[der::encode(kind, octets), der::encode(kind, octets)].concat());
    let bits = der::encode(tag::BIT_STRING, &[0]);
    let key = der::encode(tag::SEQUENCE, &[&algorithm[..], &bits].concat());
    let tbs = [&der::encode(tag::INTEGER, &[1])[..], &algorithm, &empty, &validity, &empty, &key].concat();
    let certificate = der::encode(tag::SEQUENCE, &[&der::encode(tag::SEQUENCE, &tbs)[..], &algorithm, &bits].concat());
    let text = X509::from_der(&certificate).unwrap().not_after().to_string();
    (text != "error").then_some(text)
}

#[test]
fn texts_and_days() {
    let now = UnixTime(1_795_367_384);
    for (kind, octets, text, days) in [
        (tag::UTC_TIME, "250101000000Z", "Jan  1 00:00:00 2025 GMT", "0"),
        (tag::UTC_TIME, "491231235959Z", "Dec 31 23:59:59 2049 GMT", "8440"),
        (tag::UTC_TIME, "500101000000Z", "Jan  1 00:00:00 1950 GMT", "0"),
        (tag::UTC_TIME, "4512312359Z", "Dec 31 23:59:00 2045 GMT", "6979"),
        (tag::UTC_TIME, "691231235959Z", "Dec 31 23:59:59 1969 GMT", ""),
        (tag::UTC_TIME, "691231235958Z", "Dec 31 23:59:58 1969 GMT", "0"),
        (tag::GENERALIZED_TIME, "00010101000000Z", "Jan  1 00:00:00 1 GMT", ""),
        (tag::GENERALIZED_TIME, "00000229000000Z", "Feb 29 00:00:00 0 GMT", ""),
        (tag::GENERALIZED_TIME, "09991231235959Z", "Dec 31 23:59:59 999 GMT", ""),
        (tag::GENERALIZED_TIME, "10000101000000Z", "Jan  1 00:00:00 1000 GMT", "0"),
        (tag::GENERALIZED_TIME, "20400101000000.123Z", "Jan  1 00:00:00.123 2040 GMT", ""),
        (tag::GENERALIZED_TIME, "99991231235959Z", "Dec 31 23:59:59 9999 GMT", "2912117"),
        (tag::GENERALIZED_TIME, "20230229000000Z", "Bad time value", ""),
        (tag::GENERALIZED_TIME, "20240229000000Z", "Feb 29 00:00:00 2024 GMT", "0"),
        (tag::UTC_TIME, "garbage", "Bad time value", ""),
        (tag::UTC_TIME, "", "Bad time value", ""),
    ] {
        let time = time(kind, octets);
        assert_eq!((time.text().as_str(), time.days_remaining(now).as_str()), (text, days), "{octets}");
    }
}

#[test]
fn the_day_boundary() {
    let end = time(tag::UTC_TIME, "300101000000Z");
    let unix = end.to_unix().unwrap();
    assert_eq!(end.days_remaining(unix.plus(-86_400)), "1");
    assert_eq!(end.days_remaining(unix.plus(-86_399)), "0");
    assert_eq!(end.days_remaining(unix.plus(1)), "0");
}

#[test]
fn only_the_form_of_rfc5280_is_in_order() {
    assert!(time(tag::UTC_TIME, "250101000000Z").is_rfc5280());
    assert!(time(tag::GENERALIZED_TIME, "20250101000000Z").is_rfc5280());
    for (kind, odd) in [
        (tag::UTC_TIME, "2501010000Z"),
        (tag::UTC_TIME, "250101000000+0000"),
        (tag::UTC_TIME, "251301000000Z"),
        (tag::GENERALIZED_TIME, "20250101000000.0Z"),
        (tag::GENERALIZED_TIME, "202501010000Z"),
    ] {
        assert!(!time(kind, odd).is_rfc5280(), "{odd}");
    }
}

#[test]
fn odd_forms_print_as_openssl_prints_them() {
    let utc = [
        "2501010000Z",
        "2501010000+0100",
        "250101000000+0100",
        "250101000000-1259",
        "250101000000+1300",
        "250101000000+0060",
        "250101000000+0000",
        "250101000000",
        "25010100000Z",
        "250101000060Z",
        "250101006000Z",
        "250101240000Z",
        "250132000000Z",
        "250230000000Z",
        "250001000000Z",
        "251301000000Z",
        "250101000000ZZ",
        "250101000000.5Z",
        "500101003000+0100",
        "491231233000-0100",
        "5001010000Z",
        "Z2345678901",
        "25010100+0100",
        "250101000000+01000",
        "0001010000Z",
    ];
    let generalized = [
        "202501010000Z",
        "202501010000+0100",
        "20250101000000.5+0100",
        "20250101000000.Z",
        "20250101000000.5",
        "20250101000000.12345Z",
        "19000101000000+0100",
        "19000101010000+0100",
        "99991231235959-0100",
        "99991231225959-0100",
        "00010101000000+0100",
        "00000101000000Z",
        "20000229000000Z",
        "19000229000000Z",
        "20250101000000,5Z",
        "2025010100Z",
        "202501010000.5Z",
        "20250101000060Z",
        "20250101000000.5 Z",
        "20250101000000Z0",
        "20250101000000-0000",
    ];
    for (kind, octets) in utc.map(|t| (tag::UTC_TIME, t)).into_iter().chain(generalized.map(|t| (tag::GENERALIZED_TIME, t))) {
        let expected = openssl_text(kind, octets.as_bytes()).unwrap_or("Bad time value".into());
        assert_eq!(time(kind, octets).text(), expected, "{octets}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_digits_print_as_openssl_prints_them(
        text in "[0-9]{2}(0[0-9]|1[0-2]|[0-9]{2})[0-3][0-9][0-2][0-9][0-6][0-9]([0-6][0-9])?(\\.[0-9]{0,4})?(Z|[+-](0[0-9]|1[0-3])[0-6][0-9]|)",
        century in "(|19|20|00|99|[0-9]{2})",
        generalized: bool,
    ) {
        let kind = if generalized { tag::GENERALIZED_TIME } else { tag::UTC_TIME };
        let octets = format!("{century}{text}");
        let expected = openssl_text(kind, octets.as_bytes()).unwrap_or("Bad time value".into());
        prop_assert_eq!(time(kind, &octets).text(), expected);
    }

    #[test]
    fn civil_and_days_are_inverse(days in -800_000..3_000_000_i64) {
        let (year, month, day) = civil_from_days(days);
        prop_assert_eq!(days_from_civil(year, month, day), days);
    }
}
