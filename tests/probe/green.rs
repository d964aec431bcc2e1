//! Every product with its printed configuration.

use crate::bank::{Tenant, good};
use crate::product::{FrontDoor, RUNNING};
use crate::set_up::{bank, command, door, probe};

fn assert_green(door: &FrontDoor, not_tried: &[&str]) {
    let probed = probe(door, Some(&good()));
    let kind = door.kind;
    assert_eq!(probed.ended("fail"), Vec::<String>::new(), "{kind}");
    assert_eq!((probed.code, probed.said.as_str()), (Some(0), ""), "{kind}");
    let untried = probed.ended("not_tried");
    assert_eq!(untried.len(), not_tried.len(), "{kind}: {untried:#?}");
    for (line, expected) in untried.iter().zip(not_tried) {
        assert!(line.contains(expected), "{kind}: {line}, expected {expected}");
    }
    let passed = probed.ended("pass");
    assert!(passed.len() > 45, "{kind}: {passed:#?}");
    assert!(passed.iter().any(|line| line.contains("your certificate is verified | SUCCESS")), "{kind}: {passed:#?}");
    // Whatever was tried, nothing went on to an upstream.
    assert_eq!(door.bank.upstream.take().len(), 0, "{kind}");
    door.bank.vestibule.assert_no_panic();
}

/// What cannot be tried where no certificate is asked for.
const SILENT: [&str; 5] = [
    "a certificate is forwarded whole",
    "an unknown self-signed certificate is told as such",
    "your certificate is verified",
    "a large certificate never becomes none",
    "a TLS session of `api.bank.example` resumed elsewhere",
];

fn green(kind: &'static str) {
    assert_green(&door(kind, &[]), &SILENT);
}

#[test]
fn nginx_is_green() {
    green("nginx");
}

#[test]
fn haproxy_is_green() {
    green("haproxy");
}

#[test]
fn apache_is_green() {
    green("apache");
}

#[test]
fn caddy_is_green() {
    green("caddy");
}

#[test]
fn products_that_ask_on_every_name_are_green() {
    for kind in RUNNING {
        let door = FrontDoor::before(kind, bank(&Tenant::default()), &[]);
        let probed = probe(&door, None);
        assert_eq!((probed.code, probed.ended("fail")), (Some(0), Vec::new()), "{kind}");
    }
}

#[test]
fn each_check_is_one_line() {
    let door = door("nginx", &[]);
    let (mut command, _folder) = command(&door, None);
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.iter().filter(|line| !line.starts_with("  ")).count(), 3, "{text}");
    for line in lines.iter().filter(|line| line.starts_with("  ")) {
        assert!(line.starts_with("  pass       ") || line.starts_with("  not tried  "), "{line}");
    }
    assert!(lines.last().unwrap().contains(" passed, 0 failed, "), "{text}");
}
