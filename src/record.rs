//! What is written down about a request while it lives, and told when it ends: one access line, the counters.

use std::cell::RefCell;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::answer::Asked;
use crate::clock::UnixTime;
use crate::front_door::{AuthenticatedForward, Domain, Replay};
use crate::journey::{Decided, ErrorStyle, Findings, Snapshot};
use crate::probe::Probe;
use crate::refusal::{Refusal, Refused};
use crate::rules::{Monitored, RuleAnswer, Trace};
use crate::shared::Shared;
use crate::telemetry::access::AccessLine;
use crate::telemetry::metrics::MetadataOutcome;

/// What the upstream did.
#[derive(Debug, Clone, Copy)]
pub struct Upstreamed {
    /// Its status.
    pub status: u16,
    /// How long its answer's head took.
    pub head: Duration,
    /// How its body ended.
    pub ending: &'static str,
    /// Bytes of the request's body.
    pub sent: u64,
    /// Bytes of the answer's body.
    pub received: u64,
}

/// The record of one request. It is large, and goes from hand to hand: in a box, so that it need not be moved.
pub struct Record {
    shared: Arc<Shared>,
    snapshot: Arc<Snapshot>,
    started: Instant,
    request_id: String,
    method: String,
    path: String,
    client: Option<IpAddr>,
    domain: Option<Arc<Domain>>,
    key_position: Option<usize>,
    keyid: Option<Arc<str>>,
    /// Whether it came with `Authorization`.
    authorization: bool,
    /// What the stages found.
    pub findings: Findings,
    /// Whether the request may see what the rules do.
    debugged: bool,
    /// The rule that answered.
    answered_by: Option<String>,
    /// The client left before anything was decided.
    undecided: bool,
    ended: bool,
}

/// The status in the line of a request whose client left before there was an answer: nginx's number for it.
const CLIENT_LEFT: u16 = 499;
/// The status in the line of a request that a rule dropped: nginx's number for it.
const DROPPED: u16 = 444;

impl Record {
    /// Begins a record when a request head has come.
    pub fn begin(shared: Arc<Shared>, snapshot: Arc<Snapshot>, method: &str, path: &str, peer: Option<IpAddr>) -> Box<Self> {
        shared.metrics.in_flight.inc();
        Box::new(Self {
            shared,
            snapshot,
            started: Instant::now(),
            request_id: request_id(),
            method: method.to_owned(),
            path: path.to_owned(),
            client: peer,
            domain: None,
            key_position: None,
            keyid: None,
            authorization: false,
            findings: Findings::default(),
            debugged: false,
            answered_by: None,
            undecided: false,
            ended: false,
        })
    }

