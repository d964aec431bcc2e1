//! `output_dialect`: the same certificate in nginx's forms and in those of Azion's documentation.

use std::process::Command;

use crate::bank::{Bank, Request, Tenant, good, leaf, pem, person};
use crate::edge_config::{run, vestibule};
use crate::rule_if;

const SHOWN: &str = r#"
[upstream_headers]
"x-s" = "${ssl_client_s_dn}"
"x-i" = "${ssl_client_i_dn}"
"x-serial" = "${ssl_client_serial}"
"x-start" = "${ssl_client_v_start}"
"x-end" = "${ssl_client_v_end}"
"x-cn" = "${ssl_client_s_dn_parsed}"
"x-list" = "${subject.CN}"
"#;

fn bank(dialect: &str, rules: &str) -> Bank {
    let top = format!("{}output_dialect = \"{dialect}\"\n", Tenant::default().top);
    Bank::with(&Tenant { top, tables: SHOWN.to_owned() + rules, ..Tenant::default() })
}

/// What the openssl command says about a certificate.
fn openssl(certificate: &str, arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("leaf.pem");
    std::fs::write(&file, certificate).unwrap();
    let ran = Command::new("openssl").args(["x509", "-noout", "-in"]).arg(&file).args(arguments).output().unwrap();
    assert!(ran.status.success());
    String::from_utf8(ran.stdout).unwrap().trim().split_once('=').unwrap().1.trim().to_owned()
}

#[test]
fn upstream_headers_in_both_dialects() {
    let client = good();
    let certificate = pem(&client.certificate);
    for dialect in ["nginx", "azion"] {
        let bank = bank(dialect, "");
        assert_eq!(bank.vestibule.ask(Request::get("/").of(&client).text()).status, 200);
        let received = bank.upstream.take_one();
        let form = if dialect == "nginx" { "RFC2253" } else { "compat" };
        assert_eq!(received.header("x-s"), openssl(&certificate, &["-subject", "-nameopt", form]));
        assert_eq!(received.header("x-i"), openssl(&certificate, &["-issuer", "-nameopt", form]));
        assert_eq!((received.header("x-cn"), received.header("x-list")), ("good", "good"));
        let serial = openssl(&certificate, &["-serial"]);
        let pairs: Vec<String> = serial.as_bytes().chunks(2).map(|pair| String::from_utf8(pair.to_vec()).unwrap()).collect();
        assert_eq!(received.header("x-serial"), if dialect == "nginx" { serial } else { pairs.join(":") });
        let plain: String = openssl(&certificate, &["-enddate", "-dateopt", "iso_8601"]);
        let compact: String = plain.chars().filter(char::is_ascii_digit).collect();
        let end = openssl(&certificate, &["-enddate"]);
        assert_eq!(received.header("x-end"), if dialect == "nginx" { end } else { compact });
        assert_eq!(received.header("x-start").len() == 14, dialect == "azion");
    }
}

#[test]
fn criteria_and_expressions_see_the_dialect_and_dates_are_dates_in_both() {
    let add = |name: &str| format!("{{ type = \"add_request_header\", value = \"{name}: yes\" }}");
    let rules = rule_if("request", "dn", ("${ssl_client_s_dn}", "starts_with", Some("/")), &add("X-Slash"))
        + &rule_if("request", "late", ("${ssl_client_v_end}", "after", Some("20200101000000")), &add("X-After"))
        + &rule_if("request", "early", ("${ssl_client_v_end}", "before", Some("2020-01-01T00:00:00Z")), &add("X-Before"))
        + &format!("[[rules]]\nname = \"e\"\nwhen = 'certificate.s_dn.startsWith(\"/\")'\nbehaviors = [{}]\n", add("X-When"));
    for (dialect, slash) in [("nginx", ""), ("azion", "yes")] {
        let bank = bank(dialect, &rules);
        assert_eq!(bank.vestibule.ask(Request::get("/").of(&good()).text()).status, 200);
        let received = bank.upstream.take_one();
        let told = ["x-slash", "x-when", "x-after", "x-before"].map(|name| received.header(name).to_owned());
        assert_eq!(told, [slash, slash, "yes", ""], "{dialect}");
    }
}

#[test]
fn a_slash_in_a_value_fools_no_attribute() {
    let admin = rule_if("request", "admin", ("${subject.CN}", "is_equal", Some("admin")), "{ type = \"no_content\" }");
    let bank = bank("azion", &admin);
    for name in ["alice/CN=admin", "alice\\,CN=admin"] {
        let answer = bank.vestibule.ask(Request::get("/").of(&person(&leaf(name))).text());
        assert_eq!(answer.status, 200, "{name}");
        bank.upstream.take_one();
    }
}

#[test]
fn inspect_prints_both() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("leaf.pem");
    std::fs::write(&file, pem(&good().certificate)).unwrap();
    let shown = |arguments: &[&str]| run(vestibule().arg("inspect").arg(&file).args(arguments), b"");
    let (plain, azion) = (shown(&[]), shown(&["--dialect", "azion"]));
    assert!(plain.stdout.contains("CN=good") && !plain.stdout.contains("ssl_client_s_dn                /"), "{}", plain.stdout);
    let line = azion.stdout.lines().find(|line| line.starts_with("ssl_client_s_dn ")).unwrap();
    assert!(line.contains("  /"), "{line}");
    assert_eq!(shown(&["--dialect", "apache"]).code, 64);
}
