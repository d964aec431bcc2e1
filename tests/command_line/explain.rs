//! `vestibule explain`: what each stage says.

use openssl::x509::X509;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;

use crate::edge_config::{AT, Folder, KEY, vestibule};
use crate::pki::{Ca, Dates, Leaf, self_signed};

const TENANT: &str = "tenants/acme.toml";

fn escaped(certificate: &X509) -> String {
    let pem = String::from_utf8(certificate.to_pem().unwrap()).unwrap();
    utf8_percent_encode(&pem, NON_ALPHANUMERIC).to_string()
}

/// A request head with the key, and further lines.
fn head(lines: &[(&str, &str)]) -> String {
    let mut head = format!("GET /a HTTP/1.1\r\nHost: api.example\r\ncname-api-key: {KEY}\r\n");
    for (name, value) in lines {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head + "\r\n"
}

fn with_certificate(certificate: &X509) -> String {
    head(&[("client-certificate", &escaped(certificate))])
}

/// Every text stands in what was said.
#[track_caller]
fn says(said: &str, expected: &[&str]) {
    for text in expected {
        assert!(said.contains(text), "no `{text}` in\n{said}");
    }
    assert_eq!(said.matches("decision       ").count(), 1, "{said}");
}

#[test]
fn a_registered_certificate_is_told_apart_from_a_trusted_chain() {
    let folder = Folder::good();
    let (fine, expired) = (self_signed(&Leaf::named("partner")), self_signed(&Leaf::expired("partner")));
    folder.write_bytes("certs/partners.pem", &[fine.to_pem().unwrap(), expired.to_pem().unwrap()].concat());
    folder.edit(TENANT, "self_signed_certificates = []", "self_signed_certificates = [\"certs/partners.pem\"]");
    let said = folder.explain(&with_certificate(&fine));
    says(
        &said,
        &[
            "chain          failed\n",
            "verify         FAILED:self-signed certificate\n",
            "registered     by sha256, validity valid\n",
            "admission      verified by thumbprint, by no CA; waived: nothing\n",
            "sets           ssl-client-verify: FAILED:self-signed certificate\n",
            "decision       permit: GET /a to `core`\n",
        ],
    );
    let said = folder.explain(&with_certificate(&expired));
    says(
        &said,
        &[
            "registered     by sha256, validity expired\n",
            "  error        10: certificate has expired\n",
            "decision       refuse: 401 certificate_expired\n",
            "  cause        registered by sha256, but certificate has expired (error 10 at depth 0)\n",
        ],
    );
    let said = folder.explain(&with_certificate(&self_signed(&Leaf::named("partner"))));
    says(&said, &["decision       refuse: 401 certificate_untrusted\n"]);
    assert!(!said.contains("registered"), "{said}");
}

#[test]
fn a_good_request_is_told_stage_by_stage() {
    let folder = Folder::good();
    let said = folder.explain(&with_certificate(&folder.issuing.issue(&Leaf::named("client"))));
    says(
        &said,
        &[
            "front door     `nginx` for `api.example`, key 0\n",
            "client         127.0.0.1\n",
            "route          `/` to `core`, verification Enforce\n",
            "presented      CN=client,O=Vestibule Test\n",
            "chain          trusted\n",
            "revocation     not_revoked\n",
            "verify         SUCCESS\n",
            "admission      verified; waived: nothing\n",
            "consumer       `c1`, found by default_consumer\n  username     guest\n  custom_id    4711\n  groups       eu, beta\n",
            "rule           no contractors: did not match (request)\n",
            "  no   ${subject.O} is_equal \"Contractors\", found \"Vestibule Test\"\n",
            "rule           tell: matched (request)\n",
            "sets           ssl-client-verify: SUCCESS\n",
            "sets           x-cn: client\n",
            "sets           x-consumer-id: c1\n",
            "decision       permit: GET /a to `core`\n",
        ],
    );
    // What a token says, and not the token: it would be good for a minute.
    assert!(said.contains("sets           x-vestibule-identity: a signed token, {\"iat\":"), "{said}");
    assert!(said.contains("\"aud\":\"https://core.internal\",\"sub\":\"CN=client,O=Vestibule Test\""), "{said}");
    assert!(said.contains("sets           x-vestibule-user: {\"sub\":\"CN=client,O=Vestibule Test\""), "{said}");
    assert!(!said.contains("eyJ"), "{said}");
}

#[test]
fn the_head_is_refused_with_its_cause() {
    let folder = Folder::good();
    let key = format!("cname-api-key: {KEY}\r\n");
    for (head, code, cause) in [
        ("nonsense".to_owned(), "400 request_malformed", "the head is not HTTP/1"),
        ("GET / HTTP/2.0\r\nHost: a\r\n\r\n".into(), "400 request_malformed", "the head is not HTTP/1"),
        ("GET / HTTP/1.1\r\nHost : a\r\n\r\n".into(), "400 request_malformed", "the head is not HTTP/1"),
        ("GET /.. HTTP/1.1\r\nHost: a\r\n\r\n".into(), "400 request_target_invalid", "clients resolve them"),
        ("GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n".into(), "400 request_target_invalid", "not in origin form"),
        ("GET / HTTP/1.1\r\n\r\n".into(), "400 request_malformed", "host: not exactly one"),
        ("GET / HTTP/1.1\r\nHost: other\r\n\r\n".into(), "403 unknown_domain", "no domain `other`"),
        ("GET / HTTP/1.1\r\nHost: api.example\r\n\r\n".into(), "403 front_door_key_missing", "is missing"),
        (head(&[("cname-api-key", KEY)]), "403 front_door_key_repeated", "more than once"),
        (head(&[("client_certificate", "x")]), "400 contract_header_aliased", "is an alias of `client-certificate`"),
        (head(&[("x-forwarded-for", "1.2.3.4, 5.6.7.8")]), "400 client_address_invalid", "exactly one address"),
        (head(&[("x", "y"); 95]), "431 request_head_too_large", "more than 96 header lines"),
        (head(&[("x", "y"); 90]), "431 request_head_too_large", "92 header lines; 90 are allowed"),
        (head(&[("x", &"y".repeat(100_000))]), "431 request_head_too_large", "98304 are allowed"),
        (head(&[("x", &"y".repeat(200_000))]), "431 request_head_too_large", "more than 131072 bytes"),
        (format!("GET / HTTP/1.1\r\nHost: api.example\r\n{key}Host: b\r\n\r\n"), "400 request_malformed", "host"),
    ] {
        let said = folder.explain(&head);
        says(&said, &["front door     refused\n", &format!("decision       refuse: {code}\n"), "  cause        "]);
        assert!(said.lines().last().unwrap().contains(cause), "{said}");
        assert!(!said.contains(KEY), "{said}");
    }
}

#[test]
fn each_later_stage_refuses_with_its_cause() {
    let folder = Folder::good();
    folder.edit(TENANT, "policy = { allow_unauthenticated_requests = true }", "");
    folder.revoke(&[77]);
    let good = folder.issuing.issue(&Leaf::named("client"));
    let stranger = Ca::root("Stranger").issue(&Leaf::named("client"));
    let issue = |leaf: Leaf| with_certificate(&folder.issuing.issue(&leaf));
    for (head, code, cause) in [
        (head(&[]), "401 certificate_required", "no certificate was presented"),
        (head(&[("client-certificate", "")]), "400 certificate_header_empty", "is empty"),
        (head(&[("client-certificate", "%zz")]), "400 certificate_header_encoding", "a bad percent escape"),
        (head(&[("client-certificate", "hello")]), "400 certificate_header_not_pem", "does not start with"),
        (head(&[("client-certificate", &"a".repeat(17_000))]), "400 certificate_header_too_large", "16384 are allowed"),
        (
            head(&[("client-certificate", "-----BEGIN%20CERTIFICATE-----%0AMAMCAQE%3D%0A-----END%20CERTIFICATE-----%0A")]),
            "400 certificate_malformed",
            "certificate 1 of the header",
        ),
        (
            head(&[("client-certificate", &escaped(&good)), ("ssl_client_s_dn", "CN=other")]),
            "400 forwarded_dn_mismatch",
            "the subject DN",
        ),
        (
            head(&[("client-certificate", &escaped(&good)), ("client-certificate-ca-verified", "YES")]),
            "400 forwarded_verdict_unknown",
            "YES",
        ),
        (head(&[("client-certificate-ca-verified", "SUCCESS")]), "400 forwarded_verdict_contradicts", "no certificate"),
        (with_certificate(&stranger), "401 certificate_untrusted", "chain: unable to"),
        (with_certificate(&self_signed(&Leaf::named("me"))), "401 certificate_untrusted", "chain: self"),
        (with_certificate(&folder.issuing.forge(&Leaf::expired("me"))), "401 certificate_untrusted", "chain: "),
        (issue(Leaf { client_auth: false, ..Leaf::named("web") }), "401 certificate_purpose", "purpose: "),
        (issue(Leaf { serial: 77, ..Leaf::named("gone") }), "401 certificate_revoked", "revocation: certificate revoked"),
        (issue(Leaf::expired("old")), "401 certificate_expired", "validity: certificate has expired"),
        (issue(Leaf { dates: Dates::NOT_YET, ..Leaf::named("new") }), "401 certificate_not_yet_valid", "validity: "),
        (with_certificate(&good).replacen("GET", "PUT", 1), "404 no_route", "no route for PUT /a"),
    ] {
        let said = folder.explain(&head);
        says(&said, &["front door     `nginx`", &format!("decision       refuse: {code}\n")]);
        assert!(said.lines().last().unwrap().contains(cause), "{said}");
    }
    folder.edit(TENANT, "argument = \"Contractors\"", "argument = \"Vestibule Test\"");
    let said = folder.explain(&with_certificate(&good));
    says(
        &said,
        &[
            "rule           no contractors: matched (request)\n",
            "refuse: 403 denied_by_rule\n  cause        rule `no contractors`\n",
        ],
    );
}

#[test]
fn what_is_let_pass_is_told() {
    let folder = Folder::good();
    folder.edit(TENANT, "{ allow_unauthenticated_requests = true }", "{ allowExpiredCertificates = true }");
    let old = with_certificate(&folder.issuing.issue(&Leaf::expired("old")));
    says(
        &folder.explain(&old),
        &["waived: expired\n", "sets           ssl-client-verify: FAILED:certificate has expired\n", "permit"],
    );
    folder.edit(TENANT, "allowExpiredCertificates = true", "verification = \"permissive\"");
    says(&folder.explain(&old), &["admission      anonymous; certificate_expired: ", "permit"]);
    says(
        &folder.explain(&head(&[])),
        &["presented      no certificate\n", "admission      anonymous: NoCertificate\n", "permit"],
    );
    folder.edit(TENANT, "verification = \"permissive\"", "verification = \"off\"");
    folder.edit(TENANT, "subject.O", "http_x");
    folder.without_consumers();
    says(&folder.explain(&old), &["presented      no certificate\n", "admission      anonymous: VerificationOff\n", "permit"]);
}

#[test]
fn subrequests() {
    let folder = Folder::good();
    let good = escaped(&folder.issuing.issue(&Leaf::named("client")));
    let ask = |lines: &[(&str, &str)]| {
        let mut all = vec![("client-certificate", good.as_str())];
        all.extend(lines);
        folder.explain(&head(&all).replacen("/a", "/-/authorize", 1))
    };
    let said = ask(&[("x-original-uri", "/pay?x=1"), ("x-original-method", "POST")]);
    says(&said, &["authorize      asks about POST /pay?x=1\n", "decision       permit: POST /pay?x=1 to `core`\n"]);
    says(&ask(&[("x-original-method", "POST")]), &["refuse: 400 request_target_invalid\n", "`x-original-uri` is missing"]);
    says(&ask(&[("x-original-uri", "/x"), ("x-original-method", "DELETE")]), &["refuse: 404 no_route\n"]);
}

#[test]
fn heads_from_files_and_without_an_end() {
    let folder = Folder::good();
    let whole = head(&[]);
    let expected = folder.explain(&whole);
    for head in [whole.trim_end(), whole.strip_suffix("\r\n").unwrap(), &whole.replace("\r\n", "\n"), &format!("{whole}a body")]
    {
        assert_eq!(folder.explain(head), expected);
        folder.write("head", head);
        let path = folder.path("head");
        let ran = folder.run(&["explain", "--at", AT, path.to_str().unwrap()], &[], b"");
        assert_eq!((ran.code, ran.stdout), (0, expected.clone()));
    }
    let empty = folder.run(&["explain"], &[], b"");
    assert_eq!((empty.code, empty.stderr.as_str()), (64, "vestibule: there is no request head\n"));
}

#[test]
fn nothing_is_remembered_with_caches_of_no_entries() {
    let folder = Folder::good();
    folder.edit("vestibule.toml", "verification_cache_entries = 200", "verification_cache_entries = 0");
    folder.edit("vestibule.toml", "certificate_cache_entries = 100", "certificate_cache_entries = 0");
    says(&folder.explain(&with_certificate(&folder.issuing.issue(&Leaf::named("client")))), &["verify         SUCCESS\n"]);
}

#[test]
fn the_peer_is_an_argument() {
    let folder = Folder::good();
    let ran = folder.run(&["explain", "--peer", "2001:db8::1"], &[], head(&[]).as_bytes());
    says(&ran.stdout, &["client         2001:db8::1\n"]);
    let said = folder.run(&["explain", "--peer", "2001:db8::1"], &[], head(&[("x-forwarded-for", "192.0.2.1")]).as_bytes());
    says(&said.stdout, &["client         192.0.2.1\n"]);
}

#[test]
fn control_bytes_of_a_certificate_do_not_reach_the_terminal() {
    let folder = Folder::good();
    let certificate = folder.issuing.issue(&Leaf::named("\u{1b}[31mred\r\nsets x: y"));
    let said = folder.explain(&with_certificate(&certificate));
    says(&said, &["permit"]);
    assert!(said.bytes().all(|byte| byte == b'\n' || (b' '..=b'~').contains(&byte)), "{said:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn hostile_heads_are_answered(
        method in "GET|[A-Z]{1,8}|[ -~]{0,5}",
        target in "/[ -~]{0,30}|/a?[\u{80}-\u{a0}]{1,3}|[^\r\n]{0,20}",
        lines in prop::collection::vec(("(client-certificate|x-forwarded-for|connection|cookie|host|[a-z_.-]{1,12})", "[ -~]{0,60}|\\PC{0,20}"), 0..6),
        cut in prop_oneof![3 => Just(0usize), 1 => 0usize..400],
    ) {
        let folder = shared();
        let lines: Vec<(&str, &str)> = lines.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let mut bytes = head(&lines).replacen("GET /a", &format!("{method} {target}"), 1).into_bytes();
        bytes.truncate(bytes.len().saturating_sub(cut).max(1));
        let mut command = vestibule();
        command.args(["explain", "--at", AT, "--config"]).arg(folder.path(""));
        let ran = crate::edge_config::run(&mut command, &bytes);
        prop_assert_eq!(ran.code, 0, "{}", ran.stderr);
        prop_assert!(ran.stdout.contains("decision       "), "{}", ran.stdout);
        prop_assert!(ran.stdout.chars().all(|one| one == '\n' || !one.is_control()), "{:?}", ran.stdout);
    }
}

fn shared() -> &'static Folder {
    static FOLDER: std::sync::OnceLock<Folder> = std::sync::OnceLock::new();
    FOLDER.get_or_init(Folder::good)
}

