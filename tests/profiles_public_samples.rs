//! Public sample certificates of open-finance ecosystems, read through the profile of their issuer. They are other people's data
//! and not in this repository: the test reads them from `../shared/vectors`, or from `VESTIBULE_VECTORS`, and says so if they
//! are missing.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout)]

use std::path::{Path, PathBuf};

use vestibule::x509::certificate::Certificate;
use vestibule::x509::profile::{ProfileKind, assess};
use vestibule::x509::qc_statements::{QC_STATEMENTS, QcStatements, QcType, Semantics};

fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("VESTIBULE_VECTORS").map(PathBuf::from);
    let folder =
        folder.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors")).join("openbanking-certs");
    let found = folder.join("index.json").exists();
    if !found {
        println!("not run: the samples of open-finance ecosystems are not in {}", folder.display());
    }
    found.then_some(folder)
}

fn certificate(folder: &Path, name: &str) -> Certificate {
    let file = folder.join(name).with_extension("pem");
    Certificate::from_pem_or_der(&std::fs::read(file).unwrap()).unwrap().remove(0)
}

/// What a sample shows: its file, profile, facts and violations.
struct Sample {
    file: &'static str,
    kind: ProfileKind,
    organization: &'static str,
    software: &'static str,
    cnpj: &'static str,
    roles: &'static [&'static str],
    violations: &'static [&'static str],
}

const NONE: Sample = Sample {
    file: "",
    kind: ProfileKind::OpenFinanceBrasil,
    organization: "",
    software: "",
    cnpj: "",
    roles: &[],
    violations: &[],
};

/// Expected values were read off the certificates with `openssl x509` and `openssl asn1parse`.
const SAMPLES: &[Sample] = &[
    Sample {
        file: "br-brcac-orgid-sandbox-g1",
        organization: "74e929d9-33b6-4d85-8ba7-c146c867a817",
        software: "10120340-3318-4baf-99e2-0b56729c4ab2",
        cnpj: "43142666000197",
        violations: &["jurisdiction"],
        ..NONE
    },
    Sample {
        file: "br-brcac-orgid-sandbox-g2",
        organization: "2b602d87-d061-470c-89d6-ecc8b163260e",
        software: "a201cc12-fff6-40d7-92eb-8ca5e0c7fc0a",
        violations: &["cnpj", "jurisdiction"],
        ..NONE
    },
    Sample {
        file: "br-brcac-ou-style-escaped-comma",
        organization: "74e929d9-33b6-4d85-8ba7-c146c867a817",
        software: "be42d3a5-9861-4305-9deb-a22756ea7e82",
        violations: &["cnpj"],
        ..NONE
    },
    Sample {
        file: "br-brcac-ou-style-nonascii",
        organization: "926e3037-a685-553c-afa3-f7cb46ff8084",
        software: "812b577d-a364-4de5-a90a-5ef4d4ecc29c",
        cnpj: "18236120000158",
        ..NONE
    },
    Sample {
        file: "br-early-ou-cn-only",
        organization: "74e929d9-33b6-4d85-8ba7-c146c867a817",
        violations: &["software_id", "cnpj", "business_category", "jurisdiction"],
        ..NONE
    },
    Sample {
        file: "br-opin-transport-opibr",
        organization: "7ac38baa-c49d-41fe-be1e-cb3e48e57886",
        software: "e4dd2827-55c0-4b93-9fe3-0ab2bc15b15e",
        violations: &["cnpj", "jurisdiction"],
        ..NONE
    },
    Sample {
        file: "br-seal-multivalued-rdn-ou",
        violations: &["client_auth", "organization_id", "cnpj", "business_category", "jurisdiction"],
        ..NONE
    },
    Sample {
        file: "uk-ob-legacy-ou-cn",
        kind: ProfileKind::OpenBankingUkLegacy,
        organization: "0015800001ZEZ3hAAH",
        software: "4SoUs33VXMvHRSnIDhsVpR",
        ..NONE
    },
    Sample {
        file: "uk-obwac-preprod-psp-ai",
        kind: ProfileKind::OpenBankingUk,
        organization: "0015800001HQQrpAAH",
        roles: &["PSP_AI"],
        violations: &["nca_mismatch"],
        ..NONE
    },
    Sample { file: "eidas-qwac-multicert-psp-ai-pi-expired", kind: ProfileKind::Psd2, roles: &["PSP_AI", "PSP_PI"], ..NONE },
    Sample {
        file: "psd2-forgerock-sandbox-transport",
        kind: ProfileKind::Psd2,
        roles: &["PSP_IC", "PSP_AI", "PSP_PI"],
        violations: &["client_auth", "psd2_role", "psd2_role", "psd2_role"],
        ..NONE
    },
    Sample {
        file: "au-cdr-mock-client",
        kind: ProfileKind::Cdr,
        software: "MockDataRecipient",
        violations: &["organizational_unit"],
        ..NONE
    },
];

#[test]
fn each_sample_through_its_profile() {
    let Some(folder) = folder() else { return };
    for sample in SAMPLES {
        let seen = assess(sample.kind, &certificate(&folder, sample.file));
        let codes: Vec<&str> = seen.violations.iter().map(|violation| violation.code.code()).collect();
        assert_eq!(codes, sample.violations, "{}: {:?}", sample.file, seen.violations);
        let profile = seen.profile;
        assert_eq!(profile.organization_id.as_deref().unwrap_or_default(), sample.organization, "{}", sample.file);
        assert_eq!(profile.software_id.as_deref().unwrap_or_default(), sample.software, "{}", sample.file);
        assert_eq!(profile.cnpj.as_deref().unwrap_or_default(), sample.cnpj, "{}", sample.file);
        assert_eq!(profile.psd2_roles.iter().map(|role| role.name()).collect::<Vec<_>>(), sample.roles, "{}", sample.file);
    }
    println!("{} sample certificates read", SAMPLES.len());
}

#[test]
fn the_statements_of_a_real_qwac() {
    let Some(folder) = folder() else { return };
    let qwac = certificate(&folder, "eidas-qwac-multicert-psp-ai-pi-expired");
    let read = QcStatements::parse(qwac.extension(QC_STATEMENTS).unwrap().unwrap()).unwrap();
    assert!(read.compliance && !read.sscd);
    assert_eq!((read.retention_years, read.types), (Some(7), vec![QcType::Web]));
    let languages: Vec<_> = read.disclosures.iter().map(|one| one.language.as_str()).collect();
    assert_eq!(languages, ["en", "pt"]);
    assert!(read.disclosures.iter().all(|one| one.url.starts_with("https://pki.multicert.com/")));
    let psd2 = read.psd2.unwrap();
    assert_eq!((psd2.nca_name.as_str(), psd2.nca_id.as_str()), ("Financial Conduct Authority", "GB-FCA"));
    let sandbox = certificate(&folder, "psd2-forgerock-sandbox-transport");
    let read = QcStatements::parse(sandbox.extension(QC_STATEMENTS).unwrap().unwrap()).unwrap();
    assert_eq!(read.semantics, Some(Semantics::LegalPerson));
}

/// Nobody's certificate is anything by every profile, and none makes one panic.
#[test]
fn every_sample_through_every_profile() {
    let Some(folder) = folder() else { return };
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "pem") {
            let certificate = certificate(&folder, path.file_stem().unwrap().to_str().unwrap());
            let clean = ProfileKind::ALL.iter().filter(|(kind, _)| assess(*kind, &certificate).violations.is_empty()).count();
            assert!(clean <= 1, "{}", path.display());
        }
    }
}
