//! A certificate of ours and its key.

use std::fmt;
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use super::provider;
use crate::x509::certificate::Certificate;
use crate::x509::subject_alt_name::SubjectAltName;

/// A server certificate with the chain that is sent along, its key, and the names that it is for.
#[derive(Clone)]
pub struct ServerCertificate {
    pub(super) key: Arc<CertifiedKey>,
    names: Vec<String>,
}

impl ServerCertificate {
    /// Reads PEM: the certificate first, then the chain; and the key, not encrypted.
    ///
    /// # Errors
    /// Which of the two is wrong, what was found, and what is accepted. Nothing of the key.
    pub fn from_pem(certificates: &[u8], key: &[u8]) -> Result<Self, PemError> {
        let read = Self::of_any_name(certificates, key)?;
        if read.names.is_empty() {
            let found = "names no host: its subjectAltName has no dNSName".into();
            return Err(PemError { of_key: false, found, accepted: CERTIFICATE });
        }
        Ok(read)
    }

    /// The same for a listener that has one certificate for whatever name: it may name addresses alone.
    ///
    /// # Errors
    /// As those of [`ServerCertificate::from_pem`].
    pub fn of_any_name(certificates: &[u8], key: &[u8]) -> Result<Self, PemError> {
        let of_certificate = |found: String| PemError { of_key: false, found, accepted: CERTIFICATE };
        let chain = Certificate::from_pem_or_der(certificates).map_err(|why| of_certificate(format!("holds {why}")))?;
        let names = chain.first().map(dns_names).unwrap_or_default();
        let chain = chain.iter().map(|one| CertificateDer::from(one.der().to_vec())).collect();
        let key = private_key(key)?;
        let key = CertifiedKey::from_der(chain, key, &provider()).map_err(|why| match why {
            rustls::Error::InconsistentKeys(_) => of_key("is not the key of the certificate"),
            _ => of_key("is no key that a server can use: RSA from 2048 bits, P-256, P-384, P-521, Ed25519"),
        })?;
        Ok(Self { key: Arc::new(key), names })
    }

    /// Whether it is for a host, given in lower case. A wildcard stands for exactly one label (RFC 6125 §6.4.3).
    pub fn is_for(&self, host: &str) -> bool {
        let parent = host.split_once('.').map(|(_, parent)| parent);
        self.names.iter().any(|name| match name.strip_prefix("*.") {
            Some(below) => parent == Some(below),
            None => name == host,
        })
    }

    /// The names, lower case, as the certificate has them.
    pub fn names(&self) -> &[String] {
        &self.names
    }
}

const CERTIFICATE: &str = "a PEM file with the certificate, and below it its intermediates";

/// Why a server certificate or its key cannot be used.
#[derive(Debug)]
pub struct PemError {
    /// Whether it is about the key.
    pub of_key: bool,
    /// What was found.
    pub found: String,
    /// What is accepted.
    pub accepted: &'static str,
}

fn of_key(found: &str) -> PemError {
    PemError { of_key: true, found: found.to_owned(), accepted: "a PEM file with one private key, not encrypted" }
}

fn dns_names(certificate: &Certificate) -> Vec<String> {
    let names = certificate.subject_alt_names().unwrap_or_default();
    let dns = names.iter().filter_map(|name| match name {
        SubjectAltName::Dns(name) => Some(name.to_ascii_lowercase()),
        _ => None,
    });
    dns.collect()
}

fn private_key(text: &[u8]) -> Result<PrivateKeyDer<'static>, PemError> {
    // The reader's own words could hold a piece of the file.
    let blocks = pem::parse_many(text).map_err(|_| of_key("is not PEM"))?;
    if blocks.iter().any(|block| block.tag() == "ENCRYPTED PRIVATE KEY" || block.headers().get("DEK-Info").is_some()) {
        return Err(of_key("is encrypted, and nobody is there to type its password"));
    }
    let mut keys = blocks.into_iter().filter_map(|block| match block.tag() {
        "PRIVATE KEY" => Some(PrivateKeyDer::Pkcs8(block.into_contents().into())),
        "EC PRIVATE KEY" => Some(PrivateKeyDer::Sec1(block.into_contents().into())),
        "RSA PRIVATE KEY" => Some(PrivateKeyDer::Pkcs1(block.into_contents().into())),
        _ => None,
    });
    match (keys.next(), keys.next()) {
        (Some(key), None) => Ok(key),
        (None, _) => Err(of_key("holds no private key")),
        (Some(_), Some(_)) => Err(of_key("holds more than one private key")),
    }
}

impl fmt::Debug for ServerCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerCertificate").field("names", &self.names).finish_non_exhaustive()
    }
}
