//! `set_rate_limit`: so many requests in a time, by client or by whatever a variable says.
//!
//! The generic cell rate algorithm (ITU-T I.371), a leaky bucket that keeps one number for each key: the time at which its
//! bucket will be empty. What is kept is bounded; the keys that were seen least are forgotten first.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use quick_cache::sync::Cache;

use super::facts::View;
use super::variable::Variable;

/// By what requests are counted.
#[derive(Debug)]
pub enum LimitBy {
    /// By the client's address; of IPv6 by its first 64 bits, since whoever has one address of such a network has them all.
    ClientIp,
    /// All together.
    Global,
    /// By the value of a variable.
    Variable(Variable),
}

/// A limit, with what it has counted.
#[derive(Debug)]
pub struct RateLimit {
    by: LimitBy,
    /// How much time one request takes up.
    interval: u64,
    /// How far ahead of time a bucket may be full.
    ahead: u64,
    started: Instant,
    hasher: RandomState,
    full_until: Cache<u64, Arc<AtomicU64>>,
}

/// How many keys are kept.
const MOST_KEYS: usize = 100_000;

impl RateLimit {
    /// A limit of `average` requests in each `period`, of which `burst` may come at once. Both are at least 1.
    pub fn new(by: LimitBy, average: u32, period: Duration, burst: u32) -> Self {
        let period = u64::try_from(period.as_nanos()).unwrap_or(u64::MAX);
        let interval = period / u64::from(average.max(1));
        let ahead = interval.saturating_mul(u64::from(burst.max(1)) - 1);
        let (started, hasher) = (Instant::now(), RandomState::new());
        Self { by, interval, ahead, started, hasher, full_until: Cache::new(MOST_KEYS) }
    }

    /// Counts a request; false when it is one too many.
    pub(super) fn allows(&self, view: &View<'_>) -> bool {
        let key = match &self.by {
            // Hashed under a key of this limit's own: what is kept does not grow with what clients send.
            LimitBy::ClientIp => self.hasher.hash_one(network(view.asked.client_address)),
            LimitBy::Global => 0,
            LimitBy::Variable(variable) => self.hasher.hash_one(variable.text(view)),
        };
        let now = u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.count(key, now)
    }

    fn count(&self, key: u64, now: u64) -> bool {
        let slot = self.full_until.get_or_insert_with(&key, || Ok::<_, std::convert::Infallible>(Arc::default()));
        let Ok(slot) = slot;
        let counted = slot.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |full_until| {
            let start = full_until.max(now);
            (start - now <= self.ahead).then(|| start.saturating_add(self.interval))
        });
        counted.is_ok()
    }
}

fn network(address: IpAddr) -> u128 {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits() >> 64 << 64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_at_once_and_then_the_average() {
        let limit = RateLimit::new(LimitBy::Global, 10, Duration::from_secs(1), 3);
        let tenth = 100_000_000;
        let allowed = |key, now| limit.count(key, now);
        assert!((0..3).all(|_| allowed(1, 0)) && !allowed(1, 0));
        assert!(allowed(2, 0), "another key has its own bucket");
        assert!(!allowed(1, tenth - 1) && allowed(1, tenth) && !allowed(1, tenth));
        assert!((0..3).all(|_| allowed(1, 100 * tenth)) && !allowed(1, 100 * tenth), "what was not used is not saved up");
    }

    #[test]
    fn a_flood_of_keys_needs_no_more_room() {
        let limit = RateLimit::new(LimitBy::Global, 1, Duration::from_secs(60), 1);
        assert!((0..3 * MOST_KEYS as u64).all(|key| limit.count(key, 0)));
        assert!(limit.full_until.len() <= MOST_KEYS + MOST_KEYS / 10, "{}", limit.full_until.len());
    }
}
