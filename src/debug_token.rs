//! Tokens that let somebody see for a short time what rules do.
//!
//! A token is `1.EXPIRY.MAC.PATH`: Unix seconds, the HMAC-SHA-256 over host, expiry and path in hexadecimal digits, and the
//! start of the paths that it is for. It opens nothing: who has one gets more headers in answers that he gets anyway.

use crate::clock::UnixTime;
use crate::secret::SignatureKey;

/// The longest life of a token, in seconds.
pub const LONGEST: i64 = 3600;
/// A longer text is no token.
const MOST_OCTETS: usize = 1024;

/// What makes and checks tokens.
#[derive(Debug, Clone)]
pub struct DebugTokens(SignatureKey);

impl DebugTokens {
    /// Tokens under this key.
    pub fn new(key: SignatureKey) -> Self {
        Self(key)
    }

    /// A token for a host and the paths that start with `path`. None when the path cannot stand in a header.
    pub fn make(&self, host: &str, path: &str, expiry: UnixTime) -> Option<String> {
        let fits = path.starts_with('/') && path.len() < MOST_OCTETS / 2 && path.bytes().all(|byte| byte.is_ascii_graphic());
        let mac = self.message(host, expiry.0, path).sign();
        fits.then(|| format!("1.{}.{}.{path}", expiry.0, hex::encode(mac)))
    }

    /// Whether this is a token for the host and the path at this instant. Compared in constant time.
    pub fn accepts(&self, token: &[u8], host: &str, path: &str, now: UnixTime) -> bool {
        let Some((expiry, mac, start)) = read(token) else { return false };
        // The clock of the one who made it may be ahead of ours, but no token lives longer than one may.
        let alive = now.0 < expiry && expiry <= now.0.saturating_add(LONGEST);
        self.message(host, expiry, start).is_signed_by(&mac) && alive && path.starts_with(start)
    }

    fn message(&self, host: &str, expiry: i64, path: &str) -> crate::secret::SignedMessage {
        let mut message = self.0.begin();
        message.update(format!("vestibule: a debug token\n{}\n{expiry}\n{path}", host.to_ascii_lowercase()).as_bytes());
        message
    }
}

fn read(token: &[u8]) -> Option<(i64, Vec<u8>, &str)> {
    let text = std::str::from_utf8(token).ok().filter(|text| text.len() <= MOST_OCTETS)?;
    let mut parts = text.strip_prefix("1.")?.splitn(3, '.');
    let (expiry, mac, path) = (parts.next()?, parts.next()?, parts.next()?);
    Some((expiry.parse().ok()?, hex::decode(mac).ok()?, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime(1_768_478_400);

    fn tokens(seed: &str) -> DebugTokens {
        DebugTokens::new(SignatureKey::short(seed.as_bytes()))
    }

    #[test]
    fn a_token_is_for_one_host_some_paths_and_a_time() {
        let ours = tokens("a");
        let token = ours.make("api.example", "/pay.ments/", NOW.plus(60)).unwrap();
        let accepted = |host, path, now| ours.accepts(token.as_bytes(), host, path, now);
        assert!(accepted("api.example", "/pay.ments/1", NOW) && accepted("API.example", "/pay.ments/", NOW.plus(59)));
        assert!(!accepted("api.example", "/pay.ments/1", NOW.plus(60)));
        assert!(!accepted("api.example", "/pay", NOW) && !accepted("other.example", "/pay.ments/1", NOW));
        assert!(!tokens("b").accepts(token.as_bytes(), "api.example", "/pay.ments/1", NOW));
        let long = ours.make("api.example", "/", NOW.plus(LONGEST + 1)).unwrap();
        assert!(!ours.accepts(long.as_bytes(), "api.example", "/", NOW));
        assert!(ours.accepts(long.as_bytes(), "api.example", "/", NOW.plus(1)));
    }

    #[test]
    fn no_octet_can_be_changed() {
        let ours = tokens("a");
        let token = ours.make("api.example", "/a", NOW.plus(60)).unwrap();
        for at in 0..token.len() {
            let mut other = token.clone().into_bytes();
            other[at] ^= 1;
            assert!(!ours.accepts(&other, "api.example", "/a", NOW), "{at}");
            assert!(!ours.accepts(&other[..at], "api.example", "/a", NOW), "{at}");
        }
        assert!(!ours.accepts(&[0xff; 40], "api.example", "/a", NOW));
        assert_eq!((ours.make("a", "a", NOW), ours.make("a", "/a b", NOW)), (None, None));
    }
}
