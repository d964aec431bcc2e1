//! The way in for requests: authenticate, decide, forward.
//!
//! The handler takes every method and path of the data listener. It hands the head to the front-door stage and sees from then
//! on only what the stages give out.

use std::sync::Arc;

use actix_web::body::{BoxBody, EitherBody};
use actix_web::{HttpRequest, HttpResponse, web};
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::answer;
use crate::authorize;
use crate::clock::UnixTime;
use crate::front_door::AuthenticatedForward;
use crate::journey::{Decided, ErrorStyle};
use crate::record::{Record, Upstreamed};
use crate::refusal::{Refusal, Refused};
use crate::request_head::{RequestHead, RequestTarget};
use crate::rules::Trace;
use crate::server::Shared;
use crate::upstream::{self, Answer, Ending, ResponseBody};

/// An answer: streamed from an upstream, or made here.
pub type Response = HttpResponse<EitherBody<ResponseBody, BoxBody>>;

/// Handles one request of the data listener.
pub async fn handle(request: HttpRequest, payload: web::Payload, shared: web::Data<Shared>) -> Response {
    let shared = shared.into_inner();
    let snapshot = shared.snapshot.load_full();
    let peer = request.peer_addr().map(|address| address.ip());
    let mut record = Record::begin(shared, snapshot, request.method().as_str(), request.path(), peer);
    let now = UnixTime::now();
    let forward = head_of(&request).and_then(|head| AuthenticatedForward::authenticate(&record.snapshot().directory, head));
    let forward = match forward {
        Ok(forward) => forward,
        Err(refused) => return refuse(record, &refused, ErrorStyle::Json),
    };
    record.authenticated(&forward);
    let snapshot = Arc::clone(record.snapshot());
    let tenant = match snapshot.tenant(&forward) {
        Ok(tenant) => tenant,
        Err(refused) => return refuse(record, &refused, ErrorStyle::Json),
    };
    let style = tenant.error_style;
    if let Some(endpoint) = tenant.authorize.as_ref().filter(|endpoint| endpoint.path == forward.target().path()) {
        return authorize::answer(record, forward, endpoint, style, now).map_into_right_body();
    }
    let request_id = record.request_id().to_owned();
    match snapshot.decide(forward, &request_id, now, &mut record.findings, Trace::Off) {
        Ok(decided) => send(record, decided, request, payload, style).await,
        Err(refused) => refuse(record, &refused, style),
    }
}

async fn send(record: Record, decided: Decided, request: HttpRequest, payload: web::Payload, style: ErrorStyle) -> Response {
    let Decided { permitted, route } = decided;
    let request_id = permitted.request_id().to_owned();
    let answer = upstream::forward(&route.upstream, permitted, route.request_body_limit, payload.into_inner()).await;
    match answer {
        Ok(answer) => respond(record, answer, &request_id, request.version()),
        Err(refused) => refuse(record, &refused, style),
    }
}

fn respond(record: Record, mut answer: Answer, request_id: &str, version: actix_web::http::Version) -> Response {
    let (status, head) = (answer.status.as_u16(), answer.timings.first_byte);
    if let Ok(id) = HeaderValue::from_str(request_id) {
        answer.headers.insert(HeaderName::from_static("x-request-id"), id);
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

fn refuse(record: Record, refused: &Refused, style: ErrorStyle) -> Response {
    let answer = answer::refused(refused.refusal, style, record.request_id());
    record.refused(refused);
    answer.map_into_right_body()
}

/// The head in the types that the stages share. actix and hyper use different versions of them, so each line is read again.
fn head_of(request: &HttpRequest) -> Result<RequestHead, Refused> {
    let malformed = |what: &str| Refused::new(Refusal::RequestMalformed, format!("{what} cannot be read"));
    let target = request.uri().path_and_query().map_or("", |target| target.as_str());
    if request.uri().scheme().is_some() || request.uri().authority().is_some() {
        return Err(Refused::new(Refusal::RequestTargetInvalid, "request target: not in origin form"));
    }
    let mut headers = HeaderMap::with_capacity(request.headers().len());
    for (name, value) in request.headers() {
        let name = HeaderName::from_bytes(name.as_str().as_bytes()).map_err(|_| malformed("a header name"))?;
        let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| malformed("a header value"))?;
        headers.append(name, value);
    }
    Ok(RequestHead {
        method: Method::from_bytes(request.method().as_str().as_bytes()).map_err(|_| malformed("the method"))?,
        target: RequestTarget::parse(target)?,
        headers,
        peer: request.peer_addr().map(|address| address.ip()),
    })
}
