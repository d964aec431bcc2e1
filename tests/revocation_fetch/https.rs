//! Lists over https: from a real nginx, straight and through a proxy; whose certificate nobody vouches for is not heard.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;

use crate::bank::{Bank, leaf, now, pem, person_of};
use crate::nginx::{Nginx, free_port};
use crate::pki::{Ca, DAY, Dates, Leaf, new_key};
use crate::recording_upstream::RecordingUpstream;
use crate::revocation_server::{Behaviour, RevocationServer};
use crate::set_up::{QUICK, fetches, files, list, naming, outcome};
use crate::vestibule_program::Vestibule;

const ROOT: &str = "crl = [\"crl/root.pem\"]\n";
const NAMED: &str = "https://crl.ca.example/list.crl";

/// A web server with a certificate of a CA that only this test knows, and a list on which 8001 stands.
struct Inside {
    ca: Ca,
    port: u16,
    _nginx: Nginx,
    _folder: TempDir,
}

fn inside() -> Inside {
    let ca = Ca::self_signed("Inside", new_key(), Dates(now() - DAY, now() + DAY));
    let names = vec!["localhost".into(), "crl.ca.example".into()];
    let server = person_of(&ca, &Leaf { client_auth: false, dns: names, ..leaf("server") });
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, octets: &[u8]| std::fs::write(folder.path().join(name), octets).unwrap();
    write("server.pem", pem(&server.certificate).as_bytes());
    write("server.key", &server.key.private_key_to_pem_pkcs8().unwrap());
    write("list.crl", &list(&[8001]));
    let port = free_port();
    let text = format!(
        "server {{\nlisten 127.0.0.1:{port} ssl;\nssl_certificate server.pem;\nssl_certificate_key server.key;\nroot {};\n}}",
        folder.path().display()
    );
    Inside { ca, port, _nginx: Nginx::start(&text, folder.path()), _folder: folder }
}

/// A program that knows the CA of the server, or not.
fn open(lines: &str, settings: &str, ca: Option<&Ca>) -> Bank {
    let upstream = RecordingUpstream::start();
    let settings = format!("{QUICK}{settings}{}", if ca.is_some() { "ca_file = \"inside.pem\"\n" } else { "" });
    let mut files = files(&format!("{ROOT}{lines}"), &settings, &upstream);
    files.extend(ca.map(|ca| ("inside.pem".into(), pem(&ca.certificate))));
    Bank { vestibule: Vestibule::start(&files), upstream }
}

#[test]
fn only_whom_a_ca_vouches_for_is_heard() {
    let inside = inside();
    let (good, bad) = (naming("client", 8000, None, None), naming("client", 8001, None, None));
    let of = |host: &str| format!("crl_urls = [\"https://{host}:{}/list.crl\"]", inside.port);
    let bank = open(&of("localhost"), "", Some(&inside.ca));
    assert_eq!(outcome(&bank, "/strict/", &good), "passed", "{}", bank.vestibule.diagnostics());
    assert_eq!(outcome(&bank, "/strict/", &bad), "certificate_revoked");
    // The same server: its CA is unknown, or it has another name.
    for (host, ca) in [("localhost", None), ("127.0.0.1", Some(&inside.ca))] {
        let bank = open(&of(host), "", ca);
        assert_eq!(outcome(&bank, "/strict/", &good), "revocation_unknown", "{host}");
        assert!(fetches(&bank, "crl", "connection") >= 1 && fetches(&bank, "crl", "ok") == 0, "{host}");
        let said = bank.vestibule.diagnostics();
        assert!(said.contains("certificate verify failed") && said.contains("`ca_file` of [revocation]"), "{said}");
    }
}

