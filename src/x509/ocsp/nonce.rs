//! The nonce, which ties an answer to a request (RFC 9654).

use super::OcspError;
use crate::x509::der::{encode, tag};

/// Content octets of 1.3.6.1.5.5.7.48.1.2, id-pkix-ocsp-nonce.
pub(super) const NONCE: &[u8] = &[0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x02];

/// What is done about the nonce (RFC 9654).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum NonceMode {
    /// None is sent, and none is looked at.
    #[default]
    Off,
    /// One is sent. An answer without one is taken, one with another one is not.
    Prefer,
    /// One is sent, and must come back.
    Require,
}

/// The nonce rule for one answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NonceCheck<'a> {
    /// The rule.
    pub mode: NonceMode,
    /// The octets that were given to [`request`](super::request()).
    pub sent: Option<&'a [u8]>,
}

impl NonceCheck<'_> {
    /// Whether the answer is to this very request. `found` is the value of the extension: again an OCTET STRING, echoed as it was sent (RFC 9654 §2.1).
    pub(super) fn check(self, found: Option<&[u8]>) -> Result<bool, OcspError> {
        let sent = self.sent.map(|nonce| encode(tag::OCTET_STRING, nonce));
        match (self.mode, found) {
            (NonceMode::Off, _) | (NonceMode::Prefer, None) => Ok(false),
            (NonceMode::Require, None) => Err(OcspError::NonceMissing),
            // A responder that answers from a store may send somebody else's; nothing was sent that it could differ from.
            (NonceMode::Prefer, Some(_)) if sent.is_none() => Ok(false),
            (_, Some(found)) if sent.as_deref() == Some(found) => Ok(true),
            (_, Some(_)) => Err(OcspError::NonceDifferent),
        }
    }
}
