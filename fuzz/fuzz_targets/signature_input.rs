//! Any octets as `Signature-Input` (RFC 9421), signed by whoever has the key, so that everything behind the syntax is reached.
//! What passes is complete for another reader, and is a signature over just this request.
#![no_main]

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use libfuzzer_sys::fuzz_target;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use sfv::{Dictionary, FieldType, InnerList, ListEntry, Parser};
use vestibule::clock::UnixTime;
use vestibule::front_door::{
    AuthenticatedForward, Contract, ContractHeader, Directory, Domain, DomainParts, ForwardedMismatch, FrontDoor, HeadLimits,
    NamedKey, Preset, Proof, Proofs, SignatureProof, VerdictMode,
};
use vestibule::header_names::HeaderNames;
use vestibule::refusal::Refusal;
use vestibule::request_head::{Connection, RequestHead, RequestTarget};
use vestibule::secret::SignatureKey;
use vestibule_fuzz::encoders::base64;

const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";
const NOW: UnixTime = UnixTime(1_800_000_000);
const HOST: &str = "front.example.test";
const LINES: [(&str, &str); 5] = [
    ("host", HOST),
    ("client-cert", ":MAMCAQE=:"),
    ("x-client-verify", "NONE"),
    ("x-forwarded-for", "203.0.113.9"),
    ("x-other", "a"),
];
/// Header lines that a signature must cover.
const DEMANDED: [&str; 3] = ["client-cert", "x-client-verify", "x-forwarded-for"];

static DIRECTORY: LazyLock<Directory> = LazyLock::new(|| {
    let name = HeaderName::from_static;
    let key = SignatureKey::parse(&base64(SECRET)).unwrap();
    let proof = SignatureProof {
        label: "edge".into(),
        tag: None,
        components: vec![name("x-client-verify")],
        max_age: Duration::from_secs(60),
        clock_tolerance: Duration::from_secs(5),
        keys: vec![NamedKey { keyid: "edge1".into(), key }],
    };
    let headers = [
        (ContractHeader::Certificate, name("client-cert")),
        (ContractHeader::Verdict, name("x-client-verify")),
        (ContractHeader::ClientAddress, name("x-forwarded-for")),
    ];
    let domain = Domain::new(DomainParts {
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
    });
    let mut directory = Directory::new(HeadLimits { header_count: 96, header_bytes: 96 << 10, allow_path_parameters: false });
    directory.add(HOST, Arc::new(domain)).unwrap();
    directory
});

/// The request; the line at `changed` says something else (0 to 4: header lines, 5: method, 6: path, 7: query).
fn outcome(input: &HeaderValue, signature: &str, changed: Option<usize>) -> Result<AuthenticatedForward, Refusal> {
    let mut headers = HeaderMap::new();
    for (at, (name, value)) in LINES.into_iter().enumerate() {
        let value = if changed == Some(at) && at > 0 { format!("{value}0") } else { value.to_owned() };
        headers.append(HeaderName::from_static(name), HeaderValue::from_str(&value).unwrap());
    }
    headers.append("signature-input", input.clone());
    headers.append("signature", HeaderValue::from_str(signature).unwrap());
    let method = if changed == Some(5) { Method::POST } else { Method::GET };
    let target = match changed {
        Some(6) => "/payments/2?a=b",
        Some(7) => "/payments/1?a=c",
        _ => "/payments/1?a=b",
    };
    let connection = Connection::from_address("192.0.2.1".parse().unwrap());
    let head = RequestHead { method, target: RequestTarget::parse(target).unwrap(), headers, connection };
    AuthenticatedForward::unremembered(&DIRECTORY, head, NOW).map_err(|refused| refused.refusal)
}

fuzz_target!(|input: &[u8]| {
    let Ok(field) = HeaderValue::from_bytes(input) else { return };
    let dictionary: Option<Dictionary> = Parser::new(field.as_bytes()).parse().ok();
    let ours = dictionary.as_ref().and_then(|all| match all.get("edge") {
        Some(ListEntry::InnerList(list)) => Some(list),
        _ => None,
    });
    let Some(list) = ours else {
        let refused = outcome(&field, "edge=:AAAA:", None).expect_err("not without a list of components");
        assert!(matches!(refused, Refusal::SignatureMalformed | Refusal::SignatureMissing), "{refused:?}");
        return;
    };
    let written = written(list);
    let signature = format!("edge=:{}:", sign(&base(list), &written));
    let sound = sound(list);
    match outcome(&field, &signature, None) {
        Ok(forward) => {
            assert!(sound, "it passes only when it is sound for another reader");
            let signed = [b"edge=", written.as_bytes()].concat();
            assert!(field.as_bytes().windows(signed.len()).any(|window| window == signed), "what was signed is what was sent");
            assert_eq!(forward.headers().contains_key("signature"), false, "our signature does not go on");
            for changed in (1..8).filter(|at| *at != 4 || covers(list, "x-other")) {
                let refused = outcome(&field, &signature, Some(changed)).expect_err("what is covered cannot be changed");
                assert_eq!(refused, Refusal::SignatureWrong, "{changed}");
            }
        }
        Err(refused) => {
            // A key that stands twice is one for the other reader.
            let plain = input == format!("edge={written}").as_bytes();
            assert!(!(sound && plain), "refused as {refused:?}");
        }
    }
    let refused = outcome(&field, "edge=:AAAA:", None).expect_err("nobody guesses a signature");
    assert_eq!(sound && refused != Refusal::SignatureWrong && input == format!("edge={written}").as_bytes(), false);
});

