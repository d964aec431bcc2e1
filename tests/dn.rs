//! `vestibule dn`: every form beside the program that has it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// Certificates that were made for the printing of names, and those of open finance where they are at hand.
fn certificates() -> Vec<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/nginx-vars/pem");
    let folders = std::env::var("VESTIBULE_VECTORS").map(|shared| Path::new(&shared).join("openbanking-certs"));
    let mut files: Vec<PathBuf> = std::iter::once(own)
        .chain(folders)
        .flat_map(|folder| std::fs::read_dir(folder).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "pem"))
        .collect();
    files.sort();
    assert!(files.len() > 20);
    files
}

fn dn(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_vestibule")).arg("dn").args(arguments).output().unwrap()
}

/// The forms of a file; none of one that we refuse to read.
fn forms(file: &Path) -> Option<Value> {
    let output = dn(&[file.to_str().unwrap(), "--json"]);
    (output.status.code() == Some(0)).then(|| serde_json::from_slice(&output.stdout).unwrap())
}

fn openssl(file: &Path, party: &str, nameopt: &str) -> Option<Vec<u8>> {
    let output = Command::new("openssl")
        .args(["x509", "-noout", &format!("-{party}"), "-nameopt", nameopt, "-in"])
        .arg(file)
        .output()
        .unwrap();
    output.status.success().then(|| {
        let text = output.stdout.strip_prefix(format!("{party}=").as_bytes()).unwrap();
        text.strip_suffix(b"\n").unwrap_or(text).to_vec()
    })
}

#[test]
fn as_openssl_prints_them() {
    let mut compared = 0;
    for file in certificates() {
        let Some(forms) = forms(&file) else { continue };
        for party in ["subject", "issuer"] {
            for (form, nameopt) in [
                ("nginx", "RFC2253"),
                ("nginx_legacy", "compat"),
                ("openssl_oneline", "oneline"),
                ("openssl_utf8", "RFC2253,-esc_msb"),
            ] {
                let Some(expected) = openssl(&file, party, nameopt) else { continue };
                let ours = forms[party][form].as_str().unwrap();
                assert_eq!(ours.as_bytes(), expected, "{} {form} {ours}", file.display());
                compared += 1;
            }
            let Some(lines) = openssl(&file, party, "esc_2253,esc_ctrl,utf8,sep_multiline,sname") else { continue };
            let lines = String::from_utf8(lines).unwrap();
            let lines: Vec<&str> = lines.lines().skip(1).map(|line| line.strip_prefix("    ").unwrap()).collect();
            assert_eq!(forms[party]["auth0"], lines.join("\n"), "{}", file.display());
        }
    }
    assert!(compared > 160, "{compared}");
}

const JAVA: &str = r#"
import java.io.*;
import java.nio.charset.StandardCharsets;
import java.security.cert.*;

public class Dn {
    public static void main(String[] files) throws Exception {
        PrintStream out = new PrintStream(System.out, true, "UTF-8");
        for (String file : files) {
            try (InputStream in = new FileInputStream(file)) {
                X509Certificate one = (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
                String name = one.getSubjectX500Principal().getName();
                StringBuilder hex = new StringBuilder();
                for (byte octet : name.getBytes(StandardCharsets.UTF_8)) hex.append(String.format("%02x", octet));
                out.println(file + "\t" + hex);
            } catch (CertificateException | IllegalArgumentException refused) {
                continue;
            }
        }
    }
}
"#;

#[test]
fn as_java_prints_them() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("Dn.java");
    std::fs::write(&source, JAVA).unwrap();
    let files = certificates();
    let ran = Command::new("java").arg(&source).args(&files).stderr(Stdio::piped()).output();
    let Some(ran) = ran.ok().filter(|ran| ran.status.success()) else {
        eprintln!("not compared: no JDK");
        return;
    };
    let mut compared = 0;
    for line in String::from_utf8(ran.stdout).unwrap().lines() {
        let (file, digits) = line.split_once('\t').unwrap();
        // Java shows an empty relative distinguished name, which is illegal, as nothing between two commas.
        if file.ends_with("mv_empty_set.pem") {
            continue;
        }
        let Some(forms) = forms(Path::new(file)) else { continue };
        let java = String::from_utf8(hex::decode(digits).unwrap()).unwrap();
        assert_eq!(forms["subject"]["java"], java, "{file}");
        compared += 1;
    }
    assert!(compared > 20, "{compared}");
}

#[test]
fn the_forms_of_open_finance() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/nginx-vars/pem/obb_transport.pem");
    let forms = &forms(&file).unwrap()["subject"];
    let brazil = forms["open_finance_brasil"].as_str().unwrap();
    assert_eq!(forms["rfc4514"], brazil);
    for part in ["2.5.4.97=#0c", "2.5.4.5=#", "1.3.6.1.4.1.311.60.2.1.3=#", "2.5.4.15=#"] {
        assert!(brazil.contains(part), "{brazil}");
    }
    assert!(!brazil.contains("OID.") && !brazil.contains(", ") && !brazil.contains("organizationIdentifier"), "{brazil}");
    assert!(forms["auth0"].as_str().unwrap().starts_with("C=BR\n") || forms["auth0"].as_str().unwrap().contains("\nC=BR"));
}

#[test]
fn a_table_for_people() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/nginx-vars/pem/obb_transport.pem");
    let output = dn(&[file.to_str().unwrap()]);
    let text = String::from_utf8(output.stdout).unwrap();
    let words = ["nginx", "nginx_legacy", "rfc4514", "open_finance_brasil", "auth0", "java", "openssl_oneline", "openssl_utf8"];
    assert_eq!(text.lines().count(), 2 * (1 + words.len()), "{text}");
    for word in words {
        assert_eq!(text.lines().filter(|line| line.trim_start().starts_with(&format!("{word} "))).count(), 2, "{word}\n{text}");
    }
    // The same from standard input.
    let piped = Command::new(env!("CARGO_BIN_EXE_vestibule"))
        .args(["dn", "-"])
        .stdin(std::fs::File::open(&file).unwrap())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(piped.stdout).unwrap(), text);
}

#[test]
fn what_is_no_certificate() {
    let folder = tempfile::tempdir().unwrap();
    for content in [&b""[..], b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", b"\x30\x80", &[0; 4096]] {
        let file = folder.path().join("x.pem");
        std::fs::write(&file, content).unwrap();
        let output = dn(&[file.to_str().unwrap()]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{said}");
        assert!(said.starts_with("vestibule: cannot read a certificate from"), "{said}");
    }
    assert_eq!(dn(&["/none"]).status.code(), Some(1));
    assert_eq!(dn(&[]).status.code(), Some(64));
}
