//! Asks for a client certificate, and believes one thing alone: that the client holds its key.

use std::fmt;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::{CertificateDer, SubjectPublicKeyInfoDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, PeerMisbehaved, SignatureScheme};
use webpki::RawPublicKeyEntity;

use crate::x509::certificate::Certificate;

/// Takes every certificate that can be read, and checks the signature of `CertificateVerify` (RFC 8446 §4.4.3,
/// RFC 5246 §7.4.8) with its key. Certificates that rustls' own verifier would not read (version 1, unknown critical
/// extensions) come through: they are refused later, by name.
pub(super) struct PossessionOnly {
    algorithms: WebPkiSupportedAlgorithms,
    ca_names: Vec<DistinguishedName>,
}

impl PossessionOnly {
    /// One that tells clients these names of CAs (`certificate_authorities`); none means any.
    pub(super) fn new(algorithms: WebPkiSupportedAlgorithms, ca_names: Vec<DistinguishedName>) -> Self {
        Self { algorithms, ca_names }
    }

    fn check(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
        most_algorithms: usize,
    ) -> Result<HandshakeSignatureValid, Error> {
        let certificate = read(certificate)?;
        let spki = certificate.spki().map_err(|_| Error::InvalidCertificate(CertificateError::BadEncoding))?;
        let spki = SubjectPublicKeyInfoDer::from(spki);
        let bad = |_| Error::InvalidCertificate(CertificateError::BadSignature);
        let key = RawPublicKeyEntity::try_from(&spki).map_err(bad)?;
        let known = self.algorithms.mapping.iter().find(|(scheme, _)| *scheme == signed.scheme);
        let (_, candidates) = known.ok_or(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme)?;
        let fits = |candidate: &&_| key.verify_signature(**candidate, message, signed.signature()).is_ok();
        match candidates.iter().take(most_algorithms).find(|candidate| fits(candidate)) {
            Some(_) => Ok(HandshakeSignatureValid::assertion()),
            None => Err(Error::InvalidCertificate(CertificateError::BadSignature)),
        }
    }
}

fn read(certificate: &CertificateDer<'_>) -> Result<Certificate, Error> {
    Certificate::from_der(certificate).map_err(|_| Error::InvalidCertificate(CertificateError::BadEncoding))
}

/// TLS 1.3 names the curve with the scheme, and knows neither SHA-1 nor PKCS #1 here (RFC 8446 §4.2.3).
fn is_of_tls13(scheme: SignatureScheme) -> bool {
    matches!(
        scheme,
        SignatureScheme::ECDSA_NISTP256_SHA256
            | SignatureScheme::ECDSA_NISTP384_SHA384
            | SignatureScheme::ECDSA_NISTP521_SHA512
            | SignatureScheme::RSA_PSS_SHA256
            | SignatureScheme::RSA_PSS_SHA384
            | SignatureScheme::RSA_PSS_SHA512
            | SignatureScheme::ED25519
    )
}

impl ClientCertVerifier for PossessionOnly {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.ca_names
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        read(end_entity).map(|_| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.check(message, certificate, signed, usize::MAX)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if !is_of_tls13(signed.scheme) {
            return Err(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme.into());
        }
        // The first one is the scheme's own curve; the others are what TLS 1.2 leaves open.
        self.check(message, certificate, signed, 1)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl fmt::Debug for PossessionOnly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PossessionOnly").field("ca_names", &self.ca_names.len()).finish_non_exhaustive()
    }
}
