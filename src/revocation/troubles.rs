//! What goes wrong, told once: one line for each URL in the time in which it is not tried again, and one when it is over.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use reqwest::Url;

use super::core::lock;
use super::hosts::NotPermitted;
use super::outcome::FetchError;
use crate::telemetry::fetches::FetchKind;

/// URLs and hosts that are remembered. Beyond that lines are left out; the counters go on.
const MOST: usize = 1_000;
/// After so many failures in a row a responder is left alone for a while: every certificate would wait for it anew.
const DOWN_AFTER: u32 = 3;

#[derive(Default)]
pub(super) struct Troubles {
    urls: Mutex<HashMap<Url, Trouble>>,
    told_hosts: Mutex<HashSet<String>>,
}

struct Trouble {
    /// Failures of the connection or the server in a row.
    in_a_row: u32,
    last: Instant,
    told: Instant,
    why: String,
}

impl Troubles {
    pub(super) fn failed(&self, kind: FetchKind, url: &Url, why: &FetchError, window: Duration) {
        let mut urls = lock(&self.urls);
        if urls.len() >= MOST {
            urls.retain(|_, trouble| trouble.told.elapsed() < window);
        }
        let full = urls.len() >= MOST;
        let counts = !matches!(why, FetchError::Invalid(_) | FetchError::Stale);
        match urls.get_mut(url) {
            Some(trouble) => {
                trouble.last = Instant::now();
                trouble.why = why.to_string();
                trouble.in_a_row = if counts { trouble.in_a_row.saturating_add(1) } else { 0 };
                if trouble.told.elapsed() < window {
                    return;
                }
                trouble.told = Instant::now();
            }
            None if full => return,
            None => {
                let now = Instant::now();
                urls.insert(url.clone(), Trouble { in_a_row: u32::from(counts), last: now, told: now, why: why.to_string() });
            }
        }
        drop(urls);
        tracing::warn!(kind = kind.word(), url = %url, "revocation: fetch failed: {why}");
    }

    pub(super) fn succeeded(&self, kind: FetchKind, url: &Url) {
        if lock(&self.urls).remove(url).is_some() {
            tracing::info!(kind = kind.word(), url = %url, "revocation: fetched again after failures");
        }
    }

    /// Whether a URL failed several times in a row, a moment ago.
    pub(super) fn is_down(&self, url: &Url, window: Duration) -> bool {
        let urls = lock(&self.urls);
        urls.get(url).is_some_and(|trouble| trouble.in_a_row >= DOWN_AFTER && trouble.last.elapsed() < window)
    }

    /// What went wrong with a URL the last time.
    pub(super) fn of(&self, url: &Url) -> Option<String> {
        lock(&self.urls).get(url).map(|trouble| trouble.why.clone())
    }

    /// A certificate names what it may not. Operators wonder why its status is unknown.
    pub(super) fn not_permitted(&self, url: &Url, why: NotPermitted) {
        let host = format!("{} {why}", url.host_str().unwrap_or_default());
        let mut told = lock(&self.told_hosts);
        if told.len() < MOST && told.insert(host) {
            drop(told);
            tracing::info!(url = %url, "revocation: not fetched: a certificate names this URL, and {why}");
        }
    }
}
