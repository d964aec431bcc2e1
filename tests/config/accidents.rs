//! Configurations that would let everybody in, or somebody else, without anybody having said so.

use crate::edge_config::{Folder, KEY, tag};
use crate::{TENANT, accepted, edited, refused, refused_alone};

#[test]
fn no_front_door_and_no_proof() {
    refused(
        &edited(&[("proofs = [\"api_key\"]", "")]).check(),
        &["`front_doors[0].proofs`: is missing: anybody could be this front door"],
    );
    let folder = edited(&[]);
    let text = folder.read(TENANT);
    let (start, end) = (text.find("[[front_doors]]").unwrap(), text.find("[trusted_ca.clients]").unwrap());
    folder.write(TENANT, &format!("{}{}", &text[..start], &text[end..]));
    refused(&folder.check(), &["`front_doors`: is missing: nothing could be trusted"]);
}

#[test]
fn the_examples_placeholder_is_no_tag() {
    let folder = edited(&[]);
    folder.edit(TENANT, &tag(KEY), &format!("hmac-sha256:{}", "0".repeat(64)));
    refused_alone(&folder.check(), &["`domains[0].cname_api_keys[0]`: the tag is the placeholder of the example"]);
}

#[test]
fn certificates_that_nobody_can_verify() {
    refused(
        &edited(&[("trusted_ca = \"clients\"\n", "")]).check(),
        &["`routes[0].policy.trusted_ca`: is missing; nobody's certificate"],
    );
    let open = edited(&[("trusted_ca = \"clients\"\n", ""), ("verification = \"enforce\"", "verification = \"permissive\"")]);
    refused(&open.check(), &["`routes[0].policy.trusted_ca`: is missing"]);
}

#[test]
fn switches_about_certificates_that_nobody_looks_at() {
    for name in ["allow_unauthenticated_requests", "allow_expired_certificates", "allowRevokedCertificates"] {
        let policy = format!("policy = {{ verification = \"off\", {name} = true }}");
        let ran = edited(&[("policy = { allow_unauthenticated_requests = true }", &policy)]).check();
        refused(&ran, &["acme.toml: `routes[0].policy.allow_", "has no effect: `verification` is `off`"]);
    }
    let below_off = edited(&[("verification = \"enforce\"", "verification = \"off\"")]).check();
    refused(&below_off, &["acme.toml: `routes[0].policy.allow_unauthenticated_requests`: has no effect"]);
}

#[test]
fn rules_about_certificates_that_nobody_looks_at() {
    for variable in [
        "subject.O",
        "ssl_client_verify",
        "ssl_verification_status",
        "client_certificate_validation",
        "client_certificate_basis",
        "consumer_groups",
    ] {
        let folder = edited(&[
            ("policy = { allow_unauthenticated_requests = true }", "policy = { verification = \"off\" }"),
            ("subject.O", variable),
        ]);
        folder.without_consumers();
        refused_alone(
            &folder.check(),
            &["`rules`: rule `no contractors` asks about the certificate, and no route looks at one"],
        );
    }
}

#[test]
fn rules_that_are_never_reached() {
    let first =
        "[[rules]]\nname = \"first\"\nbehaviors = [{ type = \"finish_request_phase\" }]\n[[rules]]\nname = \"no contractors\"";
    let ran = edited(&[("[[rules]]\nname = \"no contractors\"", first)]).check();
    refused_alone(&ran, &["`rules`: rule `no contractors` is never reached: `first` before it has no criteria"]);
    let last = "value = \"A: b\" }, { type = \"finish_request_phase\"";
    accepted(&edited(&[("value = \"X-CN: ${ssl_client_s_dn_parsed}\"", last)]).check());
}

#[test]
fn two_routes_for_the_same_requests() {
    let route = "[[routes]]\npath = \"/\"\nupstream = \"core\"\n";
    let twice = format!("{route}{route}[[rules]]\nname = \"tell\"");
    refused_alone(
        &edited(&[("[[rules]]\nname = \"tell\"", &twice)]).check(),
        &["`routes`: two routes are for `/` with the same method"],
    );
    let overlapping =
        "[[routes]]\npath = \"/\"\nmethods = [\"PUT\", \"POST\"]\nupstream = \"core\"\n[[rules]]\nname = \"tell\"";
    refused_alone(&edited(&[("[[rules]]\nname = \"tell\"", overlapping)]).check(), &["two routes are for `/`"]);
    let apart = overlapping.replace(", \"POST\"", "");
    accepted(&edited(&[("[[rules]]\nname = \"tell\"", &apart)]).check());
    accepted(&edited(&[("[[rules]]\nname = \"tell\"", &format!("{route}[[rules]]\nname = \"tell\""))]).check());
}

#[test]
fn host_names_belong_to_one_domain() {
    let second = |name: &str| {
        format!(
            "[[domains]]\nname = \"{name}\"\ncname_api_keys = [\"{}\"]\nfront_door = \"nginx\"\n[[front_doors]]\nname = \"nginx\"",
            tag(KEY)
        )
    };
    for name in ["api.example", "API.Example", "mtls.api.example"] {
        let ran = edited(&[("[[front_doors]]\nname = \"nginx\"", &second(name))]).check();
        refused(&ran, &["`domains[1].name`: `", "is a domain, or the mTLS host of one, already"]);
    }
    accepted(&edited(&[("[[front_doors]]\nname = \"nginx\"", &second("other.example"))]).check());
    let across = edited(&[]);
    across.write("tenants/other.toml", &across.read(TENANT));
    refused(&across.check(), &["other.toml: `domains[0].name`: `api.example` is a domain"]);
}

#[test]
fn front_doors_that_cannot_be_told_apart() {
    let second = "[[front_doors]]\nname = \"nginx\"\nproofs = [\"api_key\"]\n[trusted_ca.clients]";
    refused(&edited(&[("[trusted_ca.clients]", second)]).check(), &["`front_doors`: two have the name `nginx`"]);
    let other = second.replace("nginx", "other");
    let unsaid = edited(&[("[trusted_ca.clients]", &other), ("front_door = \"nginx\"\n", "")]);
    refused_alone(&unsaid.check(), &["`domains[0].front_door`: is missing", "one of nginx, signing, other"]);
}

#[test]
fn an_upstreams_trust_without_tls() {
    let ran = edited(&[("host = \"preserve\"", "trusted_ca = \"trusted-ca/root.pem\"")]).check();
    refused_alone(&ran, &["`upstreams.core.trusted_ca`: has no effect: `url` is not https"]);
}

#[test]
fn a_password_in_a_url_is_not_shown() {
    let folder = Folder::good();
    folder.edit("vestibule.toml", "redis://127.0.0.1:16379/1", "redis://:hunter2@h:1");
    let ran = folder.check();
    refused_alone(&ran, &["`replay.redis`: found `***`", "without a password"]);
    assert!(!ran.stderr.contains("hunter2"), "{}", ran.stderr);
    let ran = edited(&[("http://127.0.0.1:19000", "http://me:hunter2@h")]).check();
    refused(&ran, &["`upstreams.core.url`: found `***`"]);
    assert!(!ran.stderr.contains("hunter2"), "{}", ran.stderr);
}

#[test]
fn a_limit_of_nothing_is_a_limit() {
    accepted(&edited(&[("\"1MiB\"", "\"0B\"")]).check());
}
