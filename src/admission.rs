//! May this certificate pass, and as whom?
//!
//! **Enters:** a [`Presentation`], the [`Verification`] of its certificate, the route's [`Policy`]. **Leaves:** an [`Admission`]:
//! a verified [`Identity`], or anonymous with the reason. Refused: one of the `Certificate…` refusals,
//! [`Refusal::RevocationUnknown`], [`Refusal::ForwardedVerdictFailed`].
//!
//! 1. `verification = "off"`: nobody looked; anonymous.
//! 2. No certificate: refused, or anonymous with `allow_unauthenticated_requests`.
//! 3. Nothing found against it: verified.
//!    Found so along a path to a CA first; else as a certificate that the route has registered by its thumbprint (RFC 8705
//!    §2.2), unless its own issuer, which the route trusts, has revoked it.
//! 4. Expired and nothing else, with `allow_expired_certificates`; revoked and nothing else, with
//!    `allow_revoked_certificates`; both and nothing else, with both: verified, the waivers written down.
//! 5. Anything else: refused; with `permissive`, anonymous.
//! 6. A front door whose verdict counts may turn 3 and 4 into 5. It never makes anything better.
//! 7. On the deny list ([`registered`]): refused, whatever else was found and also where everybody else passes. This comes after
//!    5, so that a false certificate is called false.
//! 8. What would be verified must be on the allow list, if there is one, and keep the rules of its issuer's profile
//!    ([`profiles`]): else as in 5.
//!
//! `ssl_client_verify` says what was found along the path, waived or not, and registered or not: `FAILED:self-signed certificate`
//! stays that. How somebody was accepted is the identity's [`Basis`].

mod basis;
pub mod profiles;
pub mod registered;

use std::borrow::Cow;
use std::sync::Arc;

use crate::front_door::VerdictMode;
use crate::presented::{ForwardedVerdict, Presentation, PresentedCertificate};
use crate::refusal::{Refusal, Refused};
use crate::verifier::{
    ChainFinding, PurposeFinding, Reason, RevocationFinding, ThumbprintVerification, ValidityFinding, Verification,
};

use basis::judge_thumbprint;
use profiles::{AppliedProfile, Profiles};
use registered::RegisteredCertificates;

pub use basis::Basis;

/// How much a route asks of a certificate (Azion's `mtls_verification`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VerificationMode {
    /// A good certificate, or no entry.
    Enforce,
    /// No certificate is looked at.
    Off,
    /// Everybody passes; the rules decide.
    Permissive,
}

/// What a route lets pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Policy {
    /// How much is asked.
    pub verification: VerificationMode,
    /// Whether a request without certificate passes (Zuplo). A presented certificate must still be good.
    pub allow_unauthenticated_requests: bool,
    /// Whether an expired certificate passes when nothing else is wrong with it (Zuplo).
    pub allow_expired_certificates: bool,
    /// Whether a revoked certificate passes when nothing else is wrong with it (Zuplo).
    pub allow_revoked_certificates: bool,
    /// Whether a certificate whose issuer no profile is for is refused.
    pub require_profile: bool,
}

/// Everything that is asked of a certificate on a route.
#[derive(Debug, Clone, Copy)]
pub struct Demands<'d> {
    /// The route's policy.
    pub policy: &'d Policy,
    /// The route's lists.
    pub registered: &'d RegisteredCertificates,
    /// The tenant's profiles.
    pub profiles: &'d Profiles,
    /// What the front door's verdict counts.
    pub verdict_mode: VerdictMode,
}

/// What was found and let pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiver {
    /// The certificate has expired.
    Expired,
    /// The certificate was revoked.
    Revoked,
}

impl Waiver {
    /// The word in logs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}

/// A certificate that passed.
#[derive(Debug)]
pub struct Identity {
    waived: Vec<Waiver>,
    basis: Basis,
    profile: Option<AppliedProfile>,
}

impl Identity {
    /// What was let pass.
    pub fn waived(&self) -> &[Waiver] {
        &self.waived
    }

    /// What it passed by.
    pub fn basis(&self) -> Basis {
        self.basis
    }

    /// SHA-256 of the trust anchor that the certificate chains to; none when it passed by its thumbprint.
    pub fn anchor(&self) -> Option<&[u8; 32]> {
        match &self.basis {
            Basis::Ca(anchor) => Some(anchor),
            Basis::Thumbprint(_) => None,
        }
    }

    /// The profile that its issuer has, and what it says. A certificate that did not pass has none.
    pub fn profile(&self) -> Option<&AppliedProfile> {
        self.profile.as_ref()
    }
}

/// Why nobody is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Anonymous {
    /// No certificate was presented.
    NoCertificate,
    /// There was one, and it would have been refused for this.
    NotAccepted(Refused),
    /// The route looks at no certificate.
    VerificationOff,
}

#[derive(Debug)]
enum Who {
    Verified(Identity),
    Anonymous(Anonymous),
}

