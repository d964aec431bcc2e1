//! Trust that is there and does not do what its author may think.

use std::collections::{BTreeSet, HashSet};

use super::trusted_ca::TrustSets;
use crate::admission::profiles::Profiles;
use crate::journey::Route;

/// A profile is found by the CAs of verified paths. One that none of the sets holds can only come from a client.
pub(super) fn profiles_without_ca(tenant: &str, profiles: &Profiles, trusted: &TrustSets, warnings: &mut Vec<String>) {
    let known: HashSet<&[u8; 32]> = trusted.values().flatten().flat_map(|set| set.trust.fingerprints()).collect();
    let mut unknown: Vec<_> = profiles.issuers().filter(|(issuer, _)| !known.contains(issuer)).collect();
    unknown.sort_unstable();
    for (issuer, profile) in unknown {
        let issuer = hex::encode(issuer);
        warnings.push(format!(
            "{tenant}: profile `{profile}`: the CA certificate sha256:{issuer} is in no set of [trusted_ca]; add it, or the profile \
             is only for clients that present it themselves"
        ));
    }
}

/// What a policy asks of keys it asks of CAs too: nobody below one that is weaker passes.
pub(super) fn weak_cas(tenant: &str, routes: &[Route], warnings: &mut Vec<String>) {
    let mut weak = BTreeSet::new();
    for route in routes {
        let Some(trust) = &route.policy.trust else { continue };
        for (fingerprint, problem) in trust.weaker_than(route.policy.verification.settings()) {
            weak.insert(format!(
                "{tenant}: route `{}`: the CA certificate sha256:{} {problem}; no client below it passes",
                route.path,
                hex::encode(fingerprint)
            ));
        }
    }
    warnings.extend(weak);
}
