//! Whether a client's connection should be read further: no faster than the upstream takes a body.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use actix_http::error::PayloadError;
use actix_web::dev::Payload;
use bytes::Bytes;
use futures_util::Stream;

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

    /// Ready when more is wanted; otherwise the reader is woken then.
    pub fn poll_wanted(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.0.sated.get() {
            *self.0.reader.borrow_mut() = Some(cx.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(())
    }

    /// Nothing more is written: the connection ends without the answer that is on its way.
    pub fn hang_up(&self) {
        self.0.hung_up.set(true);
    }

    /// Whether nothing more is to be written.
    pub fn has_hung_up(&self) -> bool {
        self.0.hung_up.get()
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