/// A front door that signs: `explain` says by which key, and uses no nonce up.
#[test]
fn a_signed_request_is_explained_as_often_as_one_likes() {
    use openssl::{hash::MessageDigest, pkey::PKey, sign::Signer};
    let folder = Folder::good();
    folder.edit(TENANT, "front_door = \"nginx\"", "front_door = \"signing\"");
    folder.edit(TENANT, "proofs = [\"api_key\", \"network\", \"signature\", \"unix\"]", "proofs = [\"signature\"]");
    let unused = ["networks", "unix_users", "unix_groups", "signature_tag", "signature_components", "cname_api_keys"];
    let text = folder.read(TENANT);
    let kept: Vec<&str> = text.lines().filter(|line| !unused.iter().any(|key| line.starts_with(&format!("{key} =")))).collect();
    folder.write(TENANT, &kept.join("\n"));
    let created = crate::pki::NOW.0;
    let parameters = format!(
        "(\"@method\" \"@authority\" \"@path\" \"@query\" \"client-certificate-ca-verified\");created={created};nonce=\"n\";keyid=\"edge1\""
    );
    let base = format!(
        "\"@method\": GET\n\"@authority\": api.example\n\"@path\": /a\n\"@query\": ?\n\"client-certificate-ca-verified\": NONE\n\"@signature-params\": {parameters}"
    );
    let key = openssl::base64::decode_block(crate::edge_config::SIGNATURE_KEY.trim()).unwrap();
    let key = PKey::hmac(&key).unwrap();
    let signature = Signer::new(MessageDigest::sha256(), &key).unwrap().sign_oneshot_to_vec(base.as_bytes()).unwrap();
    let head = format!(
        "GET /a HTTP/1.1\r\nHost: api.example\r\nclient-certificate-ca-verified: NONE\r\nsignature-input: edge={parameters}\r\n\
         signature: edge=:{}:\r\n\r\n",
        openssl::base64::encode_block(&signature)
    );
    for _ in 0..2 {
        let ran = folder.run(&["explain", "--at", AT], &[], head.as_bytes());
        says(&ran.stdout, &["front door     `signing` for `api.example`, signed with `edge1`", "decision       permit"]);
    }
    let late = folder.run(&["explain", "--at", "2026-01-15T12:05:00Z"], &[], head.as_bytes());
    says(&late.stdout, &["front door     refused", "403 signature_too_old"]);
}
