//! `[lists.<name>]`: entries beside the rules, or in a file.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::config::table::Table;
use crate::rules::{List, ListKind};

/// The largest file of a list.
const LARGEST_FILE: u64 = 64 << 20;
/// So many bad entries are named; the others are counted.
const MOST_NAMED: usize = 5;

pub(super) fn read(tenant: &Table<'_>, folder: &Path) -> BTreeMap<String, Option<Arc<List>>> {
    let tables = tenant.named_tables("lists");
    tables.into_iter().map(|(name, table)| (name.clone(), list(table, &name, folder).map(Arc::new))).collect()
}

fn list(table: Table<'_>, name: &str, folder: &Path) -> Option<List> {
    if !table.has("type") {
        table.problem("type", "is missing", "strings, ip_cidr or fingerprints");
    }
    let kind = table.choice("type", &ListKind::ALL, ListKind::Strings);
    let inline = if table.has("entries") { table.texts("entries") } else { Vec::new() };
    let file = table.text("file");
    table.finishing(|table| {
        if !table.has("entries") && file.is_none() {
            table.problem("", "has no entries", "`entries` = [ … ], or `file` = a file with one a line, or both");
            return None;
        }
        let text = match &file {
            Some(file) => Some(read_file(table, &folder.join(file))?),
            None => None,
        };
        let lines = text.iter().flat_map(|text| text.lines().enumerate()).map(|(at, line)| (at, line.trim()));
        let lines: Vec<(usize, &str)> = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')).collect();
        let entries = inline.iter().map(String::as_str).chain(lines.iter().map(|(_, line)| *line));
        let problems = match List::new(name, kind, entries) {
            Ok(list) => return Some(list),
            Err(problems) => problems,
        };
        for (at, accepted) in problems.iter().take(MOST_NAMED) {
            match at.checked_sub(inline.len()) {
                None => {
                    let entry = inline.get(*at).map_or("", String::as_str);
                    table.problem(&format!("entries[{at}]"), format!("found `{entry}`"), format!("accepted: {accepted}"));
                }
                Some(at) => {
                    let (line, entry) = lines.get(at).copied().unwrap_or_default();
                    table.problem("file", format!("line {} is `{entry}`", line + 1), format!("accepted: {accepted}"));
                }
            }
        }
        if let Some(more) = problems.len().checked_sub(MOST_NAMED).filter(|more| *more > 0) {
            table.problem("", format!("{more} more entries cannot be read"), "one kind of entry in one list");
        }
        None
    })
}

fn read_file(table: &Table<'_>, file: &Path) -> Option<String> {
    let problem = |why: String| {
        table.problem("file", format!("{} {why}", file.display()), "a text file with one entry a line");
        None
    };
    match std::fs::metadata(file) {
        Ok(metadata) if metadata.len() > LARGEST_FILE => return problem(format!("is larger than {} MiB", LARGEST_FILE >> 20)),
        Ok(_) | Err(_) => {}
    }
    match std::fs::read_to_string(file) {
        // The mark that some editors put first would be a part of the first entry, which would then never be found.
        Ok(text) => Some(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text)),
        Err(why) => problem(format!("cannot be read: {why}")),
    }
}
