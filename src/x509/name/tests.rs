//! Tests of names: rules one by one, the recorded texts of OpenSSL, and OpenSSL's own parser beside ours.

use super::*;
use flate2::read::GzDecoder;
use openssl::x509::X509Name;
use proptest::prelude::*;
use std::io::Read;

fn attribute(oid: &[u8], kind: u8, content: &[u8]) -> Vec<u8> {
    der::encode(tag::SEQUENCE, &[der::encode(tag::OID, oid), der::encode(kind, content)].concat())
}

fn name(rdns: &[&[Vec<u8>]]) -> Vec<u8> {
    let rdns: Vec<u8> = rdns.iter().flat_map(|pairs| der::encode(tag::SET, &pairs.concat())).collect();
    der::encode(tag::SEQUENCE, &rdns)
}

fn cn(kind: u8, content: &[u8]) -> Vec<u8> {
    name(&[&[attribute(COMMON_NAME, kind, content)]])
}

#[test]
fn texts_recorded_from_openssl() {
    let packed = include_bytes!("../../../tests/vectors/x509/dn-golden.jsonl.gz");
    let mut lines = String::new();
    GzDecoder::new(&packed[..]).read_to_string(&mut lines).unwrap();
    let (mut printed, mut refused) = (0, 0);
    for line in lines.lines() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        let der =
            base64::Engine::decode(&base64::engine::general_purpose::STANDARD, row["name_der_b64"].as_str().unwrap()).unwrap();
        match (row["rfc2253"].as_str(), row["legacy_oneline"].as_str()) {
            (Some(rfc2253), Some(legacy)) => {
                let name = Name::from_der(&der).unwrap_or_else(|error| panic!("{}: {error}", row["id"]));
                assert_eq!(name.rfc2253(), rfc2253, "{}", row["id"]);
                assert_eq!(name.legacy(), legacy, "{}", row["id"]);
                printed += 1;
            }
            _ => {
                assert!(Name::from_der(&der).is_err(), "{}", row["id"]);
                refused += 1;
            }
        }
    }
    assert_eq!((printed, refused), (612, 65));
}

#[test]
fn one_character_is_last_and_not_first() {
    for (text, expected) in
        [("#", "CN=#"), (" ", "CN=\\ "), ("##", "CN=\\##"), ("  ", "CN=\\ \\ "), (" a# ", "CN=\\ a#\\ "), ("", "CN=")]
    {
        assert_eq!(Name::from_der(&cn(tag::UTF8_STRING, text.as_bytes())).unwrap().rfc2253(), expected);
    }
}

#[test]
fn order_and_separators() {
    let pair = |oid: u8, text: &str| attribute(&[0x55, 0x04, oid], tag::UTF8_STRING, text.as_bytes());
    let der = name(&[&[pair(6, "GB")], &[pair(10, "Ex"), pair(11, "a/b")], &[], &[pair(3, "x"), pair(3, "y")]]);
    let parsed = Name::from_der(&der).unwrap();
    assert_eq!(parsed.rfc2253(), "CN=y+CN=x,OU=a/b+O=Ex,C=GB");
    assert_eq!(parsed.legacy(), "/C=GB/O=Ex+OU=a\\/b/CN=x+CN=y");
    assert_eq!(parsed.last_common_name().unwrap().text(), "y");
    assert_eq!(parsed.values_of(COMMON_NAME).collect::<Vec<_>>(), ["x", "y"]);
    assert_eq!((parsed.rdn_count(), parsed.attributes().len(), parsed.der()), (4, 5, &der[..]));
}

#[test]
fn unknown_types_show_their_der_but_have_text() {
    let parsed = Name::from_der(&name(&[&[attribute(
        &[0x2B, 0x06, 0x01, 0x04, 0x01, 0x86, 0x8D, 0x1F, 0x01],
        tag::UTF8_STRING,
        b"hello",
    )]]))
    .unwrap();
    assert_eq!(parsed.rfc2253(), "1.3.6.1.4.1.99999.1=#0C0568656C6C6F");
    assert_eq!(parsed.legacy(), "/1.3.6.1.4.1.99999.1=hello");
    assert_eq!(parsed.attributes()[0].text(), "hello");
}

