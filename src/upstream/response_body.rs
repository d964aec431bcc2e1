//! The answer's body on its way to the client: actix pulls, so a slow client slows the upstream.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use bytes::Bytes;
use hyper::body::{Body, Incoming};

use super::connect::Connection;
use super::exchange::with_sources;
use super::gzip::Gzip;
use super::silence::Silence;
use super::transfer::{Ending, Transfer};
use super::upgrade::Tunnel;
use super::{Upstream, pool};

/// A body that actix sends. When it fails, actix cuts the client's connection without a last chunk.
pub struct ResponseBody {
    source: Source,
    size: BodySize,
    transfer: Rc<Transfer>,
    on_end: Option<OnEnd>,
    gzip: Option<Gzip>,
    /// What was read already, to be handed out first.
    ahead: VecDeque<Bytes>,
}

enum Source {
    Done,
    Http(Box<Http>),
    Tunnel(Tunnel),
}

struct Http {
    incoming: Incoming,
    connection: Connection,
    upstream: Arc<Upstream>,
    silence: Silence,
}

type OnEnd = Box<dyn FnOnce(&Transfer, Ending)>;

/// Why a body ended before its end.
#[derive(Debug)]
pub struct Cut(String);

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the answer broke off: {}", self.0)
    }
}

impl std::error::Error for Cut {}

impl ResponseBody {
    pub(super) fn new(
        upstream: &Arc<Upstream>,
        incoming: Incoming,
        connection: Connection,
        size: BodySize,
        transfer: Rc<Transfer>,
    ) -> Self {
        let silence = Silence::new(upstream.response_timeout);
        let http = Http { incoming, connection, upstream: Arc::clone(upstream), silence };
        let mut body =
            Self { source: Source::Http(Box::new(http)), size, transfer, on_end: None, gzip: None, ahead: VecDeque::new() };
        body.finish_if_at_end();
        body
    }

    pub(super) fn tunnel(tunnel: Tunnel, transfer: Rc<Transfer>) -> Self {
        Self {
            source: Source::Tunnel(tunnel),
            size: BodySize::Stream,
            transfer,
            on_end: None,
            gzip: None,
            ahead: VecDeque::new(),
        }
    }

    /// A body without a byte, in the place of one that nobody wants.
    pub(super) fn nothing(transfer: Rc<Transfer>) -> Self {
        Self { source: Source::Done, size: BodySize::Sized(0), transfer, on_end: None, gzip: None, ahead: VecDeque::new() }
    }

    /// Compresses what follows; its length is no longer known.
    pub(super) fn compress(&mut self) {
        self.gzip = Some(Gzip::default());
        self.size = BodySize::Stream;
    }

    /// Reads the body, if it has no more bytes than these. What was read is still handed out, until it is replaced.
    ///
    /// # Errors
    /// How and why it broke off.
    pub(super) async fn read(&mut self, most: usize) -> Result<Option<Bytes>, (Ending, Cut)> {
        if matches!(self.size, BodySize::Sized(announced) if announced > most as u64) {
            return Ok(None);
        }
        let mut length = 0_usize;
        loop {
            match poll_fn(|cx| self.poll_source(cx)).await {
                Some(Ok(chunk)) => {
                    length = length.saturating_add(chunk.len());
                    self.ahead.push_back(chunk);
                    if length > most {
                        return Ok(None);
                    }
                }
                Some(Err(cut)) => return Err((self.transfer.ending().unwrap_or(Ending::Broken), cut)),
                None => return Ok(Some(self.ahead.iter().flatten().copied().collect())),
            }
        }
    }

    /// Puts this in the place of a body that was read.
    pub(super) fn replace(&mut self, body: Bytes) {
        (self.source, self.size) = (Source::Done, BodySize::Sized(body.len() as u64));
        self.ahead = VecDeque::from([body]);
    }

