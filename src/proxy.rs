//! The way in for requests: authenticate, decide, forward.
//!
//! The handler takes every method and path of the data listener. It hands the head to the front-door stage and sees from then
//! on only what the stages give out.

mod appetite;
mod form;
mod metadata;
mod shared_caches;

use std::sync::Arc;

use actix_http::{HttpMessage, Request};
use actix_web::HttpResponse;
use actix_web::body::{BoxBody, EitherBody};
use actix_web::dev::Payload;
use actix_web::http::{ConnectionType, Version};
use bytes::Bytes;
use http::header::CACHE_CONTROL;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::admission::VerificationMode;
use crate::answer;
use crate::authorize;
use crate::clock::UnixTime;
use crate::front_door::AuthenticatedForward;
use crate::journey::{Decided, ErrorStyle, Route, RoutePolicy, Sending, Snapshot, Tenant};
use crate::oauth::{MOST_FORM_BYTES, is_form};
use crate::presented::Presentation;
use crate::probe::Sight;
use crate::record::{Record, Upstreamed};
use crate::refusal::{Refusal, Refused};
use crate::request_head::{Connection, RequestHead, RequestTarget};
use crate::rules::{After, ResponseHead, RuleAnswer, Says, Trace};
use crate::shared::Shared;
use crate::upstream::{self, Answer, Ending, ResponseBody};

pub use appetite::Appetite;

/// An answer: streamed from an upstream, or made here.
pub type Response = HttpResponse<EitherBody<ResponseBody, BoxBody>>;

