//! A certificate that a front door saw and did not forward is never no certificate; and the server name of the handshake.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::open;
use crate::bank::{Bank, DOMAIN, Request, authorities, good};

/// Header lines, and the refusal or the verdict that follows.
type Row<'r> = (&'r [(&'r str, &'r str)], &'r str);

fn code(bank: &Bank, lines: &[(&str, &str)]) -> String {
    let request = lines.iter().fold(Request::get("/public/"), |request, (name, value)| request.with(name, value));
    let answer = bank.vestibule.ask(request.text());
    if answer.status == 200 {
        return bank.upstream.take_one().header("ssl-client-verify").to_owned();
    }
    bank.refused(&answer, 400)
}

#[test]
fn no_dialect_takes_a_certificate_that_was_left_out_for_none() {
    let withheld = "certificate_withheld";
    let contradicts = "forwarded_verdict_contradicts";
    let unknown = "forwarded_verdict_unknown";
    let (certificate, used, verdict) = ("client-certificate", "client-certificate-presented", "client-certificate-ca-verified");
    let (present, verified, error) = ("x-client-cert-present", "x-client-cert-chain-verified", "x-client-cert-error");
    let (presented, cf_verified, revoked) = ("cf-cert-presented", "cf-cert-verified", "cf-cert-revoked");
    let chain = STANDARD.encode(authorities().issuing.certificate.to_der().unwrap());
    let large = "client_cert_validated_leaf_exceeded_size_limit";
    let tables: [(&str, &[Row<'_>]); 6] = [
        (
            "haproxy",
            &[
                (&[(certificate, ""), (used, "1"), (verdict, "0")], withheld),
                (&[(used, "1"), (verdict, "0")], withheld),
                (&[(certificate, ""), (used, "1")], withheld),
                (&[(certificate, "")], "certificate_header_empty"),
                (&[(certificate, ""), (verdict, "0")], unknown),
                (&[(verdict, "0")], unknown),
                (&[(used, "0"), (verdict, "10")], unknown),
                (&[(used, "2")], unknown),
                (&[(used, "")], unknown),
                (&[(used, "1"), (verdict, "SUCCESS")], unknown),
                (&[(used, "0"), ("client-certificate-chain", &chain)], withheld),
                (&[("client-certificate-chain", &chain)], withheld),
                (&[(certificate, "(null)"), (used, "0"), (verdict, "0")], "certificate_header_encoding"),
                (&[(used, "0"), (verdict, "0")], "NONE"),
                (&[], "NONE"),
            ],
        ),
        (
            "gcp",
            &[
                (&[("x-client-cert-leaf", ""), (present, "true"), (verified, "true"), (error, large)], withheld),
                (&[("x-client-cert-leaf", ""), (error, large)], withheld),
                (&[(present, "true"), (verified, "false"), (error, "client_cert_validation_failed")], withheld),
                (&[(present, "false"), (verified, "true")], unknown),
                (&[(verified, "true")], unknown),
                (&[(present, "yes")], unknown),
                (&[("x-client-cert-leaf", "::"), (present, "false")], "certificate_header_empty"),
                (&[(present, "false"), (verified, "false"), (error, "client_cert_not_provided")], "NONE"),
            ],
        ),
        (
            "cloudflare-rfc9440",
            &[
                (&[("client-cert", ""), (presented, "true"), (cf_verified, "true"), (revoked, "false")], withheld),
                (&[("client-cert", ""), (presented, "1")], withheld),
                (&[("client-cert", "")], "certificate_header_empty"),
                (&[(presented, "false"), (revoked, "maybe")], unknown),
                (&[("client-cert", ""), (presented, "0"), (cf_verified, "false")], "NONE"),
            ],
        ),
        (
            "cloudfront",
            &[
                (&[("cloudfront-viewer-cert-present", "1")], withheld),
                (&[("cloudfront-viewer-cert-present", "1"), ("cloudfront-viewer-cert-pem", "")], withheld),
                (&[("cloudfront-viewer-cert-present", "0"), ("cloudfront-viewer-cert-pem", "")], "NONE"),
            ],
        ),
        (
            "apache",
            &[
                (&[(certificate, "(null)"), (verdict, "SUCCESS")], withheld),
                (&[(certificate, "(null)"), (verdict, "GENEROUS")], withheld),
                (&[(certificate, ""), (verdict, "SUCCESS")], "certificate_header_empty"),
                (&[(certificate, "")], "certificate_header_empty"),
                (&[(certificate, "(NULL)")], "certificate_header_encoding"),
                (&[(verdict, "GENEROUS")], contradicts),
                (&[(verdict, "(null)")], unknown),
                (&[(certificate, "(null)")], "NONE"),
                (&[(certificate, "(null)"), (verdict, "NONE")], "NONE"),
            ],
        ),
        (
            "caddy",
            &[
                (&[(certificate, "{http.request.tls.client.certificate_der_base64} ")], "NONE"),
                (&[(certificate, "")], "NONE"),
                (&[(certificate, "{http.request.host}")], "certificate_header_encoding"),
                (&[(certificate, "(null)")], "certificate_header_encoding"),
            ],
        ),
    ];
    for (format, table) in tables {
        let bank = open(&format!("format = \"{format}\""));
        for (lines, expected) in table {
            assert_eq!(code(&bank, lines), *expected, "{format}: {lines:?}");
        }
    }
    // What is only reported in general is refused here all the same.
    let bank = open("format = \"haproxy\"\nforwarded_mismatch = \"report\"");
    assert_eq!(code(&bank, &[(certificate, ""), (used, "1"), (verdict, "0")]), withheld);
    let bank = open("format = \"cloudflare-rfc9440\"\n[front_doors.headers]\nclient_certificate_too_large = \"cf-too-large\"");
    assert_eq!(code(&bank, &[("client-cert", ""), ("cf-too-large", "true"), (presented, "false")]), withheld);
}

/// The digest of no bytes is Caddy's for no certificate, and nobody's.
#[test]
fn the_digest_of_nothing() {
    let nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let bank = open("format = \"caddy\"\n[front_doors.headers]\nssl_client_fingerprint_sha256 = \"x-fingerprint\"");
    assert_eq!(code(&bank, &[("client-certificate", ""), ("x-fingerprint", nothing)]), "NONE");
    let own = STANDARD.encode(good().certificate.to_der().unwrap());
    assert_eq!(code(&bank, &[("client-certificate", &own), ("x-fingerprint", nothing)]), "forwarded_field_mismatch");
    assert_eq!(code(&bank, &[("x-fingerprint", &"ab".repeat(32))]), "forwarded_field_mismatch");
}

#[test]
fn clouds_verdicts_narrow() {
    let person = good();
    let leaf = format!(":{}:", STANDARD.encode(person.certificate.to_der().unwrap()));
    let chain = format!(":{}:", STANDARD.encode(authorities().issuing.certificate.to_der().unwrap()));
    let bank = open("format = \"cloudflare-rfc9440\"\nforwarded_verdict = \"narrow\"");
    for (verified, revoked, passes) in [("true", "false", true), ("true", "true", false), ("false", "false", false)] {
        let request = Request::get("/").with("client-cert", &leaf).with("client-cert-chain", &chain);
        let request = request.with("cf-cert-presented", "true").with("cf-cert-verified", verified);
        let answer = bank.vestibule.ask(request.with("cf-cert-revoked", revoked).text());
        if passes {
            assert_eq!(bank.upstream.take_one().header("x-client-cn"), "good");
        } else {
            assert_eq!(bank.refused(&answer, 401), "forwarded_verdict_failed", "{verified} {revoked}");
        }
    }
}

#[test]
fn the_handshakes_server_name_must_be_the_host() {
    let door = "require_sni = true\n[front_doors.headers]\nssl_server_name = \"ssl-server-name\"";
    let bank = open(door);
    for route in ["/public/", "/off/"] {
        for (name, passes) in [
            (Some(DOMAIN), true),
            (Some("API.Bank.Example"), true),
            (Some("api.bank.example."), true),
            (Some("other.bank.example"), false),
            (Some("mtls.api.bank.example"), false),
            (Some(""), false),
            (None, false),
        ] {
            let request = Request::get(route);
            let request = if let Some(name) = name { request.with("ssl-server-name", name) } else { request };
            let answer = bank.vestibule.ask(request.text());
            if passes {
                assert_eq!(answer.status, 200, "{name:?}");
                assert_eq!(bank.upstream.take_one().header("ssl-server-name"), "");
            } else {
                assert_eq!(bank.refused(&answer, 421), "sni_mismatch", "{name:?}");
            }
        }
    }
    let alias = format!("mtls.{DOMAIN}");
    let request = Request::get("/public/").instead("Host", &alias).with("ssl-server-name", &alias);
    assert_eq!(bank.vestibule.ask(request.text()).status, 200);
    bank.upstream.take();
    // Where nothing asks for it, it may differ: clients put several hosts on one connection.
    let bank = open("[front_doors.headers]\nssl_server_name = \"ssl-server-name\"");
    assert_eq!(bank.vestibule.ask(Request::get("/public/").with("ssl-server-name", "other").text()).status, 200);
}
