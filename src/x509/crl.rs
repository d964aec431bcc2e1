//! Certificate revocation lists (RFC 5280 §5) as an index of our own.
//!
//! OpenSSL's object for a list of 500,000 entries takes seven times the file, and its first lookup sorts them under a lock.
//! Here the list is walked once, off the request path, and only this stays: issuer, dates, scope, what is needed to check
//! the signature later, and the entries as sorted rows of about 22 octets ([`entries`]).
//!
//! A list is taken whole or refused by name ([`CrlError`]); never half-read:
//!
//! 1. Strict DER, and OpenSSL accepts the same octets (`second_reader`).
//! 2. Complete and direct: no delta (§5.2.4), no indirect (§5.2.5, §5.3.3), no subset of reasons, no attribute certificates.
//! 3. Nothing critical that is not understood, in the list or in an entry; no extension twice.
//! 4. Dates as §5.1.2.4 to §5.1.2.6 have them; a nextUpdate, without which a list would never become stale.
//! 5. A signature algorithm that is worth checking ([`crate::x509`]'s `signature`).
//!
//! What a list means for a certificate is said in [`crate::x509::revocation`].

pub mod entries;
mod error;
mod extensions;
pub(crate) mod fields;
pub(crate) mod scope;
mod second_reader;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use openssl::x509::{X509Name, X509NameRef, X509Ref};
use sha2::{Digest, Sha256};

pub use self::entries::{Entry, ReasonCode};
pub use self::error::CrlError;

use self::entries::Entries;
use self::extensions::ListExtensions;
use self::fields::Fields;
use self::scope::Scope;
use super::name::Name;
use super::signature::SignatureCheck;
pub(crate) use super::signature::SignerCheck;
use crate::clock::UnixTime;

/// One complete certificate revocation list, immutable; shared by `Arc`.
pub struct CrlIndex {
    issuer: Name,
    openssl_issuer: X509Name,
    this_update: UnixTime,
    next_update: UnixTime,
    number: Option<Box<[u8]>>,
    authority_key: Option<Box<[u8]>>,
    scope: Scope,
    entries: Entries,
    signature: SignatureCheck,
    sha256: [u8; 32],
    /// Somebody looked something up since the last time that this was asked.
    used: AtomicBool,
}

impl CrlIndex {
    /// Reads one DER list, the whole of the input. Takes tenths of a second for a list of ten megabytes: not on a thread that
    /// serves.
    ///
    /// # Errors
    /// Why the list cannot be used.
    pub fn from_der(der: &[u8]) -> Result<Self, CrlError> {
        let fields = Fields::read(der)?;
        let extensions = ListExtensions::read(fields.extensions)?;
        let entries = Entries::read(fields.entries, fields.version_2)?;
        second_reader::accepts(&fields)?;
        let issuer = Name::from_der(fields.issuer)?;
        let openssl_issuer = X509Name::from_der(fields.issuer).map_err(|_| CrlError::SecondReader)?;
        Ok(Self {
            openssl_issuer,
            this_update: fields.this_update,
            next_update: fields.next_update,
            number: extensions.number.map(Into::into),
            authority_key: extensions.authority_key.map(Into::into),
            scope: Scope::read(extensions.issuing_distribution_point, fields.issuer)?,
            entries,
            signature: SignatureCheck::read(fields.algorithm, fields.signed, fields.signature)?,
            sha256: Sha256::digest(der).into(),
            used: AtomicBool::new(false),
            issuer,
        })
    }

    /// Who issued the list.
    pub fn issuer(&self) -> &Name {
        &self.issuer
    }

    /// When the list was issued.
    pub fn this_update(&self) -> UnixTime {
        self.this_update
    }

    /// When the next one is due. At this second the list is still good, after it no longer (RFC 5280 §6.3.3 a).
    pub fn next_update(&self) -> UnixTime {
        self.next_update
    }

    /// cRLNumber (RFC 5280 §5.2.3), the content octets of its INTEGER.
    pub fn number(&self) -> Option<&[u8]> {
        self.number.as_deref()
    }

    /// The key identifier in authorityKeyIdentifier (RFC 5280 §5.2.1).
    pub fn authority_key(&self) -> Option<&[u8]> {
        self.authority_key.as_deref()
    }

    /// The name of the signature algorithm.
    pub fn signature_algorithm(&self) -> &'static str {
        self.signature.algorithm()
    }

    /// SHA-256 of the DER.
    pub fn sha256(&self) -> &[u8; 32] {
        &self.sha256
    }

    /// The entry of a serial number, given as the content octets of its INTEGER. A binary search.
    pub fn entry(&self, serial: &[u8]) -> Option<Entry> {
        if !self.used.load(Ordering::Relaxed) {
            self.used.store(true, Ordering::Relaxed);
        }
        self.entries.find(serial)
    }

    /// Whether [`CrlIndex::entry`] was called since the last call of this. Who fetches lists fetches those that are of use.
    pub fn take_used(&self) -> bool {
        self.used.swap(false, Ordering::Relaxed)
    }

    /// How many entries the list has.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Nothing is revoked.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Octets that the index keeps in memory for its entries and its signature.
    pub fn memory(&self) -> usize {
        self.entries.memory() + self.signature.memory()
    }

    pub(crate) fn issuer_name(&self) -> &X509NameRef {
        &self.openssl_issuer
    }

    pub(crate) fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Whether this CA signed the list. Each key costs one signature check in the life of the list.
    pub(crate) fn signed_by(&self, issuer: &X509Ref) -> SignerCheck {
        let other_key = match (self.authority_key(), issuer.subject_key_id()) {
            (Some(named), Some(own)) => named != own.as_slice(),
            _ => false,
        };
        if other_key { SignerCheck::OtherKey } else { self.signature.by(issuer) }
    }

    /// Both lists are the same statement, of one key over one scope, made at different times.
    pub(crate) fn is_same_series(&self, other: &Self) -> bool {
        let same_issuer = matches!(self.issuer_name().try_cmp(other.issuer_name()), Ok(std::cmp::Ordering::Equal));
        same_issuer && self.authority_key == other.authority_key && self.scope == other.scope
    }

    /// The seconds at which a verdict that used this list can change.
    pub(crate) fn boundaries(&self) -> [i64; 4] {
        let (this, next) = (self.this_update.0, self.next_update.0);
        [this, this.saturating_add(1), next, next.saturating_add(1)]
    }
}

impl fmt::Debug for CrlIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("CrlIndex");
        out.field("issuer", &self.issuer.rfc2253()).field("this_update", &self.this_update);
        out.field("next_update", &self.next_update).field("entries", &self.len());
        out.field("sha256", &hex::encode(self.sha256)).finish_non_exhaustive()
    }
}
