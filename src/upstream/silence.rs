//! A timer that runs only while the other side is waited for.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// How long a peer has been silent while somebody listened. A reader that pauses by itself does not count against the peer.
#[derive(Debug)]
pub(super) struct Silence {
    limit: Duration,
    since: Option<Instant>,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Silence {
    pub(super) fn new(limit: Duration) -> Self {
        Self { limit, since: None, sleep: None }
    }

    /// Something came: the next wait starts from zero.
    pub(super) fn broken(&mut self) {
        self.since = None;
    }

    /// Ready when the silence has lasted too long, counted from the first call since [`broken`](Self::broken), or from
    /// `activity` if that is later.
    pub(super) fn poll_too_long(&mut self, cx: &mut Context<'_>, activity: Option<Instant>) -> Poll<()> {
        let since = *self.since.get_or_insert_with(Instant::now);
        let deadline = activity.map_or(since, |activity| activity.max(since)) + self.limit;
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if sleep.deadline() != deadline {
            sleep.as_mut().reset(deadline);
        }
        sleep.as_mut().poll(cx)
    }
}
