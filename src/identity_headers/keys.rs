//! The keys that sign tokens, and the tokens that are kept.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderValue;
use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, EncodingKey};
use openssl::ec::{EcGroup, EcKey};
use openssl::error::ErrorStack;
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, Private};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use serde_json::json;
use zeroize::Zeroizing;

use super::claims::Claims;
use super::{failed, header_value};
use crate::clock::UnixTime;
use crate::refusal::Refused;

/// So many tokens of ordinary length are kept.
const KEPT: usize = 10_000;
/// A token with its claims in memory.
const ORDINARY: u64 = 2048;

/// A private key, and what everybody may know of it.
pub struct SigningKey {
    private: EncodingKey,
    algorithm: Algorithm,
    /// The beginning of each token, with the dot behind it.
    protected: String,
    public: Jwk,
    kid: String,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.kid)
    }
}

impl SigningKey {
    /// Reads a private key in PEM: on the curve P-256, or Ed25519.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn from_pem(text: &[u8]) -> Result<Self, String> {
        // Without this OpenSSL would ask at the terminal.
        let no_password = |_: &mut [u8]| Err(ErrorStack::get());
        let key = PKey::private_key_from_pem_callback(text, no_password);
        Self::of(&key.map_err(|_| "holds no private key in PEM, or one that is encrypted".to_owned())?)
    }

    /// A new one, on the curve P-256.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn generate() -> Result<Self, String> {
        let made = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).and_then(|group| EcKey::generate(&group));
        let key = made.and_then(PKey::from_ec_key);
        Self::of(&key.map_err(|why| format!("cannot be made: {why}"))?)
    }

    fn of(key: &PKey<Private>) -> Result<Self, String> {
        let unreadable = |why: &dyn fmt::Display| format!("cannot be used: {why}");
        let der = Zeroizing::new(key.private_key_to_pkcs8().map_err(|why| unreadable(&why))?);
        let on_p256 = key.ec_key().is_ok_and(|key| key.group().curve_name() == Some(Nid::X9_62_PRIME256V1));
        let (private, algorithm) = match key.id() {
            Id::EC if on_p256 => (EncodingKey::from_ec_der(&der), Algorithm::ES256),
            Id::ED25519 => (EncodingKey::from_ed_der(&der), Algorithm::EdDSA),
            _ => return Err("is neither on the curve P-256 nor Ed25519".into()),
        };
        let mut public = Jwk::from_encoding_key(&private, algorithm).map_err(|why| unreadable(&why))?;
        let kid = public.thumbprint(ThumbprintHash::SHA256).map_err(|why| unreadable(&why))?;
        public.common.key_id = Some(kid.clone());
        public.common.public_key_use = Some(PublicKeyUse::Signature);
        let protected = json!({"alg": algorithm, "kid": kid, "typ": "JWT"}).to_string();
        let made = Self { private, algorithm, protected: URL_SAFE_NO_PAD.encode(protected) + ".", public, kid };
        // The first signature of a process gathers randomness for 20 ms: not while a request waits.
        made.sign("{}").map_err(|refused| refused.cause)?;
        Ok(made)
    }

    /// Its name: the thumbprint of its public half (RFC 7638).
    pub fn kid(&self) -> &str {
        &self.kid
    }

    fn sign(&self, payload: &str) -> Result<String, Refused> {
        let mut token = self.protected.clone();
        URL_SAFE_NO_PAD.encode_string(payload, &mut token);
        let signature = jsonwebtoken::crypto::sign(token.as_bytes(), &self.private, self.algorithm);
        let signature = signature.map_err(|why| failed(&format!("the token cannot be signed: {why}")))?;
        token.push('.');
        token.push_str(&signature);
        Ok(token)
    }
}

/// A token that is kept.
#[derive(Clone)]
struct Kept {
    from: UnixTime,
    until: UnixTime,
    value: HeaderValue,
}

#[derive(Clone)]
struct ByMemory;

impl Weighter<Box<str>, Kept> for ByMemory {
    fn weight(&self, claims: &Box<str>, kept: &Kept) -> u64 {
        (claims.len() + kept.value.len()) as u64
    }
}

/// The keys of a process: the first signs, all are published.
pub struct IdentityKeys {
    first: SigningKey,
    generated: bool,
    published: String,
    kept: Cache<Box<str>, Kept, ByMemory>,
}

impl fmt::Debug for IdentityKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IdentityKeys({})", self.first.kid)
    }
}

impl IdentityKeys {
    /// Keys from files.
    pub fn new(first: SigningKey, others: &[SigningKey]) -> Self {
        let keys = std::iter::once(&first).chain(others).map(|key| key.public.clone()).collect();
        let published = json!(JwkSet { keys }).to_string();
        let kept = Cache::with_weighter(KEPT, KEPT as u64 * ORDINARY, ByMemory);
        Self { first, generated: false, published, kept }
    }

    /// One key that lives as long as the process.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn generate() -> Result<Self, String> {
        Ok(Self { generated: true, ..Self::new(SigningKey::generate()?, &[]) })
    }

    /// Whether it was made by [`generate`](Self::generate): then a reload keeps it.
    pub fn is_generated(&self) -> bool {
        self.generated
    }

    /// The public halves, as a JWK Set (RFC 7517 §5).
    pub fn published(&self) -> &str {
        &self.published
    }

    /// A token with these claims, kept or made. It ends with `end` at the latest, when that is still to come.
    pub(super) fn token(
        &self,
        claims: &Claims<'_>,
        lifetime: Duration,
        end: Option<UnixTime>,
        now: UnixTime,
    ) -> Result<HeaderValue, Refused> {
        let seconds = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
        let written = written(claims, seconds)?;
        if let Some(kept) = self.kept.get(written.as_str()).filter(|kept| kept.from <= now && now < kept.until) {
            return Ok(kept.value);
        }
        let last = now.plus(seconds);
        let expires = end.filter(|end| *end > now && *end < last).unwrap_or(last);
        let rest = written.split_once('{').map_or("", |(_, rest)| rest);
        let value = header_value(&self.first.sign(&format!("{{\"iat\":{},\"exp\":{},{rest}", now.0, expires.0))?)?;
        // A token that was kept has at least half of its life before it.
        let until = now.plus(seconds / 2).min(expires);
        self.kept.insert(written.into(), Kept { from: now, until, value: value.clone() });
        Ok(value)
    }
}

/// The claims behind the length of the token's life: what finds a token again.
fn written(claims: &Claims<'_>, seconds: i64) -> Result<String, Refused> {
    let unwritable = |why: &dyn fmt::Display| failed(&format!("the claims cannot be written: {why}"));
    let mut text = seconds.to_string().into_bytes();
    serde_json::to_writer(&mut text, claims).map_err(|why| unwritable(&why))?;
    String::from_utf8(text).map_err(|why| unwritable(&why))
}
