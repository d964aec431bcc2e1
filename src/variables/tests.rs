//! Tests of the variables against what a real nginx printed, and of those that nginx does not have.

use super::*;
use openssl::asn1::Asn1Time;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::PKey;
use openssl::x509::extension::SubjectAlternativeName;
use openssl::x509::{X509, X509NameBuilder};
use serde_json::Value;

fn moment(verify: &str, now: i64) -> Moment<'_> {
    Moment { verify, sigalg: "", now: UnixTime(now) }
}

fn named(name: &str) -> CertificateVariable {
    CertificateVariable::parse(name).unwrap_or_else(|| panic!("{name}"))
}

fn vectors() -> Value {
    serde_json::from_str(include_str!("../../tests/vectors/nginx-vars/vectors.json")).unwrap()
}

#[test]
fn every_variable_of_every_recorded_case() {
    let (mut compared, mut refused) = (0, 0);
    for case in vectors()["cases"].as_array().unwrap() {
        let id = case["id"].as_str().unwrap();
        let certificate = case["pem"].as_str().map(|pem| Certificate::from_pem_or_der(pem.as_bytes()));
        if !case["accepted_by_tls"].as_bool().unwrap() {
            assert!(certificate.unwrap().is_err(), "{id}");
            refused += 1;
            continue;
        }
        let variables = match certificate {
            Some(certificate) => CertificateVariables::of(Arc::new(certificate.unwrap().remove(0))),
            None => CertificateVariables::absent(),
        };
        let recorded = &case["vars"];
        let moment = moment(recorded["ssl_client_verify"].as_str().unwrap(), case["observed_at_unix"].as_i64().unwrap());
        for (name, expected) in recorded.as_object().unwrap() {
            assert_eq!(variables.text(&named(name), &moment), expected.as_str().unwrap(), "{id} {name}");
            compared += 1;
        }
        let pem = case["pem"].as_str().unwrap_or_default();
        assert_eq!(variables.text(&named("ssl_client_raw_cert"), &moment), pem, "{id}");
        let folded = pem.strip_suffix('\n').unwrap_or_default().replace('\n', "\n\t");
        assert_eq!(variables.text(&named("ssl_client_cert"), &moment), folded, "{id}");
    }
    assert_eq!((compared, refused), (COMPARED, REFUSED));
}

const COMPARED: usize = 63 * 11;
const REFUSED: usize = 7;

#[test]
fn the_last_common_name_as_it_stands_in_the_subject() {
    let cases = vectors();
    let mut seen = 0;
    for case in cases["cases"].as_array().unwrap() {
        let Some(Ok(mut certificates)) = case["pem"].as_str().map(|pem| Certificate::from_pem_or_der(pem.as_bytes())) else {
            continue;
        };
        let variables = CertificateVariables::of(Arc::new(certificates.remove(0)));
        let moment = moment("SUCCESS", 0);
        let (parsed, whole) =
            (variables.text(&named("ssl_client_s_dn_parsed"), &moment), variables.text(&named("ssl_client_s_dn"), &moment));
        // Printing begins at the end of the certificate's name, so the last common name is the first that is printed.
        let has_one = whole.starts_with("CN=") || whole.contains(",CN=") || whole.contains("+CN=");
        assert_eq!(!parsed.is_empty(), has_one && case["id"] != "empty_cn", "{}", case["id"]);
        if has_one {
            let first = whole.find("CN=").unwrap();
            assert!(whole[first + 3..].starts_with(&*parsed), "{}", case["id"]);
            seen += 1;
        }
    }
    assert!(seen > 50);
}

