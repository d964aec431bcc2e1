//! What an operator's probe may ask: how did this request of mine arrive?
//!
//! `vestibule probe` sends attacks through a front door and must see what Vestibule saw. It brings a [`token`]: short-lived, for
//! one host and one path, good once. A request for the probe's path with such a token gets a [`Sight`] as its answer instead of
//! being decided and forwarded; without one the path is a path like any other, and nobody can tell that a probe is configured.
//!
//! **Enters:** an [`AuthenticatedForward`]. **Leaves:** nothing that a later stage takes: no trust follows from a token. The
//! front door is authenticated before the token is looked at, and the sight holds no secret.

mod sight;
mod spent;
pub mod token;

use http::HeaderName;

use crate::clock::UnixTime;
use crate::front_door::AuthenticatedForward;
use crate::secret::SignatureKey;
use spent::Spent;
use token::Token;

pub use sight::{SeenCertificate, Sight};

/// The header that a token comes in.
pub const TOKEN_HEADER: HeaderName = HeaderName::from_static("vestibule-probe-token");
/// The path, when no other one is configured.
pub const DEFAULT_PATH: &str = "/.well-known/vestibule-probe";

/// The endpoint: its key, its path, and the tokens that were used. It outlives configurations: a reload must not forget.
#[derive(Debug)]
pub struct Probe {
    key: SignatureKey,
    path: String,
    spent: Spent,
}

impl Probe {
    /// An endpoint that begins now. Tokens that were made before may have been used with a process that ran before.
    pub fn new(key: SignatureKey, path: String, since: UnixTime) -> Self {
        Self { key, path, spent: Spent::new(since) }
    }

    /// The path that it answers on.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// A fresh token for a host name in lower case.
    ///
    /// # Errors
    /// When the operating system has no random bytes to give.
    pub fn mint(&self, host: &str, now: UnixTime) -> Result<String, getrandom::Error> {
        let mut nonce = [0; token::NONCE_BYTES];
        getrandom::fill(&mut nonce)?;
        Ok(token::mint(&self.key, host, &self.path, now, nonce))
    }

    /// Whether this is the probe's: the path, and exactly one token that holds for it. The token is used up by that.
    pub fn admits(&self, forward: &AuthenticatedForward, now: UnixTime) -> bool {
        if forward.target().path() != self.path {
            return false;
        }
        let mut lines = forward.headers().get_all(&TOKEN_HEADER).iter();
        let (Some(line), None) = (lines.next(), lines.next()) else { return false };
        let Some(token) = line.to_str().ok().and_then(Token::parse) else { return false };
        token.holds(&self.key, forward.host(), &self.path, now) && self.spent.spend(&token, now)
    }
}
