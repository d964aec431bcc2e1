//! A criterion or a behavior after the conversion.

use toml_edit::InlineTable;

use crate::cli::import::remark::Remark;

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
