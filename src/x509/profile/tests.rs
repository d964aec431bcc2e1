use super::*;
use crate::x509::der::{encode, tag};
use openssl::asn1::{Asn1Object, Asn1OctetString, Asn1Time};
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::PKey;
use openssl::x509::{X509, X509Extension, X509Name};
use proptest::prelude::*;

const CLIENT: &[u8] = &[0x30, 0x0A, 0x06, 0x08, 0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02];
const SERVER: &[u8] = &[0x30, 0x0A, 0x06, 0x08, 0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01];

fn certificate(subject: &[(&str, &str)], extensions: &[(&str, &[u8])]) -> Certificate {
    let key = PKey::from_ec_key(EcKey::generate(&EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap()).unwrap()).unwrap();
    let mut name = X509Name::builder().unwrap();
    for (kind, value) in subject {
        name.append_entry_by_text(kind, value).unwrap();
    }
    let name = name.build();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder.set_subject_name(&name).unwrap();
    builder.set_issuer_name(&name).unwrap();
    builder.set_pubkey(&key).unwrap();
    builder.set_not_before(&Asn1Time::from_unix(1_700_000_000).unwrap()).unwrap();
    builder.set_not_after(&Asn1Time::from_unix(1_800_000_000).unwrap()).unwrap();
    for (oid, der) in extensions {
        let (oid, value) = (Asn1Object::from_str(oid).unwrap(), Asn1OctetString::new_from_bytes(der).unwrap());
        builder.append_extension(X509Extension::new_from_der(&oid, false, &value).unwrap()).unwrap();
    }
    builder.sign(&key, MessageDigest::sha256()).unwrap();
    Certificate::from_der(&builder.build().to_der().unwrap()).unwrap()
}

fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    encode(tag::SEQUENCE, &parts.concat())
}

fn id(content: &[u8]) -> Vec<u8> {
    encode(tag::OID, content)
}

fn utf8(text: &str) -> Vec<u8> {
    encode(tag::UTF8_STRING, text.as_bytes())
}

const COMPLIANCE: &[u8] = &[0x04, 0x00, 0x8E, 0x46, 0x01, 0x01];

fn compliance() -> Vec<u8> {
    sequence(&[id(COMPLIANCE)])
}

fn types(numbers: &[u8]) -> Vec<u8> {
    let ids: Vec<_> = numbers.iter().map(|number| id(&[0x04, 0x00, 0x8E, 0x46, 0x01, 0x06, *number])).collect();
    sequence(&[id(&[0x04, 0x00, 0x8E, 0x46, 0x01, 0x06]), sequence(&ids)])
}

fn psd2(roles: &[(u8, &str)], nca_id: &str) -> Vec<u8> {
    let role = |(number, name): &(u8, &str)| sequence(&[id(&[0x04, 0x00, 0x81, 0x98, 0x27, 0x01, *number]), utf8(name)]);
    let roles: Vec<_> = roles.iter().map(role).collect();
    let statement = sequence(&[sequence(&roles), utf8("The Authority"), utf8(nca_id)]);
    sequence(&[id(&[0x04, 0x00, 0x81, 0x98, 0x27, 0x02]), statement])
}

fn codes(assessment: &Assessment) -> Vec<&'static str> {
    assessment.violations.iter().map(|violation| violation.code.code()).collect()
}

fn violations(kind: ProfileKind, subject: &[(&str, &str)], extensions: &[(&str, &[u8])]) -> Vec<&'static str> {
    codes(&assess(kind, &certificate(subject, extensions)))
}

/// The subject with one attribute changed; an empty value takes it away.
fn with<'a>(subject: &[(&'a str, &'a str)], kind: &'a str, value: &'a str) -> Vec<(&'a str, &'a str)> {
    let mut changed: Vec<_> = subject.iter().copied().filter(|(found, _)| *found != kind).collect();
    if !value.is_empty() {
        changed.push((kind, value));
    }
    changed
}

