use std::sync::Arc;

use http::{Method, StatusCode};

use super::*;
use crate::front_door::replay::{NonceMemory, Replay};
use crate::front_door::{
    AuthenticatedForward, ContractHeader, Directory, Domain, DomainParts, ForwardedMismatch, FrontDoor, HeadLimits, Preset,
    Proof, Proofs, VerdictMode,
};
use crate::header_names::HeaderNames;
use crate::request_head::{Connection, RequestHead, RequestTarget};
use proptest::prelude::*;

const HOST: &str = "front.example.test";
const VECTORS: &str = include_str!("../../../../tests/vectors/front-doors/rfc9421-hmac.json");
const NOW: i64 = 1_800_000_000;

fn key(keyid: &str, secret: &[u8]) -> NamedKey {
    NamedKey { keyid: keyid.into(), key: SignatureKey::short(secret) }
}

fn proof() -> SignatureProof {
    SignatureProof {
        label: "edge".into(),
        tag: None,
        components: vec![HeaderName::from_static("x-client-verify")],
        max_age: Duration::from_secs(60),
        clock_tolerance: Duration::from_secs(5),
        keys: vec![key("edge1", b"test-key"), key("edge2", b"next-key")],
    }
}

fn directory(proof: SignatureProof) -> Directory {
    let name = HeaderName::from_static;
    let headers = [
        (ContractHeader::Certificate, name("client-cert")),
        (ContractHeader::Verdict, name("x-client-verify")),
        (ContractHeader::ClientAddress, name("x-forwarded-for")),
    ];
    let domain = Arc::new(Domain::new(DomainParts {
        name: HOST.into(),
        mtls_host: None,
        tenant: 0,
        front_door: Arc::new(FrontDoor {
            name: "edge".into(),
            proofs: Proofs::new(vec![Proof::Signature(Box::new(proof))]).unwrap(),
            certificate_header_max: 16_384,
            forwarded_verdict: VerdictMode::Ignore,
            forwarded_mismatch: ForwardedMismatch::Refuse,
            require_sni: false,
            format: Preset::find("rfc9440").unwrap().format(),
        }),
        contract: Contract::new(name("cname-api-key"), &headers).unwrap(),
        api_keys: None,
        client_ip_header: name("x-forwarded-for"),
        reserved: HeaderNames::default(),
    }));
    let mut directory = Directory::new(HeadLimits { header_count: 96, header_bytes: 96 << 10, allow_path_parameters: false });
    for host in [HOST, "www.example.com"] {
        directory.add(host, Arc::clone(&domain)).unwrap();
    }
    directory
}

fn read(text: &str) -> RequestHead {
    let mut lines = text.split("\r\n").take_while(|line| !line.is_empty());
    let mut start = lines.next().unwrap().split(' ');
    let method = Method::from_bytes(start.next().unwrap().as_bytes()).unwrap();
    let target = RequestTarget::parse(start.next().unwrap()).unwrap();
    let mut headers = HeaderMap::new();
    for line in lines {
        let (name, value) = line.split_once(": ").unwrap_or_else(|| (line.trim_end_matches(':'), ""));
        headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap());
    }
    let connection = Connection::from_address("192.0.2.1".parse().unwrap());
    RequestHead { method, target, headers, connection }
}

fn authenticate(proof: SignatureProof, head: RequestHead, now: i64) -> Result<AuthenticatedForward, Refused> {
    AuthenticatedForward::unremembered(&directory(proof), head, UnixTime(now))
}

fn code(outcome: Result<AuthenticatedForward, Refused>) -> &'static str {
    match outcome {
        Ok(_) => "passes",
        Err(refused) => {
            if refused.refusal.code().starts_with("signature") {
                assert_eq!(refused.refusal.status(), StatusCode::FORBIDDEN.as_u16());
                assert_eq!(refused.refusal.sentence(), Refusal::FrontDoorKeyWrong.sentence());
            }
            assert!(!refused.cause.contains("test-key"), "{refused}");
            refused.refusal.code()
        }
    }
}

