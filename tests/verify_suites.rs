//! The public path-validation suites, through the program's `verify` command, row by row. They are third-party data and not part
//! of the repository: they are looked for in `../shared/vectors/x509` beside the checkout, or in `x509` below
//! `VESTIBULE_VECTORS`. `scripts/conformance` runs this and shows its tables; `VESTIBULE` names another program to judge.
//!
//! Every row of the client's world (purpose `client` or `any`) on which we differ from the suite is listed in
//! `conformance_exceptions.json` with the reason why; one that is not listed fails, and so does one that no longer differs. In
//! the gating tiers a false accept is not accepted as an exception either.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "verify_suites/command.rs"]
mod command;
#[path = "verify_suites/exceptions.rs"]
mod exceptions;
#[path = "verify_suites/score.rs"]
mod score;

use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::Value;

use command::{Command, Reply};
use exceptions::Exceptions;
use score::{Outcome, Scores};

const SUITES: [&str; 4] = ["bettertls", "chromium-chain", "limbo-client", "pkits"];

#[test]
fn public_suites() {
    let Some(folder) = folder() else {
        eprintln!("not run, no data: x509 suites {SUITES:?} (set VESTIBULE_VECTORS to the folder that holds x509/)");
        return;
    };
    let (mut exceptions, mut scores, mut problems) = (Exceptions::read(), Scores::default(), Vec::new());
    for suite in SUITES {
        let text = unpacked(&folder.join(format!("{suite}.jsonl.gz")));
        let mut command = Command::start();
        for line in text.split(|octet| *octet == b'\n').filter(|line| !line.is_empty()) {
            let row: Value = serde_json::from_slice(line).unwrap();
            let reply = command.ask(line);
            let outcome = Outcome::of(&row, &reply);
            let differs = exceptions.problem(&outcome);
            let excepted = outcome.differs() && differs.is_none();
            scores.count(suite, &outcome, excepted);
            problems.extend(differs);
            // Where either answer is right, it must at least be the same each time.
            if outcome.expected == "either" && Outcome::of(&row, &command.ask(line)).actual != outcome.actual {
                problems.push(format!("{}: one answer now and another then", outcome.id));
            }
        }
    }
    problems.extend(exceptions.unused());
    eprintln!("{scores}");
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}

/// The verdict of this program on a row that crashes, hangs or lies about its id must be a problem; this one answers in its place.
#[test]
fn what_does_not_answer_is_a_problem() {
    let row = serde_json::json!({"id": "one", "tier": "core", "purpose": "client", "expected": "reject"});
    let dead = Reply { answer: Err("no answer: exit status 101".into()), cpu: std::time::Duration::ZERO };
    let other = Reply { answer: Ok(serde_json::json!({"id": "two", "result": "reject", "reason": ""})), ..dead.clone() };
    let error = Reply { answer: Ok(serde_json::json!({"id": "one", "result": "error", "reason": ""})), ..dead.clone() };
    for reply in [dead, other, error] {
        let problem = Exceptions::default().problem(&Outcome::of(&row, &reply));
        assert!(problem.is_some_and(|problem| problem.starts_with("one (core): ")), "{reply:?}");
    }
    let right = Reply {
        answer: Ok(serde_json::json!({"id": "one", "result": "reject", "reason": ""})),
        cpu: std::time::Duration::ZERO,
    };
    assert_eq!(Exceptions::default().problem(&Outcome::of(&row, &right)), None);
}

fn folder() -> Option<PathBuf> {
    let vectors = std::env::var_os("VESTIBULE_VECTORS").map(PathBuf::from);
    let vectors = vectors.unwrap_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/vectors")));
    Some(vectors.join("x509")).filter(|folder| folder.is_dir())
}

fn unpacked(path: &Path) -> Vec<u8> {
    let mut text = Vec::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_end(&mut text).unwrap();
    text
}
