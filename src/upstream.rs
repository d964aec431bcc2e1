//! Forwarding: the last stage before the answer.
//!
//! Enters: a [`Permitted`] request, and the body as it arrives. Leaves: an [`Answer`], whose status
//! and headers the response rules may change before its body is streamed.
//!
//! 1. Hop-by-hop headers stay on their hop, in both directions, with every header that `Connection` names (RFC 9110 §7.6.1).
//! 2. What the upstream learns about the client (`Forwarded`, `X-Forwarded-*`, `X-Real-IP`, `X-Request-Id`) is written here;
//!    the client's own lines of those names, in any spelling, never pass.
//! 3. Bodies are framed anew from what was understood, never copied from the peer's framing headers (RFC 9112 §6).
//! 4. A body that broke off never looks complete: the other side's connection is cut.
//! 5. A request is sent twice only if hyper gives it back unsent, or if it is safe, has no body, and went to an idle
//!    connection that never answered a byte (RFC 9110 §9.2.2).
//!
//! Refusals: [`RequestMalformed`](Refusal::RequestMalformed), [`RequestBodyTooLarge`](Refusal::RequestBodyTooLarge),
//! [`UpstreamUnreachable`](Refusal::UpstreamUnreachable), [`UpstreamInvalidResponse`](Refusal::UpstreamInvalidResponse),
//! [`UpstreamTimeout`](Refusal::UpstreamTimeout).
//!
//! What the server must be told for this to hold: `h1_allow_half_closed(false)`, or a client that left is noticed only when
//! the upstream has answered; `tcp_nodelay(true)`; and no `client_disconnect_timeout` under a second, since actix counts it
//! from a clock that is up to half a second late, and a timer that is over before it starts never fires. A caveat: an HTTP/1.0 client without a known length gets a body that
//! ends with the connection, so a truncated one cannot be told from a whole one. Front doors should speak HTTP/1.1.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Payload;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::refusal::{Refusal, Refused};
use crate::rules::{Permitted, PermittedParts};

mod answer;
mod connect;
mod endpoint;
mod exchange;
mod gzip;
mod headers;
mod pool;
mod request_body;
mod response_body;
mod silence;
mod spare;
mod transfer;
mod upgrade;

pub use answer::Answer;
pub use endpoint::Endpoint;
pub use exchange::Timings;
pub use response_body::ResponseBody;
pub use transfer::{Ending, Transfer};
pub use upgrade::websocket_request;

/// A server that requests are forwarded to. Ready values, built by the configuration.
#[derive(Debug)]
pub struct Upstream {
    /// The name in the configuration, for logs and counters.
    pub name: String,
    /// Where it listens.
    pub endpoint: Endpoint,
    /// What it is told as `Host`.
    pub host: HostPolicy,
    /// How long a connection may take to be made, name lookup and TLS included.
    pub connect_timeout: Duration,
    /// How long the upstream may be silent: before its answer's head, counted from the last byte sent, and between two reads
    /// of its body.
    pub response_timeout: Duration,
    /// How long an upgraded connection may be silent in both directions.
    pub tunnel_timeout: Duration,
    /// How long an idle connection is kept. Shorter than the upstream's own limit, or requests meet closing connections.
    pub idle_keep_alive: Duration,
    /// How many idle connections each worker keeps.
    pub max_idle_per_worker: usize,
}

/// Which `Host` the upstream is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostPolicy {
    /// This name.
    Named(String),
    /// The host that the client asked for.
    Preserve,
    /// The upstream's own address.
    Upstream,
}

/// What is sent. Made of a [`Permitted`] alone, so nothing else can go out.
#[derive(Debug)]
struct Outgoing {
    method: Method,
    /// The target in origin form, as sent.
    target: String,
    /// The headers as received, without the front door's contract.
    headers: HeaderMap,
    /// Headers that we set. They replace the client's lines of the same name in any spelling, and are added after the
    /// hop-by-hop headers are gone, so that `Connection: x-user` cannot remove them.
    ours: Vec<(HeaderName, HeaderValue)>,
    /// The host that the client asked for.
    host: String,
    /// `http` or `https`: how the client reached the front door.
    scheme: &'static str,
    /// The authenticated address of the client.
    client_ip: IpAddr,
    /// This request's id.
    request_id: String,
    /// The most bytes that the request's body may have.
    request_body_limit: Option<u64>,
}

impl Outgoing {
    fn new(permitted: Permitted, request_body_limit: Option<u64>) -> Self {
        let PermittedParts { host, client_address, method, target, headers, ours, scheme, request_id } = permitted.into_parts();
        let (target, client_ip) = (target.into_raw(), client_address);
        Self { method, target, headers, ours, host, scheme, client_ip, request_id, request_body_limit }
    }
}

/// Forwards a request and waits for the head of its answer.
///
/// # Errors
/// See the module's list; the cause names the upstream's address.
pub async fn forward(
    upstream: &Arc<Upstream>,
    permitted: Box<Permitted>,
    request_body_limit: Option<u64>,
    payload: Payload,
) -> Result<Answer, Refused> {
    let outgoing = Outgoing::new(*permitted, request_body_limit);
    if matches!(outgoing.method, Method::CONNECT | Method::TRACE) {
        // CONNECT would make a tunnel of us; TRACE would send the identity headers back to the client (RFC 9110 §9.3.6, §9.3.8).
        return Err(Refused::new(Refusal::RequestMalformed, format!("method {} is never forwarded", outgoing.method)));
    }
    if websocket_request(&outgoing.method, &outgoing.headers)? {
        upgrade::forward(upstream, outgoing, payload).await
    } else {
        exchange::forward(upstream, outgoing, payload).await
    }
}
