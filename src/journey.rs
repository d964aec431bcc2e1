//! A request's way through the stages, the same for every way in: proxy, authorize, explain.
//!
//! One [`Snapshot`] is one configuration, immutable. A request takes one snapshot and stays with it to its end.

mod debug;
mod expiry;
mod tenant;

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderName, HeaderValue};

use crate::admission::{Admission, Demands, VerificationMode};
use crate::clock::UnixTime;
use crate::consumer::Identification;
use crate::front_door::{AuthenticatedForward, Directory};
use crate::identity_headers::{IdentityHeaders, IdentityKeys, Known};
use crate::oauth::{
    AcceptedToken, AuthenticatedClient, CLIENT_ID_HEADER, CLIENT_METHOD_HEADER, Found, OAuth, Presented, TokenRequest,
};
use crate::presented::{CertificateDecoder, Presentation};
use crate::refusal::{Refusal, Refused};
use crate::revocation::Revocation;
use crate::rules::{Facts, KeptRequest, Monitored, Outcome, Permitted, Responded, ResponseHead, RuleAnswer, RuleTrace, Trace};
use crate::tls::{ServerCertificate, ServerNames};
use crate::upstream::Upstream;
use crate::verifier::cache::CachedVerifier;
use crate::verifier::{ThumbprintVerification, ValidityFinding, Verification, verify_thumbprint};
use crate::x509::ocsp_answers::OcspAnswers;

pub use debug::Debugging;
pub use expiry::{EndingCa, Expiring};
pub use tenant::{Authorize, ErrorStyle, ExpiryWarning, Route, RoutePolicy, Routes, Tenant};

/// A whole configuration, ready.
pub struct Snapshot {
    /// The domains that front doors may ask for.
    pub directory: Directory,
    /// The tenants; a domain names its own by position.
    pub tenants: Vec<Tenant>,
    /// The server names of our own TLS listener, when there is one.
    pub tls: Option<Arc<ServerNames>>,
    /// The certificate of the admin listener, when it speaks TLS.
    pub admin_certificate: Option<ServerCertificate>,
    /// Decodes certificate headers.
    pub decoder: CertificateDecoder,
    /// Judges certificates.
    pub verifier: CachedVerifier,
    /// Who may see what rules do; none when nobody may.
    pub debugging: Option<Debugging>,
    /// What signs tokens for upstreams; none where no tenant has any.
    pub identity_keys: Option<Arc<IdentityKeys>>,
    /// The OCSP answers that are held.
    pub answers: Arc<OcspAnswers>,
    /// What fetches lists and answers; none until [`Snapshot::attach`].
    pub revocation: Option<Arc<Revocation>>,
    /// What asks authorization servers; none until [`Snapshot::attach`].
    pub oauth: Option<Arc<OAuth>>,
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

    /// Gives the configuration what the process fetches with. Before the first request: lists that are known already are in
    /// force with it.
    pub fn attach(&mut self, revocation: &Arc<Revocation>, oauth: &Arc<OAuth>) {
        for policy in self.tenants.iter().flat_map(Tenant::routes).map(|route| &route.policy) {
            if let (Some(trust), Some(plan)) = (&policy.trust, &policy.revocation) {
                revocation.adopt(plan, trust);
            }
        }
        self.answers = Arc::clone(revocation.answers());
        self.revocation = Some(Arc::clone(revocation));
        self.oauth = Some(Arc::clone(oauth));
    }

    /// Takes over the key that the configuration before has made for itself: upstreams know it.
    pub fn keep_generated_key(&mut self, before: &Self) {
        let generated = |keys: &Option<Arc<IdentityKeys>>| keys.as_ref().is_some_and(|keys| keys.is_generated());
        if generated(&self.identity_keys) && generated(&before.identity_keys) {
            self.identity_keys.clone_from(&before.identity_keys);
        }
    }

