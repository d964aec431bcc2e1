//! Consumers that are good, and those that would never be found, or be somebody else.

use crate::edge_config::Folder;
use crate::{TENANT, accepted, edited, refused, refused_alone};

const FILE: &str = "lists/consumers.jsonl";

fn with_file(text: &str) -> Folder {
    let folder = Folder::good();
    folder.write(FILE, text);
    folder
}

#[test]
fn files_of_both_kinds() {
    for text in [
        "\n{\"id\": \"x\"}\r\n\n",
        "{\"id\": \"x\", \"username\": null, \"groups\": [\"a\"], \"credentials\": [{\"subject\": {\"CN\": \"x\"}}]}",
        "{\"id\": \"x\", \"credentials\": [{\"san_uri\": \"urn:a\", \"ca_certificate\": \"sha256:DIGEST\"}, {\"san_uri\": \"urn:a\"}]}",
    ] {
        accepted(&with_file(&text.replace("DIGEST", &"0a".repeat(32))).check());
    }
    let folder = edited(&[("consumers.jsonl", "consumers.toml")]);
    folder.write("lists/consumers.toml", "[[consumers]]\nid = \"x\"\n[[consumers.credentials]]\nsubject = { CN = \"x\" }\n");
    accepted(&folder.check());
    for (text, expected) in [
        ("consumers = []\n", "`consumers_file`: `lists/consumers.toml` holds no consumer"),
        ("[[consumers]\n", "is not TOML"),
        ("other = 1\n[[consumers]]\nid = \"x\"\n", "consumers.toml: `other`: is no key"),
        ("[[consumers]]\nid = \"c1\"\n", "consumers.toml: `consumers[0].id`: two consumers have the id `c1`"),
    ] {
        folder.write("lists/consumers.toml", text);
        refused(&folder.check(), &[expected]);
    }
}

#[test]
fn wrong_lines_are_named() {
    for (line, expected) in [
        ("{", "`lists/consumers.jsonl` line 2: is not JSON"),
        ("[]", "line 2: is no JSON object"),
        ("{}", "consumers.jsonl:2: `id`: is missing"),
        ("{\"id\": 1}", "consumers.jsonl:2: `id`: found a whole number"),
        ("{\"id\": \"a\"}", "consumers.jsonl:2: `id`: two consumers have the id `a`"),
        ("{\"id\": \"guest\", \"username\": \"guest\"}", "consumers.jsonl:2: `username`: two consumers have the username"),
        ("{\"id\": \"b\", \"groups\": [\"a,b\"]}", "consumers.jsonl:2: `groups`: found `a,b`"),
        ("{\"id\": \"b\", \"group\": \"a\"}", "consumers.jsonl:2: `group`: is no key"),
        ("{\"id\": \"b\", \"credentials\": [{}]}", "`credentials[0]`: has 0 of certificate, san_uri, subject, subject_name"),
        ("{\"id\": \"b\", \"credentials\": [{\"san_uri\": \"u:1\", \"subject_name\": \"x\"}]}", "`credentials[0]`: has 2 of"),
        (
            "{\"id\": \"b\", \"credentials\": [{\"subject_name\": \"x\", \"ca_certificate\": \"trusted-ca/root.pem\"}]}",
            "`credentials[0].ca_certificate`: found `trusted-ca/root.pem`",
        ),
        (
            "{\"id\": \"b\", \"credentials\": [{\"subject\": {\"O\": \"Example\"}}]}",
            "`credentials[0]`: two credentials map the same certificates",
        ),
        (
            "{\"id\": \"b\", \"credentials\": [{\"certificate\": \"sha256:DIGEST\", \"ca_certificate\": \"sha256:DIGEST\"}]}",
            "`credentials[0].ca_certificate`: has no effect beside `certificate`",
        ),
    ] {
        let text = format!("{{\"id\": \"a\"}}\n{line}\n").replace("DIGEST", &"0a".repeat(32));
        refused_alone(&with_file(&text).check(), &[expected]);
    }
    let many: String = (0..50).map(|_| "{\"id\": 1}\n").collect();
    let ran = with_file(&format!("{{\"id\": \"a\"}}\n{many}")).check();
    refused(&ran, &["consumers.jsonl:2: `id`", "has 40 more problems", "11 problems in"]);
}

#[test]
fn sets_of_attribute_types_have_a_limit() {
    let kinds = [
        "CN",
        "O",
        "OU",
        "C",
        "L",
        "ST",
        "UID",
        "DC",
        "SN",
        "GN",
        "title",
        "street",
        "postalCode",
        "name",
        "initials",
        "dnQualifier",
        "role",
    ];
    let lines = |count: usize| {
        let line = |kind: &&str| format!("{{\"id\": \"{kind}\", \"credentials\": [{{\"subject\": {{\"{kind}\": \"x\"}}}}]}}\n");
        kinds.iter().take(count).map(line).collect::<String>()
    };
    // The tenant's own file has one more set, of `O`.
    accepted(&with_file(&lines(16)).check());
    refused_alone(&with_file(&lines(17)).check(), &["`credentials[0]`: `subject`: more than 16 sets"]);
}

#[test]
fn what_lets_nobody_pass_or_changes_nothing() {
    let route = |policy: &str| edited(&[("policy = { allow_unauthenticated_requests = true }", policy)]).check();
    for key in ["anonymous = \"guest\"", "default_consumer = \"c1\"", "skip_consumer_lookup = true", "deny_groups = [\"a\"]"] {
        let ran = route(&format!("policy = {{ verification = \"off\", {key} }}"));
        let name = key.split(' ').next().unwrap();
        refused(&ran, &[&format!("`routes[0].policy.{name}`: has no effect: `verification` is `off`")]);
    }
    let ran = route("policy = { verification = \"off\", allow_groups = [\"a\"] }");
    refused(&ran, &["`routes[0].policy.allow_groups`: lets nobody pass"]);
    let nobody = edited(&[("allow_groups = []", "allow_groups = [\"a\"]")]);
    nobody.without_consumers();
    refused_alone(&nobody.check(), &["`routes[0].policy.allow_groups`: lets nobody pass: the tenant has no consumers"]);
    let off = route("policy = { skip_consumer_lookup = true }");
    refused_alone(&off, &["`consumers`: has no effect"]);
    accepted(&edited(&[("anonymous = \"guest\"", "anonymous = \"\"")]).check());
    for (from, to) in [("X-CN:", "X-Consumer-ID:"), ("X-CN:", "x_credential_identifier:")] {
        refused_alone(&edited(&[(from, to)]).check(), &["is set by a rule or [upstream_headers], and tells the consumer"]);
    }
    // Without consumers the names are free.
    let free = edited(&[("X-CN:", "X-Consumer-ID:")]);
    free.without_consumers();
    accepted(&free.check());
    assert!(free.read(TENANT).contains("X-Consumer-ID"));
}
