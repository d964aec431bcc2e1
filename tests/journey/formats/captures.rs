//! Recorded requests of nginx, HAProxy, Apache, Caddy and Envoy, sent again byte for byte.

use serde_json::Value;

use super::{fingerprint, open_for_recorded};
use crate::bank::{Bank, CLIENT, DOMAIN, KEY};

pub(super) const NGINX: &str = include_str!("../../vectors/front-doors/requests/nginx.json");
pub(super) const HAPROXY: &str = include_str!("../../vectors/front-doors/requests/haproxy.json");
pub(super) const APACHE: &str = include_str!("../../vectors/front-doors/requests/apache.json");
pub(super) const CADDY: &str = include_str!("../../vectors/front-doors/requests/caddy.json");
pub(super) const ENVOY: &str = include_str!("../../vectors/front-doors/requests/envoy.json");

/// One recorded request.
struct Recorded {
    id: String,
    /// The client's certificate, by its file; none without one.
    client: Option<String>,
    lines: Vec<(String, Vec<u8>)>,
}

/// Those whose id starts so, of those that the front door forwarded.
fn recorded(file: &str, starts: &str) -> Vec<Recorded> {
    let file: Value = serde_json::from_str(file).unwrap();
    let vectors = file["vectors"].as_array().unwrap().iter();
    let wanted = vectors.filter(|vector| vector["id"].as_str().unwrap().starts_with(starts));
    let found: Vec<Recorded> = wanted
        .filter_map(|vector| {
            // A code point for each byte.
            let bytes: Vec<u8> =
                vector["forwarded_latin1"].as_str()?.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
            let client = vector["client_cert"].as_str();
            Some(Recorded {
                id: vector["id"].as_str().unwrap().to_owned(),
                client: client.map(|name| format!("{}.pem", name.trim_end_matches("-nochain"))),
                lines: lines(&bytes),
            })
        })
        .collect();
    assert!(!found.is_empty(), "{starts}");
    found
}

/// Header lines, except those that say where a request goes and who asks.
fn lines(request: &[u8]) -> Vec<(String, Vec<u8>)> {
    let text = String::from_utf8_lossy(request).into_owned();
    let end = text.find("\r\n\r\n").unwrap();
    assert!(end > 0);
    let mut lines = Vec::new();
    let mut rest = request;
    while let Some(at) = rest.windows(2).position(|two| two == b"\r\n") {
        let (line, after) = rest.split_at(at);
        rest = &after[2..];
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let name = String::from_utf8(line[..colon].to_vec()).unwrap();
        let dropped = ["host", "connection", "cname-api-key", "accept-encoding"];
        let lower = name.to_lowercase();
        if !lower.starts_with("get ") && !lower.starts_with("x-forwarded-f") && !dropped.contains(&lower.as_str()) {
            lines.push((name, line[colon + 1..].trim_ascii().to_vec()));
        }
    }
    lines
}

impl Recorded {
    fn request(&self, path: &str) -> Vec<u8> {
        let mut request =
            format!("GET {path} HTTP/1.1\r\nhost: {DOMAIN}\r\ncname-api-key: {KEY}\r\nx-forwarded-for: {CLIENT}\r\n")
                .into_bytes();
        for (name, value) in &self.lines {
            request.extend_from_slice(format!("{name}: ").as_bytes());
            request.extend_from_slice(value);
            request.extend_from_slice(b"\r\n");
        }
        request.extend_from_slice(b"\r\n");
        request
    }

    fn value(&self, name: &str) -> Option<&[u8]> {
        self.lines.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_slice())
    }

    /// The SHA-256 of the certificate that the client really used.
    fn expected(&self) -> Option<String> {
        let index: Value = serde_json::from_str(include_str!("../../vectors/front-doors/pem-index.json")).unwrap();
        self.client.as_ref().map(|file| index["files"][file]["sha256"].as_str().unwrap().to_owned())
    }
}

