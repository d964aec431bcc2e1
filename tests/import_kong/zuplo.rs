//! Zuplo's files: policies, routes, and both served.

use serde_json::json;

use crate::bank::{self, KEY, Person, authorities, escaped, expired, leaf, pem, person, person_of};
use crate::http_client::Answer;
use crate::pki::Leaf;
use crate::recording_upstream::RecordingUpstream;
use crate::set_up::{Imported, data};
use crate::vestibule_program::Vestibule;

const DOMAIN: &str = "api.zuplo.example";

fn import(upstream: u16) -> Imported {
    let (policies, routes) = (data("zuplo/policies.json", upstream), data("zuplo/routes.oas.json", upstream));
    let files = [("policies.json", policies.as_bytes()), ("routes.oas.json", routes.as_bytes())];
    Imported::of("zuplo", &files, &["--domain", DOMAIN])
}

fn served(upstream: &RecordingUpstream) -> Vestibule {
    let imported = import(upstream.port());
    assert_eq!(imported.ran.code, 2, "{}", imported.ran.stderr);
    // The blanks are named, and nothing else is amiss.
    for set in ["client-mtls", "staged-mtls", "old-mtls"] {
        imported.says(&format!("a blank to fill: `trusted-ca/{set}.pem`"));
        let file = imported.folder().join(format!("trusted-ca/{set}.pem"));
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, pem(&authorities().issuing.certificate)).unwrap();
    }
    imported.says("a blank to fill: `cname_api_keys`");
    imported.fill_key("zuplo");
    Vestibule::start(&imported.files())
}

fn ask(vestibule: &Vestibule, line: &str, person: Option<&Person>) -> Answer {
    let certificate =
        person.map_or_else(String::new, |person| format!("Client-Certificate: {}\r\n", escaped(&person.certificate)));
    vestibule.ask(format!(
        "{line} HTTP/1.1\r\nHost: {DOMAIN}\r\nCname-Api-Key: {KEY}\r\nX-Forwarded-For: {}\r\n{certificate}Content-Length: 0\r\n\
         Connection: close\r\n\r\n",
        bank::CLIENT
    ))
}

#[test]
fn the_same_requests_pass() {
    let upstream = RecordingUpstream::start();
    let vestibule = served(&upstream);
    let good = person(&leaf("good"));
    let late = person(&Leaf { dates: expired(), ..leaf("late") });
    let forged = person_of(&authorities().stranger, &leaf("good"));
    let below = authorities().issuing.certify("Below", crate::pki::new_key(), bank::valid());
    let indirect = person_of(&below, &leaf("indirect"));
    let someone = [None, Some(&good), Some(&late), Some(&forged), Some(&indirect)];
    // Of nobody, the good client, a late one, a forged one, and one of a CA below.
    for (line, statuses) in [
        ("GET /accounts/1", [401, 200, 401, 401, 401]),
        ("GET /accounts/open", [200; 5]),
        ("GET /staged", [200; 5]),
        ("POST /staged", [401, 200, 401, 401, 401]),
        ("GET /old", [200, 200, 200, 401, 401]),
        // Its policy api-key-inbound, and code of its own: closed.
        ("GET /keyed", [403; 5]),
        ("GET /code", [403; 5]),
        // Paths are exact: what only begins like the open one is not open.
        ("GET /accounts/openly", [403; 5]),
        ("GET /staged/more", [403; 5]),
        ("GET /accounts/1/more", [401, 403, 401, 401, 401]),
        ("GET /elsewhere", [404; 5]),
    ] {
        for (person, status) in someone.iter().zip(statuses) {
            let answer = ask(&vestibule, line, *person);
            let passed = upstream.take().len();
            assert_eq!(answer.status, status, "{line} {}", vestibule.code(&answer));
            assert_eq!(passed, usize::from(status == 200), "{line}");
        }
    }
}

