//! A certificate while a profile reads it: attributes that must stand exactly once, and the violations that were found.

use super::{Violation, ViolationCode};
use crate::x509::certificate::Certificate;
use crate::x509::der::{self, DerError, Reader, tag};
use crate::x509::name::COMMON_NAME;

/// An attribute type of the subject, and what sentences call it.
#[derive(Clone, Copy)]
pub(super) struct AttributeKind {
    pub(super) oid: &'static [u8],
    pub(super) name: &'static str,
}

macro_rules! attribute_kinds {
    ($( $constant:ident, $oid:expr, $name:literal; )+) => {
        $( pub(super) const $constant: AttributeKind = AttributeKind { oid: $oid, name: $name }; )+
    };
}

// X.520, RFC 4519 §2, and CA/Browser Forum's EV Guidelines §9.2.
attribute_kinds! {
    BUSINESS_CATEGORY, &[0x55, 0x04, 0x0F], "businessCategory";
    CN, COMMON_NAME, "commonName";
    COUNTRY, &[0x55, 0x04, 0x06], "countryName";
    JURISDICTION, &[0x2B, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x3C, 0x02, 0x01, 0x03], "jurisdictionCountryName";
    ORGANIZATION, &[0x55, 0x04, 0x0A], "organizationName";
    ORGANIZATIONAL_UNIT, &[0x55, 0x04, 0x0B], "organizationalUnitName";
    ORGANIZATION_IDENTIFIER, &[0x55, 0x04, 0x61], "organizationIdentifier";
    SERIAL_NUMBER, &[0x55, 0x04, 0x05], "serialNumber";
    UID, &[0x09, 0x92, 0x26, 0x89, 0x93, 0xF2, 0x2C, 0x64, 0x01, 0x01], "UID";
}

/// Content octets of 2.5.29.37, extKeyUsage.
const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1D, 0x25];
/// Content octets of 1.3.6.1.5.5.7.3.2, id-kp-clientAuth.
const CLIENT_AUTH: &[u8] = &[0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02];

/// The reading of one certificate.
pub(super) struct Reading<'c> {
    pub(super) certificate: &'c Certificate,
    pub(super) violations: Vec<Violation>,
}

impl<'c> Reading<'c> {
    pub(super) fn of(certificate: &'c Certificate) -> Self {
        Self { certificate, violations: Vec::new() }
    }

    pub(super) fn violate(&mut self, code: ViolationCode, sentence: impl Into<String>) {
        self.violations.push(Violation { code, sentence: sentence.into() });
    }

    /// Every value of an attribute.
    pub(super) fn all(&self, kind: AttributeKind) -> Vec<String> {
        self.certificate.subject().values_of(kind.oid).map(|value| value.into_owned()).collect()
    }

    /// The value of an attribute that must stand exactly once: of two, nobody knows which one others go by.
    pub(super) fn one(&mut self, kind: AttributeKind, code: ViolationCode) -> Option<String> {
        let mut values = self.all(kind);
        match (values.pop(), values.len()) {
            (Some(value), 0) => return Some(value),
            (Some(_), others) => self.violate(code, format!("{} stands {} times in the subject", kind.name, others + 1)),
            (None, _) => self.violate(code, format!("{} is missing in the subject", kind.name)),
        }
        None
    }

    /// The value of an attribute that must stand once and in a form.
    pub(super) fn formed(
        &mut self,
        kind: AttributeKind,
        code: ViolationCode,
        form: impl Fn(&str) -> bool,
        accepted: &str,
    ) -> Option<String> {
        let value = self.one(kind, code)?;
        if form(&value) {
            return Some(value);
        }
        self.violate(code, format!("{} is {value:?}, which is not {accepted}", kind.name));
        None
    }

    /// Whether the extended key usage is there and names clientAuth. RFC 5280 §4.2.1.12 lets a certificate without one do
    /// everything, and so would let a certificate for seals pass as one for transport.
    pub(super) fn is_for_clients(&mut self) -> bool {
        let sentence = match self.names_client_auth() {
            Ok(Some(true)) => return true,
            Ok(Some(false)) => "the extended key usage does not name clientAuth".to_owned(),
            Ok(None) => "there is no extended key usage".to_owned(),
            Err(why) => format!("the extended key usage cannot be read: {why}"),
        };
        self.violate(ViolationCode::ClientAuth, sentence);
        false
    }

    fn names_client_auth(&self) -> Result<Option<bool>, DerError> {
        let Some(value) = self.certificate.extension(EXTENDED_KEY_USAGE)? else { return Ok(None) };
        let mut usages = Reader::new(der::single(value, tag::SEQUENCE)?.content);
        let mut found = false;
        while !usages.is_empty() {
            found |= usages.expect(tag::OID)?.content == CLIENT_AUTH;
        }
        Ok(Some(found))
    }
}

/// A UUID in the form of RFC 9562 §4, of either case.
pub(super) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}
