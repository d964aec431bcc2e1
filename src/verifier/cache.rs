//! Verifications kept for as long as they hold. Clients repeat; two signature checks a request need not.

use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;
use sha2::{Digest, Sha256};

use super::{IdentifiedSettings, Verification, verify_with};
use crate::clock::UnixTime;
use crate::x509::certificate::Certificate;
use crate::x509::ocsp_answers::OcspAnswers;
use crate::x509::trusted_ca::TrustedCas;

/// Everything that a verification depends on but the time and the OCSP answers, whose numbers it knows itself: one that is new
/// touches the verifications that used the last one, and no others.
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
    kept: Cache<Key, Kept, ByMemory>,
}

/// A verification holds on to OpenSSL's objects of its path: strangers choose how large those are.
#[derive(Clone)]
struct Kept {
    verification: Arc<Verification>,
    weight: u64,
}

#[derive(Clone)]
struct ByMemory;

impl Weighter<Key, Kept> for ByMemory {
    fn weight(&self, _: &Key, kept: &Kept) -> u64 {
        kept.weight
    }
}

/// What a verification of an ordinary certificate takes in memory.
const ORDINARY: u64 = 8 * 1024;
/// What every one takes.
const LEAST: u64 = 4 * 1024;

impl Kept {
    fn new(verification: Arc<Verification>, leaf: &Certificate, presented_chain: &[Certificate]) -> Self {
        let octets: usize = std::iter::once(leaf).chain(presented_chain).map(|certificate| certificate.der().len()).sum();
        Self { verification, weight: LEAST + 4 * octets as u64 }
    }
}

impl CachedVerifier {
    /// A verifier that keeps at most `capacity` verifications of ordinary certificates, or fewer of large ones.
    pub fn new(capacity: usize) -> Self {
        Self { kept: Cache::with_weighter(capacity, capacity as u64 * ORDINARY, ByMemory) }
    }

    /// The verification that holds now, kept or made.
    pub fn verify(
        &self,
        leaf: &Certificate,
        presented_chain: &[Certificate],
        trust: &TrustedCas,
        answers: &OcspAnswers,
        settings: &IdentifiedSettings,
        now: UnixTime,
    ) -> Arc<Verification> {
        let lists = trust.revocation_lists().current();
        let key = Key {
            leaf: *leaf.sha256(),
            presented_chain: digest_of(presented_chain),
            trust: *trust.identity(),
            epoch: lists.epoch(),
            settings: *settings.identity(),
        };
        let holds = |kept: &Verification| kept.holds_from() <= now && now < kept.holds_until() && kept.knows(answers);
        if let Some(kept) = self.kept.get(&key).filter(|kept| holds(&kept.verification)) {
            return kept.verification;
        }
        let made = Arc::new(verify_with(leaf, presented_chain, trust, &lists, Some(answers), settings.settings(), now));
        self.kept.insert(key, Kept::new(Arc::clone(&made), leaf, presented_chain));
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
    if chain.is_empty() {
        // What no hash is: nearly every front door forwards the leaf alone.
        return [0; 32];
    }
    let mut hash = Sha256::new();
    for certificate in chain {
        hash.update(certificate.sha256());
    }
    hash.finalize().into()
}
