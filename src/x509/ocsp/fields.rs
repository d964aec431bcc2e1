//! The walk over a response's structure (RFC 6960 §4.2.1): which octets are which field.

use std::collections::HashSet;

use super::cert_id::Subject;
use super::nonce::NONCE;
use super::{OcspError, OcspStatus};
use crate::clock::UnixTime;
use crate::x509::asn1_time::rfc5280_time;
use crate::x509::crl::ReasonCode;
use crate::x509::crl::fields::Extension;
use crate::x509::der::{self, DerError, Reader, Tlv, tag};
use crate::x509::oid;

/// ENUMERATED.
const ENUMERATED: u8 = 0x0A;
/// Content octets of 1.3.6.1.5.5.7.48.1.1, id-pkix-ocsp-basic.
const BASIC: &[u8] = &[0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01];

/// BasicOCSPResponse as slices of its DER.
pub(super) struct Basic<'a> {
    /// tbsResponseData, the octets that are signed.
    pub(super) signed: Tlv<'a>,
    pub(super) algorithm: Tlv<'a>,
    pub(super) signature: Tlv<'a>,
    /// The DER of each certificate.
    pub(super) certificates: Vec<&'a [u8]>,
}

/// ResponderID.
pub(super) enum ResponderId<'a> {
    /// The DER of a Name.
    Name(&'a [u8]),
    /// SHA-1 of the key's octets.
    KeyHash(&'a [u8]),
}

/// ResponseData.
pub(super) struct Data<'a> {
    pub(super) responder: ResponderId<'a>,
    pub(super) produced_at: UnixTime,
    /// The content octets of the nonce extension's value, which is an OCTET STRING by itself (RFC 9654 §2.1).
    pub(super) nonce: Option<&'a [u8]>,
    /// What is said of the certificate asked about, once.
    pub(super) single: Single,
}

/// SingleResponse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Single {
    pub(super) status: OcspStatus,
    pub(super) this_update: UnixTime,
    pub(super) next_update: Option<UnixTime>,
}

impl<'a> Basic<'a> {
    /// Walks OCSPResponse, the whole of the input.
    pub(super) fn read(der: &'a [u8]) -> Result<Self, OcspError> {
        let mut response = Reader::new(der::single(der, tag::SEQUENCE)?.content);
        let status = response.expect(ENUMERATED)?.content;
        let bytes = response.optional(tag::context_constructed(0))?;
        response.finish()?;
        successful(status)?;
        let Some(bytes) = bytes else { return Err(DerError::new("successful, but without a response").into()) };
        let mut bytes = Reader::new(der::single(bytes.content, tag::SEQUENCE)?.content);
        let kind = bytes.expect(tag::OID)?.content;
        let response = bytes.expect(tag::OCTET_STRING)?.content;
        bytes.finish()?;
        if kind != BASIC {
            return Err(OcspError::ResponseType(oid::dotted(kind)));
        }
        Self::read_basic(response)
    }

    fn read_basic(der: &'a [u8]) -> Result<Self, OcspError> {
        let mut basic = Reader::new(der::single(der, tag::SEQUENCE)?.content);
        let signed = basic.expect(tag::SEQUENCE)?;
        let algorithm = basic.expect(tag::SEQUENCE)?;
        let signature = basic.expect(tag::BIT_STRING)?;
        let mut certificates = Vec::new();
        if let Some(field) = basic.optional(tag::context_constructed(0))? {
            let mut list = Reader::new(der::single(field.content, tag::SEQUENCE)?.content);
            while !list.is_empty() {
                certificates.push(list.expect(tag::SEQUENCE)?.der);
            }
        }
        basic.finish()?;
        Ok(Self { signed, algorithm, signature, certificates })
    }
}

fn successful(status: &[u8]) -> Result<(), OcspError> {
    match *status {
        [0] => Ok(()),
        [1] => Err(OcspError::MalformedRequest),
        [2] => Err(OcspError::InternalError),
        [3] => Err(OcspError::TryLater),
        [5] => Err(OcspError::SigRequired),
        [6] => Err(OcspError::Unauthorized),
        [other] => Err(OcspError::ResponseStatus(other)),
        _ => Err(DerError::new("a responseStatus of more than one octet").into()),
    }
}

