//! A certificate that OpenSSL and our own strict reader both accepted.

use std::fmt;
use std::sync::OnceLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openssl::x509::{X509, X509Ref};
use sha2::{Digest, Sha256};

use super::asn1_time::Asn1Time;
use super::der::DerError;
use super::ecdsa_twin;
use super::name::Name;
use super::serial::SerialNumber;
use super::subject_alt_name::{self, SUBJECT_ALT_NAME, SubjectAltName};
use super::tbs::Fields;

/// The largest certificate that is read. rustls-webpki has the same limit; real ones are a few KiB.
pub const MAX_DER_LENGTH: usize = 64 * 1024;

/// Why bytes are not a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateError(pub String);

impl fmt::Display for CertificateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for CertificateError {}

impl From<DerError> for CertificateError {
    fn from(error: DerError) -> Self {
        Self(format!("not strict DER: {error}"))
    }
}

/// One X.509 certificate, immutable; shared by `Arc`.
pub struct Certificate {
    der: Box<[u8]>,
    openssl: X509,
    version: u8,
    serial: SerialNumber,
    issuer: Name,
    not_before: Asn1Time,
    not_after: Asn1Time,
    subject: Name,
    subject_alt_names: Result<Vec<SubjectAltName>, DerError>,
    sha256: [u8; 32],
    spki_sha256: [u8; 32],
    sha1: OnceLock<[u8; 20]>,
}

