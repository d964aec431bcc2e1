//! The upstream's answer: a head that the response rules may change, and a body that is streamed afterwards.

use std::rc::Rc;
use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::body::BodySize;
use actix_web::http::{self as actix, ConnectionType};
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::exchange::Exchanged;
use super::gzip;
use super::headers::remove_hop_by_hop;
use super::response_body::ResponseBody;
use super::upgrade::Tunnel;
use super::{Ending, Timings, Transfer, Upstream};
use crate::refusal::{Refusal, Refused};

/// What the upstream answered. Dropping it drops the connection.
pub struct Answer {
    /// The status, final: 1xx answers other than an upgrade are not passed on.
    pub status: StatusCode,
    /// The end-to-end headers. The body's framing is not theirs to change: a `Content-Length` is not copied.
    pub headers: HeaderMap,
    /// How long the upstream took.
    pub timings: Timings,
    transfer: Rc<Transfer>,
    body: ResponseBody,
    connection: Option<ConnectionType>,
}

impl Answer {
    /// An ordinary answer, to a HEAD request or another.
    pub(super) fn new(upstream: &Arc<Upstream>, exchanged: Exchanged, transfer: Rc<Transfer>, head: bool) -> Self {
        let Exchanged { response, connection, timings } = exchanged;
        let (mut parts, incoming) = response.into_parts();
        remove_hop_by_hop(&mut parts.headers);
        let size = body_size(parts.status, &parts.headers, head, &incoming);
        let body = ResponseBody::new(upstream, incoming, connection, size, Rc::clone(&transfer));
        Self { status: parts.status, headers: parts.headers, timings, transfer, body, connection: None }
    }

    /// The `101` of an upgrade.
    pub(super) fn switched(mut headers: HeaderMap, tunnel: Tunnel, transfer: Rc<Transfer>, timings: Timings) -> Self {
        remove_hop_by_hop(&mut headers);
        let body = ResponseBody::tunnel(tunnel, Rc::clone(&transfer));
        let connection = Some(ConnectionType::Upgrade);
        Self { status: StatusCode::SWITCHING_PROTOCOLS, headers, timings, transfer, body, connection }
    }

    /// Sends the client elsewhere instead: of the upstream's answer nothing is left.
    pub fn redirect(&mut self, status: u16, location: HeaderValue) {
        self.status = StatusCode::from_u16(status).unwrap_or(StatusCode::FOUND);
        self.headers = HeaderMap::from_iter([(LOCATION, location)]);
        self.body = ResponseBody::nothing(Rc::clone(&self.transfer));
    }

    /// Reads the body, if it has no more bytes than these. What was read goes to the client until it is replaced.
    ///
    /// # Errors
    /// [`Refusal::UpstreamInvalidResponse`], [`Refusal::UpstreamTimeout`] when it broke off.
    pub async fn read(&mut self, most: usize) -> Result<Option<Bytes>, Refused> {
        self.body.read(most).await.map_err(|(ending, cut)| {
            let refusal = match ending {
                Ending::Stalled => Refusal::UpstreamTimeout,
                Ending::Abandoned | Ending::Broken | Ending::Complete => Refusal::UpstreamInvalidResponse,
            };
            Refused::new(refusal, cut.to_string())
        })
    }

    /// Puts another body in the place of one that was read.
    pub fn replace(&mut self, body: Bytes) {
        self.body.replace(body);
    }

    /// Says instead that the client has it already (RFC 9110 §15.4.5).
    pub fn not_modified(&mut self) {
        self.status = StatusCode::NOT_MODIFIED;
        self.headers.remove(CONTENT_TYPE);
        self.body.empty();
    }

    /// Says nothing of the length of a body that does not follow: the answer to a HEAD request.
    pub fn forget_length(&mut self) {
        self.body.empty();
    }

    /// Compresses the body on its way, when the client takes that and there is something to gain.
    pub fn compress_for(&mut self, request: &HeaderMap) {
        let bodiless = self.status.is_informational() || matches!(self.status.as_u16(), 204 | 206 | 304);
        if !bodiless && gzip::is_wanted(request, &mut self.headers) {
            self.body.compress();
        }
    }

    /// This answer, with the client's connection closed after it.
    pub(super) fn closing(mut self) -> Self {
        self.connection = Some(ConnectionType::Close);
        self
    }

    /// The byte counts of both directions, live.
    pub fn transfer(&self) -> &Rc<Transfer> {
        &self.transfer
    }

    /// Calls `then` when the body has ended, however it ended: the moment for the access line.
    pub fn on_end(&mut self, then: impl FnOnce(&Transfer, Ending) + 'static) {
        self.body.on_end(Box::new(then));
    }

    /// The answer for actix. `version` is the client's.
    pub fn into_response(self, version: actix::Version) -> HttpResponse<ResponseBody> {
        let status = actix::StatusCode::from_u16(self.status.as_u16()).unwrap_or(actix::StatusCode::BAD_GATEWAY);
        let unsized_body = matches!(self.body.body_size(), BodySize::Stream);
        let mut response = HttpResponse::with_body(status, self.body);
        copy_headers(&self.headers, response.headers_mut());
        if self.status == StatusCode::NOT_MODIFIED
            && let Some(length) = announced_length(&self.headers)
        {
            // The one status where actix leaves the length to us.
            response.headers_mut().insert(actix::header::CONTENT_LENGTH, length.into());
        }
        let head = response.head_mut();
        if let Some(connection) = self.connection {
            head.set_connection_type(connection);
        }
        if self.connection == Some(ConnectionType::Upgrade) {
            let websocket = actix::header::HeaderValue::from_static("websocket");
            head.headers_mut().insert(actix::header::UPGRADE, websocket);
        } else if unsized_body && (version < actix::Version::HTTP_11 || self.connection.is_some()) {
            // HTTP/1.0 has no chunks (RFC 9112 §6.1), and after an upgrade request actix would announce chunks but write
            // none: this body ends with the connection.
            head.no_chunking(true);
            head.set_connection_type(ConnectionType::Close);
        }
        response
    }
}

/// How many bytes follow, or are announced to follow (RFC 9112 §6.3).
fn body_size(status: StatusCode, headers: &HeaderMap, head: bool, incoming: &hyper::body::Incoming) -> BodySize {
    use hyper::body::Body;
    if matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
        return BodySize::None;
    }
    if head {
        // The length that GET would have; nothing follows, and nothing is announced when the upstream did not say.
        return announced_length(headers).map_or(BodySize::None, BodySize::Sized);
    }
    incoming.size_hint().exact().map_or(BodySize::Stream, BodySize::Sized)
}

fn announced_length(headers: &HeaderMap) -> Option<u64> {
    let mut lines = headers.get_all(CONTENT_LENGTH).iter();
    let length = lines.next()?.to_str().ok()?.parse().ok();
    length.filter(|_| lines.next().is_none())
}

/// Line by line and appended: inserting would leave one `Set-Cookie` of several. actix and hyper use different versions of the
/// header types, so names and values are read again. Framing is left out: it follows from the body.
fn copy_headers(from: &HeaderMap, to: &mut actix::header::HeaderMap) {
    use actix::header::{HeaderName, HeaderValue};
    for (name, value) in from {
        if name == TRANSFER_ENCODING || name == CONTENT_LENGTH {
            continue;
        }
        let name = HeaderName::from_bytes(name.as_str().as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value.as_bytes())) {
            to.append(name, value);
        }
    }
}
