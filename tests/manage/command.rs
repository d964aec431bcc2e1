//! `vestibule domains` and `vestibule keygen --admin-token`.

use std::process::Command;

use serde_json::Value;

use crate::office::{Office, TOKEN, tag};

fn run(office: &Office, token: Option<&str>, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
    command.args(["domains", "--url", &format!("http://127.0.0.1:{}", office.bank.vestibule.admin_port())]).args(arguments);
    command.env_remove("VESTIBULE_ADMIN_TOKEN").env("http_proxy", "http://127.0.0.1:9");
    if let Some(token) = token {
        command.env("VESTIBULE_ADMIN_TOKEN", token);
    }
    let ran = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (ran.status.code().unwrap(), text(ran.stdout), text(ran.stderr))
}

#[test]
fn the_whole_life_of_a_domain() {
    let office = Office::open();
    let good = |arguments: &[&str]| {
        let (code, out, said) = run(&office, Some(TOKEN), arguments);
        assert_eq!((code, said.as_str()), (0, ""), "{arguments:?}");
        out
    };
    let json = |text: String| serde_json::from_str::<Value>(&text).unwrap();
    let host = "a.customer.example";
    let created = json(good(&["create", host]));
    let id = created["custom_domain_id"].as_str().unwrap();
    assert_eq!(good(&["list"]), format!("{id}\tpending_verification\t{host}\n"));
    assert_eq!(json(good(&["verify", host]))["status"], "pending_verification");
    office.prove(&created);
    let old = json(good(&["verify", id]))["cname_api_key"].as_str().unwrap().to_owned();
    assert_eq!(office.knock(host, &old), 200);
    let rotated = json(good(&["rotate", host, "--overlap", "60"]));
    let key = rotated["cname_api_key"].as_str().unwrap();
    assert_eq!((office.knock(host, &old), office.knock(host, key)), (200, 200));
    let keys = json(good(&["keys", host]));
    let ends = keys.as_array().unwrap().iter().find(|key| key["expires_at"].is_string()).unwrap();
    assert_eq!(good(&["revoke", host, ends["key_id"].as_str().unwrap()]), "");
    assert_eq!((office.knock(host, &old), office.knock(host, key)), (403, 200));
    assert_eq!(json(good(&["test", host]))["success"], false);
    assert_eq!(json(good(&["show", host]))["status"], "ready");
    assert_eq!((good(&["delete", host]), good(&["list"])), (String::new(), String::new()));
    let log = good(&["audit"]);
    let actions: Vec<Value> = log.lines().map(|line| json(line.to_owned())["action"].clone()).collect();
    assert_eq!(actions, ["create", "verify", "verify", "rotate_key", "revoke_key", "delete"]);
}

#[test]
fn what_fails_is_told() {
    let office = Office::open();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("{TOKEN}\n")).unwrap();
    assert_eq!(run(&office, None, &["list", "--token-file", file.path().to_str().unwrap()]).0, 0);
    for (token, arguments, said) in [
        (None, &["list"][..], "no token: --token-file, or the variable VESTIBULE_ADMIN_TOKEN"),
        (Some("x"), &["list"], "401: Invalid token"),
        (Some(TOKEN), &["list", "--token-file", "/nonexistent"], "cannot be read"),
        (Some(TOKEN), &["show", "nobody.example"], "there is no custom domain `nobody.example`"),
        (Some(TOKEN), &["show", "a/../b"], "is no host name and no id"),
        (Some(TOKEN), &["delete", "cd_1"], "400: Path validation error"),
        (Some(TOKEN), &["create", "localhost"], "400: Payload validation error"),
        (Some(TOKEN), &["list", "--url", "http://127.0.0.1:1"], "does not answer"),
    ] {
        let (code, out, found) = run(&office, token, arguments);
        assert_eq!((code, out.as_str()), (1, ""), "{arguments:?}");
        assert!(found.starts_with("vestibule: ") && found.contains(said) && !found.contains(TOKEN), "{arguments:?}: {found}");
    }
}

#[test]
fn keygen_makes_tokens() {
    let office = Office::open();
    let ran = Command::new(env!("CARGO_BIN_EXE_vestibule"))
        .args(["keygen", "--admin-token", "--config"])
        .arg(office.bank.vestibule.folder())
        .output()
        .unwrap();
    let text = String::from_utf8(ran.stdout).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let token = lines[0].strip_prefix("token: ").unwrap();
    assert!(token.starts_with("vestibule_admin_") && token.len() == 80, "{token}");
    assert_eq!(lines[1], format!("tag: {}", tag(token)));
}
