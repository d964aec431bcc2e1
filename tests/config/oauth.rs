//! OAuth: what would do nothing, and what would believe too much.

use crate::edge_config::Folder;
use crate::{accepted, edited, refused, refused_alone};

const ISSUER: &str = "jwks_uri = \"https://as.example/jwks\"\n";
const INTROSPECTION: &str = "introspection_endpoint = \"https://as.example/introspect\"\n";
const ROUTE: &str = "policy = { allow_unauthenticated_requests = true }";

fn route(policy: &str) -> Folder {
    edited(&[(ROUTE, &format!("policy = {{ {policy} }}"))])
}

#[test]
fn what_would_have_no_effect_is_refused() {
    for (key, line) in [
        ("access_token_issuer", "access_token_issuer = \"as\""),
        ("dpop_bound_access_tokens", "dpop_bound_access_tokens = \"pass\""),
        ("required_scopes", "required_scopes = [\"a\"]"),
    ] {
        let found = ["has no effect: `certificate_bound_access_tokens` is `off`"];
        refused_alone(&route(line).check(), &[&format!("`routes[0].policy.{key}`: {}", found[0])]);
        accepted(&route(&format!("{line}, certificate_bound_access_tokens = \"require\"")).check());
    }
    for key in ["introspection_client_id", "introspection_client_secret_file", "introspection_cache", "introspect"] {
        let place = format!("`oauth.issuers.as.{key}`: has no effect: there is no `introspection_endpoint`");
        refused(&edited(&[(INTROSPECTION, "")]).check(), &[&place]);
    }
    let lines = "allow_missing_audience = true";
    let ran = edited(&[(INTROSPECTION, ""), ("allow_missing_audience = false", lines)]).check();
    refused(&ran, &["`oauth.issuers.as.allow_missing_audience`: has no effect"]);
    let ran = edited(&[("introspect = \"opaque\"", "introspect = \"all\"")]).check();
    refused(&ran, &["`oauth.issuers.as.jwks_uri`: has no effect", "`oauth.issuers.as.algorithms`: has no effect"]);
}

#[test]
fn a_binding_needs_a_certificate_and_an_issuer() {
    let ran = route("certificate_bound_access_tokens = \"require\", verification = \"off\"").check();
    refused_alone(&ran, &["`routes[0].policy.certificate_bound_access_tokens`: no certificate would be looked at"]);
    let ran = edited(&[("access_token_issuer = \"as\"", "access_token_issuer = \"other\"")]).check();
    refused_alone(&ran, &["`routes[0].policy.access_token_issuer`: there is no issuer `other`", "[oauth.issuers]: as"]);
    let second = "[oauth.issuers.second]\nissuer = \"https://b.example\"\naudience = [\"x\"]\n[upstreams.core]";
    let on = "policy = { certificate_bound_access_tokens = \"when_bound\" }";
    let ran = edited(&[("access_token_issuer = \"as\"\n", ""), ("[upstreams.core]", second), (ROUTE, on)]).check();
    refused_alone(&ran, &["`routes[0].policy.access_token_issuer`: is missing", "as, second"]);
    accepted(&edited(&[("access_token_issuer = \"as\"\n", ""), (ROUTE, on)]).check());
}

#[test]
fn permissive_routes_with_bound_tokens_need_no_ca() {
    let permissive = "policy = { verification = \"permissive\" }";
    let bound = "policy = { verification = \"permissive\", certificate_bound_access_tokens = \"require\" }";
    let ca = ("trusted_ca = \"clients\"\n", "");
    refused_alone(&edited(&[ca, (ROUTE, permissive)]).check(), &["`routes[0].policy.trusted_ca`: is missing"]);
    accepted(&edited(&[ca, (ROUTE, bound)]).check());
}

#[test]
fn this_machine_needs_no_tls() {
    for host in ["127.0.0.1:8080", "localhost", "[::1]:1"] {
        let uri = format!("jwks_uri = \"http://{host}/jwks\"\n");
        accepted(&edited(&[(ISSUER, &uri)]).check());
    }
}
