//! HTTP Message Signatures (RFC 9421) by a shared key, `hmac-sha256` (§3.3.3).
//!
//! The front door signs what it says: method, authority, path and query, every contract header that it sends, and headers that
//! are always there. So nobody between it and us can put another certificate into a request, take one away, or send a request
//! twice. Bodies are not covered: a front door that streams cannot know them before it signs.
//!
//! In this order, the cheap first:
//!
//! 1. `Signature-Input` and `Signature` hold our label once: else [`Refusal::SignatureMissing`],
//!    [`Refusal::SignatureMalformed`]. Other labels are somebody else's.
//! 2. `created`, `nonce` and `keyid` are there; `alg`, where it is there, is `hmac-sha256`; the tag is the configured one: else
//!    [`Refusal::SignatureMalformed`].
//! 3. The key is one of ours: else [`Refusal::SignatureKeyUnknown`].
//! 4. It is neither old nor of the future: else [`Refusal::SignatureTooOld`], [`Refusal::SignatureFromTheFuture`].
//! 5. It covers what it must: else [`Refusal::SignatureUncovered`]. Absence cannot be signed: a header that may be missing can
//!    be taken away, so a certificate is only as sure as the header beside it that is always there.
//! 6. The signature fits: else [`Refusal::SignatureWrong`].
//! 7. The nonce is new: a step of its own ([`Replay`](crate::front_door::Replay)), since asking may take time.

mod component;
mod input;
mod members;

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};

use super::Asked;
use crate::clock::UnixTime;
use crate::front_door::contract::Contract;
use crate::front_door::replay::Nonce;
use crate::refusal::{Refusal, Refused};
use crate::secret::SignatureKey;
use component::Component;
use input::Input;

/// The longest nonce, in bytes: a UUID has 36.
const LONGEST_NONCE: usize = 128;
/// The one algorithm.
const ALGORITHM: &str = "hmac-sha256";

const INPUT: HeaderName = HeaderName::from_static("signature-input");
const SIGNATURE: HeaderName = HeaderName::from_static("signature");

/// A key and the name that signatures call it by.
#[derive(Debug)]
pub struct NamedKey {
    /// `keyid`.
    pub keyid: Arc<str>,
    /// The key.
    pub key: SignatureKey,
}

/// How a front door signs.
#[derive(Debug)]
pub struct SignatureProof {
    /// The label of its signatures.
    pub label: String,
    /// What `tag` must say, when it must say something.
    pub tag: Option<String>,
    /// Header fields that must be there and covered.
    pub components: Vec<HeaderName>,
    /// How old a signature may be.
    pub max_age: Duration,
    /// How far the front door's clock and ours may differ.
    pub clock_tolerance: Duration,
    /// The keys; two while one is rotated.
    pub keys: Vec<NamedKey>,
}

/// Whose signature it is, what it covers, and the nonce that makes it one request's.
#[derive(Debug)]
pub(crate) struct Signed {
    pub(crate) keyid: Arc<str>,
    pub(crate) nonce: Nonce,
    /// `Signature-Input`, for who wants to know later whether a header is covered.
    input: Vec<u8>,
    label: String,
}

impl Signed {
    /// Whether a header is covered.
    pub(crate) fn covers(&self, name: &HeaderName) -> bool {
        Input::parse(&self.input, &self.label).is_ok_and(|input| input.covers(name.as_str()))
    }

    /// Takes the signature out of the request; other labels stay.
    pub(crate) fn remove(&self, headers: &mut HeaderMap) {
        members::remove(headers, &INPUT, &self.label);
        members::remove(headers, &SIGNATURE, &self.label);
    }
}

