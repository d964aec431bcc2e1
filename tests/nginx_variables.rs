//! A real nginx and `vestibule inspect` must show the same variables, byte for byte, for hundreds of odd certificates.
//!
//! What OpenSSL refuses must be refused here too. What is refused here must not be served by nginx, but for BER that is not
//! DER: there, ours is stricter on purpose.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout)]

#[path = "support/der_writer.rs"]
mod der_writer;
#[path = "support/nginx.rs"]
mod nginx;
#[path = "support/odd_certificates.rs"]
mod odd_certificates;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use nginx::Nginx;
use openssl::ec::{EcGroup, EcKey};
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::ssl::{Ssl, SslContext, SslMethod};
use openssl::x509::X509;
use vestibule::clock::UnixTime;
use vestibule::variables::{CertificateVariable, CertificateVariables, Moment};
use vestibule::x509::certificate::Certificate;

const VARIABLES: [&str; 13] = [
    "ssl_client_escaped_cert",
    "ssl_client_cert",
    "ssl_client_raw_cert",
    "ssl_client_s_dn",
    "ssl_client_i_dn",
    "ssl_client_s_dn_legacy",
    "ssl_client_i_dn_legacy",
    "ssl_client_serial",
    "ssl_client_fingerprint",
    "ssl_client_verify",
    "ssl_client_v_start",
    "ssl_client_v_end",
    "ssl_client_v_remain",
];

#[test]
fn every_variable_is_what_nginx_shows() {
    let folder = tempfile::tempdir().unwrap();
    let key = PKey::from_ec_key(EcKey::generate(&EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap()).unwrap()).unwrap();
    let port = nginx::free_port();
    write_server_certificate(folder.path(), &key);
    let _nginx = Nginx::start(&configuration(port), folder.path());
    let (mut same, mut refused, mut stricter, mut by_binary) = (0, 0, 0, 0);
    for (index, odd) in odd_certificates::all(&key).into_iter().enumerate() {
        let ours = Certificate::from_der(&odd.der);
        let Some(shown) = X509::from_der(&odd.der).ok().and_then(|certificate| ask(port, Some(&certificate), &key)) else {
            assert!(ours.is_err(), "{}: the handshake fails, but ours takes it", odd.id);
            refused += 1;
            continue;
        };
        let ours = match ours {
            Ok(ours) => ours,
            Err(error) => {
                let longer = X509::from_der(&odd.der).unwrap().to_der().unwrap() != odd.der;
                assert!(longer || odd.id.starts_with("ber "), "{}: nginx serves it, but ours does not: {error}", odd.id);
                stricter += 1;
                continue;
            }
        };
        compare_library(&odd.id, CertificateVariables::of(Arc::new(ours)), &shown);
        same += 1;
        if index % 20 == 0 {
            compare_binary(&odd.id, &odd.der, &shown, folder.path());
            by_binary += 1;
        }
    }
    compare_library("no certificate", CertificateVariables::absent(), &ask(port, None, &key).unwrap());
    println!(
        "{same} certificates compared, {by_binary} of them by the binary; {refused} refused by both, {stricter} by ours alone"
    );
    assert!(same >= 200 && refused >= 20 && by_binary >= 10);
}

fn compare_library(id: &str, ours: CertificateVariables, shown: &BTreeMap<String, String>) {
    assert_eq!(shown.len(), VARIABLES.len() + 1, "{id}");
    // The verdict is not in the certificate: it is handed in.
    let moment = Moment { verify: &shown["ssl_client_verify"], sigalg: "", now: UnixTime(seconds(shown)) };
    for name in VARIABLES {
        let text = ours.text(&CertificateVariable::parse(name).unwrap(), &moment);
        assert_eq!(text, shown[name], "{id}: {name}");
    }
}

fn compare_binary(id: &str, der: &[u8], shown: &BTreeMap<String, String>, folder: &Path) {
    let file = folder.join("odd.der");
    std::fs::write(&file, der).unwrap();
    let at = time::OffsetDateTime::from_unix_timestamp(seconds(shown)).unwrap();
    let at = at.format(&time::format_description::well_known::Rfc3339).unwrap();
    let output =
        Command::new(env!("CARGO_BIN_EXE_vestibule")).arg("inspect").arg(&file).args(["--json", "--at", &at]).output().unwrap();
    assert!(output.status.success(), "{id}: {}", String::from_utf8_lossy(&output.stderr));
    let printed: BTreeMap<String, String> = serde_json::from_slice(&output.stdout).unwrap();
    for name in VARIABLES {
        assert_eq!(printed[name], shown[name], "{id}: {name}");
    }
}

/// The second in which nginx answered, by its own clock: the one that it computed the remaining days with.
fn seconds(shown: &BTreeMap<String, String>) -> i64 {
    shown["msec"].split('.').next().unwrap().parse().unwrap()
}

fn configuration(port: u16) -> String {
    let values: String = VARIABLES.iter().chain(&["msec"]).map(|name| format!("{name}\x1f${name}\x1e")).collect();
    format!(
        "server {{
            listen 127.0.0.1:{port} ssl;
            ssl_certificate server.pem;
            ssl_certificate_key server.key;
            ssl_verify_client optional_no_ca;
            error_page 495 496 = @refused;
            location / {{ return 200 \"{values}\"; }}
            location @refused {{ return 200 \"{values}\"; }}
        }}"
    )
}

fn write_server_certificate(folder: &Path, key: &PKey<Private>) {
    let certificate = X509::from_der(&der_writer::Parts::good().sign(key, der_writer::tlv)).unwrap();
    std::fs::write(folder.join("server.pem"), certificate.to_pem().unwrap()).unwrap();
    std::fs::write(folder.join("server.key"), key.private_key_to_pem_pkcs8().unwrap()).unwrap();
}

/// What nginx shows to a client with this certificate. `None` if the handshake fails.
fn ask(port: u16, certificate: Option<&X509>, key: &PKey<Private>) -> Option<BTreeMap<String, String>> {
    let mut context = SslContext::builder(SslMethod::tls_client()).unwrap();
    if let Some(certificate) = certificate {
        context.set_certificate(certificate).unwrap();
        context.set_private_key(key).unwrap();
    }
    let tcp = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let mut stream = Ssl::new(&context.build()).unwrap().connect(tcp).ok()?;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = Vec::new();
    // In TLS 1.3 a refused certificate shows at the first read only.
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n")?;
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    let values = body.split_terminator('\x1e').map(|value| value.split_once('\x1f').unwrap());
    Some(values.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}
