//! Why an answer cannot be used.

use std::fmt;

use crate::x509::der::DerError;
use crate::x509::signature::SignatureError;

/// Why an answer cannot be used. `Display` gives words that follow "the answer" or the responder's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OcspError {
    /// The certificate asked about, or its issuer, cannot be read.
    Certificate,
    /// Several statuses for the certificate, and they are not the same.
    Contradiction,
    /// A field that is no time in the form of RFC 5280 §4.1.2.5.2.
    Date(&'static str),
    /// nextUpdate is before thisUpdate.
    Dates,
    /// A responder's certificate that may not sign for the issuer, and why.
    Delegate(&'static str),
    /// An extension that stands twice, dotted.
    DuplicateExtension(String),
    /// nextUpdate has passed, or the age that is allowed without it.
    Expired,
    /// internalError: the responder has trouble of its own.
    InternalError,
    /// malformedRequest: the responder did not understand.
    MalformedRequest,
    /// Nonce demanded, and none in the answer.
    NonceMissing,
    /// Not the nonce that was sent.
    NonceDifferent,
    /// Without a nextUpdate, and that is not allowed.
    NoNextUpdate,
    /// Not an OCSP response, or not in DER.
    NotDer(DerError),
    /// thisUpdate or producedAt is in the future.
    NotYetValid,
    /// About other certificates only.
    OtherCertificate,
    /// A response type other than id-pkix-ocsp-basic, dotted.
    ResponseType(String),
    /// A responseStatus that RFC 6960 §4.2.1 does not know.
    ResponseStatus(u8),
    /// OpenSSL refuses what our reader took.
    SecondReader,
    /// sigRequired: the responder wants signed requests.
    SigRequired,
    /// A signature algorithm that is weak, or not known to us: dotted.
    SignatureAlgorithm(String),
    /// The responder's key did not make the signature.
    SignatureWrong,
    /// tryLater: the responder is busy.
    TryLater,
    /// unauthorized: the responder does not answer for this issuer, or not for us.
    Unauthorized,
    /// A critical extension that we do not know, dotted.
    UnknownCriticalExtension(String),
    /// Neither the issuer nor a responder of the issuer whose certificate is in the answer.
    WrongSigner,
}

impl From<DerError> for OcspError {
    fn from(error: DerError) -> Self {
        Self::NotDer(error)
    }
}

impl From<SignatureError> for OcspError {
    fn from(error: SignatureError) -> Self {
        match error {
            SignatureError::Algorithm(oid) => Self::SignatureAlgorithm(oid),
            SignatureError::NotDer(error) => Self::NotDer(error),
            SignatureError::OpenSsl => Self::SecondReader,
        }
    }
}

impl fmt::Display for OcspError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Certificate => f.write_str("cannot be asked for: the certificate or its issuer cannot be read"),
            Self::Contradiction => f.write_str("states two different statuses for the certificate"),
            Self::Date(field) => write!(f, "has a {field} that is no time as RFC 6960 has it"),
            Self::Dates => f.write_str("has a nextUpdate before its thisUpdate"),
            Self::Delegate(why) => write!(f, "is signed with a responder's certificate that {why}"),
            Self::DuplicateExtension(oid) => write!(f, "has extension {oid} twice"),
            Self::Expired => f.write_str("is too old: its nextUpdate, or the age allowed without one, has passed"),
            Self::InternalError => f.write_str("is internalError: the responder has trouble of its own"),
            Self::MalformedRequest => f.write_str("is malformedRequest: the responder did not understand the request"),
            Self::NonceMissing => f.write_str("has no nonce, and one is required"),
            Self::NonceDifferent => f.write_str("has another nonce than the one that was sent"),
            Self::NoNextUpdate => f.write_str("has no nextUpdate, so it would never become old"),
            Self::NotDer(error) => write!(f, "is not an OCSP response (not strict DER: {error})"),
            Self::NotYetValid => f.write_str("is from the future: compare the clocks"),
            Self::OtherCertificate => f.write_str("is not about the certificate that was asked about"),
            Self::ResponseType(oid) => write!(f, "is of type {oid}; only id-pkix-ocsp-basic is known"),
            Self::ResponseStatus(status) => write!(f, "has responseStatus {status}, which RFC 6960 does not know"),
            Self::SecondReader => f.write_str("is not accepted by OpenSSL"),
            Self::SigRequired => f.write_str("is sigRequired: the responder wants signed requests, which are not supported"),
            Self::SignatureAlgorithm(oid) => write!(f, "has signature algorithm {oid}, which is weak or not known"),
            Self::SignatureWrong => f.write_str("has a signature that the responder's key did not make"),
            Self::TryLater => f.write_str("is tryLater: the responder is busy"),
            Self::Unauthorized => f.write_str("is unauthorized: the responder does not answer for this issuer"),
            Self::UnknownCriticalExtension(oid) => write!(f, "has a critical extension {oid} that is not known"),
            Self::WrongSigner => {
                f.write_str("is signed by neither the issuer nor a responder of the issuer whose certificate is in the answer")
            }
        }
    }
}

impl std::error::Error for OcspError {}
