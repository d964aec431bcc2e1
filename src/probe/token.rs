//! A token: `v1.last moment.nonce.signature`, HMAC-SHA-256 over host, path, last moment and nonce.

use crate::clock::UnixTime;
use crate::secret::{SignatureKey, SignedMessage};

/// Random bytes in a token.
pub const NONCE_BYTES: usize = 16;
/// Seconds that a token is good for.
pub const LIFETIME: i64 = 30;
/// Seconds by which the clock of whoever made it may be ahead.
pub const CLOCK_TOLERANCE: i64 = 5;

const VERSION: &str = "v1";
/// No other message that is signed with a key of this kind starts so: RFC 9421's start with a quote.
const PURPOSE: &str = "vestibule probe token v1";
/// Longer than any token.
const LONGEST: usize = 160;

/// A token as it was sent. Nothing of it is believed before [`Token::holds`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    last_moment: UnixTime,
    nonce: [u8; NONCE_BYTES],
    signature: [u8; 32],
}

/// Makes a token for a host name in lower case and a normalized path.
pub fn mint(key: &SignatureKey, host: &str, path: &str, now: UnixTime, nonce: [u8; NONCE_BYTES]) -> String {
    let last_moment = now.plus(LIFETIME);
    let signature = message(key, host, path, last_moment, &nonce).sign();
    format!("{VERSION}.{}.{}.{}", last_moment.0, hex::encode(nonce), hex::encode(signature))
}

impl Token {
    /// Reads a token; none when it is not in its form.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let mut parts = text.split('.');
        let (version, last, nonce, signature) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let digits = !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit());
        if version != VERSION || !digits || parts.next().is_some() {
            return None;
        }
        Some(Self {
            last_moment: UnixTime(last.parse().ok()?),
            nonce: hex::decode(nonce).ok()?.try_into().ok()?,
            signature: hex::decode(signature).ok()?.try_into().ok()?,
        })
    }

    /// Whether it was made with this key for this host and path, and is neither too old nor from the future.
    pub fn holds(&self, key: &SignatureKey, host: &str, path: &str, now: UnixTime) -> bool {
        let signed = message(key, host, path, self.last_moment, &self.nonce).is_signed_by(&self.signature);
        signed && now <= self.last_moment && self.last_moment <= now.plus(LIFETIME + CLOCK_TOLERANCE)
    }

    /// What makes it this one.
    pub fn nonce(&self) -> [u8; NONCE_BYTES] {
        self.nonce
    }

    /// Until when it is good.
    pub fn last_moment(&self) -> UnixTime {
        self.last_moment
    }
}

/// Each part with its length before it: no two sets of parts are one message.
fn message(key: &SignatureKey, host: &str, path: &str, last_moment: UnixTime, nonce: &[u8]) -> SignedMessage {
    let mut message = key.begin();
    for part in [PURPOSE.as_bytes(), host.as_bytes(), path.as_bytes(), &last_moment.0.to_be_bytes(), nonce] {
        message.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        message.update(part);
    }
    message
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: UnixTime = UnixTime(1_800_000_000);
    const HOST: &str = "api.bank.example";
    const PATH: &str = "/.well-known/vestibule-probe";

    fn key(byte: u8) -> SignatureKey {
        SignatureKey::short(&[byte; 32])
    }

    fn minted() -> String {
        mint(&key(1), HOST, PATH, NOW, [7; NONCE_BYTES])
    }

    #[test]
    fn a_token_holds_for_its_host_path_key_and_time_alone() {
        let token = Token::parse(&minted()).unwrap();
        for (key_byte, host, path, seconds, holds) in [
            (1, HOST, PATH, 0, true),
            (1, HOST, PATH, LIFETIME, true),
            (1, HOST, PATH, -CLOCK_TOLERANCE, true),
            (1, HOST, PATH, LIFETIME + 1, false),
            (1, HOST, PATH, -CLOCK_TOLERANCE - 1, false),
            (2, HOST, PATH, 0, false),
            (1, "mtls.api.bank.example", PATH, 0, false),
            (1, "", PATH, 0, false),
            (1, HOST, "/", 0, false),
            (1, "api.bank.example/", ".well-known/vestibule-probe", 0, false),
        ] {
            assert_eq!(token.holds(&key(key_byte), host, path, NOW.plus(seconds)), holds, "{key_byte} {host} {path} {seconds}");
        }
    }

    #[test]
    fn what_is_not_in_the_form_of_a_token_is_none() {
        let good = minted();
        let parts: Vec<&str> = good.split('.').collect();
        let with = |at: usize, text: &str| {
            let mut parts = parts.clone();
            parts[at] = text;
            parts.join(".")
        };
        for bad in [
            String::new(),
            "v1".into(),
            "v1...".into(),
            parts[..3].join("."),
            format!("{good}."),
            format!("{good}.00"),
            format!(" {good}"),
            with(0, "v2"),
            with(0, ""),
            with(1, "-1"),
            with(1, "+1800000030"),
            with(1, "1e9"),
            with(1, "99999999999999999999"),
            with(2, "07"),
            with(2, &"0".repeat(34)),
            with(2, &"g".repeat(32)),
            with(3, &parts[3][..62]),
            with(3, &"0".repeat(66)),
            with(1, &"1".repeat(10_000)),
        ] {
            assert_eq!(Token::parse(&bad), None, "{bad:?}");
        }
    }

    #[test]
    fn each_altered_part_breaks_the_signature() {
        let good = minted();
        let flipped = |at: usize| {
            let mut bytes = good.clone().into_bytes();
            bytes[at] = if bytes[at] == b'1' { b'2' } else { b'1' };
            String::from_utf8(bytes).unwrap()
        };
        for at in 3..good.len() {
            if good.as_bytes()[at] != b'.' {
                let holds = Token::parse(&flipped(at)).is_some_and(|token| token.holds(&key(1), HOST, PATH, NOW));
                assert!(!holds, "{at}");
            }
        }
    }

    proptest! {
        #[test]
        fn nothing_panics_and_no_other_text_holds(text in "\\PC{0,200}|v1\\.[0-9]{1,12}\\.[0-9a-f]{32}\\.[0-9a-f]{64}") {
            prop_assert!(!Token::parse(&text).is_some_and(|token| token.holds(&key(1), HOST, PATH, NOW)));
        }

        #[test]
        fn what_is_minted_holds_there_and_nowhere_else(
            host in "[a-z.]{1,20}", other in "[a-z.]{1,20}", nonce: [u8; 16], seconds in 0i64..=LIFETIME,
        ) {
            let token = Token::parse(&mint(&key(3), &host, PATH, NOW, nonce)).unwrap();
            prop_assert!(token.holds(&key(3), &host, PATH, NOW.plus(seconds)));
            prop_assert_eq!(token.holds(&key(3), &other, PATH, NOW), host == other);
            prop_assert_eq!(token.nonce(), nonce);
        }
    }
}