    /// Takes a forward through presentation, verification, admission and rules. What the stages found stays in `findings`,
    /// whether the request passes or not.
    ///
    /// # Errors
    /// The refusal of the stage that refused.
    pub async fn decide(
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
        let now = match findings.verification.as_ref().filter(|found| !found.inquiries().is_empty()) {
            Some(found) => match self.obtain(found, &route.policy, now).await {
                Some(later) => {
                    findings.verification = self.verify(presentation, &route.policy, later);
                    later
                }
                None => now,
            },
            None => now,
        };
        let demands = Demands {
            policy: &route.policy.admission,
            registered: &route.policy.registered,
            profiles: &tenant.profiles,
            verdict_mode: forward.verdict_mode(),
        };
        findings.thumbprint = thumbprint(presentation, &route.policy, now);
        let (verification, thumbprint) = (findings.verification.as_ref(), findings.thumbprint.as_ref());
        let admitted = Admission::decide(presentation, verification, thumbprint, &demands)
            .map_err(|refused| self.explained(refused, verification.map(Arc::as_ref), &route.policy));
        let policy = &route.policy;
        let admission = enforced(admitted, policy, &mut findings.monitored, |refused| {
            Admission::not_enforced(presentation, verification, refused)
        })?;
        let admission = &*findings.admission.insert(admission);
        findings.expiring = expiring(presentation, admission, policy, now);
        let form = findings.form.as_deref();
        findings.oauth.token = self.check_access_token(&forward, presentation, form, policy, now).await?;
        let request = TokenRequest {
            method: forward.method(),
            headers: forward.headers(),
            query: forward.target().query(),
            form,
            beside_mtls_host: forward.is_beside_mtls_host(),
            now,
            certificate: presentation.certificate().map(|certificate| certificate.leaf()),
            trusted: admission.identity().is_some_and(|identity| identity.anchor().is_some()),
            in_time: verification.is_some_and(|found| matches!(found.validity(), ValidityFinding::Valid)),
        };
        findings.oauth.client = self.authenticate_client(&request, tenant, &route.policy).await?;
        let verification = verification.map(Arc::as_ref);
        let found = Identification::find(admission, presentation, verification, &policy.consumers);
        let found = enforced(found, policy, &mut findings.monitored, |refused| Identification::not_enforced(&refused))?;
        let who = &*findings.identification.insert(found);
        enforced(policy.consumers.groups.check(who), policy, &mut findings.monitored, |_| ())?;
        let mut facts =
            Facts::new(presentation, admission, now).with_verification(verification).of(who).with_oauth(findings.oauth.facts());
        if let Some(client) = &findings.oauth.client {
            facts = facts.with_line(CLIENT_ID_HEADER, &client.id).with_line(CLIENT_METHOD_HEADER, client.method);
        }
        if matches!(trace, Trace::On(_)) {
            findings.variables = route.rules.shown(&forward, &facts, request_id);
        }
        let outcome = route.rules.decide(forward, &facts, request_id, trace, &mut findings.monitored);
        match outcome? {
            Outcome::Answered(answer) => Ok(Decided::Answered(answer)),
            Outcome::Permitted(mut permitted) => {
                let chosen = permitted.origin().map(|number| tenant.upstreams.get(number).cloned());
                let upstream = chosen.unwrap_or_else(|| Some(Arc::clone(&route.upstream)));
                let upstream = upstream.ok_or_else(|| Refused::new(Refusal::Internal, "a rule chose no upstream of ours"))?;
                let known = Known { presentation, admission, identification: who };
                let told = IdentityHeaders::make(&tenant.identity, self.identity_keys.as_deref(), known, &upstream.name, now)?;
                findings.upstream = Some(Arc::clone(&upstream));
                permitted.tell(told);
                Ok(Decided::Permitted(Sending { permitted, route, upstream }))
            }
        }
    }

    /// Whoever presents a bound token shows its certificate with it, trusted or not.
    async fn check_access_token(
        &self,
        forward: &AuthenticatedForward,
        presentation: &Presentation,
        form: Option<&[u8]>,
        policy: &RoutePolicy,
        now: UnixTime,
    ) -> Result<Option<AcceptedToken>, Refused> {
        let Some(wanted) = &policy.access_token else { return Ok(None) };
        let Some(oauth) = &self.oauth else {
            return Err(Refused::new(Refusal::AccessTokenUnverifiable, "nothing asks authorization servers"));
        };
        let certificate = presentation.certificate().map(|certificate| certificate.leaf().sha256());
        let presented = Presented { headers: forward.headers(), target: forward.target(), form, certificate };
        wanted.check(oauth, &presented, now).await.map(Some)
    }

    async fn authenticate_client(
        &self,
        request: &TokenRequest<'_>,
        tenant: &Tenant,
        policy: &RoutePolicy,
    ) -> Result<Option<AuthenticatedClient>, Refused> {
        match (&policy.client_auth, &self.oauth) {
            (None, _) => Ok(None),
            (Some(wanted), Some(oauth)) => wanted.authenticate(oauth, tenant.registered_clients.as_deref(), request).await,
            (Some(_), None) => Err(Refused::new(Refusal::OauthClientUnverifiable, "nothing asks authorization servers")),
        }
    }

    /// Obtains what a verification wants to know. The instant at which it is to be judged again, when there can be news.
    async fn obtain(&self, found: &Verification, policy: &RoutePolicy, now: UnixTime) -> Option<UnixTime> {
        let (trust, plan, revocation) = (policy.trust.as_ref()?, policy.revocation.as_ref()?, self.revocation.as_ref()?);
        let waited = revocation.obtain(plan, trust, found.inquiries()).await?;
        // The clock was read once. What was issued while we waited must not be of the future, so a part of a second is a whole.
        let seconds = waited.as_secs().saturating_add(u64::from(waited.subsec_nanos() > 0));
        Some(now.plus(i64::try_from(seconds).unwrap_or(0)))
    }

