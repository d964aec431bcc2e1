//! Every recorded request, whatever the front door was configured to do and whatever the client tried: read as its front door's
//! format, it gives the certificate that the client used, or nobody, or a refusal.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::captures::{APACHE, APACHE_DOOR, CADDY, CADDY_DOOR, ENVOY, HAPROXY, HAPROXY_DOOR, NGINX, NGINX_DOOR};
use super::{fingerprint, open_for_recorded};
use crate::bank::{Bank, CLIENT, DOMAIN, KEY};

fn doors() -> BTreeMap<&'static str, Bank> {
    let apache =
        APACHE_DOOR.replace("FORMAT", "apache").replace("CERTIFICATE", "x-client-cert").replace("CHAIN", "x-client-chain-");
    let doors = [
        ("nginx", NGINX_DOOR.replace("SUBJECT", "x-client-s-dn")),
        ("haproxy", HAPROXY_DOOR.replace("SUBJECT", "x-client-s-dn")),
        ("apache", apache),
        ("caddy", CADDY_DOOR.to_owned()),
        ("envoy", "format = \"envoy-xfcc\"".to_owned()),
    ];
    let wide = |door: String| open_for_recorded(&format!("certificate_header_max = \"64KiB\"\n{}", door.trim_start()));
    doors.into_iter().map(|(kind, door)| (kind, wide(door))).collect()
}

/// The request with our names, and as if the front door had added its key.
fn request(recorded: &str) -> Vec<u8> {
    // A code point for each byte.
    let bytes: Vec<u8> = recorded.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    let start = format!("GET /permissive/ HTTP/1.1\r\nhost: {DOMAIN}\r\ncname-api-key: {KEY}\r\nx-forwarded-for: {CLIENT}\r\n");
    let mut request = start.into_bytes();
    let mut rest = bytes.as_slice();
    let mut first = true;
    while let Some(at) = rest.windows(2).position(|two| two == b"\r\n").filter(|at| *at > 0) {
        let line = &rest[..at];
        rest = &rest[at + 2..];
        let lower = line.to_ascii_lowercase();
        let dropped =
            [&b"host:"[..], b"cname-api-key:", b"connection:", b"x-forwarded-for:", b"transfer-encoding:", b"content-length:"];
        if !std::mem::take(&mut first) && !dropped.iter().any(|name| lower.starts_with(name)) {
            request.extend_from_slice(line);
            request.extend_from_slice(b"\r\n");
        }
    }
    request.extend_from_slice(b"\r\n");
    request
}

/// How many were read as the client's, as nobody, and refused.
fn replay(doors: &BTreeMap<&str, Bank>, text: &str) -> [usize; 3] {
    let index: Value = serde_json::from_str(include_str!("../../vectors/front-doors/pem-index.json")).unwrap();
    let file: Value = serde_json::from_str(text).unwrap();
    let mut ends = [0; 3];
    for vector in file["vectors"].as_array().unwrap() {
        let id = vector["id"].as_str().unwrap();
        let Some(recorded) = vector["forwarded_latin1"].as_str() else { continue };
        let (_, bank) = doors.iter().find(|(kind, _)| id.starts_with(**kind)).unwrap_or_else(|| panic!("no door for {id}"));
        let client = vector["client_cert"].as_str().map(|name| format!("{}.pem", name.trim_end_matches("-nochain")));
        let own = client.map(|file| index["files"][file]["sha256"].as_str().unwrap().to_owned());
        let answer = bank.vestibule.ask(request(recorded));
        let received = bank.upstream.take();
        let read = answer.header("x-request-id").and_then(|_| fingerprint(bank, &answer));
        assert!(read.is_none() || read == own, "{id}: {read:?}");
        match (answer.status, received.as_slice()) {
            (200, [received]) => {
                let nobody = received.header("ssl-client-verify") == "NONE";
                assert_eq!(nobody, read.is_none(), "{id}: {received:?}");
                assert!(nobody || own.is_some(), "{id}");
                let name = received.header("x-client-cn");
                assert!(!name.contains("SPOOF") && (!nobody || name.is_empty()), "{id}: {received:?}");
                ends[usize::from(nobody)] += 1;
            }
            (400..=499, []) => ends[2] += 1,
            other => panic!("{id}: {other:?}"),
        }
    }
    ends
}

#[test]
fn every_recorded_request_gives_its_own_client_or_nobody() {
    let doors = doors();
    let mut all = [0; 3];
    for text in [NGINX, HAPROXY, APACHE, CADDY, ENVOY] {
        for (sum, one) in all.iter_mut().zip(replay(&doors, text)) {
            *sum += one;
        }
    }
    let [own, nobody, refused] = all;
    assert!(own > 40 && nobody > 5 && refused > 0, "{all:?}");
    assert_eq!(own + nobody + refused, 86, "each capture that has a request was replayed");
}

/// Those that are not copied here: what clients tried against the same front doors, their certificates cut short.
#[test]
#[expect(clippy::print_stdout, reason = "says why it did not run")]
fn recorded_attempts_make_nobody() {
    let folder = std::env::var_os("VESTIBULE_VECTORS").map(PathBuf::from);
    let folder = folder.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors")).join("front-doors");
    if !folder.join("spoof-http1.json").exists() {
        println!("not run: the recorded attempts are not in {}", folder.display());
        return;
    }
    let doors = doors();
    for (file, expected) in [("spoof-http1.json", 337), ("spoof-mitigations.json", 53)] {
        let text = std::fs::read_to_string(folder.join(file)).unwrap();
        let [own, nobody, refused] = replay(&doors, &text);
        assert_eq!(own + nobody + refused, expected, "{file}");
        assert!(refused > 0 && nobody > 0, "{file}: {own} {nobody} {refused}");
    }
    // The copies here are whole and unchanged.
    for (file, copy) in [("nginx", NGINX), ("haproxy", HAPROXY), ("apache", APACHE), ("caddy", CADDY), ("envoy", ENVOY)] {
        let path = folder.join("requests").join(format!("{file}.json"));
        assert!(std::fs::read_to_string(path).unwrap() == copy, "{file}");
    }
    let here = std::fs::read_dir(folder.join("requests")).unwrap().count();
    assert_eq!(here, 5, "a file of requests that is not replayed");
}