    /// The configuration that this request lives by.
    pub fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }

    /// What remembers the nonces of signed requests.
    pub fn replay(&self) -> &Replay {
        &self.shared.replay
    }

    /// The endpoint for `vestibule probe`, when there is one.
    pub fn probe(&self) -> Option<&Probe> {
        self.shared.probe.as_deref()
    }

    /// The request's id.
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    /// Lets the stages decide, and keeps what they find.
    ///
    /// # Errors
    /// The refusal of the stage that refused.
    pub async fn decide(&mut self, forward: AuthenticatedForward, now: UnixTime) -> Result<Decided, Refused> {
        let mut seen = Vec::new();
        let trace = if self.debugged { Trace::On(&mut seen) } else { Trace::Off };
        let decided = self.snapshot.decide(forward, &self.request_id, now, &mut self.findings, trace).await;
        self.findings.rules = seen;
        decided
    }

    /// Takes in what the front door said about the request.
    pub fn authenticated(&mut self, forward: &AuthenticatedForward) {
        self.client = Some(forward.client_address());
        self.domain = Some(Arc::clone(forward.domain()));
        self.key_position = forward.key_position();
        self.keyid = forward.keyid().cloned();
        self.authorization = forward.headers().contains_key(AUTHORIZATION);
        let id = forward.contract().request_id().and_then(|id| id.to_str().ok());
        if let Some(id) = id.filter(|id| is_request_id(id)) {
            id.clone_into(&mut self.request_id);
        }
    }

    /// Takes in whether a request with this token may see what the rules do.
    pub fn debug(&mut self, token: Option<&HeaderValue>, forward: &AuthenticatedForward, now: UnixTime) {
        let debugging = self.snapshot.debugging.as_ref();
        self.debugged =
            debugging.is_some_and(|debugging| debugging.allows(token, forward.host(), forward.target().path(), now));
    }

    /// Whether the request may see what the rules do.
    pub fn is_debugged(&self) -> bool {
        self.debugged
    }

    /// The lines of the answer that show it; none for other requests.
    pub fn debug_lines(&self) -> Vec<(HeaderName, HeaderValue)> {
        if self.debugged { self.findings.debug_lines() } else { Vec::new() }
    }

    /// Takes in the request that a subrequest asks about.
    pub fn asks_about(&mut self, forward: &AuthenticatedForward) {
        forward.method().as_str().clone_into(&mut self.method);
        forward.target().path().clone_into(&mut self.path);
    }

    /// The header that tells a verified client that its certificate ends soon, where the route has one.
    pub fn expiry_header(&self) -> Option<(HeaderName, HeaderValue)> {
        let expiring = self.findings.expiring?;
        let name = self.findings.route.as_ref()?.policy.expiry.header.clone()?;
        Some((name, HeaderValue::from_str(&expiring.end.rfc3339()).ok()?))
    }

    /// The challenges of a refusal about access tokens or OAuth clients, each a `WWW-Authenticate` of its own.
    pub fn challenges(&self, refusal: Refusal) -> Vec<String> {
        if matches!(refusal, Refusal::OauthClientRefused | Refusal::OauthClientUnknown) && self.authorization {
            // RFC 6749 §5.2: the scheme that the client used.
            return vec!["Basic realm=\"oauth\"".to_owned()];
        }
        let wanted = self.findings.route.as_ref().and_then(|route| route.policy.access_token.as_ref());
        wanted.map(|wanted| wanted.challenges(refusal)).unwrap_or_default()
    }

    /// Counts what was done about an authorization server's metadata.
    pub fn metadata(&self, outcome: MetadataOutcome) {
        self.shared.metrics.metadata(outcome);
    }

    /// What the answer to a refusal tells of the request.
    pub fn asked(&self) -> Asked<'_> {
        Asked { request_id: &self.request_id, path: &self.path, at: UnixTime::now() }
    }

    /// The form of a refusal: the route's, or this one.
    pub fn error_style(&self, tenants: ErrorStyle) -> ErrorStyle {
        self.findings.route.as_ref().and_then(|route| route.error_style).unwrap_or(tenants)
    }

    /// Ends the record of a request that was refused.
    pub fn refused(mut self: Box<Self>, refused: &Refused) {
        self.shared.metrics.refuse(refused.refusal);
        self.end(refused.refusal.status(), Some(refused), None);
    }

    /// Ends the record of a request that a rule answered.
    pub fn answered(mut self: Box<Self>, answer: &RuleAnswer) {
        self.shared.metrics.answer();
        answer.rule().clone_into(self.answered_by.insert(String::new()));
        self.end(answer.status(), None, None);
    }

    /// Ends the record of a request that was permitted.
    pub fn permitted(mut self: Box<Self>, status: u16, upstreamed: Option<Upstreamed>) {
        self.shared.metrics.permit();
        self.end(status, None, upstreamed);
    }

    fn end(&mut self, status: u16, refused: Option<&Refused>, upstreamed: Option<Upstreamed>) {
        self.ended = true;
        let duration = self.started.elapsed();
        let metrics = &self.shared.metrics;
        // An upstream may answer with this number itself.
        let left = status == CLIENT_LEFT && upstreamed.is_none() && self.answered_by.is_none();
        let dropped = status == DROPPED && self.answered_by.is_some();
        for would in self.findings.monitored.iter().flat_map(|monitored| &monitored.would) {
            metrics.monitor(would);
        }
        if !left && !dropped {
            metrics.respond(status, duration, upstreamed.map(|upstreamed| upstreamed.head));
        }
        let findings = &self.findings;
        let presentation = findings.presentation.as_ref();
        let certificate = presentation.and_then(|presentation| presentation.certificate());
        let subject = certificate.map(|certificate| certificate.subject());
        let verify = self.verify_text();
        let identity = findings.admission.as_ref().and_then(|admission| admission.identity());
        let waived: Vec<&str> =
            identity.map(|identity| identity.waived().iter().map(|waiver| waiver.word()).collect()).unwrap_or_default();
        let profile = identity.and_then(|identity| identity.profile());
        let violations = profile.map(|profile| profile.violation_codes()).unwrap_or_default();
        let identification = findings.identification.as_ref();
        let consumer = identification.and_then(|who| who.consumer());
        let notes: Vec<String> =
            presentation.map(|one| one.notes().iter().map(ToString::to_string).collect()).unwrap_or_default();
        let oauth = findings.oauth.facts();
        let monitored: Vec<String> = findings.monitored.iter().map(Monitored::text).collect();
        let decision = match (refused, &self.answered_by) {
            (Some(_), _) => "refuse",
            (None, Some(_)) => "answer",
            (None, None) if self.undecided => "none",
            (None, None) => "permit",
        };
        let tenant = self.domain.as_ref().and_then(|domain| self.snapshot.tenants.get(domain.tenant()));
        let custom = self.domain.as_ref().and_then(|domain| domain.custom());
        if let (Some(expiring), Some(certificate)) = (findings.expiring, certificate) {
            let tenant = tenant.map(|tenant| tenant.name.as_str()).unwrap_or_default();
            self.shared.tell_expiring(tenant, certificate.leaf().sha256(), subject.as_deref().unwrap_or_default(), expiring);
        }
        with_time(|time| {
            self.shared.access.write(&AccessLine {
                time,
                request_id: &self.request_id,
                client_ip: self.client,
                method: &self.method,
                path: &self.path,
                domain: self.domain.as_ref().map(|domain| domain.name()),
                key_position: self.key_position,
                key_id: custom.and_then(|custom| Some(&*custom.keys().get(self.key_position?)?.id)),
                origin: custom.map(|custom| custom.origin()),
                keyid: self.keyid.as_deref(),
                tenant: tenant.map(|tenant| tenant.name.as_str()),
                route: findings.route.as_ref().map(|route| route.path.as_str()),
                fingerprint: certificate.map(|certificate| certificate.leaf().sha256()),
                subject: subject.as_deref(),
                verify: verify.as_deref(),
                basis: identity.map(|identity| identity.basis().word()),
                waived: &waived,
                profile: profile.map(|profile| profile.name()),
                profile_violations: &violations,
                consumer: consumer.map(|found| found.consumer().id.as_str()),
                consumer_username: consumer.and_then(|found| found.consumer().username.as_deref()),
                consumer_by: consumer.map(|found| found.by().word()),
                credential: consumer.and_then(|found| found.credential()),
                authenticated_group: identification.and_then(|who| who.authenticated_group()),
                oauth: [
                    ("oauth.client_id", oauth.client_id),
                    ("oauth.client_auth_method", oauth.client_auth_method),
                    ("oauth.client_source", findings.oauth.client.as_ref().map_or("", |client| client.source.word())),
                    ("oauth.token_iss", oauth.token_iss),
                    ("oauth.token_sub", oauth.token_sub),
                ],
                token_scope: oauth.token_scope,
                token_cnf: oauth.token_cnf,
                notes: &notes,
                monitored: &monitored,
                decision,
                answered_by: self.answered_by.as_deref(),
                refusal_code: refused.map(|refused| refused.refusal.code()),
                refusal_cause: refused.map(|refused| refused.cause.as_str()),
                status,
                upstream: upstream_name(findings),
                upstream_status: upstreamed.map(|upstreamed| upstreamed.status),
                upstream_ending: upstreamed.map(|upstreamed| upstreamed.ending).or(left.then_some("abandoned")),
                upstream_head: upstreamed.map(|upstreamed| upstreamed.head),
                bytes: upstreamed.map(|upstreamed| (upstreamed.sent, upstreamed.received)),
                duration,
            });
        });
        // The last step: whoever sees nothing in flight may rely on every line being written.
        self.shared.metrics.in_flight.dec();
    }

    fn verify_text(&self) -> Option<std::borrow::Cow<'_, str>> {
        match (&self.findings.admission, &self.findings.verification) {
            (Some(admission), _) => Some(admission.verify_text().into()),
            (None, Some(verification)) => Some(verification.text().into()),
            (None, None) => None,
        }
    }
}