fn names(list: &InnerList) -> Option<Vec<&str>> {
    let name = |item: &sfv::Item| item.bare_item.as_string().filter(|_| item.params.is_empty()).is_some();
    if !list.items.iter().all(name) {
        return None;
    }
    Some(list.items.iter().filter_map(|item| Some(item.bare_item.as_string()?.as_str())).collect())
}

fn covers(list: &InnerList, name: &str) -> bool {
    names(list).is_some_and(|names| names.contains(&name))
}

/// Whether this is all that RFC 9421 and the configuration ask for, and nothing that the program does not implement.
fn sound(list: &InnerList) -> bool {
    let Some(names) = names(list) else { return false };
    let mut distinct = names.clone();
    distinct.sort_unstable();
    distinct.dedup();
    let known = |name: &&str| {
        let there = LINES.iter().any(|(line, _)| line == name) || *name == "signature-input";
        there || ["@method", "@authority", "@path", "@query", "@request-target"].contains(name)
    };
    let has = |name: &str| names.contains(&name);
    let target = has("@request-target") || (has("@path") && has("@query"));
    let covered = has("@method") && has("@authority") && target && DEMANDED.iter().all(|name| has(name));
    let text = |key: &str| list.params.get(key).map(|value| value.as_string().map(|text| text.as_str().to_owned()));
    let number = |key: &str| list.params.get(key).map(|value| value.as_integer().map(i64::from));
    let parameters = ["created", "expires", "nonce", "alg", "keyid", "tag"];
    let only = list.params.keys().all(|key| parameters.contains(&key.as_str()));
    let created = matches!(number("created"), Some(Some(created)) if (NOW.0 - 65..=NOW.0 + 5).contains(&created));
    let expires = matches!(number("expires"), None) || matches!(number("expires"), Some(Some(until)) if until >= NOW.0 - 5);
    let nonce = matches!(text("nonce"), Some(Some(nonce)) if (1..=128).contains(&nonce.len()));
    let alg = matches!(text("alg"), None) || text("alg") == Some(Some("hmac-sha256".into()));
    let tag = !matches!(text("tag"), Some(None));
    distinct.len() == names.len()
        && names.len() <= 64
        && names.iter().all(known)
        // It would sign itself, which this target does not imitate.
        && !has("signature-input")
        && covered
        && only
        && created
        && expires
        && nonce
        && alg
        && tag
        && text("keyid") == Some(Some("edge1".into()))
}

fn written(list: &InnerList) -> String {
    let dictionary: Dictionary = [(sfv::key_ref("edge").to_owned(), list.clone().into())].into_iter().collect();
    dictionary.serialize().unwrap()["edge=".len()..].to_owned()
}

/// The signature base's lines but the last.
fn base(list: &InnerList) -> String {
    let mut base = String::new();
    for item in &list.items {
        let Some(name) = item.bare_item.as_string().map(|name| name.as_str()) else { continue };
        let line = |name: &str| LINES.iter().find(|(line, _)| *line == name).map_or("", |(_, value)| value);
        let value = match name {
            "@method" => "GET",
            "@authority" => HOST,
            "@path" => "/payments/1",
            "@query" => "?a=b",
            "@request-target" => "/payments/1?a=b",
            field => line(field),
        };
        base.push_str(&format!("\"{name}\": {value}\n"));
    }
    base
}

fn sign(base: &str, parameters: &str) -> String {
    let key = PKey::hmac(SECRET).unwrap();
    let mut signer = Signer::new(MessageDigest::sha256(), &key).unwrap();
    let text = format!("{base}\"@signature-params\": {parameters}");
    base64(&signer.sign_oneshot_to_vec(text.as_bytes()).unwrap())
}
