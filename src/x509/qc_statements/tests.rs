use super::*;
use crate::x509::der::encode;
use proptest::prelude::*;

fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    encode(tag::SEQUENCE, &parts.concat())
}

fn id(content: &[u8]) -> Vec<u8> {
    encode(tag::OID, content)
}

fn utf8(text: &str) -> Vec<u8> {
    encode(tag::UTF8_STRING, text.as_bytes())
}

fn statement(content: &[u8], info: Vec<u8>) -> Vec<u8> {
    sequence(&[id(content), info])
}

fn role(number: u8, name: &str) -> Vec<u8> {
    sequence(&[id(&[0x04, 0x00, 0x81, 0x98, 0x27, 0x01, number]), utf8(name)])
}

fn psd2(roles: &[Vec<u8>], nca_name: &str, nca_id: &str) -> Vec<u8> {
    statement(PSD2, sequence(&[sequence(roles), utf8(nca_name), utf8(nca_id)]))
}

/// A whole extension of every statement that is known, as parts.
fn full() -> Vec<Vec<u8>> {
    let location =
        |language: &[u8]| sequence(&[encode(tag::IA5_STRING, b"https://x/"), encode(tag::PRINTABLE_STRING, language)]);
    vec![
        statement(PKIX_SYNTAX_V2, sequence(&[id(&[SEMANTICS, &[2]].concat())])),
        statement(COMPLIANCE, vec![]),
        statement(RETENTION, vec![0x02, 0x01, 0x07]),
        statement(SSCD, vec![]),
        statement(DISCLOSURE, sequence(&[location(b"en"), location(b"pt")])),
        statement(TYPE, sequence(&[id(&[TYPE, &[3]].concat())])),
        statement(LEGISLATION, sequence(&[encode(tag::PRINTABLE_STRING, b"GB")])),
        psd2(&[role(3, "PSP_AI"), role(2, "PSP_PI"), role(9, "PSP_XX")], "Authority", "GB-FCA"),
        statement(&[0x2A, 0x03], encode(tag::INTEGER, &[1])),
    ]
}

#[test]
fn every_statement() {
    let read = QcStatements::parse(&sequence(&full())).unwrap();
    assert!(read.compliance && read.sscd);
    assert_eq!((read.retention_years, read.semantics), (Some(7), Some(Semantics::LegalPerson)));
    assert_eq!((read.types, read.legislation), (vec![QcType::Web], vec!["GB".to_owned()]));
    assert_eq!(read.disclosures.iter().map(|one| one.language.as_str()).collect::<Vec<_>>(), ["en", "pt"]);
    assert_eq!(read.others, ["1.2.3"]);
    let psd2 = read.psd2.unwrap();
    let roles: Vec<_> = psd2.roles.iter().map(|entry| entry.role.map(Psd2Role::name)).collect();
    assert_eq!(roles, [Some("PSP_AI"), Some("PSP_PI"), None]);
    assert_eq!((psd2.nca_name.as_str(), psd2.nca_id.as_str()), ("Authority", "GB-FCA"));
}

#[test]
fn nothing_stated_is_nothing_read() {
    assert_eq!(QcStatements::parse(&sequence(&[])).unwrap(), QcStatements::default());
    let bare = QcStatements::parse(&sequence(&[statement(PKIX_SYNTAX_V2, vec![])])).unwrap();
    assert_eq!(bare, QcStatements::default());
    let alone = QcStatements::parse(&sequence(&[statement(&[SEMANTICS, &[1]].concat(), vec![])])).unwrap();
    assert_eq!(alone.semantics, Some(Semantics::NaturalPerson));
}

#[test]
fn hostile_statements_are_errors() {
    let null = || vec![0x05, 0x00];
    let one_role = || vec![role(1, "PSP_AS")];
    let many = |count: usize| (0..count).map(|at| statement(&[0x2A, 0x03, at as u8], vec![])).collect::<Vec<_>>();
    for (why, parts) in [
        ("a statement twice", vec![statement(COMPLIANCE, vec![]), statement(COMPLIANCE, vec![])]),
        ("two PSD2 statements", vec![psd2(&one_role(), "a", "GB-A"), psd2(&one_role(), "b", "GB-B")]),
        ("an unknown one twice", vec![statement(&[0x2A], vec![]), statement(&[0x2A], vec![])]),
        ("compliance with content", vec![statement(COMPLIANCE, null())]),
        ("SSCD with content", vec![statement(SSCD, null())]),
        ("two contents", vec![statement(&[0x2A], [null(), null()].concat())]),
        ("an identifier without end", vec![statement(&[0xAA], vec![])]),
        ("an empty identifier", vec![statement(&[], vec![])]),
        ("a type that is no list", vec![statement(TYPE, id(&[0x2A]))]),
        ("a type without content", vec![statement(TYPE, vec![])]),
        ("an empty list of types", vec![statement(TYPE, sequence(&[]))]),
        ("33 types", vec![statement(TYPE, sequence(&vec![id(&[0x2A]); 33]))]),
        ("a negative retention", vec![statement(RETENTION, vec![0x02, 0x01, 0xFF])]),
        ("a long retention", vec![statement(RETENTION, vec![0x02, 0x03, 1, 0, 0])]),
        ("a retention not minimal", vec![statement(RETENTION, vec![0x02, 0x02, 0, 1])]),
        ("a long country", vec![statement(LEGISLATION, sequence(&[encode(tag::PRINTABLE_STRING, b"GBR")]))]),
        ("no authority", vec![statement(PSD2, sequence(&[sequence(&one_role())]))]),
        ("an empty name", vec![psd2(&one_role(), "", "GB-FCA")]),
        ("an empty id", vec![psd2(&one_role(), "a", "")]),
        ("a name of 257", vec![psd2(&one_role(), &"é".repeat(257), "GB-FCA")]),
        ("33 roles", vec![psd2(&vec![role(1, "PSP_AS"); 33], "a", "GB-FCA")]),
        (
            "a role name of another type",
            vec![statement(
                PSD2,
                sequence(&[
                    sequence(&[sequence(&[id(&[0x2A]), encode(tag::PRINTABLE_STRING, b"PSP_AS")])]),
                    utf8("a"),
                    utf8("GB-FCA"),
                ]),
            )],
        ),
        (
            "a name not UTF-8",
            vec![statement(PSD2, sequence(&[sequence(&one_role()), encode(tag::UTF8_STRING, &[0xFF]), utf8("GB-FCA")]))],
        ),
        ("33 statements", many(33)),
    ] {
        assert!(QcStatements::parse(&sequence(&parts)).is_err(), "{why}");
    }
    assert!(QcStatements::parse(&sequence(&many(32))).is_ok());
    assert!(QcStatements::parse(&[sequence(&full()), vec![0]].concat()).is_err(), "octets after the end");
    assert!(QcStatements::parse(&encode(tag::OCTET_STRING, &[])).is_err());
    assert!(QcStatements::parse(&sequence(&[statement(&[0x2A], encode(tag::OCTET_STRING, &vec![0; MOST_OCTETS]))])).is_err());
}

proptest! {
    #[test]
    fn garbage_is_no_panic(octets in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = QcStatements::parse(&octets);
    }

    /// One octet changed anywhere: an answer or an error, and every cut is an error.
    #[test]
    fn a_bent_extension_is_no_panic(at in any::<proptest::sample::Index>(), octet in any::<u8>()) {
        let mut der = sequence(&full());
        let at = at.index(der.len());
        prop_assert!(QcStatements::parse(&der[..at]).is_err());
        der[at] = octet;
        let _ = QcStatements::parse(&der);
    }
}
