//! What is refused. The same table for two worlds: one in which the provider and the API check certificates and tokens too, and one in
//! which they believe everybody, so that Vestibule alone stands between.

use std::collections::BTreeMap;

use crate::cast::{NAMED, SELF_SIGNED};
use crate::stack::{Behind, outcomes};
use crate::table::{NOBODY, Outcome, Saw, assert_as_expected, saw};

const IMPOSTORS: [&str; 4] = ["wrong certificate", "no certificate", "forged headers", "forged headers beside a certificate"];
const NAMESAKES: [&str; 4] = ["same DN of another CA", "same DN, self-signed", "same DN, expired", "same DN, revoked"];
const DOUBLES: [&str; 3] = ["same DN, self-signed", "same key, another certificate", "same DN of a trusted CA"];

const NOT_AT_MTLS_HOST: &str = "dn: token: not at the mtls host";

/// Why Vestibule refuses, in its own words: that a request was refused for something else would prove nothing.
fn cause(name: &str) -> &'static str {
    let (first, last) = (name.split(": ").next().unwrap(), name.rsplit(": ").next().unwrap());
    let at_resource = ["jwt", "opaque", "userinfo"].contains(&first);
    let itself = SELF_SIGNED.contains(&first);
    match last {
        "no certificate" | "forged headers" if at_resource => "it is bound to a certificate, and none was presented",
        "no certificate" | "forged headers" => "no certificate was presented",
        "not at the mtls host" => "it must come to the mTLS host",
        "TOKEN" | "another letter case" => "are of different routes",
        "no token" => "no `authorization`",
        "token in the query" => "a token in the query",
        "refresh token" => "it names neither an audience nor a token type",
        "unbound token" => "it is bound to no certificate",
        "ID token" => "`typ` \"\" is not one of `token_types`",
        "wrong audience" | "token for the API" => "`aud` does not name this API",
        "alg none" | "alg none with a signature" | "alg none for another certificate" => "`alg` \"none\" is not allowed",
        "signed with the public key" => "`alg` \"HS256\" is not allowed",
        "bound anew" | "without a signature" => "the signature is of no key of the issuer",
        _ if at_resource => "it is bound to another certificate",
        "token" => "its certificate is not valid now",
        _ if itself => "the certificate is not registered",
        "wrong certificate" | "forged headers beside a certificate" => "the certificate is for another subject",
        _ => "no trusted CA vouches for its certificate",
    }
}

/// Refused at the host that asks for certificates, and for the right reason.
pub(crate) fn assert_refused_for_that(outcomes: &[Outcome]) {
    let refusals = refusals();
    for outcome in outcomes.iter().filter(|outcome| refusals.get(&outcome.name).is_some_and(|saw| saw.status != 200)) {
        assert!(outcome.cause.ends_with(cause(&outcome.name)), "{}: {}", outcome.name, outcome.cause);
        assert_eq!(outcome.at_mtls_host(), outcome.name != NOT_AT_MTLS_HOST, "{}", outcome.line);
    }
}

/// Every refusal, by Vestibule.
pub(crate) fn refusals() -> BTreeMap<String, Saw> {
    let invalid_client = saw(401, "invalid_client", "oauth_client_refused");
    let invalid_token = |code: &str| saw(401, "invalid_token", code);
    let mut table = BTreeMap::new();
    for who in IMPOSTORS.iter().chain(&NAMESAKES) {
        for endpoint in ["token", "par", "introspection", "revocation", "device", "ciba"] {
            table.insert(format!("dn: {endpoint}: {who}"), invalid_client.clone());
        }
        for (id, _, _) in NAMED {
            table.insert(format!("{id}: token: {who}"), invalid_client.clone());
        }
        for kind in ["jwt", "opaque", "userinfo"] {
            table.insert(format!("{kind}: {who}"), invalid_token("access_token_certificate"));
        }
    }
    for who in IMPOSTORS.iter().chain(&DOUBLES) {
        for id in SELF_SIGNED {
            table.insert(format!("{id}: token: {who}"), invalid_client.clone());
        }
    }
    table.insert("lapsed: token".into(), invalid_client.clone());
    table.insert(NOT_AT_MTLS_HOST.into(), invalid_client);
    table.insert("dn: TOKEN".into(), saw(400, "", "request_target_invalid"));
    for kind in ["jwt", "opaque", "userinfo"] {
        table.insert(format!("{kind}: another letter case"), saw(400, "", "request_target_invalid"));
        table.insert(format!("{kind}: no token"), saw(401, "", "access_token_missing"));
        table.insert(format!("{kind}: token in the query"), saw(400, "invalid_request", "access_token_repeated"));
    }
    for what in ["userinfo: refresh token", "userinfo: token for the API", "jwt: ID token"] {
        table.insert(what.into(), invalid_token("access_token_invalid"));
    }
    for kind in ["jwt", "opaque"] {
        table.insert(format!("{kind}: unbound token"), invalid_token("access_token_unbound"));
        table.insert(format!("{kind}: wrong audience"), invalid_token("access_token_invalid"));
    }
    for what in [
        "alg none",
        "alg none with a signature",
        "alg none for another certificate",
        "signed with the public key",
        "bound anew",
        "without a signature",
    ] {
        table.insert(format!("jwt: {what}"), invalid_token("access_token_invalid"));
    }
    table.insert("discovery".into(), saw(200, "", "core"));
    table.insert("jwks".into(), saw(200, "", "core"));
    table
}

/// What those behind Vestibule say when they are asked without it, and without any certificate.
pub(crate) fn straight(behind: Behind) -> impl Iterator<Item = (String, Saw)> {
    let cases = [
        ("dn: token", "invalid_client"),
        ("own: token", "invalid_client"),
        ("published: token", "invalid_client"),
        ("lapsed: token", "invalid_client"),
        ("userinfo", "invalid_token"),
        ("api", "invalid_token"),
    ];
    cases.into_iter().map(move |(name, error)| {
        let saw = match behind {
            Behind::BelievesEverybody => saw(200, "", NOBODY),
            Behind::Checks => saw(401, error, NOBODY),
        };
        (format!("straight: {name}"), saw)
    })
}

#[test]
fn vestibule_alone_refuses_whom_the_provider_would_let_in() {
    let behind = Behind::BelievesEverybody;
    let mut expected = refusals();
    expected.extend(straight(behind));
    let outcomes = outcomes(behind);
    assert_as_expected(&outcomes, &expected);
    assert_refused_for_that(&outcomes);
}
