//! What a certificate passes by: a path to a CA, or its own thumbprint.

use super::{Identity, Policy, Waiver};
use crate::refusal::{Refusal, Refused};
use crate::verifier::{Reason, RevocationFinding, Thumbprint, ThumbprintVerification, ValidityFinding, Verification};

/// What a certificate passed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// A path to the trust anchor with this SHA-256.
    Ca([u8; 32]),
    /// The route has registered this very certificate or its key. Nobody vouches for what it says of its holder.
    Thumbprint(Thumbprint),
}

impl Basis {
    /// The word in logs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ca(_) => "ca",
            Self::Thumbprint(_) => "thumbprint",
        }
    }
}

/// Judges a registered certificate that does not pass along a path.
pub(super) fn judge_thumbprint(
    thumbprint: Option<&ThumbprintVerification>,
    verification: &Verification,
    policy: &Policy,
    refused: Refused,
) -> Result<Identity, Refused> {
    let Some(thumbprint) = thumbprint else { return Err(refused) };
    // To be registered asks nobody about revocation; a CA that the route trusts has answered all the same.
    if matches!(verification.revocation(), RevocationFinding::Revoked(reason) if reason.depth == 0) {
        return Err(refused);
    }
    let waived = if thumbprint.is_success() {
        Vec::new()
    } else if policy.allow_expired_certificates && thumbprint.is_exactly_expired() {
        vec![Waiver::Expired]
    } else {
        return Err(refused_for(thumbprint));
    };
    Ok(Identity { waived, basis: Basis::Thumbprint(thumbprint.by()), profile: None })
}

fn refused_for(thumbprint: &ThumbprintVerification) -> Refused {
    let refusal = match (thumbprint.unacceptable(), thumbprint.validity()) {
        (Some(_), _) | (None, ValidityFinding::Valid) => Refusal::CertificateUnacceptable,
        (None, ValidityFinding::Expired(_)) => Refusal::CertificateExpired,
        (None, ValidityFinding::NotYetValid(_) | ValidityFinding::Unreadable(_)) => Refusal::CertificateNotYetValid,
    };
    let mut causes = vec![format!("registered by {}, but", thumbprint.by().word())];
    causes.extend(thumbprint.errors().iter().map(|error| Reason { code: error.code, depth: error.depth }.to_string()));
    causes.extend(thumbprint.remarks().iter().cloned());
    Refused::new(refusal, causes.join("; ").replacen("but; ", "but ", 1))
}
