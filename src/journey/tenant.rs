//! One tenant: its routes, their policies, its rules.

use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, Method};

use crate::admission::profiles::Profiles;
use crate::admission::registered::RegisteredCertificates;
use crate::admission::{self, VerificationMode};
use crate::clock::UnixTime;
use crate::consumer::ConsumerPolicy;
use crate::front_door::AuthenticatedForward;
use crate::identity_headers::IdentitySettings;
use crate::oauth::{AccessTokenPolicy, ClientAuthPolicy, Clients, MetadataPolicy, RegisteredClients};
use crate::refusal::{Refusal, Refused};
use crate::revocation::FetchPlan;
use crate::rules::RuleSet;
use crate::upstream::Upstream;
use crate::verifier::IdentifiedSettings;
use crate::x509::trusted_ca::TrustedCas;

/// The form of the answer to a refused request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorStyle {
    /// `{"status", "message", "request_id"}`.
    Json,
    /// Kong's: `{"message"}`, with its two sentences about certificates.
    Kong,
    /// The sentence alone, as `text/plain`.
    Plain,
    /// `application/problem+json` (RFC 9457).
    ProblemJson,
    /// Zuplo's: the same with its type, `instance` and `trace`, and the sentences of its policy `mtls-auth-inbound`.
    Zuplo,
}

impl ErrorStyle {
    /// Every one with its word.
    pub const ALL: [(&'static str, Self); 5] = [
        ("json", Self::Json),
        ("problem+json", Self::ProblemJson),
        ("kong", Self::Kong),
        ("zuplo", Self::Zuplo),
        ("plain", Self::Plain),
    ];
}

/// The endpoint that answers a proxy's subrequests.
#[derive(Debug)]
pub struct Authorize {
    /// Its path.
    pub path: String,
    /// The header with the target of the request that is asked about.
    pub original_uri_header: HeaderName,
    /// The header with its method.
    pub original_method_header: HeaderName,
}

/// How the end of a certificate is told ahead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpiryWarning {
    /// Certificates that end within this time are told; nothing is never.
    pub within: Duration,
    /// The header that tells the client, with the day and hour of its certificate's end (RFC 3339).
    pub header: Option<HeaderName>,
}

impl ExpiryWarning {
    /// Whether a certificate that ends at this instant is to be told now.
    pub fn is_due(&self, end: UnixTime, now: UnixTime) -> bool {
        let within = i64::try_from(self.within.as_secs()).unwrap_or(i64::MAX);
        within > 0 && end <= now.plus(within)
    }
}

/// What a route asks of certificates.
pub struct RoutePolicy {
    /// The CAs that clients must chain to, or nobody; none only where no certificate is looked at.
    pub trust: Option<Arc<TrustedCas>>,
    /// What may be fetched about the certificates below them; none where nothing is.
    pub revocation: Option<Arc<FetchPlan>>,
    /// How paths are judged.
    pub verification: IdentifiedSettings,
    /// What passes.
    pub admission: admission::Policy,
    /// Certificates that were named one by one.
    pub registered: Arc<RegisteredCertificates>,
    /// Whether it is only watched: who would be refused passes as anonymous, and that is told.
    pub monitor: bool,
    /// How the end of a certificate is told ahead.
    pub expiry: ExpiryWarning,
    /// Who is looked up by it.
    pub consumers: ConsumerPolicy,
    /// What is asked of access tokens; none where nothing is.
    pub access_token: Option<AccessTokenPolicy>,
    /// How OAuth clients authenticate themselves; none where nobody is asked to.
    pub client_auth: Option<ClientAuthPolicy>,
    /// What is changed in an authorization server's metadata; none where it stays as it is.
    pub metadata: Option<MetadataPolicy>,
}

impl RoutePolicy {
    /// Whether OAuth clients or access tokens are checked.
    pub fn checks_oauth(&self) -> bool {
        self.access_token.is_some() || self.client_auth.is_some()
    }
}

/// Where requests with a certain path and method go, and what they need.
pub struct Route {
    /// The start of the normalized path.
    pub path: String,
    /// The methods; none means all.
    pub methods: Vec<Method>,
    /// What it asks of certificates.
    pub policy: RoutePolicy,
    /// Where it goes.
    pub upstream: Arc<Upstream>,
    /// The most bytes of a request's body.
    pub request_body_limit: Option<u64>,
    /// The form of its refusals; none is the tenant's.
    pub error_style: Option<ErrorStyle>,
    /// The rules that are for it.
    pub rules: Arc<RuleSet>,
}

