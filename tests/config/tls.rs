//! `[server.tls]`, front doors of format `tls`, and the proof `mutual_tls`.

use std::os::unix::fs::PermissionsExt;

use crate::edge_config::{Folder, vestibule};
use crate::pki::{DAY, Dates, Leaf, NOW, new_key};
use crate::{TENANT, accepted, refused, refused_alone};

const PIN: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const TLS: &str = "[server.tls]\nlisten = [\"127.0.0.1:18443\"]\nhandshake_timeout = \"5s\"\nmax_handshakes = 64\n\
                   certificates = [{ certificate = \"tls/server.pem\", key = \"tls/server.key\" }]\n[admin]\n";
const OWN: &str = "format = \"tls\"\nrequest_client_certificate = \"always\"\nsend_ca_dn = true\n";

/// A folder with a TLS listener and its certificate.
fn with_listener() -> Folder {
    let folder = Folder::good();
    let key = new_key();
    let dns = vec!["api.example".to_owned(), "mtls.api.example".to_owned()];
    let dates = Dates(NOW.0 - DAY, NOW.0 + 7_000 * DAY);
    let server = folder.issuing.issue_for(&Leaf { client_auth: false, dns, dates, ..Leaf::named("server") }, &key);
    folder.write_bytes("tls/server.pem", &server.to_pem().unwrap());
    write_key(&folder, "tls/server.key", &key.private_key_to_pem_pkcs8().unwrap());
    folder.edit("vestibule.toml", "[admin]\n", TLS);
    folder
}

