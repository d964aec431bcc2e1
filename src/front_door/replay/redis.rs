//! Nonces in a Redis that several processes share: `SET key 1 NX PX milliseconds` says whether a nonce is new and keeps it, in
//! one step.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, IntoConnectionInfo, RedisError};

use super::{Nonce, replayed};
use crate::clock::UnixTime;
use crate::refusal::{Refusal, Refused};

/// Where the Redis is. A password is never a part of its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreAddress(String);

impl StoreAddress {
    /// Reads `redis://host:port`, `redis://host:port/database` or `unix:/path`.
    ///
    /// # Errors
    /// What is accepted.
    pub fn parse(text: &str) -> Result<Self, String> {
        let accepted = "accepted: \"redis://host:port\", \"redis://host:port/database\" or \"unix:/path\", without a password";
        let known = text.starts_with("redis://") || text.starts_with("unix:/");
        if !known || text.contains(['@', '?', '#']) || text.into_connection_info().is_err() {
            return Err(accepted.to_owned());
        }
        Ok(Self(text.to_owned()))
    }
}

/// A Redis, asked over one connection for each worker.
pub struct NonceStore {
    number: u64,
    client: Client,
    timeout: Duration,
}

thread_local! {
    /// This worker's connection, and the store that it is of. Its tasks live with the worker's.
    static CONNECTION: RefCell<Option<(u64, ConnectionManager)>> = const { RefCell::new(None) };
}

impl NonceStore {
    /// A store. Nothing is connected yet.
    ///
    /// # Errors
    /// When the address cannot be used.
    pub fn new(address: &StoreAddress, password: Option<&str>, timeout: Duration) -> Result<Self, String> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let why = |why: RedisError| why.to_string();
        let mut info = address.0.as_str().into_connection_info().map_err(why)?;
        if let Some(password) = password {
            let settings = info.redis_settings().clone().set_password(password);
            info = info.set_redis_settings(settings);
        }
        let client = Client::open(info).map_err(why)?;
        Ok(Self { number: NEXT.fetch_add(1, Ordering::Relaxed), client, timeout })
    }

    pub(super) async fn remember(&self, nonce: &Nonce, now: UnixTime) -> Result<(), Refused> {
        let unreachable = |why: String| Refused::new(Refusal::NonceStoreUnreachable, format!("redis: {why}"));
        let mut connection = self.connection().map_err(|why| unreachable(why.to_string()))?;
        let mut command = redis::cmd("SET");
        command.arg(name(nonce)).arg(1).arg("NX").arg("PX").arg(lifetime(nonce, now).as_millis().to_string());
        let asked = tokio::time::timeout(self.timeout, command.query_async::<Option<String>>(&mut connection)).await;
        match asked {
            Ok(Ok(Some(_))) => Ok(()),
            Ok(Ok(None)) => Err(replayed(nonce)),
            Ok(Err(why)) => Err(unreachable(why.to_string())),
            Err(_) => Err(unreachable(format!("no answer within {:?}", self.timeout))),
        }
    }

    fn connection(&self) -> Result<ConnectionManager, RedisError> {
        CONNECTION.with_borrow_mut(|known| match known {
            Some((number, connection)) if *number == self.number => Ok(connection.clone()),
            _ => {
                // One try for each time-out: a request does not wait for a second one, and the next request tries again.
                let settings = ConnectionManagerConfig::new()
                    .set_number_of_retries(0)
                    .set_connection_timeout(Some(self.timeout))
                    .set_response_timeout(Some(self.timeout));
                let connection = ConnectionManager::new_lazy_with_config(self.client.clone(), settings)?;
                *known = Some((self.number, connection.clone()));
                Ok(connection)
            }
        })
    }
}

impl std::fmt::Debug for NonceStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NonceStore").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

fn name(nonce: &Nonce) -> String {
    format!("vestibule:nonce:{}:{}", hex::encode(nonce.key), nonce.text)
}

/// As long as any of the processes may accept the signature: their clocks may differ from ours by the tolerance, too.
fn lifetime(nonce: &Nonce, now: UnixTime) -> Duration {
    let left = nonce.last_moment.0.saturating_sub(now.0).max(0);
    Duration::from_secs(u64::try_from(left).unwrap_or_default() + 1) + nonce.clock_tolerance
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for good in ["redis://127.0.0.1:6379", "redis://cache.internal:6380/3", "unix:/run/redis.sock"] {
            assert!(StoreAddress::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "127.0.0.1:6379", "rediss://h:1", "redis://:secret@h:1", "http://h", "redis://h:1/x", "unix:relative"] {
            assert!(StoreAddress::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_nonce_lives_as_long_as_its_signature_on_any_clock() {
        let nonce = Nonce::new([0xab; 16], "n", UnixTime(100), UnixTime(165), Duration::from_secs(5));
        assert_eq!(lifetime(&nonce, UnixTime(100)), Duration::from_secs(71));
        assert_eq!(lifetime(&nonce, UnixTime(165)), Duration::from_secs(6));
        assert_eq!(name(&nonce), format!("vestibule:nonce:{}:n", "ab".repeat(16)));
    }
}
