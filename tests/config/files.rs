//! Files that are missing, broken, or something else than they should be; and many problems at once.

use crate::edge_config::{Folder, KEY, PEPPER, tag};
use crate::{TENANT, edited, refused, refused_alone};

#[test]
fn every_problem_of_every_file_is_told_at_once() {
    let folder = edited(&[
        ("error_style = \"json\"", "error_style = \"xml\""),
        ("url = \"http://127.0.0.1:19000\"", "url = \"gopher://x\""),
        ("connect_timeout = \"5s\"", "connect_timeout = \"5\"\nstrange = 1"),
        ("verification = \"enforce\"", "verification = \"maybe\""),
        ("behaviors = [{ type = \"deny\" }]", "behaviors = [{ type = \"explode\" }]"),
    ]);
    folder.edit("vestibule.toml", "level = \"info\"", "level = \"loud\"");
    folder.edit("vestibule.toml", "workers = 2", "workers = 2\nworker = 3");
    folder.write("tenants/other.toml", "error_style = 3");
    let ran = folder.check();
    refused(
        &ran,
        &[
            "vestibule.toml: `server.worker`: is no key of this table",
            "vestibule.toml: `logs.level`: found `loud`",
            "acme.toml: `error_style`: found `xml`",
            "acme.toml: `upstreams.core.url`: found `gopher://x`",
            "acme.toml: `upstreams.core.connect_timeout`: found `5`",
            "acme.toml: `upstreams.core.strange`: is no key",
            "acme.toml: `policy.verification`: found `maybe`",
            "acme.toml: `rules[0].behaviors[0]`: `explode` is no behavior",
            "other.toml: `error_style`: found a whole number",
            "other.toml: `front_doors`: is missing",
            "other.toml: `domains`: is missing",
            "other.toml: `routes`: is missing",
        ],
    );
}

#[test]
fn nothing_at_all() {
    let folder = Folder::good();
    std::fs::remove_dir_all(folder.path("tenants")).unwrap();
    std::fs::remove_file(folder.path("vestibule.toml")).unwrap();
    let check = folder.check();
    refused(&check, &["vestibule.toml: configuration file", "not found", "tenants: cannot be read", "2 problems"]);
    std::fs::create_dir(folder.path("tenants")).unwrap();
    folder.write("tenants/readme.txt", "");
    refused(&folder.check(), &["tenants: holds no tenant"]);
}

#[test]
fn a_broken_file_is_told_by_line_and_not_quoted() {
    for (file, from, to) in [
        ("vestibule.toml", "pepper_file = \"secrets/pepper\"", format!("pepper = \"{PEPPER}")),
        ("vestibule.toml", "pepper_file = \"secrets/pepper\"", format!("pepper = {PEPPER}")),
        ("vestibule.toml", "pepper_file = \"secrets/pepper\"", format!("pepper = \"{PEPPER}\"\npepper = \"{PEPPER}\"")),
        (TENANT, "name = \"nginx\"\n", format!("name = \"nginx\"\nname = \"{}\"\n", tag(KEY))),
        (TENANT, "proofs = [\"api_key\"]", format!("proofs = [\"{}\"", tag(KEY))),
    ] {
        let folder = Folder::good();
        let text = folder.read(file);
        folder.write(file, &text.replacen(from, &to, 1));
        let ran = folder.check();
        refused(&ran, &[&format!("{file}: TOML parse error at line ")]);
        assert!(!ran.stderr.contains(" | "), "{}", ran.stderr);
    }
}

#[test]
fn a_file_that_is_no_text() {
    let folder = Folder::good();
    folder.write_bytes(TENANT, b"\xff\xfe");
    refused(&folder.check(), &["tenants/acme.toml: "]);
    let folder = Folder::good();
    std::fs::create_dir(folder.path("tenants/folder.toml")).unwrap();
    refused(&folder.check(), &["tenants/folder.toml: "]);
}

#[test]
fn peppers() {
    for (text, found) in [
        ("", "the pepper has 0 bytes"),
        ("c0ffee", "the pepper has 3 bytes"),
        (&format!("{PEPPER}00"), "the pepper has 33 bytes"),
        (&format!("{PEPPER}x"), "the pepper is not hexadecimal"),
    ] {
        let folder = Folder::good();
        folder.write("secrets/pepper", text);
        refused_alone(&folder.check(), &["vestibule.toml: `secrets.pepper_file`: ", found]);
    }
    let folder = Folder::good();
    folder.write_bytes("secrets/pepper", b"\xff\xff");
    refused_alone(&folder.check(), &["`secrets.pepper_file`: `secrets/pepper` cannot be read"]);
    for wrong_place in [
        format!("pepper_file = \"{PEPPER}\""),
        format!("pepper = \"{PEPPER}\"\npeppers = \"{PEPPER}\""),
        format!("pepper = [\"{PEPPER}\"]"),
    ] {
        let folder = Folder::good();
        folder.edit("vestibule.toml", "pepper_file = \"secrets/pepper\"", &wrong_place);
        refused(&folder.check(), &["vestibule.toml: `secrets.pepper"]);
    }
    // Who proves himself by a key needs it.
    let folder = Folder::good();
    folder.edit("vestibule.toml", "pepper_file = \"secrets/pepper\"", "");
    refused_alone(&folder.check(), &["acme.toml: `domains[0].cname_api_keys`: ", "there is no pepper", "keygen --pepper"]);
}
