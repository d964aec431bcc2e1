//! The walk over a certificate's outer structure: which octets are which field (RFC 5280 §4.1).

use super::der::{self, DerError, Reader, Tlv, tag};

/// The fields of a certificate as slices of its DER.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    pub(super) version: u8,
    pub(super) serial: &'a [u8],
    pub(super) issuer: &'a [u8],
    pub(super) not_before: Tlv<'a>,
    pub(super) not_after: Tlv<'a>,
    pub(super) subject: &'a [u8],
    pub(super) spki: &'a [u8],
    pub(super) extensions: Vec<ExtensionField<'a>>,
}

/// One extension as slices.
#[derive(Debug)]
pub(super) struct ExtensionField<'a> {
    pub(super) oid: &'a [u8],
    pub(super) value: &'a [u8],
}

impl<'a> Fields<'a> {
    /// Walks `Certificate`, the whole of the input.
    pub(super) fn read(der: &'a [u8]) -> Result<Self, DerError> {
        let mut certificate = Reader::new(der::single(der, tag::SEQUENCE)?.content);
        let tbs = certificate.expect(tag::SEQUENCE)?.content;
        certificate.expect(tag::SEQUENCE)?;
        certificate.expect(tag::BIT_STRING)?;
        certificate.finish()?;
        Self::read_tbs(tbs)
    }

    fn read_tbs(tbs: &'a [u8]) -> Result<Self, DerError> {
        let mut tbs = Reader::new(tbs);
        let version = version(tbs.optional(tag::context_constructed(0))?)?;
        let serial = tbs.expect(tag::INTEGER)?.content;
        tbs.expect(tag::SEQUENCE)?;
        let issuer = tbs.expect(tag::SEQUENCE)?.der;
        let mut validity = Reader::new(tbs.expect(tag::SEQUENCE)?.content);
        let (not_before, not_after) = (validity.any()?, validity.any()?);
        validity.finish()?;
        let subject = tbs.expect(tag::SEQUENCE)?.der;
        let spki = tbs.expect(tag::SEQUENCE)?.der;
        tbs.optional(tag::context_primitive(1))?;
        tbs.optional(tag::context_primitive(2))?;
        let extensions = extensions(tbs.optional(tag::context_constructed(3))?)?;
        tbs.finish()?;
        Ok(Self { version, serial, issuer, not_before, not_after, subject, spki, extensions })
    }
}

/// 1 if absent; otherwise the number written, plus one.
fn version(field: Option<Tlv<'_>>) -> Result<u8, DerError> {
    let Some(field) = field else { return Ok(1) };
    match der::single(field.content, tag::INTEGER)?.content {
        [number @ 0..=0x7F] => Ok(number + 1),
        _ => Err(DerError::new("a version that is no small number")),
    }
}

fn extensions(field: Option<Tlv<'_>>) -> Result<Vec<ExtensionField<'_>>, DerError> {
    let Some(field) = field else { return Ok(Vec::new()) };
    let mut list = Reader::new(der::single(field.content, tag::SEQUENCE)?.content);
    let mut extensions = Vec::new();
    while !list.is_empty() {
        let mut extension = Reader::new(list.expect(tag::SEQUENCE)?.content);
        let oid = extension.expect(tag::OID)?.content;
        extension.optional(tag::BOOLEAN)?;
        let value = extension.expect(tag::OCTET_STRING)?.content;
        extension.finish()?;
        extensions.push(ExtensionField { oid, value });
    }
    Ok(extensions)
}
