//! What stands in the certificate header: sizes, control bytes, placeholders, encodings, chains.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use openssl::x509::X509;

use crate::attempt::{OWN, assert_nobody_else, assert_refused, bank, get, intruder, raw, victim};
use crate::bank::{Bank, DOMAIN, KEY, Person, Request, authorities, escape, escaped, leaf, pem, person, person_of};
use crate::pki::{Leaf, new_key};
use crate::product::{FrontDoor, RUNNING};
use crate::tls::Hello;

fn der(certificate: &X509) -> Vec<u8> {
    certificate.to_der().unwrap()
}

#[test]
fn row_10_a_certificate_too_large_is_never_none() {
    let names = (0..600).map(|at| format!("a-rather-long-host-name-{at:04}.partner.example")).collect();
    let large = person(&Leaf { dns: names, ..leaf(OWN) });
    for kind in RUNNING {
        let door = FrontDoor::open(kind);
        let answer = door.ask(&Hello::of(Some(&large)), get("/public/", ""));
        assert!(answer.status >= 400, "{kind}: {answer:?}");
        assert_eq!(door.bank.upstream.take().len(), 0, "{kind}");
        let long = format!("x-long: {}\r\n", "a".repeat(200_000));
        let answer = door.ask(&Hello::of(None), get("/public/", &long));
        assert!(matches!(answer.status, 0 | 400..=499), "{kind}: {answer:?}");
        assert_eq!(door.bank.upstream.take().len(), 0, "{kind}");
    }
    let nginx = Bank::open();
    let request = Request::get("/public/").of(&large);
    assert_refused(&nginx, &raw(&nginx, request.text()), &["certificate_header_too_large"], "over our limit");
    let empty = Request::get("/public/").carrying("");
    assert_refused(&nginx, &raw(&nginx, empty.text()), &["certificate_header_empty", "certificate_withheld"], "emptied");
    // HAProxy empties the header and says beside it that there was one; Google and Cloudflare say so in words.
    for (format, lines) in [
        ("haproxy", &[("client-certificate", ""), ("client-certificate-presented", "1")][..]),
        ("gcp", &[("x-client-cert-leaf", ""), ("x-client-cert-present", "true")]),
        ("cloudflare-rfc9440", &[("client-cert", ""), ("cf-cert-presented", "true")]),
    ] {
        let bank = bank(&format!("format = \"{format}\""));
        let request = lines.iter().fold(Request::get("/public/"), |request, (name, value)| request.with(name, value));
        assert_refused(&bank, &raw(&bank, request.text()), &["certificate_withheld"], format);
    }
}

#[test]
fn row_11_control_bytes_in_a_value() {
    let bank = Bank::open();
    let certificate = escaped(&intruder().certificate);
    let text = pem(&intruder().certificate);
    for (what, value) in [
        ("raw PEM", text.clone()),
        ("raw PEM, folded by TAB", text.trim_end().replace('\n', "\r\n\t")),
        ("raw PEM, folded by space", text.trim_end().replace('\n', "\r\n ")),
        ("a TAB", format!("{certificate}\t") + "x"),
        ("a NUL", format!("{certificate}\0")),
        ("a bare CR", format!("{certificate}\rx: y")),
        ("a bare LF", format!("{certificate}\nclient-certificate: {}", escaped(&victim().certificate))),
        ("a vertical TAB", format!("\x0b{certificate}")),
        ("DEL", format!("{certificate}\x7f")),
    ] {
        for path in ["/", "/public/", "/permissive/"] {
            let answer = raw(
                &bank,
                format!(
                    "GET {path} HTTP/1.1\r\nHost: {DOMAIN}\r\ncname-api-key: {KEY}\r\nX-Forwarded-For: 203.0.113.9\r\n\
                     client-certificate-ca-verified: SUCCESS\r\nclient-certificate: {value}\r\n\r\n"
                ),
            );
            assert!((400..500).contains(&answer.status), "{what}: {answer:?}");
            assert_eq!(bank.upstream.take().len(), 0, "{what}");
        }
    }
    bank.assert_still_serves();
}

