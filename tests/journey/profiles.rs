//! Open-finance profiles: chosen by the verified issuer, seen by rules and the upstream, enforced or reported.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::bank::{Bank, DOMAIN, KEY, Person, Request, Tenant, authorities, files, good, leaf, person, person_of};
use crate::der_writer::{oid, sequence, tlv};
use crate::pki::{Leaf, new_key};

const AI: (&str, &str) = ("0.4.0.19495.1.3", "PSP_AI");
const PI: (&str, &str) = ("0.4.0.19495.1.2", "PSP_PI");

fn utf8(text: &str) -> Vec<u8> {
    tlv(0x0C, text.as_bytes())
}

fn qc_statements(roles: &[(&str, &str)]) -> Vec<u8> {
    let roles: Vec<_> = roles.iter().map(|(id, name)| sequence(&[oid(id), utf8(name)])).collect();
    sequence(&[
        sequence(&[oid("0.4.0.1862.1.1")]),
        sequence(&[oid("0.4.0.1862.1.6"), sequence(&[oid("0.4.0.1862.1.6.3")])]),
        sequence(&[oid("0.4.0.19495.2"), sequence(&[sequence(&roles), utf8("Autorité"), utf8("FR-ACPR")])]),
    ])
}

/// What a qualified certificate says.
fn qwac(name: &str, organization: &str, roles: &[(&str, &str)]) -> Leaf {
    Leaf {
        attributes: vec![("2.5.4.97", organization.into())],
        extra: vec![("1.3.6.1.5.5.7.1.3", false, qc_statements(roles))],
        ..leaf(name)
    }
}

fn good_qwac(roles: &[(&str, &str)]) -> Leaf {
    qwac("qwac", "PSDFR-ACPR-12-345", roles)
}

/// A tenant whose issuing CA issues by PSD2.
fn tenant(check: &str) -> Tenant {
    let tables = format!(
        r#"
[[profiles]]
name = "eu"
kind = "psd2"
issuers = ["trusted-ca/issuing.pem"]
check = "{check}"

[[routes]]
path = "/profiled/"
upstream = "core"
policy = {{ require_profile = true }}

[[rules]]
name = "account information only"
criteria = [
  [{{ variable = "${{uri}}", operator = "starts_with", argument = "/accounts/" }}],
  [{{ variable = "${{psd2_roles}}", operator = "is_not_equal", argument = "PSP_AI" }}],
]
behaviors = [{{ type = "deny" }}]

[upstream_headers]
"ssl-client-verify" = "${{ssl_client_verify}}"
"x-psd2-roles" = "${{psd2_roles}}"
"x-nca" = "${{psd2_nca_id}}/${{psd2_country}}/${{psd2_nca_name}}"
"x-number" = "${{psd2_authorization_number}}"
"x-profile" = "${{certificate_profile}}"
"x-organization" = "${{organization_identifier}}"
"x-quality" = "${{qc_type}} ${{qc_compliance}}"
"#
    );
    Tenant { tables, ..Tenant::default() }
}

#[test]
fn the_upstream_gets_the_facts_and_rules_ask_for_a_role() {
    let bank = Bank::with(&tenant("enforce"));
    let both = person(&good_qwac(&[AI, PI]));
    let answer = bank.vestibule.ask(Request::get("/accounts/1").of(&both).with("X-PSD2-Roles", "PSP_AS").text());
    assert_eq!(answer.status, 200, "{}", bank.vestibule.code(&answer));
    let received = bank.upstream.take_one();
    for (name, value) in [
        ("x-psd2-roles", "PSP_AI,PSP_PI"),
        ("x-nca", "FR-ACPR/FR/Autorit\\C3\\A9"),
        ("x-number", "12-345"),
        ("x-profile", "eu"),
        ("x-organization", "PSDFR-ACPR-12-345"),
        ("x-quality", "web true"),
    ] {
        assert_eq!(received.header(name), value, "{name}");
    }
    let line = bank.vestibule.access_line(&answer);
    assert_eq!((&line["cert.profile"], &line["cert.profile_violations"]), (&"eu".into(), &serde_json::Value::Null));
    let payments = person(&good_qwac(&[PI]));
    let answer = bank.vestibule.ask(Request::get("/accounts/1").of(&payments).text());
    assert_eq!(bank.refused(&answer, 403), "denied_by_rule");
    assert_eq!(bank.vestibule.ask(Request::get("/payments/1").of(&payments).text()).status, 200);
}

