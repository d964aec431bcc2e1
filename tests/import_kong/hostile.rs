//! Files that are hostile, or none at all: told in one line, nothing is written.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde_json::{Value, json};
use vestibule::cli::import::{kong, zuplo};

use crate::set_up::Imported;

#[track_caller]
fn refused(text: &[u8], told: &str) {
    let started = Instant::now();
    let imported = Imported::of("kong", &[("kong.yml", text)], &[]);
    assert_eq!((imported.ran.code, imported.ran.stdout.as_str()), (1, ""), "{}", imported.ran.stderr);
    assert!(imported.ran.stderr.contains("kong.yml") && imported.ran.stderr.contains(told), "{told}: {}", imported.ran.stderr);
    assert!(imported.ran.stderr.lines().count() == 1, "{}", imported.ran.stderr);
    assert!(!imported.folder().exists());
    // Not a measurement: it would not come back at all.
    assert!(started.elapsed() < Duration::from_secs(300));
}

/// `a` has ten entries, and each next one ten of the one before.
fn laughs(levels: usize) -> String {
    let mut text = "_format_version: '3.0'\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..=levels {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    text
}

#[test]
fn aliases_do_not_grow_without_bounds() {
    refused(laughs(9).as_bytes(), "means more than");
    refused(b"_format_version: '3.0'\na: &a [*a]\n", "kong.yml");
    let long = format!("_format_version: '3.0'\na: &a {}\nb: [{}]\n", "x".repeat(1 << 20), vec!["*a"; 100].join(", "));
    refused(long.as_bytes(), "means more than");
    // Each one stands a little deeper than the one before.
    let mut chain = "_format_version: '3.0'\na0: &a0 []\n".to_owned();
    for at in 1..100 {
        chain.push_str(&format!("a{at}: &a{at} [*a{}]\n", at - 1));
    }
    refused(chain.as_bytes(), "nested deeper than 64");
}

#[test]
fn depth_and_size_have_bounds() {
    refused(format!("a: {}{}", "[".repeat(70), "]".repeat(70)).as_bytes(), "nested deeper than 64");
    // The reader of YAML has a bound of its own for lists in brackets.
    refused(format!("a: {}{}", "[".repeat(100_000), "]".repeat(100_000)).as_bytes(), "is no YAML");
    refused(format!("a: {}", "{a: ".repeat(100_000)).as_bytes(), "nested deeper than 64");
    refused("- ".repeat(100_000).as_bytes(), "nested deeper than 64");
    refused(format!("a: [{}]", "x,".repeat(600_000)).as_bytes(), "means more than");
    refused(format!("a: {}", "x".repeat(16 << 20)).as_bytes(), "is larger than 16 MiB");
}

#[test]
fn what_is_no_configuration_is_told() {
    refused(b"", "is empty");
    refused(b"\xff\xfe", "is no UTF-8");
    refused(b"a: [", "kong.yml");
    refused(b"a: 'x", "line 1");
    refused(b"[]", "no mapping");
    refused(b"a: 1", "`_format_version` must be 1.1, 2.1, 3.0");
    refused(b"_format_version: '4.0'", "`_format_version` must be");
    refused(b"_format_version: '3.0'", "no route that could be served");
    refused(b"_format_version: '3.0'\n---\n_format_version: '3.0'\n", "more than one document");
    // Which of the two counts, readers do not agree on.
    refused(b"_format_version: '3.0'\nroutes: []\nroutes: [{ paths: [/] }]\n", "says `routes` twice");
    refused(b"_format_version: !!python/object/apply:os.system ['id']\n", "tag");
    refused(b"? [a, b]\n: c\n", "key that is no plain text");
    refused(b"a: &x 1\n<<: *x\n", "merges");
    refused(b"{\"_format_version\": \"3.0\", \"a\": }", "kong.yml");
}

/// A text of the file cannot end a comment's line, nor steer a terminal.
#[test]
fn names_stay_in_their_line() {
    let text = "_format_version: '3.0'\nservices:\n- name: \"a\\n[policy]\\nverification = 'off'\\e[2J\"\n  url: http://127.0.0.1:1\n  \
                routes:\n  - { name: \"r\\n[[routes]]\", hosts: [a.example], paths: [/], strip_path: false }\n";
    let imported = Imported::kong(text, &[]);
    assert!(!imported.ran.stderr.contains('\u{1b}'), "{}", imported.ran.stderr);
    let tenant = imported.read("tenants/a-example.toml");
    assert!(!tenant.lines().any(|line| line.starts_with("[policy]")), "{tenant}");
    assert_eq!(tenant.matches("\n[[routes]]").count(), 1, "{tenant}");
}

