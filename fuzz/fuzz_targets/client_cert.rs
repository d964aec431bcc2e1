//! Any octets as `Client-Cert` and as `Client-Cert-Chain` (RFC 9440): a certificate has one spelling.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vestibule::presented::{MAX_CHAIN, decode_byte_sequence, decode_byte_sequences};
use vestibule_fuzz::encoders::{byte_sequence, from_base64};

fuzz_target!(|value: &[u8]| {
    let inner = value.strip_prefix(b":").and_then(|rest| rest.strip_suffix(b":"));
    let other = inner.and_then(from_base64).filter(|der| !der.is_empty());
    assert_eq!(decode_byte_sequence(value).ok(), other, "the same certificate for another reader");
    if let Some(der) = &other {
        assert_eq!(decode_byte_sequences(value).unwrap(), [der.clone()], "one is a list of one");
    }
    if let Ok(ders) = decode_byte_sequences(value) {
        assert!(ders.len() <= MAX_CHAIN + 1 && ders.iter().all(|der| !der.is_empty()));
        let others: Vec<Vec<u8>> =
            value.split(|byte| *byte == b',').filter_map(|one| decode_byte_sequence(one.trim_ascii()).ok()).collect();
        assert_eq!(others, ders, "a list is its members");
        let again = ders.iter().map(|der| byte_sequence(der)).collect::<Vec<_>>().join(", ");
        assert_eq!(decode_byte_sequences(again.as_bytes()).unwrap(), ders, "what we write we read");
    }
    if !value.is_empty() {
        assert_eq!(decode_byte_sequence(byte_sequence(value).as_bytes()).unwrap(), value, "what front doors write we read");
        let list = [byte_sequence(value), byte_sequence(b"0")].join(", ");
        assert_eq!(decode_byte_sequences(list.as_bytes()).unwrap(), [value, b"0"]);
    }
});
