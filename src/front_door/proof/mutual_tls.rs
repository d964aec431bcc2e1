//! The front door shows a certificate of its own to our TLS listener.
//!
//! rustls has seen that it holds the key. Here it is looked at whose certificate that is, and at its dates, with every request:
//! a connection may outlive them.

use std::collections::BTreeSet;
use std::sync::Arc;

use quick_cache::sync::Cache;
use sha2::{Digest, Sha256};

use crate::clock::UnixTime;
use crate::refusal::{Refusal, Refused};
use crate::request_head::TlsPeer;
use crate::verifier::cache::CachedVerifier;
use crate::verifier::{IdentifiedSettings, TrustedCas};
use crate::x509::certificate::Certificate;
use crate::x509::ocsp_answers::OcspAnswers;
use crate::x509::subject_alt_name::SubjectAltName;
use crate::x509::time::unix_time;

/// Which certificates a front door may have.
pub struct MutualTls {
    pinned: Vec<Pin>,
    issued: Option<Issued>,
    /// A front door shows the same certificates again and again.
    read: Cache<[u8; 32], Arc<Vec<Certificate>>>,
}

/// One certificate, or every certificate of one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pin {
    /// SHA-256 of the certificate.
    Sha256([u8; 32]),
    /// SHA-256 of its SubjectPublicKeyInfo: also the next certificate for the same key.
    SpkiSha256([u8; 32]),
}

/// Certificates of a CA, for one of these names.
pub struct Issued {
    /// The CAs.
    pub trust: Arc<TrustedCas>,
    /// Host names, lower case. A dNSName of the certificate is one of them, letter for letter: a wildcard stands for itself.
    pub names: BTreeSet<String>,
    /// How paths are judged.
    pub settings: IdentifiedSettings,
    /// Remembers verdicts.
    pub verifier: CachedVerifier,
    /// No responder is asked about front doors: there are none. Lists count, those of files and those that were fetched.
    pub answers: OcspAnswers,
}

/// Certificates that are remembered of a front door: its processes, and those that follow them.
pub const REMEMBERED: usize = 64;

impl MutualTls {
    /// Certificates by pins, by a CA, or by either. None when there is neither: everybody would be this front door.
    pub fn new(pinned: Vec<Pin>, issued: Option<Issued>) -> Option<Self> {
        (!pinned.is_empty() || issued.is_some()).then(|| Self { pinned, issued, read: Cache::new(REMEMBERED) })
    }

    /// The certificate of a connection is one of them, now.
    pub(super) fn prove(&self, peer: Option<&TlsPeer>, now: UnixTime) -> Result<(), Refused> {
        let missing = |why: &str| Refused::new(Refusal::FrontDoorCertificateMissing, why);
        let wrong = |why: &str| Refused::new(Refusal::FrontDoorCertificateWrong, why);
        let peer = peer.ok_or_else(|| missing("the connection has no TLS"))?;
        if peer.certificates.is_empty() {
            return Err(missing("the front door showed no certificate"));
        }
        let certificates = self.certificates(peer).map_err(|why| wrong(&why))?;
        let (leaf, chain) = certificates.split_first().ok_or_else(|| missing("the front door showed no certificate"))?;
        if self.pinned.iter().any(|pin| pin.fits(leaf)) {
            return if holds(leaf, now) { Ok(()) } else { Err(wrong("the pinned certificate is out of its dates")) };
        }
        let Some(issued) = &self.issued else {
            return Err(wrong(&format!("no certificate of the front door has the SHA-256 {}", hex::encode(leaf.sha256()))));
        };
        issued.prove(leaf, chain, now).map_err(|why| wrong(&why))
    }

    fn certificates(&self, peer: &TlsPeer) -> Result<Arc<Vec<Certificate>>, String> {
        let mut digest = Sha256::new();
        for der in &peer.certificates {
            digest.update(der.len().to_be_bytes());
            digest.update(der);
        }
        let key: [u8; 32] = digest.finalize().into();
        if let Some(known) = self.read.get(&key) {
            return Ok(known);
        }
        let read = peer.certificates.iter().map(|der| Certificate::from_der(der).map_err(|why| why.to_string()));
        let read = Arc::new(read.collect::<Result<Vec<_>, _>>()?);
        self.read.insert(key, Arc::clone(&read));
        Ok(read)
    }
}

impl Pin {
    fn fits(self, leaf: &Certificate) -> bool {
        match self {
            Self::Sha256(digest) => *leaf.sha256() == digest,
            Self::SpkiSha256(digest) => *leaf.spki_sha256() == digest,
        }
    }
}

impl Issued {
    fn prove(&self, leaf: &Certificate, chain: &[Certificate], now: UnixTime) -> Result<(), String> {
        let verification = self.verifier.verify(leaf, chain, &self.trust, &self.answers, &self.settings, now);
        if !verification.is_success() {
            return Err(format!("the front door's certificate: {}", verification.text()));
        }
        let names = leaf.subject_alt_names().map_err(|why| why.to_string())?;
        let known = |name: &SubjectAltName| matches!(name, SubjectAltName::Dns(name) if self.names.contains(&name.to_ascii_lowercase()));
        if names.iter().any(known) { Ok(()) } else { Err("the front door's certificate has none of the names".into()) }
    }
}

/// notAfter is exclusive to the second, as everywhere here.
fn holds(leaf: &Certificate, now: UnixTime) -> bool {
    let x509 = leaf.openssl();
    let begun = unix_time(x509.not_before()).is_some_and(|begin| begin <= now);
    begun && unix_time(x509.not_after()).is_some_and(|end| now < end)
}

impl std::fmt::Debug for MutualTls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MutualTls").field("pinned", &self.pinned).field("by_ca", &self.issued.is_some()).finish_non_exhaustive()
    }
}
