//! The walk over a list's outer structure (RFC 5280 §5.1): which octets are which field.

use super::CrlError;
use crate::clock::UnixTime;
use crate::x509::asn1_time::rfc5280_time;
use crate::x509::der::{self, DerError, Reader, Tlv, tag};

/// The fields of a list as slices of its DER.
pub(super) struct Fields<'a> {
    pub(super) version_2: bool,
    /// The AlgorithmIdentifier, which stands twice and is the same.
    pub(super) algorithm: Tlv<'a>,
    pub(super) issuer: &'a [u8],
    pub(super) this_update: UnixTime,
    pub(super) next_update: UnixTime,
    /// The content of revokedCertificates, one entry after the other.
    pub(super) entries: &'a [u8],
    /// The content of the SEQUENCE of extensions.
    pub(super) extensions: &'a [u8],
    /// tbsCertList, the octets that are signed.
    pub(super) signed: &'a [u8],
    /// tbsCertList's content up to revokedCertificates, and after it.
    pub(super) around_entries: (&'a [u8], &'a [u8]),
    /// The BIT STRING of the signature.
    pub(super) signature: Tlv<'a>,
}

impl<'a> Fields<'a> {
    /// Walks `CertificateList`, the whole of the input.
    pub(super) fn read(der: &'a [u8]) -> Result<Self, CrlError> {
        let mut list = Reader::new(der::single(der, tag::SEQUENCE)?.content);
        let signed = list.expect(tag::SEQUENCE)?;
        let algorithm = list.expect(tag::SEQUENCE)?;
        let signature = list.expect(tag::BIT_STRING)?;
        list.finish()?;

        let mut tbs = Reader::new(signed.content);
        let version_2 = version_2(tbs.optional(tag::INTEGER)?)?;
        if tbs.expect(tag::SEQUENCE)?.der != algorithm.der {
            return Err(CrlError::SignatureAlgorithms);
        }
        let issuer = tbs.expect(tag::SEQUENCE)?.der;
        let this_update = rfc5280_time(tbs.any()?).ok_or(CrlError::Date("thisUpdate"))?;
        let next_update = match tbs.peek_tag() {
            Some(tag::UTC_TIME | tag::GENERALIZED_TIME) => rfc5280_time(tbs.any()?).ok_or(CrlError::Date("nextUpdate"))?,
            _ => return Err(CrlError::NoNextUpdate),
        };
        let before = signed.content.len() - tbs.remaining();
        let entries = tbs.optional(tag::SEQUENCE)?;
        let after = signed.content.len() - tbs.remaining();
        let extensions = tbs.optional(tag::context_constructed(0))?;
        tbs.finish()?;
        if extensions.is_some() && !version_2 {
            return Err(CrlError::Version1WithExtensions);
        }
        let part = |range: Option<&'a [u8]>| range.unwrap_or_default();
        Ok(Self {
            version_2,
            algorithm,
            issuer,
            this_update,
            next_update,
            entries: entries.map_or(&[], |entries| entries.content),
            extensions: extensions
                .map_or(Ok(&[][..]), |field| der::single(field.content, tag::SEQUENCE).map(|list| list.content))?,
            signed: signed.der,
            around_entries: (part(signed.content.get(..before)), part(signed.content.get(after..))),
            signature,
        })
    }
}

/// Absent means 1; what is written is 1, which means 2.
fn version_2(field: Option<Tlv<'_>>) -> Result<bool, CrlError> {
    match field.map(|field| field.content) {
        None => Ok(false),
        Some([1]) => Ok(true),
        Some(_) => Err(CrlError::Version),
    }
}

/// One extension of a list, of an entry, or of an OCSP answer.
pub(crate) struct Extension<'a> {
    pub(crate) oid: &'a [u8],
    pub(crate) critical: bool,
    pub(crate) value: &'a [u8],
}

impl<'a> Extension<'a> {
    pub(crate) fn read(reader: &mut Reader<'a>) -> Result<Self, DerError> {
        let mut extension = Reader::new(reader.expect(tag::SEQUENCE)?.content);
        let oid = extension.expect(tag::OID)?.content;
        crate::x509::oid::check(oid)?;
        let critical = match extension.optional(tag::BOOLEAN)? {
            None => false,
            Some(value) => truth(value.content)?,
        };
        let value = extension.expect(tag::OCTET_STRING)?.content;
        extension.finish()?;
        Ok(Self { oid, critical, value })
    }
}

/// A BOOLEAN whose default is FALSE: in DER it is absent, or TRUE (X.690 §11.1, §11.5).
pub(crate) fn truth(content: &[u8]) -> Result<bool, DerError> {
    if content == [0xFF] { Ok(true) } else { Err(DerError::new("a BOOLEAN that is not TRUE in one octet")) }
}
