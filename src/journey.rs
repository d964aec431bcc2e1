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
use crate::rules::{Facts, KeptRequest, Monitored, Outcome, Permitted, Responded, ResponseHead, RuleAnswer, RuleTrace, Trace};
use crate::upstream::Upstream;
use crate::verifier::Verification;
use crate::verifier::cache::CachedVerifier;
use crate::x509::ocsp_answers::OcspAnswers;

pub use tenant::{Authorize, ErrorStyle, Route, RoutePolicy, Tenant};

/// A whole configuration, ready.
pub struct Snapshot {
    /// The domains that front doors may ask for.
    pub directory: Directory,
    /// The tenants; a domain names its own by position.
    pub tenants: Vec<Tenant>,
    /// Decodes certificate headers.
    pub decoder: CertificateDecoder,
    /// Judges certificates.
    pub verifier: CachedVerifier,
    /// The OCSP answers that are held.
    pub answers: Arc<OcspAnswers>,
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
        let verification = findings.verification.as_ref();
        let admission = match Admission::decide(presentation, verification, &demands) {
            Err(refused) if route.policy.monitor && refused.refusal != Refusal::Internal => {
                findings.monitored.push(Monitored { rule: None, would: vec![refused.refusal.code()] });
                Admission::not_enforced(presentation, verification, refused)
            }
            decided => decided?,
        };
        let facts = Facts::new(presentation, &admission, now).with_verification(verification.map(Arc::as_ref));
        let outcome = route.rules.decide(forward, &facts, request_id, trace, &mut findings.monitored);
        findings.admission = Some(admission);
        match outcome? {
            Outcome::Answered(answer) => Ok(Decided::Answered(answer)),
            Outcome::Permitted(permitted) => {
                let chosen = permitted.origin().map(|number| tenant.upstreams.get(number).cloned());
                let upstream = chosen.unwrap_or_else(|| Some(Arc::clone(&route.upstream)));
                let upstream = upstream.ok_or_else(|| Refused::new(Refusal::Internal, "a rule chose no upstream of ours"))?;
                findings.upstream = Some(Arc::clone(&upstream));
                Ok(Decided::Permitted(Box::new(Sending { permitted: *permitted, route, upstream })))
            }
        }
    }

    fn verify(&self, presentation: &Presentation, policy: &RoutePolicy, now: UnixTime) -> Option<Arc<Verification>> {
        let certificate = presentation.certificate()?;
        let trust = policy.trust.as_ref()?;
        Some(self.verifier.verify(certificate.leaf(), certificate.chain(), trust, &self.answers, &policy.verification, now))
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
    /// What was only watched.
    pub monitored: Vec<Monitored>,
    /// Where the request goes, when it is permitted.
    pub upstream: Option<Arc<Upstream>>,
}

impl Findings {
    /// Runs the response phase of the request's route.
    ///
    /// # Errors
    /// [`Refusal::RuleFailed`] when a header that a rule makes cannot be sent.
    pub fn respond(
        &mut self,
        request: &KeptRequest,
        now: UnixTime,
        head: ResponseHead<'_>,
        trace: Trace<'_>,
    ) -> Result<Responded, Refused> {
        let (Some(route), Some(presentation), Some(admission)) = (&self.route, &self.presentation, &self.admission) else {
            return Err(Refused::new(Refusal::Internal, "an answer to a request that nobody decided about"));
        };
        let facts = Facts::new(presentation, admission, now).with_verification(self.verification.as_deref());
        route.rules.respond(request, &facts, head, trace, &mut self.monitored)
    }
}

/// What was decided about a request that was not refused.
pub enum Decided {
    /// A rule answered it.
    Answered(RuleAnswer),
    /// It may be sent.
    Permitted(Box<Sending>),
}

/// A permitted request and where it goes.
pub struct Sending {
    /// The request.
    pub permitted: Permitted,
    /// Its route.
    pub route: Arc<Route>,
    /// The route's upstream, or the one that a rule chose.
    pub upstream: Arc<Upstream>,
}