#[test]
fn a_ca_file_without_a_certificate_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (text, found) in [("", "`ca.pem` "), ("-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n", "`ca.pem` ")] {
        std::fs::write(folder.path().join("ca.pem"), text).unwrap();
        std::fs::write(
            folder.path().join("vestibule.toml"),
            "[server]\nlisten = [\"127.0.0.1:0\"]\n[revocation]\nca_file = \"ca.pem\"\n",
        )
        .unwrap();
        let ran = std::process::Command::new(env!("CARGO_BIN_EXE_vestibule"))
            .args(["check", "--config"])
            .arg(folder.path())
            .output()
            .unwrap();
        let said = String::from_utf8(ran.stderr).unwrap();
        assert_eq!(ran.status.code(), Some(64));
        assert!(said.contains("`revocation.ca_file`: ") && said.contains(found), "{said}");
    }
}

/// A proxy that knows CONNECT, and leads to this port whatever it is asked for.
fn tunnel(to: u16) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port());
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let lines = Arc::clone(&asked);
    std::thread::spawn(move || {
        for mut client in listener.incoming().map_while(Result::ok) {
            let mut head = Vec::new();
            let mut octet = [0];
            while !head.ends_with(b"\r\n\r\n") && client.read(&mut octet).is_ok_and(|count| count == 1) {
                head.extend(octet);
            }
            lines.lock().unwrap().push(String::from_utf8_lossy(&head).lines().next().unwrap_or_default().to_owned());
            let Ok(server) = TcpStream::connect(("127.0.0.1", to)) else { continue };
            let _ = client.write_all(b"HTTP/1.1 200 Connected\r\n\r\n");
            for (mut from, mut to) in
                [(&client, &server), (&server, &client)].map(|(a, b)| (a.try_clone().unwrap(), b.try_clone().unwrap()))
            {
                std::thread::spawn(move || {
                    let _ = std::io::copy(&mut from, &mut to);
                    let _ = to.shutdown(std::net::Shutdown::Write);
                });
            }
        }
    });
    (url, asked)
}

#[test]
fn through_the_proxy_for_https() {
    let inside = inside();
    let lines = "revocation_hosts = [\"*.ca.example\"]";
    let (proxy, asked) = tunnel(inside.port);
    let other = RevocationServer::start();
    let proxies = format!("http_proxy = \"{}\"\nhttps_proxy = \"{proxy}\"\n", other.url(""));
    let bank = open(lines, &proxies, Some(&inside.ca));
    assert_eq!(outcome(&bank, "/strict/", &naming("client", 8000, Some(NAMED), None)), "passed");
    assert_eq!(outcome(&bank, "/strict/", &naming("client", 8001, Some(NAMED), None)), "certificate_revoked");
    assert_eq!(*asked.lock().unwrap(), ["CONNECT crl.ca.example:443 HTTP/1.1"]);
    assert_eq!(other.hits(), 0, "the proxy for http was asked for https");
    // From http to its https, which is the one redirect that changes the scheme.
    other.set("/list.crl", Behaviour::Redirect(301, NAMED.into()));
    let bank = open(lines, &proxies, Some(&inside.ca));
    let plain = NAMED.replace("https", "http");
    assert_eq!(outcome(&bank, "/strict/", &naming("client", 8000, Some(&plain), None)), "passed");
    assert_eq!((other.hits(), asked.lock().unwrap().len()), (1, 2));
    // The proxy is no way around the server's certificate.
    let bank = open(lines, &proxies, None);
    assert_eq!(outcome(&bank, "/strict/", &naming("client", 8000, Some(NAMED), None)), "revocation_unknown");
    // Nor is it one into the private network.
    let named = format!("https://127.0.0.1:{}/list.crl", inside.port);
    let lines = format!("revocation_hosts = [\"127.0.0.1:{}\"]", inside.port);
    let bank = open(&lines, &proxies, Some(&inside.ca));
    let before = asked.lock().unwrap().len();
    assert_eq!(outcome(&bank, "/strict/", &naming("client", 8000, Some(&named), None)), "revocation_unknown");
    assert_eq!(asked.lock().unwrap().len(), before);
}