#[test]
fn row_12_placeholders_are_nobody() {
    let (apache, nginx) = (bank("format = \"apache\""), Bank::open());
    let caddy = bank("format = \"caddy\"\n[front_doors.headers]\nssl_client_fingerprint_sha256 = \"x-fingerprint\"");
    let literal = "{http.request.tls.client.certificate_der_base64}";
    for (bank, value) in [(&apache, "(null)"), (&caddy, literal), (&caddy, "")] {
        let ask = |path: &str| raw(bank, Request::get(path).with("client-certificate", value).text());
        assert_eq!(bank.refused(&ask("/"), 401), "certificate_required", "{value}");
        assert_eq!(ask("/public/").status, 200, "{value}");
        assert_nobody_else(&bank.upstream.take_one(), false, value);
    }
    // Elsewhere a placeholder is nothing that can be read.
    for (bank, value) in [(&nginx, "(null)"), (&nginx, literal), (&apache, literal), (&caddy, "(null)"), (&caddy, "-")] {
        let answer = raw(bank, Request::get("/public/").with("client-certificate", value).text());
        assert_refused(bank, &answer, &["certificate_header_encoding", "certificate_header_not_pem"], value);
    }
    let nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let own = STANDARD.encode(der(&intruder().certificate));
    let answer = raw(&caddy, Request::get("/public/").with("client-certificate", &own).with("x-fingerprint", nothing).text());
    assert_refused(&caddy, &answer, &["forwarded_field_mismatch"], "the digest of nothing");
}

#[test]
fn row_13_a_value_is_decoded_once() {
    let text = pem(&intruder().certificate);
    let once = escaped(&intruder().certificate);
    let bank = Bank::open();
    for (what, value) in [
        ("twice", once.replace('%', "%25")),
        ("half of it twice", once.replacen("%0A", "%250A", 1)),
        ("+ for a space", once.replace("%20", "+")),
        ("+ in the body for a space", once.replacen("%0A", "+%0A", 2)),
        ("bad digits", once.replacen("%0A", "%0g", 1)),
        ("IIS's %u", once.replacen("%0A", "%u000A", 1)),
        ("base64 of DER", STANDARD.encode(der(&intruder().certificate))),
        ("base64 of PEM", STANDARD.encode(&text)),
        ("UTF-7", once.replacen("%2B", "+ACs-", 1) + "x"),
    ] {
        let answer = raw(&bank, Request::get("/permissive/").carrying(&value).text());
        let codes = ["certificate_header_encoding", "certificate_header_not_pem", "certificate_malformed"];
        assert_refused(&bank, &answer, &codes, what);
    }
    let lower = escape(&text).replace("%0A", "%0a").replace("%2B", "%2b").replace("%3D", "=");
    assert_eq!(raw(&bank, Request::get("/").carrying(&lower).text()).status, 200);
    assert_nobody_else(&bank.upstream.take_one(), true, "the same in another spelling");
}

