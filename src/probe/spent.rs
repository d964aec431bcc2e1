//! Tokens that were used. Only tokens that hold come here, so that only whoever has the secret can fill this memory.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::token::{LIFETIME, NONCE_BYTES, Token};
use crate::clock::UnixTime;

/// The most tokens that are remembered: a probe sends some hundreds.
const MOST: usize = 16_384;

/// Each nonce with its last moment, until then.
#[derive(Debug)]
pub(super) struct Spent {
    since: UnixTime,
    nonces: Mutex<HashMap<[u8; NONCE_BYTES], UnixTime>>,
}

impl Spent {
    pub(super) fn new(since: UnixTime) -> Self {
        Self { since, nonces: Mutex::default() }
    }

    /// Uses a token up; false when it was used before, or when that cannot be told.
    pub(super) fn spend(&self, token: &Token, now: UnixTime) -> bool {
        if token.last_moment() < self.since.plus(LIFETIME) {
            return false;
        }
        let mut nonces = self.nonces.lock().unwrap_or_else(PoisonError::into_inner);
        nonces.retain(|_, last_moment| *last_moment >= now);
        if nonces.len() >= MOST || nonces.contains_key(&token.nonce()) {
            return false;
        }
        nonces.insert(token.nonce(), token.last_moment());
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::token::mint;
    use super::*;
    use crate::secret::SignatureKey;

    const START: UnixTime = UnixTime(1_000);

    fn token(number: u128, made: i64) -> Token {
        let key = SignatureKey::short(&[1; 32]);
        Token::parse(&mint(&key, "a.example", "/", UnixTime(made), number.to_be_bytes())).unwrap()
    }

    #[test]
    fn a_token_is_good_once_to_its_last_moment() {
        let spent = Spent::new(START);
        assert!(spent.spend(&token(1, 1_000), START));
        assert!(!spent.spend(&token(1, 1_000), START));
        assert!(!spent.spend(&token(1, 1_000), UnixTime(1_030)));
        // The same nonce at another time is the same token.
        assert!(!spent.spend(&token(1, 1_010), UnixTime(1_010)));
        assert!(spent.spend(&token(2, 1_000), START));
    }

    #[test]
    fn what_was_made_before_the_memory_began_is_not_taken() {
        let spent = Spent::new(START);
        assert!(!spent.spend(&token(1, 999), START));
        assert!(spent.spend(&token(1, 1_000), START));
    }

    #[test]
    fn a_full_memory_refuses_until_old_tokens_are_too_old() {
        let spent = Spent::new(START);
        let many = u128::try_from(MOST).unwrap();
        assert!((0..many).all(|number| spent.spend(&token(number, 1_000), START)));
        assert!(!spent.spend(&token(many, 1_000), START));
        assert!(!spent.spend(&token(0, 1_000), START));
        assert!(spent.spend(&token(many, 1_031), UnixTime(1_031)));
        assert_eq!(spent.nonces.lock().unwrap().len(), 1);
    }
}
