//! `vestibule rules test`, and `explain --response`.

use crate::bank::{Request, Tenant, authorities, good, leaf, pem, person, person_of};
use crate::edge_config::{Ran, run, vestibule};
use crate::{folder, rule_at, tenant};

const RULES: &str = r#"
[[rules]]
name = "partners alone"
phase = "firewall"
when = 'request.uri.startsWith("/partners/") && !("Partners" in certificate.subject.OU)'
behaviors = [{ type = "deny" }]
[[rules]]
name = "away"
criteria = [[{ variable = "${uri}", operator = "is_equal", argument = "/old" }]]
behaviors = [{ type = "redirect_to_301", value = "https://new.example/" }]
[[rules]]
name = "tell"
behaviors = [{ type = "add_request_header", value = "X-Address: ${remote_addr}" }]
[[rules]]
name = "hide"
phase = "response"
criteria = [[{ variable = "${status}", operator = "is_equal", argument = "404" }]]
behaviors = [{ type = "filter_response_header", value = "Server" }, { type = "add_response_header", value = "X-Gone: ${uri}" }]
"#;

fn set_up() -> tempfile::TempDir {
    let folder = folder(&tenant(RULES));
    let stranger = person_of(&authorities().stranger, &leaf("stranger"));
    for (file, certificate) in [("good.pem", good().certificate), ("stranger.pem", stranger.certificate)] {
        std::fs::write(folder.path().join(file), pem(&certificate)).unwrap();
    }
    folder
}

fn tested(folder: &tempfile::TempDir, table: &str) -> Ran {
    std::fs::write(folder.path().join("rules-test.toml"), table).unwrap();
    run(vestibule().args(["rules", "test", "--config"]).arg(folder.path()), b"")
}

/// A test of a request with a certificate.
fn test(request: &str, expect: &str) -> String {
    let comma = if request.is_empty() { "" } else { ", " };
    format!("[[test]]\nname = \"t\"\nrequest = {{ {request}{comma}host = \"api.bank.example\" }}\nexpect = {{ {expect} }}\n")
}

#[test]
fn a_table_that_passes() {
    let folder = set_up();
    let table = [
        (
            "certificate = \"good.pem\"",
            "decision = \"permit\", status = 200, upstream = \"core\", verify = \"SUCCESS\", code = \"\"",
        ),
        (
            "target = \"/partners/1\", certificate = \"good.pem\"",
            "decision = \"refuse\", status = 403, code = \"denied_by_rule\", rule = \"partners alone\", matched = [\"partners alone\"]",
        ),
        (
            "target = \"/old\", certificate = \"good.pem\"",
            "decision = \"answer\", status = 301, rule = \"away\", response_headers = { location = \"https://new.example/\" }",
        ),
        ("", "decision = \"refuse\", status = 401, code = \"certificate_required\""),
        ("certificate = \"stranger.pem\"", "decision = \"refuse\", status = 401"),
        (
            "target = \"/permissive/\", certificate = \"stranger.pem\"",
            "decision = \"permit\", request_headers = { ssl-client-verify = \"FAILED:unable to verify the first certificate\" }",
        ),
        (
            "target = \"/public/\", client_address = \"192.0.2.7\", headers = { x-address = \"forged\" }",
            "request_headers = { X-Address = \"192.0.2.7\", absent = \"\" }, verify = \"NONE\"",
        ),
        (
            "target = \"/nowhere\", method = \"DELETE\", certificate = \"good.pem\"",
            "decision = \"permit\", target = \"/nowhere\"",
        ),
    ];
    let mut text: String = table.iter().map(|(request, expect)| test(request, expect)).collect();
    text += "[[test]]\nname = \"late\"\nat = \"2099-01-01T00:00:00Z\"\nrequest = { host = \"api.bank.example\", certificate = \"good.pem\" }\nexpect = { decision = \"refuse\", status = 401 }\n";
    text += "[[test]]\nname = \"answer\"\nrequest = { host = \"api.bank.example\", target = \"/x\", certificate = \"good.pem\" }\nupstream_answer = { status = 404, headers = { server = \"secret\", x-kept = \"1\" } }\nexpect = { status = 404, matched = [\"tell\", \"name\", \"hide\"], response_headers = { server = \"\", x-gone = \"/x\", x-kept = \"1\" } }\n";
    let ran = tested(&folder, &text);
    assert!(ran.stdout.contains("passed, 0 failed"), "{}{}", ran.stdout, ran.stderr);
    assert_eq!((ran.code, ran.stdout.lines().filter(|line| line.starts_with("ok    ")).count()), (0, 10));
}

#[test]
fn the_first_difference_is_told_and_the_exit_code_says_so() {
    let folder = set_up();
    for (request, expect, said) in [
        ("certificate = \"good.pem\"", "decision = \"refuse\"", "decision: expected \"refuse\", found \"permit\""),
        ("certificate = \"good.pem\"", "status = 404", "status: expected \"404\", found \"200\""),
        (
            "target = \"/partners/\", certificate = \"good.pem\"",
            "code = \"no_route\"",
            "code: expected \"no_route\", found \"denied_by_rule\"\n      denied_by_rule: rule `partners alone`",
        ),
        ("target = \"/old\", certificate = \"good.pem\"", "rule = \"tell\"", "rule: expected \"tell\", found \"away\""),
        ("certificate = \"good.pem\"", "matched = []", "matched: expected [], found [\"tell\", \"name\"]"),
        (
            "certificate = \"good.pem\"",
            "request_headers = { x-address = \"192.0.2.1\" }",
            "request header x-address: expected \"192.0.2.1\", found \"127.0.0.1\"",
        ),
        (
            "certificate = \"good.pem\"",
            "response_headers = { x-gone = \"a\" }",
            "response header x-gone: expected \"a\", found \"\"",
        ),
    ] {
        let ran = tested(&folder, &(test(request, expect) + &test("certificate = \"good.pem\"", "decision = \"permit\"")));
        let found = ran.stdout.contains(&format!("FAIL  t: {said}"));
        assert!(found && ran.stdout.ends_with("1 passed, 1 failed\n"), "{said}: {}{}", ran.stdout, ran.stderr);
        assert_eq!(ran.code, 1);
    }
}