impl Certificate {
    /// Reads one DER certificate, the whole of the input.
    ///
    /// OpenSSL takes it, writes the same bytes again, and our reader finds strict DER. Dates may be of any content: nginx
    /// shows them, and whether they are good is for path validation to say.
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        if der.len() > MAX_DER_LENGTH {
            return Err(CertificateError(format!("{} bytes, over the limit of {MAX_DER_LENGTH}", der.len())));
        }
        let openssl = X509::from_der(der).map_err(|_| CertificateError("not an X.509 certificate".into()))?;
        let again = openssl.to_der().map_err(|_| CertificateError("an X.509 certificate that cannot be written".into()))?;
        if again != der {
            return Err(CertificateError("not one X.509 certificate and nothing else".into()));
        }
        let fields = Fields::read(der)?;
        let time = |value| Asn1Time::from_tlv(value).ok_or(DerError::new("a date of another type than a time"));
        Ok(Self {
            der: der.into(),
            openssl,
            version: fields.version,
            serial: SerialNumber::from_content(fields.serial)?,
            issuer: Name::from_der(fields.issuer)?,
            not_before: time(fields.not_before)?,
            not_after: time(fields.not_after)?,
            subject: Name::from_der(fields.subject)?,
            subject_alt_names: subject_alt_names(&fields),
            sha256: Sha256::digest(der).into(),
            spki_sha256: Sha256::digest(fields.spki).into(),
            sha1: OnceLock::new(),
        })
    }

    /// Reads a file's content: every `CERTIFICATE` block of a PEM file, or else one DER certificate. Never empty.
    ///
    /// This is for files of the operator, which may carry text and keys too. A header's PEM is read elsewhere, strictly.
    pub fn from_pem_or_der(content: &[u8]) -> Result<Vec<Self>, CertificateError> {
        if memchr::memmem::find(content, b"-----BEGIN ").is_none() {
            return Self::from_der(content).map(|certificate| vec![certificate]);
        }
        let blocks = pem::parse_many(content).map_err(|error| CertificateError(format!("not PEM: {error}")))?;
        let blocks: Vec<_> = blocks.iter().filter(|block| block.tag() == "CERTIFICATE").collect();
        // The reader passes over a block without an end.
        if memchr::memmem::find_iter(content, b"-----BEGIN CERTIFICATE-----").count() != blocks.len() {
            return Err(CertificateError("a `CERTIFICATE` block that is not whole".into()));
        }
        if blocks.is_empty() {
            return Err(CertificateError("no `CERTIFICATE` block".into()));
        }
        blocks.into_iter().map(|block| Self::from_der(block.contents())).collect()
    }

    /// x509-parser's opinion. It refuses some dates and versions that OpenSSL takes; so it is asked by the lints, and not
    /// needed to print a certificate.
    pub fn second_opinion(&self) -> Result<(), String> {
        match x509_parser::parse_x509_certificate(&self.der) {
            Ok(([], _)) => Ok(()),
            Ok((rest, _)) => Err(format!("{} bytes follow the certificate", rest.len())),
            Err(error) => Err(error.to_string()),
        }
    }

    /// The bytes.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// OpenSSL's view.
    pub fn openssl(&self) -> &X509Ref {
        &self.openssl
    }

    /// SHA-256 of the forms that whoever holds it can give the certificate without its issuer: equal but for an ECDSA
    /// signature's second number.
    pub fn sha256_of_twins(&self) -> impl Iterator<Item = [u8; 32]> {
        ecdsa_twin::twins(&self.der).into_iter().map(|twin| Sha256::digest(twin).into())
    }

    /// SHA-256 of the DER.
    pub fn sha256(&self) -> &[u8; 32] {
        &self.sha256
    }

    /// SHA-1 of the DER: nginx's fingerprint, for display and never for trust.
    pub fn sha1(&self) -> &[u8; 20] {
        self.sha1.get_or_init(|| openssl::sha::sha1(&self.der))
    }

    /// SHA-256 of the SubjectPublicKeyInfo's DER.
    pub fn spki_sha256(&self) -> &[u8; 32] {
        &self.spki_sha256
    }

    /// The SubjectPublicKeyInfo's DER. Walks the certificate again: for what is asked once a certificate.
    pub fn spki(&self) -> Result<&[u8], DerError> {
        Fields::read(&self.der).map(|fields| fields.spki)
    }

    /// `x5t#S256` of RFC 8705 §3.1: SHA-256 of the DER in base64url without padding.
    pub fn x5t_s256(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.sha256)
    }

    /// 1, 2 or 3; greater if the certificate says so.
    pub fn version(&self) -> u8 {
        self.version
    }

    /// The subject.
    pub fn subject(&self) -> &Name {
        &self.subject
    }

    /// The issuer.
    pub fn issuer(&self) -> &Name {
        &self.issuer
    }

    /// The serial number.
    pub fn serial(&self) -> &SerialNumber {
        &self.serial
    }

    /// The first moment of validity.
    pub fn not_before(&self) -> &Asn1Time {
        &self.not_before
    }

    /// The last moment of validity.
    pub fn not_after(&self) -> &Asn1Time {
        &self.not_after
    }

    /// The alternative names, empty without the extension. An error if the extension is malformed or there are two: such a
    /// certificate can be printed, and must be refused.
    pub fn subject_alt_names(&self) -> Result<&[SubjectAltName], DerError> {
        self.subject_alt_names.as_deref().map_err(|&error| error)
    }

    /// The value of the extension with this identifier's content octets. An error if it stands there twice. Walks the
    /// certificate again: for what is asked once a certificate.
    pub fn extension(&self, oid: &[u8]) -> Result<Option<&[u8]>, DerError> {
        let extensions = Fields::read(&self.der)?.extensions;
        let mut found = extensions.iter().filter(|extension| extension.oid == oid).map(|extension| extension.value);
        match (found.next(), found.next()) {
            (_, Some(_)) => Err(DerError::new("an extension that stands twice")),
            (value, None) => Ok(value),
        }
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("subject", &self.subject.rfc2253())
            .field("sha256", &hex::encode(self.sha256))
            .finish()
    }
}

fn subject_alt_names(fields: &Fields<'_>) -> Result<Vec<SubjectAltName>, DerError> {
    let mut found = fields.extensions.iter().filter(|extension| extension.oid == SUBJECT_ALT_NAME);
    match (found.next(), found.next()) {
        (None, _) => Ok(Vec::new()),
        (Some(extension), None) => subject_alt_name::parse(extension.value),
        (Some(_), Some(_)) => Err(DerError::new("two subject alternative name extensions")),
    }
}

#[cfg(test)]
mod tests;
