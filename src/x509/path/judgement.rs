//! What was found along one path, and how two paths compare.

use openssl::x509::X509;

use super::UNSPECIFIED;
use super::concern::{Concern, concern_of};
use super::inquiry::Inquiry;
use super::settings::VerificationSettings;
use crate::x509::ocsp::CertId;
use crate::x509::ocsp_answers::Known;
use crate::x509::openssl_ffi::PathError;
use crate::x509::revocation::CertificateStatus;

/// What was found about the best path.
#[derive(Default)]
pub(crate) struct Judgement {
    /// Every error, sorted, each once; lints of ours among them.
    pub(crate) errors: Vec<PathError>,
    /// Sentences of ours that explain errors 1 and 50, and what was left out of the search.
    pub(crate) remarks: Vec<String>,
    /// The chain, leaf first.
    pub(crate) chain: Vec<X509>,
    /// The search ended before every path was seen, and no path had a sound chain.
    pub(crate) budget_spent: bool,
    /// What is known of each certificate below the anchor, leaf first; empty when nobody asked.
    pub(crate) statuses: Vec<CertificateStatus>,
    /// What a fetch could still tell.
    pub(crate) inquiries: Vec<Inquiry>,
    /// The OCSP answers that were looked for, on whichever path.
    pub(crate) asked: Vec<(CertId, Option<Known>)>,
}

impl Judgement {
    /// A judgement that could not be made refuses.
    pub(super) fn unfinished(why: &str) -> Self {
        let errors = vec![PathError { code: UNSPECIFIED, depth: 0 }];
        Self { errors, remarks: vec![format!("OpenSSL did not finish: {why}")], ..Self::default() }
    }

    pub(super) fn sorted(mut self) -> Self {
        self.errors.sort_unstable();
        self.errors.dedup();
        self
    }

    /// Less is better: worst concern first, then fewer errors.
    pub(super) fn severity(&self, settings: &VerificationSettings) -> (u32, usize) {
        let weight = |error: &PathError| if settings.tolerates(*error) { 1 } else { concern_of(error.code).weight() };
        (self.errors.iter().map(weight).fold(0, |set, bit| set | bit), self.errors.len())
    }

    /// No status, whatever it is, makes up for a chain that is not sound or a certificate that is for something else.
    pub(super) fn depends_on_status(&self) -> bool {
        self.errors.iter().all(|error| !matches!(concern_of(error.code), Concern::Chain | Concern::Purpose))
    }

    /// Nothing but its status, and perhaps its dates, keeps this path from being good.
    pub(super) fn waits_for_status(&self) -> bool {
        let concerns = [Concern::RevocationUnknown, Concern::Validity];
        !self.errors.is_empty() && self.errors.iter().all(|error| concerns.contains(&concern_of(error.code)))
    }

    pub(super) fn is_chain_sound(&self) -> bool {
        self.errors.iter().all(|error| concern_of(error.code) != Concern::Chain)
    }
}
