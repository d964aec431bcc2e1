//! One request and the head of its answer: which connection carries it, when it may be sent again, how long to wait.

use std::error::Error;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Payload;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HeaderValue, TRANSFER_ENCODING};
use http::uri::PathAndQuery;
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use hyper::body::Incoming;
use tokio::time::{Instant, timeout_at};

use super::connect::{Connection, connect};
use super::request_body::{Framing, RequestBody};
use super::spare::Spare;
use super::transfer::{RequestFailure, Transfer};
use super::{Answer, Outgoing, Upstream, headers, pool};
use crate::refusal::{Refusal, Refused};

/// How long the upstream took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timings {
    /// Making the connection; none when an idle one was used.
    pub connect: Option<Duration>,
    /// From handing the request to the connection to the answer's head.
    pub first_byte: Duration,
}

/// An answer's head, with the connection that its body still occupies.
pub(super) struct Exchanged {
    pub(super) response: Response<Incoming>,
    pub(super) connection: Connection,
    pub(super) timings: Timings,
}

/// Forwards a request that is no upgrade.
pub(super) async fn forward(upstream: &Arc<Upstream>, mut outgoing: Outgoing, payload: Payload) -> Result<Answer, Refused> {
    let framing = Framing::of(&outgoing.headers)?;
    let transfer = Rc::new(Transfer::new());
    let body = RequestBody::new(payload, framing, outgoing.request_body_limit, Rc::clone(&transfer))?;
    headers::for_upstream(upstream, &mut outgoing)?;
    frame(&mut outgoing.headers, framing);
    let head = outgoing.method == Method::HEAD;
    let exchanged = exchange(upstream, request(outgoing, body)?, &transfer).await?;
    if exchanged.response.status() == StatusCode::SWITCHING_PROTOCOLS {
        let cause = format!("{}: switches protocols without being asked", upstream.endpoint);
        return Err(Refused::new(Refusal::UpstreamInvalidResponse, cause));
    }
    Ok(Answer::new(upstream, exchanged, transfer, head))
}

/// Writes the framing that was understood. `Content-Length: 0` is kept where the client sent it; a request without any
/// framing header gets none (RFC 9110 §8.6).
fn frame(headers: &mut HeaderMap, framing: Framing) {
    match framing {
        Framing::Chunked => {
            headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        }
        Framing::None => {}
        Framing::Sized(length) => {
            headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
    }
}

/// The request as hyper takes it.
pub(super) fn request(outgoing: Outgoing, body: RequestBody) -> Result<Request<RequestBody>, Refused> {
    let target = PathAndQuery::from_maybe_shared(Bytes::from(outgoing.target))
        .map_err(|error| Refused::new(Refusal::RequestTargetInvalid, format!("request target: {error}")))?;
    let mut request = Request::new(body);
    *request.method_mut() = outgoing.method;
    *request.uri_mut() = Uri::from(target);
    *request.headers_mut() = outgoing.headers;
    Ok(request)
}

/// Sends the request on an idle connection or a new one.
pub(super) async fn exchange(
    upstream: &Arc<Upstream>,
    request: Request<RequestBody>,
    transfer: &Rc<Transfer>,
) -> Result<Exchanged, Refused> {
    let request = match pool::take(upstream) {
        None => request,
        Some(connection) => {
            let spare = Spare::of(&request, transfer);
            match send(upstream, connection, request, transfer).await {
                Ok((response, connection, first_byte)) => {
                    return Ok(Exchanged { response, connection, timings: Timings { connect: None, first_byte } });
                }
                Err(Failed { unsent: Some(request), .. }) => *request,
                Err(failed) => {
                    let again = spare.filter(|_| failed.unanswered).and_then(|spare| spare.into_request(transfer));
                    again.ok_or(failed.refused)?
                }
            }
        }
    };
    let started = Instant::now();
    let connection = connect(upstream).await?;
    let connect = Some(started.elapsed());
    let sent = send(upstream, connection, request, transfer).await;
    let (response, connection, first_byte) = sent.map_err(|failed| failed.refused)?;
    Ok(Exchanged { response, connection, timings: Timings { connect, first_byte } })
}

struct Failed {
    refused: Refused,
    /// The request, when not a byte of it was sent.
    unsent: Option<Box<Request<RequestBody>>>,
    /// The connection broke without a byte of answer.
    unanswered: bool,
}

impl From<Refused> for Failed {
    fn from(refused: Refused) -> Self {
        Self { refused, unsent: None, unanswered: false }
    }
}

async fn send(
    upstream: &Upstream,
    mut connection: Connection,
    request: Request<RequestBody>,
    transfer: &Transfer,
) -> Result<(Response<Incoming>, Connection, Duration), Failed> {
    let (started, received) = (transfer.note_activity(), connection.received());
    let mut sending = pin!(connection.sender.try_send_request(request));
    let result = loop {
        let deadline = transfer.last_activity() + upstream.response_timeout;
        match timeout_at(deadline, sending.as_mut()).await {
            Ok(result) => break result,
            // Body was sent meanwhile: the wait starts from there.
            Err(_) if transfer.last_activity() + upstream.response_timeout > deadline => {}
            Err(_) => return Err(too_late(upstream, transfer).into()),
        }
    };
    match result {
        Ok(response) => Ok((response, connection, started.elapsed())),
        Err(mut failure) => {
            let unsent = failure.take_message().map(Box::new);
            let refused = refused(upstream, failure.error(), transfer.request_failure());
            let unanswered = connection.received() == received;
            Err(Failed { refused, unsent, unanswered })
        }
    }
}

fn too_late(upstream: &Upstream, transfer: &Transfer) -> Refused {
    let limit = upstream.response_timeout;
    if transfer.is_waiting_for_client() {
        // The upstream owes nothing yet.
        return Refused::new(Refusal::RequestMalformed, format!("the client stopped sending its body for {limit:?}"));
    }
    Refused::new(Refusal::UpstreamTimeout, format!("{}: no answer within {limit:?}", upstream.endpoint))
}

fn refused(upstream: &Upstream, error: &hyper::Error, request_failure: Option<RequestFailure>) -> Refused {
    match request_failure {
        Some(failure @ RequestFailure::Client(_)) => Refused::new(Refusal::RequestMalformed, failure.to_string()),
        Some(failure @ RequestFailure::TooLarge(_)) => Refused::new(Refusal::RequestBodyTooLarge, failure.to_string()),
        None => {
            let cause = format!("{}: {}", upstream.endpoint, with_sources(error));
            Refused::new(Refusal::UpstreamInvalidResponse, cause)
        }
    }
}

/// An error and everything beneath it.
pub(super) fn with_sources(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        text.push_str(": ");
        text.push_str(&error.to_string());
        next = error.source();
    }
    text
}
