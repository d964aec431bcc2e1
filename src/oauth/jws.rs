//! A token in JWS compact form (RFC 7515 §7.1), its header read strictly before anything is believed.
//!
//! The crate beneath checks signatures and nothing else. What its `decode` lets through (a token without `iss` or `aud`, `crit`,
//! any `typ`, `nbf`) is decided here and in [`super::claims`].

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::json;
use super::jwk::{Key, SignatureAlgorithm};

/// A token that was cut into its parts. Nothing is known of its signature.
pub(super) struct Jws<'t> {
    header: Map<String, Value>,
    message: &'t str,
    payload: &'t str,
    signature: &'t str,
}

impl<'t> Jws<'t> {
    /// Cuts a token; none when it is of another form, so that only its issuer can say what it is.
    pub(super) fn read(token: &'t str) -> Option<Self> {
        let (message, signature) = token.rsplit_once('.')?;
        let (header, payload) = message.split_once('.')?;
        if payload.contains('.') {
            return None;
        }
        Some(Self { header: object(header)?, message, payload, signature })
    }

    /// The key that it names.
    pub(super) fn kid(&self) -> Option<&str> {
        self.header.get("kid").and_then(Value::as_str)
    }

    /// What its header promises, within what is allowed.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn algorithm(&self, allowed: &[SignatureAlgorithm], types: &[String]) -> Result<SignatureAlgorithm, String> {
        let alg = self.header.get("alg").and_then(Value::as_str).unwrap_or_default();
        let algorithm = allowed.iter().find(|allowed| allowed.name == alg).copied();
        let algorithm = algorithm.ok_or_else(|| format!("`alg` {:?} is not allowed", shortened(alg)))?;
        // None of the extensions is known here (RFC 7515 §4.1.11).
        if self.header.contains_key("crit") || self.header.contains_key("b64") {
            return Err("`crit` names an extension that is not understood".into());
        }
        if self.header.get("kid").is_some_and(|kid| !kid.is_string()) {
            return Err("`kid` is no text".into());
        }
        let typ = self.header.get("typ").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
        let typ = typ.strip_prefix("application/").unwrap_or(&typ);
        if !types.iter().any(|known| known.eq_ignore_ascii_case(typ)) {
            return Err(format!("`typ` {:?} is not one of `token_types`", shortened(typ)));
        }
        Ok(algorithm)
    }

    /// The claims, when one of these keys signed them.
    ///
    /// # Errors
    /// What is wrong.
    pub(super) fn claims<'k>(
        &self,
        keys: impl Iterator<Item = &'k Key>,
        algorithm: SignatureAlgorithm,
    ) -> Result<Map<String, Value>, String> {
        let mut keys = keys.filter(|key| key.fits(self.kid(), algorithm)).take(MOST_TRIED);
        if !keys.any(|key| key.verifies(self.message, self.signature, algorithm)) {
            return Err("the signature is of no key of the issuer".into());
        }
        object(self.payload).ok_or_else(|| "the claims are no JSON object, or one that says something twice".into())
    }
}

/// Keys that are tried when the token names none.
const MOST_TRIED: usize = 4;

fn object(part: &str) -> Option<Map<String, Value>> {
    json::object(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

/// A stranger's text for the log.
pub(super) fn shortened(text: &str) -> String {
    text.chars().take(64).collect()
}
