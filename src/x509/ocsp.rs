//! Certificate status by OCSP (RFC 6960, RFC 9654): the request, and the answer as far as it can be believed.
//!
//! Enters: the octets of a response, the certificate and its issuer, an instant. Leaves: an [`OcspAnswer`], which only
//! [`OcspAnswer::read`] makes, or why not. An answer is believed when
//!
//! 1. it is strict DER, nothing critical in it is unknown, and OpenSSL takes the same octets (`second_reader`);
//! 2. it is signed by the issuer itself, or by a responder whose certificate the issuer's key signed for that purpose
//!    (`responder`); with SHA-256 or better, as certificates and lists must be. SHA-1 only ever names a certificate;
//! 3. it speaks of this certificate (CertID with SHA-1 or SHA-256), and with one voice;
//! 4. the nonce is as it must be (RFC 9654);
//! 5. it is from now, by the clock that the caller reads.

mod cert_id;
mod error;
mod fields;
mod freshness;
mod nonce;
mod request;
mod responder;
mod second_reader;

use openssl::x509::X509Ref;

pub use self::cert_id::CertId;
pub use self::error::OcspError;
pub use self::freshness::OcspLimits;
pub use self::nonce::{NonceCheck, NonceMode};
pub use self::request::request;

use self::cert_id::Subject;
use self::fields::{Basic, Data};
use self::freshness::Dates;
use super::crl::ReasonCode;
use crate::clock::UnixTime;

/// CertStatus (RFC 6960 §4.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OcspStatus {
    /// Not revoked, as far as the responder knows.
    Good,
    /// Revoked, for good or on hold.
    Revoked {
        /// revocationTime.
        time: UnixTime,
        /// revocationReason; unspecified when it is not stated.
        reason: ReasonCode,
    },
    /// The responder does not know the certificate.
    Unknown,
}

/// What an issuer says of one certificate: signed, about this one, and of its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OcspAnswer {
    id: CertId,
    status: OcspStatus,
    this_update: UnixTime,
    next_update: Option<UnixTime>,
    produced_at: UnixTime,
    dates: Dates,
    has_nonce: bool,
    remark: Option<&'static str>,
}

/// Where an answer comes from.
enum Kind<'a> {
    /// From a responder, just now.
    New(NonceCheck<'a>),
    /// From our own disk.
    Kept,
}

impl OcspAnswer {
    /// Reads and checks the DER of an OCSPResponse about `cert`, which `issuer` issued. `issuer` must be the next certificate
    /// on a validated path.
    ///
    /// # Errors
    /// Why the answer is not believed.
    pub fn read(
        der: &[u8],
        cert: &X509Ref,
        issuer: &X509Ref,
        nonce: NonceCheck<'_>,
        limits: OcspLimits,
        now: UnixTime,
    ) -> Result<Self, OcspError> {
        Self::read_as(Kind::New(nonce), der, cert, issuer, limits, now)
    }

    /// [`OcspAnswer::read`] for an answer that was believed before and kept on disk. One that is past its end is still taken
    /// if it says that the certificate was revoked: that does not become untrue with time. It is not fresh then.
    ///
    /// # Errors
    /// Why the answer is not believed.
    pub fn read_kept(
        der: &[u8],
        cert: &X509Ref,
        issuer: &X509Ref,
        limits: OcspLimits,
        now: UnixTime,
    ) -> Result<Self, OcspError> {
        Self::read_as(Kind::Kept, der, cert, issuer, limits, now)
    }

    fn read_as(
        kind: Kind<'_>,
        der: &[u8],
        cert: &X509Ref,
        issuer: &X509Ref,
        limits: OcspLimits,
        now: UnixTime,
    ) -> Result<Self, OcspError> {
        let subject = Subject::read(cert, issuer)?;
        let basic = Basic::read(der)?;
        let data = Data::read(basic.signed, &subject)?;
        let dates = Dates::of(&data, limits)?;
        // What was signed for good holds although the responder's certificate has ended since.
        let lasts = matches!((&kind, data.single.status), (Kind::Kept, OcspStatus::Revoked { .. }));
        let at = if lasts { now.min(dates.fresh_until) } else { now };
        if at < dates.fresh_from {
            return Err(OcspError::NotYetValid);
        }
        if at > dates.fresh_until {
            return Err(OcspError::Expired);
        }
        let remark = responder::authorize(&basic, &data.responder, cert, issuer, at)?;
        second_reader::accepts(der, issuer, at)?;
        let has_nonce = match kind {
            Kind::New(nonce) => nonce.check(data.nonce)?,
            Kind::Kept => false,
        };
        Ok(Self {
            id: subject.id(),
            status: data.single.status,
            this_update: data.single.this_update,
            next_update: data.single.next_update,
            produced_at: data.produced_at,
            dates,
            has_nonce,
            remark,
        })
    }

    /// The certificate it is about.
    pub fn id(&self) -> CertId {
        self.id
    }

    /// What it says.
    pub fn status(&self) -> OcspStatus {
        self.status
    }

    /// When this was known to be so.
    pub fn this_update(&self) -> UnixTime {
        self.this_update
    }

    /// When there will be news at the latest, if that is stated.
    pub fn next_update(&self) -> Option<UnixTime> {
        self.next_update
    }

    /// When the answer was signed.
    pub fn produced_at(&self) -> UnixTime {
        self.produced_at
    }

    /// The last second at which the answer counts: nextUpdate and the skew, or thisUpdate and the age that is allowed.
    pub fn fresh_until(&self) -> UnixTime {
        self.dates.fresh_until
    }

    /// When it is time to ask again: at four fifths of the way from thisUpdate to nextUpdate.
    pub fn refresh_at(&self) -> UnixTime {
        self.dates.refresh_at
    }

    /// Whether the answer counts at this second.
    pub fn is_fresh(&self, now: UnixTime) -> bool {
        self.dates.fresh_from <= now && now <= self.dates.fresh_until
    }

    /// The seconds at which a verdict that used this answer can change.
    pub(crate) fn boundaries(&self) -> [i64; 3] {
        [self.dates.fresh_from.0, self.dates.refresh_at.0, self.dates.fresh_until.0.saturating_add(1)]
    }

    /// Whether it came back with the nonce that was sent for it: it was made for us, then.
    pub fn has_nonce(&self) -> bool {
        self.has_nonce
    }

    /// What is worth a line in the log though the answer is believed.
    pub fn remark(&self) -> Option<&'static str> {
        self.remark
    }
}
