//! Whether a text of another printer is a name that we hold: for cross-checks of what others say, never for identity.
//!
//! Printers of RFC 2253 differ (Apache and Go leave UTF-8 as it is, Envoy does not know every attribute type, Go reorders); so
//! the text is read, attribute by attribute, and compared with the certificate's. Texts with slashes cannot be read; of those,
//! ours are compared.

use super::attribute_value::AttributeValue;
use super::der::Reader;
use super::name::{Attribute, Name};
use super::{object_names, oid};

/// In which order a printer gives the attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttributeOrder {
    /// The last first, relative distinguished names kept apart (RFC 2253).
    Reversed,
    /// Any, and `+` for `,` (Go's `pkix.Name`).
    Any,
}

/// Whether the text, read in the manner of RFC 2253, has exactly this name's attributes.
pub fn reads_as(name: &Name, text: &[u8], order: AttributeOrder) -> bool {
    let Some(read) = read(text) else { return false };
    let ours: Vec<&Attribute> = name.attributes().iter().rev().collect();
    if read.len() != ours.len() {
        return false;
    }
    match order {
        AttributeOrder::Reversed => {
            let mut previous = None;
            read.iter().zip(ours).all(|(read, ours)| {
                let joined = previous.replace(ours.rdn()) == Some(ours.rdn());
                read.is(ours) && read.joined == joined
            })
        }
        AttributeOrder::Any => {
            let mut left = ours;
            read.iter().all(|read| {
                let at = left.iter().position(|ours| read.is(ours));
                at.map(|at| left.swap_remove(at)).is_some()
            })
        }
    }
}

/// The one-line text of HAProxy: certificate order, octets as they are but for controls, nothing escaped.
pub fn slashes_unescaped(name: &Name) -> Vec<u8> {
    let mut text = Vec::new();
    for attribute in name.attributes() {
        text.push(b'/');
        text.extend_from_slice(attribute.type_name().as_bytes());
        text.push(b'=');
        for &octet in attribute.value().content() {
            match octet {
                0..0x20 | 0x7F => text.extend_from_slice(format!("%{octet:02X}").as_bytes()),
                _ => text.push(octet),
            }
        }
    }
    text
}

/// An attribute of a text.
struct Read {
    oid: Vec<u8>,
    value: Value,
    /// A `+` stood before it.
    joined: bool,
}

enum Value {
    Text(Vec<u8>),
    /// What follows `#`.
    Der(Vec<u8>),
}

impl Read {
    fn is(&self, ours: &Attribute) -> bool {
        *self.oid == *ours.oid() && self.value.is(ours.value())
    }
}

impl Value {
    fn is(&self, ours: &AttributeValue) -> bool {
        match self {
            // A T61String is read as Latin-1 by some and as UTF-8 by others.
            Self::Text(text) => ours.text().is_some_and(|own| own.as_bytes() == text) || ours.content() == text,
            Self::Der(der) => {
                let mut reader = Reader::new(der);
                let read = reader.any().ok().filter(|_| reader.is_empty()).and_then(|value| AttributeValue::read(value).ok());
                // Go writes the text anew, in a string type of its own choice.
                read.is_some_and(|read| read == *ours || (read.text().is_some() && read.text() == ours.text()))
            }
        }
    }
}

/// The attributes of a text; none if it cannot be read.
fn read(text: &[u8]) -> Option<Vec<Read>> {
    let (mut attributes, mut rest, mut joined) = (Vec::new(), text, false);
    while !rest.is_empty() {
        let equals = memchr::memchr(b'=', rest)?;
        let (kind, after) = rest.split_at(equals);
        let (value, after) = value(after.get(1..)?)?;
        attributes.push(Read { oid: oid_of(kind)?, value, joined });
        rest = match after.split_first() {
            None => after,
            Some((b',' | b'+', [])) => return None,
            Some((separator, after)) => {
                joined = *separator == b'+';
                after
            }
        };
    }
    Some(attributes)
}

fn oid_of(kind: &[u8]) -> Option<Vec<u8>> {
    let kind = std::str::from_utf8(kind).ok()?;
    // Go's names, where they differ from OpenSSL's.
    let kind = match kind {
        "SERIALNUMBER" => "serialNumber",
        "STREET" => "street",
        "POSTALCODE" => "postalCode",
        kind => kind,
    };
    object_names::oid_of(kind).map(<[u8]>::to_vec).or_else(|| oid::parse_dotted(kind))
}

/// A value up to a separator that is not escaped, and the rest from there.
fn value(text: &[u8]) -> Option<(Value, &[u8])> {
    let mut value = Vec::new();
    let mut rest = text;
    loop {
        match rest {
            [] | [b',' | b'+', ..] => break,
            // HTTP cut off the space that stood behind the backslash.
            [b'\\'] => {
                value.push(b' ');
                rest = &[];
            }
            [b'\\', high, low, after @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                value.extend(hex::decode([*high, *low]).ok()?);
                rest = after;
            }
            [b'\\', escaped, after @ ..] => {
                value.push(*escaped);
                rest = after;
            }
            [byte, after @ ..] => {
                value.push(*byte);
                rest = after;
            }
        }
    }
    let written = text.get(..text.len() - rest.len())?;
    match written.strip_prefix(b"#") {
        Some(digits) if digits.len() >= 4 => hex::decode(digits).ok().map(|der| (Value::Der(der), rest)),
        _ => Some((Value::Text(value), rest)),
    }
}

#[cfg(test)]
mod tests;
