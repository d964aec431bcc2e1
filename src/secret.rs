//! Secrets as types: masked in `Debug`, never serialized, compared in constant time, kept as a keyed tag.
//!
//! A key that a front door sends is stored as `hmac-sha256:<64 hex digits>`, the HMAC-SHA-256 of the key under a *pepper*
//! that stands in another place. Whoever reads the configuration alone can neither send the key nor try guesses.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// How a stored tag starts.
const TAG_PREFIX: &str = "hmac-sha256:";
/// Random bytes in a pepper and in a generated key: as many as SHA-256 gives out.
const SECRET_BYTES: usize = 32;

/// The secret under which tags are made. One for the whole process.
pub struct Pepper(Hmac<Sha256>);

impl Pepper {
    /// Reads the 64 hex digits of a pepper; white space around them is ignored.
    ///
    /// # Errors
    /// A sentence that never holds the text itself.
    pub fn parse(text: &str) -> Result<Self, String> {
        let bytes = Zeroizing::new(hex::decode(text.trim()).map_err(|_| "is not hexadecimal".to_owned())?);
        if bytes.len() != SECRET_BYTES {
            return Err(format!("has {} bytes; {SECRET_BYTES} are needed", bytes.len()));
        }
        Hmac::new_from_slice(&bytes).map(Self).map_err(|_| "is not a usable key".to_owned())
    }

    /// A fresh pepper as text, from the operating system's random source.
    ///
    /// # Errors
    /// When the operating system has no random bytes to give.
    pub fn generate() -> Result<String, getrandom::Error> {
        random_hex()
    }

    /// The tag of a key.
    pub fn tag(&self, key: &[u8]) -> Tag {
        Tag(self.mac(key).finalize().into_bytes().into())
    }

    /// A key for signatures that belongs to this pepper and a purpose: whoever has it can make neither tags nor keys for others.
    pub fn signature_key(&self, purpose: &[u8]) -> SignatureKey {
        let derived: [u8; SECRET_BYTES] = self.mac(purpose).finalize().into_bytes().into();
        // HMAC fills a key up with zeros to a block (RFC 2104 §2).
        let mut block = [0; 64];
        for (to, from) in block.iter_mut().zip(derived) {
            *to = from;
        }
        SignatureKey::of_mac(Hmac::new(&block.into()))
    }

    fn mac(&self, key: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(key);
        mac
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pepper(***)")
    }
}

/// What is stored of a key.
#[derive(Clone, PartialEq, Eq)]
pub struct Tag([u8; 32]);

impl Tag {
    /// Reads `hmac-sha256:<64 hex digits>`.
    ///
    /// # Errors
    /// What is wrong, without the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let digits = text.strip_prefix(TAG_PREFIX).ok_or_else(|| format!("does not start with `{TAG_PREFIX}`"))?;
        let bytes = hex::decode(digits).map_err(|_| "is not hexadecimal after the colon".to_owned())?;
        let tag: [u8; 32] = bytes.try_into().map_err(|_| "has not 64 hexadecimal digits".to_owned())?;
        if tag == [0; 32] {
            return Err("is the placeholder of the example; `vestibule keygen` makes a real one".to_owned());
        }
        Ok(Self(tag))
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{TAG_PREFIX}{}", hex::encode(self.0))
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tag(***)")
    }
}

/// The keys that a domain takes: one, or two while it is rotated.
#[derive(Debug)]
pub struct ApiKeys {
    pepper: std::sync::Arc<Pepper>,
    tags: Vec<Tag>,
}

impl ApiKeys {
    /// Keys by their tags.
    pub fn new(pepper: std::sync::Arc<Pepper>, tags: Vec<Tag>) -> Self {
        Self { pepper, tags }
    }

    /// Which of the keys this is, counted from 0. Takes the same time whether one fits or none: every tag is compared, each in
    /// constant time.
    pub fn position(&self, presented: &[u8]) -> Option<usize> {
        let mac = self.pepper.mac(presented);
        let mut found = None;
        for (position, tag) in self.tags.iter().enumerate() {
            if mac.clone().verify_slice(&tag.0).is_ok() {
                found = Some(position);
            }
        }
        found
    }
}

/// A key that a front door signs requests with: the HMAC-SHA-256 of RFC 9421 §3.3.3.
#[derive(Clone)]
pub struct SignatureKey {
    mac: Hmac<Sha256>,
    fingerprint: [u8; 16],
}

impl SignatureKey {
    /// Reads a key in base64 (RFC 4648 §4); white space around it is ignored.
    ///
    /// # Errors
    /// A sentence that never holds the text itself.
    pub fn parse(text: &str) -> Result<Self, String> {
        let bytes = STANDARD.decode(text.trim()).map_err(|_| "is not base64".to_owned())?;
        let bytes = Zeroizing::new(bytes);
        if bytes.len() < SECRET_BYTES {
            return Err(format!("has {} bytes; {SECRET_BYTES} are needed", bytes.len()));
        }
        Self::of_bytes(&bytes)
    }

    /// A fresh key as text, from the operating system's random source.
    ///
    /// # Errors
    /// When the operating system has no random bytes to give.
    pub fn generate() -> Result<String, getrandom::Error> {
        let mut bytes = [0; SECRET_BYTES];
        getrandom::fill(&mut bytes)?;
        Ok(STANDARD.encode(bytes))
    }

    /// A key as short as the public examples have it.
    #[cfg(test)]
    pub(crate) fn short(bytes: &[u8]) -> Self {
        Self::of_bytes(bytes).unwrap()
    }

