use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::*;
use crate::header_names::HeaderNames;
use crate::request_head::Connection;
use crate::secret::{ApiKeys, Pepper};

const KEY: &str = "the key of the front door";
const NOW: UnixTime = UnixTime(1_795_368_311);

fn directory() -> Directory {
    let pepper = Arc::new(Pepper::parse(&"5a".repeat(32)).unwrap());
    let name = HeaderName::from_static;
    let contract = Contract::new(
        name("cname-api-key"),
        &[
            (ContractHeader::Certificate, name("client-certificate")),
            (ContractHeader::Verdict, name("client-certificate-ca-verified")),
            (ContractHeader::SubjectDn, name("ssl_client_s_dn")),
            (ContractHeader::ClientAddress, name("x-forwarded-for")),
        ],
    )
    .unwrap();
    let mut reserved = HeaderNames::default();
    reserved.insert("ssl-client-verify", ());
    let domain = Domain::new(DomainParts {
        name: "api.example".into(),
        mtls_host: None,
        tenant: 0,
        front_door: Arc::new(FrontDoor {
            name: "edge".into(),
            proofs: Proofs::new(vec![Proof::ApiKey]).unwrap(),
            certificate_header_max: 16_384,
            forwarded_verdict: VerdictMode::Ignore,
            forwarded_mismatch: ForwardedMismatch::Refuse,
            format: Preset::find("nginx").unwrap().format(),
            require_sni: false,
        }),
        contract,
        api_keys: Some(ApiKeys::new(Arc::clone(&pepper), vec![pepper.tag(KEY.as_bytes()), pepper.tag(b"next")])),
        client_ip_header: name("x-forwarded-for"),
        reserved,
    });
    let mut directory = Directory::new(HeadLimits { header_count: 20, header_bytes: 2_000, allow_path_parameters: false });
    directory.add("api.example", Arc::new(domain)).unwrap();
    directory
}

fn head(lines: &[(&str, &str)]) -> RequestHead {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    let connection = Connection::from_address("192.0.2.1".parse().unwrap());
    RequestHead { method: Method::GET, target: RequestTarget::parse("/a?b").unwrap(), headers, connection }
}

fn authenticate(lines: &[(&str, &str)]) -> Result<AuthenticatedForward, Refused> {
    AuthenticatedForward::unremembered(&directory(), head(lines), NOW)
}

fn refusal(lines: &[(&str, &str)]) -> Refusal {
    authenticate(lines).unwrap_err().refusal
}

#[test]
fn a_request_with_the_key_is_taken_and_cleaned() {
    let forward = authenticate(&[
        ("host", "API.example.:8443"),
        ("cname-api-key", KEY),
        ("client-certificate", "abc"),
        ("x-forwarded-for", "2001:db8::7"),
        ("SSL_CLIENT_VERIFY", "SUCCESS"),
        ("ssl-client-verify", "SUCCESS"),
        ("x-other", "1"),
        ("x-other", "2"),
    ])
    .unwrap();
    assert_eq!(forward.domain().name(), "api.example");
    assert_eq!(forward.key_position(), Some(0));
    assert_eq!(forward.client_address().to_string(), "2001:db8::7");
    assert_eq!(forward.contract().get(ContractHeader::Certificate).unwrap(), "abc");
    let left: Vec<&str> = forward.headers().iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(left, ["host", "x-other", "x-other"]);
}

#[test]
fn both_keys_of_a_rotation_work() {
    assert_eq!(authenticate(&[("host", "api.example"), ("cname-api-key", "next")]).unwrap().key_position(), Some(1));
}

#[test]
fn every_bad_proof_gets_the_same_answer() {
    let host = ("host", "api.example");
    let key = ("cname-api-key", KEY);
    let table: &[(Refusal, &[(&str, &str)])] = &[
        (Refusal::FrontDoorKeyMissing, &[host]),
        (Refusal::FrontDoorKeyMissing, &[host, ("cname_api_key", KEY)]),
        (Refusal::FrontDoorKeyWrong, &[host, ("cname-api-key", "guess")]),
        (Refusal::FrontDoorKeyWrong, &[host, ("cname-api-key", "")]),
        (Refusal::FrontDoorKeyRepeated, &[host, key, key]),
        (Refusal::FrontDoorKeyRepeated, &[host, key, ("cname-api-key", "guess")]),
        (Refusal::UnknownDomain, &[("host", "other.example"), key]),
        (Refusal::UnknownDomain, &[("host", "api.example,api.example"), key]),
        (Refusal::UnknownDomain, &[("host", ""), key]),
    ];
    for (expected, lines) in table {
        let found = refusal(lines);
        assert_eq!(found, *expected);
        assert_eq!((found.status(), found.sentence()), (403, Refusal::FrontDoorKeyWrong.sentence()));
    }
    assert_eq!(refusal(&[key]), Refusal::RequestMalformed);
    assert_eq!(refusal(&[host, host, key]), Refusal::RequestMalformed);
}