/// Every request gives the certificate that the client used, or is refused as told.
fn all_read(bank: &Bank, requests: &[Recorded], refused: &[(&str, &str)]) {
    let mut met = 0;
    for recorded in requests {
        let answer = bank.vestibule.ask(recorded.request("/permissive/"));
        if let Some((_, code)) = refused.iter().find(|(id, _)| *id == recorded.id) {
            assert_eq!(bank.refused(&answer, 400), *code, "{}", recorded.id);
            met += 1;
            continue;
        }
        assert_eq!(answer.status, 200, "{}: {}", recorded.id, bank.vestibule.access_line(&answer));
        assert_eq!(fingerprint(bank, &answer), recorded.expected(), "{}", recorded.id);
        let received = bank.upstream.take_one();
        assert_eq!(received.header("ssl-client-verify") == "NONE", recorded.client.is_none(), "{}", recorded.id);
        let text = format!("{received:?}").to_lowercase();
        assert!(!text.contains("begin") && !text.contains("miic") && !text.contains("api-key"), "{}: {text}", recorded.id);
    }
    assert_eq!(met, refused.len());
}

/// The chain that came with the certificate is what it is judged by: there are no intermediates in the configuration.
fn valid_with_its_chain_only(bank: &Bank, requests: &[Recorded]) {
    let with = requests.iter().find(|recorded| recorded.id.ends_with("/valid")).unwrap();
    let answer = bank.vestibule.ask(with.request("/"));
    assert_eq!((answer.status, bank.upstream.take_one().header("ssl-client-verify")), (200, "SUCCESS"), "{}", with.id);
    for without in requests.iter().filter(|recorded| recorded.id.ends_with("/valid-nochain")) {
        let answer = bank.vestibule.ask(without.request("/"));
        assert_eq!(bank.refused(&answer, 401), "certificate_untrusted", "{}", without.id);
    }
}

/// With any of these fields taken from the other client's request, a request is refused.
fn each_field_counts(bank: &Bank, requests: &[Recorded], fields: &[&str]) {
    let of = |client: &str| requests.iter().find(|recorded| recorded.id.ends_with(&format!("/{client}"))).unwrap();
    let (one, other) = (of("valid"), of("selfsigned"));
    let nobody = requests.iter().find(|recorded| recorded.id.ends_with("/None"));
    for field in fields {
        let strange = other.value(field).unwrap_or_else(|| panic!("no {field}")).to_vec();
        if one.value(field) == Some(&strange[..]) {
            // Both were valid from the same second on.
            continue;
        }
        for victim in [Some(one), nobody].into_iter().flatten() {
            let mut changed = Recorded { id: String::new(), client: None, lines: victim.lines.clone() };
            changed.lines.retain(|(name, _)| !name.eq_ignore_ascii_case(field));
            changed.lines.push(((*field).to_owned(), strange.clone()));
            let code = bank.refused(&bank.vestibule.ask(changed.request("/permissive/")), 400);
            assert!(code == "forwarded_dn_mismatch" || code == "forwarded_field_mismatch", "{field}: {code}");
        }
    }
}

pub(super) const NGINX_DOOR: &str = r#"
format = "nginx"
[front_doors.headers]
client_certificate = "x-client-cert"
client_certificate_ca_verified = "x-client-verify"
ssl_client_s_dn = "SUBJECT"
ssl_client_i_dn = "x-client-i-dn"
ssl_client_serial = "x-client-serial"
ssl_client_fingerprint = "x-client-fingerprint"
ssl_client_v_start = "x-client-v-start"
ssl_client_v_end = "x-client-v-end"
"#;

#[test]
fn nginx() {
    for subject in ["x-client-s-dn", "x-client-s-dn-legacy"] {
        let bank = open_for_recorded(&NGINX_DOOR.replace("SUBJECT", subject));
        for family in ["nginx-optional_no_ca/", "nginx-njs/", "nginx-lua/", "nginx-errpage495/"] {
            all_read(&bank, &recorded(NGINX, family), &[]);
        }
        let fields = [subject, "x-client-i-dn", "x-client-serial", "x-client-fingerprint"];
        each_field_counts(&bank, &recorded(NGINX, "nginx-optional_no_ca/"), &fields);
        // A certificate of several lines is no header.
        for family in ["nginx-legacy-cert/", "nginx-raw-cert/"] {
            for recorded in recorded(NGINX, family) {
                assert_eq!(bank.vestibule.ask(recorded.request("/permissive/")).status, 400);
            }
        }
        assert_eq!(bank.upstream.take().len(), 0);
    }
}