/// A request that may go on to the rules.
///
/// Nobody is admitted but by a policy:
///
/// ```compile_fail
/// use vestibule::admission::Admission;
/// fn another(admission: Admission) -> Admission {
///     Admission { verify_text: "SUCCESS".into(), ..admission }
/// }
/// ```
///
/// ```
/// use std::sync::Arc;
/// use vestibule::admission::{Admission, Demands};
/// use vestibule::{presented::Presentation, refusal::Refused, verifier::Verification};
/// fn another(presentation: &Presentation, found: &Arc<Verification>, demands: &Demands<'_>) -> Result<Admission, Refused> {
///     Admission::decide(presentation, Some(found), None, demands)
/// }
/// ```
#[derive(Debug)]
pub struct Admission {
    who: Who,
    verify_text: Cow<'static, str>,
}

impl Admission {
    /// Applies a policy to what was found: along a path, and of a certificate that the route has registered.
    ///
    /// # Errors
    /// The refusals of the module's list.
    pub fn decide(
        presentation: &Presentation,
        verification: Option<&Arc<Verification>>,
        thumbprint: Option<&ThumbprintVerification>,
        demands: &Demands<'_>,
    ) -> Result<Self, Refused> {
        let policy = demands.policy;
        if policy.verification == VerificationMode::Off {
            return Ok(Self::anonymous(Anonymous::VerificationOff, "NONE".into()));
        }
        let (certificate, verification) = match (presentation.certificate(), verification) {
            (None, _) => return Self::without_certificate(policy),
            (Some(certificate), Some(verification)) => (certificate, verification),
            // Never the way of one who presented nothing: that way may be open.
            (Some(_), None) => return Err(Refused::new(Refusal::Internal, "nobody verified the certificate")),
        };
        let permissive = policy.verification == VerificationMode::Permissive;
        let judged = judge(verification, policy).or_else(|refused| judge_thumbprint(thumbprint, verification, policy, refused));
        let judged = judged.and_then(|identity| narrow(presentation, demands.verdict_mode).map(|()| identity));
        if permissive || judged.is_ok() {
            demands.registered.refuse_denied(certificate.leaf())?;
        }
        let judged = judged.and_then(|identity| identity.registered_and_profiled(certificate, verification, demands));
        match judged {
            Ok(identity) => Ok(Self { who: Who::Verified(identity), verify_text: text_of(verification) }),
            Err(refused) if permissive => {
                let text = text_of_refused(verification, &refused);
                Ok(Self::anonymous(Anonymous::NotAccepted(refused), text))
            }
            Err(refused) => Err(refused),
        }
    }

    /// What a route that only watches makes of a refusal: nobody is known, and `ssl_client_verify` tells the truth.
    pub fn not_enforced(presentation: &Presentation, verification: Option<&Arc<Verification>>, refused: Refused) -> Self {
        match (presentation.certificate(), verification) {
            (Some(_), Some(verification)) => {
                let text = text_of_refused(verification, &refused);
                Self::anonymous(Anonymous::NotAccepted(refused), text)
            }
            _ => Self::anonymous(Anonymous::NoCertificate, "NONE".into()),
        }
    }

    fn without_certificate(policy: &Policy) -> Result<Self, Refused> {
        if policy.allow_unauthenticated_requests || policy.verification == VerificationMode::Permissive {
            return Ok(Self::anonymous(Anonymous::NoCertificate, "NONE".into()));
        }
        Err(Refused::new(Refusal::CertificateRequired, "no certificate was presented"))
    }

    fn anonymous(why: Anonymous, verify_text: Cow<'static, str>) -> Self {
        Self { who: Who::Anonymous(why), verify_text }
    }

    /// The identity, when the certificate passed. Names of a certificate that did not pass are nobody's.
    pub fn identity(&self) -> Option<&Identity> {
        match &self.who {
            Who::Verified(identity) => Some(identity),
            Who::Anonymous(_) => None,
        }
    }

    /// Why nobody is known.
    pub fn anonymous_because(&self) -> Option<&Anonymous> {
        match &self.who {
            Who::Verified(_) => None,
            Who::Anonymous(why) => Some(why),
        }
    }

    /// `ssl_client_verify`: `SUCCESS`, `FAILED:reason` or `NONE`, whatever was waived.
    pub fn verify_text(&self) -> &str {
        &self.verify_text
    }
}

fn judge(verification: &Verification, policy: &Policy) -> Result<Identity, Refused> {
    let (expired, revoked) = (policy.allow_expired_certificates, policy.allow_revoked_certificates);
    let waived = if verification.is_success() {
        Vec::new()
    } else if expired && verification.is_exactly_expired() {
        vec![Waiver::Expired]
    } else if revoked && verification.is_exactly_revoked() {
        vec![Waiver::Revoked]
    } else if expired && revoked && verification.is_expired_and_revoked_only() {
        vec![Waiver::Expired, Waiver::Revoked]
    } else {
        return Err(refused(verification));
    };
    let anchor = verification.anchor().ok_or_else(|| refused(verification))?;
    Ok(Identity { waived, basis: Basis::Ca(*anchor), profile: None })
}

