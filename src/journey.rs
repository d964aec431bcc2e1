//! A request's way through the stages, the same for every way in: proxy, authorize, explain.
//!
//! One [`Snapshot`] is one configuration, immutable. A request takes one snapshot and stays with it to its end.

mod tenant;

use std::sync::Arc;

use crate::admission::{Admission, Demands, VerificationMode};
use crate::clock::UnixTime;
use crate::front_door::{AuthenticatedForward, Directory};
use crate::presented::{CertificateDecoder, Presentation};
use crate::refusal::{Refusal, Refused};
use crate::rules::{Facts, Permitted, RuleTrace, Trace};
use crate::tls::ServerNames;
use crate::verifier::Verification;
use crate::verifier::cache::CachedVerifier;

pub use tenant::{Authorize, ErrorStyle, Route, RoutePolicy, Tenant};

/// A whole configuration, ready.
pub struct Snapshot {
    /// The domains that front doors may ask for.
    pub directory: Directory,
    /// The tenants; a domain names its own by position.
    pub tenants: Vec<Tenant>,
    /// The server names of our own TLS listener, when there is one.
    pub tls: Option<Arc<ServerNames>>,
    /// Decodes certificate headers.
    pub decoder: CertificateDecoder,
    /// Judges certificates.
    pub verifier: CachedVerifier,
}

impl Snapshot {
    /// The tenant of an authenticated request.
    ///
    /// # Errors
    /// [`Refusal::Internal`] when the configuration contradicts itself.
    pub fn tenant(&self, forward: &AuthenticatedForward) -> Result<&Tenant, Refused> {
        let tenant = self.tenants.get(forward.domain().tenant());
        tenant.ok_or_else(|| Refused::new(Refusal::Internal, "the domain names no tenant"))
    }

    /// Takes a forward through presentation, verification, admission and rules. What the stages found stays in `findings`,
    /// whether the request passes or not.
    ///
    /// # Errors
    /// The refusal of the stage that refused.
    pub fn decide(
        &self,
        forward: AuthenticatedForward,
        request_id: &str,
        now: UnixTime,
        findings: &mut Findings,
        trace: Trace<'_>,
    ) -> Result<Decided, Refused> {
        let tenant = self.tenant(&forward)?;
        let route = Arc::clone(tenant.route(&forward)?);
        findings.route = Some(Arc::clone(&route));
        let presentation = match route.policy.admission.verification {
            VerificationMode::Off => Presentation::ignored(),
            VerificationMode::Enforce | VerificationMode::Permissive => Presentation::read(&forward, &self.decoder)?,
        };
        findings.presentation = Some(presentation);
        let Some(presentation) = findings.presentation.as_ref() else {
            return Err(Refused::new(Refusal::Internal, "no presentation"));
        };
        findings.verification = self.verify(presentation, &route.policy, now);
        let demands = Demands {
            policy: &route.policy.admission,
            registered: &route.policy.registered,
            profiles: &tenant.profiles,
            verdict_mode: forward.domain().front_door().forwarded_verdict,
        };
        let admission = Admission::decide(presentation, findings.verification.as_ref(), &demands)?;
        let facts = Facts::new(presentation, &admission, now);
        let permitted = tenant.rules.decide(forward, &facts, request_id, trace);
        findings.admission = Some(admission);
        Ok(Decided { permitted: permitted?, route })
    }

    fn verify(&self, presentation: &Presentation, policy: &RoutePolicy, now: UnixTime) -> Option<Arc<Verification>> {
        let certificate = presentation.certificate()?;
        let trust = policy.trust.as_ref()?;
        Some(self.verifier.verify(certificate.leaf(), certificate.chain(), trust, &policy.verification, now))
    }
}

/// What the stages found about one request, for the log and `explain`.
#[derive(Default)]
pub struct Findings {
    /// The route.
    pub route: Option<Arc<Route>>,
    /// What was presented.
    pub presentation: Option<Presentation>,
    /// What was found about the certificate.
    pub verification: Option<Arc<Verification>>,
    /// Who it is.
    pub admission: Option<Admission>,
    /// What each rule saw, when it was asked for.
    pub rules: Vec<RuleTrace>,
}

/// A permitted request and where it goes.
pub struct Decided {
    /// The request.
    pub permitted: Permitted,
    /// Its route.
    pub route: Arc<Route>,
}
