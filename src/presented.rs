//! Which certificate did the front door forward?
//!
//! **Enters:** an [`AuthenticatedForward`]. **Leaves:** a [`Presentation`]: a certificate decoded completely, or none, and what
//! the front door said about it. Nothing here is about trust.
//!
//! 1. What the front door says in words is of its format: else [`ForwardedVerdictUnknown`].
//! 2. There is no certificate, and the front door says so; or there is one, within its limit, in its format and nothing but
//!    that: else [`CertificateWithheld`], one of the `CertificateHeader…` refusals or [`CertificateMalformed`]. Other
//!    certificates are untrusted intermediates, in any order; one that cannot be read refuses the request, since nobody sends
//!    such by accident.
//! 3. Verdict and certificate do not contradict each other, and every field that is forwarded is the certificate's: else
//!    [`ForwardedVerdictContradicts`], [`ForwardedDnMismatch`], [`ForwardedFieldMismatch`], or a note where the front door is
//!    configured to report only.
//!
//! [`ForwardedVerdictUnknown`]: crate::refusal::Refusal::ForwardedVerdictUnknown
//! [`CertificateWithheld`]: crate::refusal::Refusal::CertificateWithheld
//! [`CertificateMalformed`]: crate::refusal::Refusal::CertificateMalformed
//! [`ForwardedVerdictContradicts`]: crate::refusal::Refusal::ForwardedVerdictContradicts
//! [`ForwardedDnMismatch`]: crate::refusal::Refusal::ForwardedDnMismatch
//! [`ForwardedFieldMismatch`]: crate::refusal::Refusal::ForwardedFieldMismatch
//!
//! Which format is data ([`Format`](crate::front_door::Format)); each codec is a file of `codec`.

mod carried;
mod codec;
mod decoder;
mod forwarded;
mod recent;
mod verdict;

use std::borrow::Cow;
use std::sync::Arc;

use crate::clock::UnixTime;
use crate::front_door::{AuthenticatedForward, ContractHeader, ForwardedMismatch};
use crate::refusal::Refused;
use crate::variables::{CertificateVariable, CertificateVariables, Moment, Scalar};
use crate::x509::certificate::Certificate;

use verdict::Said;

pub use codec::{
    Ders, Encoded, MAX_CHAIN, decode_base64_der, decode_base64_pem, decode_byte_sequence, decode_byte_sequences,
    decode_concatenated_der, decode_escaped_pem, decode_escaped_pem_bodies, decode_pem_bodies, decode_spaced_pem, decode_xfcc,
    decode_xfcc_json,
};
pub use decoder::CertificateDecoder;
pub use verdict::ForwardedVerdict;

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
        let format = &door.format;
        let said = Said::read(contract, format.verdict)?;
        let certificate = match carried::headers(contract, format, &said)? {
            Some(carried) => {
                let encoded = Encoded { codec: format.codec, leaf: carried.leaf, chain: &carried.chain };
                Some(decoder.decode(&encoded, door.certificate_header_max)?)
            }
            None => None,
        };
        let mut presentation = Self {
            certificate,
            verdict: said.verdict.clone(),
            signature_algorithm: forwarded::signature_algorithm(contract.get(ContractHeader::SignatureAlgorithm))?,
            notes: Vec::new(),
        };
        for refused in forwarded::contradictions(&presentation, contract, format, &said) {
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
