//! Header bytes to certificate, remembered: the same bytes always decode to the same certificate.

use std::sync::Arc;

use quick_cache::sync::Cache;
use sha2::{Digest, Sha256};

use super::PresentedCertificate;
use super::{escaped_pem, recent};
use crate::refusal::{Refusal, Refused};
use crate::x509::certificate::Certificate;

/// Decodes certificate headers, with a bounded memory of the last ones. Decoding depends on the bytes alone, so what is
/// remembered never grows stale. Failures are not remembered.
pub struct CertificateDecoder {
    known: Option<Cache<[u8; 32], Arc<PresentedCertificate>>>,
}

impl CertificateDecoder {
    /// A decoder that remembers this many headers; 0 remembers none.
    pub fn new(entries: usize) -> Self {
        Self { known: (entries > 0).then(|| Cache::new(entries)) }
    }

    /// Decodes a header value of at most `limit` bytes.
    ///
    /// # Errors
    /// The `CertificateHeader…` refusals and [`Refusal::CertificateMalformed`].
    pub fn decode(&self, value: &[u8], limit: usize) -> Result<Arc<PresentedCertificate>, Refused> {
        if value.is_empty() {
            return Err(Refused::new(Refusal::CertificateHeaderEmpty, "the certificate header is empty"));
        }
        if value.len() > limit {
            let cause = format!("the certificate header has {} bytes; {limit} are allowed", value.len());
            return Err(Refused::new(Refusal::CertificateHeaderTooLarge, cause));
        }
        let Some(known) = &self.known else { return read(value) };
        if let Some(certificate) = recent::find(value) {
            return Ok(certificate);
        }
        let key: [u8; 32] = Sha256::digest(value).into();
        let certificate = match known.get(&key) {
            Some(certificate) => certificate,
            None => {
                let certificate = read(value)?;
                known.insert(key, Arc::clone(&certificate));
                certificate
            }
        };
        recent::keep(value, &certificate);
        Ok(certificate)
    }
}

fn read(value: &[u8]) -> Result<Arc<PresentedCertificate>, Refused> {
    let mut certificates = escaped_pem::decode(value)?.into_iter().enumerate().map(|(position, der)| {
        Certificate::from_der(&der).map_err(|why| {
            Refused::new(Refusal::CertificateMalformed, format!("certificate {} of the header: {why}", position + 1))
        })
    });
    let leaf = certificates
        .next()
        .unwrap_or_else(|| Err(Refused::new(Refusal::CertificateHeaderEmpty, "the certificate header holds no certificate")))?;
    let chain = certificates.collect::<Result<Vec<_>, _>>()?;
    Ok(Arc::new(PresentedCertificate::new(leaf, chain)))
}
