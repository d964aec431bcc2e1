//! The extensions of a list (RFC 5280 §5.2).

use std::collections::HashSet;

use super::CrlError;
use super::fields::Extension;
use crate::x509::der::{self, DerError, Reader, tag};
use crate::x509::oid;

/// Content octets of 2.5.29.20, cRLNumber.
const CRL_NUMBER: &[u8] = &[0x55, 0x1D, 0x14];
/// Content octets of 2.5.29.27, deltaCRLIndicator.
const DELTA_CRL_INDICATOR: &[u8] = &[0x55, 0x1D, 0x1B];
/// Content octets of 2.5.29.28, issuingDistributionPoint.
const ISSUING_DISTRIBUTION_POINT: &[u8] = &[0x55, 0x1D, 0x1C];
/// Content octets of 2.5.29.35, authorityKeyIdentifier.
const AUTHORITY_KEY_IDENTIFIER: &[u8] = &[0x55, 0x1D, 0x23];

/// What the extensions of a list say. Others are not needed, and may not be critical.
#[derive(Default)]
pub(super) struct ListExtensions<'a> {
    pub(super) number: Option<&'a [u8]>,
    pub(super) authority_key: Option<&'a [u8]>,
    pub(super) issuing_distribution_point: Option<&'a [u8]>,
}

impl<'a> ListExtensions<'a> {
    /// Reads the content of the SEQUENCE of extensions.
    pub(super) fn read(content: &'a [u8]) -> Result<Self, CrlError> {
        let (mut found, mut seen, mut list) = (Self::default(), HashSet::new(), Reader::new(content));
        while !list.is_empty() {
            let extension = Extension::read(&mut list)?;
            if !seen.insert(extension.oid) {
                return Err(CrlError::DuplicateExtension(oid::dotted(extension.oid)));
            }
            match extension.oid {
                AUTHORITY_KEY_IDENTIFIER => found.authority_key = key_identifier(extension.value)?,
                DELTA_CRL_INDICATOR => return Err(CrlError::Delta),
                ISSUING_DISTRIBUTION_POINT => found.issuing_distribution_point = Some(extension.value),
                // RFC 5280 §5.2.3 wants it non-critical; OpenSSL refuses a critical one too.
                CRL_NUMBER if !extension.critical => found.number = Some(number(extension.value)?),
                _ if extension.critical => return Err(CrlError::UnknownCriticalExtension(oid::dotted(extension.oid))),
                _ => {}
            }
        }
        Ok(found)
    }
}

/// The key identifier alone: an issuer and serial number beside it say nothing that the signature does not say better.
fn key_identifier(value: &[u8]) -> Result<Option<&[u8]>, DerError> {
    let mut fields = Reader::new(der::single(value, tag::SEQUENCE)?.content);
    let key = fields.optional(tag::context_primitive(0))?;
    fields.optional(tag::context_constructed(1))?;
    fields.optional(tag::context_primitive(2))?;
    fields.finish()?;
    Ok(key.map(|key| key.content))
}

/// RFC 5280 §5.2.3: not negative, at most 20 octets.
fn number(value: &[u8]) -> Result<&[u8], DerError> {
    let content = der::single(value, tag::INTEGER)?.content;
    match content {
        [0x00..=0x7F, ..] if content.len() <= 20 => Ok(content),
        _ => Err(DerError::new("a cRLNumber that is negative or longer than 20 octets")),
    }
}