#[test]
fn a_table_that_cannot_be_run() {
    let folder = set_up();
    for (table, said) in [
        (String::new(), "has no [[test]]"),
        ("[[test]".into(), "rules-test.toml: "),
        (test("strange = 1", "status = 200"), "strange"),
        (test("target = \"/\"", "strange = 1"), "strange"),
        (test("target = \"/\"", ""), "expects nothing"),
        (test("target = \"/\"", "decision = \"pass\""), "accepted: permit, refuse, answer"),
        (test("target = \"/\"", "code = \"nope\""), "`nope` is no code"),
        (test("target = \"x\"", "status = 200"), "test `t`: "),
        (test("certificate = \"missing.pem\"", "status = 200"), "`missing.pem`: "),
        (test("certificate = \"rules-test.toml\"", "status = 200"), "`rules-test.toml`: "),
        (test("headers = { host = \"a\" }", "status = 200"), "stands beside `headers`"),
        (test("headers = { x = \"a\\nb\" }", "status = 200"), "no header line"),
        (test("method = \"G T\"", "status = 200"), "`method`"),
        (test("target = \"/\"", "status = 200").replacen("request", "at = \"noon\"\nrequest", 1), "RFC 3339"),
    ] {
        let ran = tested(&folder, &table);
        assert!(ran.code == 64 && ran.stderr.contains(said), "{table}: {} {}", ran.code, ran.stderr);
    }
    let ran = run(vestibule().args(["rules", "test", "--config"]).arg(folder.path()).arg("nowhere.toml"), b"");
    assert!(ran.code == 64 && ran.stderr.contains("nowhere.toml: cannot be read"), "{}", ran.stderr);
    assert_eq!(run(vestibule().args(["rules", "test", "--config", "/nowhere"]), b"").code, 64);
}

#[test]
fn explain_runs_the_response_phase_on_a_recorded_answer() {
    let rules = RULES.to_owned() + &rule_at("response", "/moved", "{ type = \"redirect_to_302\", value = \"/there\" }");
    let folder = folder(&Tenant { tables: rules, ..Tenant::default() });
    let explained = |target: &str, answer: &str| {
        let file = folder.path().join("answer");
        std::fs::write(&file, answer).unwrap();
        let mut command = vestibule();
        command.args(["explain", "--config"]).arg(folder.path()).arg("--response").arg(&file);
        run(&mut command, &Request::get(target).of(&person(&leaf("good"))).text())
    };
    let ran = explained("/x", "HTTP/1.1 404 Not Found\r\nServer: secret\r\nX-Kept: 1\r\n");
    assert!(
        ran.stdout.contains("decision       permit") && ran.stdout.contains("rule           hide: matched (response)"),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stdout.contains("answer         404\n") && ran.stdout.contains("  header       x-gone: /x\n"),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("x-kept: 1") && !ran.stdout.contains("secret"), "{}", ran.stdout);
    let ran = explained("/x", "HTTP/1.1 200 OK\r\nServer: shown\r\n");
    assert!(ran.stdout.contains("hide: did not match") && ran.stdout.contains("server: shown"), "{}", ran.stdout);
    let ran = explained("/moved", "HTTP/1.1 404 Not Found\r\n\r\n");
    assert!(ran.stdout.contains("answer         302, to /there"), "{}", ran.stdout);
    for bad in ["", "nonsense", "HTTP/1.1 99999 x\r\n"] {
        let ran = explained("/x", bad);
        assert!(ran.code == 1 && ran.stderr.contains("answer`: "), "{bad}: {} {}", ran.stdout, ran.stderr);
    }
}

#[test]
fn the_consumer_is_a_part_of_what_is_expected() {
    let consumers = "[[consumers]]\nid = \"c-good\"\nusername = \"good\"\ngroups = [\"eu\"]\n";
    let folder = folder(&tenant(consumers));
    std::fs::write(folder.path().join("good.pem"), pem(&good().certificate)).unwrap();
    std::fs::write(folder.path().join("other.pem"), pem(&person(&leaf("other")).certificate)).unwrap();
    let told = "consumer = \"c-good\", request_headers = { x-consumer-username = \"good\", x-consumer-groups = \"eu\" }";
    let passing = test("certificate = \"good.pem\"", told)
        + &test("certificate = \"other.pem\"", "code = \"consumer_unknown\", consumer = \"\"")
        + &test("target = \"/public/\"", "decision = \"permit\", consumer = \"\"");
    let ran = tested(&folder, &passing);
    assert!(ran.stdout.ends_with("3 passed, 0 failed\n"), "{}{}", ran.stdout, ran.stderr);
    let ran = tested(&folder, &test("certificate = \"good.pem\"", "consumer = \"\""));
    assert!(ran.stdout.contains("FAIL  t: consumer: expected \"\", found \"c-good\""), "{}{}", ran.stdout, ran.stderr);
    assert_eq!(ran.code, 1);
}