/// What `Signature` must be for these components and parameters.
fn sign(head: &mut RequestHead, input: &str, secret: &[u8]) {
    use base64::Engine as _;
    use hmac::{Hmac, KeyInit, Mac};
    let mut base = String::new();
    for component in input.split(')').next().unwrap().trim_start_matches('(').split_whitespace() {
        let name = component.split(';').next().unwrap().trim_matches('"');
        let value = match name {
            "@method" => head.method.to_string(),
            "@authority" => HOST.into(),
            "@path" => head.target.raw_path().to_owned(),
            "@query" => format!("?{}", head.target.query().unwrap_or_default()),
            "@request-target" => head.target.raw().to_owned(),
            name => {
                let values: Vec<_> = head.headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect();
                values.join(", ")
            }
        };
        base.push_str(&format!("{component}: {value}\n"));
    }
    base.push_str(&format!("\"@signature-params\": {input}"));
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret).unwrap();
    mac.update(base.as_bytes());
    let signature = base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes());
    head.headers.insert(&INPUT, HeaderValue::from_str(&format!("edge={input}")).unwrap());
    head.headers.insert(&SIGNATURE, HeaderValue::from_str(&format!("edge=:{signature}:")).unwrap());
}

const COVERED: &str = r#"("@method" "@authority" "@path" "@query" "client-cert" "x-client-verify")"#;

fn request() -> RequestHead {
    read(&format!("GET /t?q=1 HTTP/1.1\r\nhost: {HOST}\r\nclient-cert: :AAEC:\r\nx-client-verify: SUCCESS\r\n\r\n"))
}

fn parameters() -> String {
    format!(r#";created={NOW};nonce="n1";alg="hmac-sha256";keyid="edge1""#)
}

/// The outcome for components and parameters, rightly signed.
fn signed(components: &str, parameters: &str) -> &'static str {
    let mut head = request();
    sign(&mut head, &format!("{components}{parameters}"), b"test-key");
    code(authenticate(proof(), head, NOW))
}

fn vectors() -> Vec<(String, String, i64)> {
    let file: serde_json::Value = serde_json::from_str(VECTORS).unwrap();
    let vectors = file["vectors"].as_array().unwrap().iter().map(|vector| {
        let text = vector["forwarded_latin1"].as_str().unwrap().to_owned();
        let created = text.split("created=").nth(1).unwrap().split(';').next().unwrap().parse().unwrap();
        (vector["id"].as_str().unwrap().to_owned(), text, created)
    });
    vectors.collect()
}

#[test]
fn what_haproxy_and_njs_signed_is_verified() {
    let all = vectors();
    assert_eq!(all.len(), 16);
    for (id, text, created) in all {
        for now in [created, created + 60, created + 65, created - 5] {
            let forward = authenticate(proof(), read(&text), now).unwrap_or_else(|why| panic!("{id}: {why}"));
            assert_eq!(forward.keyid().unwrap().as_ref(), "edge1");
            assert_eq!(
                forward.contract().get(ContractHeader::Certificate).is_some(),
                text.to_lowercase().contains("\r\nclient-cert: "),
                "{id}"
            );
            assert!(!forward.headers().contains_key("signature") && !forward.headers().contains_key("signature-input"));
        }
        for (now, expected) in [(created + 66, "signature_too_old"), (created - 6, "signature_from_the_future")] {
            assert_eq!(code(authenticate(proof(), read(&text), now)), expected, "{id}");
        }
        let mut other = proof();
        other.keys = vec![key("edge1", b"Test-key")];
        assert_eq!(code(authenticate(other, read(&text), created)), "signature_wrong", "{id}");
        let mut other = proof();
        other.keys = vec![key("edge3", b"test-key")];
        assert_eq!(code(authenticate(other, read(&text), created)), "signature_key_unknown", "{id}");
    }
}

#[test]
fn every_covered_byte_counts() {
    for (id, text, created) in vectors() {
        let end = text.find("\r\n\r\n").unwrap();
        let outcomes = (0..end).filter_map(|at| {
            let byte = text.as_bytes()[at];
            let line = text[..at].rfind("\r\n").map_or(0, |line| line + 2);
            let name = text[line..].split([':', ' ']).next().unwrap().to_lowercase();
            // Names, line ends, the version and what nobody signed are not covered.
            let in_value = at > line + name.len() + 1 || line == 0;
            let covered = ["get", "client-cert", "x-client-verify", "signature-input", "signature"].contains(&name.as_str());
            let version = line == 0 && at > text.find(" HTTP/").unwrap();
            // Base64 has spare bits in its last digit.
            let spare = name == "signature" && text.as_bytes()[at + 1] == b'=';
            if spare || !byte.is_ascii_graphic() || !in_value || !covered || version || (line == 0 && byte == b'/') {
                return None;
            }
            let mut altered = text.clone().into_bytes();
            altered[at] = if byte == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(altered).unwrap();
            let outcome = code(authenticate(proof(), read(&altered), created));
            Some((outcome, altered[line..].split("\r\n").next().unwrap().to_owned()))
        });
        let mut changed = 0;
        for (outcome, line) in outcomes {
            assert!(outcome.starts_with("signature_"), "{id}: {outcome} {line}");
            changed += 1;
        }
        assert!(changed > 100, "{id}: {changed}");
    }
}