fn write_key(folder: &Folder, file: &str, pem: &[u8]) {
    folder.write_bytes(file, pem);
    std::fs::set_permissions(folder.path(file), std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// The tenant's front door becomes ourselves.
fn own() -> Folder {
    let folder = with_listener();
    let text = folder.read(TENANT);
    let (before, rest) = text.split_once("format = \"nginx\"\n").unwrap();
    let (_, after) = rest.split_once("[trusted_ca.clients]\n").unwrap();
    let before: String = before
        .lines()
        .filter(|line| !line.starts_with("cname_api_keys") && !line.starts_with("custom_client_ip_header"))
        .map(|line| format!("{line}\n"))
        .collect();
    folder.write(TENANT, &format!("{before}{OWN}[trusted_ca.clients]\n{after}"));
    folder
}

/// The tenant's front door shows a certificate.
fn mutual(lines: &str) -> Folder {
    let folder = with_listener();
    let text: String = folder
        .read(TENANT)
        .lines()
        .filter(|line| !line.starts_with("cname_api_keys"))
        .map(|line| format!("{line}\n"))
        .collect();
    folder.write(TENANT, &text.replace("proofs = [\"api_key\"]\n", &format!("proofs = [\"mutual_tls\"]\n{lines}\n")));
    folder
}

#[test]
fn a_listener_and_both_uses_of_it_are_good() {
    for folder in [
        with_listener(),
        own(),
        mutual(&format!("mutual_tls_certificates = [\"{PIN}\", \"spki-{PIN}\"]")),
        mutual("mutual_tls_ca = \"clients\"\nmutual_tls_names = [\"edge.example\"]"),
    ] {
        accepted(&folder.check());
    }
    // Nothing else need listen.
    let folder = own();
    folder.edit("vestibule.toml", "listen = [\"127.0.0.1:18080\", \"unix:/tmp/vestibule.sock\"]\n", "");
    accepted(&folder.check());
}

#[test]
fn wrong_values_of_the_listener_are_named() {
    for (from, to, expected) in [
        ("listen = [\"127.0.0.1:18443\"]\n", "", &["server.tls.listen", "is missing"][..]),
        ("listen = [\"127.0.0.1:18443\"]", "listen = [\"8443\"]", &["server.tls.listen", "found `8443`", "address:port"]),
        ("listen = [\"127.0.0.1:18443\"]", "listen = [\"unix:/x\"]", &["server.tls.listen", "address:port"]),
        ("handshake_timeout = \"5s\"", "handshake_timeout = \"0s\"", &["server.tls.handshake_timeout", "no time at all"]),
        ("max_handshakes = 64", "max_handshakes = 0", &["server.tls.max_handshakes", "from 1 to 100000"]),
        ("max_handshakes = 64", "max_handshake = 64", &["server.tls.max_handshake", "is no key"]),
        ("[{ certificate = \"tls/server.pem\", key = \"tls/server.key\" }]", "[]", &["server.tls.certificates", "is missing"]),
        ("tls/server.pem", "tls/none.pem", &["certificates[0].certificate", "cannot be read"]),
        ("tls/server.key", "tls/none.key", &["certificates[0].key", "cannot be read"]),
        (", key = \"tls/server.key\"", "", &["certificates[0].key", "is missing"]),
        ("tls/server.key", "tls/server.pem", &["certificates[0].key", "holds no private key"]),
        ("tls/server.pem", "tls/server.key", &["certificates[0].certificate", "no `CERTIFICATE` block"]),
        ("tls/server.pem", "trusted-ca/issuing.pem", &["certificates[0].certificate", "names no host"]),
    ] {
        let folder = with_listener();
        folder.edit("vestibule.toml", from, to);
        refused_alone(&folder.check(), expected);
    }
}

#[test]
fn keys_are_told_apart_and_never_shown() {
    let folder = with_listener();
    let key = new_key();
    let other = key.private_key_to_pem_pkcs8().unwrap();
    let encrypted = key.private_key_to_pem_pkcs8_passphrase(openssl::symm::Cipher::aes_128_cbc(), b"secret").unwrap();
    let twice = [folder.read("tls/server.key").into_bytes(), other.clone()].concat();
    for (bytes, expected) in [
        (other, "is not the key of the certificate"),
        (encrypted, "is encrypted"),
        (twice, "holds more than one private key"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n".to_vec(), "is no key that a server can use"),
        (b"no key".to_vec(), "holds no private key"),
    ] {
        write_key(&folder, "tls/server.key", &bytes);
        let ran = folder.check();
        refused_alone(&ran, &["server.tls.certificates[0].key", expected]);
        let body = String::from_utf8_lossy(&bytes).lines().nth(1).unwrap_or("no-second-line").to_owned();
        assert!(!ran.stderr.contains(&body), "{}", ran.stderr);
    }
}

#[test]
fn a_key_that_everybody_may_read_is_warned_of() {
    let folder = with_listener();
    std::fs::set_permissions(folder.path("tls/server.key"), std::fs::Permissions::from_mode(0o644)).unwrap();
    let ran = folder.check();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("`tls/server.key` holds a private key, and everybody"), "{}", ran.stderr);
}

#[test]
fn every_kind_of_key_file_is_read() {
    let folder = with_listener();
    let key = openssl::pkey::PKey::private_key_from_pem(folder.read("tls/server.key").as_bytes()).unwrap();
    write_key(&folder, "tls/server.key", &key.ec_key().unwrap().private_key_to_pem().unwrap());
    assert!(folder.read("tls/server.key").contains("EC PRIVATE KEY"));
    accepted(&folder.check());
    let rsa = openssl::rsa::Rsa::generate(2048).unwrap();
    let key = openssl::pkey::PKey::from_rsa(rsa.clone()).unwrap();
    let leaf = Leaf { client_auth: false, dns: vec!["api.example".into()], ..Leaf::named("server") };
    folder.write_bytes("tls/server.pem", &folder.issuing.issue_for(&leaf, &key).to_pem().unwrap());
    write_key(&folder, "tls/server.key", &rsa.private_key_to_pem().unwrap());
    assert!(folder.read("tls/server.key").contains("RSA PRIVATE KEY"));
    accepted(&folder.check());
}

#[test]
fn a_front_door_of_our_own_takes_nothing_that_is_forwarded() {
    for (from, to, expected) in [
        ("send_ca_dn = true", "send_ca_dn = \"yes\"", &["send_ca_dn", "true or false"][..]),
        ("\"always\"", "\"sometimes\"", &["request_client_certificate", "always, mtls_alias, never"]),
        ("enable_mtls_endpoint_aliases = true", "enable_mtls_endpoint_aliases = false", &["no aliases"]),
        ("send_ca_dn = true", "proofs = [\"api_key\"]", &["front_doors[0].proofs", "the handshake is the proof"]),
        ("send_ca_dn = true", "forwarded_verdict = \"narrow\"", &["forwarded_verdict", "is no key"]),
        ("send_ca_dn = true", "certificate_header_max = \"1KiB\"", &["certificate_header_max", "is no key"]),
        (
            "front_door = \"nginx\"",
            "custom_client_ip_header = \"true-client-ip\"",
            &["custom_client_ip_header", "has no effect"],
        ),
        ("front_door = \"nginx\"", "cname_api_keys = []", &["cname_api_keys", "has no effect"]),
        ("name = \"api.example\"", "name = \"other.example\"", &["server.tls.certificates", "none is for `other.example`"]),
    ] {
        let folder = own();
        if expected == ["no aliases"] {
            folder.edit(TENANT, "\"always\"", "\"mtls_alias\"");
        }
        folder.edit(TENANT, from, to);
        refused(&folder.check(), expected);
    }
}

#[test]
fn without_a_listener_neither_use_is_possible() {
    for folder in [own(), mutual(&format!("mutual_tls_certificates = [\"{PIN}\"]"))] {
        folder.edit("vestibule.toml", TLS, "[admin]\n");
        refused_alone(&folder.check(), &["server.tls", "is missing"]);
    }
}

#[test]
fn a_front_door_with_a_certificate_says_which() {
    for (lines, expected) in [
        ("", &["mutual_tls_certificates", "is missing: every certificate would be this front door's"][..]),
        ("mutual_tls_certificates = []", &["mutual_tls_certificates", "is missing"]),
        ("mutual_tls_certificates = [\"sha256:00\"]", &["mutual_tls_certificates", "found `sha256:00`", "vestibule inspect"]),
        ("mutual_tls_certificates = [\"issuer-serial:01 CN=x\"]", &["mutual_tls_certificates", "spki-sha256:HEX"]),
        ("mutual_tls_ca = \"clients\"", &["mutual_tls_names", "is missing: every certificate of that CA"]),
        ("mutual_tls_ca = \"others\"\nmutual_tls_names = [\"a.example\"]", &["mutual_tls_ca", "no set `others`", "clients"]),
        ("mutual_tls_names = [\"a.example\"]", &["mutual_tls_names", "has no effect without `mutual_tls_ca`"]),
    ] {
        refused(&mutual(lines).check(), expected);
    }
    let folder = Folder::good();
    folder.edit(TENANT, "proofs = [\"api_key\"]", &format!("proofs = [\"api_key\"]\nmutual_tls_certificates = [\"{PIN}\"]"));
    refused_alone(&folder.check(), &["mutual_tls_certificates", "has no effect", "\"mutual_tls\" among `proofs`"]);
}

#[test]
fn explain_takes_a_handshake_from_files() {
    let folder = own();
    let key = new_key();
    let client = folder.issuing.issue_for(&Leaf::named("somebody"), &key);
    folder.write_bytes("client.pem", &client.to_pem().unwrap());
    let certificate = folder.path("client.pem").display().to_string();
    let head = b"GET / HTTP/1.1\r\nHost: api.example\r\n\r\n";
    let explain = |more: &[&str]| {
        let arguments = [&["explain", "--at", crate::edge_config::AT][..], more].concat();
        folder.run(&arguments, &[], head).stdout
    };
    let said = explain(&["--sni", "api.example", "--client-certificate", &certificate]);
    assert!(said.contains("presented      CN=somebody") && said.contains("verify         SUCCESS"), "{said}");
    assert!(explain(&["--sni", "api.example"]).contains("presented      no certificate"));
    assert!(explain(&["--sni", "mtls.api.example"]).contains("refuse: 421 sni_mismatch"));
    assert!(explain(&[]).contains("refuse: 421 sni_mismatch"));
    let mut alone = vestibule();
    alone.args(["explain", "--client-certificate", &certificate]);
    assert_eq!(crate::edge_config::run(&mut alone, head).code, 64);
}