impl SignatureProof {
    pub(super) fn prove(&self, asked: &Asked<'_>) -> Result<Signed, Refused> {
        let headers = &asked.head.headers;
        let missing = |what: &str| Refused::new(Refusal::SignatureMissing, format!("`{what}` is missing"));
        let inputs = members::joined(headers, &INPUT).ok_or_else(|| missing("signature-input"))?;
        let signatures = members::joined(headers, &SIGNATURE).ok_or_else(|| missing("signature"))?;
        let input = Input::parse(&inputs, &self.label)?;
        let signature = input::signature(&signatures, &self.label)?;
        let (created, nonce, keyid) = self.parameters(&input)?;
        let key = self.keys.iter().find(|key| *key.keyid == *keyid);
        let key = key.ok_or_else(|| {
            Refused::new(Refusal::SignatureKeyUnknown, format!("keyid {:?} is none of its keys", shortened(keyid)))
        })?;
        let last_moment = self.last_moment(created, input.expires, asked.now)?;
        self.covers_enough(&input, headers, asked.domain.contract())?;
        input.verify(asked.head, &key.key, &signature)?;
        let nonce = Nonce::new(key.key.fingerprint(), nonce, created, last_moment, self.clock_tolerance);
        Ok(Signed { keyid: Arc::clone(&key.keyid), nonce, label: self.label.clone(), input: inputs.into_owned() })
    }

    fn parameters<'i>(&self, input: &'i Input<'_>) -> Result<(UnixTime, &'i str, &'i str), Refused> {
        let malformed = |why: String| Refused::new(Refusal::SignatureMalformed, why);
        let missing = |name: &str| malformed(format!("signature-input: `{name}` is missing"));
        let created = input.created.ok_or_else(|| missing("created"))?;
        let nonce = input.nonce.as_deref().ok_or_else(|| missing("nonce"))?;
        let keyid = input.keyid.as_deref().ok_or_else(|| missing("keyid"))?;
        if nonce.is_empty() || nonce.len() > LONGEST_NONCE {
            return Err(malformed(format!("a nonce of {} bytes; 1 to {LONGEST_NONCE} are allowed", nonce.len())));
        }
        if let Some(alg) = input.alg.as_deref().filter(|alg| *alg != ALGORITHM) {
            return Err(malformed(format!("alg {:?} is not {ALGORITHM:?}", shortened(alg))));
        }
        if self.tag.is_some() && self.tag.as_deref() != input.tag.as_deref() {
            return Err(malformed(format!("tag {:?} is not the front door's", input.tag.as_deref().map(shortened))));
        }
        Ok((UnixTime(created), nonce, keyid))
    }

    /// The last moment at which this signature is accepted. Until then its nonce must be remembered.
    fn last_moment(&self, created: UnixTime, expires: Option<i64>, now: UnixTime) -> Result<UnixTime, Refused> {
        let tolerance = seconds(self.clock_tolerance);
        if created > now.plus(tolerance) {
            let cause = format!("it was made at {}, and now it is {}", created.0, now.0);
            return Err(Refused::new(Refusal::SignatureFromTheFuture, cause));
        }
        let aged = created.plus(seconds(self.max_age));
        let last = expires.map_or(aged, |expires| aged.min(UnixTime(expires))).plus(tolerance);
        if now > last {
            let cause = format!("it was made at {}, could be used until {}, and now it is {}", created.0, last.0, now.0);
            return Err(Refused::new(Refusal::SignatureTooOld, cause));
        }
        Ok(last)
    }

    fn covers_enough(&self, input: &Input<'_>, headers: &HeaderMap, contract: &Contract) -> Result<(), Refused> {
        let uncovered = |what: &str| Refused::new(Refusal::SignatureUncovered, format!("it does not cover `{what}`"));
        let has = |component| input.components.contains(&component);
        if !has(Component::Method) {
            return Err(uncovered("@method"));
        }
        if !has(Component::Authority) {
            return Err(uncovered("@authority"));
        }
        let target = has(Component::RequestTarget) || (has(Component::Path) && has(Component::Query));
        if !target {
            return Err(uncovered("@path and @query, or @request-target"));
        }
        for name in &self.components {
            if !input.covers(name.as_str()) {
                return Err(uncovered(name.as_str()));
            }
            if headers.get(name).is_none_or(HeaderValue::is_empty) {
                return Err(Refused::new(Refusal::SignatureUncovered, format!("`{name}` must always be there")));
            }
        }
        match headers.keys().find(|name| contract.must_be_signed(name) && !input.covers(name.as_str())) {
            Some(name) => Err(uncovered(name.as_str())),
            None => Ok(()),
        }
    }
}

/// A stranger's text for the log: its beginning is enough to see what it is.
fn shortened(text: &str) -> &str {
    text.char_indices().nth(64).and_then(|(at, _)| text.get(..at)).unwrap_or(text)
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
