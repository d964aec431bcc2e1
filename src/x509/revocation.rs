//! What the lists say of one certificate (RFC 5280 §6.3).
//!
//! Enters: a certificate and its issuer, side by side on a path whose signatures, names and constraints are sound; the lists;
//! an instant. Leaves: good, revoked, or unknown with the reason as OpenSSL's number. A list speaks for a certificate when
//!
//! 1. its issuer's name is that of the certificate's issuer (§6.3.3 b);
//! 2. its scope covers the certificate (`crl::scope`);
//! 3. it is signed by the issuer's key, or by another key of the same name whose certificate has a good path to the same anchor
//!    (§6.3.3 f), and that certificate may sign lists;
//! 4. thisUpdate ≤ now ≤ nextUpdate.
//!
//! Lists of the issuer's own key are asked first. Only where they do not suffice others count: a CA that changed its key may
//! keep a list for each, and the other key's list knows nothing of this certificate.
//!
//! What a list that is past its nextUpdate says against a certificate holds all the same; that it says nothing does not.

use std::cell::LazyCell;
use std::fmt;

use openssl::x509::X509Ref;

use super::crl::scope::{Reasons, Subject};
use super::crl::{CrlIndex, Entry, ReasonCode, SignerCheck};
use super::lint;
use super::revocation_lists::ListSet;
use super::serial;
use crate::clock::UnixTime;

/// `X509_V_ERR_UNABLE_TO_GET_CRL`.
pub(crate) const NO_LIST: i32 = 3;
/// `X509_V_ERR_CRL_SIGNATURE_FAILURE`.
pub(crate) const WRONG_SIGNATURE: i32 = 8;
/// `X509_V_ERR_CRL_NOT_YET_VALID`.
pub(crate) const NOT_YET_VALID: i32 = 11;
/// `X509_V_ERR_CRL_HAS_EXPIRED`.
pub(crate) const STALE: i32 = 12;
/// `X509_V_ERR_CERT_REVOKED`.
pub(crate) const REVOKED: i32 = 23;
/// `X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER`.
pub(crate) const NO_SIGNER: i32 = 33;
/// `X509_V_ERR_KEYUSAGE_NO_CRL_SIGN`.
pub(crate) const MAY_NOT_SIGN: i32 = 35;
/// `X509_V_ERR_DIFFERENT_CRL_SCOPE`.
pub(crate) const OTHER_SCOPE: i32 = 44;
/// `X509_V_ERR_CRL_PATH_VALIDATION_ERROR`.
pub(crate) const SIGNER_WITHOUT_PATH: i32 = 54;

/// The status of one certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateStatus {
    /// Its issuer's lists are good, and it is on none.
    Good,
    /// It is on a list.
    Revoked(Entry),
    /// It cannot be told: an `X509_V_ERR_*` number.
    Unknown(i32),
}

/// What the lists say, and the numbers in which it is reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: CertificateStatus,
    /// `X509_V_ERR_*`, none for a good certificate.
    pub(crate) codes: Vec<i32>,
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reason {
            ReasonCode::CertificateHold => write!(f, "on hold (certificateHold), which counts as revoked, ")?,
            reason => write!(f, "revoked ({}) ", reason.name())?,
        }
        let date = time::OffsetDateTime::from_unix_timestamp(self.revoked_at.0).ok();
        let date = date.and_then(|date| date.format(&time::format_description::well_known::Rfc3339).ok());
        write!(f, "since {}", date.as_deref().unwrap_or("an unknown date"))
    }
}