type Change<'c> = &'c dyn Fn(&mut RequestHead);
/// Lines of `Signature-Input` and `Signature`, of the right ones.
type Edit<'e> = &'e dyn Fn(&str, &str) -> (Vec<String>, Vec<String>);

#[test]
fn covered_parts_cannot_be_added_taken_away_or_exchanged() {
    let changes: [(&str, Change, &str); 11] = [
        ("method", &|head| head.method = Method::POST, "signature_wrong"),
        ("path", &|head| head.target = RequestTarget::parse("/T?q=1").unwrap(), "signature_wrong"),
        ("escape", &|head| head.target = RequestTarget::parse("/%74?q=1").unwrap(), "signature_wrong"),
        ("query", &|head| head.target = RequestTarget::parse("/t?q=2").unwrap(), "signature_wrong"),
        ("no query", &|head| head.target = RequestTarget::parse("/t").unwrap(), "signature_wrong"),
        ("host", &|head| drop(head.headers.insert("host", HeaderValue::from_static("www.example.com"))), "signature_wrong"),
        ("certificate", &|head| drop(head.headers.remove("client-cert")), "signature_wrong"),
        ("another", &|head| assert!(head.headers.append("client-cert", HeaderValue::from_static(":AAEC:"))), "signature_wrong"),
        ("status", &|head| drop(head.headers.remove("x-client-verify")), "signature_uncovered"),
        (
            "empty status",
            &|head| drop(head.headers.insert("x-client-verify", HeaderValue::from_static(""))),
            "signature_uncovered",
        ),
        (
            "address",
            &|head| drop(head.headers.insert("x-forwarded-for", HeaderValue::from_static("192.0.2.9"))),
            "signature_uncovered",
        ),
    ];
    for (what, change, expected) in changes {
        let mut head = request();
        sign(&mut head, &format!("{COVERED}{}", parameters()), b"test-key");
        change(&mut head);
        assert_eq!(code(authenticate(proof(), head, NOW)), expected, "{what}");
    }
    // What nobody signed may change.
    let mut head = request();
    sign(&mut head, &format!("{COVERED}{}", parameters()), b"test-key");
    head.headers.insert("x-other", HeaderValue::from_static("1"));
    assert_eq!(code(authenticate(proof(), head, NOW)), "passes");
}

