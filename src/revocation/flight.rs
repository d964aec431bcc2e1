//! One fetch under way, and everybody who waits for it.

use std::time::{Duration, Instant};

use tokio::sync::watch;

/// Held by who fetches. Those who wait go on when it lands, also by being dropped.
pub(super) struct Flight(watch::Sender<bool>);

/// Held by who waits.
#[derive(Debug, Clone)]
pub(super) struct Landing(watch::Receiver<bool>);

impl Flight {
    pub(super) fn begin() -> (Self, Landing) {
        let (sender, receiver) = watch::channel(false);
        (Self(sender), Landing(receiver))
    }

    /// There is something to judge with, or there will be nothing.
    pub(super) fn land(&self) {
        self.0.send_replace(true);
    }
}

impl Landing {
    async fn landed(&mut self) {
        // An error says that the flight is over.
        let _ = self.0.wait_for(|landed| *landed).await;
    }
}

/// Waits for all, until an instant.
pub(super) async fn wait(landings: Vec<Landing>, until: Instant) {
    for mut landing in landings {
        if tokio::time::timeout_at(until.into(), landing.landed()).await.is_err() {
            return;
        }
    }
}

/// When something was tried, and when it may be tried again.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    landing: Option<Landing>,
    /// Nobody waits for this one.
    behind: bool,
    not_before: Option<Instant>,
}

/// Whether to try.
pub(super) enum Try {
    /// Somebody does.
    Joined(Landing),
    /// Not now: it failed a moment ago, or is tried again behind the requests' backs.
    NotYet,
    /// Now, and this is the flight.
    Started(Flight, Landing),
}

impl Attempts {
    pub(super) fn begin(&mut self) -> Try {
        if let Some(landing) = self.landing.as_ref().filter(|_| !self.behind) {
            return Try::Joined(landing.clone());
        }
        if !self.may_begin() {
            return Try::NotYet;
        }
        let (flight, landing) = Flight::begin();
        self.landing = Some(landing.clone());
        self.behind = false;
        Try::Started(flight, landing)
    }

    /// As [`Attempts::begin`], and requests do not join it: they waited once, when nothing was known, and a server that has
    /// been down since is tried again without them.
    pub(super) fn begin_behind(&mut self) -> Try {
        let begun = self.begin();
        self.behind |= matches!(begun, Try::Started(..));
        begun
    }

    /// Nothing is under way, and nothing failed a moment ago.
    pub(super) fn may_begin(&self) -> bool {
        self.landing.is_none() && self.not_before.is_none_or(|instant| instant <= Instant::now())
    }

    /// Somebody fetches.
    pub(super) fn is_under_way(&self) -> bool {
        self.landing.is_some()
    }

    /// The flight is over; the next one begins after the pause at the earliest.
    pub(super) fn end(&mut self, pause: Duration) {
        self.landing = None;
        self.not_before = Instant::now().checked_add(pause);
    }
}
