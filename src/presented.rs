//! Which certificate did the front door forward?
//!
//! **Enters:** an [`AuthenticatedForward`]. **Leaves:** a [`Presentation`]: a certificate decoded completely, or none, and what
//! the front door said about it. Nothing here is about trust.
//!
//! 1. The certificate header is within its limit, `%XX`-encoded, PEM and nothing but PEM; the first certificate is the
//!    client's, the others are untrusted intermediates: else one of the `CertificateHeader…` refusals or
//!    [`CertificateMalformed`](crate::refusal::Refusal::CertificateMalformed).
//! 2. The forwarded verdict is `SUCCESS`, `FAILED`, `FAILED:reason` or `NONE`: else [`ForwardedVerdictUnknown`](crate::refusal::Refusal::ForwardedVerdictUnknown).
//! 3. Verdict and certificate do not contradict each other, and a forwarded DN is the certificate's: else
//!    [`ForwardedVerdictContradicts`](crate::refusal::Refusal::ForwardedVerdictContradicts), [`ForwardedDnMismatch`](crate::refusal::Refusal::ForwardedDnMismatch), or a note where the front door is configured
//!    to report only.
//!
//! Header format: nginx `$ssl_client_escaped_cert`, Auth0 "Set up the customer edge".

mod decoder;
mod escaped_pem;
mod forwarded;
mod recent;

use std::borrow::Cow;
use std::sync::Arc;

use crate::clock::UnixTime;
use crate::front_door::{AuthenticatedForward, ForwardedMismatch};
use crate::refusal::Refused;
use crate::variables::{CertificateVariable, CertificateVariables, Moment, Scalar};
use crate::x509::certificate::Certificate;

pub use decoder::CertificateDecoder;
pub use escaped_pem::{MAX_CHAIN, decode as decode_escaped_pem};
pub use forwarded::ForwardedVerdict;

/// A forwarded certificate: the leaf, the untrusted certificates that came with it, and the leaf's variables.
pub struct PresentedCertificate {
    leaf: Arc<Certificate>,
    chain: Vec<Certificate>,
    variables: CertificateVariables,
}

impl PresentedCertificate {
    fn new(leaf: Certificate, chain: Vec<Certificate>) -> Self {
        let leaf = Arc::new(leaf);
        Self { variables: CertificateVariables::of(Arc::clone(&leaf)), leaf, chain }
    }

    /// The client's certificate.
    pub fn leaf(&self) -> &Certificate {
        &self.leaf
    }

    /// What else was in the header: candidates for the path, in any order, not trusted.
    pub fn chain(&self) -> &[Certificate] {
        &self.chain
    }

    /// A variable that follows from the certificate alone.
    fn text(&self, scalar: Scalar) -> Cow<'_, str> {
        let moment = Moment { verify: "", sigalg: "", now: UnixTime(0) };
        self.variables.text(&CertificateVariable::Scalar(scalar), &moment)
    }

    /// The subject as nginx prints it.
    pub fn subject(&self) -> Cow<'_, str> {
        self.text(Scalar::SDn)
    }

    /// The variables that follow from the certificate alone.
    pub fn variables(&self) -> &CertificateVariables {
        &self.variables
    }
}

/// What the front door presented.
///
/// Without an authenticated forward there is none that holds a certificate:
///
/// ```compile_fail
/// use vestibule::presented::Presentation;
/// fn another(presentation: Presentation) -> Presentation {
///     Presentation { verdict: None, ..presentation }
/// }
/// ```
///
/// ```
/// use vestibule::presented::{CertificateDecoder, Presentation};
/// use vestibule::{front_door::AuthenticatedForward, refusal::Refused};
/// fn another(forward: &AuthenticatedForward, decoder: &CertificateDecoder) -> Result<Presentation, Refused> {
///     Presentation::read(forward, decoder)
/// }
/// ```
pub struct Presentation {
    certificate: Option<Arc<PresentedCertificate>>,
    verdict: Option<ForwardedVerdict>,
    signature_algorithm: String,
    notes: Vec<Refused>,
}

impl Presentation {
    /// Decodes what an authenticated front door forwarded.
    ///
    /// # Errors
    /// The refusals of the module's list.
    pub fn read(forward: &AuthenticatedForward, decoder: &CertificateDecoder) -> Result<Self, Refused> {
        let (contract, door) = (forward.contract(), forward.domain().front_door());
        if let Some(peer) = forward.handshake() {
            return Ok(Self { certificate: decoder.of_handshake(&peer.certificates)?, ..Self::ignored() });
        }
        let verdict = contract.verdict().map(ForwardedVerdict::parse).transpose()?;
        let header = contract.certificate().filter(|value| !forwarded::is_absent(value, verdict.as_ref()));
        let certificate = header.map(|value| decoder.decode(value.as_bytes(), door.certificate_header_max)).transpose()?;
        let mut presentation = Self {
            certificate,
            verdict,
            signature_algorithm: forwarded::signature_algorithm(contract.signature_algorithm())?,
            notes: Vec::new(),
        };
        for refused in forwarded::contradictions(&presentation, contract) {
            match door.forwarded_mismatch {
                ForwardedMismatch::Refuse => return Err(refused),
                ForwardedMismatch::Report => presentation.notes.push(refused),
            }
        }
        Ok(presentation)
    }

    /// A request on a route that looks at no certificate.
    pub fn ignored() -> Self {
        Self { certificate: None, verdict: None, signature_algorithm: String::new(), notes: Vec::new() }
    }

    /// The certificate, when there is one.
    pub fn certificate(&self) -> Option<&Arc<PresentedCertificate>> {
        self.certificate.as_ref()
    }

    /// The front door's verdict, when it sent one.
    pub fn verdict(&self) -> Option<&ForwardedVerdict> {
        self.verdict.as_ref()
    }

    /// The forwarded signature scheme of the handshake; empty when it was not forwarded.
    pub fn signature_algorithm(&self) -> &str {
        &self.signature_algorithm
    }

    /// Disagreements that the front door is configured to report only.
    pub fn notes(&self) -> &[Refused] {
        &self.notes
    }
}
