//! Nothing is dropped in silence: every field that cannot come along is told, with its place.

use crate::set_up::{Imported, data};

#[test]
fn every_field_that_is_lost_is_told() {
    let imported = Imported::kong(&data("kong/everything.yml", 9000), &[]);
    assert_eq!(imported.ran.code, 2, "{}", imported.ran.stderr);
    for (place, told) in [
        ("", "of the workspace `default` alone"),
        ("", "`_info.select_tags` alone"),
        ("", "left out: `_info.defaults`"),
        ("", "note: stronger than before: certificates need the purpose clientAuth"),
        ("", "left out: the section `vaults` (1)"),
        ("", "left out: the section `new_section` (2)"),
        ("", "left out: the host `*.wild.example`"),
        ("ca_certificate `root`: ", "its `cert_digest` is not the certificate's"),
        ("ca_certificate `in-a-vault`: ", "left out: stands in a vault"),
        ("ca_certificate `two`: ", "left out: "),
        ("certificate `server`: ", "left out: `cert_alt`"),
        ("certificate `server`: ", "left out: `key_alt`"),
        ("certificate `server`: ", "left out: has no `cert` and `key`"),
        ("upstream `pool`: ", "left out: nothing is balanced here: `algorithm`"),
        ("service `pooled`: ", "left out: 1 more targets"),
        ("service `pooled`: ", "left out: `client_certificate`"),
        ("service `pooled`: ", "left out: `retries`"),
        ("service `pooled`: ", "left out: `write_timeout`"),
        ("service `pooled`: ", "left out: `tls_verify_depth`"),
        ("service `pooled`: ", "note: `read_timeout` becomes `response_timeout`"),
        ("service `secure`: ", "note: stronger than before: the upstream's certificate"),
        ("consumer group `gold`: ", "left out: unknown fields, whose meaning is lost: `surprise`"),
        ("consumer group `gold`: plugin `rate-limiting-advanced`: ", "left out: is not carried over"),
        ("", "left out: a consumer group has a consumer that is not in the file"),
        ("acls: ", "left out: an entry whose consumer is not in the file"),
        ("consumer `one`: ", "left out: unknown fields, whose meaning is lost: `keyauth_credentials`"),
        ("consumer `one`: ", "left out: the consumer groups `silver`"),
        ("consumer `one`: ", "note: has no `id`"),
        ("consumer `one`: credential k1: ", "left out: its `ca_certificate` is not in the file"),
        ("consumer `one`: credential k2: ", "left out: has no `subject_name`"),
        ("consumer `one`: ", "left out: a credential is not carried over: it has control characters"),
        ("consumer ` spaced `: ", "left out: is not carried over: its names"),
        ("consumer `twin`: ", "left out: is not carried over: another one has its name"),
        ("route `complete`: ", "left out: `path_handling`"),
        ("route `complete`: ", "left out: `https_redirect_status_code`"),
        ("route `complete`: ", "note: `request_buffering`"),
        ("route `complete`: ", "note: `regex_priority`"),
        ("route `complete`: ", "note: `protocols` is https alone"),
        ("route `complete`: ", "note: `hosts`"),
        ("route `complete`: ", "left out: unknown fields, whose meaning is lost: `surprise`"),
        ("route `complete`: ", "left out: its requests are closed: "),
        ("route `complete`: plugin `mtls-auth`: ", "left out: `anonymous` is no consumer of the file"),
        ("route `complete`: plugin `mtls-auth`: ", "left out: `default_consumer` is no consumer of the file"),
        ("route `complete`: plugin `mtls-auth`: ", "note: `cache_ttl`"),
        ("route `complete`: plugin `mtls-auth`: ", "left out: weaker than before: `cert_cache_ttl`"),
        ("route `complete`: plugin `mtls-auth`: ", "note: stronger than before: `ssl_verify: false`"),
        ("route `complete`: plugin `mtls-auth`: ", "note: stronger than before: nothing is fetched, and STRICT"),
        ("route `complete`: plugin `mtls-auth`: ", "note: `allow_partial_chain`"),
        ("route `lost`: ", "left out: its service is not in the file: nowhere"),
        ("route `unicode`: ", "left out: a path that cannot be said here: everything below `/` is refused"),
        ("route `look-around`: ", "left out: a path that cannot be said here: everything below `/look/` is refused"),
        ("plugin `tls-metadata-headers`: ", "left out: headers about the certificate"),
        ("plugin `prometheus`: ", "left out: is not carried over; nobody gets in"),
        ("plugin `ip-restriction`: ", "left out: may decide who gets in"),
        ("plugin `acl`: ", "left out: `hide_groups_header`"),
        ("plugin `mtls-auth`: ", "left out: what it belongs to is not in the file: nowhere"),
        ("plugin `header-cert-auth`: ", "note: is switched off"),
        ("plugin `http-log`: ", "left out: `ordering`"),
    ] {
        let line = |line: &&str| line.contains(told) && line.starts_with(&format!("vestibule: kong.yml: {place}"));
        assert!(imported.ran.stderr.lines().any(|one| line(&one)), "no {place}{told} in\n{}", imported.ran.stderr);
    }
    assert!(!imported.ran.stderr.contains("top-secret"), "a secret is told");
    // The same stands in the folder.
    let report = imported.read("import-report.txt");
    for line in imported.ran.stderr.lines() {
        assert!(report.contains(line.trim_start_matches("vestibule: ")), "{line}");
    }
    assert!(!report.contains("top-secret"));
}

/// What was closed leads nowhere, whoever comes.
#[test]
fn everything_that_is_not_understood_is_closed() {
    let imported = Imported::kong(&data("kong/everything.yml", 9000), &[]);
    let tenant = imported.read("tenants/everything-example.toml");
    let upstreams: Vec<&str> = tenant.lines().filter(|line| line.starts_with("upstream = ")).collect();
    assert!(!upstreams.is_empty() && upstreams.iter().all(|upstream| *upstream == "upstream = \"closed\""), "{tenant}");
}
