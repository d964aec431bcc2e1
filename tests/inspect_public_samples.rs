//! Public sample certificates of open-finance ecosystems, shown as OpenSSL shows them. They are other people's data and not in
//! this repository: the test reads them from `../shared/vectors`, or from `VESTIBULE_VECTORS`, and says so if they are missing.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use vestibule::clock::UnixTime;
use vestibule::variables::{CertificateVariable, CertificateVariables, Moment};
use vestibule::x509::certificate::Certificate;

#[test]
fn public_samples_are_shown_as_openssl_shows_them() {
    let folder = std::env::var_os("VESTIBULE_VECTORS").map(PathBuf::from);
    let folder =
        folder.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors")).join("openbanking-certs");
    let Ok(index) = std::fs::read(folder.join("index.json")) else {
        println!("not run: the samples of open-finance ecosystems are not in {}", folder.display());
        return;
    };
    let samples: Vec<Value> = serde_json::from_slice(&index).unwrap();
    for sample in &samples {
        compare(&folder, sample);
    }
    println!("{} sample certificates compared", samples.len());
    assert!(!samples.is_empty());
}

fn compare(folder: &Path, sample: &Value) {
    let file = sample["file"].as_str().unwrap();
    let certificate = Certificate::from_pem_or_der(&std::fs::read(folder.join(file)).unwrap()).unwrap().remove(0);
    assert_eq!(certificate.der().len() as u64, sample["der_len"].as_u64().unwrap(), "{file}");
    let variables = CertificateVariables::of(Arc::new(certificate));
    let moment = Moment { verify: "", sigalg: "", now: UnixTime(0) };
    let text = |name| variables.text(&CertificateVariable::parse(name).unwrap(), &moment);
    for (name, key) in [
        ("ssl_client_s_dn", "subject_openssl_rfc2253"),
        ("ssl_client_i_dn", "issuer_openssl_rfc2253"),
        ("ssl_client_serial", "serial"),
        ("ssl_client_v_end", "not_after"),
        ("ssl_client_x5t_s256", "x5t_S256"),
        ("ssl_client_fingerprint_sha256", "sha256"),
    ] {
        assert_eq!(text(name), sample[key].as_str().unwrap(), "{file}: {name}");
    }
    assert_eq!(text("ssl_client_escaped_cert").len() as u64, sample["escaped_pem_len"].as_u64().unwrap(), "{file}");
}
