//! Public keys of an authorization server (RFC 7517), those that can check a signature.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::{Map, Value};

/// The most keys that are read of a set.
const MOST_KEYS: usize = 64;
/// The least octets of an RSA modulus: 2048 bits.
const LEAST_MODULUS: usize = 256;

/// A signature algorithm (RFC 7518, RFC 8037, RFC 9864), as a token's `alg` names it. None of them has a shared secret, and
/// `none` is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignatureAlgorithm {
    /// The value of `alg`.
    pub name: &'static str,
    shape: Shape,
    algorithm: Algorithm,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Ed25519,
    P256,
    P384,
    Rsa,
}

const fn algorithm(name: &'static str, shape: Shape, algorithm: Algorithm) -> SignatureAlgorithm {
    SignatureAlgorithm { name, shape, algorithm }
}

impl SignatureAlgorithm {
    /// All that can be allowed.
    pub const ALL: [Self; 10] = [
        algorithm("ES256", Shape::P256, Algorithm::ES256),
        algorithm("ES384", Shape::P384, Algorithm::ES384),
        algorithm("Ed25519", Shape::Ed25519, Algorithm::EdDSA),
        algorithm("EdDSA", Shape::Ed25519, Algorithm::EdDSA),
        algorithm("PS256", Shape::Rsa, Algorithm::PS256),
        algorithm("PS384", Shape::Rsa, Algorithm::PS384),
        algorithm("PS512", Shape::Rsa, Algorithm::PS512),
        algorithm("RS256", Shape::Rsa, Algorithm::RS256),
        algorithm("RS384", Shape::Rsa, Algorithm::RS384),
        algorithm("RS512", Shape::Rsa, Algorithm::RS512),
    ];
    /// Those that are allowed when nothing is said: FAPI 2.0's.
    pub const USUAL: [&'static str; 4] = ["PS256", "ES256", "EdDSA", "Ed25519"];

    /// The algorithm of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name == name)
    }
}

/// A public key.
pub(super) struct Key {
    kid: Option<String>,
    alg: Option<String>,
    shape: Shape,
    key: DecodingKey,
}

impl Key {
    /// Whether a token that names this key, or none, may be signed with it.
    pub(super) fn fits(&self, kid: Option<&str>, algorithm: SignatureAlgorithm) -> bool {
        let named = kid.is_none_or(|kid| self.kid.as_deref() == Some(kid));
        // RFC 9864 gives Ed25519 a name of its own; keys keep their old one.
        let same = |alg: &str| SignatureAlgorithm::named(alg).is_some_and(|alg| alg.algorithm == algorithm.algorithm);
        named && self.shape == algorithm.shape && self.alg.as_deref().is_none_or(same)
    }

    /// Whether it made this signature, in base64url.
    pub(super) fn verifies(&self, message: &str, signature: &str, algorithm: SignatureAlgorithm) -> bool {
        jsonwebtoken::crypto::verify(signature, message.as_bytes(), &self.key, algorithm.algorithm).unwrap_or(false)
    }
}

/// Reads a JWK Set. Keys for other purposes, and of kinds that are not known, are left out, as RFC 7517 §5 wants.
///
/// # Errors
/// When it is no set, or has no key that could check a signature.
pub(super) fn read_set(json: &[u8]) -> Result<Vec<Key>, String> {
    let set: Value = serde_json::from_slice(json).map_err(|why| format!("the JWK Set is no JSON: {why}"))?;
    let keys = set.get("keys").and_then(Value::as_array).ok_or("the JWK Set has no `keys`")?;
    if keys.len() > MOST_KEYS {
        return Err(format!("the JWK Set has {} keys; {MOST_KEYS} are read", keys.len()));
    }
    let keys: Vec<Key> = keys.iter().filter_map(|key| read(key.as_object()?)).collect();
    if keys.is_empty() { Err("the JWK Set has no key that could check a signature".into()) } else { Ok(keys) }
}

fn read(jwk: &Map<String, Value>) -> Option<Key> {
    let text = |name: &str| jwk.get(name).and_then(Value::as_str);
    let octets = |name: &str| URL_SAFE_NO_PAD.decode(text(name)?).ok();
    let verifies = jwk.get("key_ops").is_none_or(|ops| ops.as_array().is_some_and(|ops| ops.iter().any(|op| op == "verify")));
    if jwk.get("use").is_some_and(|purpose| purpose != "sig") || !verifies {
        return None;
    }
    let (shape, key) = match (text("kty")?, text("crv")) {
        ("RSA", _) => {
            let (n, e) = (octets("n")?, octets("e")?);
            let modulus = n.iter().skip_while(|octet| **octet == 0).count();
            (Shape::Rsa, (modulus >= LEAST_MODULUS).then(|| DecodingKey::from_rsa_raw_components(&n, &e))?)
        }
        ("EC", Some("P-256")) => (Shape::P256, point(text("x")?, text("y")?, 32)?),
        ("EC", Some("P-384")) => (Shape::P384, point(text("x")?, text("y")?, 48)?),
        ("OKP", Some("Ed25519")) => {
            let x = text("x").filter(|_| octets("x").is_some_and(|x| x.len() == 32))?;
            (Shape::Ed25519, DecodingKey::from_ed_components(x).ok()?)
        }
        _ => return None,
    };
    Some(Key { kid: text("kid").map(str::to_owned), alg: text("alg").map(str::to_owned), shape, key })
}

/// Coordinates have their full length (RFC 7518 §6.2.1.2): two numbers run together would be another point.
fn point(x: &str, y: &str, length: usize) -> Option<DecodingKey> {
    let whole = [x, y].iter().all(|text| URL_SAFE_NO_PAD.decode(text).is_ok_and(|octets| octets.len() == length));
    whole.then(|| DecodingKey::from_ec_components(x, y).ok())?
}