pub(super) const HAPROXY_DOOR: &str = r#"
format = "haproxy"
[front_doors.headers]
client_certificate = "x-client-cert"
client_certificate_chain = "x-client-chain"
client_certificate_ca_verified = "x-client-verify"
client_certificate_presented = "x-client-used"
ssl_client_s_dn = "SUBJECT"
ssl_client_i_dn = "x-client-i-dn"
ssl_client_serial = "x-client-serial"
ssl_client_fingerprint = "x-client-sha1"
ssl_client_fingerprint_sha256 = "x-client-sha256"
ssl_client_v_start = "x-client-notbefore"
ssl_client_v_end = "x-client-notafter"
"#;

#[test]
fn haproxy() {
    let requests = recorded(HAPROXY, "haproxy-optional-ignore-err/");
    for subject in ["x-client-s-dn", "x-client-s-dn-rfc"] {
        let bank = open_for_recorded(&HAPROXY_DOOR.replace("SUBJECT", subject));
        // The certificate was too large for HAProxy's buffer: its header is empty.
        all_read(&bank, &requests, &[("haproxy-optional-ignore-err/long20k", "certificate_withheld")]);
        valid_with_its_chain_only(&bank, &requests);
        let fields = [subject, "x-client-i-dn", "x-client-serial", "x-client-sha1", "x-client-sha256"];
        each_field_counts(&bank, &requests, &fields);
    }
    // Where nothing tells a certificate that is too large from none, an empty header is refused.
    let bank = open_for_recorded("format = \"haproxy\"\n[front_doors.headers]\nclient_certificate = \"x-client-cert\"");
    all_read(&bank, &recorded(HAPROXY, "haproxy-hmac/"), &[("haproxy-hmac/None", "certificate_header_empty")]);
    let bank = open_for_recorded("format = \"rfc9440\"");
    all_read(&bank, &recorded(HAPROXY, "haproxy-rfc9440/"), &[("haproxy-rfc9440/long20k", "certificate_header_empty")]);
}

#[test]
fn haproxys_code_narrows_by_the_header_beside_it() {
    let door = HAPROXY_DOOR.replace("SUBJECT", "x-client-s-dn").replace("[front", "forwarded_verdict = \"require\"\n[front");
    let bank = open_for_recorded(&door);
    let requests = recorded(HAPROXY, "haproxy-optional-ignore-err/");
    valid_with_its_chain_only(&bank, &requests.into_iter().filter(|one| one.id.ends_with("/valid")).collect::<Vec<_>>());
    for recorded in recorded(HAPROXY, "haproxy-optional-ignore-err/expired") {
        let answer = bank.vestibule.ask(recorded.request("/grace/"));
        assert_eq!(bank.refused(&answer, 401), "forwarded_verdict_failed");
    }
}

pub(super) const APACHE_DOOR: &str = r#"
format = "FORMAT"
[front_doors.headers]
client_certificate = "CERTIFICATE"
client_certificate_chain = "CHAIN"
client_certificate_ca_verified = "x-client-verify"
ssl_client_s_dn = "x-client-s-dn"
ssl_client_i_dn = "x-client-i-dn"
ssl_client_serial = "x-client-serial"
ssl_client_v_start = "x-client-v-start"
ssl_client_v_end = "x-client-v-end"
"#;

#[test]
fn apache() {
    let requests = recorded(APACHE, "apache-optional_no_ca/");
    for (format, certificate, chain) in [
        ("apache", "x-client-cert", "x-client-chain-"),
        ("apache-escape", "x-client-cert-esc", "x-other-chain-"),
        ("apache-base64", "x-client-cert-b64", "x-other-chain-"),
    ] {
        let door = APACHE_DOOR.replace("FORMAT", format).replace("CERTIFICATE", certificate).replace("CHAIN", chain);
        let bank = open_for_recorded(&door.replace("format", "certificate_header_max = \"32KiB\"\nformat"));
        // Its other headers with certificates in them are none of the contract, so they go to the upstream: taken out here.
        let requests: Vec<Recorded> = requests
            .iter()
            .map(|one| {
                let ours = |name: &str| {
                    let name = name.to_lowercase();
                    !name.starts_with("x-client-cert") && !name.starts_with("x-client-chain")
                        || name == certificate
                        || name.starts_with(chain)
                };
                let lines = one.lines.iter().filter(|(name, _)| ours(name)).cloned().collect();
                Recorded { id: one.id.clone(), client: one.client.clone(), lines }
            })
            .collect();
        all_read(&bank, &requests, &[]);
        if format == "apache" {
            valid_with_its_chain_only(&bank, &requests);
            all_read(&bank, &recorded(APACHE, "apache-cond/None"), &[]);
            all_read(&bank, &recorded(APACHE, "apache-cond/valid"), &[]);
        }
        each_field_counts(&bank, &requests, &["x-client-s-dn", "x-client-i-dn", "x-client-serial"]);
    }
}