impl Identity {
    /// What is asked beyond validation.
    fn registered_and_profiled(
        mut self,
        certificate: &PresentedCertificate,
        verification: &Verification,
        demands: &Demands<'_>,
    ) -> Result<Self, Refused> {
        demands.registered.refuse_unregistered(certificate.leaf())?;
        // A profile is its issuer's, and here the issuer proves nothing.
        let configured = match self.basis {
            Basis::Ca(_) => demands.profiles.of(verification),
            Basis::Thumbprint(_) => None,
        };
        if configured.is_none() && demands.policy.require_profile {
            return Err(Refused::new(Refusal::CertificateProfile, "no profile is for a CA on its path, and one is required"));
        }
        let assessed = configured.and_then(|configured| {
            let assessment = certificate.variables().assessment(configured.kind)?;
            Some(AppliedProfile::new(configured, assessment))
        });
        self.profile = assessed.transpose()?;
        Ok(self)
    }
}

/// The refusal for the worst finding; the cause names them all.
fn refused(verification: &Verification) -> Refused {
    use {PurposeFinding as Purpose, RevocationFinding as Revocation, ValidityFinding as Validity};
    let findings = (verification.chain(), verification.purpose(), verification.revocation(), verification.validity());
    let refusal = match findings {
        (ChainFinding::BudgetSpent(_), ..) => Refusal::CertificatePathBudget,
        (ChainFinding::Failed(reason), ..) if is_unacceptable(reason) => Refusal::CertificateUnacceptable,
        (ChainFinding::Failed(_), ..) => Refusal::CertificateUntrusted,
        (_, Purpose::Unsuitable(_), ..) => Refusal::CertificatePurpose,
        (_, _, Revocation::Revoked(_), _) => Refusal::CertificateRevoked,
        (_, _, Revocation::Unknown(_), _) => Refusal::RevocationUnknown,
        (.., Validity::Expired(_)) => Refusal::CertificateExpired,
        (.., Validity::NotYetValid(_) | Validity::Unreadable(_)) => Refusal::CertificateNotYetValid,
        (ChainFinding::Trusted, Purpose::Suitable, _, Validity::Valid) => Refusal::CertificateUnacceptable,
    };
    Refused::new(refusal, causes(verification).join("; "))
}

fn causes(verification: &Verification) -> Vec<String> {
    let mut causes = Vec::new();
    let mut say = |what: &str, reason: Reason| causes.push(format!("{what}: {reason}"));
    match verification.chain() {
        ChainFinding::BudgetSpent(reason) | ChainFinding::Failed(reason) => say("chain", reason),
        ChainFinding::Trusted => {}
    }
    match verification.purpose() {
        PurposeFinding::Unsuitable(reason) => say("purpose", reason),
        PurposeFinding::Suitable => {}
    }
    match verification.revocation() {
        RevocationFinding::Revoked(reason) | RevocationFinding::Unknown(reason) => say("revocation", reason),
        RevocationFinding::NotChecked | RevocationFinding::NotRevoked | RevocationFinding::UnknownTolerated(_) => {}
    }
    match verification.validity() {
        ValidityFinding::Expired(reason) | ValidityFinding::NotYetValid(reason) | ValidityFinding::Unreadable(reason) => {
            say("validity", reason);
        }
        ValidityFinding::Valid => {}
    }
    causes.extend(verification.remarks().iter().cloned());
    causes
}

/// Rules about the certificate itself, by OpenSSL's number: unknown critical extension (34), a rule of ours (50), weak key of
/// the certificate (66) or of a CA (67), weak digest of a signature (68).
fn is_unacceptable(reason: Reason) -> bool {
    matches!(reason.code, 34 | 50 | 66 | 67 | 68)
}

/// The front door's verdict, where it counts.
fn narrow(presentation: &Presentation, mode: VerdictMode) -> Result<(), Refused> {
    let failed = |why: String| Err(Refused::new(Refusal::ForwardedVerdictFailed, why));
    match (mode, presentation.verdict()) {
        (VerdictMode::Ignore, _) | (_, Some(ForwardedVerdict::Success)) => Ok(()),
        (VerdictMode::Narrow, None) => Ok(()),
        (VerdictMode::Require, None) => failed("the front door sent no verdict, and one is required".into()),
        (_, Some(ForwardedVerdict::Failed(reason))) => failed(format!("the front door says FAILED: {reason}")),
        (_, Some(ForwardedVerdict::None)) => failed("the front door says NONE".into()),
    }
}

/// The usual text needs no memory of its own.
fn text_of(verification: &Verification) -> Cow<'static, str> {
    if verification.is_success() { "SUCCESS".into() } else { verification.text().into() }
}

fn text_of_refused(verification: &Verification, refused: &Refused) -> Cow<'static, str> {
    if verification.is_success() {
        return format!("FAILED:{}", refused.refusal.code()).into();
    }
    text_of(verification)
}