#[test]
fn row_14_one_certificate_and_nothing_beside_it() {
    let (own, victim) = (intruder().certificate, victim().certificate);
    let nginx = Bank::open();
    let (one, other) = (pem(&own), pem(&victim));
    for (what, text) in [
        ("text before", format!("subject=CN = victim\n{one}")),
        ("text after", format!("{one}subject=CN = victim\n")),
        ("a key beside it", format!("{one}-----BEGIN PRIVATE KEY-----\nMAMCAQE=\n-----END PRIVATE KEY-----\n")),
        ("another label", one.replace("CERTIFICATE", "TRUSTED CERTIFICATE")),
        ("an empty line", one.replacen('\n', "\n\n", 1)),
        ("the other's body below its own", one.replace("-----END", &format!("{}-----END", other.lines().nth(1).unwrap()))),
        ("bytes after the DER", pem_of(&[der(&own), vec![0]].concat())),
        ("another DER after the DER", pem_of(&[der(&own), der(&victim)].concat())),
    ] {
        let answer = raw(&nginx, Request::get("/permissive/").carrying(&escape(&text)).text());
        let codes = [
            "certificate_header_not_pem",
            "certificate_header_too_many",
            "certificate_malformed",
            "certificate_header_encoding",
        ];
        assert_refused(&nginx, &answer, &codes, what);
    }
    // nginx's header has room for a chain: the first certificate is the client's. In a format of one, two are refused.
    let two = escape(&(one.clone() + &other));
    assert_eq!(raw(&nginx, Request::get("/").carrying(&two).text()).status, 200);
    assert_nobody_else(&nginx.upstream.take_one(), true, "the first");
    let azion = bank("format = \"azion\"");
    let name = "client-certificate";
    for path in ["/", "/permissive/"] {
        let answer = raw(&azion, Request::get(path).with(name, &two).text());
        assert_refused(&azion, &answer, &["certificate_header_too_many"], path);
    }
    for (format, name, wrap) in [("haproxy", "client-certificate", ""), ("rfc9440", "client-cert", ":")] {
        let bank = bank(&format!("format = \"{format}\""));
        for more in [vec![0], der(&victim)] {
            let value = format!("{wrap}{}{wrap}", STANDARD.encode([der(&own), more].concat()));
            let request = Request::get("/permissive/").with(name, &value);
            let request = if format == "haproxy" { request.with("client-certificate-presented", "1") } else { request };
            assert_refused(&bank, &raw(&bank, request.text()), &["certificate_malformed"], format);
        }
    }
}

fn pem_of(der: &[u8]) -> String {
    let body: Vec<String> =
        STANDARD.encode(der).as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into()).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", body.join("\n"))
}

#[test]
fn row_15_a_chain_is_a_bag_of_candidates() {
    let bank = bank("format = \"rfc9440\"\ncertificate_header_max = \"64KiB\"");
    let item = |certificate: &X509| format!(":{}:", STANDARD.encode(der(certificate)));
    let all = authorities();
    let (own, victim) = (intruder().certificate, victim().certificate);
    let ask = |path: &str, leaf: &X509, chain: &[&X509]| {
        let chain = chain.iter().map(|one| item(one)).collect::<Vec<_>>().join(", ");
        raw(&bank, Request::get(path).with("client-cert", &item(leaf)).with("client-cert-chain", &chain).text())
    };
    let (issuing, root, stranger) = (&all.issuing.certificate, &all.root.certificate, &all.stranger.certificate);
    for chain in [
        &[issuing][..],
        &[root, issuing],
        &[&own, issuing, root],
        &[stranger, &victim, issuing, issuing, &victim],
        &[&victim, issuing],
    ] {
        let answer = ask("/", &own, chain);
        assert_eq!(answer.status, 200, "{}", bank.vestibule.access_line(&answer));
        assert_nobody_else(&bank.upstream.take_one(), true, "whatever else is in the bag");
    }
    // A chain makes nobody trusted, however it ends.
    let impostor = Person { key: new_key(), ..person_of(&all.stranger, &leaf("victim")) };
    for chain in [&[stranger][..], &[stranger, root], &[issuing, stranger, root], &[&victim, issuing, root]] {
        assert_eq!(bank.refused(&ask("/", &impostor.certificate, chain), 401), "certificate_untrusted");
    }
    assert_refused(&bank, &ask("/", &own, &[issuing; 12]), &["certificate_header_too_many"], "too many");
    let request = Request::get("/public/").with("client-cert-chain", &item(&victim));
    assert_refused(&bank, &raw(&bank, request.text()), &["certificate_withheld"], "a chain of nobody");
}
