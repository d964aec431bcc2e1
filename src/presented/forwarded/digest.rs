//! Forwarded digests of a certificate.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Whether the text is this digest: hexadecimal digits of either case, with or without colons, or base64.
pub(super) fn agrees(digest: &[u8], forwarded: &[u8]) -> bool {
    let digits: Vec<u8> = forwarded.iter().copied().filter(|byte| *byte != b':').collect();
    hex::decode(digits).is_ok_and(|bytes| bytes == digest) || STANDARD.decode(forwarded).is_ok_and(|bytes| bytes == digest)
}

/// Whether it is the digest of no bytes at all, which Caddy writes when there is no certificate.
pub(super) fn is_of_nothing(forwarded: &[u8]) -> bool {
    agrees(&openssl::sha::sha256(b""), forwarded) || agrees(&openssl::sha::sha1(b""), forwarded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts() {
        let digest = [0xAB, 0x01, 0xFF];
        for text in ["ab01ff", "AB01FF", "AB:01:FF", "qwH/"] {
            assert!(agrees(&digest, text.as_bytes()), "{text}");
        }
        for text in ["", "ab01", "ab01ff00", "qwH_", "ab01fg", "qwH/ "] {
            assert!(!agrees(&digest, text.as_bytes()), "{text}");
        }
        assert!(is_of_nothing(b"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
        assert!(is_of_nothing(b"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="));
        assert!(is_of_nothing(b"DA39A3EE5E6B4B0D3255BFEF95601890AFD80709"));
        assert!(!is_of_nothing(b""));
    }
}
