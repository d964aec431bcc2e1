//! Certificates that are accepted because they are registered, each one by itself, and not because of who issued them
//! (RFC 8705 §2.2, the self-signed certificate method).
//!
//! No path is built: there need be no CA, the issuer and its signature mean nothing, nobody is asked about revocation, extended key
//! usage is not looked at, and version 1 will do. What still holds: the certificate is strict DER for both readers and keeps the
//! lints, its key is as strong as the settings ask, no critical extension is unknown, and its dates are good.
//!
//! The outcome is a type of its own, which no function turns into a [`super::Verification`]: a thumbprint is never a trusted chain.

use std::collections::HashSet;

use super::finding::{Reason, ValidityFinding, validity};
use super::{EXPIRED, VerificationSettings};
use crate::clock::UnixTime;
use crate::x509::certificate::Certificate;
use crate::x509::lint::{self, Allowances, LEAF_KEY_TOO_WEAK, Role};
use crate::x509::openssl_ffi::PathError;
use crate::x509::path::date_error;
use crate::x509::path::strength::key_problem;

/// `X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION`.
const UNHANDLED_CRITICAL_EXTENSION: i32 = 34;

/// What a certificate was registered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Thumbprint {
    /// SHA-256 of the certificate.
    Sha256([u8; 32]),
    /// SHA-256 of its SubjectPublicKeyInfo: any certificate for this key, whatever it says of its holder.
    SpkiSha256([u8; 32]),
}

impl Thumbprint {
    /// The word in logs and in the configuration.
    pub fn word(self) -> &'static str {
        match self {
            Self::Sha256(_) => "sha256",
            Self::SpkiSha256(_) => "spki-sha256",
        }
    }
}

/// The registered certificates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Thumbprints {
    registered: HashSet<Thumbprint>,
}

impl Thumbprints {
    /// Registers a certificate.
    pub fn insert(&mut self, thumbprint: Thumbprint) {
        self.registered.insert(thumbprint);
    }

    /// Whether nothing is registered.
    pub fn is_empty(&self) -> bool {
        self.registered.is_empty()
    }

    fn of(&self, certificate: &Certificate) -> Option<Thumbprint> {
        let both = [Thumbprint::Sha256(*certificate.sha256()), Thumbprint::SpkiSha256(*certificate.spki_sha256())];
        both.into_iter().find(|one| self.registered.contains(one))
    }
}

/// What was found about a registered certificate at one instant. Made only by [`verify_thumbprint`].
///
/// ```compile_fail
/// use vestibule::verifier::ThumbprintVerification;
/// ThumbprintVerification::default();
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThumbprintVerification {
    by: Thumbprint,
    refusing: Vec<PathError>,
    remarks: Vec<String>,
}

/// Judges a certificate that is registered; none when it is not.
pub fn verify_thumbprint(
    leaf: &Certificate,
    registered: &Thumbprints,
    settings: &VerificationSettings,
    now: UnixTime,
) -> Option<ThumbprintVerification> {
    let by = registered.of(leaf)?;
    let (mut refusing, mut remarks) = (Vec::new(), Vec::new());
    let mut refuse = |code, problem: String| {
        refusing.push(PathError { code, depth: 0 });
        remarks.push(format!("the certificate {problem}"));
    };
    let allow = Allowances { version_1: true, ed448: settings.allow_ed448 };
    let lints = lint::lint(leaf.openssl(), leaf.der(), Role::Registered, allow);
    let weak = lints.iter().any(|found| found.code == LEAF_KEY_TOO_WEAK);
    lints.into_iter().for_each(|found| refuse(found.code, found.problem));
    if let Some(problem) = key_problem(leaf.openssl(), settings).filter(|_| !weak) {
        refuse(LEAF_KEY_TOO_WEAK, problem);
    }
    let qc_is_read = settings.allow_critical_qc_statements && lint::only_qc_statements_is_unprocessed(leaf.der());
    if let Some(oid) = lint::unprocessed_critical(leaf.der()).filter(|_| !qc_is_read) {
        refuse(UNHANDLED_CRITICAL_EXTENSION, format!("has a critical extension that is not known ({oid})"));
    }
    refusing.extend(date_error(leaf, now));
    refusing.sort_unstable();
    refusing.dedup();
    Some(ThumbprintVerification { by, refusing, remarks })
}

impl ThumbprintVerification {
    /// What it is registered by.
    pub fn by(&self) -> Thumbprint {
        self.by
    }

    /// Every error that refuses, sorted.
    pub fn errors(&self) -> &[PathError] {
        &self.refusing
    }

    /// Rules of ours that were broken.
    pub fn remarks(&self) -> &[String] {
        &self.remarks
    }

    /// Nothing refuses.
    pub fn is_success(&self) -> bool {
        self.refusing.is_empty()
    }

    /// It has expired, and nothing else is wrong.
    pub fn is_exactly_expired(&self) -> bool {
        self.refusing == [EXPIRED]
    }

    /// Dates.
    pub fn validity(&self) -> ValidityFinding {
        let dates = self.refusing.iter().find(|error| matches!(error.code, 9 | 10 | 13 | 14));
        dates.map_or(ValidityFinding::Valid, |error| validity(Reason { code: error.code, depth: error.depth }))
    }

    /// The first rule about the certificate itself that is broken; none when only its dates are bad.
    pub fn unacceptable(&self) -> Option<Reason> {
        let own = self.refusing.iter().find(|error| !matches!(error.code, 9 | 10 | 13 | 14))?;
        Some(Reason { code: own.code, depth: own.depth })
    }
}
