//! Names as other programs print them, read and compared with public sample certificates of open-finance ecosystems. They are other
//! people's data and not in this repository: the test reads them from `../shared/vectors`, or from `VESTIBULE_VECTORS`, and says so
//! if they are missing.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout)]

use std::path::{Path, PathBuf};

use serde_json::Value;
use vestibule::x509::certificate::Certificate;
use vestibule::x509::name_match::{DistinguishedName, RdnOrder};

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

fn json(folder: &Path, name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(folder.join(name)).unwrap()).unwrap()
}

fn certificate(folder: &Path, name: &str) -> Certificate {
    Certificate::from_pem_or_der(&std::fs::read(folder.join(name)).unwrap()).unwrap().remove(0)
}

#[test]
fn what_openssl_and_java_print_is_the_name_and_no_other() {
    let Some(folder) = folder() else { return };
    let index = json(&folder, "index.json");
    let samples: Vec<(Certificate, [DistinguishedName; 2])> = index
        .as_array()
        .unwrap()
        .iter()
        .map(|sample| {
            let printed = ["subject_openssl_rfc2253", "subject_java_rfc2253"];
            let read = |key: &str| DistinguishedName::parse(sample[key].as_str().unwrap()).unwrap();
            (certificate(&folder, sample["file"].as_str().unwrap()), printed.map(read))
        })
        .collect();
    assert_eq!(samples.len(), 28);
    for (certificate, _) in &samples {
        for (other, names) in &samples {
            let same = certificate.subject() == other.subject();
            for name in names {
                assert_eq!(
                    name.is(certificate.subject(), RdnOrder::Strict),
                    same,
                    "{name:?} {}",
                    certificate.subject().rfc2253()
                );
            }
        }
    }
}

#[test]
fn the_conformance_suites_names_are_judged_as_it_and_the_standard_do() {
    let Some(folder) = folder() else { return };
    let vectors = json(&folder, "subject-match-vectors.json");
    let certificate = certificate(&folder, vectors["cert"].as_str().unwrap());
    let mut judged = 0;
    for case in vectors["cases"].as_array().unwrap() {
        let client = case["client"].as_object().unwrap();
        let Some(name) = client.get("tls_client_auth_subject_dn").filter(|_| client.len() == 1) else { continue };
        let name = DistinguishedName::parse(name.as_str().unwrap()).unwrap();
        assert_eq!(name.is(certificate.subject(), RdnOrder::Strict), case["strict"].as_bool().unwrap(), "{case}");
        assert_eq!(name.is(certificate.subject(), RdnOrder::Any), case["oidf"].as_bool().unwrap(), "{case}");
        judged += 1;
    }
    assert_eq!(judged, 3);
}