/// Asks the lists. `other_signer` is asked of lists that the issuer's key did not sign: is there another key of the issuer
/// that did, and may be believed? If not, it says why with a number.
pub(crate) fn status(
    certificate: &X509Ref,
    issuer: &X509Ref,
    lists: &ListSet,
    now: UnixTime,
    other_signer: &dyn Fn(&CrlIndex) -> Result<(), i32>,
) -> Answer {
    let mut inquiry = Inquiry::new(certificate, now);
    let (mut own, mut others) = (Vec::new(), Vec::new());
    let subject = LazyCell::new(|| Subject::read(certificate));
    let may_sign = LazyCell::new(|| issuer.to_der().is_ok_and(|der| lint::may_sign_crls(&der)));
    for list in lists.of(certificate.issuer_name()) {
        let reasons = list.scope().covers(|| subject.as_ref());
        if reasons == Reasons::NONE {
            inquiry.trouble(OTHER_SCOPE);
            continue;
        }
        match list.signed_by(issuer) {
            SignerCheck::Signed if *may_sign => own.push((list.as_ref(), reasons)),
            SignerCheck::Signed => others.push((list.as_ref(), reasons, MAY_NOT_SIGN)),
            SignerCheck::NotSigned => others.push((list.as_ref(), reasons, WRONG_SIGNATURE)),
            SignerCheck::OtherKey => others.push((list.as_ref(), reasons, NO_SIGNER)),
        }
    }
    inquiry.ask(own);
    if !inquiry.is_answered() {
        let believed = others.into_iter().filter_map(|(list, reasons, why)| match other_signer(list) {
            Ok(()) => Some((list, reasons)),
            Err(code) => {
                inquiry.trouble(if code == NO_SIGNER { why } else { code });
                None
            }
        });
        let believed = believed.collect();
        inquiry.ask(believed);
    }
    inquiry.answer()
}

/// The content octets of the certificate's serial number; of a number that cannot be written, none, which no list has.
fn serial_of(certificate: &X509Ref) -> Vec<u8> {
    let Ok(number) = certificate.serial_number().to_bn() else { return Vec::new() };
    serial::content_octets(number.is_negative(), &number.to_vec())
}

struct Inquiry {
    now: UnixTime,
    serial: Vec<u8>,
    /// For these a good list was seen.
    covered: Reasons,
    revoked: Option<Entry>,
    /// The trouble of the list that came nearest to being of use.
    trouble: i32,
}

impl Inquiry {
    fn new(certificate: &X509Ref, now: UnixTime) -> Self {
        Self { now, serial: serial_of(certificate), covered: Reasons::NONE, revoked: None, trouble: NO_LIST }
    }

    /// Lists that are signed and in scope. The newest of a series counts, unless it is stale and an older one is not.
    fn ask(&mut self, mut lists: Vec<(&CrlIndex, Reasons)>) {
        lists.sort_by_key(|(list, _)| std::cmp::Reverse(list.this_update()));
        let mut fresh: Vec<&CrlIndex> = Vec::new();
        for (list, reasons) in lists {
            if list.this_update() > self.now {
                self.trouble(NOT_YET_VALID);
                continue;
            }
            if fresh.iter().any(|newer| newer.is_same_series(list)) {
                continue;
            }
            if let Some(entry) = list.entry(&self.serial).filter(|entry| entry.reason != ReasonCode::RemoveFromCrl) {
                self.revoked.get_or_insert(entry);
            }
            if self.now <= list.next_update() {
                fresh.push(list);
                self.covered = self.covered.and(reasons);
            } else {
                self.trouble(STALE);
            }
        }
    }

    fn is_answered(&self) -> bool {
        self.revoked.is_some() || self.covered == Reasons::ALL
    }

    fn trouble(&mut self, code: i32) {
        if rank(code) > rank(self.trouble) {
            self.trouble = code;
        }
    }

    fn answer(self) -> Answer {
        match self.revoked {
            None if self.covered == Reasons::ALL => Answer { status: CertificateStatus::Good, codes: Vec::new() },
            None => Answer { status: CertificateStatus::Unknown(self.trouble), codes: vec![self.trouble] },
            // That the list is stale is told beside what it says.
            Some(entry) if self.trouble == STALE && self.covered != Reasons::ALL => {
                Answer { status: CertificateStatus::Revoked(entry), codes: vec![STALE, REVOKED] }
            }
            Some(entry) => Answer { status: CertificateStatus::Revoked(entry), codes: vec![REVOKED] },
        }
    }
}

/// How near to being of use a list with this trouble is.
fn rank(code: i32) -> u8 {
    match code {
        STALE | NOT_YET_VALID => 6,
        SIGNER_WITHOUT_PATH => 5,
        MAY_NOT_SIGN => 4,
        WRONG_SIGNATURE => 3,
        NO_SIGNER => 2,
        OTHER_SCOPE => 1,
        _ => 0,
    }
}