impl<'a> Data<'a> {
    /// Walks tbsResponseData and looks for the certificate. Every other status is walked too, and forgotten.
    pub(super) fn read(signed: Tlv<'a>, subject: &Subject) -> Result<Self, OcspError> {
        let mut data = Reader::new(signed.content);
        if let Some(version) = data.optional(tag::context_constructed(0))?
            && der::single(version.content, tag::INTEGER)?.content != [0]
        {
            return Err(DerError::new("a version other than 1").into());
        }
        let responder = responder(data.any()?)?;
        let produced_at = time(data.any()?, "producedAt")?;
        let mut list = Reader::new(data.expect(tag::SEQUENCE)?.content);
        let mut single: Option<Single> = None;
        while !list.is_empty() {
            let (meant, found) = read_single(list.expect(tag::SEQUENCE)?, subject)?;
            match single {
                _ if !meant => {}
                None => single = Some(found),
                Some(first) if first == found => {}
                Some(_) => return Err(OcspError::Contradiction),
            }
        }
        let nonce = extensions(data.optional(tag::context_constructed(1))?)?;
        data.finish()?;
        Ok(Self { responder, produced_at, nonce, single: single.ok_or(OcspError::OtherCertificate)? })
    }
}

fn responder(field: Tlv<'_>) -> Result<ResponderId<'_>, OcspError> {
    const BY_NAME: u8 = tag::context_constructed(1);
    const BY_KEY: u8 = tag::context_constructed(2);
    match field.tag {
        BY_NAME => Ok(ResponderId::Name(der::single(field.content, tag::SEQUENCE)?.der)),
        BY_KEY => Ok(ResponderId::KeyHash(der::single(field.content, tag::OCTET_STRING)?.content)),
        _ => Err(DerError::new("a responder of an unknown kind").into()),
    }
}

/// Whether it is about the subject, and what it says.
fn read_single(response: Tlv<'_>, subject: &Subject) -> Result<(bool, Single), OcspError> {
    let mut fields = Reader::new(response.content);
    let meant = subject.is_meant_by(fields.expect(tag::SEQUENCE)?)?;
    let status = status(fields.any()?)?;
    let this_update = time(fields.any()?, "thisUpdate")?;
    let next_update = match fields.optional(tag::context_constructed(0))? {
        Some(field) => {
            let mut field = Reader::new(field.content);
            let next_update = time(field.any()?, "nextUpdate")?;
            field.finish()?;
            Some(next_update)
        }
        None => None,
    };
    extensions(fields.optional(tag::context_constructed(1))?)?;
    fields.finish()?;
    Ok((meant, Single { status, this_update, next_update }))
}

fn status(field: Tlv<'_>) -> Result<OcspStatus, OcspError> {
    const GOOD: u8 = tag::context_primitive(0);
    const REVOKED: u8 = tag::context_constructed(1);
    const UNKNOWN: u8 = tag::context_primitive(2);
    match (field.tag, field.content) {
        (GOOD, []) => Ok(OcspStatus::Good),
        (UNKNOWN, []) => Ok(OcspStatus::Unknown),
        (REVOKED, content) => {
            let mut info = Reader::new(content);
            let time = time(info.any()?, "revocationTime")?;
            let reason = match info.optional(tag::context_constructed(0))? {
                Some(field) => reason(der::single(field.content, ENUMERATED)?.content)?,
                None => ReasonCode::Unspecified,
            };
            info.finish()?;
            Ok(OcspStatus::Revoked { time, reason })
        }
        _ => Err(DerError::new("a certStatus of an unknown kind").into()),
    }
}

fn reason(content: &[u8]) -> Result<ReasonCode, OcspError> {
    let known = match *content {
        [number] => ReasonCode::from_number(number),
        _ => None,
    };
    known.ok_or_else(|| DerError::new("a revocationReason that RFC 5280 does not know").into())
}

fn time(field: Tlv<'_>, name: &'static str) -> Result<UnixTime, OcspError> {
    if field.tag != tag::GENERALIZED_TIME {
        return Err(OcspError::Date(name));
    }
    rfc5280_time(field).ok_or(OcspError::Date(name))
}

/// The nonce, if it is among them. No other extension changes what an answer means, so no other one may be critical.
fn extensions(field: Option<Tlv<'_>>) -> Result<Option<&[u8]>, OcspError> {
    let Some(field) = field else { return Ok(None) };
    let mut list = Reader::new(der::single(field.content, tag::SEQUENCE)?.content);
    let (mut nonce, mut seen) = (None, HashSet::new());
    while !list.is_empty() {
        let extension = Extension::read(&mut list)?;
        if !seen.insert(extension.oid) {
            return Err(OcspError::DuplicateExtension(oid::dotted(extension.oid)));
        }
        match extension.oid {
            NONCE => nonce = Some(extension.value),
            _ if extension.critical => return Err(OcspError::UnknownCriticalExtension(oid::dotted(extension.oid))),
            _ => {}
        }
    }
    Ok(nonce)
}
