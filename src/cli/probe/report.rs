//! What the probe found, as lines or as JSON.

use std::io::{self, Write};

use serde::Serialize;

use super::mend::{Check, mend};
use crate::front_door_config::Product;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Ending {
    Pass,
    Fail,
    NotTried,
}

impl Ending {
    fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "FAIL",
            Self::NotTried => "not tried",
        }
    }
}

#[derive(Debug, Serialize)]
struct Line {
    host: String,
    check: String,
    result: Ending,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    mend: Option<&'static str>,
}

/// Every check of one host.
pub(super) struct Report {
    host: String,
    product: Product,
    lines: Vec<Line>,
}

impl Report {
    pub(super) fn new(host: &str, product: Product) -> Self {
        Self { host: host.to_owned(), product, lines: Vec::new() }
    }

    fn add(&mut self, name: impl Into<String>, result: Ending, detail: String, mend: Option<&'static str>) {
        self.lines.push(Line { host: self.host.clone(), check: name.into(), result, detail, mend });
    }

    /// Notes a check: what it saw, or what went wrong.
    pub(super) fn note(&mut self, check: Check, name: impl Into<String>, found: Result<String, String>) {
        match found {
            Ok(detail) => self.add(name, Ending::Pass, detail, None),
            Err(detail) => self.add(name, Ending::Fail, detail, Some(mend(self.product, check))),
        }
    }

    /// Notes a check that could not be made.
    pub(super) fn not_tried(&mut self, name: impl Into<String>, why: impl Into<String>) {
        self.add(name, Ending::NotTried, why.into(), None);
    }
}

/// Prints the reports. True when nothing failed.
pub(super) fn print(reports: &[Report], json: bool, out: &mut dyn Write) -> io::Result<bool> {
    let lines: Vec<&Line> = reports.iter().flat_map(|report| &report.lines).collect();
    let count = |result: Ending| lines.iter().filter(|line| line.result == result).count();
    let (passed, failed, not_tried) = (count(Ending::Pass), count(Ending::Fail), count(Ending::NotTried));
    if json {
        let all = serde_json::json!({ "checks": lines, "passed": passed, "failed": failed, "not_tried": not_tried });
        writeln!(out, "{all:#}")?;
        return Ok(failed == 0);
    }
    for report in reports {
        writeln!(out, "{}", report.host)?;
        for line in &report.lines {
            let mend = line.mend.map(|mend| format!(". {mend}.")).unwrap_or_default();
            writeln!(out, "  {:<9}  {}: {}{mend}", line.result.word(), line.check, line.detail)?;
        }
    }
    writeln!(out, "{passed} passed, {failed} failed, {not_tried} not tried")?;
    Ok(failed == 0)
}
