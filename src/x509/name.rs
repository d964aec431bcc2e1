//! Distinguished names: attributes in certificate order, and the two texts that nginx prints.
//!
//! `$ssl_client_s_dn` is what OpenSSL's `X509_NAME_print_ex` prints with `XN_FLAG_RFC2253`; `$ssl_client_s_dn_legacy` is
//! `X509_NAME_oneline` of OpenSSL 3.0 or later. Both are rendered here, so that a name's text never depends on a library.
//! Names are read from DER as RFC 5280 §4.1.2.4 has them, with the value types that OpenSSL takes.

use std::borrow::Cow;

use super::attribute_value::AttributeValue;
use super::der::{self, DerError, Reader, tag};
use super::{object_names, oid};

/// Content octets of the OID 2.5.4.3, commonName.
pub const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];

/// A distinguished name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    der: Box<[u8]>,
    rdn_count: usize,
    attributes: Vec<Attribute>,
}

/// One attribute of a name: type and value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    rdn: usize,
    oid: Box<[u8]>,
    value: AttributeValue,
}

impl Name {
    /// Reads a Name, the whole of the input.
    pub fn from_der(der: &[u8]) -> Result<Self, DerError> {
        let mut rdns = Reader::new(der::single(der, tag::SEQUENCE)?.content);
        let (mut rdn_count, mut attributes) = (0, Vec::new());
        while !rdns.is_empty() {
            let mut pairs = Reader::new(rdns.expect(tag::SET)?.content);
            while !pairs.is_empty() {
                attributes.push(Attribute::read(rdn_count, pairs.expect(tag::SEQUENCE)?.content)?);
            }
            rdn_count += 1;
        }
        Ok(Self { der: der.into(), rdn_count, attributes })
    }

    /// The bytes.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Whether there is no attribute.
    pub fn is_empty(&self) -> bool {
        self.attributes.is_empty()
    }

    /// The number of relative distinguished names, illegal empty ones included.
    pub fn rdn_count(&self) -> usize {
        self.rdn_count
    }

    /// The attributes in the certificate's order.
    pub fn attributes(&self) -> &[Attribute] {
        &self.attributes
    }

    /// The values of one attribute type, in the certificate's order, as plain text.
    pub fn values_of(&self, oid: &[u8]) -> impl Iterator<Item = Cow<'_, str>> {
        self.attributes.iter().filter(move |attribute| *attribute.oid == *oid).map(Attribute::text)
    }

    /// The common name that stands last in the certificate. Where names are read from the most significant part on, the last
    /// one is the most specific.
    pub fn last_common_name(&self) -> Option<&Attribute> {
        self.attributes.iter().rev().find(|attribute| *attribute.oid == *COMMON_NAME)
    }

    /// The text in the manner of RFC 2253: the last attribute first, `CN=alice,O=Example`, pure ASCII.
    pub fn rfc2253(&self) -> String {
        let mut text = String::new();
        let mut previous = None;
        for attribute in self.attributes.iter().rev() {
            match previous {
                Some(rdn) if rdn == attribute.rdn => text.push('+'),
                Some(_) => text.push(','),
                None => {}
            }
            previous = Some(attribute.rdn);
            text.push_str(&attribute.type_name());
            text.push('=');
            text.push_str(&attribute.rfc2253_value());
        }
        text
    }

    /// The one-line text: certificate order, `/O=Example/CN=alice`, octets as they are. Not safely parseable.
    pub fn legacy(&self) -> String {
        let mut text = String::new();
        let mut previous = None;
        for attribute in &self.attributes {
            text.push(if previous == Some(attribute.rdn) { '+' } else { '/' });
            previous = Some(attribute.rdn);
            text.push_str(&attribute.type_name());
            text.push('=');
            attribute.value.push_legacy(&mut text);
        }
        text
    }
}

impl Attribute {
    fn read(rdn: usize, pair: &[u8]) -> Result<Self, DerError> {
        let mut pair = Reader::new(pair);
        let attribute_type = pair.expect(tag::OID)?.content;
        oid::check(attribute_type)?;
        let value = AttributeValue::read(pair.any()?)?;
        pair.finish()?;
        Ok(Self { rdn, oid: attribute_type.into(), value })
    }

    /// The attribute type's content octets.
    pub fn oid(&self) -> &[u8] {
        &self.oid
    }

    /// The number of the relative distinguished name that it belongs to, from 0.
    pub fn rdn(&self) -> usize {
        self.rdn
    }

    /// The value with its type.
    pub fn value(&self) -> &AttributeValue {
        &self.value
    }

    /// The value as plain text; a value that is no string is `#` and the hexadecimal digits of its DER.
    pub fn text(&self) -> Cow<'_, str> {
        self.value.text().unwrap_or_else(|| Cow::Owned(self.value.hexadecimal()))
    }

    /// OpenSSL's short name, or the dotted OID in the 79 characters that OpenSSL has room for.
    pub fn type_name(&self) -> Cow<'static, str> {
        const ROOM: usize = 79;
        object_names::short_name(&self.oid).map_or_else(
            || {
                let mut dotted = oid::dotted(&self.oid);
                dotted.truncate(ROOM);
                Cow::Owned(dotted)
            },
            Cow::Borrowed,
        )
    }

    /// The value as it stands in [`Name::rfc2253`]. OpenSSL does not interpret values of a type that it does not know.
    pub fn rfc2253_value(&self) -> String {
        match self.value.text() {
            Some(text) if object_names::short_name(&self.oid).is_some() => escape_rfc2253(&text),
            _ => self.value.hexadecimal(),
        }
    }
}

/// Escapes a value's text. Of a value of one character OpenSSL says that it is the last and not the first: a lone `#` stays.
fn escape_rfc2253(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let last = text.len().saturating_sub(1);
    for (index, byte) in text.bytes().enumerate() {
        match byte {
            b',' | b'+' | b'"' | b'\\' | b'<' | b'>' | b';' => escaped.extend(['\\', char::from(byte)]),
            b' ' if index == 0 || index == last => escaped.push_str("\\ "),
            b'#' if index == 0 && last != 0 => escaped.push_str("\\#"),
            0x20..=0x7E => escaped.push(char::from(byte)),
            _ => escaped.push_str(&format!("\\{byte:02X}")),
        }
    }
    escaped
}

#[cfg(test)]
mod tests;
