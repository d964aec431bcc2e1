//! Verifications kept for as long as they hold. Clients repeat; two signature checks a request need not.

use std::sync::Arc;

use quick_cache::sync::Cache;
use sha2::{Digest, Sha256};

use super::{Verification, VerificationSettings, verify_with};
use crate::clock::UnixTime;
use crate::x509::certificate::Certificate;
use crate::x509::trusted_ca::TrustedCas;

/// Everything that a verification depends on but the time.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    leaf: [u8; 32],
    presented_chain: [u8; 32],
    trust: [u8; 32],
    /// The snapshot of the revocation lists: what was verified before they changed is never found again.
    epoch: u64,
    settings: [u8; 32],
}

/// [`super::verify`] with a bounded memory. Good and bad findings are kept alike: a client that is refused repeats as well.
pub struct CachedVerifier {
    kept: Cache<Key, Arc<Verification>>,
}

impl CachedVerifier {
    /// A verifier that keeps at most `capacity` verifications, a few kilobytes each.
    pub fn new(capacity: usize) -> Self {
        Self { kept: Cache::new(capacity) }
    }

    /// The verification that holds now, kept or made.
    pub fn verify(
        &self,
        leaf: &Certificate,
        presented_chain: &[Certificate],
        trust: &TrustedCas,
        settings: &VerificationSettings,
        now: UnixTime,
    ) -> Arc<Verification> {
        let lists = trust.revocation_lists().current();
        let key = Key {
            leaf: *leaf.sha256(),
            presented_chain: digest_of(presented_chain),
            trust: *trust.identity(),
            epoch: lists.epoch(),
            settings: settings.identity(),
        };
        if let Some(kept) = self.kept.get(&key).filter(|kept| kept.holds_from() <= now && now < kept.holds_until()) {
            return kept;
        }
        let made = Arc::new(verify_with(leaf, presented_chain, trust, &lists, settings, now));
        self.kept.insert(key, Arc::clone(&made));
        made
    }

    /// How many verifications are kept.
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    /// Nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.kept.clear();
    }
}

/// Fixed-length hashes in order: no two chains give the same input.
fn digest_of(chain: &[Certificate]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for certificate in chain {
        hash.update(certificate.sha256());
    }
    hash.finalize().into()
}
