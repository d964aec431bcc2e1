//! Any octets as a certificate header in base64, of one kind or another: each reader against another library's, both ways.
#![no_main]

use libfuzzer_sys::fuzz_target;
use percent_encoding::percent_decode;
use vestibule::presented::{
    Ders, MAX_CHAIN, decode_base64_der, decode_base64_pem, decode_concatenated_der, decode_escaped_pem,
    decode_escaped_pem_bodies, decode_pem_bodies, decode_spaced_pem,
};
use vestibule::refusal::Refused;
use vestibule::x509::der;
use vestibule_fuzz::encoders::{base64, blocks, escaped, from_base64, pem, spaced_pem};

fuzz_target!(|value: &[u8]| {
    let other = from_base64(value).filter(|der| !der.is_empty());
    assert_eq!(decode_base64_der(value).ok(), other, "base64 of DER");
    let bounded = |outcome: Result<Ders, Refused>| {
        let ders = outcome.ok()?;
        assert!(ders.len() <= MAX_CHAIN + 1 && ders.iter().all(|der| !der.is_empty()));
        Some(ders)
    };
    if let Some(ders) = bounded(decode_base64_pem(value)) {
        assert_eq!(blocks(&from_base64(value).expect("base64")), Some(ders), "base64 of PEM");
    }
    if let Some(ders) = bounded(decode_concatenated_der(value)) {
        assert_eq!(Some(ders.concat()), other, "DER after DER");
        assert!(ders.iter().all(|der| der[0] == 0x30));
    }
    if let Some(ders) = bounded(decode_spaced_pem(value)) {
        let text = String::from_utf8(value.to_vec()).expect("text");
        let lines = text.replace(' ', "\n").replace("BEGIN\nC", "BEGIN C").replace("END\nC", "END C");
        assert_eq!(blocks(lines.as_bytes()), Some(ders), "PEM with spaces");
    }
    let bodies = |text: &[u8]| text.split(|byte| *byte == b',').map(from_base64).collect::<Option<Ders>>();
    if let Some(ders) = bounded(decode_pem_bodies(value)) {
        assert_eq!(bodies(value), Some(ders), "bodies");
    }
    if let Some(ders) = bounded(decode_escaped_pem_bodies(value)) {
        assert_eq!(bodies(&percent_decode(value).collect::<Vec<u8>>()), Some(ders), "escaped bodies");
    }
    written(&der::encode(0x30, value));
});

/// What front doors write we read.
fn written(der: &[u8]) {
    let (own, second) = (der.to_vec(), der::encode(0x30, b"another"));
    let two = [own.clone(), second.clone()];
    assert_eq!(decode_base64_der(base64(der).as_bytes()).unwrap(), own);
    let both = pem(der) + &pem(&second);
    assert_eq!(decode_base64_pem(base64(both.as_bytes()).as_bytes()).unwrap(), two);
    assert_eq!(decode_escaped_pem(escaped(&both).as_bytes()).unwrap(), two);
    assert_eq!(decode_concatenated_der(base64(&two.concat()).as_bytes()).unwrap(), two);
    assert_eq!(decode_spaced_pem(format!("{} {}", spaced_pem(der), spaced_pem(&second)).as_bytes()).unwrap(), two);
    let bodies = format!("{},{}", base64(der), base64(&second));
    assert_eq!(decode_pem_bodies(bodies.as_bytes()).unwrap(), two);
    assert_eq!(decode_escaped_pem_bodies(escaped(&bodies).as_bytes()).unwrap(), two);
}
