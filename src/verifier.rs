//! The verifier: is this a good certificate, here and now?
//!
//! **Enters** a certificate that a front door forwarded, what was presented beside it, and the route's trusted CAs.
//! **Leaves** a [`Verification`]: four findings that do not hide each other. No refusal happens here: the route's policy
//! decides in `admission` what may be waived.
//!
//! 1. `chain`: a sound path to a trust anchor (RFC 5280 §6), found within a budget.
//! 2. `validity`: dates, of every certificate on the path.
//! 3. `purpose`: extended key usage and key usage.
//! 4. `revocation`: OCSP answers and CRLs, as far as the route asks.
//!
//! Nothing is ever accepted by ignoring an error. What can be waived is decided by allow lists over the whole list of
//! (error, depth): [`Verification::is_exactly_expired`] and its siblings.
//!
//! Beside it stands [`verify_thumbprint`], for certificates that are registered one by one: no path, and another type.
//!
//! Caveat: a verification holds from [`Verification::holds_from`] until just before [`Verification::holds_until`], and only
//! for the trust and settings it was made with. Use [`cache::CachedVerifier`] to keep it.
//!
//! A verification cannot be made elsewhere:
//!
//! ```compile_fail
//! # use vestibule::{clock::UnixTime, verifier::*, x509::certificate::Certificate};
//! # fn stage(leaf: &Certificate, trust: &TrustedCas, now: UnixTime) -> Verification {
//! Verification::default()
//! # }
//! ```
//!
//! ```
//! # use vestibule::{clock::UnixTime, verifier::*, x509::certificate::Certificate};
//! # fn stage(leaf: &Certificate, trust: &TrustedCas, now: UnixTime) -> Verification {
//! verify(leaf, &[], trust, &VerificationSettings::default(), now)
//! # }
//! ```

pub mod cache;
mod finding;
mod optional_no_ca;
mod thumbprint;

use openssl::x509::{X509, X509Ref};
use sha2::{Digest, Sha256};

pub use self::finding::{ChainFinding, PurposeFinding, Reason, RevocationFinding, ValidityFinding};
pub use self::optional_no_ca::optional_no_ca_text;
pub use self::thumbprint::{Thumbprint, ThumbprintVerification, Thumbprints, verify_thumbprint};
pub use crate::x509::path::inquiry::{Inquiry, Urgency};
pub use crate::x509::path::settings::{
    IdentifiedSettings, LEAST_EC_BITS, LEAST_RSA_BITS, PolicyInputs, Purpose, RevocationCheckMode, VerificationSettings,
};
pub use crate::x509::path::strength::SignatureAlgorithm;
pub use crate::x509::revocation::CertificateStatus;
pub use crate::x509::trusted_ca::{OcspUse, TrustedCas};

use self::finding::Findings;
use crate::clock::UnixTime;
use crate::x509::certificate::Certificate;
use crate::x509::ocsp::CertId;
use crate::x509::ocsp_answers::{Known, OcspAnswers};
use crate::x509::openssl_ffi::PathError;
use crate::x509::path::{Knowledge, judge};
use crate::x509::revocation_lists::ListSet;
use crate::x509::time::boundaries_of;

/// A verdict is never kept longer than this, however far away the next date is. A reload and new revocation lists end it at once.
const LONGEST_HOLD: i64 = 60;

const EXPIRED: PathError = PathError { code: 10, depth: 0 };
const REVOKED: PathError = PathError { code: 23, depth: 0 };

/// What was found about one certificate at one instant. Made only by [`verify`].
#[derive(Debug)]
pub struct Verification {
    chain: ChainFinding,
    validity: ValidityFinding,
    purpose: PurposeFinding,
    revocation: RevocationFinding,
    /// Every error that refuses, sorted, each once: what the settings tolerate is not among them.
    refusing: Vec<PathError>,
    remarks: Vec<String>,
    statuses: Vec<CertificateStatus>,
    inquiries: Vec<Inquiry>,
    /// The OCSP answers that it was made with.
    generations: Vec<(CertId, u64)>,
    path: Vec<X509>,
    anchor: Option<[u8; 32]>,
    holds_from: UnixTime,
    holds_until: UnixTime,
}

