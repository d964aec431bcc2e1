//! Who may use whom: the order of the modules, read out of `src/`.
//!
//! A module uses only modules that stand before it in [`ORDER`], so that trust flows in one direction: a stage cannot ask a later
//! one, and nothing that decides knows how it was configured.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use regex::Regex;

/// Vocabulary; certificates, and the judgement of one, which a front door's own needs as well as a client's; trust in the order of
/// the journey; decision; effects; surfaces; composition.
const ORDER: [&str; 34] = [
    "refusal",
    "clock",
    "digits",
    "header_names",
    "request_head",
    "secret",
    "debug_token",
    "x509",
    "variables",
    "verifier",
    "front_door",
    "presented",
    "admission",
    "consumer",
    "identity_headers",
    "rules",
    "tls",
    "upstream",
    "telemetry",
    "revocation",
    "oauth",
    "domains",
    "journey",
    "probe",
    "shared",
    "answer",
    "record",
    "authorize",
    "proxy",
    "manage",
    "config",
    "front_door_config",
    "server",
    "cli",
];

const VOCABULARY: [&str; 7] = ["refusal", "clock", "digits", "header_names", "request_head", "secret", "debug_token"];

/// A file of `src/` without its comments and its tests.
struct Source {
    path: String,
    module: String,
    code: String,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.clone()];
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") && !path.ends_with("tests.rs") {
                sources.push(source(&path, &root));
            }
        }
    }
    assert!(sources.len() > 60, "only {} files in src", sources.len());
    sources
}

fn source(path: &Path, root: &Path) -> Source {
    let text = std::fs::read_to_string(path).unwrap();
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
    let code: Vec<&str> = code.lines().map(|line| line.split("//").next().unwrap()).collect();
    let below: PathBuf = path.strip_prefix(root).unwrap().to_owned();
    let first = below.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
    Source { path: below.display().to_string(), module: first.trim_end_matches(".rs").to_owned(), code: code.join("\n") }
}

impl Source {
    /// The modules of the crate that it names.
    fn uses(&self) -> BTreeSet<String> {
        let named = Regex::new(r"\bcrate::\{?([a-z0-9_]+)").unwrap();
        let used = named.captures_iter(&self.code).map(|found| found[1].to_owned());
        used.filter(|module| *module != self.module).collect()
    }
}

fn place(module: &str) -> usize {
    ORDER.iter().position(|known| *known == module).unwrap_or_else(|| panic!("give `{module}` a place in ORDER"))
}

/// The files, except `lib.rs` and `main.rs`, whose code fits a pattern.
fn files_with(pattern: &str) -> BTreeSet<String> {
    let pattern = Regex::new(pattern).unwrap();
    let fits = |source: &Source| pattern.is_match(&source.code) && source.path != "lib.rs";
    sources().into_iter().filter(fits).map(|source| source.path).collect()
}

#[test]
fn modules_use_only_modules_before_them() {
    let mut broken = Vec::new();
    for source in sources().iter().filter(|source| source.module != "main" && source.module != "lib") {
        for used in source.uses().iter().filter(|used| place(used) >= place(&source.module)) {
            broken.push(format!("{} uses `{used}`", source.path));
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn nothing_is_named_in_ways_that_this_test_cannot_read() {
    assert_eq!(files_with(r"super::super|crate::\{|\bvestibule::"), BTreeSet::from(["main.rs".to_owned()]));
    let all = sources();
    let by_super = all.iter().find(|source| !source.path.contains('/') && source.code.contains("super::"));
    assert_eq!(by_super.map(|source| &source.path), None, "names the crate's modules by `super`");
}

#[test]
fn vocabulary_and_telemetry_know_vocabulary_alone() {
    for source in sources().iter().filter(|source| VOCABULARY.contains(&source.module.as_str()) || source.module == "telemetry")
    {
        for used in source.uses() {
            assert!(VOCABULARY.contains(&used.as_str()), "{} uses `{used}`", source.path);
        }
    }
}

#[test]
fn certificates_are_pure() {
    for source in sources().iter().filter(|source| ["x509", "variables"].contains(&source.module.as_str())) {
        for used in source.uses() {
            assert!(["clock", "x509"].contains(&used.as_str()), "{} uses `{used}`", source.path);
        }
    }
    let pure = files_with(r"\bstd::(fs|env|process|thread|net::(Tcp|Udp|ToSocketAddrs))|\btokio\b|\bactix");
    assert!(pure.iter().all(|path| !path.starts_with("x509") && !path.starts_with("variables")), "{pure:?}");
}

#[test]
fn actix_serves_and_nothing_else() {
    // Diagnostics name it only to keep it quiet.
    let allowed = ["upstream", "answer", "authorize", "proxy", "manage", "server", "cli/serve.rs", "telemetry/diagnostics.rs"];
    for path in files_with(r"\bactix") {
        assert!(allowed.iter().any(|start| path.starts_with(start)), "{path} uses actix");
    }
}

#[test]
fn the_clock_is_read_at_the_edges() {
    let allowed =
        ["clock.rs", "proxy.rs", "record.rs", "manage.rs", "server/domains.rs", "server/reload.rs", "server/expiry.rs", "cli/"];
    for path in files_with(r"\b(UnixTime|SystemTime|OffsetDateTime|Utc)::now\b|now_utc") {
        assert!(allowed.iter().any(|start| path.starts_with(start)), "{path} reads the clock");
    }
    // A stopwatch is no clock: durations of waiting, ages of connections, how fast a bucket empties.
    for path in files_with(r"\bInstant::now\b") {
        let allowed = [
            "upstream",
            "server",
            "manage/rate.rs",
            "record.rs",
            "telemetry",
            "revocation",
            "oauth",
            "cli/demo",
            "rules/rate_limit.rs",
        ];
        assert!(allowed.iter().any(|start| path.starts_with(start)), "{path} has a stopwatch");
    }
}

#[test]
fn unsafe_stands_in_one_file() {
    assert_eq!(files_with(r"\bunsafe\b|allow\(unsafe_code"), BTreeSet::from(["x509/openssl_ffi.rs".to_owned()]));
}

#[test]
fn nonces_are_forgotten_by_explain_alone() {
    assert_eq!(files_with(r"::unremembered\("), BTreeSet::from(["cli/explain.rs".to_owned()]));
    assert_eq!(files_with(r"::authenticate\("), BTreeSet::from(["proxy.rs".to_owned()]));
}

#[test]
fn nobody_but_the_test_of_rules_does_without_a_front_door() {
    assert_eq!(files_with(r"::rehearsed\("), BTreeSet::from(["cli/rules/found.rs".to_owned()]));
    // Not to be had from outside of the crate either.
    assert_eq!(files_with(r"pub fn rehearsed"), BTreeSet::new());
}

#[test]
fn openssl_judges_paths_in_one_place() {
    let engine = files_with(r"X509StoreContext|X509_verify_cert");
    assert_eq!(engine, BTreeSet::from(["x509/openssl_ffi.rs".to_owned()]));
}

#[test]
fn requests_of_the_server_are_named_at_the_entrance_alone() {
    assert!(
        files_with(r"\bHttpRequest\b")
            .iter()
            .all(|path| ["proxy.rs", "manage.rs", "server.rs", "server/admin.rs"].contains(&path.as_str()))
    );
}
