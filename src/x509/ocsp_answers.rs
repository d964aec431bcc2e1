//! The OCSP answers that are held, for the whole process.
//!
//! An answer is about a certificate and its issuer's key, whichever route trusts them; so all routes share it. Every answer
//! gets a number of its own ([`Known::generation`]): a verification that was kept remembers the numbers that it used, and is
//! made again when one of them is no longer the one held. Nothing else is dropped.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use quick_cache::sync::Cache;

use super::ocsp::{CertId, OcspAnswer, OcspStatus};

/// No two answers of a process have the same number. 0 stands for none.
static NEXT_GENERATION: AtomicU64 = AtomicU64::new(1);

/// An answer that is held.
#[derive(Debug, Clone)]
pub struct Known {
    /// Its number, never 0.
    pub generation: u64,
    /// What it says.
    pub answer: Arc<OcspAnswer>,
}

/// Answers by certificate, bounded. Readers never wait for each other.
pub struct OcspAnswers {
    held: Cache<CertId, Known>,
    /// Comparing and putting is one step.
    putting: Mutex<()>,
}

impl OcspAnswers {
    /// Holds about `capacity` answers; beyond that, those that are asked for least go.
    pub fn new(capacity: usize) -> Self {
        Self { held: Cache::new(capacity), putting: Mutex::new(()) }
    }

    /// The answer for a certificate, fresh or not.
    pub fn get(&self, id: &CertId) -> Option<Known> {
        self.held.get(id)
    }

    /// Puts an answer in the place of an older one, and says whether what is held now says what was put. False when the answer
    /// is about another certificate, when the one held is newer, and when "revoked" would give way to what is not newer or
    /// to "unknown", by which a responder says that it has nothing to say.
    pub fn put(&self, id: CertId, answer: OcspAnswer) -> bool {
        if id != answer.id() {
            return false;
        }
        let _alone = self.putting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = self.held.get(&id) {
            if *held.answer == answer {
                // The same again, which many responders send all day: what was verified with it still holds.
                return true;
            }
            if !displaces(&answer, &held.answer) {
                return false;
            }
        }
        let generation = NEXT_GENERATION.fetch_add(1, Ordering::Relaxed);
        self.held.insert(id, Known { generation, answer: Arc::new(answer) });
        true
    }

    /// How many are held.
    pub fn len(&self) -> usize {
        self.held.len()
    }

    /// None is held.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }
}

fn displaces(new: &OcspAnswer, held: &OcspAnswer) -> bool {
    let revoked = |answer: &OcspAnswer| matches!(answer.status(), OcspStatus::Revoked { .. });
    match new.status() {
        _ if new.this_update() < held.this_update() => false,
        // The same news, and nobody knows any more that it was made for us.
        _ if new.this_update() == held.this_update() && held.has_nonce() && !new.has_nonce() => {
            matches!(new.status(), OcspStatus::Revoked { .. }) && !revoked(held)
        }
        OcspStatus::Revoked { .. } => true,
        OcspStatus::Unknown => !revoked(held),
        OcspStatus::Good => !revoked(held) || new.this_update() > held.this_update(),
    }
}
