//! Tests of reading whole certificates.

use super::*;
use crate::clock::UnixTime;
use crate::variables::{CertificateVariable, CertificateVariables, Moment};
use proptest::prelude::*;
use std::sync::Arc;

const PLAIN: &str = include_str!("../../../tests/vectors/nginx-vars/pem/full_dn.pem");

fn der() -> Vec<u8> {
    pem::parse(PLAIN).unwrap().into_contents()
}

#[test]
fn a_certificate_is_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Certificate>();
    shared::<CertificateVariables>();
}

#[test]
fn fields_of_a_plain_certificate() {
    let certificate = Certificate::from_der(&der()).unwrap();
    assert_eq!((certificate.version(), certificate.der()), (3, &der()[..]));
    assert!(!certificate.subject().is_empty() && certificate.not_before().is_rfc5280());
    assert_eq!(certificate.second_opinion(), Ok(()));
    assert_eq!(certificate.subject_alt_names(), Ok(&[][..]));
}

#[test]
fn the_whole_input_and_nothing_else() {
    let der = der();
    assert!(Certificate::from_der(&[&der[..], &[0]].concat()).is_err());
    assert!(Certificate::from_der(&[&der[..], &der[..]].concat()).is_err());
    assert!(Certificate::from_der(&der[..der.len() - 1]).is_err());
    assert!(Certificate::from_der(&[]).is_err());
}

#[test]
fn the_limit_comes_before_any_reading() {
    let error = Certificate::from_der(&vec![0; MAX_DER_LENGTH + 1]).unwrap_err();
    assert_eq!(error.to_string(), "65537 bytes, over the limit of 65536");
}

#[test]
fn files_with_text_keys_and_chains() {
    let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    let file = format!("Subject: someone\n{PLAIN}{key}{}", PLAIN.replace('\n', "\r\n"));
    let read = Certificate::from_pem_or_der(file.as_bytes()).unwrap();
    assert_eq!(read.iter().map(Certificate::der).collect::<Vec<_>>(), [&der()[..], &der()[..]]);
    assert_eq!(Certificate::from_pem_or_der(&der()).unwrap().len(), 1);
    let cut_chain = format!("{PLAIN}{}", &PLAIN[..200]);
    for bad in [key, "", &cut_chain, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        assert!(Certificate::from_pem_or_der(bad.as_bytes()).is_err(), "{bad}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    /// Whatever is read can be shown, in ASCII, and none of it panics.
    #[test]
    fn a_damaged_certificate_is_refused_or_shown(damage in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..4)) {
        let mut der = der();
        for (at, octet) in damage {
            *at.get_mut(&mut der) = octet;
        }
        if let Ok(certificate) = Certificate::from_der(&der) {
            let variables = CertificateVariables::of(Arc::new(certificate));
            let moment = Moment { verify: "SUCCESS", sigalg: "", now: UnixTime(0) };
            for variable in CertificateVariable::all() {
                prop_assert!(variables.text(&variable, &moment).is_ascii());
            }
        }
    }
}
