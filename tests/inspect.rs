//! `vestibule inspect` as a user meets it: output, messages, exit codes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn vector(id: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/nginx-vars/pem").join(id).with_extension("pem")
}

fn inspect(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_vestibule")).arg("inspect").args(arguments).output().unwrap()
}

fn json(file: &Path) -> Value {
    let output = inspect(&[file.to_str().unwrap(), "--json", "--at", "2026-11-22T17:09:44Z"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn every_scalar_variable_is_a_key_even_if_empty() {
    let printed = json(&vector("obb_transport"));
    for name in [
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
        "ssl_client_sigalg",
        "ssl_client_s_dn_parsed",
        "ssl_client_fingerprint_sha256",
        "ssl_client_x5t_s256",
        "ssl_client_spki_sha256",
    ] {
        assert!(printed[name].is_string(), "{name}");
    }
    assert_eq!(printed["ssl_client_sigalg"], "");
    assert_eq!(printed["ssl_client_v_remain"], "6979");
}

#[test]
fn attributes_have_two_names() {
    let printed = json(&vector("obb_transport"));
    for (short, dotted) in
        [("organizationIdentifier", "2.5.4.97"), ("CN", "2.5.4.3"), ("jurisdictionC", "1.3.6.1.4.1.311.60.2.1.3")]
    {
        let value = &printed[format!("subject.{short}")];
        assert!(value.is_string() && *value == printed[format!("subject.{dotted}")], "{short}");
    }
    assert_eq!(printed["issuer.CN"], "Vestibule Test Root CA");
}

#[test]
fn a_profile_adds_its_variables_and_violations() {
    let file = vector("obb_transport");
    let output = inspect(&[file.to_str().unwrap(), "--json", "--profile", "open_finance_brasil"]);
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(printed["certificate_profile"], "open_finance_brasil");
    assert_eq!(printed["software_id"], printed["subject.UID"]);
    assert_eq!(printed["organization_identifier"], printed["subject.organizationIdentifier"]);
    assert!(printed["violations"].is_array() && printed["psd2_roles"] == "", "{printed}");
    let output = inspect(&[file.to_str().unwrap(), "--profile", "psd2"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("\nviolation: qc_statements: there are no qcStatements\n"), "{text}");
    assert!(!String::from_utf8(inspect(&[file.to_str().unwrap()]).stdout).unwrap().contains("software_id"));
    assert_eq!(inspect(&[file.to_str().unwrap(), "--profile", "guess"]).status.code(), Some(64));
}

#[test]
fn der_and_pem_give_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let (pem, der) = (vector("full_dn"), folder.path().join("full_dn.der"));
    std::fs::write(&der, pem::parse(std::fs::read(&pem).unwrap()).unwrap().contents()).unwrap();
    assert_eq!(json(&pem), json(&der));
}

#[test]
fn the_table_warns_of_what_is_odd() {
    let output = inspect(&[vector("t_frac").to_str().unwrap()]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("ssl_client_s_dn                CN=t_frac,O=Example,C=US\n"), "{text}");
    assert!(text.contains("\nwarning: notAfter is not in the form of RFC 5280\n"), "{text}");
    assert!(!text.contains("BEGIN"), "{text}");
}

#[test]
fn the_table_warns_of_what_routes_do_not_let_pass() {
    let folder = tempfile::tempdir().unwrap();
    let openssl = |arguments: &str| {
        let ran = Command::new("openssl").current_dir(&folder).args(arguments.split(' ')).output().unwrap();
        assert!(ran.status.success(), "{arguments}: {}", String::from_utf8_lossy(&ran.stderr));
    };
    openssl("req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out ca.pem -subj /CN=partner");
    openssl("req -new -key key.pem -out request.pem -subj /CN=partner");
    openssl("x509 -req -in request.pem -signkey key.pem -out v1.pem");
    let warnings = |file: &str| {
        let output = inspect(&[folder.path().join(file).to_str().unwrap()]);
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().filter_map(|line| line.strip_prefix("warning: ").map(str::to_owned)).collect::<Vec<_>>()
    };
    let (ca, v1) = (warnings("ca.pem"), warnings("v1.pem"));
    assert!(ca.len() == 1 && ca[0].starts_with("it is signed by its own key: "), "{ca:?}");
    assert!(ca[0].contains("`self_signed_certificates = [\"sha256:"), "{ca:?}");
    assert!(v1.len() == 2 && v1[0].starts_with("there is no extended key usage: "), "{v1:?}");
}

#[test]
fn a_serial_of_two_lines_stays_in_its_row() {
    let output = inspect(&[vector("ser_36").to_str().unwrap()]);
    assert!(String::from_utf8(output.stdout).unwrap().contains("22\\\\n33\n"));
}

#[test]
fn messages_and_exit_codes() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &[u8]| {
        let file = folder.path().join(name);
        std::fs::write(&file, content).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let rubbish = write("rubbish", b"rubbish");
    let key = write("key.pem", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
    let cut = write("cut.pem", b"-----BEGIN CERTIFICATE-----\nAAAA\n");
    let plain = vector("plain").to_str().unwrap().to_owned();
    for (arguments, code, message) in [
        (vec![rubbish.as_str()], 1, "vestibule: cannot read a certificate from `"),
        (vec![&key], 1, "no `CERTIFICATE` block"),
        (vec![&cut], 1, "a `CERTIFICATE` block that is not whole"),
        (vec!["does/not/exist"], 1, "vestibule: cannot read a certificate from `does/not/exist`"),
        (vec![], 64, "FILE"),
        (vec![&plain, "--at", "yesterday"], 64, "--at"),
        (vec![&plain, "--nonsense"], 64, "--nonsense"),
    ] {
        let output = inspect(&arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.contains(message), "{arguments:?}: {stderr}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn help_is_no_error() {
    let output = inspect(&["--help"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8(output.stdout).unwrap().contains("--json"));
}
