//! The management API on the admin listener: custom domains and the tenant's settings, with the paths, fields, statuses and
//! errors of Auth0's Management API v2, so that its SDKs work unchanged.
//!
//! A request is answered in this order: its token (401), the rate (429), its path and method (404, 405), the token's scope (403),
//! what it says (400), the thing itself (404, 409). A change goes on when whoever asked for it is gone.

mod access;
mod access_token;
mod action;
mod body;
mod clients;
mod failure;
mod list;
mod openapi;
mod operations;
mod rate;
mod render;
mod token_endpoint;

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::web::{Bytes, Payload};
use actix_web::{HttpRequest, HttpResponse};
use arc_swap::ArcSwap;
use futures_util::StreamExt;

use crate::clock::UnixTime;
use crate::domains::{Actor, Registry};

pub use access::{AdminClient, AdminClients, AdminToken, Scope, TOKEN_PREFIX, Tokens};
pub use openapi::document as openapi_document;
pub use rate::RateLimits;

use failure::Failure;
use operations::{Action, Target};
use rate::{Buckets, Standing};

/// The largest body of a request, in octets: ten notes of 255 letters and what stands around them, many times over.
const MOST_BODY: usize = 64 * 1024;
/// How long it may take to come.
const BODY_PATIENCE: Duration = Duration::from_secs(10);

/// Says where a name stands in the configuration.
type Places = Box<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// What stands in the configuration, so that nothing of the store takes its place.
pub struct Configured {
    /// Where a host name stands.
    pub host: Places,
    /// Where a client stands, by its id.
    pub client: Places,
}

/// What answers the management API.
pub struct Management {
    registry: Arc<Registry>,
    /// Those of the configuration in force: one that is taken out ends with the reload.
    tokens: ArcSwap<Tokens>,
    buckets: Buckets,
    configured: Configured,
}

/// What an action has to say: a status, and JSON unless there is nothing.
struct Reply {
    status: StatusCode,
    body: Option<String>,
    next: Option<String>,
}

impl Reply {
    fn json(status: StatusCode, body: &impl serde::Serialize) -> Result<Self, Failure> {
        let body = serde_json::to_string(body).map_err(|why| Failure::internal(&why.to_string()))?;
        Ok(Self { status, body: Some(body), next: None })
    }

    fn ok(body: &impl serde::Serialize) -> Result<Self, Failure> {
        Self::json(StatusCode::OK, body)
    }

    fn nothing() -> Self {
        Self { status: StatusCode::NO_CONTENT, body: None, next: None }
    }
}

/// A request that may be done.
struct Asked {
    target: Target,
    query: String,
    body: Bytes,
    actor: Actor,
}

impl Management {
    /// The API over a registry.
    pub fn new(registry: Arc<Registry>, tokens: Tokens, limits: RateLimits, configured: Configured) -> Self {
        Self { registry, tokens: ArcSwap::from_pointee(tokens), buckets: Buckets::new(limits), configured }
    }

    /// Whether clients get tokens here.
    pub fn has_clients(&self) -> bool {
        self.tokens.load().signer().is_some()
    }

    /// Takes the tokens and clients of another configuration, in the place of those before.
    pub fn take_tokens(&self, tokens: Tokens) {
        self.tokens.store(Arc::new(tokens));
    }

    /// The registry.
    pub fn registry(&self) -> &Arc<Registry> {
        &self.registry
    }

    /// Answers one request.
    pub async fn handle(self: Arc<Self>, request: HttpRequest, payload: Payload) -> HttpResponse {
        let id = request_id();
        let now = UnixTime::now();
        let mut standing = None;
        let reply = match self.admit((&request, now), payload, &id, &mut standing).await {
            Ok(asked) => {
                // A task of its own: what was begun ends, though the connection may break in the middle.
                let done = actix_web::rt::spawn(async move { self.act(asked).await }).await;
                done.unwrap_or_else(|why| Err(Failure::internal(&why.to_string())))
            }
            Err(failure) => Err(failure),
        };
        answer(reply, &id, standing, now)
    }

    /// Answers `POST /oauth/token`.
    pub async fn handle_token(self: Arc<Self>, request: HttpRequest, payload: Payload) -> HttpResponse {
        let (id, now) = (request_id(), UnixTime::now());
        let mut standing = None;
        let reply = self.token(&request, payload, (&id, now), &mut standing).await;
        answer(reply, &id, standing, now)
    }

