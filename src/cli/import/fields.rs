//! An object of the JSON whose fields are asked for by name, so that those nobody asked for can be told.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// An object, and which of its fields were read.
pub(super) struct Fields<'j> {
    map: &'j Map<String, Value>,
    asked: BTreeSet<&'static str>,
}

impl<'j> Fields<'j> {
    /// None when the value is no object.
    pub(super) fn of(value: &'j Value) -> Option<Self> {
        value.as_object().map(|map| Self { map, asked: BTreeSet::new() })
    }

    /// Of an object.
    pub(super) fn of_map(map: &'j Map<String, Value>) -> Self {
        Self { map, asked: BTreeSet::new() }
    }

    /// A field; `null` is as good as nothing.
    pub(super) fn get(&mut self, name: &'static str) -> Option<&'j Value> {
        self.asked.insert(name);
        self.map.get(name).filter(|value| !value.is_null())
    }

    /// Fields that are known and say nothing for us.
    pub(super) fn skip(&mut self, names: &[&'static str]) {
        self.asked.extend(names);
    }

    /// A field with two names, of which the second is another version's.
    ///
    /// # Errors
    /// When both are there and differ.
    pub(super) fn either(&mut self, name: &'static str, other: &'static str) -> Result<Option<&'j Value>, String> {
        match (self.get(name), self.get(other)) {
            (Some(one), Some(two)) if one != two => Err(format!("`{name}` and `{other}` say different things; keep one")),
            (one, two) => Ok(one.or(two)),
        }
    }

    /// The names of fields that nobody asked for.
    pub(super) fn unknown(&self) -> Vec<&'j str> {
        let unknown = self.map.keys().filter(|name| !self.asked.contains(name.as_str()));
        unknown.map(String::as_str).collect()
    }

    /// Nothing but what was asked for may be there.
    ///
    /// # Errors
    /// The others, by name.
    pub(super) fn finish(&self) -> Result<(), String> {
        let unknown = self.unknown();
        if unknown.is_empty() {
            return Ok(());
        }
        Err(format!("unknown fields, whose meaning would be lost: `{}`", unknown.join("`, `")))
    }
}

/// A text, or a number or truth value as text.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A whole number, or a text of digits.
pub(super) fn whole_number(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
        _ => None,
    }
}

/// The id of a list, origin, connector, CA or CRL, as the end of a name of ours.
pub(super) fn id(value: &Value) -> Option<String> {
    let text = text(value)?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (!text.is_empty() && text.len() <= 64 && text.bytes().all(plain)).then_some(text)
}
