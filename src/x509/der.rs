//! A strict DER reader: tag, length, value, and nothing that only BER allows.
//!
//! OpenSSL reads BER: lengths that are not minimal, indefinite lengths, strings in pieces. Two readers that are lenient in
//! different ways may see two different certificates in the same bytes; so this one takes a single encoding (ITU-T X.690
//! §10, §11) and refuses the rest. It borrows, allocates nothing and never recurses.

use std::fmt;

/// Where and why bytes are not DER.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DerError(&'static str);

impl DerError {
    /// An error with its reason, a phrase in lower case.
    pub(crate) const fn new(reason: &'static str) -> Self {
        Self(reason)
    }
}

impl fmt::Display for DerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for DerError {}

/// Identifier octets of the universal types that X.509 uses, as they stand in DER.
pub mod tag {
    /// BOOLEAN.
    pub const BOOLEAN: u8 = 0x01;
    /// INTEGER.
    pub const INTEGER: u8 = 0x02;
    /// BIT STRING.
    pub const BIT_STRING: u8 = 0x03;
    /// OCTET STRING.
    pub const OCTET_STRING: u8 = 0x04;
    /// OBJECT IDENTIFIER.
    pub const OID: u8 = 0x06;
    /// UTF8String.
    pub const UTF8_STRING: u8 = 0x0C;
    /// NumericString.
    pub const NUMERIC_STRING: u8 = 0x12;
    /// PrintableString.
    pub const PRINTABLE_STRING: u8 = 0x13;
    /// TeletexString, also called T61String.
    pub const TELETEX_STRING: u8 = 0x14;
    /// IA5String.
    pub const IA5_STRING: u8 = 0x16;
    /// UTCTime.
    pub const UTC_TIME: u8 = 0x17;
    /// GeneralizedTime.
    pub const GENERALIZED_TIME: u8 = 0x18;
    /// UniversalString.
    pub const UNIVERSAL_STRING: u8 = 0x1C;
    /// BMPString.
    pub const BMP_STRING: u8 = 0x1E;
    /// SEQUENCE, constructed.
    pub const SEQUENCE: u8 = 0x30;
    /// SET, constructed.
    pub const SET: u8 = 0x31;

    /// A context-specific tag in its constructed form.
    pub const fn context_constructed(number: u8) -> u8 {
        0xA0 | number
    }

    /// A context-specific tag in its primitive form.
    pub const fn context_primitive(number: u8) -> u8 {
        0x80 | number
    }
}

/// One value with its identifier octet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tlv<'a> {
    /// The identifier octet: class, constructed bit and number.
    pub tag: u8,
    /// The content octets.
    pub content: &'a [u8],
    /// Identifier, length and content octets.
    pub der: &'a [u8],
}

/// Reads values one after the other.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Starts at the first octet.
    pub fn new(der: &'a [u8]) -> Self {
        Self { rest: der }
    }

    /// Whether everything was read.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// How many octets are left.
    pub fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// The identifier octet of the next value.
    pub fn peek_tag(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// The next value, of any type.
    pub fn any(&mut self) -> Result<Tlv<'a>, DerError> {
        let whole = self.rest;
        let (&tag, after_tag) = whole.split_first().ok_or(DerError("a value is missing"))?;
        if tag & 0x1F == 0x1F {
            return Err(DerError("a tag number over 30"));
        }
        let (length, after_length) = length(after_tag)?;
        let (content, rest) = after_length.split_at_checked(length).ok_or(DerError("a length over the end of its input"))?;
        let (der, _) =
            whole.split_at_checked(whole.len() - rest.len()).ok_or(DerError("a length over the end of its input"))?;
        self.rest = rest;
        Ok(Tlv { tag, content, der })
    }

    /// The next value, which must have this identifier octet.
    pub fn expect(&mut self, tag: u8) -> Result<Tlv<'a>, DerError> {
        match self.peek_tag() {
            Some(found) if found == tag => self.any(),
            Some(_) => Err(DerError("a value of another type than expected")),
            None => Err(DerError("a value is missing")),
        }
    }

    /// The next value if it has this identifier octet.
    pub fn optional(&mut self, tag: u8) -> Result<Option<Tlv<'a>>, DerError> {
        if self.peek_tag() == Some(tag) { self.any().map(Some) } else { Ok(None) }
    }

    /// Ends: anything left over is an error.
    pub fn finish(self) -> Result<(), DerError> {
        if self.rest.is_empty() { Ok(()) } else { Err(DerError("octets after the last value")) }
    }
}

/// Reads the one value that the input holds.
pub fn single(der: &[u8], tag: u8) -> Result<Tlv<'_>, DerError> {
    let mut reader = Reader::new(der);
    let value = reader.expect(tag)?;
    reader.finish()?;
    Ok(value)
}

/// Writes identifier and length octets, then the content.
pub fn encode(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match u8::try_from(content.len()) {
        Ok(short) if short < 0x80 => out.push(short),
        _ => {
            let octets: Vec<u8> = content.len().to_be_bytes().into_iter().skip_while(|&octet| octet == 0).collect();
            out.push(0x80 | u8::try_from(octets.len()).unwrap_or_default());
            out.extend_from_slice(&octets);
        }
    }
    out.extend_from_slice(content);
    out
}

/// Definite, in as few octets as possible (X.690 §10.1), four at most.
fn length(input: &[u8]) -> Result<(usize, &[u8]), DerError> {
    let (&first, rest) = input.split_first().ok_or(DerError("a length is missing"))?;
    if first < 0x80 {
        return Ok((usize::from(first), rest));
    }
    let count = usize::from(first & 0x7F);
    if count == 0 {
        return Err(DerError("an indefinite length"));
    }
    if count > 4 {
        return Err(DerError("a length of more than four octets"));
    }
    let (octets, rest) = rest.split_at_checked(count).ok_or(DerError("a length is missing"))?;
    let value = octets.iter().fold(0_usize, |value, &octet| (value << 8) | usize::from(octet));
    let minimal = value >= 0x80 && octets.first().is_some_and(|&octet| octet != 0);
    if minimal { Ok((value, rest)) } else { Err(DerError("a length that is not minimal")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_encoding_and_no_other() {
        for (input, reason) in [
            (&[][..], "a value is missing"),
            (&[0x30], "a length is missing"),
            (&[0x30, 0x80, 0, 0], "an indefinite length"),
            (&[0x30, 0x81, 0x01, 0], "a length that is not minimal"),
            (&[0x30, 0x82, 0x00, 0x80], "a length that is not minimal"),
            (&[0x30, 0x82, 0x01], "a length is missing"),
            (&[0x30, 0x85, 1, 1, 1, 1, 1], "a length of more than four octets"),
            (&[0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF], "a length over the end of its input"),
            (&[0x3F, 0x01, 0x00], "a tag number over 30"),
            (&[0x04, 0x02, 0x00], "a length over the end of its input"),
        ] {
            assert_eq!(Reader::new(input).any().unwrap_err().to_string(), reason, "{input:02X?}");
        }
    }

    #[test]
    fn what_is_written_is_read() {
        for length in [0, 1, 127, 128, 255, 256, 65_535, 65_536] {
            let der = encode(tag::OCTET_STRING, &vec![7; length]);
            let value = single(&der, tag::OCTET_STRING).unwrap();
            assert_eq!((value.content.len(), value.der), (length, &der[..]));
        }
    }

    #[test]
    fn nothing_may_follow() {
        assert!(single(&[0x04, 0x00, 0x00], tag::OCTET_STRING).is_err());
        assert!(single(&[0x04, 0x00], tag::SEQUENCE).is_err());
    }
}
