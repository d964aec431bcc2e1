//! Why a list is refused, each cause with its name and what to do about it.

use std::fmt;

use crate::x509::der::DerError;
use crate::x509::signature::SignatureError;

/// Why bytes are no CRL that can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CrlError {
    /// onlyContainsAttributeCerts (RFC 5280 §5.2.5).
    AttributeCertificates,
    /// The issuing distribution point excludes every certificate: for users only and for CAs only at once.
    ContradictoryScope,
    /// A field that is no time in the form of RFC 5280 §5.1.2.4.
    Date(&'static str),
    /// deltaCRLIndicator (RFC 5280 §5.2.4).
    Delta,
    /// An extension that stands twice, dotted.
    DuplicateExtension(String),
    /// indirectCRL, or an entry with a certificateIssuer (RFC 5280 §5.2.5, §5.3.3).
    Indirect,
    /// Without a nextUpdate (RFC 5280 §5.1.2.5).
    NoNextUpdate,
    /// Not a CRL, or not in DER.
    NotDer(DerError),
    /// onlySomeReasons (RFC 5280 §5.2.5).
    OnlySomeReasons,
    /// OpenSSL refuses what our reader took.
    SecondReader,
    /// A signature algorithm that is weak, or not known to us: dotted.
    SignatureAlgorithm(String),
    /// The algorithm that was signed is not the algorithm that is stated (RFC 5280 §5.1.1.2).
    SignatureAlgorithms,
    /// An entry has a critical extension that we do not know, dotted.
    UnknownCriticalEntryExtension(String),
    /// A critical extension that we do not know, dotted.
    UnknownCriticalExtension(String),
    /// A version other than 2, the only one that can be written.
    Version,
    /// Extensions, but version 1.
    Version1WithExtensions,
}

impl From<SignatureError> for CrlError {
    fn from(error: SignatureError) -> Self {
        match error {
            SignatureError::Algorithm(oid) => Self::SignatureAlgorithm(oid),
            SignatureError::NotDer(error) => Self::NotDer(error),
            SignatureError::OpenSsl => Self::SecondReader,
        }
    }
}

impl From<DerError> for CrlError {
    fn from(error: DerError) -> Self {
        Self::NotDer(error)
    }
}

impl fmt::Display for CrlError {
    /// Words that follow the list's origin.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AttributeCertificates => f.write_str("is a CRL of attribute certificates; give the one for public keys"),
            Self::ContradictoryScope => {
                f.write_str("is a CRL for users alone and for CAs alone at once; ask the CA for another one")
            }
            Self::Date(field) => write!(f, "is a CRL whose {field} is no time as RFC 5280 has it; ask the CA for another one"),
            Self::Delta => {
                f.write_str("is a delta CRL, which only tells changes (RFC 5280 §5.2.4) and is not supported; give the complete CRL")
            }
            Self::DuplicateExtension(oid) => {
                write!(f, "is a CRL with extension {oid} twice; ask the CA for another one")
            }
            Self::Indirect => f.write_str(
                "is an indirect CRL, which speaks for other issuers (RFC 5280 §5.2.5) and is not supported; give the issuer's own CRL",
            ),
            Self::NoNextUpdate => {
                f.write_str("is a CRL without nextUpdate, which would never become stale; ask the CA for one with it")
            }
            Self::NotDer(error) => write!(f, "is not a CRL (not strict DER: {error}); give a DER or PEM CRL"),
            Self::OnlySomeReasons => f.write_str(
                "is a CRL for some revocation reasons alone (RFC 5280 §5.2.5), which is not supported; give one for all reasons",
            ),
            Self::SecondReader => f.write_str("is not a CRL (OpenSSL cannot read it); ask the CA for another one"),
            Self::SignatureAlgorithm(oid) => write!(
                f,
                "is a CRL with signature algorithm {oid}, which is weak or not known; ask the CA for one signed with SHA-256 or better"
            ),
            Self::SignatureAlgorithms => {
                f.write_str("is a CRL that states two signature algorithms; ask the CA for another one")
            }
            Self::UnknownCriticalEntryExtension(oid) => {
                write!(f, "is a CRL with an entry whose critical extension {oid} is not known, so it cannot be used")
            }
            Self::UnknownCriticalExtension(oid) => {
                write!(f, "is a CRL whose critical extension {oid} is not known, so it cannot be used")
            }
            Self::Version => f.write_str("is a CRL of a version that does not exist"),
            Self::Version1WithExtensions => {
                f.write_str("is a CRL of version 1 with extensions, which only version 2 has; ask the CA for another one")
            }
        }
    }
}

impl std::error::Error for CrlError {}
