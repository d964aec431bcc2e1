//! Files that are hostile, or none at all: told in one line, nothing is written.

use std::time::{Duration, Instant};

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