#[test]
fn components_that_must_be_covered() {
    for (components, expected) in [
        (COVERED, "passes"),
        (r#"("x-client-verify" "client-cert" "@query" "@path" "@authority" "@method")"#, "passes"),
        (r#"("@method" "@authority" "@request-target" "client-cert" "x-client-verify")"#, "passes"),
        (r#"( "@method"  "@authority" "@path" "@query" "client-cert" "x-client-verify" )"#, "passes"),
        (r#"("@authority" "@path" "@query" "client-cert" "x-client-verify")"#, "signature_uncovered"),
        (r#"("@method" "@path" "@query" "client-cert" "x-client-verify")"#, "signature_uncovered"),
        (r#"("@method" "@authority" "@query" "client-cert" "x-client-verify")"#, "signature_uncovered"),
        (r#"("@method" "@authority" "@path" "client-cert" "x-client-verify")"#, "signature_uncovered"),
        (r#"("@method" "@authority" "@path" "@query" "x-client-verify")"#, "signature_uncovered"),
        (r#"("@method" "@authority" "@path" "@query" "client-cert")"#, "signature_uncovered"),
        ("()", "signature_uncovered"),
        (r#"("@method" "@authority" "@path" "@query" "client-cert" "x-client-verify" "x-not-there")"#, "signature_wrong"),
        (r#"("@method" "@authority" "@path" "@query" "client-cert" "client-cert" "x-client-verify")"#, "signature_malformed"),
        (r#"("@method" "@authority" "@path" "@query" "client-cert";sf "x-client-verify")"#, "signature_malformed"),
        (r#"("@method" "@authority" "@path" "@query" "client-cert";bs "x-client-verify")"#, "signature_malformed"),
        (r#"("@method";req "@authority" "@path" "@query" "client-cert" "x-client-verify")"#, "signature_malformed"),
        (r#"("@method" "@authority" "@path" "@query" "client-cert" "x-client-verify" "@target-uri")"#, "signature_malformed"),
        (r#"("@method" "@authority" "@path" "@query" "Client-Cert" "x-client-verify")"#, "signature_malformed"),
        (r#"("@method" "@authority" "@path" "@query" client-cert "x-client-verify")"#, "signature_malformed"),
        (r#""@method""#, "signature_malformed"),
    ] {
        assert_eq!(signed(components, &parameters()), expected, "{components}");
    }
    let many: Vec<String> = (0..65).map(|number| format!("\"x-{number}\"")).collect();
    assert_eq!(signed(&format!("({})", many.join(" ")), &parameters()), "signature_malformed");
}

#[test]
fn parameters_in_any_order_and_no_others() {
    let at = |shift: i64| NOW + shift;
    let with = |alg: &str| format!(r#";created={NOW};nonce="n";alg={alg};keyid="edge1""#);
    for (parameters, expected) in [
        (parameters(), "passes"),
        (format!(r#";keyid="edge1";nonce="n";created={NOW}"#), "passes"),
        (format!(r#";tag="anything";nonce="n";keyid="edge1";created={NOW};expires={}"#, at(1)), "passes"),
        (format!(r#";  keyid="edge1"; nonce="n";created={NOW}"#), "passes"),
        (format!(r#";nonce="n\"\\,";keyid="edge1";created={NOW}"#), "passes"),
        (r#";nonce="n";keyid="edge1""#.to_owned(), "signature_malformed"),
        (format!(r#";created={NOW};keyid="edge1""#), "signature_malformed"),
        (format!(r#";created={NOW};nonce="n""#), "signature_malformed"),
        (format!(r#";created={NOW};nonce="";keyid="edge1""#), "signature_malformed"),
        (format!(r#";created={NOW};nonce="{}";keyid="edge1""#, "n".repeat(129)), "signature_malformed"),
        (format!(r#";created="{NOW}";nonce="n";keyid="edge1""#), "signature_malformed"),
        (format!(r#";created={NOW}.0;nonce="n";keyid="edge1""#), "signature_malformed"),
        (format!(r#";created={NOW};nonce=n;keyid="edge1""#), "signature_malformed"),
        (format!(r#";created={NOW};nonce="n";keyid="edge1";more=1"#), "signature_malformed"),
        (format!(r#";created={NOW};created={NOW};nonce="n";keyid="edge1""#), "signature_malformed"),
        (format!(r#";created={NOW};nonce="n";nonce="n";keyid="edge1""#), "signature_malformed"),
        (with(r#""hmac-sha256""#), "passes"),
        (with(r#""rsa-v1_5-sha256""#), "signature_malformed"),
        (with(r#""none""#), "signature_malformed"),
        (with(r#""""#), "signature_malformed"),
        (with("hmac-sha256"), "signature_malformed"),
        (format!(r#";created={NOW};nonce="n";keyid="edge3""#), "signature_key_unknown"),
        (format!(r#";created={NOW};nonce="n";keyid="EDGE1""#), "signature_key_unknown"),
        (format!(r#";created={NOW};nonce="n";keyid="edge2""#), "signature_wrong"),
        (format!(r#";created={};nonce="n";keyid="edge1""#, at(-65)), "passes"),
        (format!(r#";created={};nonce="n";keyid="edge1""#, at(-66)), "signature_too_old"),
        (format!(r#";created={};nonce="n";keyid="edge1""#, at(5)), "passes"),
        (format!(r#";created={};nonce="n";keyid="edge1""#, at(6)), "signature_from_the_future"),
        (r#";created=999999999999999;nonce="n";keyid="edge1""#.to_owned(), "signature_from_the_future"),
        (r#";created=-999999999999999;nonce="n";keyid="edge1""#.to_owned(), "signature_too_old"),
        (format!(r#";created={};expires={};nonce="n";keyid="edge1""#, at(-20), at(-5)), "passes"),
        (format!(r#";created={};expires={};nonce="n";keyid="edge1""#, at(-20), at(-6)), "signature_too_old"),
        // `expires` shortens and never lengthens.
        (format!(r#";created={};expires={};nonce="n";keyid="edge1""#, at(-66), at(100)), "signature_too_old"),
    ] {
        assert_eq!(signed(COVERED, &parameters), expected, "{parameters}");
    }
}

#[test]
fn a_tag_must_be_the_configured_one() {
    for (sent, expected) in [(";tag=\"app\"", "passes"), (";tag=\"other\"", "signature_malformed"), ("", "signature_malformed")]
    {
        let mut head = request();
        sign(&mut head, &format!("{COVERED}{}{sent}", parameters()), b"test-key");
        assert_eq!(code(authenticate(SignatureProof { tag: Some("app".into()), ..proof() }, head, NOW)), expected, "{sent}");
    }
}

#[test]
fn one_label_counts_and_others_stay() {
    let edit = |change: Edit| {
        let mut head = request();
        sign(&mut head, &format!("{COVERED}{}", parameters()), b"test-key");
        let text = |name: &HeaderName| head.headers.get(name).unwrap().to_str().unwrap().to_owned();
        let (inputs, signatures) = change(&text(&INPUT), &text(&SIGNATURE));
        for (name, lines) in [(&INPUT, inputs), (&SIGNATURE, signatures)] {
            head.headers.remove(name);
            for line in lines {
                head.headers.append(name, HeaderValue::from_str(&line).unwrap());
            }
        }
        authenticate(proof(), head, NOW)
    };
    let one = |text: &str| vec![text.to_owned()];
    let others = [
        edit(&|input, signature| (one(&format!("sig1=(\"x,y\");a=\",\", {input}")), one(&format!("sig1=:AAAA:, {signature}")))),
        edit(&|input, signature| {
            (vec![input.into(), "sig1=(\"x,y\");a=\",\"".into()], vec![signature.into(), "sig1=:AAAA:".into()])
        }),
    ];
    for forward in others {
        let forward = forward.unwrap();
        assert_eq!(forward.headers().get(INPUT).unwrap(), "sig1=(\"x,y\");a=\",\"");
        assert_eq!(forward.headers().get(SIGNATURE).unwrap(), "sig1=:AAAA:");
    }
    let table: [(&str, Result<AuthenticatedForward, Refused>); 13] = [
        ("signature_missing", edit(&|_, signature| (Vec::new(), one(signature)))),
        ("signature_missing", edit(&|input, _| (one(input), Vec::new()))),
        ("signature_missing", edit(&|input, signature| (one(&input.replace("edge=", "other=")), one(signature)))),
        ("signature_missing", edit(&|input, signature| (one(input), one(&signature.replace("edge=", "other="))))),
        ("signature_malformed", edit(&|input, signature| (vec![input.into(), input.into()], one(signature)))),
        ("signature_malformed", edit(&|input, signature| (one(&format!("{input}, {input}")), one(signature)))),
        ("signature_malformed", edit(&|input, signature| (one(input), vec![signature.into(), signature.into()]))),
        ("signature_malformed", edit(&|input, signature| (one(input), one(&format!("{signature};a"))))),
        ("signature_malformed", edit(&|input, signature| (one(input), one(&signature.replace(':', ""))))),
        ("signature_malformed", edit(&|input, _| (one(input), one("edge=(:AAAA:)")))),
        ("signature_malformed", edit(&|input, signature| (one(&format!("x=\", {input}")), one(signature)))),
        ("signature_malformed", edit(&|input, signature| (one(&format!("{input},")), one(signature)))),
        ("signature_wrong", edit(&|input, _| (one(input), one("edge=:AAAA:")))),
    ];
    for (at, (expected, outcome)) in table.into_iter().enumerate() {
        assert_eq!(code(outcome), expected, "{at}");
    }
}

#[test]
fn a_replay_is_told_by_its_nonce_alone() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let replay = Replay::Memory(NonceMemory::new(1_000, UnixTime(NOW - 1_000)));
    let directory = directory(proof());
    let ask = |parameters: &str, secret: &[u8], now: i64| {
        let mut head = request();
        sign(&mut head, &format!("{COVERED}{parameters}"), secret);
        code(runtime.block_on(AuthenticatedForward::authenticate(&directory, head, UnixTime(now), &replay)))
    };
    let first = parameters();
    let later = first.replace(&NOW.to_string(), &(NOW + 1).to_string());
    let other_key = first.replace("edge1", "edge2");
    for (parameters, secret, now, expected) in [
        // A signature that does not fit uses no nonce up.
        (&first, &b"guess"[..], NOW, "signature_wrong"),
        (&first, b"test-key", NOW, "passes"),
        (&first, b"test-key", NOW, "signature_replayed"),
        (&first, b"test-key", NOW + 65, "signature_replayed"),
        (&later, b"test-key", NOW + 1, "signature_replayed"),
        (&other_key, b"next-key", NOW, "passes"),
    ] {
        assert_eq!(ask(parameters, secret, now), expected, "{parameters} {now}");
    }
    assert_eq!(replay.remembered(), 2);
}

#[test]
fn a_subrequests_question_must_be_signed_too() {
    let names = (HeaderName::from_static("x-original-uri"), HeaderName::from_static("x-original-method"));
    for (more, passes) in [("", false), (" \"x-original-uri\"", false), (" \"x-original-uri\" \"x-original-method\"", true)] {
        let mut head = request();
        head.headers.insert(&names.0, HeaderValue::from_static("/pay"));
        head.headers.insert(&names.1, HeaderValue::from_static("POST"));
        sign(&mut head, &format!("{}{more}){}", COVERED.trim_end_matches(')'), parameters()), b"test-key");
        let forward = authenticate(proof(), head, NOW).unwrap();
        let original = forward.into_original(&names.0, &names.1);
        assert_eq!(original.is_ok(), passes, "{more}");
        assert!(passes || original.is_err_and(|refused| refused.refusal == Refusal::SignatureUncovered));
    }
}

#[test]
fn the_authority_is_the_host_without_the_port_of_https() {
    for (host, expected) in [
        ("Front.Example.TEST", "passes"),
        ("front.example.test:443", "passes"),
        ("front.example.test:8443", "signature_wrong"),
        ("front.example.test.", "signature_wrong"),
    ] {
        let mut head = request();
        sign(&mut head, &format!("{COVERED}{}", parameters()), b"test-key");
        head.headers.insert("host", HeaderValue::from_static(host));
        assert_eq!(code(authenticate(proof(), head, NOW)), expected, "{host}");
    }
}

/// RFC 9421 appendix B.2.5, with the request of B.2.
#[test]
fn the_example_of_the_rfc() {
    let head = read(
        "POST /foo?param=Value&Pet=dog HTTP/1.1\r\nHost: example.com\r\nDate: Tue, 20 Apr 2021 02:07:55 GMT\r\nContent-Type: application/json\r\n\r\n",
    );
    let field = br#"sig-b25=("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret""#;
    let secret = "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==";
    let key = SignatureKey::parse(secret).unwrap();
    let input = Input::parse(field, "sig-b25").unwrap();
    let signature = input::signature(b"sig-b25=:pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=:", "sig-b25").unwrap();
    input.verify(&head, &key, &signature).unwrap();
    assert!(input.verify(&head, &SignatureKey::short(b"another"), &signature).is_err());
    let mut other = head;
    other.headers.insert("date", HeaderValue::from_static("Tue, 20 Apr 2021 02:07:56 GMT"));
    assert!(input.verify(&other, &key, &signature).is_err());
}

#[test]
fn what_a_stranger_wrote_does_not_fill_the_log() {
    let long = "x".repeat(5_000);
    for (components, parameters) in [
        (format!("(\"@{long}\")"), parameters()),
        (format!("(\"@method\";{long})"), parameters()),
        (COVERED.to_owned(), parameters().replace("edge1", &long)),
        (COVERED.to_owned(), parameters().replace("hmac-sha256", &long)),
        (COVERED.replace("@path", &long), parameters()),
    ] {
        let mut head = request();
        sign(&mut head, &format!("{components}{parameters}"), b"test-key");
        let refused = authenticate(proof(), head, NOW).unwrap_err();
        assert!(refused.cause.len() < 200, "{refused}");
    }
}

proptest! {
    #[test]
    fn no_input_passes_unsigned(input in "[ -~]{0,80}", signature in "[ -~]{0,60}") {
        let mut head = request();
        head.headers.insert(&INPUT, HeaderValue::from_str(&input).unwrap());
        head.headers.insert(&SIGNATURE, HeaderValue::from_str(&signature).unwrap());
        prop_assert!(code(authenticate(proof(), head, NOW)).starts_with("signature_"));
    }

    #[test]
    fn the_raw_member_is_what_the_parser_read(before in r#"(a=\("b,c" "\\"d"\);e="f,", )?"#, nonce in r#"([ !#-\[\]-~]|\\"|\\\\){1,20}"#) {
        let member = format!(r#"("@method" "x");nonce="{nonce}";created=1"#);
        let field = format!("{before}edge={member}, z=1");
        let input = Input::parse(field.as_bytes(), "edge").unwrap();
        prop_assert_eq!(members::raw_value(field.as_bytes(), "edge").unwrap(), member.as_bytes());
        prop_assert_eq!(input.components.len(), 2);
    }
}
