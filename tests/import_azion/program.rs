//! The command, and what its output does when it is served.

use serde_json::{Value, json};

use crate::always;
use crate::edge_config::{Folder, KEY, Ran, TENANT, run, tag, vestibule};
use crate::recording_upstream::RecordingUpstream;
use crate::vestibule_program::Vestibule;

fn command(json: &[u8], arguments: &[&str]) -> (tempfile::TempDir, Ran) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("rules.json");
    std::fs::write(&file, json).unwrap();
    let ran = run(vestibule().current_dir(dir.path()).args(["import", "azion", "rules.json"]).args(arguments), b"");
    (dir, ran)
}

pub(crate) fn command_on(json: &Value, arguments: &[&str]) -> Ran {
    command(json.to_string().as_bytes(), arguments).1
}

/// The seed: a deny for a path, and a header with who it is.
fn example() -> Value {
    json!({ "results": [
        { "id": 1, "name": "Default Rule", "phase": "default", "is_active": true, "order": 0, "criteria": always(),
          "behaviors": [{ "name": "set_cache_policy", "target": "5" },
                        { "name": "add_request_header", "target": "Client-Host: ${host}" }] },
        { "id": 3, "name": "tell who", "phase": "request", "is_active": true, "order": 2,
          "criteria": [[{ "conditional": "if", "variable": "${http_user_agent}", "operator": "matches", "input_value": "^v\\d+" }]],
          "behaviors": [{ "name": "add_request_header", "target": "Client-Verify: ${ssl_client_verify}" }] },
        { "id": 2, "name": "closed", "phase": "request", "is_active": true, "order": 1,
          "criteria": [[{ "conditional": "if", "variable": "${uri}", "operator": "starts_with", "input_value": "/closed" }],
                       [{ "conditional": "if", "variable": "${client_certificate_validation}", "operator": "is_not_equal",
                          "input_value": "true" }]],
          "behaviors": [{ "name": "deny", "target": null }] },
        { "id": 4, "name": "by device", "phase": "request", "is_active": true, "order": 3,
          "criteria": [[{ "conditional": "if", "variable": "${device_group}", "operator": "matches", "input_value": "phone" },
                        { "conditional": "or", "variable": "${uri}", "operator": "is_equal", "input_value": "/" }]],
          "behaviors": [{ "name": "deny", "target": null }] },
    ], "schema_version": 3 })
}

#[test]
fn outcomes() {
    let whole =
        command_on(&json!([{ "name": "r", "criteria": always(), "behaviors": [{ "type": "deny" }] }]), &["--phase", "request"]);
    assert_eq!(
        (whole.code, whole.stderr.as_str()),
        (0, "vestibule: rules: 1 carried over, 0 written with `active = false`, 0 left out\n")
    );
    let partly = command_on(&example(), &[]);
    assert_eq!(partly.code, 2, "{}", partly.stderr);
    for line in [
        "vestibule: rules.json: rule `Default Rule`: left out: behavior 1, `set_cache_policy`: nothing is cached here",
        "vestibule: rules.json: rule `tell who`: note: the expression is rewritten, to mean the same here",
        "vestibule: rules.json: rule `by device`: left out: the rule as a whole: it would not be what it was",
        "vestibule: rules: 3 carried over, 1 written with `active = false`, 0 left out",
    ] {
        assert!(partly.stderr.contains(line), "{}", partly.stderr);
    }
    // The gap is marked where it is.
    let marked = partly.stdout.lines().position(|line| line.trim_start().starts_with("# left out: a criterion: ")).unwrap();
    assert!(partly.stdout.lines().nth(marked + 1).unwrap().contains("variable = \"${uri}\""), "{}", partly.stdout);
    // Arguments may be secrets: they stand in the TOML alone.
    assert!(partly.stdout.contains("phone") && !partly.stderr.contains("phone"), "{}", partly.stderr);
    let phase = command_on(&json!([{ "name": "r", "criteria": always(), "behaviors": [{ "type": "deny" }] }]), &[]);
    assert_eq!((phase.code, phase.stdout.as_str()), (64, ""));
    assert!(phase.stderr.contains("add --phase"), "{}", phase.stderr);
    assert_eq!(command_on(&json!([]), &["--phase", "later"]).code, 64);
    assert_eq!(run(vestibule().args(["import", "azion"]), b"").code, 64);
}

#[test]
fn files_that_cannot_be_read() {
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let large = format!("\"{}\"", "x".repeat(16 << 20));
    for (bytes, told) in [
        (&b"{"[..], "is not JSON"),
        (b"", "is not JSON"),
        (b"\xff\xfe", "is not JSON"),
        (b"[1e999]", "is not JSON"),
        (deep.as_bytes(), "recursion limit"),
        (large.as_bytes(), "is larger than 16 MiB"),
    ] {
        let (_dir, ran) = command(bytes, &["--phase", "request"]);
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{told}");
        assert!(ran.stderr.contains("`rules.json`: ") && ran.stderr.contains(told), "{}", ran.stderr);
    }
    let missing = run(vestibule().args(["import", "azion", "/nowhere/rules.json"]), b"");
    assert_eq!(missing.code, 1);
    assert!(missing.stderr.contains("cannot be read"), "{}", missing.stderr);
}

