//! What came of each row, and the tables of all.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde_json::Value;

use crate::command::Reply;

/// What came of one row.
pub(crate) struct Outcome {
    pub(crate) id: String,
    pub(crate) tier: String,
    /// The row is of the client's world.
    pub(crate) client: bool,
    pub(crate) expected: String,
    /// `accept`, `reject`, or something that is always wrong.
    pub(crate) actual: String,
    pub(crate) reason: String,
    cpu: Duration,
}

impl Outcome {
    pub(crate) fn of(row: &Value, reply: &Reply) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (actual, reason) = match &reply.answer {
            Ok(answer) if answer["id"] != row["id"] => ("another row's answer".into(), answer.to_string()),
            Ok(answer) => (text(&answer["result"]), text(&answer["reason"])),
            Err(why) => ("nothing".into(), why.clone()),
        };
        Self {
            id: text(&row["id"]),
            tier: text(&row["tier"]),
            client: matches!(row["purpose"].as_str(), Some("client" | "any")),
            expected: text(&row["expected"]),
            actual,
            reason,
            cpu: reply.cpu,
        }
    }

    /// The suite expects something else of us.
    pub(crate) fn differs(&self) -> bool {
        self.client && self.expected != "either" && self.expected != self.actual
    }
}

#[derive(Default)]
struct Score {
    rows: usize,
    right: usize,
    false_accepts: usize,
    false_rejects: usize,
    either: usize,
    excepted: usize,
    worst: Duration,
}

impl Score {
    fn count(&mut self, outcome: &Outcome, excepted: bool) {
        self.rows += 1;
        self.worst = self.worst.max(outcome.cpu);
        self.excepted += usize::from(excepted);
        match (outcome.expected.as_str(), outcome.actual.as_str()) {
            ("either", _) => self.either += 1,
            (expected, actual) if expected == actual => self.right += 1,
            (_, "accept") => self.false_accepts += 1,
            _ => self.false_rejects += 1,
        }
    }
}

/// The scores by suite, tier and purpose; and those of the rows that other engines were measured with.
#[derive(Default)]
pub(crate) struct Scores {
    by_tier: BTreeMap<String, Score>,
    compared: [Score; 2],
}

impl Scores {
    pub(crate) fn count(&mut self, suite: &str, outcome: &Outcome, excepted: bool) {
        let purpose = if outcome.client { "" } else { ", server (for interest)" };
        let name = format!("{suite} {}{purpose}", outcome.tier);
        self.by_tier.entry(name).or_default().count(outcome, excepted);
        let compared = |(other, tiers): &(&str, &[&str])| *other == suite && tiers.contains(&outcome.tier.as_str());
        if outcome.client && outcome.expected != "either" && COMPARED.iter().any(compared) {
            self.compared[1].count(outcome, excepted);
            if matches!(outcome.tier.as_str(), "core" | "crl" | "weak-crypto" | "dos") {
                self.compared[0].count(outcome, excepted);
            }
        }
    }
}

/// The rows on which other engines were measured.
const COMPARED: [(&str, &[&str]); 4] = [
    ("bettertls", &["core", "weak-crypto"]),
    ("chromium-chain", &["core"]),
    ("limbo-client", &["core", "dos", "weak-crypto", "profile", "anchor"]),
    ("pkits", &["core", "crl", "crl-advanced", "policy"]),
];

/// Other engines on those rows, measured on 2026-11-22 with the same data: false accepts and false rejects in core, crl,
/// weak-crypto and dos, and in all of them.
const ENGINES: [(&str, [usize; 4]); 8] = [
    ("rustls-webpki 0.103.17", [9, 38, 47, 80]),
    ("OpenSSL 3.0.22, default settings", [6, 31, 28, 38]),
    ("OpenSSL, X509_STRICT", [6, 33, 20, 40]),
    ("OpenSSL, X509_STRICT, PARTIAL_CHAIN", [6, 31, 22, 38]),
    ("the same, every candidate path tried", [5, 6, 21, 13]),
    ("the same, and rules for keys and names", [0, 8, 12, 18]),
    ("certval 0.2.0-rc.1", [10, 11, 35, 27]),
    ("synta-x509-verification 0.5.1", [50, 9, 81, 41]),
];

impl fmt::Display for Scores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = ["rows", "right", "either", "false acc.", "false rej.", "excepted", "worst CPU ms"];
        let [rows, right, either, fa, fr, excepted, worst] = columns;
        writeln!(f, "{:<50} {rows:>5} {right:>5} {either:>6} {fa:>10} {fr:>10} {excepted:>8} {worst:>12}", "suite, tier")?;
        for (name, score) in &self.by_tier {
            let Score { rows, right, false_accepts, false_rejects, either, excepted, worst } = score;
            let worst = format!("{:.1}", worst.as_secs_f64() * 1000.0);
            writeln!(
                f,
                "{name:<50} {rows:>5} {right:>5} {either:>6} {false_accepts:>10} {false_rejects:>10} {excepted:>8} {worst:>12}"
            )?;
        }
        let [gating, all] = &self.compared;
        writeln!(f, "\n{:<50} {:>24} {:>24}", "", "core, crl, weak, dos", "and policy, other tiers")?;
        let [accepts, rejects] = ["false acc.", "false rej."];
        writeln!(
            f,
            "{:<50} {accepts:>12} {rejects:>11} {accepts:>12} {rejects:>11}",
            format!("of {} and {} rows", gating.rows, all.rows)
        )?;
        let ours = [gating.false_accepts, gating.false_rejects, all.false_accepts, all.false_rejects];
        for (name, [fa, fr, all_fa, all_fr]) in [("this program", ours)].iter().chain(&ENGINES) {
            writeln!(f, "{name:<50} {fa:>12} {fr:>11} {all_fa:>12} {all_fr:>11}")?;
        }
        Ok(())
    }
}
