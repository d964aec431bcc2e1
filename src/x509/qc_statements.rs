//! The qcStatements extension: what an issuer declares of a qualified certificate.
//!
//! Syntax: RFC 3739 §3.2.6. Statements: ETSI EN 319 412-5 §4 (compliance, type, retention, disclosure, legislation), EN 319 412-1
//! §5.1 (semantics of names), TS 119 495 §5.1 and annex A (PSD2). A statement that we know is read to its end or the whole
//! extension is an error; one that we do not know is kept by its identifier alone. Nothing here says whether a statement is
//! true: that follows from the issuer, which only a verified path shows.

mod psd2;

use super::der::{self, DerError, Reader, Tlv, tag};
use super::oid;

pub use psd2::{Psd2Role, Psd2Statement, RoleEntry};

/// Content octets of 1.3.6.1.5.5.7.1.3, qcStatements.
pub const QC_STATEMENTS: &[u8] = &[0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x03];

/// The largest extension that is read. Real ones are under 1 KiB.
const MOST_OCTETS: usize = 16 * 1024;
/// Statements in one extension. EN 319 412-5 has seven, and there are a few more.
const MOST_STATEMENTS: usize = 32;
/// Members of one list in a statement.
const MOST_MEMBERS: usize = 32;

/// 1.3.6.1.5.5.7.11.1 and .2: pkixQCSyntax-v1, pkixQCSyntax-v2.
const PKIX_SYNTAX_V1: &[u8] = &[0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x0B, 0x01];
const PKIX_SYNTAX_V2: &[u8] = &[0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x0B, 0x02];
/// 0.4.0.1862.1.1 and its neighbours.
const COMPLIANCE: &[u8] = &[0x04, 0x00, 0x8E, 0x46, 0x01, 0x01];
const RETENTION: &[u8] = &[0x04, 0x00, 0x8E, 0x46, 0x01, 0x03];
const SSCD: &[u8] = &[0x04, 0x00, 0x8E, 0x46, 0x01, 0x04];
const DISCLOSURE: &[u8] = &[0x04, 0x00, 0x8E, 0x46, 0x01, 0x05];
const TYPE: &[u8] = &[0x04, 0x00, 0x8E, 0x46, 0x01, 0x06];
const LEGISLATION: &[u8] = &[0x04, 0x00, 0x8E, 0x46, 0x01, 0x07];
/// 0.4.0.19495.2.
const PSD2: &[u8] = &[0x04, 0x00, 0x81, 0x98, 0x27, 0x02];
/// 0.4.0.194121.1: the arc of semantics identifiers.
const SEMANTICS: &[u8] = &[0x04, 0x00, 0x8B, 0xEC, 0x49, 0x01];

/// What a certificate declares. Absent statements are empty, `false` or `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QcStatements {
    /// QcCompliance: issued as an EU qualified certificate, or as one of `legislation`.
    pub compliance: bool,
    /// QcCClegislation: the countries by whose law it is qualified, as written; none means the EU.
    pub legislation: Vec<String>,
    /// QcRetentionPeriod, in years after the end of validity.
    pub retention_years: Option<u32>,
    /// QcPDS: disclosure statements.
    pub disclosures: Vec<Disclosure>,
    /// QcSSCD: the key is in a qualified device.
    pub sscd: bool,
    /// QcType: what the certificate is for.
    pub types: Vec<QcType>,
    /// What the subject's identifiers mean.
    pub semantics: Option<Semantics>,
    /// The PSD2 statement.
    pub psd2: Option<Psd2Statement>,
    /// The identifiers of all other statements, dotted.
    pub others: Vec<String>,
}

/// A place of a PKI disclosure statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disclosure {
    /// Its URL, as written.
    pub url: String,
    /// Its language, ISO 639-1.
    pub language: String,
}

/// What a qualified certificate is for (EN 319 412-5 §4.2.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QcType {
    /// Electronic seals.
    ESeal,
    /// Electronic signatures.
    ESign,
    /// Another identifier, dotted.
    Other(String),
    /// Website authentication.
    Web,
}

/// The rules by which a subject's identifiers are to be read (EN 319 412-1 §5.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Semantics {
    /// Of a legal person: organizationIdentifier.
    LegalPerson,
    /// Of a natural person: serialNumber.
    NaturalPerson,
    /// Another identifier, dotted; empty where the statement names registration authorities alone.
    Other(String),
}

impl QcType {
    fn from_oid(content: &[u8]) -> Self {
        match content.strip_prefix(TYPE) {
            Some([1]) => Self::ESign,
            Some([2]) => Self::ESeal,
            Some([3]) => Self::Web,
            _ => Self::Other(oid::dotted(content)),
        }
    }

    /// The word in variables: `esign`, `eseal`, `web`, or the dotted identifier.
    pub fn word(&self) -> &str {
        match self {
            Self::ESeal => "eseal",
            Self::ESign => "esign",
            Self::Other(dotted) => dotted,
            Self::Web => "web",
        }
    }
}

impl Semantics {
    fn from_oid(content: &[u8]) -> Self {
        match content.strip_prefix(SEMANTICS) {
            Some([1]) => Self::NaturalPerson,
            Some([2]) => Self::LegalPerson,
            _ => Self::Other(oid::dotted(content)),
        }
    }
}

