//! Purpose: answers made by `openssl ocsp` over the database of a CA (`index.txt`), dated by the machine's clock.
#![allow(dead_code, unreachable_pub, reason = "every test crate that includes this file uses a part of it")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot make its answer has failed")]

use std::process::{Command, Stdio};

use openssl::pkey::{PKey, Private};
use openssl::x509::X509;

/// What a CA knows about one of its certificates.
pub enum Entry<'a> {
    /// Valid.
    Valid(u32),
    /// Revoked, with the reason as `openssl ca` writes it.
    Revoked(u32, &'a str),
}

/// Answers a request.
pub fn answer(
    ca: &X509,
    database: &[Entry<'_>],
    signer: (&X509, &PKey<Private>),
    request: &[u8],
    arguments: &[&str],
) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &[u8]| std::fs::write(folder.path().join(name), content).unwrap();
    let line = |entry: &Entry<'_>| match entry {
        Entry::Valid(serial) => format!("V\t491231235959Z\t\t{serial:08X}\tunknown\t/CN=client\n"),
        Entry::Revoked(serial, reason) => {
            format!("R\t491231235959Z\t260101000000Z{reason}\t{serial:08X}\tunknown\t/CN=client\n")
        }
    };
    write("index.txt", database.iter().map(line).collect::<String>().replace("\t0000", "\t").as_bytes());
    write("ca.pem", &ca.to_pem().unwrap());
    write("signer.pem", &signer.0.to_pem().unwrap());
    write("key.pem", &signer.1.private_key_to_pem_pkcs8().unwrap());
    write("request.der", request);
    let files = ["-index", "index.txt", "-CA", "ca.pem", "-rsigner", "signer.pem", "-rkey", "key.pem"];
    let output = Command::new("openssl")
        .arg("ocsp")
        .args(files)
        .args(["-reqin", "request.der", "-respout", "response.der"])
        .args(arguments)
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    std::fs::read(folder.path().join("response.der")).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}
