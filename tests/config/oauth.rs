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
fn a_route_is_for_tokens_or_for_clients() {
    let both = "verification = \"permissive\", tls_client_auth = true, certificate_bound_access_tokens = \"when_bound\"";
    let found = "`routes[0].policy.certificate_bound_access_tokens`: no request could pass";
    refused_alone(&route(both).check(), &[found]);
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

const DN: &str = "tls_client_auth_subject_dn = \"CN=app,O=Example\"\nrdn_order = \"strict\"\n";

#[test]
fn a_client_is_known_by_exactly_one_thing() {
    for (lines, found) in [
        ("", "`oauth.clients[0].token_endpoint_auth_method`: found 0 of the keys"),
        ("tls_client_auth_san_dns = \"a.example\"\ntls_client_auth_san_ip = \"192.0.2.1\"\n", "found 2 of the keys"),
        ("tls_client_auth_san_dns = \"*.example\"\n", "`oauth.clients[0].tls_client_auth_san_dns`: found"),
        ("tls_client_auth_san_ip = \"192.0.2\"\n", "`oauth.clients[0].tls_client_auth_san_ip`: found"),
        ("tls_client_auth_san_uri = \"a b\"\n", "`oauth.clients[0].tls_client_auth_san_uri`: found"),
        ("tls_client_auth_san_email = \"a\"\n", "`oauth.clients[0].tls_client_auth_san_email`: found"),
        ("tls_client_auth_san_dns = \"a.example\"\nrdn_order = \"any\"\n", "`oauth.clients[0].rdn_order`: has no effect"),
        (&format!("{DN}jwks_uri = \"https://a.example/\"\n"), "`oauth.clients[0].jwks_uri`: has no effect"),
    ] {
        refused_alone(&edited(&[(DN, lines)]).check(), &[found]);
    }
    for lines in [
        "tls_client_auth_san_dns = \"a.example\"\n",
        "tls_client_auth_san_ip = \"2001:db8::1\"\n",
        "tls_client_auth_san_uri = \"spiffe://a/b\"\n",
        "tls_client_auth_san_email = \"a@b.example\"\n",
    ] {
        accepted(&edited(&[(DN, lines)]).check());
    }
    let own = "jwks_uri = \"https://own.example/jwks\"\nallow_private_addresses = true\n";
    for (lines, found) in [
        ("", "`oauth.clients[1].jwks_uri`: found neither or both"),
        ("jwks_file = \"missing.json\"\n", "`oauth.clients[1].jwks_file`: `missing.json`: cannot be read"),
        ("jwks_file = \"secrets/pepper\"\n", "the JWK Set"),
        (
            &format!("{own}tls_client_auth_san_dns = \"a.example\"\n"),
            "`oauth.clients[1].tls_client_auth_san_dns`: has no effect",
        ),
    ] {
        refused_alone(&edited(&[(own, lines)]).check(), &[found]);
    }
    let twice = edited(&[("client_id = \"own\"", "client_id = \"app\"")]);
    refused_alone(&twice.check(), &["`oauth.clients`: two have the client_id `app`"]);
}

#[test]
fn clients_are_asked_where_everybody_may_come() {
    let place = "`routes[0].policy.tls_client_auth`: clients without a trusted certificate";
    refused_alone(&route("tls_client_auth = true").check(), &[place, "\"permissive\""]);
    accepted(&route("tls_client_auth = true, verification = \"permissive\"").check());
    accepted(&route("self_signed_tls_client_auth = true, verification = \"permissive\"").check());
    let found = "`routes[0].policy.pass_unregistered_clients`: has no effect";
    refused_alone(&route("pass_unregistered_clients = true").check(), &[found]);
}

#[test]
fn rules_about_clients_and_tokens_need_a_route_that_checks_them() {
    let rule = |when: &str| {
        format!("[[rules]]\nname = \"apps\"\nwhen = {when:?}\nbehaviors = [{{ type = \"deny\" }}]\n[upstreams.core]")
    };
    let asks = rule("identity.oauth_client_id == 'a'");
    let found = "`rules`: rule `apps` asks about an OAuth client or its token, and no route checks one";
    refused_alone(&edited(&[("[upstreams.core]", &asks)]).check(), &[found, "no such rule"]);
    for on in ["certificate_bound_access_tokens = \"when_bound\"", "tls_client_auth = true, verification = \"permissive\""] {
        accepted(&edited(&[("[upstreams.core]", &asks), (ROUTE, &format!("policy = {{ {on} }}"))]).check());
    }
    for when in ["request.oauth_client_id == 'a'", "certificate.oauth_client_id == 'a'", "identity.oauth_secret == 'a'"] {
        refused(&edited(&[("[upstreams.core]", &rule(when))]).check(), &["there is no `"]);
    }
}

#[test]
fn metadata_is_changed_where_there_is_something_to_say() {
    let rewrite = "policy = { authorization_server_metadata = \"rewrite\" }";
    accepted(&edited(&[(ROUTE, rewrite)]).check());
    let on = "enable_mtls_endpoint_aliases = true\nmtls_host_prefix = \"mtls.\"\n";
    let found = "`routes[0].policy.authorization_server_metadata`: there are no mTLS hosts";
    let off = edited(&[(ROUTE, rewrite), (on, "")]);
    refused(&off.check(), &[found, "`enable_mtls_endpoint_aliases` = true with it"]);
    let found = "`routes[0].policy.advertise_certificate_bound_access_tokens`: has no effect";
    refused_alone(&route("advertise_certificate_bound_access_tokens = true").check(), &[found]);
    accepted(&route("authorization_server_metadata = \"rewrite\", advertise_certificate_bound_access_tokens = true").check());
}

#[test]
fn mtls_hosts_are_host_names_of_their_own() {
    let on = "enable_mtls_endpoint_aliases = true\nmtls_host_prefix = \"mtls.\"\n";
    for prefix in ["mtls-", "a.b.", "x1."] {
        accepted(&edited(&[("mtls_host_prefix = \"mtls.\"", &format!("mtls_host_prefix = \"{prefix}\""))]).check());
    }
    let long = format!("mtls_host_prefix = \"{}-\"", "a".repeat(63));
    refused(&edited(&[("mtls_host_prefix = \"mtls.\"", &long)]).check(), &["with `mtls_host_prefix`, is no host name"]);
    let found = "`mtls_host_prefix`: has no effect";
    let without = edited(&[(on, "enable_mtls_endpoint_aliases = false\nmtls_host_prefix = \"mtls.\"\n")]);
    refused(&without.check(), &[found, "`enable_mtls_endpoint_aliases` = true with it"]);
}

/// Most servers take `/accounts` for `/accounts/`: whoever guards the one alone is told.
#[test]
fn a_route_that_ends_with_a_slash_beside_one_that_asks_for_less() {
    let with = |path: &str, policy: &str, more: &str| {
        let route = format!("{ROUTE}\n[[routes]]\npath = \"{path}\"\nupstream = \"core\"\npolicy = {{ {policy} }}\n{more}");
        edited(&[(ROUTE, &route)]).check()
    };
    let token = "certificate_bound_access_tokens = \"require\"";
    let own = "[[routes]]\npath = \"/accounts\"\nupstream = \"core\"\n";
    for (path, policy, lost) in [
        ("/accounts/", token, "no certificate and no access token"),
        ("/accounts/", "tls_client_auth = true, verification = \"permissive\"", "no authenticated client"),
        ("/accounts/", "", "no certificate"),
    ] {
        let ran = with(path, policy, "");
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let told = format!("acme: route `{path}` does not cover `/accounts`");
        assert!(ran.stderr.starts_with("vestibule: warning: ") && ran.stderr.contains(&told), "{}", ran.stderr);
        assert!(ran.stderr.contains(&format!("there route `/` asks for {lost}: write")), "{}", ran.stderr);
        assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    }
    accepted(&with("/accounts", token, ""));
    accepted(&with("/accounts/", "verification = \"off\", deny_groups = []", ""));
    accepted(&with("/accounts/", "allow_unauthenticated_requests = true", ""));
    accepted(&with("/accounts/", "", own));
    // The other one is for methods that this one does not have.
    let other =
        "[[routes]]\npath = \"/accounts\"\nmethods = [\"PUT\"]\nupstream = \"core\"\npolicy = { verification = \"off\" }\n";
    let get = "[[routes]]\npath = \"/accounts\"\nmethods = [\"GET\", \"POST\"]\nupstream = \"core\"\n";
    let only = "[[routes]]\npath = \"/accounts/\"\nmethods = [\"GET\"]\nupstream = \"core\"\n";
    accepted(&edited(&[(ROUTE, &format!("{ROUTE}\n{only}{other}{get}"))]).check());
}