#[test]
fn words_and_codes_are_unique_and_in_order() {
    assert!(ProfileKind::ALL.iter().enumerate().all(|(at, (kind, word))| *kind as usize == at && kind.word() == *word));
    let codes: std::collections::HashSet<_> = ViolationCode::ALL.iter().map(|code| code.code()).collect();
    assert_eq!(codes.len(), ViolationCode::ALL.len());
}

const EKU: &str = "2.5.29.37";
const QC: &str = "1.3.6.1.5.5.7.1.3";
const ORG_ID: &str = "2.5.4.97";
const QWAC: [(&str, &str); 4] = [("C", "GB"), ("O", "TPP"), (ORG_ID, "PSDGB-FCA-827-001"), ("CN", "tpp.example")];

#[test]
fn a_qwac() {
    let statements = sequence(&[compliance(), types(&[3]), psd2(&[(3, "PSP_AI"), (2, "PSP_PI"), (3, "PSP_AI")], "GB-FCA")]);
    let seen = assess(ProfileKind::Psd2, &certificate(&QWAC, &[(EKU, CLIENT), (QC, &statements)]));
    assert_eq!(seen.violations, []);
    let profile = seen.profile;
    assert_eq!(profile.psd2_roles, [Psd2Role::AccountInformation, Psd2Role::PaymentInitiation]);
    assert_eq!((profile.nca_name.as_deref(), profile.nca_id.unwrap().to_string().as_str()), (Some("The Authority"), "GB-FCA"));
    assert_eq!((profile.qc_types, profile.qc_compliance), (vec![QcType::Web], true));
    let organization = profile.organization_identifier.unwrap();
    assert_eq!((organization.authority.as_deref(), organization.reference.as_str()), (Some("FCA"), "827-001"));
}

#[test]
fn what_is_wrong_with_a_qwac() {
    let ai: &[(u8, &str)] = &[(3, "PSP_AI")];
    let good = || psd2(ai, "GB-FCA");
    for (expected, statements) in [
        (&["qc_compliance"][..], vec![types(&[3]), good()]),
        (&["qc_type"], vec![compliance(), types(&[2]), good()]),
        (&["qc_type"], vec![compliance(), types(&[1, 3]), good()]),
        (&["qc_type"], vec![compliance(), good()]),
        (&["psd2_statement"], vec![compliance(), types(&[3])]),
        (&["psd2_role"], vec![compliance(), types(&[3]), psd2(&[], "GB-FCA")]),
        (&["psd2_role"], vec![compliance(), types(&[3]), psd2(&[(3, "PSP_AS")], "GB-FCA")]),
        (&["psd2_role"], vec![compliance(), types(&[3]), psd2(&[(3, "PSP_AI"), (7, "PSP_AS")], "GB-FCA")]),
        (&["nca_mismatch"], vec![compliance(), types(&[3]), psd2(ai, "GB-FFA")]),
        (&["nca_mismatch"], vec![compliance(), types(&[3]), psd2(ai, "DE-FCA")]),
        (&["nca_id"], vec![compliance(), types(&[3]), psd2(ai, "FCA")]),
        (&["qc_statements"], vec![compliance(), compliance()]),
    ] {
        assert_eq!(violations(ProfileKind::Psd2, &QWAC, &[(EKU, CLIENT), (QC, &sequence(&statements))]), expected);
    }
    let statements = sequence(&[compliance(), types(&[3]), good()]);
    assert_eq!(violations(ProfileKind::Psd2, &QWAC, &[(EKU, CLIENT)]), ["qc_statements"]);
    assert_eq!(violations(ProfileKind::Psd2, &QWAC, &[(QC, &statements)]), ["client_auth"]);
    assert_eq!(violations(ProfileKind::Psd2, &QWAC, &[(EKU, SERVER), (QC, &statements)]), ["client_auth"]);
    for (value, expected) in
        [("", &["organization_identifier"][..]), ("FCA-1", &["organization_identifier"]), ("VATDE-1", &[]), ("NTRGB-1", &[])]
    {
        assert_eq!(violations(ProfileKind::Psd2, &with(&QWAC, ORG_ID, value), &[(EKU, CLIENT), (QC, &statements)]), expected);
    }
    let twice: Vec<_> = QWAC.into_iter().chain([(ORG_ID, "PSDGB-FCA-2")]).collect();
    let seen = assess(ProfileKind::Psd2, &certificate(&twice, &[(EKU, CLIENT), (QC, &statements)]));
    assert_eq!((codes(&seen), seen.profile.organization_identifier), (vec!["organization_identifier"], None));
}

