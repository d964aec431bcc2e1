//! Nonces in this process's memory.
//!
//! A nonce is kept as 16 bytes, in a set of those that may be forgotten in the same [`SLOT`]: forgetting throws a whole set away
//! and looks at no entry. Shards keep workers out of each other's way.

use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};

use super::{Nonce, replayed};
use crate::clock::UnixTime;
use crate::refusal::{Refusal, Refused};

/// Seconds of last moments that share a set.
const SLOT: i64 = 16;
/// Sets of their own for nonces that differ in their lowest bits.
const SHARDS: usize = 16;

/// The nonces of one process: bounded, and full rather than forgetful.
#[derive(Debug)]
pub struct NonceMemory {
    since: UnixTime,
    most_in_shard: usize,
    /// Nobody outside knows how nonces are spread.
    hashers: (RandomState, RandomState),
    shards: Vec<Mutex<Shard>>,
}

/// Nonces by the slot of their last moments.
type Shard = BTreeMap<i64, HashSet<u128>>;

impl NonceMemory {
    /// A memory that begins now. What was signed before may have been used with a process that ran before.
    pub fn new(entries: usize, since: UnixTime) -> Self {
        Self {
            since,
            most_in_shard: entries.div_ceil(SHARDS),
            hashers: (RandomState::new(), RandomState::new()),
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
        }
    }

    pub(super) fn remember(&self, nonce: &Nonce, now: UnixTime) -> Result<(), Refused> {
        if nonce.created < self.since {
            let cause = format!("it was made at {}, and nonces are remembered since {}", nonce.created.0, self.since.0);
            return Err(Refused::new(Refusal::SignatureTooOld, cause));
        }
        let id = self.id(nonce);
        let full = || Refused::new(Refusal::NonceMemoryFull, "as many nonces as replay.memory_entries allows");
        let shard = usize::try_from(id % SHARDS as u128).ok().and_then(|at| self.shards.get(at)).ok_or_else(full)?;
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        while shard.first_key_value().is_some_and(|(slot, _)| (slot + 1) * SLOT <= now.0) {
            shard.pop_first();
        }
        if shard.values().any(|seen| seen.contains(&id)) {
            return Err(replayed(nonce));
        }
        if shard.values().map(HashSet::len).sum::<usize>() >= self.most_in_shard {
            return Err(full());
        }
        shard.entry(nonce.last_moment.0.div_euclid(SLOT)).or_default().insert(id);
        Ok(())
    }

    pub(super) fn remembered(&self) -> usize {
        let lengths = self.shards.iter().map(|shard| {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.values().map(HashSet::len).sum::<usize>()
        });
        lengths.sum()
    }

    fn id(&self, nonce: &Nonce) -> u128 {
        let what = (&nonce.key, &nonce.text);
        u128::from(self.hashers.0.hash_one(what)) << 64 | u128::from(self.hashers.1.hash_one(what))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const START: UnixTime = UnixTime(1_000);

    fn nonce(key: u8, text: &str, last_moment: i64) -> Nonce {
        Nonce::new([key; 16], text, START, UnixTime(last_moment), Duration::from_secs(5))
    }

    fn code(outcome: Result<(), Refused>) -> &'static str {
        outcome.map_or_else(|refused| refused.refusal.code(), |()| "new")
    }

    #[test]
    fn a_nonce_is_new_once_for_each_key() {
        let memory = NonceMemory::new(1_000, START);
        for (key, text, last, expected) in [
            (1, "a", 1_060, "new"),
            (1, "a", 1_060, "signature_replayed"),
            // With another time it is another signature, but the same nonce.
            (1, "a", 1_200, "signature_replayed"),
            (2, "a", 1_060, "new"),
            (1, "b", 1_060, "new"),
        ] {
            assert_eq!(code(memory.remember(&nonce(key, text, last), START)), expected, "{key} {text} {last}");
        }
        assert_eq!(memory.remembered(), 3);
    }

    #[test]
    fn a_nonce_is_kept_to_its_last_moment_and_not_much_longer() {
        let memory = NonceMemory::new(16_000, START);
        for last in 1_000..1_100 {
            assert_eq!(code(memory.remember(&nonce(1, &format!("n{last}"), last), START)), "new");
        }
        for last in 1_000..1_100 {
            let again = memory.remember(&nonce(1, &format!("n{last}"), last), UnixTime(last));
            assert_eq!(code(again), "signature_replayed", "{last}");
        }
        // Any look at a shard throws out what is old there.
        for number in 0..400 {
            assert_eq!(code(memory.remember(&nonce(9, &format!("x{number}"), 9_100), UnixTime(9_000))), "new");
        }
        assert_eq!(memory.remembered(), 400);
    }

    #[test]
    fn a_full_memory_refuses_and_forgets_nothing() {
        let memory = NonceMemory::new(64, START);
        let kept: Vec<String> = (0..400)
            .map(|number| format!("n{number}"))
            .filter(|text| memory.remember(&nonce(1, text, 1_060), START).is_ok())
            .collect();
        assert_eq!((kept.len(), memory.remembered()), (64, 64));
        for text in &kept {
            assert_eq!(code(memory.remember(&nonce(1, text, 1_060), START)), "signature_replayed");
        }
        assert_eq!(code(memory.remember(&nonce(1, "one more", 1_060), START)), "nonce_memory_full");
        // Room comes back with time.
        assert_eq!(code(memory.remember(&nonce(1, "one more", 1_160), UnixTime(1_090))), "new");
    }

    #[test]
    fn what_was_signed_before_the_memory_began_is_too_old() {
        let memory = NonceMemory::new(64, UnixTime(1_001));
        assert_eq!(code(memory.remember(&nonce(1, "a", 1_060), UnixTime(1_001))), "signature_too_old");
    }

    #[test]
    fn of_many_threads_one_is_first() {
        let memory = NonceMemory::new(10_000, START);
        let first: usize = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        let new = |number: &i32| memory.remember(&nonce(1, &format!("n{number}"), 1_060), START).is_ok();
                        (0..500).filter(new).count()
                    })
                })
                .collect();
            workers.into_iter().map(|worker| worker.join().unwrap()).sum()
        });
        assert_eq!((first, memory.remembered()), (500, 500));
    }
}
