//! Which profile a verified certificate has, and what follows when it breaks the profile's rules.
//!
//! A profile is chosen by the certificates of the CAs on the verified path, by their fingerprints: a name proves nothing, and
//! what a certificate looks like even less. The CA nearest to the client decides, so that an issuing CA can differ from the rest
//! below its root.

use std::collections::HashMap;
use std::sync::Arc;

use openssl::hash::MessageDigest;

use crate::refusal::{Refusal, Refused};
use crate::verifier::Verification;
use crate::x509::profile::{Assessment, ProfileKind, ViolationCode};

/// What follows from a violation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProfileCheck {
    /// The request is refused.
    Enforce,
    /// The access line notes it.
    Report,
}

/// One `[[profiles]]` of the configuration.
#[derive(Debug, PartialEq, Eq)]
pub struct ConfiguredProfile {
    /// Its name, in logs and `certificate_profile`.
    pub name: String,
    /// Its rules.
    pub kind: ProfileKind,
    /// What follows from a violation.
    pub check: ProfileCheck,
    /// SHA-256 of the CA certificates that it is for.
    pub issuers: Vec<[u8; 32]>,
}

/// The profiles of a tenant, found by CA certificate.
#[derive(Debug, Default)]
pub struct Profiles {
    by_issuer: HashMap<[u8; 32], Arc<ConfiguredProfile>>,
}

impl Profiles {
    /// Profiles that share no CA.
    ///
    /// # Errors
    /// A CA certificate that is in two profiles, with the names of both.
    pub fn new(profiles: Vec<ConfiguredProfile>) -> Result<Self, SharedIssuer> {
        let mut by_issuer: HashMap<[u8; 32], Arc<ConfiguredProfile>> = HashMap::new();
        for profile in profiles.into_iter().map(Arc::new) {
            for issuer in &profile.issuers {
                let other = by_issuer.insert(*issuer, Arc::clone(&profile));
                if let Some(other) = other.filter(|other| !Arc::ptr_eq(other, &profile)) {
                    return Err(SharedIssuer { issuer: *issuer, profiles: [other.name.clone(), profile.name.clone()] });
                }
            }
        }
        Ok(Self { by_issuer })
    }

    /// Every CA certificate that has a profile, by SHA-256, and the profile's name.
    pub fn issuers(&self) -> impl Iterator<Item = (&[u8; 32], &str)> {
        self.by_issuer.iter().map(|(issuer, profile)| (issuer, profile.name.as_str()))
    }

    /// The profile for a verified path: that of the CA nearest to the client.
    pub(super) fn of(&self, verification: &Verification) -> Option<&Arc<ConfiguredProfile>> {
        if self.by_issuer.is_empty() {
            return None;
        }
        verification.path().iter().skip(1).find_map(|ca| {
            let digest = ca.digest(MessageDigest::sha256()).ok()?;
            self.by_issuer.get(&*digest)
        })
    }
}

/// A CA certificate in two profiles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedIssuer {
    /// SHA-256 of the CA certificate.
    pub issuer: [u8; 32],
    /// The names of the profiles.
    pub profiles: [String; 2],
}

/// The profile of an admitted certificate.
#[derive(Debug)]
pub struct AppliedProfile {
    configured: Arc<ConfiguredProfile>,
    assessment: Arc<Assessment>,
}

impl AppliedProfile {
    /// Applies a profile.
    ///
    /// # Errors
    /// [`Refusal::CertificateProfile`] for a violation, where they are enforced.
    pub(super) fn new(configured: &Arc<ConfiguredProfile>, assessment: Arc<Assessment>) -> Result<Self, Refused> {
        if configured.check == ProfileCheck::Enforce && !assessment.violations.is_empty() {
            let violations: Vec<String> = assessment.violations.iter().map(ToString::to_string).collect();
            let cause = format!("profile `{}`: {}", configured.name, violations.join("; "));
            return Err(Refused::new(Refusal::CertificateProfile, cause));
        }
        Ok(Self { configured: Arc::clone(configured), assessment })
    }

    /// Its name in the configuration.
    pub fn name(&self) -> &str {
        &self.configured.name
    }

    /// The facts and the violations that were let pass.
    pub fn assessment(&self) -> &Assessment {
        &self.assessment
    }

    /// The codes of the violations that were let pass, each once.
    pub fn violation_codes(&self) -> Vec<&'static str> {
        let mut codes: Vec<_> = self.assessment.violations.iter().map(|one| one.code).map(ViolationCode::code).collect();
        codes.sort_unstable();
        codes.dedup();
        codes
    }
}