pub(super) const CADDY_DOOR: &str = r#"
format = "caddy"
[front_doors.headers]
client_certificate = "x-client-cert"
ssl_client_s_dn = "x-client-s-dn"
ssl_client_i_dn = "x-client-i-dn"
ssl_client_serial = "x-client-serial"
ssl_client_fingerprint_sha256 = "x-client-fingerprint"
"#;

#[test]
fn caddy() {
    let bank = open_for_recorded(CADDY_DOOR);
    let requests = recorded(CADDY, "caddy-request/");
    all_read(&bank, &requests, &[]);
    all_read(&bank, &recorded(CADDY, "caddy-request-pem/None"), &[]);
    let fields = ["x-client-s-dn", "x-client-i-dn", "x-client-serial", "x-client-fingerprint"];
    each_field_counts(&bank, &requests, &fields);
}

#[test]
fn envoy() {
    let wide = "certificate_header_max = \"64KiB\"\n";
    let bank = open_for_recorded(&format!("{wide}format = \"envoy-xfcc\""));
    let requests = recorded(ENVOY, "envoy-accept-untrusted/");
    let forwarded: Vec<Recorded> = requests
        .iter()
        .map(|one| {
            let lines = one.lines.iter().filter(|(name, _)| name != "x-client-cert").cloned().collect();
            Recorded { id: one.id.clone(), client: one.client.clone(), lines }
        })
        .collect();
    all_read(&bank, &forwarded, &[]);
    valid_with_its_chain_only(&bank, &forwarded);
    all_read(&bank, &recorded(ENVOY, "envoy-append-forward/"), &[]);
    all_read(&bank, &recorded(ENVOY, "envoy9453/"), &[]);
    for (id, code) in [
        ("envoy9452-append-text/valid", "certificate_header_too_many"),
        ("envoy9452-append-json/valid", "certificate_header_encoding"),
        ("envoy9452-append-garbage/valid", "certificate_header_encoding"),
        ("envoy9451/valid", "certificate_header_encoding"),
    ] {
        all_read(&bank, &recorded(ENVOY, id), &[(id, code)]);
    }
    let bank = open_for_recorded(&format!("{wide}format = \"envoy-xfcc-json\""));
    all_read(&bank, &recorded(ENVOY, "envoy9451/"), &[]);
    valid_with_its_chain_only(&bank, &recorded(ENVOY, "envoy9451/"));
    let append = "envoy9452-append-json/valid";
    all_read(&bank, &recorded(ENVOY, append), &[(append, "certificate_header_too_many")]);
    let bank = open_for_recorded(&format!("{wide}format = \"envoy-xfcc-json\"\nxfcc_elements = \"last\""));
    all_read(&bank, &recorded(ENVOY, append), &[]);
}

/// Envoy can also be told to send headers of any name; `raw` reads them.
#[test]
fn a_front_door_described_part_by_part() {
    let door = r#"
format = "raw"
certificate_header_max = "64KiB"
[front_doors.raw]
certificate = "escaped_pem"
absent = [""]
[front_doors.headers]
client_certificate = "x-client-cert"
ssl_client_s_dn = "x-client-s-dn"
ssl_client_i_dn = "x-client-i-dn"
ssl_client_serial = "x-client-serial"
ssl_client_fingerprint = "x-client-fp-1"
ssl_client_fingerprint_sha256 = "x-client-fp-256"
ssl_client_v_start = "x-client-v-start"
ssl_client_v_end = "x-client-v-end"
"#;
    let bank = open_for_recorded(door);
    let mut requests = recorded(ENVOY, "envoy-accept-untrusted/");
    for one in &mut requests {
        one.lines.retain(|(name, _)| name != "x-forwarded-client-cert");
    }
    all_read(&bank, &requests, &[]);
    let fields = ["x-client-s-dn", "x-client-i-dn", "x-client-serial", "x-client-fp-1", "x-client-fp-256"];
    each_field_counts(&bank, &requests, &fields);
}
