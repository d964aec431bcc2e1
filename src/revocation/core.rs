//! What all fetches share.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::UNIX_EPOCH;

use tokio::sync::Semaphore;

use super::client::{Ask, Fetcher};
use super::folder::Folder;
use super::lists::Sources;
use super::ocsp::OcspAsks;
use super::outcome::FetchError;
use super::settings::RevocationSettings;
use super::troubles::Troubles;
use crate::clock::UnixTime;
use crate::telemetry::fetches::{FetchKind, FetchMetrics, FetchOutcome};
use crate::x509::ocsp_answers::OcspAnswers;

/// Tells the time: the machine's clock, or the instant that `explain` judges at.
pub type Clock = Box<dyn Fn() -> UnixTime + Send + Sync>;

/// Lists on their way at once: each may take [`RevocationSettings::crl_max_size`] of memory.
const MOST_LISTS: usize = 4;
/// OCSP answers on their way at once.
const MOST_ANSWERS: usize = 32;
/// OCSP answers that are held.
const HELD_ANSWERS: usize = 100_000;

pub(super) struct Core {
    pub(super) settings: RevocationSettings,
    pub(super) clock: Clock,
    pub(super) metrics: FetchMetrics,
    pub(super) answers: Arc<OcspAnswers>,
    pub(super) folder: Option<Folder>,
    pub(super) sources: Mutex<Sources>,
    pub(super) asks: Mutex<OcspAsks>,
    pub(super) troubles: Troubles,
    pub(super) runtime: tokio::runtime::Handle,
    fetcher: OnceLock<Result<Fetcher, String>>,
    lists: Semaphore,
    ocsp: Semaphore,
}

impl Core {
    pub(super) fn new(
        settings: RevocationSettings,
        clock: Clock,
        metrics: FetchMetrics,
        folder: Option<Folder>,
        runtime: tokio::runtime::Handle,
    ) -> Self {
        Self {
            settings,
            clock,
            metrics,
            answers: Arc::new(OcspAnswers::new(HELD_ANSWERS)),
            folder,
            sources: Mutex::default(),
            asks: Mutex::default(),
            troubles: Troubles::default(),
            runtime,
            fetcher: OnceLock::new(),
            lists: Semaphore::new(MOST_LISTS),
            ocsp: Semaphore::new(MOST_ANSWERS),
        }
    }

    pub(super) fn now(&self) -> UnixTime {
        (self.clock)()
    }

    /// Fetches when it is this fetch's turn. The clients are made with the first one: they read the system's CAs.
    pub(super) async fn fetch(&self, kind: FetchKind, ask: &Ask) -> Result<Vec<u8>, FetchError> {
        let turns = match kind {
            FetchKind::Crl => &self.lists,
            FetchKind::Ocsp => &self.ocsp,
        };
        let Ok(_turn) = turns.acquire().await else { return Err(FetchError::Connection("stopping".into())) };
        match self.fetcher.get_or_init(|| Fetcher::new(&self.settings).map_err(|why| why.to_string())) {
            Ok(fetcher) => fetcher.fetch(ask).await,
            Err(why) => Err(FetchError::Connection(why.clone())),
        }
    }

    /// Counts and tells what became of a fetch.
    pub(super) fn told(&self, kind: FetchKind, ask: &Ask, outcome: Result<FetchOutcome, &FetchError>) {
        match outcome {
            Ok(outcome) => {
                self.metrics.count(kind, outcome);
                self.troubles.succeeded(kind, &ask.url);
            }
            Err(why) => {
                self.metrics.count(kind, why.outcome());
                self.troubles.failed(kind, &ask.url, why, self.settings.retry_after_failure);
            }
        }
    }

    /// A kept file and the time at which it was written.
    pub(super) fn kept(&self, name: &str, limit: usize) -> Option<(Vec<u8>, UnixTime)> {
        let (octets, written) = self.folder.as_ref()?.read(name, limit)?;
        let written = written.and_then(|written| written.duration_since(UNIX_EPOCH).ok());
        let seconds = written.map_or(0, |written| i64::try_from(written.as_secs()).unwrap_or(0));
        Some((octets, UnixTime(seconds)))
    }

    /// Keeps what was believed.
    pub(super) fn keep(&self, name: &str, octets: &[u8]) {
        if let Some(Err(why)) = self.folder.as_ref().map(|folder| folder.write(name, octets)) {
            tracing::warn!("revocation: `cache_folder`: `{name}` cannot be written: {why}");
        }
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
