//! `vestibule verify`: JSON lines in, one JSON line of findings each out. The server's own code judges, so that test suites
//! and operators see what requests would get. The row format is that of the public suites' tables (`docs/verification.md`).
//!
//! `error` is for lines that cannot be understood. A certificate that cannot be read is `reject`. Nothing on one line stops
//! the next.

mod line;
mod row;

use std::io::{self, BufRead, Write};

use serde::Serialize;

use self::line::{Line, next_line};
use self::row::Row;
use crate::clock::UnixTime;
use crate::verifier::{Verification, VerificationSettings, verify};
use crate::x509::certificate::Certificate;
use crate::x509::trusted_ca::{TrustOptions, TrustedCas};

/// What is printed for one line.
#[derive(Debug, Serialize)]
struct Answer {
    id: serde_json::Value,
    result: &'static str,
    findings: FindingNames,
    reason: String,
}

#[derive(Debug, Serialize)]
struct FindingNames {
    chain: &'static str,
    validity: &'static str,
    purpose: &'static str,
    revocation: &'static str,
}

/// Judges every line of `input` and answers on `output`, until the end of `input`.
///
/// # Errors
/// Only those of reading and writing.
pub fn run(input: &mut dyn BufRead, output: &mut dyn Write) -> io::Result<()> {
    loop {
        let answer = match next_line(input)? {
            Line::End => return Ok(()),
            Line::TooLong => Answer::error(serde_json::Value::Null, "the line is too long".into()),
            Line::Whole(bytes) if bytes.iter().all(u8::is_ascii_whitespace) => continue,
            Line::Whole(bytes) => answer(&bytes, UnixTime::now()),
        };
        serde_json::to_writer(&mut *output, &answer)?;
        output.write_all(b"\n")?;
        output.flush()?;
    }
}

fn answer(line: &[u8], now: UnixTime) -> Answer {
    let value: serde_json::Value = match serde_json::from_slice(line) {
        Ok(value) => value,
        Err(error) => return Answer::error(serde_json::Value::Null, format!("not JSON: {error}")),
    };
    let id = value.get("id").cloned().unwrap_or_default();
    match Row::parse(value, now) {
        Ok(row) => judge(id, &row),
        Err(problem) => Answer::error(id, problem),
    }
}

fn judge(id: serde_json::Value, row: &Row) -> Answer {
    let leaf = match row.leaf() {
        Ok(leaf) => leaf,
        Err(problem) => return Answer::reject(id, format!("the certificate cannot be read: {problem}")),
    };
    // An anchor of RFC 5280 §6.1.1 (d) is a name and a key, self-signed or not; every mode of the suites means that.
    let options = TrustOptions { allow_partial_chain: true, ..TrustOptions::default() };
    let (trust, left_out) = match TrustedCas::build_leaving_out(&row.trust, options, row.time) {
        Ok(built) => built,
        Err(problems) => return Answer::reject(id, sentences(&problems)),
    };
    if row.has_unreadable_crl() {
        // A server does not start with it; judging without it would turn "revoked" into "unknown".
        return Answer::reject(id, sentences(&left_out));
    }
    let mut notes: Vec<String> = left_out.iter().map(ToString::to_string).collect();
    let presented = presented(row, &mut notes);
    let settings =
        VerificationSettings { max_presented: presented.len().max(row.settings.max_presented), ..row.settings.clone() };
    let verification = verify(&leaf, &presented, &trust, &settings, row.time);
    Answer::verdict(id, &verification, notes)
}

fn presented(row: &Row, notes: &mut Vec<String>) -> Vec<Certificate> {
    let mut presented = Vec::new();
    for (at, der) in row.intermediates.iter().enumerate() {
        match der.as_ref().map_err(Clone::clone).and_then(|der| Certificate::from_der(der).map_err(|error| error.0)) {
            Ok(certificate) => presented.push(certificate),
            Err(problem) => notes.push(format!("intermediate {} left out: {problem}", at + 1)),
        }
    }
    presented
}

fn sentences(problems: &[impl ToString]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

impl Answer {
    fn error(id: serde_json::Value, reason: String) -> Self {
        Self { id, result: "error", findings: FindingNames::none("not_checked"), reason }
    }

    fn reject(id: serde_json::Value, reason: String) -> Self {
        Self { id, result: "reject", findings: FindingNames::none("failed"), reason }
    }

    fn verdict(id: serde_json::Value, verification: &Verification, notes: Vec<String>) -> Self {
        let result = if verification.is_success() { "accept" } else { "reject" };
        let errors = verification.errors().iter().map(|error| format!("{}@{}", error.code, error.depth));
        let errors = errors.collect::<Vec<_>>().join(" ");
        let mut parts = vec![verification.text()];
        parts.extend((!errors.is_empty()).then_some(errors));
        parts.extend(verification.remarks().iter().cloned().chain(notes));
        Self { id, result, findings: FindingNames::of(verification), reason: parts.join("; ") }
    }
}

impl FindingNames {
    /// Nothing but the chain was looked at, if that.
    fn none(chain: &'static str) -> Self {
        Self { chain, validity: "not_checked", purpose: "not_checked", revocation: "not_checked" }
    }

    fn of(verification: &Verification) -> Self {
        Self {
            chain: verification.chain().name(),
            validity: verification.validity().name(),
            purpose: verification.purpose().name(),
            revocation: verification.revocation().name(),
        }
    }
}
