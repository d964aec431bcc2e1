//! What every entity of Kong's has: an id, a name, references, and fields whose types must be right.

use serde_json::Value;

use crate::cli::import::fields::Fields;
use crate::cli::import::remark::{Report, one_line};

/// Fields that say nothing of who gets in: labels, dates, Kong's own bookkeeping.
const BOOKKEEPING: [&str; 5] = ["created_at", "instance_name", "tags", "updated_at", "ws_id"];

/// What an entity is called by others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Names {
    pub(super) id: Option<String>,
    /// `name`, or a consumer's `username`.
    pub(super) name: Option<String>,
}

impl Names {
    pub(super) fn are(&self, reference: &str) -> bool {
        [&self.id, &self.name].into_iter().flatten().any(|own| own == reference)
    }

    pub(super) fn shown(&self, kind: &str, at: usize) -> String {
        let name = self.name.as_ref().or(self.id.as_ref());
        name.map_or_else(|| format!("{kind} {}", at + 1), |name| format!("{kind} `{}`", one_line(name)))
    }
}

/// Where something belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Belongs {
    /// It says nothing.
    Nowhere,
    /// It stands inside of this one.
    To(usize),
    /// It names somebody whom nobody knows.
    Lost(String),
}

impl Belongs {
    pub(super) fn index(&self) -> Option<usize> {
        match self {
            Self::To(at) => Some(*at),
            Self::Nowhere | Self::Lost(_) => None,
        }
    }

    /// Looks a reference up.
    pub(super) fn find<'n>(reference: Option<&Value>, mut among: impl Iterator<Item = &'n Names>) -> Self {
        match reference.map(named) {
            None => Self::Nowhere,
            Some(Some(name)) => among.position(|names| names.are(&name)).map_or(Self::Lost(name), Self::To),
            Some(None) => Self::Lost("no name and no id".into()),
        }
    }
}

/// A reference: a name or id, or an object with one of the two.
pub(super) fn named(value: &Value) -> Option<String> {
    match value {
        Value::String(name) => Some(name.clone()),
        Value::Object(map) => ["id", "name", "username"].into_iter().find_map(|key| map.get(key)?.as_str().map(str::to_owned)),
        _ => None,
    }
}

/// The objects of a list, each with its fields. What is no object is told.
pub(super) fn objects<'j>(list: Option<&'j Value>, place: &str, report: &mut Report) -> Vec<&'j Value> {
    let Some(list) = list else { return Vec::new() };
    let Some(values) = list.as_array() else {
        report.left_out(place, "is no list");
        return Vec::new();
    };
    let is_object = |value: &&Value| value.is_object();
    if values.iter().any(|value| !value.is_object()) {
        report.left_out(place, "an entry that is no mapping");
    }
    values.iter().filter(is_object).collect()
}

/// An entity's fields, the bookkeeping of Kong's read over.
pub(super) fn fields(value: &Value) -> Option<Fields<'_>> {
    let mut fields = Fields::of(value)?;
    fields.skip(&BOOKKEEPING);
    Some(fields)
}

pub(super) fn text(fields: &mut Fields<'_>, key: &'static str) -> Option<String> {
    fields.get(key).and_then(crate::cli::import::fields::text)
}

/// Fields whose types count: what is wrong is kept, since somebody meant something by it.
pub(super) struct Strict<'f, 'j> {
    pub(super) fields: &'f mut Fields<'j>,
    pub(super) problems: Vec<String>,
}

impl<'j> Strict<'_, 'j> {
    fn read<T>(&mut self, key: &'static str, what: &str, read: impl Fn(&'j Value) -> Option<T>) -> Option<T> {
        let value = self.fields.get(key)?;
        let read = read(value);
        if read.is_none() {
            self.problems.push(format!("`{key}` is no {what}"));
        }
        read
    }

    pub(super) fn flag(&mut self, key: &'static str) -> Option<bool> {
        self.read(key, "truth value (`true` or `false`)", Value::as_bool)
    }

    pub(super) fn whole(&mut self, key: &'static str) -> Option<u64> {
        self.read(key, "whole number", |value| {
            let float = || value.as_f64().filter(|float| float.fract() == 0.0 && (0.0..1e15).contains(float));
            value.as_u64().or_else(|| float().map(|float| float as u64))
        })
    }

    pub(super) fn text(&mut self, key: &'static str) -> Option<String> {
        self.read(key, "text", |value| value.as_str().map(str::to_owned))
    }

    pub(super) fn texts(&mut self, key: &'static str) -> Option<Vec<String>> {
        self.read(key, "list of texts", |value| match value {
            Value::Array(values) => values.iter().map(|value| value.as_str().map(str::to_owned)).collect(),
            _ => None,
        })
    }

    /// One of these words.
    pub(super) fn word(&mut self, key: &'static str, known: &[&'static str]) -> Option<&'static str> {
        let what = format!("one of {}", known.join(", "));
        self.read(key, &what, |value| known.iter().find(|word| value.as_str() == Some(word)).copied())
    }
}
