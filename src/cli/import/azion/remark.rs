//! What is told to the user, in the report and in comments of the TOML.

use std::fmt;

use toml_edit::InlineTable;

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

/// A criterion or a behavior after the conversion.
#[derive(Debug, Default)]
pub(super) struct Piece {
    /// What is written; none when nothing of it is.
    pub(super) table: Option<InlineTable>,
    pub(super) remarks: Vec<Remark>,
    /// A gap that could change what the rule decides.
    pub(super) gap: bool,
}

impl Piece {
    pub(super) fn carried(table: InlineTable, notes: Vec<String>) -> Self {
        let remarks = notes.into_iter().map(|text| Remark::note(text, "")).collect();
        Self { table: Some(table), remarks, gap: false }
    }

    /// Not carried, and the rule is not what it was.
    pub(super) fn gap(text: String) -> Self {
        Self { table: None, remarks: vec![Remark::left_out(text, "")], gap: true }
    }

    /// Quotes what the source said.
    pub(super) fn was(mut self, original: &str) -> Self {
        self.remarks.iter_mut().for_each(|remark| remark.original = Some(original.to_owned()));
        self
    }

    /// Not carried, and nobody gets in for that.
    pub(super) fn dropped(text: String) -> Self {
        Self { table: None, remarks: vec![Remark::left_out(text, "")], gap: false }
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
