use proptest::prelude::*;

use super::*;
use crate::x509::der::{encode, tag};

const CN: &[u8] = &[0x55, 0x04, 0x03];
const O: &[u8] = &[0x55, 0x04, 0x0A];
const SERIAL_NUMBER: &[u8] = &[0x55, 0x04, 0x05];
const ORGANIZATION_IDENTIFIER: &[u8] = &[0x55, 0x04, 0x61];

/// Type, string type, octets.
type Pair<'v> = (&'v [u8], u8, &'v [u8]);

/// A name of relative distinguished names of pairs.
fn name(rdns: &[&[Pair<'_>]]) -> Name {
    let pair =
        |(kind, string, value): &Pair<'_>| encode(tag::SEQUENCE, &[encode(tag::OID, kind), encode(*string, value)].concat());
    let rdn = |pairs: &&[Pair<'_>]| encode(tag::SET, &pairs.iter().flat_map(pair).collect::<Vec<u8>>());
    Name::from_der(&encode(tag::SEQUENCE, &rdns.iter().flat_map(rdn).collect::<Vec<u8>>())).unwrap()
}

#[test]
fn each_printers_text_of_one_name() {
    let utf8 = tag::UTF8_STRING;
    let ours = name(&[
        &[(SERIAL_NUMBER, tag::PRINTABLE_STRING, b"42"), (CN, utf8, b"multi")],
        &[(ORGANIZATION_IDENTIFIER, utf8, b"OFBBR-0001")],
        &[(O, utf8, "Ação, Ltda".as_bytes())],
    ]);
    for text in [
        "O=A\\C3\\A7\\C3\\A3o\\, Ltda,organizationIdentifier=OFBBR-0001,CN=multi+serialNumber=42",
        "O=Ação\\, Ltda,organizationIdentifier=OFBBR-0001,CN=multi+serialNumber=42",
        "O=Ação\\, Ltda,2.5.4.97=#0C0A4F464242522D30303031,CN=multi+serialNumber=42",
        "O=Ação\\, Ltda,2.5.4.97=#130a4f464242522d30303031,CN=multi+serialNumber=42",
    ] {
        assert!(reads_as(&ours, text.as_bytes(), AttributeOrder::Reversed), "{text}");
        assert!(reads_as(&ours, text.as_bytes(), AttributeOrder::Any), "{text}");
    }
    let go = "SERIALNUMBER=42,CN=multi,O=Ação\\, Ltda,2.5.4.97=#130a4f464242522d30303031";
    assert!(reads_as(&ours, go.as_bytes(), AttributeOrder::Any));
    assert!(!reads_as(&ours, go.as_bytes(), AttributeOrder::Reversed));
    for text in [
        "",
        "CN=multi",
        "O=Ação\\, Ltda,organizationIdentifier=OFBBR-0001,CN=multi,serialNumber=42",
        "O=Ação\\, Ltda,organizationIdentifier=OFBBR-0001,serialNumber=42+CN=multi",
        "O=Ação\\, Ltda,organizationIdentifier=OFBBR-0001,CN=multi+serialNumber=42,",
        "O=Ação, Ltda,organizationIdentifier=OFBBR-0001,CN=multi+serialNumber=42",
        "O=Ação\\, Ltda,organizationIdentifier=OFBBR-0002,CN=multi+serialNumber=42",
        "O=Ação\\, Ltda,organizationIdentifier=OFBBR-0001,CN=Multi+serialNumber=42",
        "O=Ação\\, Ltda,2.5.4.97=#0C0A4F464242522D3030303,CN=multi+serialNumber=42",
        "/O=Ação, Ltda",
    ] {
        assert!(!reads_as(&ours, text.as_bytes(), AttributeOrder::Reversed), "{text}");
    }
    let twice = name(&[&[(CN, utf8, b"a")], &[(CN, utf8, b"b")]]);
    assert!(reads_as(&twice, b"CN=a,CN=b", AttributeOrder::Any));
    assert!(!reads_as(&twice, b"CN=a,CN=a", AttributeOrder::Any));
    assert!(!reads_as(&twice, b"CN=a,CN=b", AttributeOrder::Reversed));
}

#[test]
fn other_string_types_and_lost_spaces() {
    let teletex = name(&[&[(CN, tag::TELETEX_STRING, "Ü".as_bytes())]]);
    for text in ["CN=\\C3\\83\\C2\\9C", "CN=Ü"] {
        assert!(reads_as(&teletex, text.as_bytes(), AttributeOrder::Reversed), "{text}");
    }
    let spacious = name(&[&[(O, tag::UTF8_STRING, b"Example ")]]);
    assert!(reads_as(&spacious, b"O=Example\\ ", AttributeOrder::Reversed));
    assert!(reads_as(&spacious, b"O=Example\\", AttributeOrder::Reversed));
    assert!(!reads_as(&spacious, b"O=Example", AttributeOrder::Reversed));
    assert!(reads_as(&name(&[]), b"", AttributeOrder::Reversed));
    let hash = name(&[&[(CN, tag::UTF8_STRING, b"#0C0161")]]);
    assert!(reads_as(&hash, b"CN=\\#0C0161", AttributeOrder::Reversed));
    assert!(!reads_as(&hash, b"CN=#0C0161", AttributeOrder::Reversed));
}

#[test]
fn haproxys_text() {
    let ours = name(&[&[(O, tag::BMP_STRING, &[0, b'B', 0, 0xDC])], &[(CN, tag::UTF8_STRING, b"a/CN=admin")]]);
    assert_eq!(slashes_unescaped(&ours), b"/O=%00B%00\xDC/CN=a/CN=admin");
}

proptest! {
    /// Whatever we print is read, and as no other name.
    #[test]
    fn our_own_text_reads_as_the_name(values in prop::collection::vec(any::<String>(), 0..4), other in any::<String>()) {
        let rdns: Vec<Vec<Pair<'_>>> =
            values.iter().map(|value| vec![(CN, tag::UTF8_STRING, value.as_bytes())]).collect();
        let rdns: Vec<&[Pair<'_>]> = rdns.iter().map(Vec::as_slice).collect();
        let ours = name(&rdns);
        let text = ours.rfc2253();
        for order in [AttributeOrder::Reversed, AttributeOrder::Any] {
            prop_assert!(reads_as(&ours, text.as_bytes(), order), "{}", text);
        }
        if values.first().is_some_and(|first| *first != other) {
            let mut rdns = rdns.clone();
            let changed = [(CN, tag::UTF8_STRING, other.as_bytes())];
            rdns[0] = &changed;
            prop_assert!(!reads_as(&name(&rdns), text.as_bytes(), AttributeOrder::Reversed), "{}", text);
        }
    }

    #[test]
    fn no_bytes_panic(text in prop::collection::vec(any::<u8>(), 0..80)) {
        let ours = name(&[&[(CN, tag::UTF8_STRING, b"a")]]);
        prop_assert!(!reads_as(&ours, &text, AttributeOrder::Any) || text.starts_with(b"CN=") || text.starts_with(b"2.5.4.3="));
    }
}
