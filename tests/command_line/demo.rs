//! `vestibule demo`: on a machine with nothing on it.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::edge_config::{Ran, ran, vestibule};

/// Without programs to call, and with a folder of its own for temporary files.
fn demo(temporary: &Path) -> Command {
    let mut command = vestibule();
    command.arg("demo").env_clear().env("TMPDIR", temporary);
    command
}

fn left_behind(temporary: &Path) -> usize {
    std::fs::read_dir(temporary).unwrap().count()
}

#[test]
fn every_request_ends_as_it_must_and_nothing_stays() {
    let temporary = tempfile::tempdir().unwrap();
    let ran: Ran = ran(&demo(temporary.path()).output().unwrap());
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
    let row = |client: &str, path: &str| {
        let found = ran.stdout.lines().find(|line| line.starts_with(client) && line[17..].starts_with(&format!("{path} ")));
        found.unwrap_or_else(|| panic!("no {client} {path} in\n{}", ran.stdout)).to_owned()
    };
    for (client, path, expected) in [
        ("good", "/", "200    passed                    SUCCESS CN=good-partner"),
        ("contractor", "/payments/1", "403    denied_by_rule"),
        ("none", "/", "401    certificate_required"),
        ("expired", "/grace/", "200    passed                    FAILED:certificate has expired"),
        ("expired-forgery", "/grace/", "401    certificate_untrusted"),
        ("revoked", "/public/", "401    certificate_revoked"),
        ("not-yet-valid", "/", "401    certificate_not_yet_valid"),
        ("server-only", "/", "401    certificate_purpose"),
        ("wrong-ca", "/", "401    certificate_untrusted"),
        ("self-signed", "/permissive/", "200    passed                    FAILED:self-signed certificate"),
        ("stolen header", "/", "401    certificate_required"),
        ("another Host", "/", "421    sni_mismatch"),
        ("unknown name", "/", "-      no handshake"),
    ] {
        let row = row(client, path);
        assert!(row.contains(expected), "{row}");
    }
    assert!(!ran.stdout.contains('←'), "{}", ran.stdout);
    assert_eq!(left_behind(temporary.path()), 0);
}

#[test]
fn kept_it_runs_until_it_is_told_to_stop() {
    let temporary = tempfile::tempdir().unwrap();
    let mut child = demo(temporary.path()).arg("--keep").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let shown: Vec<String> = lines.by_ref().take_while(|line| !line.starts_with("The configuration is ")).collect();
    let text = shown.join("\n").replace("\\\n", "");
    let command = text.lines().find(|line| line.contains("curl") && line.contains("good.pem")).unwrap();
    let words: Vec<&str> = command.split_whitespace().skip(1).collect();
    let curl = Command::new("curl").args(["--silent", "--noproxy", "*", "--max-time", "20"]).args(words).output().unwrap();
    let said = String::from_utf8_lossy(&curl.stdout);
    assert!(said.starts_with("upstream received GET / HTTP/1.1") && said.contains("ssl-client-verify: SUCCESS"), "{said}");
    assert_eq!(left_behind(temporary.path()), 1);
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(left_behind(temporary.path()), 0);
}

#[test]
fn without_a_place_for_its_files_it_says_so() {
    let ran = ran(&demo(Path::new("/nowhere/at-all")).output().unwrap());
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""));
    assert!(ran.stderr.starts_with("vestibule: "), "{}", ran.stderr);
}
