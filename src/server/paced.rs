//! Reads a client's body no faster than the upstream takes it.
//!
//! actix reads a connection until nothing more is there or 128 KiB are, and hands all of that on as one chunk; with another such
//! piece waiting and a third on its way to the upstream, a slow upload holds half a megabyte. Here the connection itself says
//! "nothing there" as long as nobody asks for more of the body, so that a thousand uploads need little memory.

use std::cell::{Cell, RefCell};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use actix_http::error::PayloadError;
use actix_web::dev::Payload;
use bytes::Bytes;
use futures_util::Stream;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf, Take};

use crate::request_head::Connection;

/// The most that is read before what was read is passed on.
const PIECE: u64 = 16 * 1024;

/// Whether more of a connection's bytes are wanted. They are, unless a body is on its way and not asked for.
#[derive(Debug, Clone, Default)]
pub struct Appetite(Rc<State>);

#[derive(Debug, Default)]
struct State {
    sated: Cell<bool>,
    hung_up: Cell<bool>,
    reader: RefCell<Option<Waker>>,
}

impl Appetite {
    fn sate(&self) {
        self.0.sated.set(true);
    }

    fn whet(&self) {
        if self.0.sated.replace(false)
            && let Some(reader) = self.0.reader.take()
        {
            reader.wake();
        }
    }

    /// Nothing more is written: the connection ends without the answer that is on its way.
    pub fn hang_up(&self) {
        self.0.hung_up.set(true);
    }

    fn refuse_writing(&self) -> io::Result<()> {
        if self.0.hung_up.get() { Err(io::ErrorKind::ConnectionAborted.into()) } else { Ok(()) }
    }

    fn poll_wanted(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.0.sated.get() {
            *self.0.reader.borrow_mut() = Some(cx.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(())
    }

    /// A request's body that says when more of it is wanted.
    pub fn follow(self, payload: Payload) -> Payload {
        if matches!(payload, Payload::None) {
            return payload;
        }
        self.sate();
        Payload::Stream { payload: Box::pin(Followed { payload, appetite: self }) }
    }
}

struct Followed {
    payload: Payload,
    appetite: Appetite,
}

impl Stream for Followed {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = Pin::new(&mut self.payload).poll_next(cx);
        match &polled {
            Poll::Ready(Some(Ok(_))) => self.appetite.sate(),
            // At the end the next request is wanted.
            Poll::Pending | Poll::Ready(None | Some(Err(_))) => self.appetite.whet(),
        }
        polled
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        // Nobody reads the rest: the server decides what to do with it.
        self.appetite.whet();
    }
}

/// A client's connection.
pub(super) struct Paced<S> {
    /// Limited to what is left of the piece.
    stream: Take<S>,
    appetite: Appetite,
    connection: Connection,
}

impl<S: AsyncRead> Paced<S> {
    pub(super) fn new(stream: S, connection: Connection) -> Self {
        Self { stream: stream.take(PIECE), appetite: Appetite::default(), connection }
    }

    pub(super) fn appetite(&self) -> &Appetite {
        &self.appetite
    }

    /// What it tells about its other end.
    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        ready!(self.appetite.poll_wanted(cx));
        if self.stream.limit() == 0 {
            self.stream.set_limit(PIECE);
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if polled.is_pending() {
            self.stream.set_limit(PIECE);
        }
        polled
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.appetite.refuse_writing()?;
        Pin::new(self.stream.get_mut()).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.appetite.refuse_writing()?;
        Pin::new(self.stream.get_mut()).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.get_ref().is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.stream.get_mut()).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.stream.get_mut()).poll_shutdown(cx)
    }
}