/// The object that code in the gateway had.
#[test]
fn the_upstream_is_told_the_user() {
    let upstream = RecordingUpstream::start();
    let vestibule = served(&upstream);
    let user = |line: &str, person: &Person| -> serde_json::Value {
        assert_eq!(ask(&vestibule, line, Some(person)).status, 200);
        let header = upstream.take_one().header("x-vestibule-user").to_owned();
        serde_json::from_slice(&openssl::base64::decode_block(&header).unwrap()).unwrap()
    };
    let good = user("GET /accounts/1", &person(&leaf("good")));
    assert!(good["sub"].as_str().unwrap().contains("CN=good"), "{good}");
    // Zuplo takes the name of a certificate that it did not verify.
    let forged = user("GET /staged", &person_of(&authorities().stranger, &leaf("good")));
    assert_eq!((&forged["sub"], &forged["data"]["verified"]), (&serde_json::Value::Null, &json!(false)), "{forged}");
}

/// The bodies that Zuplo's clients know.
#[test]
fn refusals_speak_as_zuplo() {
    let upstream = RecordingUpstream::start();
    let vestibule = served(&upstream);
    for (person, detail) in [
        (None, "Client mTLS verification failed. No client certificate was presented."),
        (
            Some(person_of(&authorities().stranger, &leaf("good"))),
            "Client mTLS verification failed. The reverse proxy rejected the client certificate.",
        ),
    ] {
        let answer = ask(&vestibule, "GET /accounts/1", person.as_ref());
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        let body: serde_json::Value = serde_json::from_str(&answer.text()).unwrap();
        assert_eq!((&body["status"], &body["detail"]), (&json!(401), &json!(detail)));
    }
}

#[test]
fn what_is_lost_is_told() {
    let imported = import(9000);
    for told in [
        "policies.json: left out: `corsPolicies`",
        "policies.json: policy `keys`: left out: `api-key-inbound` may decide who gets in",
        "policies.json: policy `slower`: left out: `rate-limit-inbound` is not carried over; nobody gets in",
        "policies.json: policy `client-mtls`: note: stronger than before: `certIssuerDN` compares names",
        "policies.json: policy `staged-mtls`: note: stronger than before: `allowUnauthenticatedRequests`: everybody passes",
        "policies.json: policy `old-mtls`: note: stronger than before: `allowUnauthenticatedRequests` of the old policy",
        "routes.oas.json: GET /accounts/open: left out: `corsPolicy`",
        "routes.oas.json: GET /accounts/open: note: no policy asks for a certificate",
        "routes.oas.json: GET /keyed: left out: its requests are closed: the policy `keys`",
        "routes.oas.json: GET /code: left out: its requests are closed: its handler `default`",
    ] {
        imported.says(told);
    }
    assert!(!imported.left_out().is_empty());
}

fn policy(options: &serde_json::Value) -> serde_json::Value {
    json!({ "policies": [{ "name": "m", "policyType": "mtls-auth-inbound", "handler": {
        "export": "MTLSAuthInboundPolicy", "module": "$import(@zuplo/runtime)", "options": options } }] })
}

#[test]
fn policies_alone() {
    for (options, keys) in [
        (json!({ "certIssuerDN": "CN=a" }), &["verification = \"enforce\""][..]),
        (json!({ "allowUnauthenticatedRequests": true }), &["verification = \"permissive\""]),
        (
            json!({ "allowExpiredCertificates": true, "allowRevokedCertificates": true, "allowUnauthenticatedRequests": true }),
            &[
                "verification = \"enforce\"",
                "allow_unauthenticated_requests = true",
                "allow_expired_certificates = true",
                "allow_revoked_certificates = true",
            ],
        ),
        (json!({ "allowExpiredCertificates": false }), &["verification = \"enforce\""]),
    ] {
        let text = policy(&options).to_string();
        let imported = Imported::of("zuplo", &[("policies.json", text.as_bytes())], &[]);
        let tenant = imported.read("tenants/zuplo.toml");
        let of_policy = tenant.split("[routes.policy]").nth(1).unwrap();
        for key in keys {
            assert!(of_policy.contains(key), "{options}: {tenant}");
        }
        assert_eq!(of_policy.matches(" = true").count() + 1, keys.len(), "{options}: {tenant}");
        for blank in ["`name` of [[domains]]", "`cname_api_keys`", "`trusted-ca/m.pem`", "`url` of [upstreams.unknown]"] {
            imported.says(&format!("a blank to fill: {blank}"));
        }
        assert_eq!(imported.check().code, 64);
    }
    for options in [
        json!({ "certIssuerDN": "" }),
        json!({ "certIssuerDN": 7 }),
        json!({ "allowUnauthenticatedRequests": "true" }),
        json!({ "allowEverybody": true }),
    ] {
        let text = policy(&options).to_string();
        let imported = Imported::of("zuplo", &[("policies.json", text.as_bytes())], &[]);
        imported.says("its routes are closed");
        assert!(imported.read("tenants/zuplo.toml").contains("upstream = \"closed\""), "{options}");
    }
}

