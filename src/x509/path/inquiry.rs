//! What a fetch could still tell about a path.

use openssl::x509::X509;

use crate::x509::ocsp::CertId;

/// How much an answer is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Urgency {
    /// There is none that counts.
    Wanted,
    /// There is one, and it is time to ask for the next.
    Ageing,
}

/// One certificate whose status a fetch could tell. Its chain is sound up to a trusted anchor: what it names was written by a
/// CA that the route trusts, and not by whoever presents it.
#[derive(Debug, Clone)]
pub struct Inquiry {
    /// The certificate.
    pub certificate: X509,
    /// The next certificate on the path.
    pub issuer: X509,
    /// The certificate's identifier among OCSP answers.
    pub id: CertId,
    /// The place in the chain, 0 for the client's own.
    pub depth: u32,
    /// An OCSP answer; none when OCSP is not used for it, or a fresh answer is held.
    pub ocsp: Option<Urgency>,
    /// A revocation list; never [`Urgency::Ageing`], because lists are refreshed by whoever fetched them.
    pub list: Option<Urgency>,
}

/// For one verification.
const MOST_INQUIRIES: usize = 16;

/// Adds what is not asked already.
pub(super) fn add(inquiries: &mut Vec<Inquiry>, more: Vec<Inquiry>) {
    for inquiry in more {
        if inquiries.len() < MOST_INQUIRIES && inquiries.iter().all(|known| known.id != inquiry.id) {
            inquiries.push(inquiry);
        }
    }
}
