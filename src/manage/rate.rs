//! Rate limits: token buckets, one for each token, one for everybody without, and one for verifications, each of which asks
//! strangers' name servers.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// How many requests pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimits {
    /// At once.
    pub burst: u32,
    /// In each second, on and on.
    pub per_second: u32,
    /// Verifications a minute, and at once.
    pub verifications_per_minute: u32,
}

/// How a bucket stands after a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing {
    pub(super) passes: bool,
    pub(super) limit: u32,
    pub(super) remaining: u32,
    /// Seconds until it is full.
    pub(super) reset: u32,
    /// Seconds until one more passes.
    pub(super) wait: u32,
}

#[derive(Debug)]
struct Bucket {
    size: u32,
    per_second: f64,
    left: f64,
    looked: Instant,
}

impl Bucket {
    fn new(size: u32, per_second: f64, now: Instant) -> Self {
        Self { size, per_second, left: f64::from(size), looked: now }
    }

    fn take(&mut self, now: Instant) -> Standing {
        let gained = now.saturating_duration_since(self.looked).as_secs_f64() * self.per_second;
        self.left = (self.left + gained).min(f64::from(self.size));
        self.looked = now;
        let passes = self.left >= 1.0;
        if passes {
            self.left -= 1.0;
        }
        let seconds = |missing: f64| (missing / self.per_second).ceil().max(0.0) as u32;
        let (reset, wait) = (seconds(f64::from(self.size) - self.left), seconds(1.0 - self.left));
        Standing { passes, limit: self.size, remaining: self.left as u32, reset, wait: wait.max(1) }
    }
}

/// Every bucket. After a reload a token may have the bucket of another one.
#[derive(Debug)]
pub(super) struct Buckets {
    limits: RateLimits,
    of_tokens: Mutex<Vec<Bucket>>,
    of_verifications: Mutex<Bucket>,
}

impl Buckets {
    pub(super) fn new(limits: RateLimits) -> Self {
        let verifications = limits.verifications_per_minute;
        let of_verifications = Mutex::new(Bucket::new(verifications, f64::from(verifications) / 60.0, Instant::now()));
        Self { limits, of_tokens: Mutex::default(), of_verifications }
    }

    /// Takes from the bucket of a token, or of those without one.
    pub(super) fn take(&self, token: Option<usize>) -> Standing {
        let (place, now) = (token.map_or(0, |token| token + 1), Instant::now());
        let mut buckets = self.of_tokens.lock().unwrap_or_else(PoisonError::into_inner);
        while buckets.len() < place {
            buckets.push(Bucket::new(self.limits.burst, f64::from(self.limits.per_second), now));
        }
        match buckets.get_mut(place) {
            Some(bucket) => bucket.take(now),
            None => {
                let mut bucket = Bucket::new(self.limits.burst, f64::from(self.limits.per_second), now);
                let standing = bucket.take(now);
                buckets.push(bucket);
                standing
            }
        }
    }

    pub(super) fn take_verification(&self) -> Standing {
        self.of_verifications.lock().unwrap_or_else(PoisonError::into_inner).take(Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_bucket_empties_and_fills() {
        let start = Instant::now();
        let mut bucket = Bucket::new(2, 0.5, start);
        let take = |bucket: &mut Bucket, after: u64| {
            let standing = bucket.take(start + Duration::from_secs(after));
            (standing.passes, standing.remaining, standing.reset, standing.wait)
        };
        assert_eq!(take(&mut bucket, 0), (true, 1, 2, 1));
        assert_eq!(take(&mut bucket, 0), (true, 0, 4, 2));
        assert_eq!(take(&mut bucket, 1), (false, 0, 3, 1));
        assert_eq!(take(&mut bucket, 2), (true, 0, 4, 2));
        assert_eq!(take(&mut bucket, 1_000), (true, 1, 2, 1));
    }
}