    /// An operator who reads that a status is not known wants to know what is in the way.
    fn explained(&self, mut refused: Refused, found: Option<&Verification>, policy: &RoutePolicy) -> Refused {
        if refused.refusal == Refusal::RevocationUnknown
            && let Some(found) = found
        {
            let causes = match (&policy.revocation, &self.revocation) {
                (Some(plan), Some(revocation)) => revocation.explain(plan, found.inquiries()),
                _ => vec!["nothing is fetched for this set of CAs: `crl_urls`, `revocation_hosts` or `ocsp` would".into()],
            };
            for cause in causes {
                refused.cause.push_str("; ");
                refused.cause.push_str(&cause);
            }
        }
        refused
    }

    /// What is found about a presented certificate by what is known already: nothing is fetched.
    pub(crate) fn verify(&self, presentation: &Presentation, policy: &RoutePolicy, now: UnixTime) -> Option<Arc<Verification>> {
        let certificate = presentation.certificate()?;
        let trust = policy.trust.as_ref()?;
        Some(self.verifier.verify(certificate.leaf(), certificate.chain(), trust, &self.answers, &policy.verification, now))
    }
}

/// What a stage decided; where a route only watches, a refusal is told and `instead` comes into force.
fn enforced<T>(
    decided: Result<T, Refused>,
    policy: &RoutePolicy,
    monitored: &mut Vec<Monitored>,
    instead: impl FnOnce(Refused) -> T,
) -> Result<T, Refused> {
    match decided {
        Err(refused) if policy.monitor && refused.refusal != Refusal::Internal => {
            monitored.push(Monitored { rule: None, would: vec![refused.refusal.code()] });
            Ok(instead(refused))
        }
        decided => decided,
    }
}

/// Only of those who were let through: the end of a stranger's certificate is of no interest.
fn expiring(presentation: &Presentation, admission: &Admission, policy: &RoutePolicy, now: UnixTime) -> Option<Expiring> {
    admission.identity()?;
    let end = presentation.certificate()?.leaf().not_after().to_unix()?;
    policy.expiry.is_due(end, now).then_some(Expiring { end, now })
}

/// What is found about a certificate that the route has registered; none of another one.
fn thumbprint(presentation: &Presentation, policy: &RoutePolicy, now: UnixTime) -> Option<ThumbprintVerification> {
    let registered = &policy.registered.self_signed;
    if registered.is_empty() || policy.admission.verification == VerificationMode::Off {
        return None;
    }
    verify_thumbprint(presentation.certificate()?.leaf(), registered, policy.verification.settings(), now)
}

/// What the stages found about one request, for the log and `explain`.
#[derive(Default)]
pub struct Findings {
    /// The body of a request that names a client in it, or might hold another token; read before the stages run.
    pub form: Option<Bytes>,
    /// The route.
    pub route: Option<Arc<Route>>,
    /// What was presented.
    pub presentation: Option<Presentation>,
    /// What was found about the certificate.
    pub verification: Option<Arc<Verification>>,
    /// What was found about it as a registered certificate.
    pub thumbprint: Option<ThumbprintVerification>,
    /// Who it is.
    pub admission: Option<Admission>,
    /// Who it is to the tenant.
    pub identification: Option<Identification>,
    /// What was found out about an OAuth client and its access token.
    pub oauth: Found,
    /// That the certificate of a verified client ends soon.
    pub expiring: Option<Expiring>,
    /// What each rule saw, when it was asked for.
    pub rules: Vec<RuleTrace>,
    /// What some variables were, when rules were asked for.
    pub variables: Vec<(&'static str, String)>,
    /// What was only watched.
    pub monitored: Vec<Monitored>,
    /// Where the request goes, when it is permitted.
    pub upstream: Option<Arc<Upstream>>,
}

impl Findings {
    /// What a request with a debug token gets to see in its answer.
    pub fn debug_lines(&self) -> Vec<(HeaderName, HeaderValue)> {
        debug::lines(self)
    }

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
        let (Some(route), Some(presentation), Some(admission), Some(who)) =
            (&self.route, &self.presentation, &self.admission, &self.identification)
        else {
            return Err(Refused::new(Refusal::Internal, "an answer to a request that nobody decided about"));
        };
        let facts = Facts::new(presentation, admission, now)
            .with_verification(self.verification.as_deref())
            .of(who)
            .with_oauth(self.oauth.facts());
        route.rules.respond(request, &facts, head, trace, &mut self.monitored)
    }
}

/// What was decided about a request that was not refused.
pub enum Decided {
    /// A rule answered it.
    Answered(RuleAnswer),
    /// It may be sent.
    Permitted(Sending),
}

/// A permitted request and where it goes.
pub struct Sending {
    /// The request.
    pub permitted: Box<Permitted>,
    /// Its route.
    pub route: Arc<Route>,
    /// The route's upstream, or the one that a rule chose.
    pub upstream: Arc<Upstream>,
}