/// Verifies a certificate, without OCSP answers.
pub fn verify(
    leaf: &Certificate,
    presented_chain: &[Certificate],
    trust: &TrustedCas,
    settings: &VerificationSettings,
    now: UnixTime,
) -> Verification {
    verify_with(leaf, presented_chain, trust, &trust.revocation_lists().current(), None, settings, now)
}

/// [`verify`] with the OCSP answers that are held.
pub fn verify_knowing(
    leaf: &Certificate,
    presented_chain: &[Certificate],
    trust: &TrustedCas,
    answers: &OcspAnswers,
    settings: &VerificationSettings,
    now: UnixTime,
) -> Verification {
    verify_with(leaf, presented_chain, trust, &trust.revocation_lists().current(), Some(answers), settings, now)
}

/// [`verify_knowing`] with a snapshot of the trusted CAs' revocation lists.
fn verify_with(
    leaf: &Certificate,
    presented_chain: &[Certificate],
    trust: &TrustedCas,
    lists: &ListSet,
    answers: Option<&OcspAnswers>,
    settings: &VerificationSettings,
    now: UnixTime,
) -> Verification {
    let judgement = judge(leaf, presented_chain, trust, Knowledge { lists, answers }, settings, now);
    let findings = Findings::of(&judgement, settings);
    let (holds_from, holds_until) = holds(leaf, presented_chain, trust, lists, &judgement.asked, now);
    let trusted = findings.chain == ChainFinding::Trusted;
    Verification {
        anchor: judgement.chain.last().filter(|_| trusted).and_then(|anchor| fingerprint(anchor)),
        chain: findings.chain,
        validity: findings.validity,
        purpose: findings.purpose,
        revocation: findings.revocation,
        refusing: judgement.errors.into_iter().filter(|error| !settings.tolerates(*error)).collect(),
        remarks: judgement.remarks,
        statuses: judgement.statuses,
        inquiries: judgement.inquiries,
        generations: judgement.asked.into_iter().map(|(id, known)| (id, generation(known.as_ref()))).collect(),
        path: judgement.chain,
        holds_from,
        holds_until,
    }
}

impl Verification {
    /// A sound path to a trust anchor, or why not.
    pub fn chain(&self) -> ChainFinding {
        self.chain
    }

    /// Dates.
    pub fn validity(&self) -> ValidityFinding {
        self.validity
    }

    /// Fitness for the purpose.
    pub fn purpose(&self) -> PurposeFinding {
        self.purpose
    }

    /// Revocation.
    pub fn revocation(&self) -> RevocationFinding {
        self.revocation
    }

    /// SHA-256 of the trust anchor's DER; none unless the chain is trusted.
    pub fn anchor(&self) -> Option<&[u8; 32]> {
        self.anchor.as_ref()
    }

    /// The chain that was judged, the client's certificate first. It ends at the anchor only when the chain is trusted.
    pub fn path(&self) -> &[X509] {
        &self.path
    }

    /// Every error that refuses, sorted.
    pub fn errors(&self) -> &[PathError] {
        &self.refusing
    }

    /// What the error numbers leave unsaid: rules of ours that were broken, certificates left out of the search.
    pub fn remarks(&self) -> &[String] {
        &self.remarks
    }

    /// What OCSP answers and revocation lists say of each certificate below the anchor, the client's own first. Empty when nobody asked.
    pub fn statuses(&self) -> &[CertificateStatus] {
        &self.statuses
    }

    /// What a fetch could still tell. Empty when nothing is to be asked.
    pub fn inquiries(&self) -> &[Inquiry] {
        &self.inquiries
    }

    /// Nothing refuses.
    pub fn is_success(&self) -> bool {
        self.has_anchor() && self.refusing.is_empty() && self.reason().is_none()
    }

