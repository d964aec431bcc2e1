//! JSON objects of strangers. A name that stands twice is refused: one reader takes the first, another the last (RFC 8259 §4).

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Reads an object.
///
/// # Errors
/// When it is none, or a name stands twice in it or in what it holds.
pub(super) fn object(json: &[u8]) -> Result<Map<String, Value>, String> {
    match unique_json(json) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err("no JSON object".into()),
        Err(why) => Err(format!("no JSON object: {why}")),
    }
}

/// Reads a value.
///
/// # Errors
/// When it is none, or a name stands twice in an object of it.
pub fn unique_json(json: &[u8]) -> Result<Value, serde_json::Error> {
    serde_json::from_slice(json).map(|Unique(value)| value)
}

/// A value in which every name stands once.
struct Unique(Value);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader).map(Self)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("a number without end"))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Unique(value)) = seq.next_element()? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            let Unique(value) = map.next_value()?;
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("a name stands twice"));
            }
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_stands_once() {
        let read = |json: &str| object(json.as_bytes());
        let all = r#"{"a": [1, -1, 1.5, "x\u00e9", null, true, {"a": {}}], "b": 18446744073709551615}"#;
        assert_eq!(Value::Object(read(all).unwrap()), serde_json::from_str::<Value>(all).unwrap());
        for twice in [r#"{"a":1,"a":1}"#, r#"{"a":1,"\u0061":2}"#, r#"{"a":{"b":1,"b":2}}"#, r#"{"a":[{"b":1,"b":1}]}"#] {
            assert!(read(twice).unwrap_err().contains("twice"), "{twice}");
        }
        for none in ["", "[]", "1", "null", "\"a\"", "{", "{} {}", "{\"a\": NaN}", &"[".repeat(100_000), "{\"a\":\"\u{1}\"}"] {
            assert!(read(none).is_err(), "{none:.40}");
        }
        assert!(object(b"{\"a\":\"\xff\"}").is_err());
        let deep = format!("{}1{}", "{\"a\":".repeat(10_000), "}".repeat(10_000));
        assert!(read(&deep).is_err());
    }
}
