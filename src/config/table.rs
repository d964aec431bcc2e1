//! Reads a table of the configuration key by key. Whatever is wrong is collected, reading goes on, and keys that nobody asked
//! for are problems too.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use config::{Value, ValueKind};

use super::environment::{self, variable_of};
use super::problem::{Collector, Problem};
use super::source::Values;
use super::units;

/// A table that is being read.
pub(super) struct Table<'c> {
    entries: BTreeMap<String, Value>,
    asked: RefCell<BTreeSet<String>>,
    path: String,
    file: String,
    /// How the names of this file's variables begin.
    prefix: String,
    collector: &'c Collector,
}

impl<'c> Table<'c> {
    /// All of a file.
    pub(super) fn of(file: Values, collector: &'c Collector) -> Self {
        let entries = file.values.into_iter().collect();
        Self { entries, asked: RefCell::default(), path: String::new(), file: file.file, prefix: file.prefix, collector }
    }

    /// Notes a problem with the value of a key. Where a variable set it, that is what the problem names.
    pub(super) fn problem(&self, key: &str, found: impl Into<String>, accepted: impl Into<String>) {
        let path = self.key_path(key);
        let variable = self.entries.get(key).and_then(|value| variable_of(&self.prefix, &path, value));
        let (file, key) = match variable {
            Some(variable) => (environment::PLACE.to_owned(), variable),
            None => (self.file.clone(), path),
        };
        self.collector.add(Problem { file, key, found: found.into(), accepted: accepted.into() });
    }

    /// Notes a problem of another file that this one names.
    pub(super) fn pass_on(&self, problem: Problem) {
        self.collector.add(problem);
    }

    /// Ends the reading: what was not asked for is a problem.
    pub(super) fn finish(self) {
        let asked = self.asked.borrow();
        for key in self.entries.keys().filter(|key| !asked.contains(*key)) {
            let known: Vec<&str> = asked.iter().map(String::as_str).collect();
            self.problem(key, "is no key of this table", format!("keys: {}", known.join(", ")));
        }
    }

    /// Takes every key for asked: what is wrong has been said.
    pub(super) fn ask_all(&self) {
        self.asked.borrow_mut().extend(self.entries.keys().cloned());
    }

    /// Ends the reading with a last step that may still note problems.
    pub(super) fn finishing<T>(self, last: impl FnOnce(&Self) -> Option<T>) -> Option<T> {
        let made = last(&self);
        self.finish();
        made
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    pub(super) fn text(&self, key: &str) -> Option<String> {
        match &self.get(key)?.kind {
            ValueKind::String(text) => Some(text.clone()),
            other => self.wrong(key, other, "a text"),
        }
    }

    pub(super) fn required_text(&self, key: &str, accepted: &str) -> Option<String> {
        if !self.has(key) {
            self.problem(key, "is missing", accepted);
        }
        self.text(key)
    }

    /// A text that is read further.
    pub(super) fn parsed<T>(&self, key: &str, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let text = self.text(key)?;
        parse(&text).map_err(|why| self.problem(key, format!("found `{text}`"), why)).ok()
    }

    pub(super) fn boolean(&self, key: &str, default: bool) -> bool {
        let Some(value) = self.get(key) else { return default };
        match &value.kind {
            ValueKind::Boolean(flag) => *flag,
            ValueKind::String(text) if is_variable(value) => match text.as_str() {
                "true" => true,
                "false" => false,
                _ => self.refused(key, text, "true or false").unwrap_or(default),
            },
            other => self.wrong(key, other, "true or false").unwrap_or(default),
        }
    }

    /// One of some words.
    pub(super) fn choice<T: Copy>(&self, key: &str, words: &[(&str, T)], default: T) -> T {
        let Some(text) = self.text(key) else { return default };
        match words.iter().find(|(word, _)| *word == text) {
            Some((_, meaning)) => *meaning,
            None => {
                let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
                self.refused(key, &text, &words.join(", ")).unwrap_or(default)
            }
        }
    }

    pub(super) fn number(&self, key: &str, range: std::ops::RangeInclusive<usize>, default: usize) -> usize {
        let accepted = format!("a whole number from {} to {}", range.start(), range.end());
        let Some(value) = self.get(key) else { return default };
        let number = match &value.kind {
            ValueKind::I64(number) => usize::try_from(*number).ok(),
            ValueKind::U64(number) => usize::try_from(*number).ok(),
            ValueKind::String(text) if is_variable(value) => text.parse().ok(),
            other => return self.wrong(key, other, &accepted).unwrap_or(default),
        };
        match number.filter(|number| range.contains(number)) {
            Some(number) => number,
            None => {
                self.problem(key, format!("found `{value}`"), format!("accepted: {accepted}"));
                default
            }
        }
    }

    pub(super) fn duration(&self, key: &str, default: Duration) -> Duration {
        self.parsed(key, |text| units::duration(text).ok_or_else(|| format!("accepted: {}", units::DURATION)))
            .unwrap_or(default)
    }

    /// A duration that must not be nothing: nothing would mean "at once", or "never".
    pub(super) fn positive_duration(&self, key: &str, default: Duration) -> Duration {
        let duration = self.duration(key, default);
        if duration.is_zero() {
            self.problem(key, "found no time at all", format!("accepted: {}, more than nothing", units::DURATION));
        }
        duration
    }

    pub(super) fn size(&self, key: &str, default: usize) -> usize {
        self.parsed(key, |text| units::size(text).ok_or_else(|| format!("accepted: {}", units::SIZE))).unwrap_or(default)
    }

    /// A list of texts. One text alone is a list too: with commas when it comes from the environment.
    pub(super) fn texts(&self, key: &str) -> Vec<String> {
        let Some(value) = self.get(key) else { return Vec::new() };
        match &value.kind {
            ValueKind::String(text) => text.split(',').map(|one| one.trim().to_owned()).collect(),
            ValueKind::Array(values) => values
                .iter()
                .enumerate()
                .filter_map(|(at, value)| match &value.kind {
                    ValueKind::String(text) => Some(text.clone()),
                    other => self.wrong(&format!("{key}[{at}]"), other, "a text"),
                })
                .collect(),
            other => self.wrong(key, other, "a list of texts").unwrap_or_default(),
        }
    }

    pub(super) fn table(&self, key: &str) -> Option<Table<'c>> {
        let value = self.get(key)?.clone();
        self.below(key, value)
    }

