//! Which certificates a list speaks for: issuingDistributionPoint in the list (RFC 5280 §5.2.5) against
//! cRLDistributionPoints in the certificate (§4.2.1.13), as §6.3.3 (b) has it.

use openssl::x509::{X509Name, X509Ref};

use super::CrlError;
use super::fields::truth;
use crate::x509::der::{self, DerError, Reader, Tlv, encode, tag};
use crate::x509::lint;
use crate::x509::tbs;

/// Content octets of 2.5.29.31, cRLDistributionPoints.
const CRL_DISTRIBUTION_POINTS: &[u8] = &[0x55, 0x1D, 0x1F];
/// The tag of a directoryName among GeneralNames.
const DIRECTORY_NAME: u8 = tag::context_constructed(4);

/// Revocation reasons, a bit for each (ReasonFlags, RFC 5280 §4.2.1.13).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Reasons(u16);

impl Reasons {
    /// Every bit that is defined: 1 to 8.
    pub(crate) const ALL: Self = Self(0x7F80);
    pub(crate) const NONE: Self = Self(0);

    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn read(content: &[u8]) -> Result<Self, DerError> {
        match *content {
            [0..=7, first] => Ok(Self(u16::from(first) << 8 & Self::ALL.0)),
            [0..=7, first, second] => Ok(Self(u16::from_be_bytes([first, second]) & Self::ALL.0)),
            _ => Err(DerError::new("revocation reasons that are no bits of RFC 5280")),
        }
    }
}

/// A list's issuing distribution point. Everything is in scope without one.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Scope {
    only: Option<Only>,
    /// GeneralNames, each as its DER. Empty without a distributionPoint.
    names: Vec<Box<[u8]>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Only {
    Cas,
    Users,
}

impl Scope {
    /// Reads the extension's value, if there is one. `issuer` is the list's.
    pub(super) fn read(extension: Option<&[u8]>, issuer: &[u8]) -> Result<Self, CrlError> {
        let Some(value) = extension else { return Ok(Self::default()) };
        let mut fields = Reader::new(der::single(value, tag::SEQUENCE)?.content);
        let names = match fields.optional(tag::context_constructed(0))? {
            Some(point) => names_of(point.content, issuer)?,
            None => Vec::new(),
        };
        let mut flag = |number| match fields.optional(tag::context_primitive(number))? {
            Some(_) if number == ONLY_SOME_REASONS => Ok(true),
            Some(field) => truth(field.content),
            None => Ok(false),
        };
        let (users, cas, some_reasons) = (flag(1)?, flag(2)?, flag(ONLY_SOME_REASONS)?);
        let (indirect, attributes) = (flag(4)?, flag(5)?);
        fields.finish()?;
        match (users, cas) {
            _ if indirect => Err(CrlError::Indirect),
            _ if some_reasons => Err(CrlError::OnlySomeReasons),
            _ if attributes => Err(CrlError::AttributeCertificates),
            (true, true) => Err(CrlError::ContradictoryScope),
            (true, false) => Ok(Self { only: Some(Only::Users), names }),
            (false, true) => Ok(Self { only: Some(Only::Cas), names }),
            (false, false) => Ok(Self { only: None, names }),
        }
    }

    /// The reasons for which the list, issued by the certificate's issuer, speaks for the certificate. `subject` is asked only
    /// when it matters; none when the certificate cannot be read.
    pub(crate) fn covers<'s>(&self, subject: impl FnOnce() -> Option<&'s Subject>) -> Reasons {
        if *self == Self::default() {
            return Reasons::ALL;
        }
        let Some(subject) = subject() else { return Reasons::NONE };
        match (self.only, subject.is_ca) {
            (Some(Only::Users), true) | (Some(Only::Cas), false) => Reasons::NONE,
            _ if self.names.is_empty() => Reasons::ALL,
            _ => self.named_by(subject),
        }
    }

    /// The reasons of every distribution point that has a name in common with the list.
    fn named_by(&self, subject: &Subject) -> Reasons {
        let named = subject.points.iter().filter(|point| point.names.iter().any(|name| self.has(name)));
        named.fold(Reasons::NONE, |reasons, point| reasons.and(point.reasons))
    }

    fn has(&self, name: &[u8]) -> bool {
        self.names.iter().any(|own| same_general_name(own, name))
    }
}