/// A tenant.
pub struct Tenant {
    /// Its name: the file's.
    pub name: String,
    /// All of its rules; a request meets those of its route.
    pub rules: RuleSet,
    /// Its upstreams; rules choose by number.
    pub upstreams: Vec<Arc<Upstream>>,
    /// The form of its refusals.
    pub error_style: ErrorStyle,
    /// Its endpoint for subrequests.
    pub authorize: Option<Authorize>,
    /// The path at which clients are shown the names of their certificate.
    pub dn_helper: Option<String>,
    /// What certificates say, by their issuers.
    pub profiles: Profiles,
    /// What its upstreams are told about the client.
    pub identity: IdentitySettings,
    /// The OAuth clients of the configuration.
    pub clients: Arc<Clients>,
    /// Those of the store, when it is for this tenant; none until the store is attached.
    pub registered_clients: Option<Arc<RegisteredClients>>,
    /// Its routes.
    pub routes: Routes,
}

/// A tenant's routes, in the order in which they are tried.
#[derive(Default)]
pub struct Routes(Vec<Arc<Route>>);

impl Routes {
    /// From the longest path to the shortest; among equal ones those with methods first.
    pub fn new(mut routes: Vec<Route>) -> Self {
        routes.sort_by_key(|route| (Reverse(route.path.len()), route.methods.is_empty()));
        Self(routes.into_iter().map(Arc::new).collect())
    }
}

impl Tenant {
    /// Its routes, in the order in which they are tried.
    pub fn routes(&self) -> impl Iterator<Item = &Route> {
        self.routes.0.iter().map(Arc::as_ref)
    }

    /// The endpoint for subrequests, when this is one. Clients of our own TLS listener ask nothing in others' names.
    pub fn asked_at(&self, forward: &AuthenticatedForward) -> Option<&Authorize> {
        let of_front_door = forward.handshake().is_none();
        self.authorize.as_ref().filter(|endpoint| of_front_door && endpoint.path == forward.target().path())
    }

    /// Whether the client asks for the names of its certificate.
    pub fn shows_names_at(&self, forward: &AuthenticatedForward) -> bool {
        self.dn_helper.as_deref() == Some(forward.target().path())
    }

    /// The most specific route of a request: the longest path that its path starts with.
    ///
    /// # Errors
    /// [`Refusal::NoRoute`]; [`Refusal::RequestTargetInvalid`] when an upstream that counts slashes in another way than we do, or
    /// ignores letter case, would see a path of another route.
    pub fn route(&self, forward: &AuthenticatedForward) -> Result<&Arc<Route>, Refused> {
        let (target, method) = (forward.target(), forward.method());
        let (path, literal) = (target.path(), target.literal_path());
        let route = self.route_of(path, method, starts_with);
        let read_otherwise = |path, starts: StartsWith| !same(route, self.route_of(path, method, starts));
        if literal != path && (read_otherwise(literal, starts_with) || read_otherwise(literal, starts_with_in_any_case)) {
            let cause = format!("request target: {literal} and {path} are of different routes");
            return Err(Refused::new(Refusal::RequestTargetInvalid, cause));
        }
        let Some(route) = route else {
            return Err(Refused::new(Refusal::NoRoute, format!("no route for {method} {path}")));
        };
        if read_otherwise(path, starts_with_in_any_case) {
            let cause = format!("request target: {path} and the same in another letter case are of different routes");
            return Err(Refused::new(Refusal::RequestTargetInvalid, cause));
        }
        Ok(route)
    }

    /// Whether any route looks at certificates: if none does, no client need be asked for one.
    pub fn looks_at_certificates(&self) -> bool {
        self.routes.0.iter().any(|route| route.policy.admission.verification != VerificationMode::Off)
    }

    /// By which methods OAuth clients may authenticate themselves with certificates at a path.
    pub fn client_methods_at(&self, path: &str) -> Vec<&'static str> {
        let policy = self.route_of(path, &Method::POST, starts_with).and_then(|route| route.policy.client_auth.as_ref());
        policy.map(ClientAuthPolicy::methods).unwrap_or_default()
    }

    fn route_of(&self, path: &str, method: &Method, starts: StartsWith) -> Option<&Arc<Route>> {
        let fits =
            |route: &&Arc<Route>| starts(path, &route.path) && (route.methods.is_empty() || route.methods.contains(method));
        self.routes.0.iter().find(fits)
    }
}

/// How a path is compared with that of a route.
type StartsWith = fn(&str, &str) -> bool;

fn starts_with(path: &str, start: &str) -> bool {
    path.starts_with(start)
}

fn starts_with_in_any_case(path: &str, start: &str) -> bool {
    path.as_bytes().get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start.as_bytes()))
}

/// Whoever has two routes that differ in letter case alone knows that it counts.
fn same(one: Option<&Arc<Route>>, other: Option<&Arc<Route>>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => {
            Arc::ptr_eq(one, other) || one.path.eq_ignore_ascii_case(&other.path) && one.path != other.path
        }
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}
