//! Proofs of front doors, and the settings that belong to each.

use std::os::unix::fs::PermissionsExt;

use crate::edge_config::{Folder, SIGNATURE_KEY};
use crate::{accepted, edited, refused, refused_alone};

const ALL: &str = "proofs = [\"api_key\", \"network\", \"signature\", \"unix\"]";
const KEY: &str = "[[front_doors.signature_keys]]\nkeyid = \"edge1\"\nsecret_file = \"secrets/edge1\"\n";
const KEYS: &str = "keyid = \"edge1\"\nsecret_file = \"secrets/edge1\"";

#[test]
fn a_setting_without_its_proof_has_no_effect() {
    for (word, keys) in [
        ("network", &["networks"][..]),
        ("unix", &["unix_users", "unix_groups"]),
        (
            "signature",
            &[
                "signature_label",
                "signature_tag",
                "signature_components",
                "signature_max_age",
                "clock_tolerance",
                "signature_keys",
            ],
        ),
    ] {
        let others: Vec<&str> =
            ["api_key", "network", "signature", "unix"].into_iter().filter(|other| *other != word).collect();
        let ran = edited(&[(ALL, &format!("proofs = {others:?}"))]).check();
        for key in keys {
            refused(
                &ran,
                &[&format!("`front_doors[1].{key}`: has no effect\n  hint: \"{word}\" among `proofs`, or no `{key}`")],
            );
        }
        refused(&ran, &[&format!("{} problem", keys.len())]);
    }
}

#[test]
fn a_proof_without_its_settings_is_refused() {
    for (lines, key) in [
        ("networks = [\"192.0.2.0/24\", \"2001:db8::/32\"]\n", "networks`: is missing: nobody could connect"),
        ("unix_users = [\"root\", \"33\"]\nunix_groups = [\"root\"]\n", "unix_users`: is missing: nobody could connect"),
        (KEY, "signature_keys`: found 0 keys"),
    ] {
        refused_alone(&edited(&[(lines, "")]).check(), &[&format!("`front_doors[1].{key}")]);
    }
}

#[test]
fn a_domain_has_keys_where_they_prove_something() {
    let signing = edited(&[("front_door = \"nginx\"", "front_door = \"signing\""), (ALL, "proofs = [\"signature\"]")]);
    for lines in [
        "networks = [\"192.0.2.0/24\", \"2001:db8::/32\"]\n",
        "unix_users = [\"root\", \"33\"]\n",
        "unix_groups = [\"root\"]\n",
    ] {
        signing.edit(crate::TENANT, lines, "");
    }
    refused_alone(&signing.check(), &["`domains[0].cname_api_keys`: has no effect: the front door `signing`"]);
    let text: Vec<String> =
        signing.read(crate::TENANT).lines().filter(|line| !line.starts_with("cname_api_keys")).map(str::to_owned).collect();
    signing.write(crate::TENANT, &text.join("\n"));
    accepted(&signing.check());
    let keyless = edited(&[(&format!("cname_api_keys = [\"{}\"]\n", crate::edge_config::tag(crate::edge_config::KEY)), "")]);
    refused_alone(&keyless.check(), &["`domains[0].cname_api_keys`: found 0 tags"]);
}

#[test]
fn keys_for_signatures_are_named_once_and_come_from_one_place() {
    let twice = edited(&[(KEY, &format!("{KEY}{KEY}"))]);
    refused_alone(&twice.check(), &["`front_doors[1].signature_keys`: two have the keyid `edge1`"]);
    for (lines, found) in [
        ("keyid = \"edge1\"", "`front_doors[1].signature_keys[0].secret_file`: is missing"),
        ("secret_file = \"secrets/edge1\"", "`front_doors[1].signature_keys[0].keyid`: is missing"),
        (
            "keyid = \"edge1\"\nsecret_file = \"secrets/edge1\"\nsecret_env = \"EDGE\"",
            "secret_env`: is there beside `secret_file`",
        ),
        ("keyid = \"edge1\"\nsecret_env = \"NO_SUCH_VARIABLE\"", "secret_env`: there is no variable `NO_SUCH_VARIABLE`"),
        // `cargo test` sets it, and it is no key.
        ("keyid = \"edge1\"\nsecret_env = \"CARGO_PKG_NAME\"", "secret_env`: the key "),
    ] {
        refused_alone(&edited(&[(KEYS, lines)]).check(), &[found]);
    }
    let folder = Folder::good();
    for (text, found) in
        [("c2hvcnQ=", "the key has 5 bytes; 32 are needed"), ("no base64", "the key is not base64"), ("", "has 0 bytes")]
    {
        folder.write("secrets/edge1", text);
        refused_alone(&folder.check(), &[found]);
    }
}

#[test]
fn a_key_that_everybody_may_read_is_told() {
    let folder = Folder::good();
    std::fs::set_permissions(folder.path("secrets/edge1"), std::fs::Permissions::from_mode(0o644)).unwrap();
    let ran = folder.check();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("`secrets/edge1` holds a key for signatures, and everybody"), "{}", ran.stderr);
    assert!(!ran.stderr.contains(SIGNATURE_KEY.trim_end()));
}

#[test]
fn nonces_are_remembered_here_or_there() {
    let folder = Folder::good();
    let redis = "redis = \"redis://127.0.0.1:16379/1\"\n";
    folder.edit("vestibule.toml", redis, "");
    let both = "has no effect\n  hint: `redis`, or no `redis_";
    refused(&folder.check(), &[&format!("`replay.redis_timeout`: {both}"), &format!("`replay.redis_password_file`: {both}")]);
    let folder = Folder::good();
    folder.edit("vestibule.toml", redis, &format!("{redis}memory_entries = 5000\n"));
    refused_alone(&folder.check(), &["`replay.memory_entries`: has no effect beside `redis`"]);
    for (entries, found) in [("5000", None), ("999", Some("from 1000 to 100000000")), ("100000001", Some("from 1000"))] {
        let folder = Folder::good();
        let text = folder.read("vestibule.toml");
        let kept: Vec<&str> = text.lines().filter(|line| !line.starts_with("redis")).collect();
        folder.write("vestibule.toml", &kept.join("\n").replace("[replay]", &format!("[replay]\nmemory_entries = {entries}")));
        match found {
            Some(found) => refused_alone(&folder.check(), &[found]),
            None => accepted(&folder.check()),
        }
    }
}
