//! YAML as the JSON that it means, within bounds.
//!
//! A small file can mean a large one: an alias stands for all that its anchor holds. So what is bounded is what a document
//! means, not what it looks like.

use std::collections::HashMap;

use serde_json::{Map, Number, Value};
use yaml_rust2::parser::{Event, Parser, Tag};
use yaml_rust2::scanner::TScalarStyle;

/// The most values that a document may mean, aliases written out.
const MOST_VALUES: usize = 500_000;
/// The most bytes of its texts, aliases written out.
const MOST_BYTES: usize = 64 << 20;
/// How deep values may stand in one another. Kong's files need eight.
const DEEPEST: usize = 64;
/// The key that takes in another mapping (YAML 1.1).
const MERGE: &str = "<<";

/// Reads one document.
///
/// # Errors
/// What is wrong with it, and where. Never what it holds.
pub(super) fn read(text: &str) -> Result<Value, String> {
    let mut reader = Reader { parser: Parser::new(text.chars()), anchors: HashMap::new(), values: 0, bytes: 0 };
    let mut document = None;
    loop {
        match reader.next()? {
            Event::StreamEnd => break,
            Event::DocumentStart if document.is_some() => return Err("holds more than one document".into()),
            Event::DocumentStart | Event::StreamStart | Event::DocumentEnd | Event::Nothing => {}
            event => document = Some(reader.value(event, 0)?.value),
        }
    }
    document.ok_or_else(|| "is empty".into())
}

/// A value, and what it means when it is written out.
#[derive(Clone)]
struct Measured {
    value: Value,
    values: usize,
    bytes: usize,
    depth: usize,
}

struct Reader<'t> {
    parser: Parser<std::str::Chars<'t>>,
    anchors: HashMap<usize, Measured>,
    values: usize,
    bytes: usize,
}

impl Reader<'_> {
    fn next(&mut self) -> Result<Event, String> {
        let (event, _) = self.parser.next_token().map_err(|why| {
            let at = why.marker();
            format!("is no YAML: line {}, column {}", at.line(), at.col() + 1)
        })?;
        Ok(event)
    }

    /// Counts what a document means so far.
    fn count(&mut self, values: usize, bytes: usize) -> Result<(), String> {
        self.values = self.values.saturating_add(values);
        self.bytes = self.bytes.saturating_add(bytes);
        if self.values > MOST_VALUES || self.bytes > MOST_BYTES {
            return Err(format!("means more than {MOST_VALUES} values or {} MiB of text", MOST_BYTES >> 20));
        }
        Ok(())
    }

    fn value(&mut self, event: Event, depth: usize) -> Result<Measured, String> {
        let (anchor, found) = match event {
            Event::Alias(anchor) => {
                let found = self.anchors.get(&anchor).cloned().ok_or("has an alias inside of what it stands for")?;
                self.count(found.values, found.bytes)?;
                (0, found)
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.count(1, text.len())?;
                (anchor, Measured { bytes: text.len(), value: scalar(text, style, tag)?, values: 1, depth: 1 })
            }
            Event::SequenceStart(anchor, tag) => {
                known(tag.as_ref(), "seq")?;
                (anchor, self.sequence(depth)?)
            }
            Event::MappingStart(anchor, tag) => {
                known(tag.as_ref(), "map")?;
                (anchor, self.mapping(depth)?)
            }
            _ => return Err("is no YAML: it ends too early".into()),
        };
        if depth + found.depth > DEEPEST {
            return Err(format!("is nested deeper than {DEEPEST}"));
        }
        if anchor > 0 {
            self.count(found.values, found.bytes)?;
            self.anchors.insert(anchor, found.clone());
        }
        Ok(found)
    }

    fn sequence(&mut self, depth: usize) -> Result<Measured, String> {
        let mut all = self.collection(depth)?;
        let mut list = Vec::new();
        loop {
            match self.next()? {
                Event::SequenceEnd => break,
                event => list.push(all.take(self.value(event, depth + 1)?)),
            }
        }
        all.value = Value::Array(list);
        Ok(all)
    }

    fn mapping(&mut self, depth: usize) -> Result<Measured, String> {
        let mut all = self.collection(depth)?;
        let (mut map, mut merged) = (Map::new(), Vec::new());
        loop {
            let (key, merges) = match self.next()? {
                Event::MappingEnd => break,
                Event::Scalar(text, style, _, None) => {
                    self.count(1, text.len())?;
                    let merges = text == MERGE && style == TScalarStyle::Plain;
                    (text, merges)
                }
                _ => return Err("has a key that is no plain text".into()),
            };
            let event = self.next()?;
            let value = all.take(self.value(event, depth + 1)?);
            if merges {
                merged.push(value);
            } else if map.insert(key.clone(), value).is_some() {
                return Err(format!("says `{}` twice in one mapping", key.escape_debug()));
            }
        }
        for value in merged {
            merge(&mut map, value)?;
        }
        all.value = Value::Object(map);
        Ok(all)
    }

    fn collection(&mut self, depth: usize) -> Result<Measured, String> {
        self.count(1, 0)?;
        if depth >= DEEPEST {
            return Err(format!("is nested deeper than {DEEPEST}"));
        }
        Ok(Measured { value: Value::Null, values: 1, bytes: 0, depth: 1 })
    }
}

impl Measured {
    /// Takes what stands inside.
    fn take(&mut self, inner: Self) -> Value {
        self.values += inner.values;
        self.bytes += inner.bytes;
        self.depth = self.depth.max(inner.depth + 1);
        inner.value
    }
}

/// What stands in the mapping itself counts more than what is merged into it.
fn merge(map: &mut Map<String, Value>, value: Value) -> Result<(), String> {
    let all = match value {
        Value::Array(all) => all,
        one => vec![one],
    };
    for one in all {
        let Value::Object(one) = one else { return Err("merges (`<<`) something that is no mapping".into()) };
        for (key, value) in one {
            map.entry(key).or_insert(value);
        }
    }
    Ok(())
}

/// Only tags of YAML itself, on what they are for: others make values that nobody here knows.
fn known(tag: Option<&Tag>, suffix: &str) -> Result<(), String> {
    match tag {
        Some(tag) if tag.handle != "tag:yaml.org,2002:" || tag.suffix != suffix => {
            Err("has a tag that is not one of YAML's own".into())
        }
        _ => Ok(()),
    }
}

/// The core schema (YAML 1.2 §10.3.2). `yes` and `on` are text; who wants a truth value there says so.
fn scalar(text: String, style: TScalarStyle, tag: Option<Tag>) -> Result<Value, String> {
    if tag.is_some() {
        known(tag.as_ref(), "str")?;
        return Ok(Value::String(text));
    }
    if style != TScalarStyle::Plain {
        return Ok(Value::String(text));
    }
    Ok(match text.as_str() {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        number => number_of(number).map_or(Value::String(text), Value::Number),
    })
}

fn number_of(text: &str) -> Option<Number> {
    if let Ok(whole) = text.parse::<i64>() {
        return Some(whole.into());
    }
    let numeric = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    let float = text.parse::<f64>().ok().filter(|_| numeric)?;
    Number::from_f64(float)
}
