//! Certificate revocation lists (RFC 5280 §5) as OpenSSL reads them. Their signatures, scope and freshness are judged where
//! they are used, by `X509_verify_cert`; here a list only becomes a value.

use openssl::x509::{X509Crl, X509CrlRef};
use sha2::{Digest, Sha256};

use super::time::{boundaries_of, unix_time};

/// Why bytes are not a CRL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrlError(pub String);

/// One certificate revocation list, immutable.
pub struct Crl {
    openssl: X509Crl,
    sha256: [u8; 32],
}

impl Crl {
    /// Reads one DER list, the whole of the input.
    ///
    /// # Errors
    /// When OpenSSL cannot read it, when bytes follow it, or when its thisUpdate cannot be read.
    pub fn from_der(der: &[u8]) -> Result<Self, CrlError> {
        let openssl = X509Crl::from_der(der).map_err(|_| CrlError("OpenSSL cannot read it".into()))?;
        let written = openssl.to_der().map_err(|_| CrlError("OpenSSL cannot write it".into()))?;
        if written != der {
            return Err(CrlError("the bytes are more than one CRL, or not in DER".into()));
        }
        if unix_time(openssl.last_update()).is_none() {
            return Err(CrlError("its thisUpdate is not a time".into()));
        }
        Ok(Self { openssl, sha256: Sha256::digest(der).into() })
    }

    /// OpenSSL's view.
    pub fn openssl(&self) -> &X509CrlRef {
        &self.openssl
    }

    /// SHA-256 of the DER.
    pub fn sha256(&self) -> &[u8; 32] {
        &self.sha256
    }

    /// The seconds at which a verdict that used this list can change.
    pub(crate) fn boundaries(&self) -> Vec<i64> {
        boundaries_of([Some(self.openssl.last_update()), self.openssl.next_update()])
    }
}
