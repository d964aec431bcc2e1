//! The public path-validation suites, through `vestibule verify`. They are third-party data and not part of the repository:
//! they are looked for in `../shared/vectors/x509` beside the checkout, or in `x509` below `VESTIBULE_VECTORS`.
//!
//! Every row of the client's world (purpose `client` or `any`) on which we differ from the suite is listed in
//! `conformance_exceptions.json` with a reason; one that is not listed fails, and so does one that no longer differs. In the
//! gating tiers a false accept is not accepted as an exception either.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;

use serde_json::Value;

const SUITES: [&str; 4] = ["bettertls", "chromium-chain", "limbo-client", "pkits"];
const GATING: [&str; 5] = ["core", "crl", "weak-crypto", "dos", "policy"];

#[test]
fn public_suites() {
    let Some(folder) = folder() else {
        eprintln!("not run, no data: x509 suites {SUITES:?} (set VESTIBULE_VECTORS to the folder that holds x509/)");
        return;
    };
    let mut exceptions = exceptions();
    let mut scores: BTreeMap<String, Score> = BTreeMap::new();
    let mut problems = Vec::new();
    for suite in SUITES {
        let text = unpacked(&folder.join(format!("{suite}.jsonl.gz")));
        let mut output = Vec::new();
        vestibule::cli::verify::run(&mut text.as_slice(), &mut output).unwrap();
        let answers: Vec<Value> = serde_json::Deserializer::from_slice(&output).into_iter().map(Result::unwrap).collect();
        let rows: Vec<Value> = serde_json::Deserializer::from_slice(&text).into_iter().map(Result::unwrap).collect();
        assert_eq!(rows.len(), answers.len(), "{suite}: one answer for each row");
        for (row, answer) in rows.iter().zip(&answers) {
            let outcome = Outcome::of(row, answer);
            let clients = if outcome.clients { "client" } else { "server" };
            scores.entry(format!("{suite:<15} {clients} {}", outcome.tier)).or_default().count(&outcome);
            problems.extend(outcome.problem(&mut exceptions));
        }
    }
    eprintln!("{:<44} {:>5} {:>5} {:>3} {:>3} {:>6}", "suite, purpose, tier", "CA", "CR", "FA", "FR", "either");
    for (name, score) in &scores {
        let [ca, cr, fa, fr, either] = score.0;
        eprintln!("{name:<44} {ca:>5} {cr:>5} {fa:>3} {fr:>3} {either:>6}");
    }
    problems.extend(exceptions.keys().map(|id| format!("{id}: listed as an exception, but is none")));
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// Correct accepts, correct rejects, false accepts, false rejects, rows on which either is right.
#[derive(Default)]
struct Score([usize; 5]);

impl Score {
    fn count(&mut self, outcome: &Outcome) {
        let place = match (outcome.expected.as_str(), outcome.actual.as_str()) {
            ("accept", "accept") => 0,
            ("reject", "reject") => 1,
            ("reject", _) => 2,
            ("accept", _) => 3,
            _ => 4,
        };
        self.0[place] += 1;
    }
}

struct Outcome {
    id: String,
    tier: String,
    clients: bool,
    expected: String,
    actual: String,
    reason: String,
}

impl Outcome {
    fn of(row: &Value, answer: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        assert_eq!(row["id"], answer["id"]);
        assert_ne!(answer["result"], "error", "{answer}");
        Self {
            id: text(&row["id"]),
            tier: text(&row["tier"]),
            clients: matches!(row["purpose"].as_str(), Some("client" | "any")),
            expected: text(&row["expected"]),
            actual: text(&answer["result"]),
            reason: text(&answer["reason"]),
        }
    }

    fn problem(&self, exceptions: &mut BTreeMap<String, (String, String)>) -> Option<String> {
        if !self.clients || self.expected == "either" || self.expected == self.actual {
            return None;
        }
        let what = format!("{} ({}): expected {}, got {}: {}", self.id, self.tier, self.expected, self.actual, self.reason);
        let listed = exceptions.remove(&self.id);
        let false_accept = self.actual == "accept" && GATING.contains(&self.tier.as_str());
        (listed != Some((self.expected.clone(), self.actual.clone())) || false_accept).then_some(what)
    }
}

fn folder() -> Option<PathBuf> {
    let vectors = std::env::var_os("VESTIBULE_VECTORS").map(PathBuf::from);
    let vectors = vectors.unwrap_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/vectors")));
    Some(vectors.join("x509")).filter(|folder| folder.is_dir())
}

fn exceptions() -> BTreeMap<String, (String, String)> {
    let list: Vec<BTreeMap<String, String>> = serde_json::from_str(include_str!("conformance_exceptions.json")).unwrap();
    let entry = |mut entry: BTreeMap<String, String>| {
        assert!(!entry["reason"].is_empty());
        (entry.remove("id").unwrap(), (entry.remove("expected").unwrap(), entry.remove("actual").unwrap()))
    };
    list.into_iter().map(entry).collect()
}

fn unpacked(path: &std::path::Path) -> Vec<u8> {
    let mut text = Vec::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_end(&mut text).unwrap();
    text
}
