//! Keys and signatures that the operator wants stronger than OpenSSL's security level 2 and our lints already do.
//!
//! Keys are judged all along the path, the anchor's too, as OpenSSL's own level does; signatures below the anchor alone, whose
//! own signature nobody relies on.

use openssl::pkey::Id;
use openssl::x509::{X509, X509Ref};

use super::settings::{LEAST_EC_BITS, LEAST_RSA_BITS, VerificationSettings};
use crate::x509::lint::{CA_KEY_TOO_WEAK, LEAF_KEY_TOO_WEAK};
use crate::x509::openssl_ffi::PathError;

/// `X509_V_ERR_CA_MD_TOO_WEAK`.
const SIGNATURE_TOO_WEAK: i32 = 68;

/// How a certificate is signed, by OpenSSL's name of the algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SignatureAlgorithm(&'static str);

impl SignatureAlgorithm {
    /// Those that anybody may ask for (RFC 4055, RFC 5758, RFC 8410).
    pub const ALL: [Self; 9] = [
        Self("sha256WithRSAEncryption"),
        Self("sha384WithRSAEncryption"),
        Self("sha512WithRSAEncryption"),
        Self("rsassaPss"),
        Self("ecdsa-with-SHA256"),
        Self("ecdsa-with-SHA384"),
        Self("ecdsa-with-SHA512"),
        Self("ED25519"),
        Self("ED448"),
    ];

    /// The algorithm of this name, in any case of its letters.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.0.eq_ignore_ascii_case(name))
    }

    /// The name, as `openssl x509 -text` prints it.
    pub fn name(self) -> &'static str {
        self.0
    }
}

/// What on a path, leaf first and anchor last, is weaker than the settings ask for.
pub(super) fn problems(chain: &[X509], settings: &VerificationSettings) -> Vec<(PathError, String)> {
    let asks_keys = settings.min_rsa_bits > LEAST_RSA_BITS || settings.min_ec_bits > LEAST_EC_BITS;
    let mut problems = Vec::new();
    for (depth, certificate) in (0..).zip(chain) {
        let last = usize::try_from(depth).is_ok_and(|at: usize| at + 1 == chain.len());
        let key = if asks_keys { key_problem(certificate, settings) } else { None };
        let code = if depth == 0 { LEAF_KEY_TOO_WEAK } else { CA_KEY_TOO_WEAK };
        problems.extend(key.map(|problem| (code, problem)).map(|found| at(depth, found)));
        let signature = if last { None } else { signature_problem(certificate, settings) };
        problems.extend(signature.map(|problem| at(depth, (SIGNATURE_TOO_WEAK, problem))));
    }
    problems
}

fn at(depth: u32, (code, problem): (i32, String)) -> (PathError, String) {
    (PathError { code, depth }, format!("the certificate at depth {depth} {problem}"))
}

/// What is wrong with a key, in words that follow "the certificate".
pub(crate) fn key_problem(certificate: &X509Ref, settings: &VerificationSettings) -> Option<String> {
    let Ok(key) = certificate.public_key() else { return Some("has a public key that OpenSSL cannot read".into()) };
    let (kind, bits, least) = match key.id() {
        Id::RSA | Id::RSA_PSS => ("an RSA key", key.bits(), settings.min_rsa_bits),
        Id::EC => ("an elliptic-curve key", key.bits(), settings.min_ec_bits),
        Id::ED25519 => ("an Ed25519 key", 256, settings.min_ec_bits),
        Id::ED448 => ("an Ed448 key", 448, settings.min_ec_bits),
        _ => return Some("has a key of a kind that is not accepted".into()),
    };
    (bits < least).then(|| format!("has {kind} of {bits} bits; at least {least} are asked for"))
}

fn signature_problem(certificate: &X509Ref, settings: &VerificationSettings) -> Option<String> {
    let accepted = settings.signature_algorithms.as_ref()?;
    let name = certificate.signature_algorithm().object().to_string();
    let known = accepted.iter().any(|algorithm| algorithm.name() == name);
    (!known).then(|| format!("is signed with {name}, which is not one of the accepted algorithms"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_openssls() {
        for algorithm in SignatureAlgorithm::ALL {
            let object = openssl::asn1::Asn1Object::from_str(algorithm.name()).unwrap();
            assert_eq!(object.to_string(), algorithm.name());
            assert_eq!(SignatureAlgorithm::parse(&algorithm.name().to_lowercase()), Some(algorithm));
        }
        for weak in ["sha1WithRSAEncryption", "ecdsa-with-SHA1", "md5WithRSAEncryption", "", "RS256"] {
            assert_eq!(SignatureAlgorithm::parse(weak), None, "{weak}");
        }
    }
}
