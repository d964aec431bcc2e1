//! Was a signature seen before?
//!
//! A signature is good for a while, and whoever saw a request can send it again. So the nonce of each accepted signature is
//! remembered until the signature is too old by itself. One process remembers in its own memory; several share a Redis. Where
//! the memory is full or cannot be asked, requests are refused: what cannot be told to be new is not taken for new.

mod memory;
mod redis;

use std::time::Duration;

use crate::clock::UnixTime;
use crate::refusal::{Refusal, Refused};

pub use memory::NonceMemory;
pub use redis::{NonceStore, StoreAddress};

/// What remembers nonces. It outlives configurations: a reload must not forget.
#[derive(Debug)]
pub enum Replay {
    /// This process.
    Memory(NonceMemory),
    /// A Redis that several processes share.
    Redis(NonceStore),
}

impl Replay {
    /// Remembers a nonce.
    ///
    /// # Errors
    /// [`Refusal::SignatureReplayed`] when it was seen before; [`Refusal::NonceMemoryFull`],
    /// [`Refusal::NonceStoreUnreachable`] when nobody can tell; [`Refusal::SignatureTooOld`] when it is from before this
    /// process began to remember.
    pub(super) async fn remember(&self, nonce: &Nonce, now: UnixTime) -> Result<(), Refused> {
        match self {
            Self::Memory(memory) => memory.remember(nonce, now),
            Self::Redis(store) => store.remember(nonce, now).await,
        }
    }

    /// How many nonces this process remembers.
    pub fn remembered(&self) -> usize {
        match self {
            Self::Memory(memory) => memory.remembered(),
            Self::Redis(_) => 0,
        }
    }
}

/// A nonce of a signature that fits.
#[derive(Debug)]
pub(super) struct Nonce {
    /// Which key: the fingerprint of its secret, so that two tenants whose keys have one name do not meet.
    key: [u8; 16],
    text: Box<str>,
    created: UnixTime,
    last_moment: UnixTime,
    clock_tolerance: Duration,
}

impl Nonce {
    /// A nonce whose signature is accepted until `last_moment`.
    pub(super) fn new(key: [u8; 16], text: &str, created: UnixTime, last_moment: UnixTime, clock_tolerance: Duration) -> Self {
        Self { key, text: text.into(), created, last_moment, clock_tolerance }
    }
}

fn replayed(nonce: &Nonce) -> Refused {
    Refused::new(Refusal::SignatureReplayed, format!("the nonce {:?} was used before", nonce.text))
}