    fn of_bytes(bytes: &[u8]) -> Result<Self, String> {
        let mac = Hmac::new_from_slice(bytes).map_err(|_| "is not a usable key".to_owned())?;
        Ok(Self::of_mac(mac))
    }

    fn of_mac(mac: Hmac<Sha256>) -> Self {
        let named = mac.clone().chain_update(b"vestibule: the name of this key").finalize().into_bytes();
        let mut fingerprint = [0; 16];
        for (to, from) in fingerprint.iter_mut().zip(named) {
            *to = from;
        }
        Self { mac, fingerprint }
    }

    /// Begins a message.
    pub fn begin(&self) -> SignedMessage {
        SignedMessage(self.mac.clone())
    }

    /// A public name of the key that nobody can guess the key from, the same wherever the same key is in use.
    pub fn fingerprint(&self) -> [u8; 16] {
        self.fingerprint
    }
}

impl fmt::Debug for SignatureKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignatureKey(***)")
    }
}

/// A message whose signature is to be made or checked.
pub struct SignedMessage(Hmac<Sha256>);

impl SignedMessage {
    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The message's signature.
    pub fn sign(self) -> [u8; SECRET_BYTES] {
        self.0.finalize().into_bytes().into()
    }

    /// The signature.
    pub fn signature(self) -> [u8; 32] {
        self.0.finalize().into_bytes().into()
    }

    /// Whether this is the message's signature. Compared in constant time.
    pub fn is_signed_by(self, signature: &[u8]) -> bool {
        self.0.verify_slice(signature).is_ok()
    }
}

/// A fresh `cname_api_key`: 64 hex digits.
///
/// # Errors
/// When the operating system has no random bytes to give.
pub fn generate_api_key() -> Result<String, getrandom::Error> {
    random_hex()
}

fn random_hex() -> Result<String, getrandom::Error> {
    let mut bytes = [0; SECRET_BYTES];
    getrandom::fill(&mut bytes)?;
    Ok(hex::encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn pepper() -> Arc<Pepper> {
        Arc::new(Pepper::parse(&"0b".repeat(32)).unwrap())
    }

    #[test]
    fn the_right_key_is_found_among_two() {
        let pepper = pepper();
        let keys = ApiKeys::new(pepper.clone(), vec![pepper.tag(b"old"), pepper.tag(b"new")]);
        assert_eq!(keys.position(b"old"), Some(0));
        assert_eq!(keys.position(b"new"), Some(1));
        for wrong in [&b""[..], b"ol", b"old ", b"NEW", &pepper.tag(b"old").0] {
            assert_eq!(keys.position(wrong), None);
        }
        assert_eq!(ApiKeys::new(pepper, Vec::new()).position(b""), None);
    }

    #[test]
    fn the_tag_is_hmac_sha256() {
        // RFC 4231 case 1 has a 20-octet key; this pepper is 32 octets of 0x0b, computed with `openssl dgst -mac hmac`.
        let tag = pepper().tag(b"Hi There").to_string();
        assert_eq!(Tag::parse(&tag).unwrap().to_string(), tag);
        assert_eq!(tag.len(), "hmac-sha256:".len() + 64);
        assert_eq!(tag, EXPECTED);
    }

    const EXPECTED: &str = "hmac-sha256:198a607eb44bfbc69903a0f1cf2bbdc5ba0aa3f3d9ae3c1c7a3b1696a0b68cf7";

    #[test]
    fn nothing_shows_a_secret() {
        let pepper = pepper();
        let keys = ApiKeys::new(pepper.clone(), vec![pepper.tag(b"k")]);
        let shown = format!("{pepper:?} {keys:?}");
        assert!(!shown.contains("0b0b") && !shown.contains(&hex::encode(pepper.tag(b"k").0)), "{shown}");
        let refused = Pepper::parse("c0ffee-not-hex").unwrap_err();
        assert!(!refused.contains("c0ffee"));
    }

    #[test]
    fn signature_keys_are_base64_and_long_enough() {
        // RFC 4231 §4.3, with a key that is long enough: HMAC-SHA-256 by `openssl dgst -mac hmac`.
        let key = SignatureKey::parse(" CwsLCwsLCwsLCwsLCwsLCwsLCwsLCwsLCwsLCwsLCws=\n").unwrap();
        let mut message = key.begin();
        message.update(b"Hi ");
        message.update(b"There");
        let expected = hex::decode(EXPECTED.strip_prefix(TAG_PREFIX).unwrap()).unwrap();
        assert!(message.is_signed_by(&expected));
        for wrong in [&expected[..31], &[0; 32], &[], &[expected.clone(), vec![0]].concat()] {
            let mut message = key.begin();
            message.update(b"Hi There");
            assert!(!message.is_signed_by(wrong));
        }
        assert_eq!(format!("{key:?}"), "SignatureKey(***)");
        for bad in ["", "AAAA", "not base64!", "0b".repeat(15).as_str(), &"A".repeat(40)] {
            let refused = SignatureKey::parse(bad).unwrap_err();
            assert!(bad.is_empty() || !refused.contains(bad), "{refused}");
        }
        assert!(SignatureKey::parse(&SignatureKey::generate().unwrap()).is_ok());
        assert_ne!(SignatureKey::short(b"a").fingerprint(), SignatureKey::short(b"b").fingerprint());
    }

    #[test]
    fn bad_tags_are_refused() {
        for bad in ["", "hmac-sha256:", "sha256:00", "hmac-sha256:zz", &format!("hmac-sha256:{}", "00".repeat(32))] {
            assert!(Tag::parse(bad).is_err(), "{bad}");
        }
    }
}