    /// The client's own certificate has expired, and nothing else is wrong.
    pub fn is_exactly_expired(&self) -> bool {
        self.has_anchor() && self.refusing == [EXPIRED]
    }

    /// The client's own certificate was revoked, and nothing else is wrong.
    pub fn is_exactly_revoked(&self) -> bool {
        self.has_anchor() && self.refusing == [REVOKED]
    }

    /// The client's own certificate has expired and was revoked, and nothing else is wrong.
    pub fn is_expired_and_revoked_only(&self) -> bool {
        self.has_anchor() && self.refusing == [EXPIRED, REVOKED]
    }

    /// `SUCCESS`, or `FAILED:` and OpenSSL 3.0's words for the worst finding: nginx's `$ssl_client_verify`.
    pub fn text(&self) -> String {
        match self.reason() {
            None if self.is_success() => "SUCCESS".into(),
            None => "FAILED:unspecified certificate verification error".into(),
            Some(reason) => format!("FAILED:{}", reason.text()),
        }
    }

    /// The worst finding's reason: chain, purpose, revocation, validity, in this order.
    pub fn reason(&self) -> Option<Reason> {
        match (self.chain, self.purpose, self.revocation, self.validity) {
            (ChainFinding::BudgetSpent(reason) | ChainFinding::Failed(reason), ..) => Some(reason),
            (_, PurposeFinding::Unsuitable(reason), ..) => Some(reason),
            (_, _, RevocationFinding::Revoked(reason) | RevocationFinding::Unknown(reason), _) => Some(reason),
            (.., ValidityFinding::Expired(reason)) => Some(reason),
            (.., ValidityFinding::NotYetValid(reason) | ValidityFinding::Unreadable(reason)) => Some(reason),
            _ => None,
        }
    }

    /// The first instant from which the findings hold.
    pub fn holds_from(&self) -> UnixTime {
        self.holds_from
    }

    /// The instant from which the findings hold no longer.
    pub fn holds_until(&self) -> UnixTime {
        self.holds_until
    }

    /// Whether the OCSP answers are still those that it was made with. Costs nothing for a set that does not use OCSP.
    fn knows(&self, answers: &OcspAnswers) -> bool {
        self.generations.iter().all(|(id, made_with)| generation(answers.get(id).as_ref()) == *made_with)
    }

    fn has_anchor(&self) -> bool {
        self.chain == ChainFinding::Trusted && self.anchor.is_some()
    }
}

fn fingerprint(certificate: &X509Ref) -> Option<[u8; 32]> {
    certificate.to_der().ok().map(|der| Sha256::digest(der).into())
}

/// The number of an answer, 0 for none.
fn generation(known: Option<&Known>) -> u64 {
    known.map_or(0, |known| known.generation)
}

/// From the last date that was passed to the next one to come, of every certificate, CRL and OCSP answer that can matter, and never more
/// than [`LONGEST_HOLD`] away from `now`.
fn holds(
    leaf: &Certificate,
    presented: &[Certificate],
    trust: &TrustedCas,
    lists: &ListSet,
    asked: &[(CertId, Option<Known>)],
    now: UnixTime,
) -> (UnixTime, UnixTime) {
    let mut passed = now.0.saturating_sub(LONGEST_HOLD);
    let mut coming = now.0.saturating_add(LONGEST_HOLD);
    let dates = |certificate: &Certificate| {
        let x509 = certificate.openssl();
        boundaries_of([Some(x509.not_before()), Some(x509.not_after())])
    };
    let answers = asked.iter().filter_map(|(_, known)| known.as_ref()).flat_map(|known| known.answer.boundaries());
    for boundary in std::iter::once(leaf).chain(presented).flat_map(dates).chain(answers) {
        if boundary <= now.0 { passed = passed.max(boundary) } else { coming = coming.min(boundary) }
    }
    for (before, after) in [trust.boundaries_around(now), lists.boundaries_around(now)] {
        passed = before.map_or(passed, |date| passed.max(date));
        coming = after.map_or(coming, |date| coming.min(date));
    }
    (UnixTime(passed), UnixTime(coming))
}
