//! Any octets as the value of the header `client-certificate`. What we take, two other readers take and find the same in it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vestibule::presented::{MAX_CHAIN, decode_escaped_pem};
use vestibule::x509::pem_text;

fuzz_target!(|value: &[u8]| {
    let certificates = match decode_escaped_pem(value) {
        Ok(certificates) => certificates,
        Err(refused) => {
            assert!(!refused.cause.is_empty());
            return;
        }
    };
    assert_eq!(certificates.is_empty(), value.is_empty());
    assert!(certificates.len() <= MAX_CHAIN + 1);
    assert!(certificates.iter().all(|der| !der.is_empty()));
    let plain: Vec<u8> = percent_encoding::percent_decode(value).collect();
    let blocks = pem::parse_many(&plain).expect("PEM for another reader too");
    let contents: Vec<&[u8]> = blocks.iter().map(|block| block.contents()).collect();
    assert_eq!(contents, certificates, "the same certificates for another reader");
    let again: String = certificates.iter().map(|der| pem_text::escaped(der)).collect();
    assert_eq!(decode_escaped_pem(again.as_bytes()).unwrap(), certificates, "what we write we read");
});