    async fn token(
        &self,
        request: &HttpRequest,
        payload: Payload,
        (id, now): (&str, UnixTime),
        standing: &mut Option<Standing>,
    ) -> Result<Reply, Failure> {
        let body = read(payload).await?;
        let tokens = self.tokens.load_full();
        let applicant = token_endpoint::applicant(&tokens, (request.method(), request.headers()), &body)?;
        let who = applicant.as_ref().ok().map(|applicant| applicant.position);
        self.pass(*standing.insert(self.buckets.take(who)))?;
        match applicant {
            Ok(applicant) => {
                let reply = token_endpoint::issue(&tokens, &applicant, id, now)?;
                let client = tokens.client_at(applicant.position).map(|client| client.client_id.as_str());
                tracing::info!(
                    client,
                    status = reply.status.as_u16(),
                    request.id = id,
                    "management API: a client asked for a token"
                );
                Ok(reply)
            }
            Err(refused) => Ok(refused),
        }
    }

    async fn admit(
        &self,
        (request, now): (&HttpRequest, UnixTime),
        payload: Payload,
        id: &str,
        standing: &mut Option<Standing>,
    ) -> Result<Asked, Failure> {
        let caller = self.tokens.load_full().find(request.headers(), now).await;
        let who = caller.as_ref().ok().map(|caller| caller.position);
        self.pass(*standing.insert(self.buckets.take(who)))?;
        let caller = caller?;
        let target = Target::find(request.method().as_str(), request.path())?;
        let scope = target.operation.scope;
        if !caller.scopes.contains(&scope) {
            return Err(Failure::insufficient_scope(scope.word()));
        }
        target.check_ids()?;
        if target.operation.action == Action::VerifyDomain {
            self.pass(*standing.insert(self.buckets.take_verification()))?;
        }
        let body = match *request.method() {
            Method::POST | Method::PATCH => read(payload).await?,
            _ => Bytes::new(),
        };
        let actor = Actor { name: caller.name, request_id: id.to_owned() };
        Ok(Asked { target, query: request.query_string().to_owned(), body, actor })
    }

    fn pass(&self, standing: Standing) -> Result<(), Failure> {
        if standing.passes { Ok(()) } else { Err(Failure::too_many_requests(standing.wait)) }
    }
}

/// Reads a body. It comes in time: nobody holds a connection for ever.
async fn read(payload: Payload) -> Result<Bytes, Failure> {
    let late = |_| Failure::new(StatusCode::REQUEST_TIMEOUT, None, "The body did not come in time".to_owned());
    actix_web::rt::time::timeout(BODY_PATIENCE, read_all(payload)).await.map_err(late)?
}

async fn read_all(mut payload: Payload) -> Result<Bytes, Failure> {
    let mut body = Vec::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|why| Failure::body(&format!("the body broke off: {why}")))?;
        if body.len() + chunk.len() > MOST_BODY {
            return Err(Failure::new(StatusCode::PAYLOAD_TOO_LARGE, None, format!("more than {MOST_BODY} octets")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.into())
}

fn answer(reply: Result<Reply, Failure>, id: &str, standing: Option<Standing>, now: UnixTime) -> HttpResponse {
    let (reply, wait, allow) = match reply {
        Ok(reply) => (reply, None, None),
        Err(failure) => {
            let reply = Reply { status: failure.status, body: Some(failure.text()), next: None };
            (reply, failure.wait, failure.allow)
        }
    };
    let mut response = HttpResponse::build(reply.status);
    // Keys are shown in some of the answers.
    response.insert_header((header::CACHE_CONTROL, HeaderValue::from_static("no-store")));
    response.insert_header((HeaderName::from_static("x-request-id"), id));
    if let Some(standing) = standing {
        let numbers = [
            ("x-ratelimit-limit", i64::from(standing.limit)),
            ("x-ratelimit-remaining", i64::from(standing.remaining)),
            ("x-ratelimit-reset", now.plus(i64::from(standing.reset)).0),
        ];
        for (name, number) in numbers {
            response.insert_header((HeaderName::from_static(name), number));
        }
    }
    if reply.status == StatusCode::UNAUTHORIZED {
        response.insert_header((header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")));
    }
    if let Some(wait) = wait {
        response.insert_header((header::RETRY_AFTER, i64::from(wait)));
    }
    if let Some(allow) = allow {
        response.insert_header((header::ALLOW, allow));
    }
    if let Some(next) = reply.next {
        response.insert_header((header::LINK, format!("<{next}>; rel=\"next\"")));
    }
    match reply.body {
        Some(body) => response.insert_header((header::CONTENT_TYPE, "application/json; charset=utf-8")).body(body),
        None => response.finish(),
    }
}

/// 128 random bits. Without them, which no system has, requests have no id.
fn request_id() -> String {
    let mut bytes = [0; 16];
    match getrandom::fill(&mut bytes) {
        Ok(()) => hex::encode(bytes),
        Err(_) => String::new(),
    }
}
