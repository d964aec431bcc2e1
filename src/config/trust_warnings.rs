//! Trust that is there and does not do what its author may think.

use std::collections::{BTreeSet, HashSet};

use super::trusted_ca::TrustSets;
use crate::admission::VerificationMode;
use crate::admission::profiles::Profiles;
use crate::journey::{Route, RoutePolicy};

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

/// `/accounts/` does not cover `/accounts`, and most servers take both for the same: a route that asks for less would open it.
pub(super) fn without_the_last_slash(tenant: &str, routes: &[Route], warnings: &mut Vec<String>) {
    for route in routes {
        let Some(bare) = route.path.strip_suffix('/').filter(|bare| !bare.is_empty()) else { continue };
        let meet = |other: &&Route| {
            let common = other.methods.iter().any(|method| route.methods.contains(method));
            bare.starts_with(&other.path) && (common || other.methods.is_empty() || route.methods.is_empty())
        };
        let Some(length) = routes.iter().filter(meet).map(|other| other.path.len()).max() else { continue };
        for other in routes.iter().filter(meet).filter(|other| other.path.len() == length) {
            let asked = demands(&route.policy).into_iter().zip(demands(&other.policy));
            let lost: Vec<&str> = asked.filter_map(|(own, others)| own.filter(|_| others.is_none())).collect();
            if !lost.is_empty() {
                warnings.push(format!(
                    "{tenant}: route `{}` does not cover `{bare}`, which many servers take for the same; there route `{}` asks for no \
                     {}: write the one as `{bare}`, or a route for `{bare}` beside it",
                    route.path,
                    other.path,
                    lost.join(" and no ")
                ));
            }
        }
    }
}

/// What a policy asks for, by kind.
fn demands(policy: &RoutePolicy) -> [Option<&'static str>; 3] {
    let admission = &policy.admission;
    let certificate =
        admission.verification == VerificationMode::Enforce && !admission.allow_unauthenticated_requests && !policy.monitor;
    [
        certificate.then_some("certificate"),
        policy.access_token.is_some().then_some("access token"),
        policy.client_auth.is_some().then_some("authenticated client"),
    ]
}
