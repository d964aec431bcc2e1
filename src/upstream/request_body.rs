//! The request's body on its way to the upstream: hyper pulls from the client's connection, so a slow upstream slows the
//! client and nothing queues up in between.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::dev::Payload;
use bytes::Bytes;
use futures_util::Stream;
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use hyper::body::{Body, Frame, SizeHint};

use super::transfer::{RequestFailure, Transfer};
use crate::refusal::{Refusal, Refused};

/// How the client framed its body (RFC 9112 §6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// In chunks, up to a last one.
    Chunked,
    /// Neither header: no body.
    None,
    /// A known number of bytes.
    Sized(u64),
}

impl Framing {
    /// Reads the framing headers. The server has refused contradictions already; what cannot be read is refused here again.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Refused> {
        let malformed = |why: &str| Refused::new(Refusal::RequestMalformed, why);
        let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
        let length = lengths.next();
        if lengths.next().is_some() {
            return Err(malformed("more than one Content-Length"));
        }
        let Some(coding) = headers.get(TRANSFER_ENCODING) else {
            let Some(length) = length else { return Ok(Self::None) };
            let digits = length.to_str().ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
            let length = digits.and_then(|digits| digits.parse().ok());
            return length.map(Self::Sized).ok_or_else(|| malformed("a Content-Length that is no number"));
        };
        if length.is_some() {
            return Err(malformed("Content-Length and Transfer-Encoding"));
        }
        let only = headers.get_all(TRANSFER_ENCODING).iter().count() == 1;
        if only && coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked") {
            return Ok(Self::Chunked);
        }
        Err(malformed("a Transfer-Encoding other than `chunked`"))
    }
}

/// A body for hyper.
pub(super) struct RequestBody {
    payload: Payload,
    /// How many bytes are still to come, when that is known.
    remaining: Option<u64>,
    limit: Option<u64>,
    transfer: Rc<Transfer>,
}

impl RequestBody {
    /// # Errors
    /// [`Refusal::RequestBodyTooLarge`] when the announced length is over the limit.
    pub(super) fn new(payload: Payload, framing: Framing, limit: Option<u64>, transfer: Rc<Transfer>) -> Result<Self, Refused> {
        let remaining = match framing {
            Framing::Chunked => None,
            Framing::None => Some(0),
            Framing::Sized(length) => Some(length),
        };
        if let (Some(length), Some(limit)) = (remaining, limit)
            && length > limit
        {
            let cause = format!("a body of {length} bytes, the limit is {limit}");
            return Err(Refused::new(Refusal::RequestBodyTooLarge, cause));
        }
        if remaining == Some(0) {
            transfer.note_request_complete();
        }
        Ok(Self { payload, remaining, limit, transfer })
    }

    /// A body without bytes.
    pub(super) fn empty(transfer: Rc<Transfer>) -> Self {
        transfer.note_request_complete();
        Self { payload: Payload::None, remaining: Some(0), limit: None, transfer }
    }

    fn pass(&mut self, chunk: Bytes) -> Result<Frame<Bytes>, RequestFailure> {
        self.transfer.note_sent(chunk.len());
        if let Some(limit) = self.limit
            && self.transfer.sent() > limit
        {
            return Err(RequestFailure::TooLarge(limit));
        }
        if let Some(remaining) = &mut self.remaining {
            *remaining = remaining.saturating_sub(chunk.len() as u64);
            if *remaining == 0 {
                self.transfer.note_request_complete();
            }
        }
        Ok(Frame::data(chunk))
    }

    fn fail(&self, failure: RequestFailure) -> RequestFailure {
        self.transfer.note_request_failure(failure.clone());
        failure
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = RequestFailure;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, RequestFailure>>> {
        let this = &mut *self;
        match Pin::new(&mut this.payload).poll_next(cx) {
            Poll::Pending => {
                this.transfer.note_waiting_for_client();
                Poll::Pending
            }
            Poll::Ready(Some(Ok(chunk))) => Poll::Ready(Some(this.pass(chunk).map_err(|failure| this.fail(failure)))),
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(this.fail(RequestFailure::Client(error.to_string()))))),
            Poll::Ready(None) => {
                this.transfer.note_request_complete();
                Poll::Ready(None)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.remaining == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        self.remaining.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn framing_is_read_once_and_strictly() {
        let framing = |lines: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in lines {
                headers.append(*name, value.parse().unwrap());
            }
            Framing::of(&headers).map_err(|refused| refused.refusal)
        };
        assert_eq!(framing(&[]), Ok(Framing::None));
        assert_eq!(framing(&[("content-length", "0")]), Ok(Framing::Sized(0)));
        assert_eq!(framing(&[("content-length", "12")]), Ok(Framing::Sized(12)));
        assert_eq!(framing(&[("transfer-encoding", "Chunked")]), Ok(Framing::Chunked));
        for lines in [
            &[("content-length", "")][..],
            &[("content-length", "+1")],
            &[("content-length", "1, 1")],
            &[("content-length", "99999999999999999999")],
            &[("content-length", "1"), ("content-length", "1")],
            &[("content-length", "1"), ("transfer-encoding", "chunked")],
            &[("transfer-encoding", "gzip, chunked")],
            &[("transfer-encoding", "identity")],
            &[("transfer-encoding", "chunked"), ("transfer-encoding", "chunked")],
        ] {
            assert_eq!(framing(lines), Err(Refusal::RequestMalformed), "{lines:?}");
        }
    }
}
