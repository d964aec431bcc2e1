//! Any octets as a certificate: reading, every variable, names against OpenSSL's printers, lints, profiles.
#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use vestibule::clock::UnixTime;
use vestibule::presented::decode_escaped_pem;
use vestibule::variables::{CertificateVariable, CertificateVariables, Moment, Scalar};
use vestibule::x509::certificate::Certificate;
use vestibule::x509::lint::{Allowances, Role, lint};
use vestibule::x509::name::Name;
use vestibule::x509::profile::ProfileKind;
use vestibule_fuzz::openssl_name;

fuzz_target!(|der: &[u8]| {
    let Ok(certificate) = Certificate::from_der(der) else { return };
    let certificate = Arc::new(certificate);
    assert_eq!(certificate.der(), der, "the octets are kept");
    names_are_openssls(certificate.subject(), certificate.openssl().subject_name());
    names_are_openssls(certificate.issuer(), certificate.openssl().issuer_name());
    variables(&certificate);
    for role in [Role::Ca, Role::EndEntity] {
        for version_1 in [false, true] {
            lint(certificate.openssl(), der, role, Allowances { version_1, ed448: version_1 });
        }
    }
    let _ = certificate.second_opinion();
});

fn names_are_openssls(ours: &Name, theirs: &openssl::x509::X509NameRef) {
    if let Some(text) = openssl_name::rfc2253(theirs) {
        assert_eq!(ours.rfc2253().as_bytes(), text, "the name as nginx prints it");
    }
    if let Some(text) = openssl_name::legacy(theirs) {
        assert_eq!(ours.legacy().as_bytes(), text, "the name on one line");
    }
}

fn variables(certificate: &Arc<Certificate>) {
    let variables = CertificateVariables::of(Arc::clone(certificate));
    let moment = Moment { verify: "SUCCESS", sigalg: "", now: UnixTime(1_768_478_400) };
    for variable in CertificateVariable::all() {
        let text = variables.text(&variable, &moment).into_owned();
        assert_eq!(text, variables.text(&variable, &moment), "the second reading is the first");
        // nginx breaks serial numbers of more than 35 octets into lines; the lints refuse those of more than 20.
        let of_several_lines = match variable {
            CertificateVariable::Scalar(Scalar::Cert | Scalar::RawCert) => true,
            CertificateVariable::Scalar(Scalar::Serial) => certificate.serial().octets().len() > 35,
            _ => false,
        };
        let printable = |byte: u8| matches!(byte, b' '..=b'~');
        assert!(of_several_lines || text.bytes().all(printable), "{variable}: {text:?}");
        for value in variables.values(&variable, &moment) {
            let _ = value.len();
        }
    }
    let escaped = variables.text(&CertificateVariable::Scalar(Scalar::EscapedCert), &moment);
    assert_eq!(decode_escaped_pem(escaped.as_bytes()).unwrap(), [certificate.der()], "what we write we read");
    for (kind, _) in ProfileKind::ALL {
        let assessment = variables.assessment(kind).unwrap();
        let profile = &assessment.profile;
        let cnpj = profile.cnpj.iter().all(|cnpj| cnpj.len() == 14 && cnpj.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert!(cnpj, "{:?}", profile.cnpj);
        for violation in &assessment.violations {
            let _ = violation.to_string();
        }
    }
}
