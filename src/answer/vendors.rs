//! The sentences of others, for clients that know them.

use crate::refusal::Refusal;

/// Kong's two sentences about certificates (plugins mtls-auth and header-cert-auth).
const KONG_NO_CERTIFICATE: &str = "No required TLS certificate was sent";
const KONG_BAD_CERTIFICATE: &str = "TLS certificate failed verification";
/// And that of its plugin acl.
const KONG_GROUP_DENIED: &str = "You cannot consume this service";

/// Zuplo's of its policy mtls-auth-inbound, as far as they say nothing of the cause.
const ZUPLO_NO_CERTIFICATE: &str = "Client mTLS verification failed. No client certificate was presented.";
const ZUPLO_BAD_CERTIFICATE: &str = "Client mTLS verification failed. The reverse proxy rejected the client certificate.";

/// What a refusal is in the eyes of both.
enum Seen {
    Absent,
    Rejected,
    Else,
}

fn seen(refusal: Refusal) -> Seen {
    match refusal {
        Refusal::CertificateRequired => Seen::Absent,
        Refusal::CertificateUnacceptable
        | Refusal::CertificateUntrusted
        | Refusal::CertificatePathBudget
        | Refusal::CertificatePurpose
        | Refusal::CertificateRevoked
        | Refusal::RevocationUnknown
        | Refusal::CertificateExpired
        | Refusal::CertificateNotYetValid
        | Refusal::CertificateMalformed
        | Refusal::CertificateDenied
        | Refusal::CertificateNotRegistered
        | Refusal::CertificateProfile
        | Refusal::ConsumerUnknown
        | Refusal::ForwardedVerdictFailed => Seen::Rejected,
        _ => Seen::Else,
    }
}

pub(super) fn kong(refusal: Refusal) -> &'static str {
    match seen(refusal) {
        Seen::Absent => KONG_NO_CERTIFICATE,
        Seen::Rejected => KONG_BAD_CERTIFICATE,
        Seen::Else if refusal == Refusal::ConsumerGroupDenied => KONG_GROUP_DENIED,
        Seen::Else => refusal.sentence(),
    }
}

pub(super) fn zuplo(refusal: Refusal) -> &'static str {
    match seen(refusal) {
        Seen::Absent => ZUPLO_NO_CERTIFICATE,
        Seen::Rejected => ZUPLO_BAD_CERTIFICATE,
        Seen::Else => refusal.sentence(),
    }
}