/// What a certificate says about the lists that speak for it.
pub(crate) struct Subject {
    is_ca: bool,
    points: Vec<DistributionPoint>,
}

/// A distribution point of lists that the certificate's issuer issues itself.
struct DistributionPoint {
    names: Vec<Box<[u8]>>,
    reasons: Reasons,
}

impl Subject {
    /// Reads a certificate; nothing when it cannot be read, or has the extension twice.
    pub(crate) fn read(certificate: &X509Ref) -> Option<Self> {
        let der = certificate.to_der().ok()?;
        let fields = tbs::Fields::read(&der).ok()?;
        let mut points = fields.extensions.iter().filter(|extension| extension.oid == CRL_DISTRIBUTION_POINTS);
        let points = match (points.next(), points.next()) {
            // RFC 5280 §6.3.3, at its end: then the distribution point is the issuer's name.
            (None, _) => {
                let issuer = encode(DIRECTORY_NAME, fields.issuer).into();
                vec![DistributionPoint { names: vec![issuer], reasons: Reasons::ALL }]
            }
            (Some(points), None) => read_points(points.value, fields.issuer).ok()?,
            (Some(_), Some(_)) => return None,
        };
        Some(Self { is_ca: lint::has_ca_flag(&der)?, points })
    }
}

fn read_points(value: &[u8], issuer: &[u8]) -> Result<Vec<DistributionPoint>, DerError> {
    let (mut found, mut points) = (Vec::new(), Reader::new(der::single(value, tag::SEQUENCE)?.content));
    while !points.is_empty() {
        let mut point = Reader::new(points.expect(tag::SEQUENCE)?.content);
        let names = match point.optional(tag::context_constructed(0))? {
            Some(name) => names_of(name.content, issuer)?,
            None => Vec::new(),
        };
        let only = point.optional(tag::context_primitive(1))?;
        let reasons = only.map_or(Ok(Reasons::ALL), |only| Reasons::read(only.content))?;
        // A cRLIssuer means an indirect list, which is not ours (§6.3.3 b 1).
        let indirect = point.optional(tag::context_constructed(2))?.is_some();
        point.finish()?;
        if !indirect {
            found.push(DistributionPoint { names, reasons });
        }
    }
    Ok(found)
}

/// The number of onlySomeReasons in IssuingDistributionPoint.
const ONLY_SOME_REASONS: u8 = 3;

/// The GeneralNames of a DistributionPointName. A name relative to the issuer becomes a directoryName.
fn names_of(content: &[u8], issuer: &[u8]) -> Result<Vec<Box<[u8]>>, DerError> {
    let mut point = Reader::new(content);
    let name = point.any()?;
    point.finish()?;
    match name.tag {
        FULL_NAME => {
            let (mut names, mut list) = (Vec::new(), Reader::new(name.content));
            while !list.is_empty() {
                names.push(list.any()?.der.into());
            }
            if names.is_empty() { Err(DerError::new("a distribution point without a name")) } else { Ok(names) }
        }
        RELATIVE_NAME => {
            let rdns = [der::single(issuer, tag::SEQUENCE)?.content, &encode(tag::SET, name.content)].concat();
            Ok(vec![encode(DIRECTORY_NAME, &encode(tag::SEQUENCE, &rdns)).into()])
        }
        _ => Err(DerError::new("a distribution point of an unknown kind")),
    }
}

const FULL_NAME: u8 = tag::context_constructed(0);
const RELATIVE_NAME: u8 = tag::context_constructed(1);

/// Directory names as RFC 5280 §7.1 compares them, all else by its octets.
fn same_general_name(one: &[u8], other: &[u8]) -> bool {
    if one == other {
        return true;
    }
    let directory =
        |der| der::single(der, DIRECTORY_NAME).ok().and_then(|Tlv { content, .. }| X509Name::from_der(content).ok());
    match (directory(one), directory(other)) {
        (Some(one), Some(other)) => matches!(one.try_cmp(&other), Ok(std::cmp::Ordering::Equal)),
        _ => false,
    }
}
