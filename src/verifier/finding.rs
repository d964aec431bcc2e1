//! The four findings of a verification, each on its own.

use std::fmt;

use crate::x509::openssl_ffi::PathError;
use crate::x509::path::Judgement;
use crate::x509::path::concern::{Concern, concern_of};
use crate::x509::path::settings::VerificationSettings;
use crate::x509::reason::reason_text;

/// Why a finding is bad: the lowest of its errors in the chain, nearest to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reason {
    /// The `X509_V_ERR_*` number.
    pub code: i32,
    /// The place in the chain, 0 for the client's own certificate.
    pub depth: u32,
}

impl Reason {
    /// OpenSSL 3.0's words.
    pub fn text(self) -> &'static str {
        reason_text(self.code)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (error {} at depth {})", self.text(), self.code, self.depth)
    }
}

/// Signatures, names, constraints, policies, keys: a sound path from the certificate to a trust anchor, or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChainFinding {
    /// The search for a path was cut short, and no sound one had been found.
    BudgetSpent(Reason),
    /// No sound path.
    Failed(Reason),
    /// A sound path to a trust anchor.
    Trusted,
}

/// notBefore and notAfter, of every certificate on the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValidityFinding {
    /// Past a notAfter.
    Expired(Reason),
    /// Before a notBefore.
    NotYetValid(Reason),
    /// A date cannot be read.
    Unreadable(Reason),
    /// Valid at the instant asked for.
    Valid,
}

/// Extended key usage and key usage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PurposeFinding {
    /// Fit for the purpose asked for.
    Suitable,
    /// Not fit for it.
    Unsuitable(Reason),
}

/// Whether the certificate, or a CA above it, was revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RevocationFinding {
    /// Nobody looked: switched off, nothing to look in, or no path to look along.
    NotChecked,
    /// Good by OCSP, or on no CRL, and the CRLs are good.
    NotRevoked,
    /// On a CRL, or so by OCSP.
    Revoked(Reason),
    /// It cannot be told, and the settings demand to know.
    Unknown(Reason),
    /// It cannot be told, and the settings let that pass.
    UnknownTolerated(Reason),
}

impl ChainFinding {
    /// The stable name in logs and output.
    pub fn name(self) -> &'static str {
        match self {
            Self::BudgetSpent(_) => "budget_spent",
            Self::Failed(_) => "failed",
            Self::Trusted => "trusted",
        }
    }
}

impl ValidityFinding {
    /// The stable name in logs and output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Expired(_) => "expired",
            Self::NotYetValid(_) => "not_yet_valid",
            Self::Unreadable(_) => "unreadable",
            Self::Valid => "valid",
        }
    }
}

impl PurposeFinding {
    /// The stable name in logs and output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Suitable => "suitable",
            Self::Unsuitable(_) => "unsuitable",
        }
    }
}

impl RevocationFinding {
    /// The stable name in logs and output.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotChecked => "not_checked",
            Self::NotRevoked => "not_revoked",
            Self::Revoked(_) => "revoked",
            Self::Unknown(_) => "unknown",
            Self::UnknownTolerated(_) => "unknown_tolerated",
        }
    }
}

/// The findings for a judgement.
pub(super) struct Findings {
    pub(super) chain: ChainFinding,
    pub(super) validity: ValidityFinding,
    pub(super) purpose: PurposeFinding,
    pub(super) revocation: RevocationFinding,
}

impl Findings {
    /// Sorts the errors of a judgement into findings.
    pub(super) fn of(judgement: &Judgement, settings: &VerificationSettings) -> Self {
        let refusing: Vec<PathError> = judgement.errors.iter().copied().filter(|error| !settings.tolerates(*error)).collect();
        let first = |concern| nearest(&refusing, concern);
        Self {
            chain: match first(Concern::Chain) {
                Some(reason) if judgement.budget_spent => ChainFinding::BudgetSpent(reason),
                Some(reason) => ChainFinding::Failed(reason),
                None => ChainFinding::Trusted,
            },
            validity: first(Concern::Validity).map_or(ValidityFinding::Valid, validity),
            purpose: first(Concern::Purpose).map_or(PurposeFinding::Suitable, PurposeFinding::Unsuitable),
            revocation: match (first(Concern::Revoked), first(Concern::RevocationUnknown)) {
                (Some(reason), _) => RevocationFinding::Revoked(reason),
                (None, Some(reason)) => RevocationFinding::Unknown(reason),
                // Along a path that is not sound, the absence of an entry means nothing.
                (None, None) if first(Concern::Chain).is_some() => RevocationFinding::NotChecked,
                (None, None) => no_bad_news(judgement),
            },
        }
    }
}

fn no_bad_news(judgement: &Judgement) -> RevocationFinding {
    match nearest(&judgement.errors, Concern::RevocationUnknown) {
        Some(reason) => RevocationFinding::UnknownTolerated(reason),
        None if !judgement.statuses.is_empty() => RevocationFinding::NotRevoked,
        None => RevocationFinding::NotChecked,
    }
}

/// The error of this concern that is nearest to the client.
fn nearest(errors: &[PathError], concern: Concern) -> Option<Reason> {
    let errors = errors.iter().filter(|error| concern_of(error.code) == concern);
    let nearest = errors.min_by_key(|error| (error.depth, vagueness(error.code), error.code))?;
    Some(Reason { code: nearest.code, depth: nearest.depth })
}

/// OpenSSL says 20 (no issuer) and then 21 (so nothing could be verified) of one cause; the later word is what nginx prints.
/// Our own 50 comes last: an OpenSSL text says more.
fn vagueness(code: i32) -> u8 {
    match code {
        20 => 1,
        1 | 50 => 2,
        _ => 0,
    }
}

pub(super) fn validity(reason: Reason) -> ValidityFinding {
    match reason.code {
        9 => ValidityFinding::NotYetValid(reason),
        10 => ValidityFinding::Expired(reason),
        _ => ValidityFinding::Unreadable(reason),
    }
}
