//! Any octets as the qcStatements extension.
#![no_main]

use libfuzzer_sys::fuzz_target;
use openssl::asn1::Asn1Object;
use vestibule::x509::qc_statements::{QcStatements, QcType, Semantics};

fuzz_target!(|der: &[u8]| {
    let Ok(statements) = QcStatements::parse(der) else { return };
    assert_eq!(QcStatements::parse(&[der, &[0]].concat()).ok(), None, "something follows");
    assert!(QcStatements::parse(&der[..der.len() - 1]).is_err(), "cut short");
    assert!(statements.others.len() <= 32);
    let is_country = |text: &String| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase());
    assert!(statements.legislation.iter().all(is_country));
    assert!(statements.disclosures.iter().all(|place| place.language.len() == 2 && place.url.is_ascii()));
    statements.others.iter().for_each(|id| is_an_identifier(id));
    for kind in &statements.types {
        match kind {
            QcType::Other(id) => is_an_identifier(id),
            known => assert!(!known.word().is_empty()),
        }
    }
    if let Some(Semantics::Other(id)) = &statements.semantics {
        assert!(
            id.is_empty() || {
                is_an_identifier(id);
                true
            }
        );
    }
    if let Some(psd2) = &statements.psd2 {
        let _ = format!("{psd2:?}");
    }
});

/// OpenSSL reads it as an object identifier, and writes it as we do.
fn is_an_identifier(dotted: &str) {
    // OpenSSL has a limit of its own for the text.
    if dotted.len() < 80 {
        let theirs = Asn1Object::from_str(dotted).unwrap_or_else(|_| panic!("`{dotted}`"));
        assert!(!theirs.as_slice().is_empty());
    }
}
