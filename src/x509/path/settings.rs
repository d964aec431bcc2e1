//! What a verification is asked to check.

use sha2::{Digest, Sha256};

use super::strength::SignatureAlgorithm;
use crate::x509::lint::Allowances;
use crate::x509::openssl_ffi::PathError;

/// What the certificate is to be used for (extended key usage, RFC 5280 §4.2.1.12).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Purpose {
    /// Any use: extended key usage is not looked at.
    Any,
    /// TLS client authentication.
    #[default]
    Client,
    /// TLS server authentication.
    Server,
}

/// How much must be known about revocation. Kong's words (`revocation_check_mode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum RevocationCheckMode {
    /// Not checked.
    Skip,
    /// A revoked certificate is refused; one whose status cannot be had is not.
    #[default]
    IgnoreCaError,
    /// A status that cannot be had refuses too.
    Strict,
}

/// The policy inputs of RFC 5280 §6.1.1 (c) to (g).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PolicyInputs {
    initial_set: Vec<String>,
    /// The path must be valid for at least one of the initial policies.
    pub explicit: bool,
    /// Policy mapping is not allowed.
    pub inhibit_mapping: bool,
    /// anyPolicy counts for nothing.
    pub inhibit_any: bool,
}

/// anyPolicy. It must be added by name: with no policy at all OpenSSL refuses every path that requires an explicit one.
const ANY_POLICY: &str = "2.5.29.32.0";

impl PolicyInputs {
    /// The inputs with an initial policy set; an empty set means anyPolicy.
    ///
    /// # Errors
    /// The first text that is not a dotted object identifier.
    pub fn build(initial_set: &[String]) -> Result<Self, String> {
        match initial_set.iter().find(|policy| !is_dotted_oid(policy)) {
            Some(bad) => Err(bad.clone()),
            None if initial_set.is_empty() => Ok(Self::default()),
            None => Ok(Self { initial_set: initial_set.to_vec(), ..Self::default() }),
        }
    }

    /// The initial policy set, dotted.
    pub fn initial_set(&self) -> &[String] {
        &self.initial_set
    }
}

impl Default for PolicyInputs {
    fn default() -> Self {
        Self { initial_set: vec![ANY_POLICY.into()], explicit: false, inhibit_mapping: false, inhibit_any: false }
    }
}

fn is_dotted_oid(text: &str) -> bool {
    let numeric = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    numeric && openssl::asn1::Asn1Object::from_str(text).is_ok()
}

/// What a verification is asked to check. The default is the server's.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct VerificationSettings {
    /// What the certificate is to be used for.
    pub purpose: Purpose,
    /// Most intermediates between end entity and anchor.
    pub max_path_length: u32,
    /// Most certificates that a peer may present beside its own.
    pub max_presented: usize,
    /// How much must be known about revocation.
    pub revocation_check_mode: RevocationCheckMode,
    /// With [`RevocationCheckMode::IgnoreCaError`], a CRL past its nextUpdate does not refuse.
    pub allow_stale_crl: bool,
    /// Certificate policies.
    pub policy: PolicyInputs,
    /// X.509 version 1 end entities.
    pub allow_v1: bool,
    /// Ed448 keys in what was presented.
    pub allow_ed448: bool,
    /// End entities that do not say what they are for: no extended key usage (RFC 5280 §4.2.1.12 lets them be for anything).
    pub allow_missing_eku: bool,
    /// End entities whose qcStatements (RFC 3739 §3.2.6) are critical. OpenSSL does not read them; we do.
    pub allow_critical_qc_statements: bool,
    /// The least bits of an RSA key, anywhere on the path. Below [`LEAST_RSA_BITS`] nothing is accepted.
    pub min_rsa_bits: u32,
    /// The least bits of an elliptic-curve key, anywhere on the path; Ed25519 counts as 256, Ed448 as 448.
    pub min_ec_bits: u32,
    /// The algorithms that certificates below the anchor may be signed with; none asks no more than OpenSSL's security level 2.
    pub signature_algorithms: Option<Vec<SignatureAlgorithm>>,
}

