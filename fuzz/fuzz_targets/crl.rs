//! Any octets as a certificate revocation list. What we take, OpenSSL takes whole, and with the same entries.
#![no_main]

use libfuzzer_sys::fuzz_target;
use openssl::x509::X509Crl;
use vestibule::x509::crl::CrlIndex;
use x509_parser::prelude::FromDer;
use x509_parser::revocation_list::{CertificateRevocationList, RevokedCertificate};

fuzz_target!(|der: &[u8]| {
    let index = match CrlIndex::from_der(der) {
        Ok(index) => index,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    let theirs = X509Crl::from_der(der).expect("OpenSSL takes the list as a whole");
    assert_eq!(theirs.to_der().unwrap(), der, "nothing follows the list");
    assert_eq!(index.len(), theirs.get_revoked().map_or(0, |entries| entries.len()), "entries");
    assert_eq!(index.issuer().der(), theirs.issuer_name().to_der().unwrap(), "issuer");
    assert!(index.memory() <= 4 * der.len() + 1024, "{} octets kept of {}", index.memory(), der.len());
    assert!(index.entry(&[]).is_none());
    if let Ok((rest, list)) = CertificateRevocationList::from_der(der) {
        assert!(rest.is_empty());
        let entries: Vec<_> = list.iter_revoked_certificates().map(|entry| (entry.raw_serial(), entry)).collect();
        for (serial, _) in &entries {
            let found = index.entry(serial).expect("every entry is found");
            let is_this = |entry: &RevokedCertificate<'_>| found.revoked_at.0 == entry.revocation_date.timestamp();
            assert!(entries.iter().any(|(other, entry)| other == serial && is_this(entry)), "date of an entry");
        }
    }
});