#[test]
fn a_long_type_is_cut_and_an_endless_one_is_not_printed() {
    let long = Name::from_der(&name(&[&[attribute(&[0x7F; 60], tag::UTF8_STRING, b"x")]])).unwrap();
    assert_eq!(long.attributes()[0].type_name().len(), 79);
    let endless = Name::from_der(&name(&[&[attribute(&[0x7F; 587], tag::UTF8_STRING, b"x")]])).unwrap();
    assert_eq!(endless.rfc2253(), "=#0C0178");
}

#[test]
fn unused_bits_are_cleared() {
    for (content, rfc2253, legacy) in [
        (&[3, 0x41, 0xFF][..], "x500UniqueIdentifier=#03030341F8", "/x500UniqueIdentifier=A\\xF8"),
        (&[5], "x500UniqueIdentifier=#030100", "/x500UniqueIdentifier="),
    ] {
        let parsed = Name::from_der(&name(&[&[attribute(&[0x55, 0x04, 0x2D], tag::BIT_STRING, content)]])).unwrap();
        assert_eq!((parsed.rfc2253().as_str(), parsed.legacy().as_str()), (rfc2253, legacy));
    }
    assert!(Name::from_der(&cn(tag::BIT_STRING, &[8, 1])).is_err());
    assert!(Name::from_der(&cn(tag::BIT_STRING, &[])).is_err());
}

#[test]
fn control_octets_cannot_leave_the_line() {
    let parsed = Name::from_der(&cn(tag::UTF8_STRING, b"a\r\nX-Evil: 1\0\x7f")).unwrap();
    assert_eq!(parsed.rfc2253(), "CN=a\\0D\\0AX-Evil: 1\\00\\7F");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    /// Ours refuses what OpenSSL refuses. What OpenSSL takes, ours takes, but for constructed strings, which are not DER.
    #[test]
    fn every_value_type_is_taken_or_refused_as_openssl_does(kind in 0..31_u8, content in proptest::collection::vec(any::<u8>(), 0..9)) {
        let der = cn(if kind == 0x10 || kind == 0x11 { kind | 0x20 } else { kind }, &content);
        prop_assert_eq!(Name::from_der(&der).is_ok(), X509Name::from_der(&der).is_ok(), "{:02X?}", der);
    }

    #[test]
    fn near_unicode_is_taken_or_refused_as_openssl_does(code in prop_oneof![0xD7F0..0xE010_u32, 0xFFF0..0x10010_u32, 0x10FFF0..0x110010_u32]) {
        let universal = cn(tag::UNIVERSAL_STRING, &code.to_be_bytes());
        prop_assert_eq!(Name::from_der(&universal).is_ok(), X509Name::from_der(&universal).is_ok(), "{:X}", code);
        if let Ok(unit) = u16::try_from(code) {
            let bmp = cn(tag::BMP_STRING, &unit.to_be_bytes());
            prop_assert_eq!(Name::from_der(&bmp).is_ok(), X509Name::from_der(&bmp).is_ok(), "{:X}", code);
        }
        let six = |shift: u32| 0x80 | ((code >> shift) & 0x3F) as u8;
        for octets in [vec![0xE0 | (code >> 12) as u8 & 0xF, six(6), six(0)], vec![0xF0 | (code >> 18) as u8 & 7, six(12), six(6), six(0)]] {
            let utf8 = cn(tag::UTF8_STRING, &octets);
            prop_assert_eq!(Name::from_der(&utf8).is_ok(), X509Name::from_der(&utf8).is_ok(), "{:02X?}", octets);
        }
    }

    #[test]
    fn no_input_panics(der in proptest::collection::vec(any::<u8>(), 0..64)) {
        if let Ok(parsed) = Name::from_der(&der) {
            prop_assert!(parsed.rfc2253().is_ascii() && parsed.legacy().is_ascii());
        }
    }
}