#[test]
fn the_contract_is_kept_to_the_letter() {
    let host = ("host", "api.example");
    let key = ("cname-api-key", KEY);
    let table: &[(Refusal, &[(&str, &str)])] = &[
        (Refusal::ContractHeaderRepeated, &[("client-certificate", "a"), ("client-certificate", "a")]),
        (Refusal::ContractHeaderRepeated, &[("ssl_client_s_dn", "CN=a"), ("ssl-client-s-dn", "CN=a")]),
        (Refusal::ContractHeaderRepeated, &[("x-forwarded-for", "192.0.2.9"), ("x-forwarded-for", "192.0.2.9")]),
        (Refusal::ContractHeaderAliased, &[("client_certificate", "a")]),
        (Refusal::ContractHeaderAliased, &[("client.certificate", "a")]),
        (Refusal::ContractHeaderAliased, &[("ssl-client_s-dn", "a")]),
        (Refusal::ContractHeaderAliased, &[("cname_api_key", "a")]),
        (Refusal::ContractHeaderAliased, &[("x_forwarded_for", "192.0.2.9")]),
        (Refusal::ContractHeaderInConnection, &[("connection", "keep-alive, Client-Certificate")]),
        (Refusal::ContractHeaderInConnection, &[("connection", "close"), ("connection", "CNAME_API_KEY")]),
        (Refusal::ContractHeaderInTrailer, &[("trailer", "client-certificate-ca-verified")]),
        (Refusal::ContractHeaderControlBytes, &[("client-certificate", "a\tb")]),
        (Refusal::ClientAddressInvalid, &[("x-forwarded-for", "192.0.2.9, 192.0.2.10")]),
        (Refusal::ClientAddressInvalid, &[("x-forwarded-for", "192.0.2.9:80")]),
        (Refusal::ClientAddressInvalid, &[("x-forwarded-for", "")]),
        (Refusal::RequestHeadTooLarge, &[("x", "1"); 20]),
    ];
    for (expected, lines) in table {
        let all: Vec<_> = [host, key].iter().chain(lines.iter()).copied().collect();
        assert_eq!(refusal(&all), *expected, "{lines:?}");
    }
    let long = "y".repeat(2_001);
    assert_eq!(refusal(&[host, key, ("x", &long)]), Refusal::RequestHeadTooLarge);
}

#[test]
fn the_peer_is_the_client_when_the_front_door_says_nothing() {
    let forward = authenticate(&[("host", "api.example"), ("cname-api-key", KEY)]).unwrap();
    assert_eq!(forward.client_address().to_string(), "192.0.2.1");
    let mut head = head(&[("host", "api.example"), ("cname-api-key", KEY)]);
    head.connection = Connection::default();
    let refused = AuthenticatedForward::unremembered(&directory(), head, NOW).unwrap_err();
    assert_eq!(refused.refusal, Refusal::ClientAddressInvalid);
}

#[test]
fn a_subrequest_names_the_request_that_it_asks_about() {
    let base = [("host", "api.example"), ("cname-api-key", KEY)];
    let names = (HeaderName::from_static("x-original-uri"), HeaderName::from_static("x-original-method"));
    let ask = |more: &[(&str, &str)]| {
        let lines: Vec<_> = base.iter().chain(more.iter()).copied().collect();
        authenticate(&lines).unwrap().into_original(&names.0, &names.1)
    };
    let original = ask(&[("x-original-uri", "/pay?x=1"), ("x-original-method", "POST")]).unwrap();
    assert_eq!((original.target().path(), original.method()), ("/pay", &Method::POST));
    assert_eq!(original.headers().len(), 1);
    for bad in [
        &[("x-original-uri", "/pay")][..],
        &[("x-original-method", "GET")],
        &[("x-original-uri", "/.."), ("x-original-method", "GET")],
        &[("x-original-uri", "/a"), ("x-original-uri", "/b"), ("x-original-method", "GET")],
        &[("x-original-uri", "/a"), ("x_original_uri", "/b"), ("x-original-method", "GET")],
        &[("x-original-uri", "/a"), ("x-original-method", "G T")],
    ] {
        assert_eq!(ask(bad).unwrap_err().refusal, Refusal::RequestTargetInvalid, "{bad:?}");
    }
}

#[test]
fn two_contract_headers_cannot_share_a_name() {
    let name = HeaderName::from_static;
    assert!(Contract::new(name("a-b"), &[(ContractHeader::Certificate, name("a_b"))]).is_err());
}