/// What stands before a route and cannot be understood closes it.
#[test]
fn policies_in_doubt_close_their_routes() {
    let named = |name: &str, kind: &str| json!({ "name": name, "policyType": kind, "handler": { "options": {} } });
    let operation = |inbound: &serde_json::Value| {
        let handler = json!({ "export": "urlForwardHandler", "options": { "baseUrl": "http://127.0.0.1:1" } });
        let route = json!({ "policies": inbound, "handler": handler });
        json!({ "paths": { "/a": { "get": { "x-zuplo-route": route } } } }).to_string()
    };
    let of = |more: &[serde_json::Value], inbound: serde_json::Value| {
        let mut policies = policy(&json!({ "certIssuerDN": "CN=a" }));
        policies["policies"].as_array_mut().unwrap().extend(more.iter().cloned());
        let (policies, routes) = (policies.to_string(), operation(&inbound));
        let files = [("policies.json", policies.as_bytes()), ("routes.oas.json", routes.as_bytes())];
        Imported::of("zuplo", &files, &[])
    };
    let is_closed = |imported: &Imported| imported.read("tenants/zuplo.toml").contains("upstream = \"closed\"");
    assert!(!is_closed(&of(&[], json!({ "inbound": ["m"] }))));
    assert!(!is_closed(&of(&[], json!({ "inbound": null }))));
    for inbound in [json!({ "inbound": "m" }), json!({ "inbound": { "0": "m" } }), json!(["m"]), json!("m")] {
        let imported = of(&[], inbound.clone());
        assert!(is_closed(&imported), "{inbound}");
        imported.says("its requests are closed: its `policies` cannot be read");
    }
    // Two with one name, in either order.
    let twins = [named("keys", "api-key-inbound"), named("keys", "caching-inbound")];
    for twins in [&twins[..], &[twins[1].clone(), twins[0].clone()], &[named("m", "caching-inbound")]] {
        let imported = of(twins, json!({ "inbound": ["m", "keys"] }));
        assert!(is_closed(&imported), "{twins:?}");
        imported.says("another policy has its name: the routes of both are closed");
    }
    assert!(is_closed(&of(&[named("odd", "my-own-outbound")], json!({ "inbound": ["m", "odd"] }))));
    let imported = of(&[named("clean", "remove-headers-inbound")], json!({ "inbound": ["m", "clean"] }));
    assert!(!is_closed(&imported));
    imported.says("policies.json: policy `clean`: left out: weaker than before: `remove-headers-inbound` is not carried over");
}

#[test]
fn what_is_not_zuplos_is_told() {
    for (text, told) in [
        (r#"{"policies": []}"#, "no policy of the type mtls-auth-inbound"),
        (r#"{"a": 1}"#, "neither policies.json nor routes.oas.json"),
        ("[]", "neither policies.json nor routes.oas.json"),
        ("{", "is not JSON"),
    ] {
        let imported = Imported::of("zuplo", &[("policies.json", text.as_bytes())], &[]);
        assert_eq!(imported.ran.code, 1, "{}", imported.ran.stderr);
        assert!(imported.ran.stderr.contains(told), "{}", imported.ran.stderr);
        assert!(!imported.folder().exists());
    }
}
