//! The way in for requests: authenticate, decide, forward.
//!
//! The handler takes every method and path of the data listener. It hands the head to the front-door stage and sees from then
//! on only what the stages give out.

mod appetite;
mod form;

use std::sync::Arc;

use actix_http::{HttpMessage, Request};
use actix_web::HttpResponse;
use actix_web::body::{BoxBody, EitherBody};
use actix_web::dev::Payload;
use actix_web::http::{ConnectionType, Version};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::answer;
use crate::authorize;
use crate::clock::UnixTime;
use crate::front_door::AuthenticatedForward;
use crate::journey::{Decided, ErrorStyle};
use crate::oauth::MOST_FORM_BYTES;
use crate::record::{Record, Upstreamed};
use crate::refusal::{Refusal, Refused};
use crate::request_head::{Connection, RequestHead, RequestTarget};
use crate::rules::Trace;
use crate::shared::Shared;
use crate::upstream::{self, Answer, Ending, ResponseBody};

pub use appetite::Appetite;

/// An answer: streamed from an upstream, or made here.
pub type Response = HttpResponse<EitherBody<ResponseBody, BoxBody>>;

/// Handles one request of the data listener.
pub async fn handle(mut request: Request, shared: Arc<Shared>) -> Response {
    let payload = request.take_payload();
    let unread = Unread::of(&payload);
    let payload = request.conn_data::<Appetite>().cloned().unwrap_or_default().follow(payload);
    let snapshot = shared.snapshot.load_full();
    let connection = request.conn_data::<Connection>().cloned().unwrap_or_default();
    let mut record = Record::begin(shared, snapshot, request.method().as_str(), request.path(), connection.peer);
    let now = UnixTime::now();
    let forward = match head_of(&request, connection) {
        Ok(head) => AuthenticatedForward::authenticate(&record.snapshot().directory, head, now, record.replay()).await,
        Err(refused) => Err(refused),
    };
    let forward = match forward {
        Ok(forward) => forward,
        Err(refused) => return refuse(record, &refused, ErrorStyle::Json, unread),
    };
    record.authenticated(&forward);
    let snapshot = Arc::clone(record.snapshot());
    let tenant = match snapshot.tenant(&forward) {
        Ok(tenant) => tenant,
        Err(refused) => return refuse(record, &refused, ErrorStyle::Json, unread),
    };
    let style = tenant.error_style;
    if let Some(endpoint) = tenant.asked_at(&forward) {
        return authorize::answer(record, forward, endpoint, style, now).await.map_into_right_body();
    }
    let payload = match tenant.route(&forward).is_ok_and(|route| route.policy.client_auth.is_some()) {
        true => match form::read(payload, MOST_FORM_BYTES).await {
            Ok(form) => {
                record.findings.form = Some(form.clone());
                form::payload(form)
            }
            Err(refused) => return refuse(record, &refused, style, unread),
        },
        false => payload,
    };
    let (request_id, findings) = record.deciding();
    match snapshot.decide(forward, request_id, now, findings, Trace::Off).await {
        Ok(decided) => send(record, decided, request.version(), payload, style, unread).await,
        Err(refused) => refuse(record, &refused, style, unread),
    }
}

async fn send(
    record: Record,
    decided: Decided,
    version: Version,
    payload: Payload,
    style: ErrorStyle,
    unread: Unread,
) -> Response {
    let Decided { permitted, route } = decided;
    let answer = upstream::forward(&route.upstream, permitted, route.request_body_limit, payload).await;
    match answer {
        Ok(answer) => respond(record, answer, version),
        Err(refused) => refuse(record, &refused, style, unread),
    }
}

fn respond(record: Record, mut answer: Answer, version: Version) -> Response {
    let (status, head) = (answer.status.as_u16(), answer.timings.first_byte);
    if let Ok(id) = HeaderValue::from_str(record.request_id()) {
        answer.headers.insert(HeaderName::from_static("x-request-id"), id);
    }
    if let Some((name, value)) = record.expiry_header() {
        answer.headers.insert(name, value);
    }
    answer.on_end(move |transfer, ending| {
        let ending = match ending {
            Ending::Abandoned => "abandoned",
            Ending::Broken => "broken",
            Ending::Complete => "complete",
            Ending::Stalled => "stalled",
        };
        let upstreamed = Upstreamed { status, head, ending, sent: transfer.sent(), received: transfer.received() };
        record.permitted(status, Some(upstreamed));
    });
    answer.into_response(version).map_into_left_body()
}

/// Whether a request has a body that a refusal leaves unread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unread {
    Body,
    Nothing,
}

impl Unread {
    fn of(payload: &Payload) -> Self {
        if matches!(payload, Payload::None) { Self::Nothing } else { Self::Body }
    }
}

/// A connection with an unread body is closed after the answer: nobody makes us read a body that we do not want. The server
/// closes it gently, so that a front door that is still sending gets to see the answer.
fn refuse(record: Record, refused: &Refused, style: ErrorStyle, unread: Unread) -> Response {
    let challenges = record.challenges(refused.refusal);
    let mut answer = answer::refused(refused.refusal, style, record.request_id(), &challenges);
    if unread == Unread::Body {
        answer.head_mut().set_connection_type(ConnectionType::Close);
    }
    record.refused(refused);
    answer.map_into_right_body()
}

/// The head in the types that the stages share. actix and hyper use different versions of them, so each line is read again.
fn head_of(request: &Request, connection: Connection) -> Result<RequestHead, Refused> {
    let malformed = |what: &str| Refused::new(Refusal::RequestMalformed, format!("{what} cannot be read"));
    let target = request.uri().path_and_query().map_or("", |target| target.as_str());
    if request.uri().scheme().is_some() || request.uri().authority().is_some() {
        return Err(Refused::new(Refusal::RequestTargetInvalid, "request target: not in origin form"));
    }
    Ok(RequestHead {
        method: Method::from_bytes(request.method().as_str().as_bytes()).map_err(|_| malformed("the method"))?,
        target: RequestTarget::parse(target)?,
        headers: headers_of(request.headers()).ok_or_else(|| malformed("a header line"))?,
        connection,
    })
}

/// For the lines that are added on the way to the upstream: growing a map costs more than this memory.
const ROOM: usize = 16;

/// All values are slices of one piece of memory: they are cloned on the way to the upstream, and so that costs no more.
fn headers_of(lines: &actix_web::http::header::HeaderMap) -> Option<HeaderMap> {
    let mut text = Vec::with_capacity(lines.iter().map(|(_, value)| value.len()).sum());
    for (_, value) in lines {
        text.extend_from_slice(value.as_bytes());
    }
    let mut rest = Bytes::from(text);
    let mut headers = HeaderMap::with_capacity(lines.len() + ROOM);
    for (name, value) in lines {
        let name = HeaderName::from_bytes(name.as_str().as_bytes()).ok()?;
        headers.append(name, HeaderValue::from_maybe_shared(rest.split_to(value.len())).ok()?);
    }
    Some(headers)
}