impl QcStatements {
    /// Reads the extension's value, the whole of the input.
    ///
    /// # Errors
    /// Anything that is not the DER of a list of statements, a known statement with other content than its own, the same
    /// statement twice.
    pub fn parse(der: &[u8]) -> Result<Self, DerError> {
        if der.len() > MOST_OCTETS {
            return Err(DerError::new("more than 16 KiB of qcStatements"));
        }
        let mut list = Reader::new(der::single(der, tag::SEQUENCE)?.content);
        let (mut statements, mut seen) = (Self::default(), Vec::new());
        while !list.is_empty() {
            let mut statement = Reader::new(list.expect(tag::SEQUENCE)?.content);
            let id = identifier(&mut statement)?;
            let info = if statement.is_empty() { None } else { Some(statement.any()?) };
            statement.finish()?;
            if seen.contains(&id) {
                return Err(DerError::new("a statement that stands twice"));
            }
            if seen.len() == MOST_STATEMENTS {
                return Err(DerError::new("more than 32 statements"));
            }
            seen.push(id);
            statements.take(id, info)?;
        }
        Ok(statements)
    }

    fn take(&mut self, id: &[u8], info: Option<Tlv<'_>>) -> Result<(), DerError> {
        match id {
            COMPLIANCE => self.compliance = nothing_follows(info)?,
            SSCD => self.sscd = nothing_follows(info)?,
            RETENTION => self.retention_years = Some(years(info)?),
            DISCLOSURE => self.disclosures = members(info, |list| disclosure(list.expect(tag::SEQUENCE)?.content))?,
            TYPE => self.types = members(info, |list| identifier(list).map(QcType::from_oid))?,
            LEGISLATION => self.legislation = members(info, |list| country(list.expect(tag::PRINTABLE_STRING)?.content))?,
            PSD2 => self.psd2 = Some(Psd2Statement::read(info)?),
            PKIX_SYNTAX_V1 | PKIX_SYNTAX_V2 => self.semantics = semantics(info)?.or(self.semantics.take()),
            // Strictly this belongs into pkixQCSyntax-v2; issuers also write it as a statement of its own.
            _ if id.strip_prefix(SEMANTICS).is_some_and(|rest| matches!(rest, [1 | 2])) => {
                nothing_follows(info)?;
                self.semantics = Some(Semantics::from_oid(id));
            }
            _ => self.others.push(oid::dotted(id)),
        }
        Ok(())
    }
}

fn identifier<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], DerError> {
    let content = reader.expect(tag::OID)?.content;
    oid::check(content)?;
    Ok(content)
}

fn nothing_follows(info: Option<Tlv<'_>>) -> Result<bool, DerError> {
    if info.is_some() { Err(DerError::new("a statement that has no content, with some")) } else { Ok(true) }
}

fn content_of(info: Option<Tlv<'_>>, tag: u8) -> Result<&[u8], DerError> {
    match info {
        Some(info) if info.tag == tag => Ok(info.content),
        Some(_) => Err(DerError::new("a statement with content of another type than its own")),
        None => Err(DerError::new("a statement without its content")),
    }
}

/// A SEQUENCE OF with one member at least.
fn members<'a, T>(
    info: Option<Tlv<'a>>,
    mut read: impl FnMut(&mut Reader<'a>) -> Result<T, DerError>,
) -> Result<Vec<T>, DerError> {
    let mut list = Reader::new(content_of(info, tag::SEQUENCE)?);
    let mut members = Vec::new();
    while !list.is_empty() {
        if members.len() == MOST_MEMBERS {
            return Err(DerError::new("more than 32 members in a statement"));
        }
        members.push(read(&mut list)?);
    }
    if members.is_empty() { Err(DerError::new("an empty list in a statement")) } else { Ok(members) }
}

/// A small INTEGER that is not negative.
fn years(info: Option<Tlv<'_>>) -> Result<u32, DerError> {
    match content_of(info, tag::INTEGER)? {
        [small @ 0..=0x7F] => Ok(u32::from(*small)),
        [0, low @ 0x80..=0xFF] => Ok(u32::from(*low)),
        [high @ 1..=0x7F, low] => Ok(u32::from(*high) << 8 | u32::from(*low)),
        _ => Err(DerError::new("a retention period that is no small number")),
    }
}

fn disclosure(content: &[u8]) -> Result<Disclosure, DerError> {
    let mut location = Reader::new(content);
    let url = ascii(location.expect(tag::IA5_STRING)?.content)?;
    let language = ascii(location.expect(tag::PRINTABLE_STRING)?.content)?;
    location.finish()?;
    if language.len() != 2 {
        return Err(DerError::new("a language that has not two letters"));
    }
    Ok(Disclosure { url, language })
}

fn country(content: &[u8]) -> Result<String, DerError> {
    let text = ascii(content)?;
    if is_country(&text) { Ok(text) } else { Err(DerError::new("a country that has not two capital letters")) }
}

fn semantics(info: Option<Tlv<'_>>) -> Result<Option<Semantics>, DerError> {
    // The content may be left out as a whole (RFC 3739 §3.2.6.1).
    let Some(info) = info else { return Ok(None) };
    let mut fields = Reader::new(content_of(Some(info), tag::SEQUENCE)?);
    let meaning = if fields.peek_tag() == Some(tag::OID) { Some(Semantics::from_oid(identifier(&mut fields)?)) } else { None };
    let authorities = fields.optional(tag::SEQUENCE)?;
    fields.finish()?;
    match (meaning, authorities) {
        (None, None) => Err(DerError::new("semantics that say nothing")),
        (meaning, _) => Ok(Some(meaning.unwrap_or(Semantics::Other(String::new())))),
    }
}

fn ascii(content: &[u8]) -> Result<String, DerError> {
    match std::str::from_utf8(content) {
        Ok(text) if text.is_ascii() => Ok(text.to_owned()),
        _ => Err(DerError::new("a text of other characters than ASCII's")),
    }
}

/// Two capital letters (ISO 3166-1 alpha-2 in form, whether assigned or not).
pub(super) fn is_country(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

#[cfg(test)]
mod tests;