/// The role of an unreadable or contradicting statement is not there for a criterion to see, by its name.
#[test]
fn a_name_makes_no_role() {
    let statements = sequence(&[compliance(), types(&[3]), psd2(&[(3, "PSP_AS"), (9, "PSP_PI")], "GB-FCA")]);
    let seen = assess(ProfileKind::Psd2, &certificate(&QWAC, &[(EKU, CLIENT), (QC, &statements)]));
    assert_eq!(seen.profile.psd2_roles, [Psd2Role::AccountInformation]);
}

const PARTICIPANT: &str = "74e929d9-33b6-4d85-8ba7-c146c867a817";
const SOFTWARE: &str = "10120340-3318-4BAF-99e2-0b56729c4ab2";
const BRCAC: [(&str, &str); 8] = [
    ("C", "BR"),
    ("O", "Banco"),
    ("CN", "*.banco.example"),
    ("2.5.4.5", "12ABC34501DE35"),
    ("2.5.4.15", "Private Organization"),
    ("1.3.6.1.4.1.311.60.2.1.3", "BR"),
    (ORG_ID, "OFBBR-74e929d9-33b6-4d85-8ba7-c146c867a817"),
    ("UID", SOFTWARE),
];

#[test]
fn a_brcac() {
    let seen = assess(ProfileKind::OpenFinanceBrasil, &certificate(&BRCAC, &[(EKU, CLIENT)]));
    assert_eq!(seen.violations, []);
    let profile = seen.profile;
    assert_eq!(profile.organization_id.as_deref(), Some(PARTICIPANT));
    assert_eq!(profile.software_id, Some(SOFTWARE.to_ascii_lowercase()));
    assert_eq!(profile.cnpj.as_deref(), Some("12ABC34501DE35"));
    let organization = profile.organization_identifier.unwrap();
    assert_eq!(
        (organization.scheme.as_str(), organization.country.as_str(), organization.reference.as_str()),
        ("OFB", "BR", PARTICIPANT)
    );
}

#[test]
fn what_is_wrong_with_a_brcac() {
    for (kind, value, expected) in [
        ("C", "US", &["country"][..]),
        ("2.5.4.5", "260447503", &["cnpj"]),
        ("2.5.4.5", "12ABC34501DE36", &["cnpj"]),
        ("2.5.4.15", "Private Organisation", &["business_category"]),
        ("1.3.6.1.4.1.311.60.2.1.3", "US", &["jurisdiction"]),
        (ORG_ID, "OFBBR-1234", &["organization_identifier"]),
        (ORG_ID, "OFBUS-74e929d9-33b6-4d85-8ba7-c146c867a817", &["organization_identifier"]),
        ("UID", "", &["software_id"]),
        ("UID", "me", &["software_id"]),
        (ORG_ID, "OPIBR-74e929d9-33b6-4d85-8ba7-c146c867a817", &[]),
        (ORG_ID, "", &["organization_id"]),
    ] {
        let found = violations(ProfileKind::OpenFinanceBrasil, &with(&BRCAC, kind, value), &[(EKU, CLIENT)]);
        assert_eq!(found, expected, "{kind}={value}");
    }
}

#[test]
fn the_old_place_of_the_organization_counts_only_where_the_new_one_is_absent() {
    let read = |subject: &[(&str, &str)]| assess(ProfileKind::OpenFinanceBrasil, &certificate(subject, &[(EKU, CLIENT)]));
    let mut old = with(&BRCAC, ORG_ID, "");
    old.push(("OU", PARTICIPANT));
    let seen = read(&old);
    assert_eq!((codes(&seen), seen.profile.organization_id.as_deref()), (vec![], Some(PARTICIPANT)));
    let mut bad = with(&BRCAC, ORG_ID, "OFBBR-nobody");
    bad.push(("OU", PARTICIPANT));
    let seen = read(&bad);
    assert_eq!((codes(&seen), seen.profile.organization_id), (vec!["organization_identifier"], None));
    let mut both = BRCAC.to_vec();
    both.push(("OU", SOFTWARE));
    assert_eq!(read(&both).profile.organization_id.as_deref(), Some(PARTICIPANT));
}

