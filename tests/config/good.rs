//! Configurations that are accepted.

use std::os::unix::fs::PermissionsExt;

use crate::edge_config::{Folder, KEY, tag};
use crate::{TENANT, accepted, edited, keeps_secrets};

#[test]
fn a_complete_folder_is_accepted_and_shown() {
    let ran = Folder::good().check();
    accepted(&ran);
    for shown in [
        "server.keep_alive = \"75s\"",
        "server.workers = 2",
        "secrets.pepper_file = \"secrets/pepper\"",
        "domains[0].cname_api_keys = ***",
        "policy.allow_expired_certificates = false",
        "rules[0].criteria[0][0].operator = \"is_equal\"",
    ] {
        assert!(ran.stdout.lines().any(|line| line == shown), "no `{shown}` in\n{}", ran.stdout);
    }
}

#[test]
fn what_has_a_default_may_be_left_out() {
    let folder = Folder::good();
    folder.write("vestibule.toml", "[server]\nlisten = [\"127.0.0.1:0\"]\n[secrets]\npepper_file = \"secrets/pepper\"\n");
    let tenant = format!(
        r#"
        [[domains]]
        name = "api.example"
        cname_api_keys = ["{}"]
        [[front_doors]]
        name = "nginx"
        proofs = ["api_key"]
        [trusted_ca.clients]
        certificates = ["trusted-ca/root.pem"]
        [policy]
        trusted_ca = "clients"
        [upstreams.core]
        url = "http://127.0.0.1:1"
        [[routes]]
        path = "/"
        upstream = "core"
        "#,
        tag(KEY)
    );
    folder.write(TENANT, &tenant);
    accepted(&folder.check());
}

#[test]
fn open_routes_are_the_operators_right() {
    for policy in [
        "{ verification = \"off\" }",
        "{ verification = \"permissive\" }",
        "{ allow_unauthenticated_requests = true }",
        "{ allow_expired_certificates = true, allow_revoked_certificates = true }",
    ] {
        let route = format!("policy = {policy}\n[[routes]]\npath = \"/closed\"\nupstream = \"core\"");
        accepted(&edited(&[("policy = { allow_unauthenticated_requests = true }", &route)]).check());
    }
}

#[test]
fn off_needs_no_trusted_ca() {
    let folder = edited(&[
        ("verification = \"enforce\"", "verification = \"off\""),
        ("trusted_ca = \"clients\"\n", ""),
        ("policy = { allow_unauthenticated_requests = true }", ""),
        ("variable = \"${subject.O}\"", "variable = \"${http_x}\""),
    ]);
    folder.without_consumers();
    accepted(&folder.check());
}

#[test]
fn vendors_spellings_are_read() {
    for name in ["UnauthenticatedRequests", "ExpiredCertificates", "RevokedCertificates"] {
        let ran = edited(&[("allow_unauthenticated_requests = true", &format!("allow{name} = true"))]).check();
        accepted(&ran);
        assert!(ran.stdout.contains(&format!("allow{name} = true")));
    }
    let both = edited(&[("allow_stale_crl = false", "allowExpiredCertificates = true")]).check();
    crate::refused_alone(&both, &["acme.toml: `policy.allowExpiredCertificates`", "beside `allow_expired_certificates`"]);
}

#[test]
fn a_pepper_is_needed_for_keys_alone() {
    let folder = edited(&[
        ("proofs = [\"api_key\"]", "proofs = [\"network\"]\nnetworks = [\"192.0.2.0/24\"]"),
        ("cname_api_keys = [\"TAG\"]".replace("TAG", &tag(KEY)).as_str(), ""),
    ]);
    folder.edit("vestibule.toml", "pepper_file = \"secrets/pepper\"", "");
    accepted(&folder.check());
}

#[test]
fn check_tries_the_cache_folder_and_leaves_no_trace() {
    let folder = Folder::good();
    accepted(&folder.check());
    assert!(!folder.path("revocation-cache").exists());
    folder.write("file", "");
    folder.edit("vestibule.toml", "cache_folder = \"revocation-cache\"", "cache_folder = \"file/below\"");
    crate::refused_alone(&folder.check(), &["vestibule.toml: `revocation.cache_folder`: ", "file/below cannot be written: "]);
}

#[test]
fn one_text_is_a_list_of_one() {
    accepted(&edited(&[("proofs = [\"api_key\"]", "proofs = \"api_key\"")]).check());
}

#[test]
fn two_keys_during_rotation() {
    let folder = Folder::good();
    let tags = format!("\"{}\", \"{}\"", tag(KEY), tag("next"));
    folder.edit(TENANT, &format!("\"{}\"", tag(KEY)), &tags);
    accepted(&folder.check());
}

#[test]
fn a_pepper_that_everybody_may_read_is_worth_a_warning() {
    let folder = Folder::good();
    std::fs::set_permissions(folder.path("secrets/pepper"), std::fs::Permissions::from_mode(0o644)).unwrap();
    let ran = folder.check();
    assert_eq!(ran.code, 0);
    assert!(ran.stderr.starts_with("vestibule: warning: `secrets/pepper` holds the pepper"), "{}", ran.stderr);
    keeps_secrets(&ran);
}
