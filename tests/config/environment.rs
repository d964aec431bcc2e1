//! `VESTIBULE__…`: variables over files.

use std::os::unix::ffi::OsStrExt;

use crate::edge_config::{Folder, PEPPER, Ran, run, vestibule};
use crate::{accepted, keeps_secrets, refused, refused_alone};

fn with(variables: &[(&str, &str)]) -> Ran {
    Folder::good().run(&["check"], variables, b"")
}

#[test]
fn variables_win_over_files() {
    for (name, value, shown) in [
        ("VESTIBULE__SERVER__KEEP_ALIVE", "90s", "server.keep_alive = \"90s\""),
        ("vestibule__server__keep_alive", "90s", "server.keep_alive = \"90s\""),
        ("VESTIBULE__SERVER__WORKERS", "7", "server.workers = \"7\""),
        ("VESTIBULE__SERVER__LISTEN", "127.0.0.1:1, unix:/tmp/x", "server.listen = \"127.0.0.1:1, unix:/tmp/x\""),
        ("VESTIBULE__TENANTS__ACME__POLICY__VERIFICATION", "permissive", "policy.verification = \"permissive\""),
        (
            "VESTIBULE__TENANTS__ACME__POLICY__ALLOW_EXPIRED_CERTIFICATES",
            "true",
            "policy.allow_expired_certificates = \"true\"",
        ),
        ("VESTIBULE__TENANTS__ACME__UPSTREAMS__CORE__URL", "http://h:1", "upstreams.core.url = \"http://h:1\""),
        ("VESTIBULE__TENANTS__ACME__UPSTREAMS__CORE__HOST", "1234", "upstreams.core.host = \"1234\""),
        ("VESTIBULE__LOGS__ACCESS", "true", "logs.access = \"true\""),
    ] {
        let ran = with(&[(name, value)]);
        accepted(&ran);
        assert!(ran.stdout.lines().any(|line| line == shown), "{name}\n{}", ran.stdout);
    }
}

#[test]
fn a_tenants_hyphen_is_an_underscore() {
    let folder = Folder::good();
    std::fs::rename(folder.path("tenants/acme.toml"), folder.path("tenants/acme-bank.toml")).unwrap();
    let variable = ("VESTIBULE__TENANTS__ACME_BANK__ERROR_STYLE", "kong");
    let ran = folder.run(&["check"], &[variable], b"");
    accepted(&ran);
    assert!(ran.stdout.contains("error_style = \"kong\""));
}

#[test]
fn a_pepper_of_any_digits_is_a_pepper() {
    let folder = Folder::good();
    folder.write("secrets/pepper", "broken");
    // All digits, and a number in scientific notation: both are texts.
    for pepper in [PEPPER, &"1234567890123456".repeat(4), &format!("{}e{}", "1".repeat(32), "0".repeat(31))] {
        let ran = folder.run(&["check"], &[("VESTIBULE__SECRETS__PEPPER", pepper)], b"");
        accepted(&ran);
        assert!(!ran.stdout.contains(pepper) && ran.stdout.contains("secrets.pepper = ***"));
    }
}

#[test]
fn a_problem_with_a_variable_names_the_variable() {
    for (name, value, expected) in [
        ("VESTIBULE__SERVER__KEEP_ALIVE", "soon", "found `soon`"),
        ("VESTIBULE__SERVER__KEEP_ALIVE", "", "found ``"),
        ("VESTIBULE__SERVER__WORKERS", "many", "accepted: a whole number from 0 to 1024"),
        ("VESTIBULE__SERVER__WORKERS", "1e3", "accepted: a whole number"),
        ("VESTIBULE__SERVER__LISTEN", "nowhere", "\"address:port\" or \"unix:/path\""),
        ("VESTIBULE__SERVER", "x", "accepted: a table"),
        ("VESTIBULE__SECRETS__PEPPER", "c0ffee", "the pepper has 3 bytes"),
        ("VESTIBULE__TENANTS__ACME__POLICY__ALLOW_EXPIRED_CERTIFICATES", "yes", "accepted: true or false"),
        ("VESTIBULE__TENANTS__ACME__POLICY__ALLOW_EXPIRED_CERTIFICATES", "1", "accepted: true or false"),
        ("VESTIBULE__TENANTS__ACME__POLICY__ALLOW_EXPIRED_CERTIFICATES", "TRUE", "accepted: true or false"),
        ("VESTIBULE__TENANTS__ACME__POLICY__ALLOW_EXPIRED_CERTIFICATES", "", "accepted: true or false"),
        ("VESTIBULE__TENANTS__ACME__POLICY__VERIFICATION", "none", "accepted: enforce, permissive, off"),
        ("VESTIBULE__TENANTS__ACME__DOMAINS", "api.example", "accepted: a list of tables"),
        ("VESTIBULE__STRANGE", "x", "is no key of this table"),
        ("VESTIBULE__STRANGE__DEEP__KEY", "x", "is no key of this table"),
        ("VESTIBULE__SERVER__STRANGE", "x", "is no key of this table"),
        ("VESTIBULE__TENANTS__ACME__STRANGE", "x", "is no key of this table"),
        ("VESTIBULE__TENANTS__ACME__POLICY__VERIFY", "x", "is no key of this table"),
        ("VESTIBULE__TENANTS__ACNE__POLICY__VERIFICATION", "off", "is for no tenant that has a file"),
        ("VESTIBULE__TENANTS", "x", "is for no tenant that has a file"),
    ] {
        refused(&with(&[(name, value)]), &[&format!("vestibule: the environment: `{name}`: "), expected]);
    }
}

#[test]
fn a_value_that_is_not_unicode_is_not_shown() {
    let folder = Folder::good();
    let mut command = vestibule();
    let value = std::ffi::OsStr::from_bytes(b"c0ffee\xff");
    command.args(["check", "--config"]).arg(folder.path("")).env("VESTIBULE__SECRETS__PEPPER", value);
    let ran = run(&mut command, b"");
    refused_alone(&ran, &["the environment: `VESTIBULE__SECRETS__PEPPER`: is not Unicode"]);
    assert!(!ran.stderr.contains("c0ffee"));
}

#[test]
fn other_variables_are_none_of_ours() {
    let ran =
        with(&[("VESTIBULE", "x"), ("VESTIBULE_LOG", "x"), ("VESTIBULES__SERVER__LISTEN", "x"), ("MY_VESTIBULE__A", "x")]);
    accepted(&ran);
    keeps_secrets(&ran);
}
