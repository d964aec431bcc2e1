//! What is told to the user, in the report and in comments of the TOML.

use std::fmt;

/// Something to know about the import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// Where in the sources.
    pub place: String,
    /// Whether something was left out; otherwise it is a note.
    pub left_out: bool,
    /// What, why, and the mend. Never an argument: those may be secrets.
    pub text: String,
    /// What the source said, for the TOML alone.
    pub(super) original: Option<String>,
}

impl Remark {
    pub(super) fn note(text: String, place: &str) -> Self {
        Self { place: place.to_owned(), left_out: false, text, original: None }
    }

    pub(super) fn left_out(text: String, place: &str) -> Self {
        Self { place: place.to_owned(), left_out: true, text, original: None }
    }

    /// The text as a comment of the TOML.
    pub(super) fn comment(&self) -> String {
        let start = if self.left_out { "left out: " } else { "" };
        let original = self.original.as_ref().map_or_else(String::new, |original| format!(" | was {}", one_line(original)));
        format!("# {start}{}{original}", one_line(&self.text))
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.left_out { "left out" } else { "note" };
        write!(f, "{}: {kind}: {}", one_line(&self.place), one_line(&self.text))
    }
}

/// The most characters of a line that quotes what a file says.
const LONGEST: usize = 400;

/// A text that neither ends a comment's line nor steers a terminal.
pub(super) fn one_line(text: &str) -> String {
    let mut line = String::new();
    for (at, c) in text.chars().enumerate() {
        if at == LONGEST {
            line.push('…');
            break;
        }
        if matches!(c, '"' | '\'' | '\\') {
            line.push(c);
        } else {
            line.extend(c.escape_debug());
        }
    }
    line
}

/// Remarks as they come up.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) remarks: Vec<Remark>,
}

impl Report {
    pub(super) fn note(&mut self, place: &str, text: impl Into<String>) {
        self.remarks.push(Remark::note(text.into(), place));
    }

    pub(super) fn left_out(&mut self, place: &str, text: impl Into<String>) {
        self.remarks.push(Remark::left_out(text.into(), place));
    }

    /// What somebody could get in by, who could not before.
    pub(super) fn weaker(&mut self, place: &str, text: impl fmt::Display) {
        self.left_out(place, format!("weaker than before: {text}"));
    }

    /// What refuses somebody who got in before.
    pub(super) fn stronger(&mut self, place: &str, text: impl fmt::Display) {
        self.note(place, format!("stronger than before: {text}"));
    }

    /// What the user has to write before the configuration loads.
    pub(super) fn blank(&mut self, place: &str, text: impl fmt::Display) {
        self.left_out(place, format!("a blank to fill: {text}"));
    }

    /// Fields of an entity that nobody asked for.
    pub(super) fn unknown(&mut self, place: &str, fields: &super::fields::Fields<'_>) -> bool {
        let unknown = fields.unknown();
        if !unknown.is_empty() {
            self.left_out(place, format!("unknown fields, whose meaning is lost: `{}`", unknown.join("`, `")));
        }
        !unknown.is_empty()
    }
}