/// Factoring of shorter moduli is in reach. OpenSSL's security level 2 and our own lints hold it too: no setting goes below.
pub const LEAST_RSA_BITS: u32 = 2048;
/// P-256 and Ed25519, the smallest curves that are accepted.
pub const LEAST_EC_BITS: u32 = 256;

impl Default for VerificationSettings {
    fn default() -> Self {
        Self {
            purpose: Purpose::default(),
            max_path_length: 8,
            max_presented: 10,
            revocation_check_mode: RevocationCheckMode::default(),
            allow_stale_crl: false,
            policy: PolicyInputs::default(),
            allow_v1: false,
            allow_ed448: false,
            allow_missing_eku: false,
            allow_critical_qc_statements: false,
            min_rsa_bits: LEAST_RSA_BITS,
            min_ec_bits: LEAST_EC_BITS,
            signature_algorithms: None,
        }
    }
}

/// Settings with their hash, made once: every look-up of a remembered verification needs it.
#[derive(Debug, Clone)]
pub struct IdentifiedSettings {
    settings: VerificationSettings,
    identity: [u8; 32],
}

impl From<VerificationSettings> for IdentifiedSettings {
    fn from(settings: VerificationSettings) -> Self {
        Self { identity: settings.identity(), settings }
    }
}

impl IdentifiedSettings {
    /// The settings.
    pub fn settings(&self) -> &VerificationSettings {
        &self.settings
    }

    /// [`VerificationSettings::identity`].
    pub fn identity(&self) -> &[u8; 32] {
        &self.identity
    }
}

impl VerificationSettings {
    /// A hash over every setting: equal for equal settings.
    pub fn identity(&self) -> [u8; 32] {
        // `Debug` of plain data prints every field with its name, and a new field joins by itself.
        Sha256::digest(format!("{self:?}").as_bytes()).into()
    }

    /// Whether the revocation mode lets an error pass, as "status unknown". An allow list: 3 no CRL, 33 no certificate of the
    /// CRL's issuer, 73 to 75 no OCSP answer or one that does not know the certificate, and by its own switch 12 CRL expired.
    pub(crate) fn tolerates(&self, error: PathError) -> bool {
        let soft = self.revocation_check_mode == RevocationCheckMode::IgnoreCaError;
        soft && (matches!(error.code, 3 | 33 | 73..=75) || (error.code == 12 && self.allow_stale_crl))
    }

    pub(crate) fn allowances(&self) -> Allowances {
        Allowances { version_1: self.allow_v1, ed448: self.allow_ed448 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_are_dotted_numbers() {
        assert!(PolicyInputs::build(&["1.2.3".into()]).is_ok());
        assert_eq!(PolicyInputs::build(&[]).unwrap(), PolicyInputs::default());
        for bad in ["", "commonName", "1", "1.2.x", "9.9.9"] {
            assert!(PolicyInputs::build(&[bad.into()]).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_listed_errors_are_tolerated_and_only_in_soft_mode() {
        let settings = |mode, stale| VerificationSettings {
            revocation_check_mode: mode,
            allow_stale_crl: stale,
            ..VerificationSettings::default()
        };
        for code in 1..=100 {
            let error = PathError { code, depth: 0 };
            let soft = settings(RevocationCheckMode::IgnoreCaError, false).tolerates(error);
            assert_eq!(soft, [3, 33, 73, 74, 75].contains(&code), "{code}");
            assert_eq!(settings(RevocationCheckMode::IgnoreCaError, true).tolerates(error), soft || code == 12);
            assert!(!settings(RevocationCheckMode::Strict, true).tolerates(error));
            assert!(!settings(RevocationCheckMode::Skip, true).tolerates(error));
        }
    }

    #[test]
    fn identity_follows_every_setting() {
        let standard = VerificationSettings::default();
        assert_eq!(standard.identity(), VerificationSettings::default().identity());
        let other = VerificationSettings { allow_stale_crl: true, ..VerificationSettings::default() };
        assert_ne!(standard.identity(), other.identity());
    }
}
