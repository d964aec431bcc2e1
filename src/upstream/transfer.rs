//! What has passed in the two directions of one exchange, for its timers and for the access line.

use std::cell::{Cell, RefCell};
use std::fmt;

use tokio::time::Instant;

/// Byte counts and the ending of one exchange. Shared by the request's body, the answer's body, and whoever writes the log.
#[derive(Debug)]
pub struct Transfer {
    sent: Cell<u64>,
    received: Cell<u64>,
    last_activity: Cell<Instant>,
    waiting_for_client: Cell<bool>,
    request_complete: Cell<bool>,
    request_failure: RefCell<Option<RequestFailure>>,
    ending: Cell<Option<Ending>>,
}

/// How an answer's body ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It was dropped before its end: the client left.
    Abandoned,
    /// The upstream closed, or broke the framing, before the end.
    Broken,
    /// It was passed on whole.
    Complete,
    /// The upstream was silent for too long.
    Stalled,
}

/// Why a request's body could not be sent whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RequestFailure {
    /// The client left, or broke the framing.
    Client(String),
    /// The body is over its limit.
    TooLarge(u64),
}

impl fmt::Display for RequestFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client(why) => write!(f, "the client did not send its whole body: {why}"),
            Self::TooLarge(limit) => write!(f, "the body is over the limit of {limit} bytes"),
        }
    }
}

impl std::error::Error for RequestFailure {}

impl Transfer {
    pub(super) fn new() -> Self {
        Self {
            sent: Cell::new(0),
            received: Cell::new(0),
            last_activity: Cell::new(Instant::now()),
            waiting_for_client: Cell::new(false),
            request_complete: Cell::new(false),
            request_failure: RefCell::new(None),
            ending: Cell::new(None),
        }
    }

    /// Bytes of the request's body handed to the upstream.
    pub fn sent(&self) -> u64 {
        self.sent.get()
    }

    /// Bytes of the answer's body taken from the upstream.
    pub fn received(&self) -> u64 {
        self.received.get()
    }

    /// How the answer's body ended; none while it runs.
    pub fn ending(&self) -> Option<Ending> {
        self.ending.get()
    }

    pub(super) fn end(&self, ending: Ending) {
        self.ending.set(Some(ending));
    }

    pub(super) fn note_sent(&self, bytes: usize) {
        self.sent.set(self.sent.get().saturating_add(bytes as u64));
        self.waiting_for_client.set(false);
        self.note_activity();
    }

    pub(super) fn note_received(&self, bytes: usize) {
        self.received.set(self.received.get().saturating_add(bytes as u64));
    }

    /// When that was.
    pub(super) fn note_activity(&self) -> Instant {
        let now = Instant::now();
        self.last_activity.set(now);
        now
    }

    pub(super) fn last_activity(&self) -> Instant {
        self.last_activity.get()
    }

    /// The upstream took everything, and the client has nothing more yet.
    pub(super) fn note_waiting_for_client(&self) {
        self.waiting_for_client.set(true);
    }

    pub(super) fn is_waiting_for_client(&self) -> bool {
        self.waiting_for_client.get()
    }

    pub(super) fn note_request_complete(&self) {
        self.request_complete.set(true);
        self.waiting_for_client.set(false);
        self.note_activity();
    }

    pub(super) fn is_request_complete(&self) -> bool {
        self.request_complete.get()
    }

    pub(super) fn note_request_failure(&self, failure: RequestFailure) {
        *self.request_failure.borrow_mut() = Some(failure);
    }

    pub(super) fn request_failure(&self) -> Option<RequestFailure> {
        self.request_failure.borrow().clone()
    }
}