/// Handles one request of the data listener.
pub async fn handle(mut request: Request, shared: Arc<Shared>) -> Response {
    let payload = request.take_payload();
    let unread = Unread::of(&payload);
    let appetite = request.conn_data::<Appetite>().cloned().unwrap_or_default();
    let payload = appetite.clone().follow(payload);
    let snapshot = shared.snapshot.load_full();
    let connection = request.conn_data::<Connection>().cloned().unwrap_or_default();
    let mut record = Record::begin(shared, snapshot, request.method().as_str(), request.path(), connection.peer);
    let now = UnixTime::now();
    let head = head_of(&request, connection);
    let token = head.as_ref().ok().and_then(|head| debug_token(head, record.snapshot()));
    let forward = match head {
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
    if record.probe().is_some_and(|probe| probe.admits(&forward, now)) {
        let sight = Sight::of(&snapshot, tenant, &forward, now);
        return show(record, &sight, unread);
    }
    let style = tenant.error_style;
    if let Some(endpoint) = tenant.asked_at(&forward) {
        return authorize::answer(record, forward, endpoint, token.as_ref(), style, now).await.map_into_right_body();
    }
    record.debug(token.as_ref(), &forward, now);
    if tenant.shows_names_at(&forward) {
        return names(record, &forward, style, unread);
    }
    let payload = match tenant.route(&forward).is_ok_and(|route| reads_form(&forward, &route.policy)) {
        true => match form::read(payload, MOST_FORM_BYTES).await {
            Ok(form) => {
                record.findings.form = Some(form.clone());
                form::payload(form)
            }
            Err(refused) => return refuse(record, &refused, style, unread),
        },
        false => payload,
    };
    let metadata = metadata::Asked::of(&forward);
    match record.decide(forward, now).await {
        Ok(Decided::Permitted(sending)) => {
            let way_back =
                WayBack { version: request.version(), head: request.method() == actix_web::http::Method::HEAD, now, style };
            let changed = metadata.map(|asked| (asked, tenant));
            send(record, sending, way_back, payload, unread, changed).await
        }
        Ok(Decided::Answered(answered)) => {
            if matches!(answered.says(), Says::Drop) {
                appetite.hang_up();
            }
            answer_by_rule(record, &answered, unread)
        }
        Err(refused) => refuse(record, &refused, style, unread),
    }
}

/// Whether the decision needs the body: for the client that it names, or the access token that it might hold beside the one that is
/// checked (RFC 6750 §2.2).
fn reads_form(forward: &AuthenticatedForward, policy: &RoutePolicy) -> bool {
    policy.client_auth.is_some() || (policy.access_token.is_some() && is_form(forward.headers()))
}

/// Shows a client the names of the certificate that it presented, whoever issued it: a debugging aid that tells nobody anything
/// about somebody else.
fn names(mut record: Box<Record>, forward: &AuthenticatedForward, style: ErrorStyle, unread: Unread) -> Response {
    let presentation = match Presentation::read(forward, &record.snapshot().decoder) {
        Ok(presentation) => presentation,
        Err(refused) => return refuse(record, &refused, style, unread),
    };
    let certificate = presentation.certificate().map(Arc::clone);
    record.findings.presentation = Some(presentation);
    let Some(certificate) = certificate else {
        let refused = Refused::new(Refusal::CertificateRequired, "no certificate was presented whose names could be shown");
        return refuse(record, &refused, style, unread);
    };
    let mut answer = answer::names_of(certificate.leaf(), record.request_id());
    if unread == Unread::Body {
        answer.head_mut().set_connection_type(ConnectionType::Close);
    }
    record.permitted(200, None);
    answer.map_into_right_body()
}

/// What the answer's head depends on besides the upstream.
#[derive(Clone, Copy)]
struct WayBack {
    version: Version,
    /// Whether it is the answer to a HEAD request.
    head: bool,
    now: UnixTime,
    style: ErrorStyle,
}

async fn send(
    record: Box<Record>,
    sending: Sending,
    way_back: WayBack,
    payload: Payload,
    unread: Unread,
    metadata: Option<(metadata::Asked, &Tenant)>,
) -> Response {
    let Sending { mut permitted, route, upstream } = sending;
    let metadata = metadata.zip(route.policy.metadata.as_ref());
    if let Some(((asked, _), _)) = &metadata {
        asked.prepare(&mut permitted);
    }
    let after = permitted.take_after();
    match upstream::forward(&upstream, permitted, route.request_body_limit, payload).await {
        Ok(mut answer) => {
            if let Some(((asked, tenant), policy)) = metadata {
                match asked.rewrite(&mut answer, policy, tenant).await {
                    Ok(outcome) => record.metadata(outcome),
                    Err(refused) => return refuse(record, &refused, way_back.style, unread),
                }
            }
            respond(record, answer, after, way_back)
        }
        Err(refused) => refuse(record, &refused, way_back.style, unread),
    }
}

/// Runs the response phase, if the request wants one.
fn after_rules(record: &mut Record, answer: &mut Answer, after: &After, way_back: WayBack) -> Result<(), Refused> {
    let mut gzip = after.gzip;
    if after.rules {
        let upstream = record.findings.upstream.as_ref().map(|upstream| upstream.endpoint.to_string()).unwrap_or_default();
        let head = ResponseHead { status: answer.status, headers: &mut answer.headers, upstream: &upstream };
        let mut seen = Vec::new();
        let trace = if record.is_debugged() { Trace::On(&mut seen) } else { Trace::Off };
        let responded = record.findings.respond(&after.request, way_back.now, head, trace);
        record.findings.rules.extend(seen);
        let responded = responded?;
        if let Some((status, location)) = responded.redirect {
            answer.redirect(status, location);
            return Ok(());
        }
        gzip |= responded.gzip;
    }
    if gzip && !way_back.head {
        answer.compress_for(after.request.headers());
    }
    Ok(())
}

fn respond(mut record: Box<Record>, mut answer: Answer, after: Option<After>, way_back: WayBack) -> Response {
    let (received, head) = (answer.status.as_u16(), answer.timings.first_byte);
    if let Some(after) = after
        && let Err(refused) = after_rules(&mut record, &mut answer, &after, way_back)
    {
        return refuse(record, &refused, way_back.style, Unread::Nothing);
    }
    // After the rules: they may say what shared caches may do, and what they say nothing about stays private.
    let counts = |route: &Arc<Route>| route.policy.admission.verification != VerificationMode::Off;
    if record.findings.route.as_ref().is_some_and(counts) {
        shared_caches::keep_out(&mut answer.headers);
    }
    let status = answer.status.as_u16();
    if let Ok(id) = HeaderValue::from_str(record.request_id()) {
        answer.headers.insert(HeaderName::from_static("x-request-id"), id);
    }
    if let Some((name, value)) = record.expiry_header() {
        answer.headers.insert(name, value);
    }
    let debug = record.debug_lines();
    if !debug.is_empty() {
        // What is shown about this client is for nobody else, whatever the upstream says of its own part.
        answer.headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    for (name, value) in debug {
        answer.headers.append(name, value);
    }
    answer.on_end(move |transfer, ending| {
        let ending = match ending {
            Ending::Abandoned => "abandoned",
            Ending::Broken => "broken",
            Ending::Complete => "complete",
            Ending::Stalled => "stalled",
        };
        let upstreamed = Upstreamed { status: received, head, ending, sent: transfer.sent(), received: transfer.received() };
        record.permitted(status, Some(upstreamed));
    });
    answer.into_response(way_back.version).map_into_left_body()
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

fn answer_by_rule(record: Box<Record>, answered: &RuleAnswer, unread: Unread) -> Response {
    let mut answer = answer::by_rule(answered, record.request_id());
    answer::show_rules(&mut answer, record.debug_lines());
    if unread == Unread::Body {
        answer.head_mut().set_connection_type(ConnectionType::Close);
    }
    record.answered(answered);
    answer.map_into_right_body()
}

/// A connection with an unread body is closed after the answer: nobody makes us read a body that we do not want. The server
/// closes it gently, so that a front door that is still sending gets to see the answer.
fn refuse(record: Box<Record>, refused: &Refused, style: ErrorStyle, unread: Unread) -> Response {
    let challenges = record.challenges(refused.refusal);
    let mut answer = answer::refused(refused.refusal, record.error_style(style), &record.asked(), &challenges);
    answer::show_rules(&mut answer, record.debug_lines());
    if unread == Unread::Body {
        answer.head_mut().set_connection_type(ConnectionType::Close);
    }
    record.refused(refused);
    answer.map_into_right_body()
}

/// Answers a probe. Its request goes no further.
fn show(record: Box<Record>, sight: &Sight, unread: Unread) -> Response {
    let mut answer = answer::shown(sight, record.request_id());
    if unread == Unread::Body {
        answer.head_mut().set_connection_type(ConnectionType::Close);
    }
    record.permitted(200, None);
    answer.map_into_right_body()
}

/// A debug token, when there is exactly one. Whether it is good is known when the front door is.
fn debug_token(head: &RequestHead, snapshot: &Snapshot) -> Option<HeaderValue> {
    let mut values = head.headers.get_all(&snapshot.debugging.as_ref()?.header).iter();
    values.next().filter(|_| values.next().is_none()).cloned()
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