#[test]
fn a_folder_that_is_there_is_left_alone() {
    let text =
        "_format_version: '3.0'\nservices:\n- { name: a, url: 'http://127.0.0.1:1', routes: [{ hosts: [a.example] }] }\n";
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("out")).unwrap();
    std::fs::write(dir.path().join("out/mine"), "mine").unwrap();
    std::fs::write(dir.path().join("kong.yml"), text).unwrap();
    let arguments = ["import", "kong", "--out", "out", "kong.yml"];
    let ran = crate::edge_config::run(crate::edge_config::vestibule().current_dir(dir.path()).args(arguments), b"");
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("`out` cannot be made"), "{}", ran.stderr);
    let left: Vec<_> = std::fs::read_dir(dir.path().join("out")).unwrap().collect();
    assert_eq!(left.len(), 1);
}

fn any_json() -> impl Strategy<Value = Value> {
    let words = ["root", "GET", "/", "~/a(", "a.example", "*", "acl", "mtls-auth", "header-cert-auth", "one", "a\n[b]", ""];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        prop::sample::select(words.to_vec()).prop_map(Value::from),
        ".{0,6}".prop_map(Value::from),
    ];
    let keys = [
        "id",
        "name",
        "username",
        "custom_id",
        "hosts",
        "paths",
        "methods",
        "headers",
        "snis",
        "plugins",
        "config",
        "service",
        "route",
        "routes",
        "consumer",
        "groups",
        "acls",
        "subject_name",
        "ca_certificate",
        "ca_certificates",
        "cert",
        "url",
        "host",
        "targets",
        "target",
        "mtls_auth_credentials",
        "allow",
        "deny",
        "consumer_by",
        "anonymous",
        "enabled",
        "path",
        "protocol",
        "port",
    ];
    leaf.prop_recursive(4, 40, 4, move |inner| {
        let key = prop::sample::select(keys.to_vec()).prop_map(str::to_owned);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(key, inner, 0..6).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

const SECTIONS: [&str; 12] = [
    "services",
    "routes",
    "plugins",
    "consumers",
    "consumer_groups",
    "acls",
    "ca_certificates",
    "certificates",
    "upstreams",
    "mtls_auth_credentials",
    "targets",
    "_info",
];

proptest! {
    /// Whatever stands in the sections: no panic, and every file that is made is TOML.
    #[test]
    fn any_sections_become_toml(sections in prop::collection::vec((prop::sample::select(SECTIONS.to_vec()), any_json()), 0..6)) {
        let route = json!([{ "name": "s", "url": "http://127.0.0.1:1", "routes": [{ "hosts": ["a.example"], "paths": ["/"] }] }]);
        let mut file = json!({ "_format_version": "3.0", "services": route });
        for (section, value) in sections {
            file[section] = value;
        }
        if let Ok(import) = kong::convert("kong.yml", &file, &kong::Options::default()) {
            for made in import.files.iter().filter(|made| made.path.ends_with(".toml")) {
                let source = config::File::from_str(&made.text, config::FileFormat::Toml);
                let read = config::Config::builder().add_source(source).build();
                prop_assert!(read.is_ok(), "{:?}\n{}", read.err(), *made.text);
            }
        }
    }

    #[test]
    fn any_project_becomes_toml(policies in any_json(), paths in any_json()) {
        let policy = json!({ "name": "m", "policyType": "mtls-auth-inbound", "handler": { "options": policies } });
        let sources = [
            ("policies.json".to_owned(), json!({ "policies": [policy, policies] })),
            ("routes.oas.json".to_owned(), json!({ "paths": { "/a/{b}": paths, "/c": { "get": { "x-zuplo-route": paths } } } })),
        ];
        let import = zuplo::convert(&sources, &zuplo::Options::default()).unwrap();
        for made in import.files.iter().filter(|made| made.path.ends_with(".toml")) {
            let source = config::File::from_str(&made.text, config::FileFormat::Toml);
            prop_assert!(config::Config::builder().add_source(source).build().is_ok(), "{}", *made.text);
        }
    }

    /// The reader of YAML itself, on texts that look like it.
    #[test]
    fn any_text_is_read_or_refused(text in "[\\-\\[\\]{}&*!|>'\"%@:?, \na-c<~]{0,60}") {
        let imported = Imported::kong(&text, &[]);
        prop_assert!(imported.ran.code == 1, "{text:?}: {}", imported.ran.stderr);
    }
}
