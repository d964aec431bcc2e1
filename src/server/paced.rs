//! Reads a client's body no faster than the upstream takes it.
//!
//! actix reads a connection until nothing more is there or 128 KiB are, and hands all of that on as one chunk; with another such
//! piece waiting and a third on its way to the upstream, a slow upload holds half a megabyte. Here the connection itself says
//! "nothing there" as long as nobody asks for more of the body, so that a thousand uploads need little memory.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf, Take};

use crate::proxy::Appetite;
use crate::request_head::Connection;

/// The most that is read before what was read is passed on.
const PIECE: u64 = 16 * 1024;

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
    fn refuse_after_hanging_up(&self) -> io::Result<()> {
        if self.appetite.has_hung_up() { Err(io::ErrorKind::ConnectionAborted.into()) } else { Ok(()) }
    }

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
        self.refuse_after_hanging_up()?;
        Pin::new(self.stream.get_mut()).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.refuse_after_hanging_up()?;
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
