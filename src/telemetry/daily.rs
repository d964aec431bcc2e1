//! What is said once a day, however often it is seen.

use std::convert::Infallible;

use quick_cache::sync::Cache;

use crate::clock::UnixTime;

/// So many certificates are remembered; of more, some are told again.
const REMEMBERED: usize = 10_000;

/// Whose certificate was told, and on which day.
type Said = (String, [u8; 32], i64);

/// The memory of what was said today, bounded.
pub struct Daily {
    said: Cache<Said, ()>,
}

impl Default for Daily {
    fn default() -> Self {
        Self { said: Cache::new(REMEMBERED) }
    }
}

impl Daily {
    /// Whether nobody has asked this today (UTC) for the certificate of a tenant. Of several at the same moment, one is told so.
    pub fn is_first(&self, tenant: &str, fingerprint: &[u8; 32], now: UnixTime) -> bool {
        let mut first = false;
        let said = self.said.get_or_insert_with(&(tenant.to_owned(), *fingerprint, now.day()), || {
            first = true;
            Ok::<(), Infallible>(())
        });
        said.is_ok() && first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn once_for_each_tenant_certificate_and_day() {
        let daily = Daily::default();
        let (one, other) = ([1; 32], [2; 32]);
        assert!(daily.is_first("a", &one, UnixTime(0)));
        assert!(!daily.is_first("a", &one, UnixTime(86_399)));
        assert!(daily.is_first("a", &one, UnixTime(86_400)));
        assert!(daily.is_first("b", &one, UnixTime(0)) && daily.is_first("a", &other, UnixTime(0)));
    }

    #[test]
    fn the_memory_is_bounded() {
        let daily = Daily::default();
        for number in 0..3 * REMEMBERED as u64 {
            let mut fingerprint = [0; 32];
            fingerprint[..8].copy_from_slice(&number.to_be_bytes());
            assert!(daily.is_first("a", &fingerprint, UnixTime(0)));
        }
        assert!(daily.said.len() <= REMEMBERED);
    }
}
