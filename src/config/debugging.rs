//! `[debug]`.

use std::path::Path;

use http::HeaderName;

use super::front_doors::parse_header_name;
use super::secret_file;
use super::table::Table;
use crate::debug_token::DebugTokens;
use crate::header_names::is_about_the_client;
use crate::journey::Debugging;
use crate::secret::SignatureKey;

/// What the key must be.
const KEY: &str = "32 bytes or more in base64; `vestibule keygen --signature-key` makes them";

pub(super) fn read(table: Table<'_>, folder: &Path, warnings: &mut Vec<String>) -> Option<Debugging> {
    let header = table.parsed("header", parse_header_name).unwrap_or(HeaderName::from_static("x-vestibule-debug"));
    if is_about_the_client(header.as_str()) {
        table.problem("header", format!("found `{header}`, which has another meaning"), "a header name of its own");
    }
    let file = table.required_text("secret_file", &format!("a file with {KEY}"));
    table.finishing(|table| {
        let text = secret_file::read(table, "secret_file", folder, &file?, ("the key of debug tokens", KEY), warnings)?;
        let key = SignatureKey::parse(&text).map_err(|why| table.problem("secret_file", format!("the key {why}"), KEY)).ok()?;
        Some(Debugging { header, tokens: DebugTokens::new(key) })
    })
}