fn certificate_with_names() -> Certificate {
    let key = PKey::from_ec_key(EcKey::generate(&EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap()).unwrap()).unwrap();
    let mut name = X509NameBuilder::new().unwrap();
    name.append_entry_by_nid(Nid::COMMONNAME, "José, the first").unwrap();
    name.append_entry_by_nid(Nid::COMMONNAME, "second\\").unwrap();
    let name = name.build();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder.set_pubkey(&key).unwrap();
    builder.set_subject_name(&name).unwrap();
    builder.set_issuer_name(&name).unwrap();
    builder.set_not_before(&Asn1Time::from_unix(0).unwrap()).unwrap();
    builder.set_not_after(&Asn1Time::from_unix(2_000_000_000).unwrap()).unwrap();
    let mut names = SubjectAlternativeName::new();
    names
        .dns("a.example")
        .dns("b,c.example")
        .email("x@example.com")
        .uri("urn:a\\b")
        .ip("192.0.2.1")
        .ip("2001:db8::1")
        .rid("1.2.3.4");
    names.other_name2(openssl::asn1::Asn1Object::from_str("1.3.6.1.4.1.311.20.2.3").unwrap(), &[0x0C, 0x01, b'u']);
    let names = names.build(&builder.x509v3_context(None, None)).unwrap();
    builder.append_extension(names).unwrap();
    builder.sign(&key, MessageDigest::sha256()).unwrap();
    Certificate::from_der(&builder.build().to_der().unwrap()).unwrap()
}

#[test]
fn lists_one_by_one_and_joined() {
    let variables = CertificateVariables::of(Arc::new(certificate_with_names()));
    let moment = moment("SUCCESS", 0);
    for (name, values, text) in [
        ("ssl_client_san_dns", &["a.example", "b,c.example"][..], "a.example,b\\,c.example"),
        ("ssl_client_san_email", &["x@example.com"], "x@example.com"),
        ("ssl_client_san_uri", &["urn:a\\b"], "urn:a\\\\b"),
        ("ssl_client_san_ip", &["192.0.2.1", "2001:db8::1"], "192.0.2.1,2001:db8::1"),
        ("ssl_client_san_dirname", &[], ""),
        ("ssl_client_san_rid", &["1.2.3.4"], "1.2.3.4"),
        ("ssl_client_san_othername", &["1.3.6.1.4.1.311.20.2.3=0c0175"], "1.3.6.1.4.1.311.20.2.3=0c0175"),
        ("subject.CN", &["José, the first", "second\\"], "Jos\\C3\\A9\\, the first,second\\\\"),
        ("issuer.2.5.4.3", &["José, the first", "second\\"], "Jos\\C3\\A9\\, the first,second\\\\"),
        ("subject.O", &[], ""),
        ("ssl_client_s_dn_parsed", &["second\\\\"], "second\\\\"),
        ("ssl_client_sigalg", &[], ""),
        ("ssl_client_verify", &["SUCCESS"], "SUCCESS"),
    ] {
        assert_eq!(variables.values(&named(name), &moment).collect::<Vec<_>>(), values, "{name}");
        assert_eq!(variables.text(&named(name), &moment), text, "{name}");
    }
}

#[test]
fn fingerprints_of_ours() {
    let certificate = Arc::new(certificate_with_names());
    let variables = CertificateVariables::of(certificate.clone());
    let text = |name| variables.text(&named(name), &moment("", 0)).into_owned();
    assert_eq!(
        text("ssl_client_fingerprint_sha256"),
        hex::encode(certificate.openssl().digest(MessageDigest::sha256()).unwrap())
    );
    assert_eq!(text("ssl_client_x5t_s256").len(), 43);
    let spki = certificate.openssl().public_key().unwrap().public_key_to_der().unwrap();
    assert_eq!(text("ssl_client_spki_sha256"), hex::encode(openssl::sha::sha256(&spki)));
}

#[test]
fn an_absent_certificate_has_one_variable() {
    let variables = CertificateVariables::absent();
    let moment = Moment { verify: "SUCCESS", sigalg: "ed25519", now: UnixTime(0) };
    for variable in CertificateVariable::all().chain([named("subject.CN")]) {
        let expected = if variable.name() == "ssl_client_verify" { "NONE" } else { "" };
        assert_eq!(variables.text(&variable, &moment), expected);
        assert_eq!(variables.values(&variable, &moment).count(), usize::from(!expected.is_empty()));
    }
}

#[test]
fn a_text_is_rendered_once() {
    let variables = CertificateVariables::of(Arc::new(certificate_with_names()));
    let moment = moment("", 0);
    let first = variables.text(&named("ssl_client_s_dn"), &moment).as_ptr();
    assert_eq!(variables.text(&named("ssl_client_s_dn"), &moment).as_ptr(), first);
}
