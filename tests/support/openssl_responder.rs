//! Purpose: runs a real OCSP responder, `openssl ocsp -port`, and ends it with the test.
#![allow(dead_code, reason = "every test crate that includes this file uses a part of it")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use openssl::pkey::{PKey, Private};
use openssl::x509::{X509, X509Ref};
use tempfile::TempDir;

use crate::ports::free_port;

/// A running responder: one process, killed when dropped.
pub(crate) struct OpensslResponder {
    child: Child,
    port: u16,
    _folder: TempDir,
}

impl OpensslResponder {
    /// Starts a responder for the certificates of one CA: good ones and revoked ones, every other one is unknown to it. It signs
    /// as `signer`, for a day.
    pub(crate) fn start(ca: &X509Ref, signer: &X509, key: &PKey<Private>, good: &[&X509], revoked: &[&X509]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, octets: &[u8]| std::fs::write(folder.path().join(name), octets).unwrap();
        write("ca.pem", &ca.to_pem().unwrap());
        write("signer.pem", &signer.to_pem().unwrap());
        write("key.pem", &key.private_key_to_pem_pkcs8().unwrap());
        let row = |certificate: &X509, start: &str| {
            let serial = certificate.serial_number().to_bn().unwrap().to_hex_str().unwrap().to_string();
            format!("{start}\t{serial}\tunknown\t/CN=x\n")
        };
        let good = good.iter().map(|certificate| row(certificate, "V\t491231235959Z\t"));
        let revoked = revoked.iter().map(|certificate| row(certificate, "R\t491231235959Z\t250101000000Z,keyCompromise"));
        write("index.txt", good.chain(revoked).collect::<String>().as_bytes());
        for _ in 0..5 {
            let port = free_port();
            let mut child = spawn(folder.path(), port);
            if listens(&mut child, port) {
                return Self { child, port, _folder: folder };
            }
        }
        panic!("no free port after five tries");
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}

impl Drop for OpensslResponder {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(folder: &Path, port: u16) -> Child {
    let files = ["-index", "index.txt", "-CA", "ca.pem", "-rsigner", "signer.pem", "-rkey", "key.pem"];
    Command::new("openssl")
        .args(["ocsp", "-ignore_err", "-ndays", "1", "-port", &port.to_string()])
        .args(files)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// A connection without a request would keep the responder for ever: it serves one after the other.
fn answers(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect_timeout(&([127, 0, 0, 1], port).into(), Duration::from_secs(1)) else {
        return false;
    };
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let asked = stream.write_all(b"GET / HTTP/1.0\r\n\r\n");
    asked.and_then(|()| stream.read_to_end(&mut Vec::new())).is_ok()
}

fn listens(child: &mut Child, port: u16) -> bool {
    let patience = Instant::now() + Duration::from_secs(20);
    while !answers(port) {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        assert!(Instant::now() < patience, "openssl ocsp does not listen on {port}");
        std::thread::sleep(Duration::from_millis(20));
    }
    true
}
