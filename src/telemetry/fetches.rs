//! Counters of what is fetched: lists and OCSP answers.

use std::collections::HashMap;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// What is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FetchKind {
    /// A revocation list.
    Crl,
    /// An OCSP answer.
    Ocsp,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FetchOutcome {
    /// No connection, or it broke.
    Connection,
    /// The body was packed.
    Encoded,
    /// Another status than 200.
    HttpStatus,
    /// Not what was asked for, or not signed by whom it must be.
    Invalid,
    /// As old as what is held, or older.
    NotNewer,
    /// News.
    Ok,
    /// An address that a certificate may not name.
    RefusedAddress,
    /// A redirect to somewhere else.
    RefusedRedirect,
    /// Past its nextUpdate.
    Stale,
    /// Not whole in time.
    Timeout,
    /// Over the limit of its size.
    TooLarge,
}

impl FetchKind {
    /// The word in logs and metrics.
    pub fn word(self) -> &'static str {
        match self {
            Self::Crl => "crl",
            Self::Ocsp => "ocsp",
        }
    }
}

impl FetchOutcome {
    /// Every outcome with its word in metrics.
    pub const ALL: [(Self, &'static str); 11] = [
        (Self::Connection, "connection"),
        (Self::Encoded, "encoded"),
        (Self::HttpStatus, "http_status"),
        (Self::Invalid, "invalid"),
        (Self::NotNewer, "not_newer"),
        (Self::Ok, "ok"),
        (Self::RefusedAddress, "refused_address"),
        (Self::RefusedRedirect, "refused_redirect"),
        (Self::Stale, "stale"),
        (Self::Timeout, "timeout"),
        (Self::TooLarge, "too_large"),
    ];
}

/// The counters; clones count together.
#[derive(Debug, Clone)]
pub struct FetchMetrics {
    fetches: HashMap<(FetchKind, FetchOutcome), Counter>,
    /// Fetched lists that are held.
    pub lists: Gauge,
    /// Lists of `crl_urls` that are not held, or past their nextUpdate.
    pub lists_missing: Gauge,
    /// Seconds until the first of them is past its nextUpdate; negative when one is.
    pub list_remaining: Gauge,
}

impl Default for FetchMetrics {
    fn default() -> Self {
        Self::register(&mut Registry::default())
    }
}

impl FetchMetrics {
    /// Counters that a registry shows.
    pub fn register(registry: &mut Registry) -> Self {
        let family = Family::<[(&'static str, &'static str); 2], Counter>::default();
        let (lists, lists_missing, list_remaining) = (Gauge::default(), Gauge::default(), Gauge::default());
        registry.register("revocation_fetches", "Fetches of lists and OCSP answers, by outcome", family.clone());
        registry.register("revocation_lists", "Fetched lists that are held", lists.clone());
        let help = "Lists of crl_urls that are not held, or past their nextUpdate";
        registry.register("revocation_lists_missing", help, lists_missing.clone());
        let help = "Seconds until the first of the fetched lists is past its nextUpdate; negative when one is";
        registry.register("revocation_list_remaining_seconds", help, list_remaining.clone());
        let counter = |kind: FetchKind, (outcome, word): (FetchOutcome, &'static str)| {
            ((kind, outcome), family.get_or_create_owned(&[("kind", kind.word()), ("outcome", word)]))
        };
        let kinds = [FetchKind::Crl, FetchKind::Ocsp].into_iter();
        let fetches = kinds.flat_map(|kind| FetchOutcome::ALL.map(|outcome| counter(kind, outcome))).collect();
        Self { fetches, lists, lists_missing, list_remaining }
    }

    /// Counts a fetch.
    pub fn count(&self, kind: FetchKind, outcome: FetchOutcome) {
        if let Some(counter) = self.fetches.get(&(kind, outcome)) {
            counter.inc();
        }
    }
}
