//! What works, with everybody's own checks on.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::bank::DOMAIN;
use crate::cast::{NAMED, SELF_SIGNED};
use crate::refused::{assert_refused_for_that, refusals, straight};
use crate::stack::{Behind, outcomes};
use crate::table::{Outcome, Saw, assert_as_expected, saw};

fn table() -> BTreeMap<String, Saw> {
    let provider = || saw(200, "", "core");
    let api = || saw(200, "", "api");
    let mut table = refusals();
    table.extend(straight(Behind::Checks));
    for id in NAMED.map(|(id, _, _)| id).into_iter().chain(SELF_SIGNED) {
        for (what, saw) in [
            ("token", provider()),
            ("opaque token", provider()),
            ("jwt resource", api()),
            ("opaque resource", api()),
            ("introspection", provider()),
            ("revocation", provider()),
            ("revoked", saw(401, "invalid_token", "access_token_invalid")),
        ] {
            table.insert(format!("{id}: {what}"), saw);
        }
    }
    for (name, saw) in [
        ("dn: code by pushed request", provider()),
        ("dn: userinfo", provider()),
        ("dn: refresh with a renewed certificate", provider()),
        ("dn: userinfo with the renewed certificate", provider()),
        ("dn: userinfo with the old one", saw(401, "invalid_token", "access_token_certificate")),
        ("signer: token", provider()),
        ("signer: jwt resource", api()),
        // How these clients authenticate themselves, and that they asked for bound tokens, is the provider's to know.
        ("signer: token without a certificate", saw(400, "invalid_grant", "core")),
        ("signer: another key", saw(401, "invalid_client", "core")),
        ("dn: ciba", provider()),
        ("dn: ciba token", provider()),
        ("dn: device", provider()),
        ("dn: device token", saw(400, "authorization_pending", "core")),
        ("public: code", provider()),
        ("public: userinfo", provider()),
        ("public: refresh", provider()),
        ("public: userinfo after that", provider()),
        // Vestibule cannot look into a refresh token: what it is bound to is the provider's to know.
        ("public: refresh with another certificate", saw(400, "invalid_grant", "core")),
        ("public: refresh without a certificate", saw(400, "invalid_grant", "core")),
        ("dpop: token", provider()),
        ("dpop: resource", api()),
        ("dpop: resource where it is refused", saw(401, "invalid_token", "access_token_dpop")),
        ("dpop: as bearer", saw(401, "invalid_token", "access_token_dpop")),
        ("api: no token", saw(401, "", "api")),
        ("api: a broken token", saw(401, "invalid_token", "api")),
        ("api: scope", saw(403, "insufficient_scope", "api")),
        ("api: audience", saw(401, "invalid_token", "api")),
    ] {
        table.insert(name.into(), saw);
    }
    table
}

struct Found(BTreeMap<String, Outcome>);

impl Found {
    #[track_caller]
    fn of(&self, name: &str) -> &Value {
        &self.0[name].line
    }
}

#[test]
fn clients_tokens_and_resources_with_certificates_and_every_refusal() {
    let outcomes = outcomes(Behind::Checks);
    assert_as_expected(&outcomes, &table());
    assert_refused_for_that(&outcomes);
    let found = Found(outcomes.into_iter().map(|outcome| (outcome.name.clone(), outcome)).collect());
    for id in NAMED.map(|(id, _, _)| id).into_iter().chain(SELF_SIGNED) {
        assert_eq!(found.of(&format!("{id}: token"))["bound"], true);
        assert_eq!(found.of(&format!("{id}: jwt resource"))["body"]["client"], *id);
        let introspected = found.of(&format!("{id}: introspection"));
        assert_eq!((&introspected["active"], &introspected["bound"]), (&json!(true), &json!(true)), "{id}");
    }
    assert_eq!(found.of("signer: token")["bound"], true);
    for name in ["dn: userinfo", "dn: ciba token", "public: userinfo", "public: userinfo after that"] {
        assert_eq!(found.of(name)["body"]["sub"], "alice", "{name}");
    }
    assert_eq!(found.of("dpop: resource")["body"], json!({"client": "dpop", "scheme": "DPoP"}));
    the_client_goes_where_the_aliases_lead(&found);
    challenges_are_the_apis_own(&found);
    challenges_are_ours(&found);
}

fn the_client_goes_where_the_aliases_lead(found: &Found) {
    let discovery = found.of("discovery");
    assert_eq!((&discovery["same"], &discovery["straight"]), (&json!(true), &Value::Null), "{discovery}");
    let metadata = &discovery["metadata"];
    assert_eq!(metadata["tls_client_certificate_bound_access_tokens"], true, "the provider says so, and it is kept");
    let aliases = metadata["mtls_endpoint_aliases"].as_object().unwrap();
    let mtls = format!("https://mtls.{DOMAIN}/");
    assert!(aliases.values().all(|url| url.as_str().unwrap().starts_with(&mtls)), "{aliases:?}");
    for endpoint in [
        "token",
        "userinfo",
        "introspection",
        "revocation",
        "device_authorization",
        "pushed_authorization_request",
        "backchannel_authentication",
    ] {
        assert!(aliases.contains_key(&format!("{endpoint}_endpoint")), "{endpoint}: {aliases:?}");
    }
    assert!(!aliases.contains_key("authorization_endpoint"), "{aliases:?}");
    for name in [
        "dn: token",
        "own: token",
        "dn: userinfo",
        "dn: introspection",
        "dn: revocation",
        "dn: device",
        "dn: ciba",
        "public: refresh",
    ] {
        assert!(found.0[name].at_mtls_host(), "{name}");
    }
    assert!(!found.0["discovery"].at_mtls_host());
    assert_eq!(found.of("dn: device")["verification_uri"], format!("https://{DOMAIN}/device"), "it is for a browser");
}

/// Status and challenges of the API go through unchanged, and nothing is added to them.
fn challenges_are_the_apis_own(found: &Found) {
    for (name, begin, dpop) in [
        ("no token", "Bearer realm=\"api\", DPoP algs=", true),
        ("a broken token", "Bearer realm=\"api\", error=\"invalid_token\"", true),
        ("scope", "Bearer realm=\"api\", error=\"insufficient_scope\"", false),
        ("audience", "Bearer realm=\"api\", error=\"invalid_token\"", true),
    ] {
        let line = found.of(&format!("api: {name}"));
        let challenge = line["challenge"].as_str().unwrap();
        assert!(challenge.starts_with(begin), "{line}");
        assert_eq!(challenge.contains("DPoP algs="), dpop, "{line}");
        assert_eq!(line["straight"]["challenge"], challenge, "{line}");
        assert_eq!(line["straight"]["status"], line["status"], "{line}");
    }
}

fn challenges_are_ours(found: &Found) {
    for (name, challenge) in [
        ("jwt: no token", json!("Bearer")),
        ("jwt: wrong certificate", json!("Bearer error=\"invalid_token\"")),
        ("opaque: no certificate", json!("Bearer error=\"invalid_token\"")),
        ("dpop: as bearer", json!("Bearer error=\"invalid_token\", DPoP error=\"invalid_token\", algs=\"ES256 PS256 EdDSA\"")),
        ("dn: token: wrong certificate", Value::Null),
    ] {
        assert_eq!(found.of(name)["challenge"], challenge, "{name}");
    }
}