#[test]
fn a_violation_is_refused_where_it_is_enforced() {
    let bank = Bank::with(&tenant("enforce"));
    let others = person(&qwac("others", "PSDFR-BDF-1", &[AI]));
    for (person, word) in [(&good(), "qc_statements: there are no qcStatements"), (&others, "nca_mismatch: ")] {
        let answer = bank.vestibule.ask(Request::get("/").of(person).text());
        assert_eq!(bank.refused(&answer, 401), "certificate_profile");
        let cause = bank.vestibule.access_line(&answer)["refusal.cause"].as_str().unwrap().to_owned();
        assert!(cause.starts_with("profile `eu`: ") && cause.contains(word), "{cause}");
    }
    // Everybody passes a permissive route, but as nobody: without roles, and called by the reason.
    let answer = bank.vestibule.ask(Request::get("/permissive/").of(&others).text());
    assert_eq!(answer.status, 200);
    let received = bank.upstream.take_one();
    assert_eq!(received.header("ssl-client-verify"), "FAILED:certificate_profile");
    assert_eq!((received.header("x-psd2-roles"), received.header("x-profile")), ("", ""));
    assert_eq!(bank.vestibule.ask(Request::get("/").of(&person(&good_qwac(&[AI]))).text()).status, 200);
}

#[test]
fn a_violation_is_written_down_where_it_is_reported() {
    let bank = Bank::with(&tenant("report"));
    let answer = bank.vestibule.ask(Request::get("/").of(&person(&qwac("others", "PSDFR-BDF-1", &[AI]))).text());
    assert_eq!((answer.status, bank.upstream.take_one().header("x-psd2-roles")), (200, "PSP_AI"));
    let line = bank.vestibule.access_line(&answer);
    assert_eq!(line["cert.profile_violations"], serde_json::json!(["nca_mismatch"]), "{line}");
    let answer = bank.vestibule.ask(Request::get("/accounts/").of(&good()).text());
    assert_eq!(bank.refused(&answer, 403), "denied_by_rule");
}

#[test]
fn only_a_verified_issuer_gives_a_profile() {
    let bank = Bank::with(&tenant("enforce"));
    let qwac = good_qwac(&[AI]);
    let forged = Person { certificate: authorities().issuing.forge(&qwac), key: new_key() };
    let stranger = person_of(&authorities().stranger, &qwac);
    let of_root = person_of(&authorities().root, &qwac);
    for (person, verify) in [(&forged, "FAILED:certificate signature failure"), (&stranger, "FAILED:"), (&of_root, "SUCCESS")] {
        let answer = bank.vestibule.ask(Request::get("/permissive/").of(person).text());
        assert_eq!(answer.status, 200);
        let received = bank.upstream.take_one();
        assert!(received.header("ssl-client-verify").starts_with(verify), "{}", received.header("ssl-client-verify"));
        for name in ["x-psd2-roles", "x-number", "x-profile", "x-organization"] {
            assert_eq!(received.header(name), "", "{name}");
        }
    }
    // The root issues by no profile: its certificates pass without one, but not where one is required.
    assert_eq!(bank.vestibule.ask(Request::get("/").of(&of_root).text()).status, 200);
    bank.upstream.take();
    let answer = bank.vestibule.ask(Request::get("/profiled/").of(&of_root).text());
    assert_eq!(bank.refused(&answer, 401), "certificate_profile");
    let answer = bank.vestibule.ask(Request::get("/accounts/").of(&of_root).text());
    assert_eq!(bank.refused(&answer, 403), "denied_by_rule");
    assert_eq!(bank.vestibule.ask(Request::get("/profiled/").of(&person(&qwac)).text()).status, 200);
}

#[test]
fn the_nearest_ca_decides() {
    let mut tenant = tenant("enforce");
    tenant.tables = format!(
        "[[profiles]]\nname = \"rest\"\nkind = \"cdr\"\ncheck = \"report\"\nissuers = [\"sha256:{}\"]\n{}",
        hex::encode(openssl::sha::sha256(&authorities().root.certificate.to_der().unwrap())),
        tenant.tables
    );
    let bank = Bank::with(&tenant);
    for (ca, profile) in [(&authorities().issuing, "eu"), (&authorities().root, "rest")] {
        let answer = bank.vestibule.ask(Request::get("/").of(&person_of(ca, &good_qwac(&[AI]))).text());
        assert_eq!((answer.status, bank.upstream.take_one().header("x-profile")), (200, profile));
    }
}

fn explain(bank: &Bank, request: &Request) -> String {
    let mut child = Command::new(env!("CARGO_BIN_EXE_vestibule"))
        .args(["explain", "--config"])
        .arg(bank.vestibule.folder())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&request.text()).unwrap();
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
}

