//! What of a tenant's trust ends soon.

use std::collections::HashMap;
use std::time::Duration;

use openssl::x509::X509Ref;

use super::{ExpiryWarning, Tenant};
use crate::clock::UnixTime;
use crate::x509::certificate::Certificate;
use crate::x509::trusted_ca::TrustedCas;

/// A client's certificate that is let through and ends soon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expiring {
    /// Its notAfter.
    pub end: UnixTime,
    /// The instant of the request.
    pub now: UnixTime,
}

/// A CA certificate that ends soon, or has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndingCa {
    /// SHA-256 of its DER.
    pub fingerprint: [u8; 32],
    /// Its subject, in the form of RFC 2253.
    pub subject: String,
    /// Its notAfter.
    pub end: UnixTime,
}

impl Tenant {
    /// The CA certificates, each once, that end within the time that a route asks to be warned for.
    pub fn ending_cas(&self, now: UnixTime) -> Vec<EndingCa> {
        let mut ending = Vec::new();
        for (trust, within) in self.trusted() {
            let warning = ExpiryWarning { within, header: None };
            ending.extend(trust.ends().filter(|(_, end)| warning.is_due(*end, now)).filter_map(|(ca, end)| ending_ca(ca, end)));
        }
        ending.sort_by_key(|ca: &EndingCa| (ca.end, ca.fingerprint));
        ending.dedup();
        ending
    }

    /// When the first of its CA certificates ends, and the first of its CRLs.
    pub fn first_ends(&self) -> (Option<UnixTime>, Option<UnixTime>) {
        let (mut cas, mut crls) = (None, None);
        for (trust, _) in self.trusted() {
            cas = trust.ends().map(|(_, end)| end).chain(cas).min();
            crls = trust.revocation_lists().current().lists().iter().map(|list| list.next_update()).chain(crls).min();
        }
        (cas, crls)
    }

    /// Its sets of CAs, each once, with the longest time that one of their routes asks to be warned for.
    fn trusted(&self) -> impl Iterator<Item = (&TrustedCas, Duration)> {
        let mut sets: HashMap<&[u8; 32], (&TrustedCas, Duration)> = HashMap::new();
        for route in self.routes() {
            if let Some(trust) = &route.policy.trust {
                let within = route.policy.expiry.within;
                let set = sets.entry(trust.identity()).or_insert((trust, within));
                set.1 = set.1.max(within);
            }
        }
        sets.into_values()
    }
}

fn ending_ca(ca: &X509Ref, end: UnixTime) -> Option<EndingCa> {
    let certificate = Certificate::from_der(&ca.to_der().ok()?).ok()?;
    Some(EndingCa { fingerprint: *certificate.sha256(), subject: certificate.subject().rfc2253().to_owned(), end })
}