/// Where the request went, or would have gone by its route.
fn upstream_name(findings: &Findings) -> Option<&str> {
    let chosen = findings.upstream.as_ref().or(findings.route.as_ref().map(|route| &route.upstream));
    chosen.map(|upstream| upstream.name.as_str())
}

/// When a client leaves while its request waits, actix drops the handler where it stands. It waits in three places: before it is
/// authenticated for the memory of nonces, before it is decided for news about revocation, and behind the permit for the upstream.
impl Drop for Record {
    fn drop(&mut self) {
        if !self.ended {
            self.undecided = self.findings.upstream.is_none();
            if !self.undecided {
                self.shared.metrics.permit();
            }
            self.end(CLIENT_LEFT, None, None);
        }
    }
}

/// An id that may go into a header and a log as it is.
fn is_request_id(id: &str) -> bool {
    (8..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

thread_local! {
    /// The random beginning of this worker's ids, and the number of the next one.
    static NEXT_ID: RefCell<(u64, u64)> = RefCell::new((random(), random()));
    /// The last second that was asked for, and its text.
    static TIME: RefCell<(u64, String)> = const { RefCell::new((u64::MAX, String::new())) };
}

/// 32 hex digits, unique in this process and, by its random beginning, elsewhere. Not a secret.
fn request_id() -> String {
    NEXT_ID.with_borrow_mut(|(worker, number)| {
        *number = number.wrapping_add(1);
        let mut digits = [0; 32];
        // As many digits as there is room for.
        let _ = hex::encode_to_slice((u128::from(*worker) << 64 | u128::from(*number)).to_be_bytes(), &mut digits);
        String::from_utf8_lossy(&digits).into_owned()
    })
}

fn random() -> u64 {
    // Without randomness ids are still unique within the worker.
    getrandom::u64().unwrap_or_default()
}

/// Hands out the time as RFC 3339, to the second: its text is made once a second.
fn with_time(then: impl FnOnce(&str)) {
    let second = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    TIME.with_borrow_mut(|(known, text)| {
        if *known != second {
            *known = second;
            let now = i64::try_from(second).ok().and_then(|second| OffsetDateTime::from_unix_timestamp(second).ok());
            *text = now.and_then(|now| now.format(&Rfc3339).ok()).unwrap_or_default();
        }
        then(text);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_differ_and_are_well_formed() {
        let (one, two) = (request_id(), request_id());
        assert_ne!(one, two);
        assert!(one.len() == 32 && is_request_id(&one));
        for bad in ["", "short", "has space in it", "line\nfeed-xx", &"x".repeat(65)] {
            assert!(!is_request_id(bad), "{bad:?}");
        }
    }
}