#[test]
fn explain_shows_profile_facts_and_violations() {
    let bank = Bank::with(&tenant("report"));
    let others = person(&qwac("others", "PSDFR-BDF-1", &[AI, PI]));
    let said = explain(&bank, &Request::get("/").of(&others));
    for line in [
        "profile        `eu`, psd2\n",
        "  fact         psd2_roles: PSP_AI,PSP_PI\n",
        "  fact         psd2_nca_name: Autorit\\u{e9}\n",
        "  reported     nca_mismatch: organizationIdentifier is \"PSDFR-BDF-1\", but NCAId is FR-ACPR\n",
        "decision       permit: GET / to `core`\n",
    ] {
        assert!(said.contains(line), "no {line:?} in\n{said}");
    }
    let bank = Bank::with(&tenant("enforce"));
    let said = explain(&bank, &Request::get("/").of(&others));
    assert!(
        said.contains("decision       refuse: 401 certificate_profile\n  cause        profile `eu`: nca_mismatch: "),
        "{said}"
    );
}

/// What `check` says of a tenant.
fn check(tenant: &Tenant) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files(&[(tenant.clone(), "http://127.0.0.1:9".into())]) {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text.replace("{port}", "1").replace("{admin}", "2")).unwrap();
    }
    std::fs::write(folder.path().join("nobody"), "# all of them left\n\n").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_vestibule")).args(["check", "--config"]).arg(folder.path()).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn problems_of_profiles_and_lists_are_told() {
    assert_eq!(check(&tenant("enforce")).0, Some(0));
    let profile = |lines: &str| format!("[[profiles]]\nname = \"a\"\n{lines}\n");
    let route = |policy: &str| format!("[[routes]]\npath = \"/x/\"\nupstream = \"core\"\npolicy = {{ {policy} }}\n");
    let issuers = "issuers = [\"trusted-ca/issuing.pem\"]";
    for (tables, expected) in [
        (profile("kind = \"psd2\""), "`profiles[0].issuers`: is missing"),
        (profile(&format!("kind = \"psd3\"\n{issuers}")), "`profiles[0].kind`: found `psd3`\n  hint: accepted: cdr, "),
        (profile(issuers), "`profiles[0].kind`: is missing"),
        (profile("kind = \"cdr\"\nissuers = [\"sha256:12\"]"), "a SHA-256 is 64 hexadecimal digits"),
        (profile("kind = \"cdr\"\nissuers = [\"nothing.pem\"]"), "`nothing.pem` cannot be read"),
        (profile("kind = \"cdr\"\nissuers = [\"crl/clients.pem\"]"), "no `CERTIFICATE` block"),
        (profile(&format!("kind = \"cdr\"\ncheck = \"off\"\n{issuers}")), "accepted: enforce, report"),
        (profile(&format!("kind = \"cdr\"\nguess = true\n{issuers}")), "`profiles[0].guess`: is no key"),
        (profile(&format!("kind = \"cdr\"\n{issuers}")).repeat(2), "two are named `a`"),
        (
            profile(&format!("kind = \"cdr\"\n{issuers}"))
                + &profile(&format!("kind = \"psd2\"\n{issuers}")).replace("\"a\"", "\"b\""),
            "is in `a` and in `b`",
        ),
        (route("allow_certificates = [\"sha256:12\"]"), "a SHA-256 is 64 hexadecimal digits"),
        (route("deny_certificates = [\"nothing.txt\"]"), "`nothing.txt` cannot be read"),
        (route("deny_certificates = [\"issuer-serial:01 CN=a, O=b\"]"), "as `ssl_client_i_dn` prints it"),
        (route("deny_certificates = [\"secrets/pepper\"]"), "`secrets/pepper`, line 1: found `"),
        (route("allow_certificates = [\"nobody\"]"), "names no certificate"),
        (route("verification = \"off\", require_profile = true"), "has no effect"),
        (route("verification = \"off\", deny_certificates = [\"trusted-ca/root.pem\"]"), "has no effect"),
        (route("deny_certificates = [\"crl/clients.pem\"]"), "no `CERTIFICATE` block"),
    ] {
        let (code, said) = check(&Tenant { tables, ..Tenant::default() });
        assert_eq!(code, Some(64), "{expected}: {said}");
        assert!(said.contains(expected), "no {expected:?} in\n{said}");
        assert!(!said.contains(KEY) && said.contains("tenants/bank.toml"), "{DOMAIN}: {said}");
    }
}