    /// A body of no bytes, whose length nobody says.
    pub(super) fn empty(&mut self) {
        (self.source, self.size) = (Source::Done, BodySize::None);
        self.ahead.clear();
    }

    pub(super) fn on_end(&mut self, then: OnEnd) {
        self.on_end = Some(then);
    }

    pub(super) fn body_size(&self) -> BodySize {
        self.size
    }

    /// Gives the connection back as early as possible: the client may ask again before actix asks for the end of this body.
    fn finish_if_at_end(&mut self) {
        if matches!(&self.source, Source::Http(http) if http.incoming.is_end_stream()) {
            self.finish();
        }
    }

    fn finish(&mut self) {
        self.transfer.end(Ending::Complete);
        if let Source::Http(http) = std::mem::replace(&mut self.source, Source::Done)
            // An upstream that answered before it had the whole request may not expect another one behind it.
            && self.transfer.is_request_complete()
        {
            pool::give_back(&http.upstream, http.connection);
        }
    }

    fn cut(&mut self, ending: Ending, cause: String) -> Cut {
        self.source = Source::Done;
        self.transfer.end(ending);
        Cut(cause)
    }
}

impl MessageBody for ResponseBody {
    type Error = Cut;

    fn size(&self) -> BodySize {
        self.size
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Cut>>> {
        let this = &mut *self;
        let Some(mut gzip) = this.gzip.take() else { return this.poll_plain(cx) };
        let polled = gzip.poll(|| this.poll_plain(cx));
        this.gzip = Some(gzip);
        polled
    }
}

impl ResponseBody {
    fn poll_plain(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Cut>>> {
        match self.ahead.pop_front() {
            Some(chunk) => Poll::Ready(Some(Ok(chunk))),
            None => self.poll_source(cx),
        }
    }

    fn poll_source(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Cut>>> {
        let this = self;
        let polled = match &mut this.source {
            Source::Done => return Poll::Ready(None),
            Source::Http(http) => http.poll(cx),
            Source::Tunnel(tunnel) => tunnel.poll(cx, &this.transfer),
        };
        match polled {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Some(Ok(chunk))) => {
                this.transfer.note_received(chunk.len());
                this.finish_if_at_end();
                Poll::Ready(Some(Ok(chunk)))
            }
            Poll::Ready(Some(Err((ending, cause)))) => Poll::Ready(Some(Err(this.cut(ending, cause)))),
            Poll::Ready(None) => {
                this.finish();
                Poll::Ready(None)
            }
        }
    }
}

/// A chunk, or how and why there is none.
pub(super) type Polled = Poll<Option<Result<Bytes, (Ending, String)>>>;

impl Http {
    fn poll(&mut self, cx: &mut Context<'_>) -> Polled {
        loop {
            match Pin::new(&mut self.incoming).poll_frame(cx) {
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Ready(Some(Err(error))) => {
                    return Poll::Ready(Some(Err((Ending::Broken, self.cause(&with_sources(&error))))));
                }
                Poll::Ready(Some(Ok(frame))) => {
                    self.silence.broken();
                    // Trailers are dropped (RFC 9110 §6.5.1 allows it). An empty chunk would be the last one to actix.
                    if let Ok(chunk) = frame.into_data()
                        && !chunk.is_empty()
                    {
                        return Poll::Ready(Some(Ok(chunk)));
                    }
                }
                Poll::Pending => {
                    return self
                        .silence
                        .poll_too_long(cx, None)
                        .map(|()| Some(Err((Ending::Stalled, self.cause("silent for too long")))));
                }
            }
        }
    }

    fn cause(&self, why: &str) -> String {
        format!("{}: {why}", self.upstream.endpoint)
    }
}

impl Drop for ResponseBody {
    fn drop(&mut self) {
        let ending = self.transfer.ending().unwrap_or(Ending::Abandoned);
        self.transfer.end(ending);
        if let Some(then) = self.on_end.take() {
            then(&self.transfer, ending);
        }
    }
}