#[test]
fn an_output_file_is_new() {
    let (dir, ran) = command(example().to_string().as_bytes(), &["--out", "rules.toml"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    let written = std::fs::read_to_string(dir.path().join("rules.toml")).unwrap();
    assert_eq!(written, command_on(&example(), &[]).stdout);
    let again = run(vestibule().current_dir(dir.path()).args(["import", "azion", "rules.json", "--out", "rules.json"]), b"");
    assert_eq!(again.code, 1);
    assert_eq!(std::fs::read_to_string(dir.path().join("rules.json")).unwrap(), example().to_string());
}

/// The tenant of the tests without rules, and with these.
pub(crate) fn tenant(toml: &str) -> String {
    let (start, _) = TENANT.split_once("[[rules]]").unwrap();
    format!("{start}{toml}").replace("TAG", &tag(KEY))
}

#[test]
fn the_output_loads() {
    let folder = Folder::good();
    folder.write("tenants/acme.toml", &tenant(&command_on(&example(), &[]).stdout));
    let checked = folder.check();
    assert_eq!(checked.code, 0, "{}", checked.stderr);
    // A whole mTLS domain in the place of our own CAs and policy.
    let domain = json!({ "name": "d", "mtls": { "enabled": true,
        "config": { "verification": "permissive", "certificate": 7, "crl": [1] } } });
    let (start, rest) = TENANT.split_once("[trusted_ca.clients]").unwrap();
    let (_, upstreams) = rest.split_once("[upstreams.core]").unwrap();
    let (upstreams, _) = upstreams.split_once("[[rules]]").unwrap();
    let imported = command_on(&domain, &[]);
    assert_eq!(imported.code, 0, "{}", imported.stderr);
    let text = format!("{start}[upstreams.core]{upstreams}{}", imported.stdout).replace("TAG", &tag(KEY));
    folder.write("tenants/acme.toml", &text);
    folder.write("trusted-ca/ca_7.pem", &folder.read("trusted-ca/root.pem"));
    assert_eq!(folder.check().code, 64, "the CRL is not there yet");
    folder.write("crl/crl_1.pem", &folder.read("crl/clients.pem"));
    let checked = folder.check();
    assert_eq!(checked.code, 0, "{}", checked.stderr);
    assert!(checked.stdout.contains("permissive"), "{}", checked.stdout);
}

const SMALL_PROCESS: &str = r#"
[server]
listen = ["127.0.0.1:{port}"]
[admin]
listen = "127.0.0.1:{admin}"
[secrets]
pepper_file = "secrets/pepper"
"#;

const SMALL_TENANT: &str = r#"
[[domains]]
name = "api.example"
cname_api_keys = ["TAG"]
[[front_doors]]
name = "nginx"
proofs = ["api_key"]
[trusted_ca.clients]
certificates = ["trusted-ca/root.pem"]
[policy]
trusted_ca = "clients"
allow_unauthenticated_requests = true
[upstreams.core]
url = "UPSTREAM"
[[routes]]
path = "/"
upstream = "core"
"#;

#[test]
fn what_was_imported_is_what_is_done() {
    let folder = Folder::good();
    let upstream = RecordingUpstream::start();
    let text = format!("{}\n{}", SMALL_TENANT.replace("UPSTREAM", &upstream.url()), command_on(&example(), &[]).stdout);
    let tenant = text.replace("TAG", &tag(KEY));
    let mut files = vec![("vestibule.toml".to_owned(), SMALL_PROCESS.to_owned()), ("tenants/acme.toml".to_owned(), tenant)];
    files.extend(["secrets/pepper", "trusted-ca/root.pem"].map(|file| (file.to_owned(), folder.read(file))));
    let vestibule = Vestibule::start(&files);
    let ask = |target: &str| {
        vestibule.ask(format!(
            "GET {target} HTTP/1.1\r\nHost: api.example\r\ncname-api-key: {KEY}\r\nX-Forwarded-For: 192.0.2.7\r\n\
             User-Agent: v1\r\nclient-certificate-ca-verified: NONE\r\nClient-Host: mallory\r\n\r\n"
        ))
    };
    let closed = ask("/closed/1");
    assert_eq!(closed.status, 403, "{}", closed.text());
    assert_eq!(vestibule.access_line(&closed)["refusal.cause"], "rule `closed`");
    assert!(upstream.take().is_empty());
    // `/` would be denied by the rule that could not be carried whole.
    assert_eq!(ask("/").status, 200);
    let received = upstream.take_one();
    assert_eq!((received.header("client-host"), received.header("client-verify")), ("api.example", "NONE"));
}
