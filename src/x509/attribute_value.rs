//! The value of a name's attribute: the types that OpenSSL takes there, as text and as octets.

use std::borrow::Cow;

use super::der::{self, DerError, Tlv, tag};

/// An attribute value, checked: a text decodes, a BIT STRING is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributeValue {
    tag: u8,
    content: Box<[u8]>,
}

impl AttributeValue {
    /// Takes a value of a type that OpenSSL's name parser takes. It refuses, as OpenSSL does, VisibleString, GeneralString,
    /// OCTET STRING, INTEGER and the like.
    pub(super) fn read(value: Tlv<'_>) -> Result<Self, DerError> {
        let content = match value.tag {
            tag::BIT_STRING => masked_bits(value.content)?,
            tag::SEQUENCE | OBJECT_DESCRIPTOR..=REAL | EMBEDDED_PDV | RELATIVE_OID..=RESERVED | CHARACTER_STRING => {
                value.content.into()
            }
            other => {
                decode(other, value.content).ok_or(DerError::new("a name's text is not of its string type"))?;
                value.content.into()
            }
        };
        Ok(Self { tag: value.tag, content })
    }

    /// The identifier octet.
    pub fn tag(&self) -> u8 {
        self.tag
    }

    /// The content octets; of a BIT STRING, the first one tells the unused bits.
    pub fn content(&self) -> &[u8] {
        &self.content
    }

    /// The text of a string type.
    pub fn text(&self) -> Option<Cow<'_, str>> {
        decode(self.tag, &self.content)
    }

    /// `#` and the DER in upper-case hexadecimal digits (RFC 2253 §2.4).
    pub fn hexadecimal(&self) -> String {
        format!("#{}", hex::encode_upper(der::encode(self.tag, &self.content)))
    }

    /// Appends what `X509_NAME_oneline` shows: the octets of a string, whatever its character set; a SEQUENCE whole.
    pub(super) fn push_legacy(&self, text: &mut String) {
        match self.tag {
            tag::SEQUENCE => push_octets(text, &der::encode(self.tag, &self.content)),
            tag::BIT_STRING => push_octets(text, self.content.get(1..).unwrap_or_default()),
            _ => push_octets(text, &self.content),
        }
    }
}

fn push_octets(text: &mut String, octets: &[u8]) {
    for &octet in octets {
        match octet {
            b'/' | b'+' => text.extend(['\\', char::from(octet)]),
            b' '..=b'~' => text.push(char::from(octet)),
            _ => text.push_str(&format!("\\x{octet:02X}")),
        }
    }
}

// Types without text that OpenSSL's name parser lets in under `B_ASN1_UNKNOWN`, in their primitive form.
const OBJECT_DESCRIPTOR: u8 = 0x07;
const REAL: u8 = 0x09;
const EMBEDDED_PDV: u8 = 0x0B;
const RELATIVE_OID: u8 = 0x0D;
const RESERVED: u8 = 0x0F;
const CHARACTER_STRING: u8 = 0x1D;

/// A string's text. Like OpenSSL, the types of one octet a character are all read as Latin-1, TeletexString too.
fn decode(tag: u8, content: &[u8]) -> Option<Cow<'_, str>> {
    match tag {
        tag::UTF8_STRING => std::str::from_utf8(content).ok().map(Cow::Borrowed),
        tag::NUMERIC_STRING | tag::PRINTABLE_STRING | tag::TELETEX_STRING | tag::IA5_STRING => Some(latin1(content)),
        tag::BMP_STRING => wide(content.as_chunks::<2>(), |octets| u32::from(u16::from_be_bytes(octets))),
        tag::UNIVERSAL_STRING => wide(content.as_chunks::<4>(), u32::from_be_bytes),
        _ => None,
    }
}

fn latin1(content: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(content) {
        Ok(ascii) if ascii.is_ascii() => Cow::Borrowed(ascii),
        _ => content.iter().copied().map(char::from).collect(),
    }
}

fn wide<const N: usize>((units, rest): (&[[u8; N]], &[u8]), number: fn([u8; N]) -> u32) -> Option<Cow<'static, str>> {
    if !rest.is_empty() {
        return None;
    }
    units.iter().map(|&octets| char::from_u32(number(octets))).collect::<Option<String>>().map(Cow::Owned)
}

/// A BIT STRING's content with its unused bits cleared, as OpenSSL keeps it.
fn masked_bits(content: &[u8]) -> Result<Box<[u8]>, DerError> {
    match content {
        [0..=7] => Ok([0].into()),
        [unused @ 0..=7, bits @ .., last] => {
            let mut masked = vec![*unused];
            masked.extend_from_slice(bits);
            masked.push(last & (0xFF << unused));
            Ok(masked.into())
        }
        _ => Err(DerError::new("a BIT STRING without a count of unused bits")),
    }
}