    /// A table that may be left out.
    pub(super) fn table_or_empty(&self, key: &str) -> Table<'c> {
        self.table(key).unwrap_or_else(|| self.child(key, BTreeMap::new()))
    }

    /// A list of tables.
    pub(super) fn tables(&self, key: &str) -> Vec<Table<'c>> {
        let Some(value) = self.get(key) else { return Vec::new() };
        match &value.kind {
            ValueKind::Array(values) => {
                let tables = values.iter().enumerate().map(|(at, value)| self.below(&format!("{key}[{at}]"), value.clone()));
                tables.flatten().collect()
            }
            other => self.wrong(key, other, "a list of tables").unwrap_or_default(),
        }
    }

    /// A text of each table of a list. What is wrong with them is told where the list is read.
    pub(super) fn texts_of_tables(&self, key: &str, inner: &str) -> Vec<String> {
        let Some(ValueKind::Array(values)) = self.entries.get(key).map(|value| &value.kind) else { return Vec::new() };
        let text = |value: &Value| match &value.kind {
            ValueKind::Table(entries) => match &entries.get(inner)?.kind {
                ValueKind::String(text) => Some(text.clone()),
                _ => None,
            },
            _ => None,
        };
        values.iter().filter_map(text).collect()
    }

    /// A list of lists of tables: Azion's criteria. A group with a problem is `None`.
    pub(super) fn table_groups(&self, key: &str) -> Vec<Option<Vec<Table<'c>>>> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let ValueKind::Array(groups) = &value.kind else {
            return self.wrong(key, &value.kind, "a list of groups of criteria").unwrap_or_default();
        };
        groups.iter().enumerate().map(|(at, group)| self.table_group(&format!("{key}[{at}]"), group)).collect()
    }

    fn table_group(&self, key: &str, group: &Value) -> Option<Vec<Table<'c>>> {
        let ValueKind::Array(values) = &group.kind else {
            return self.wrong(key, &group.kind, "a group: a list of criteria, so two brackets: [[{ … }]]");
        };
        let tables = values.iter().enumerate().map(|(at, value)| self.below(&format!("{key}[{at}]"), value.clone()));
        tables.collect::<Vec<_>>().into_iter().collect()
    }

    /// All tables of a table of tables, with their names.
    pub(super) fn named_tables(&self, key: &str) -> Vec<(String, Table<'c>)> {
        let Some(parent) = self.table(key) else { return Vec::new() };
        let named = parent.entries.iter().map(|(name, value)| (name.clone(), parent.below(name, value.clone())));
        named.filter_map(|(name, table)| table.map(|table| (name, table))).collect()
    }

    /// All texts of a table of texts, with their names.
    pub(super) fn named_texts(&self, key: &str) -> Vec<(String, String)> {
        let Some(parent) = self.table(key) else { return Vec::new() };
        let names: Vec<String> = parent.entries.keys().cloned().collect();
        names.into_iter().filter_map(|name| parent.text(&name).map(|text| (name, text))).collect()
    }

    fn get(&self, key: &str) -> Option<&Value> {
        self.asked.borrow_mut().insert(key.to_owned());
        self.entries.get(key).filter(|value| !matches!(value.kind, ValueKind::Nil))
    }

    fn below(&self, key: &str, value: Value) -> Option<Table<'c>> {
        match value.kind {
            ValueKind::Table(entries) => Some(self.child(key, entries.into_iter().collect())),
            other => self.wrong(key, &other, "a table"),
        }
    }

    fn child(&self, key: &str, entries: BTreeMap<String, Value>) -> Table<'c> {
        let path = self.key_path(key);
        Table {
            entries,
            asked: RefCell::default(),
            path,
            file: self.file.clone(),
            prefix: self.prefix.clone(),
            collector: self.collector,
        }
    }

    fn key_path(&self, key: &str) -> String {
        match (self.path.as_str(), key) {
            ("", key) => key.to_owned(),
            (path, "") => path.to_owned(),
            (path, key) => format!("{path}.{key}"),
        }
    }

    fn refused<T>(&self, key: &str, text: &str, accepted: &str) -> Option<T> {
        self.problem(key, format!("found `{text}`"), format!("accepted: {accepted}"));
        None
    }

    fn wrong<T>(&self, key: &str, found: &ValueKind, accepted: &str) -> Option<T> {
        let kind = match found {
            ValueKind::Nil => "nothing",
            ValueKind::Boolean(_) => "true or false",
            ValueKind::I64(_) | ValueKind::I128(_) | ValueKind::U64(_) | ValueKind::U128(_) => "a whole number",
            ValueKind::Float(_) => "a number with a point",
            ValueKind::String(_) => "a text",
            ValueKind::Table(_) => "a table",
            ValueKind::Array(_) => "a list",
        };
        self.problem(key, format!("found {kind}"), format!("accepted: {accepted}"));
        None
    }
}

/// Variables are always texts; a key that wants something else reads it out of them.
fn is_variable(value: &Value) -> bool {
    value.origin() == Some(environment::PLACE)
}
