//! Formats of front doors that cannot run here, written by hand as their documentation says.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use openssl::x509::X509;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use vestibule::front_door::PRESETS;
use vestibule::x509::certificate::Certificate;

use super::open;
use crate::bank::{Bank, Person, Request, Tenant, authorities, escape, escaped, good, leaf, pem, person};
use crate::pki::Leaf;

type Lines = Vec<(&'static str, String)>;

/// Whether the intermediate comes with the request.
#[derive(Clone, Copy, PartialEq)]
enum Chain {
    Sent,
    Held,
}

fn read(certificate: &X509) -> Certificate {
    Certificate::from_der(&certificate.to_der().unwrap()).unwrap()
}

fn base64(certificate: &X509) -> String {
    STANDARD.encode(certificate.to_der().unwrap())
}

fn spaced(certificate: &X509) -> String {
    pem(certificate).replace('\n', " ")
}

fn rfc3339(time: &vestibule::x509::asn1_time::Asn1Time) -> String {
    OffsetDateTime::from_unix_timestamp(time.to_unix().unwrap().0).unwrap().format(&Rfc3339).unwrap()
}

/// What the front door sends about a client, and about nobody.
fn forwarded(format: &str, client: &X509) -> (Chain, Lines, Lines) {
    let issuing = &authorities().issuing.certificate;
    let own = read(client);
    let (subject, issuer) = (own.subject().rfc2253(), own.issuer().rfc2253());
    let serial = own.serial().text();
    let sha256 = hex::encode(own.sha256());
    let validity = format!("NotBefore={};NotAfter={}", rfc3339(own.not_before()), rfc3339(own.not_after()));
    let colons: Vec<&str> = serial.as_bytes().chunks(2).map(|two| std::str::from_utf8(two).unwrap()).collect();
    let sequence = |certificate: &X509| format!(":{}:", base64(certificate));
    // AWS leaves these as they are.
    let aws = |text: &str| escape(text).replace("%2B", "+").replace("%3D", "=").replace("%2F", "/");
    let xfcc = || {
        let chain = escape(&(pem(client) + &pem(issuing)));
        format!("By=spiffe://a/b;Hash={sha256};Cert=\"{}\";Chain=\"{chain}\";Subject=\"{subject}\";URI=", escaped(client))
    };
    let text = |text: &str| text.to_owned();
    match format {
        "nginx" | "auth0" | "azion" => (
            Chain::Held,
            vec![
                ("client-certificate", escaped(client)),
                ("client-certificate-ca-verified", text("SUCCESS")),
                ("ssl-client-s-dn", subject),
            ],
            vec![("client-certificate-ca-verified", text("NONE"))],
        ),
        "ingress-nginx" => (
            Chain::Held,
            vec![
                ("ssl-client-cert", escaped(client)),
                ("ssl-client-verify", text("SUCCESS")),
                ("ssl-client-subject-dn", subject),
                ("ssl-client-issuer-dn", issuer),
            ],
            vec![("ssl-client-verify", text("NONE"))],
        ),
        "haproxy" => (
            Chain::Sent,
            vec![
                ("client-certificate", base64(client)),
                ("client-certificate-chain", base64(issuing)),
                ("client-certificate-ca-verified", text("0")),
                ("client-certificate-presented", text("1")),
            ],
            vec![
                ("client-certificate", String::new()),
                ("client-certificate-chain", String::new()),
                ("client-certificate-ca-verified", text("0")),
                ("client-certificate-presented", text("0")),
            ],
        ),
        "apache" => (
            Chain::Sent,
            vec![
                ("client-certificate", spaced(client)),
                ("client-certificate-chain-0", spaced(issuing)),
                ("client-certificate-chain-1", text("(null)")),
                ("client-certificate-ca-verified", text("GENEROUS")),
            ],
            vec![
                ("client-certificate", text("(null)")),
                ("client-certificate-chain-0", text("(null)")),
                ("client-certificate-ca-verified", text("NONE")),
            ],
        ),
        "apache-escape" => (
            Chain::Sent,
            vec![
                ("client-certificate", aws(&pem(client)).to_lowercase_escapes()),
                ("client-certificate-chain-0", aws(&pem(issuing)).to_lowercase_escapes()),
                ("client-certificate-ca-verified", text("SUCCESS")),
            ],
            vec![("client-certificate", String::new()), ("client-certificate-ca-verified", text("NONE"))],
        ),
        "apache-base64" => (
            Chain::Sent,
            vec![
                ("client-certificate", STANDARD.encode(pem(client))),
                ("client-certificate-chain-0", STANDARD.encode(pem(issuing))),
                ("client-certificate-ca-verified", text("SUCCESS")),
            ],
            vec![("client-certificate", String::new())],
        ),
        "envoy-xfcc" | "istio" => (Chain::Sent, vec![("x-forwarded-client-cert", xfcc())], Lines::new()),
        "envoy-xfcc-json" => {
            let element = serde_json::json!([{
                "hash": sha256, "cert": pem(client), "chain": [pem(client), pem(issuing)], "subject": subject, "dns": ["a"],
            }]);
            (Chain::Sent, vec![("x-forwarded-client-cert", element.to_string())], Lines::new())
        }
        "traefik" | "traefik-v2-escaped" => {
            let bodies = format!("{},{}", base64(client), base64(issuing));
            let info = ("x-forwarded-tls-client-cert-info", text("Subject%3D%22CN%3Dvictim%22"));
            let bodies = if format == "traefik" { bodies } else { escape(&bodies) };
            (Chain::Sent, vec![("x-forwarded-tls-client-cert", bodies), info], Lines::new())
        }
        "caddy" => (
            Chain::Held,
            vec![("client-certificate", base64(client))],
            vec![("client-certificate", text("{http.request.tls.client.certificate_der_base64}"))],
        ),
        "alb-verify" => (
            Chain::Held,
            vec![
                ("x-amzn-mtls-clientcert-leaf", aws(&pem(client))),
                ("x-amzn-mtls-clientcert-subject", subject),
                ("x-amzn-mtls-clientcert-issuer", issuer),
                ("x-amzn-mtls-clientcert-serial-number", serial),
                ("x-amzn-mtls-clientcert-validity", validity),
                // A client's own, which this mode does not write.
                ("x-amzn-mtls-clientcert", text("whatever")),
            ],
            Lines::new(),
        ),
        "alb-passthrough" => (Chain::Sent, vec![("x-amzn-mtls-clientcert", aws(&(pem(client) + &pem(issuing))))], Lines::new()),
        "cloudfront" => (
            Chain::Held,
            vec![
                ("cloudfront-viewer-cert-pem", escaped(client)),
                ("cloudfront-viewer-cert-present", text("1")),
                ("cloudfront-viewer-cert-subject", subject),
                ("cloudfront-viewer-cert-issuer", issuer),
                ("cloudfront-viewer-cert-serial-number", colons.join(":")),
                ("cloudfront-viewer-cert-sha256", sha256),
                ("cloudfront-viewer-cert-validity", validity),
            ],
            vec![("cloudfront-viewer-cert-present", text("0"))],
        ),
        "cloudfront-passthrough" => {
            (Chain::Sent, vec![("client-cert", sequence(client)), ("client-cert-chain", sequence(issuing))], Lines::new())
        }
        "rfc9440" => (
            Chain::Sent,
            vec![
                ("client-cert", sequence(client)),
                ("client-cert-chain", format!("{}, {}", sequence(issuing), sequence(&authorities().root.certificate))),
                ("client-certificate-ca-verified", text("SUCCESS")),
            ],
            vec![("client-certificate-ca-verified", text("NONE"))],
        ),
        "gcp" => (
            Chain::Sent,
            vec![
                ("x-client-cert-leaf", sequence(client)),
                ("x-client-cert-chain", sequence(issuing)),
                ("x-client-cert-present", text("true")),
                ("x-client-cert-chain-verified", text("true")),
                ("x-client-cert-error", String::new()),
                ("x-client-cert-subject-dn", STANDARD.encode(own.subject().der())),
                ("x-client-cert-issuer-dn", STANDARD.encode(own.issuer().der())),
                ("x-client-cert-serial-number", serial.to_lowercase()),
                ("x-client-cert-hash", STANDARD.encode(own.sha256())),
                ("x-client-cert-valid-not-before", rfc3339(own.not_before())),
                ("x-client-cert-valid-not-after", rfc3339(own.not_after())),
                ("x-client-cert-spiffe", text("spiffe://somebody/else")),
            ],
            vec![
                ("x-client-cert-leaf", String::new()),
                ("x-client-cert-present", text("false")),
                ("x-client-cert-chain-verified", text("false")),
                ("x-client-cert-error", text("client_cert_not_provided")),
                ("x-client-cert-subject-dn", String::new()),
            ],
        ),
        "cloudflare-rfc9440" => (
            Chain::Sent,
            vec![
                ("client-cert", sequence(client)),
                ("client-cert-chain", sequence(issuing)),
                ("cf-cert-presented", text("true")),
                ("cf-cert-verified", text("true")),
                ("cf-cert-revoked", text("false")),
                ("cf-cert-subject-dn-rfc2253", subject),
                ("cf-cert-issuer-dn-rfc2253", issuer),
                ("cf-cert-serial", format!("00{serial}")),
                ("cf-cert-fingerprint-sha256", sha256),
                ("cf-cert-fingerprint-sha1", hex::encode(own.sha1())),
                ("cf-cert-not-before", own.not_before().text()),
                ("cf-cert-not-after", own.not_after().text()),
                ("cf-cert-ski", text("00")),
            ],
            vec![
                ("client-cert", String::new()),
                ("cf-cert-presented", text("false")),
                ("cf-cert-verified", text("false")),
                ("cf-cert-revoked", text("false")),
                ("cf-cert-serial", String::new()),
            ],
        ),
        "azure-appgw" => (
            Chain::Held,
            vec![("client-certificate", escaped(client)), ("client-certificate-ca-verified", text("SUCCESS"))],
            vec![("client-certificate-ca-verified", text("NONE")), ("client-certificate", String::new())],
        ),
        "azure-appservice" => (Chain::Held, vec![("x-arr-clientcert", base64(client))], Lines::new()),
        "fastly" => (Chain::Held, vec![("client-certificate", base64(client))], Lines::new()),
        "f5" => (Chain::Held, vec![("wl-proxy-client-cert", base64(client))], Lines::new()),
        "open-finance-br" => (
            Chain::Held,
            vec![
                ("bank-tls-certificate", spaced(client)),
                ("x-bank-certificate-dn", subject),
                ("x-bank-certificate-verify", text("SUCCESS")),
            ],
            vec![("x-bank-certificate-verify", text("NONE"))],
        ),
        other => panic!("no sample of {other}"),
    }
}

trait LowerCaseEscapes {
    /// `%2F` as Apache writes it.
    fn to_lowercase_escapes(&self) -> String;
}

impl LowerCaseEscapes for String {
    fn to_lowercase_escapes(&self) -> String {
        self.replace("%0A", "%0a")
    }
}

fn with(request: Request, lines: &Lines) -> Request {
    lines.iter().fold(request, |request, (name, value)| request.with(name, value.trim_end()))
}

fn bank(format: &str, chain: Chain) -> Bank {
    let door = format!("format = \"{format}\"");
    match chain {
        Chain::Sent => open(&door),
        Chain::Held => Bank::with(&Tenant { door_lines: format!("{door}\n"), ..Tenant::default() }),
    }
}

#[test]
fn every_format_carries_a_client_and_nobody() {
    let Person { certificate, .. } = good();
    for preset in PRESETS {
        let format = preset.name;
        let (chain, client, nobody) = forwarded(format, &certificate);
        let bank = bank(format, chain);
        let answer = bank.vestibule.ask(with(Request::get("/"), &client).text());
        assert_eq!(answer.status, 200, "{format}: {}", bank.vestibule.access_line(&answer));
        let received = bank.upstream.take_one();
        assert_eq!((received.header("ssl-client-verify"), received.header("x-client-cn")), ("SUCCESS", "good"), "{format}");
        for (name, _) in &client {
            assert!(
                received.header(name).is_empty() || name.starts_with("ssl-client-"),
                "{format}: {name} reached the upstream"
            );
        }
        let answer = bank.vestibule.ask(with(Request::get("/public/"), &nobody).text());
        assert_eq!(answer.status, 200, "{format}: {}", bank.vestibule.access_line(&answer));
        assert_eq!(bank.upstream.take_one().header("ssl-client-verify"), "NONE", "{format}");
        let answer = bank.vestibule.ask(with(Request::get("/"), &nobody).text());
        assert_eq!(bank.refused(&answer, 401), "certificate_required", "{format}");
    }
}

/// Each header of each format is refused twice, under an alias, in `Connection`, and without the key.
#[test]
fn every_header_of_every_format_is_guarded() {
    let Person { certificate, .. } = good();
    for preset in PRESETS {
        let (chain, client, _) = forwarded(preset.name, &certificate);
        let bank = bank(preset.name, chain);
        for (name, value) in &client {
            let whole = with(Request::get("/public/"), &client);
            let code = |request: Request| bank.refused(&bank.vestibule.ask(request.text()), 400);
            assert_eq!(code(whole.clone().with(name, value)), "contract_header_repeated", "{}: {name}", preset.name);
            let alias = name.replacen('-', ".", 1);
            assert_eq!(code(whole.clone().with(&alias, value)), "contract_header_aliased", "{}: {alias}", preset.name);
            let nominated = whole.clone().with("Connection", name);
            assert_eq!(code(nominated), "contract_header_in_connection", "{}: {name}", preset.name);
            let keyless = whole.without("cname-api-key");
            assert_eq!(bank.refused(&bank.vestibule.ask(keyless.text()), 403), "front_door_key_missing");
        }
    }
}

/// Each field that a format forwards beside the certificate must be the certificate's.
#[test]
fn a_strange_field_is_refused() {
    let (one, other) = (good().certificate, person(&Leaf { serial: 4_242, ..leaf("other") }).certificate);
    for (format, headers, code) in [
        ("alb-verify", &["x-amzn-mtls-clientcert-serial-number"][..], "forwarded_field_mismatch"),
        ("cloudfront", &["cloudfront-viewer-cert-serial-number", "cloudfront-viewer-cert-sha256"], "forwarded_field_mismatch"),
        ("gcp", &["x-client-cert-serial-number", "x-client-cert-hash"], "forwarded_field_mismatch"),
        (
            "cloudflare-rfc9440",
            &["cf-cert-serial", "cf-cert-fingerprint-sha256", "cf-cert-fingerprint-sha1"],
            "forwarded_field_mismatch",
        ),
    ] {
        let ((chain, mine, _), (_, theirs, _)) = (forwarded(format, &one), forwarded(format, &other));
        let bank = bank(format, chain);
        for header in headers {
            let strange = theirs.iter().find(|(name, _)| name == header).unwrap();
            let request = with(Request::get("/public/"), &mine).instead(header, &strange.1);
            assert_eq!(bank.refused(&bank.vestibule.ask(request.text()), 400), code, "{format}: {header}");
        }
    }
    for (format, header, value, code) in [
        ("ingress-nginx", "ssl-client-issuer-dn", "CN=Other CA".to_owned(), "forwarded_dn_mismatch"),
        ("gcp", "x-client-cert-subject-dn", STANDARD.encode(read(&one).issuer().der()), "forwarded_dn_mismatch"),
        ("gcp", "x-client-cert-subject-dn", read(&one).subject().rfc2253(), "forwarded_dn_mismatch"),
        ("gcp", "x-client-cert-valid-not-after", "2020-01-01T00:00:00Z".into(), "forwarded_field_mismatch"),
        ("gcp", "x-client-cert-subject-dn", String::new(), "forwarded_dn_mismatch"),
        ("cloudfront", "cloudfront-viewer-cert-validity", "NotBefore=2020-01-01T00:00:00Z".into(), "forwarded_field_mismatch"),
        ("open-finance-br", "x-bank-certificate-dn", "CN=victim".into(), "forwarded_dn_mismatch"),
    ] {
        let (chain, mine, _) = forwarded(format, &one);
        let bank = bank(format, chain);
        let request = with(Request::get("/public/"), &mine).instead(header, &value);
        assert_eq!(bank.refused(&bank.vestibule.ask(request.text()), 400), code, "{format}: {header}: {value}");
    }
}

/// A certificate and a byte more is no certificate, also where the bytes are not PEM; and neither is half a chain.
#[test]
fn bytes_after_the_certificate_are_refused() {
    let longer = [good().certificate.to_der().unwrap(), vec![0]].concat();
    let (base64, sequence) = (STANDARD.encode(&longer), format!(":{}:", STANDARD.encode(&longer)));
    let own = self::base64(&good().certificate);
    for (format, certificate, value) in [
        ("haproxy", "client-certificate", base64.clone()),
        ("caddy", "client-certificate", base64.clone()),
        ("azure-appservice", "x-arr-clientcert", base64.clone()),
        ("rfc9440", "client-cert", sequence),
        ("traefik", "x-forwarded-tls-client-cert", base64.clone()),
        ("traefik", "x-forwarded-tls-client-cert", format!("{own},{base64}")),
    ] {
        let bank = bank(format, Chain::Held);
        for route in ["/", "/public/", "/permissive/"] {
            let answer = bank.vestibule.ask(Request::get(route).with(certificate, &value).text());
            assert_eq!(bank.refused(&answer, 400), "certificate_malformed", "{format} on {route}");
        }
    }
    let bank = bank("haproxy", Chain::Held);
    let (_, client, _) = forwarded("haproxy", &good().certificate);
    let half = with(Request::get("/"), &client).instead("client-certificate-chain", &base64);
    assert_eq!(bank.refused(&bank.vestibule.ask(half.text()), 400), "certificate_malformed");
}

/// Google leaves a name out that is too long, and says so.
#[test]
fn a_field_that_was_left_out_for_its_size_says_nothing() {
    let (chain, client, _) = forwarded("gcp", &good().certificate);
    let bank = bank("gcp", chain);
    let without = with(Request::get("/"), &client).instead("x-client-cert-subject-dn", "");
    let request = without.instead("x-client-cert-error", "client_cert_subject_dn_exceeded_size_limit");
    assert_eq!(bank.vestibule.ask(request.text()).status, 200);
    assert_eq!(bank.upstream.take_one().header("x-client-cn"), "good");
}

/// Traefik's summary of names is not read: it cannot be told apart from a name that imitates it.
#[test]
fn a_header_that_is_not_read_goes_nowhere() {
    let bank = open("format = \"traefik\"");
    let request = Request::get("/public/").with("x-forwarded-tls-client-cert-info", "Subject=\"CN=victim\"");
    let answer = bank.vestibule.ask(request.text());
    let received = bank.upstream.take_one();
    assert_eq!((answer.status, received.header("ssl-client-verify")), (200, "NONE"));
    assert!(!format!("{received:?}").contains("victim"));
}

/// The one numbered family: numbers are whole, and nothing else begins so.
#[test]
fn numbered_headers() {
    let bank = open("format = \"apache\"");
    let (_, client, _) = forwarded("apache", &good().certificate);
    let whole = with(Request::get("/"), &client).without("client-certificate-chain-0");
    let issuing = spaced(&authorities().issuing.certificate);
    let issuing = issuing.trim_end();
    for name in
        ["client-certificate-chain-00", "client-certificate-chain-x", "client-certificate-chain-", "client_certificate-chain-0"]
    {
        let answer = bank.vestibule.ask(whole.clone().with(name, issuing).text());
        assert_eq!(bank.refused(&answer, 400), "contract_header_aliased", "{name}");
    }
    for name in ["client-certificate-chain-7", "Client-Certificate-Chain-99"] {
        let answer = bank.vestibule.ask(whole.clone().with(name, issuing).text());
        assert_eq!(answer.status, 200, "{name}");
        assert_eq!(bank.upstream.take_one().header("ssl-client-verify"), "SUCCESS");
    }
    let trailer = whole.clone().with("Trailer", "client-certificate-chain-3");
    assert_eq!(bank.refused(&bank.vestibule.ask(trailer.text()), 400), "contract_header_in_trailer");
    for (value, code) in [("%41", "certificate_header_encoding"), ("-----BEGIN CERTIFICATE-----", "certificate_header_not_pem")]
    {
        let answer = bank.vestibule.ask(whole.clone().with("client-certificate-chain-0", value).text());
        assert_eq!(bank.refused(&answer, 400), code);
    }
    let many = (2..12).fold(whole, |request, number| {
        let other = spaced(&good().certificate);
        request.with(&format!("client-certificate-chain-{number}"), other.trim_end())
    });
    let answer = bank.vestibule.ask(many.with("client-certificate-chain-0", issuing).text());
    assert_eq!(bank.refused(&answer, 400), "certificate_header_too_many");
}