#[test]
fn a_certificate_for_signatures_gives_no_software() {
    let seen = assess(ProfileKind::OpenFinanceBrasil, &certificate(&BRCAC, &[]));
    assert_eq!((codes(&seen), seen.profile), (vec!["client_auth"], Profile::default()));
}

const OBWAC: [(&str, &str); 4] = [("C", "GB"), ("O", "TPP"), (ORG_ID, "PSDGB-FCA-123456"), ("CN", "0015800001HQQrpAAH")];

#[test]
fn both_certificates_of_open_banking_uk() {
    let statements = sequence(&[types(&[3]), psd2(&[(1, "PSP_AS")], "GB-FCA")]);
    let obwac = certificate(&OBWAC, &[(EKU, CLIENT), (QC, &statements)]);
    let seen = assess(ProfileKind::OpenBankingUk, &obwac);
    assert_eq!(seen.violations, []);
    assert_eq!((seen.profile.organization_id.as_deref(), seen.profile.software_id), (Some("0015800001HQQrpAAH"), None));
    assert_eq!(seen.profile.psd2_roles, [Psd2Role::AccountServicing]);
    let as_legacy = assess(ProfileKind::OpenBankingUkLegacy, &obwac);
    assert_eq!(codes(&as_legacy), ["organization", "organization_id"]);
    assert!(as_legacy.profile.psd2_roles.is_empty());

    let legacy = [("C", "GB"), ("O", "OpenBanking"), ("OU", "0015800001ZEZ3hAAH"), ("CN", "4SoUs33VXMvHRSnIDhsVpR")];
    let seen = assess(ProfileKind::OpenBankingUkLegacy, &certificate(&legacy, &[(EKU, CLIENT)]));
    assert_eq!(seen.violations, []);
    assert_eq!(seen.profile.organization_id.as_deref(), Some("0015800001ZEZ3hAAH"));
    assert_eq!(seen.profile.software_id.as_deref(), Some("4SoUs33VXMvHRSnIDhsVpR"));
    let found = violations(ProfileKind::OpenBankingUk, &legacy, &[(EKU, CLIENT)]);
    assert_eq!(found, ["qc_statements", "organization_identifier", "organization_id"]);
}

#[test]
fn the_consumer_data_right() {
    let good = [("C", "AU"), ("O", "Brand"), ("OU", "Consumer Data Right"), ("CN", "Product")];
    let seen = assess(ProfileKind::Cdr, &certificate(&good, &[(EKU, CLIENT)]));
    assert_eq!((codes(&seen), seen.profile.software_id.as_deref()), (vec![], Some("Product")));
    for (kind, value, expected) in
        [("C", "", "country"), ("O", "", "organization"), ("OU", "CDR", "organizational_unit"), ("CN", "", "software_id")]
    {
        assert_eq!(violations(ProfileKind::Cdr, &with(&good, kind, value), &[(EKU, CLIENT)]), [expected]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever stands in the certificate: no panic, and every profile finds something.
    #[test]
    fn garbage_is_read_by_every_profile(
        value in "\\PC{1,40}",
        extension in proptest::collection::vec(any::<u8>(), 0..64),
        usage in proptest::collection::vec(any::<u8>(), 0..16),
    ) {
        let subject = [("O", value.as_str()), (ORG_ID, &value), ("UID", &value), ("OU", &value)];
        let certificate = certificate(&subject, &[(EKU, &usage), (QC, &extension)]);
        for (kind, _) in ProfileKind::ALL {
            prop_assert!(!assess(kind, &certificate).violations.is_empty());
        }
    }
}
