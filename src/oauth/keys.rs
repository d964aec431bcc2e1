//! Keys of issuers and certificates of clients, fetched and kept: new ones are found when a token names them, removed ones are forgotten in time.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use reqwest::Url;
use serde_json::Value;

use super::client::{ClientJwks, registered_certificates};
use super::fetch::{Fetched, Reach, Web};
use super::issuer::{Issuer, KeySource};
use super::jwk::{self, Key};

/// Keys are kept for as long as their server says, within these.
const LEAST_AGE: Duration = Duration::from_secs(5 * 60);
const MOST_AGE: Duration = Duration::from_secs(24 * 60 * 60);
const USUAL_AGE: Duration = Duration::from_secs(60 * 60);
/// Old keys serve for so long while their server cannot be reached.
const GRACE: Duration = Duration::from_secs(60 * 60);
/// A server that failed is not asked again for so long.
const AFTER_FAILURE: Duration = Duration::from_secs(5);
/// Unknown keys make us ask again once in so long: strangers can write any `kid`.
const AFTER_MISS: Duration = Duration::from_secs(30);

/// Where keys come from.
pub(super) trait Source: Send + Sync + 'static {
    /// A key.
    type Item: Send + Sync;

    /// What it is called in the log.
    fn name(&self) -> &str;

    /// Fetches all of them, and how long they may be kept.
    fn load(&self, web: &Web) -> impl Future<Output = Result<(Vec<Self::Item>, Option<Duration>), String>> + Send;
}

/// The keys of one source.
pub(super) struct KeyStore<S: Source> {
    state: Mutex<State<S::Item>>,
    /// One fetch at a time; the others wait for what it brings.
    turn: tokio::sync::Mutex<()>,
}

impl<S: Source> Default for KeyStore<S> {
    fn default() -> Self {
        let state = State { held: None, failed: None, last_miss: None, refreshing: false };
        Self { state: Mutex::new(state), turn: tokio::sync::Mutex::default() }
    }
}

struct State<I> {
    held: Option<Held<I>>,
    failed: Option<(Instant, String)>,
    last_miss: Option<Instant>,
    refreshing: bool,
}

struct Held<I> {
    keys: Arc<Vec<I>>,
    fetched: Instant,
    max_age: Duration,
}

impl<I> Clone for Held<I> {
    fn clone(&self) -> Self {
        Self { keys: Arc::clone(&self.keys), fetched: self.fetched, max_age: self.max_age }
    }
}

/// Whether the keys that are held will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    /// Any that are not too old.
    Some,
    /// Newer ones than these: a token names a key that is not among them.
    Newer(Instant),
}

impl<S: Source> KeyStore<S> {
    /// The keys, among them one that `wanted` wants if there is one.
    ///
    /// # Errors
    /// Why nothing is known.
    pub(super) async fn keys(
        self: &Arc<Self>,
        web: &Web,
        source: &Arc<S>,
        wanted: impl Fn(&S::Item) -> bool,
    ) -> Result<Arc<Vec<S::Item>>, String> {
        let held = match self.usable(web, source) {
            Some(held) => held,
            None => self.fetch(web, source, Need::Some).await?,
        };
        if held.keys.iter().any(wanted) || !self.may_ask_after_miss(held.fetched) {
            return Ok(held.keys);
        }
        // What is held says enough if nothing newer can be had: it has no such key.
        Ok(self.fetch(web, source, Need::Newer(held.fetched)).await.unwrap_or(held).keys)
    }

    /// The keys that are held, when they are fresh and there is one among them that is wanted: no need to wait for anybody.
    pub(super) fn fresh(&self, wanted: impl Fn(&S::Item) -> bool) -> Option<Arc<Vec<S::Item>>> {
        let state = self.state();
        let held = state.held.as_ref().filter(|held| held.fetched.elapsed() < held.max_age)?;
        held.keys.iter().any(wanted).then(|| Arc::clone(&held.keys))
    }

    /// What is held and not too old. Ageing keys serve once more while they are fetched again.
    fn usable(self: &Arc<Self>, web: &Web, source: &Arc<S>) -> Option<Held<S::Item>> {
        let mut state = self.state();
        let held = state.held.clone()?;
        let age = held.fetched.elapsed();
        if age >= held.max_age.saturating_add(GRACE) {
            return None;
        }
        let failed_lately = state.failed.as_ref().is_some_and(|(when, _)| when.elapsed() < AFTER_FAILURE);
        if age >= held.max_age && !state.refreshing && !failed_lately {
            state.refreshing = true;
            let (store, web, source, fetched) = (Arc::clone(self), web.clone(), Arc::clone(source), held.fetched);
            tokio::spawn(async move {
                if let Err(why) = store.fetch(&web, &source, Need::Newer(fetched)).await {
                    tracing::warn!("oauth: the keys of {} stay as they were: {why}", source.name());
                }
                store.state().refreshing = false;
            });
        }
        Some(held)
    }

    fn may_ask_after_miss(&self, fetched: Instant) -> bool {
        let mut state = self.state();
        // Somebody else's fetch came in between.
        if state.held.as_ref().is_some_and(|held| held.fetched > fetched) {
            return true;
        }
        let may = state.last_miss.is_none_or(|last| last.elapsed() >= AFTER_MISS);
        if may {
            state.last_miss = Some(Instant::now());
        }
        may
    }

    async fn fetch(&self, web: &Web, source: &S, need: Need) -> Result<Held<S::Item>, String> {
        let _turn = self.turn.lock().await;
        {
            let state = self.state();
            let enough = |held: &&Held<S::Item>| match need {
                Need::Some => held.fetched.elapsed() < held.max_age,
                Need::Newer(than) => held.fetched > than,
            };
            if let Some(held) = state.held.as_ref().filter(enough) {
                return Ok(held.clone());
            }
            if let Some((_, why)) = state.failed.as_ref().filter(|(when, _)| when.elapsed() < AFTER_FAILURE) {
                return Err(why.clone());
            }
        }
        let fetched = source.load(web).await;
        let mut state = self.state();
        match fetched {
            Ok((keys, max_age)) => {
                let max_age = max_age.unwrap_or(USUAL_AGE).clamp(LEAST_AGE, MOST_AGE);
                let held = Held { keys: Arc::new(keys), fetched: Instant::now(), max_age };
                state.failed = None;
                state.held = Some(held.clone());
                Ok(held)
            }
            Err(why) => {
                state.failed = Some((Instant::now(), why.clone()));
                Err(why)
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State<S::Item>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Source for Issuer {
    type Item = Key;

    fn name(&self) -> &str {
        &self.issuer
    }

    async fn load(&self, web: &Web) -> Result<(Vec<Key>, Option<Duration>), String> {
        let discovered;
        let url = match &self.keys {
            KeySource::JwksUri(url) => url,
            KeySource::Discovery(url) => {
                discovered = jwks_uri(url, &web.get(url, Reach::Any).await?.body, &self.issuer)?;
                &discovered
            }
        };
        let Fetched { body, max_age } = web.get(url, Reach::Any).await?;
        Ok((jwk::read_set(&body).map_err(|why| format!("{url}: {why}"))?, max_age))
    }
}

impl Source for ClientJwks {
    type Item = [u8; 32];

    fn name(&self) -> &str {
        self.url.as_str()
    }

    async fn load(&self, web: &Web) -> Result<(Vec<[u8; 32]>, Option<Duration>), String> {
        let reach = if self.allow_private_addresses { Reach::Any } else { Reach::Public };
        let Fetched { body, max_age } = web.get(&self.url, reach).await?;
        Ok((registered_certificates(&body).map_err(|why| format!("{}: {why}", self.url))?, max_age))
    }
}

/// Where the document says that the keys are. Another host is not the operator's word.
fn jwks_uri(at: &Url, document: &[u8], issuer: &str) -> Result<Url, String> {
    let document: Value = serde_json::from_slice(document).map_err(|why| format!("{at}: no JSON: {why}"))?;
    if document.get("issuer").and_then(Value::as_str) != Some(issuer) {
        return Err(format!("{at}: its `issuer` is not `{issuer}`"));
    }
    let found = document.get("jwks_uri").and_then(Value::as_str).and_then(|text| Url::parse(text).ok());
    let found = found.ok_or_else(|| format!("{at}: no `jwks_uri`"))?;
    let place = |url: &Url| (url.scheme().to_owned(), url.host_str().map(str::to_owned), url.port_or_known_default());
    if place(&found) != place(at) {
        return Err(format!("{at}: its `jwks_uri` {found} is elsewhere; if that is right, name it in the configuration"));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_speaks_for_its_issuer_and_its_own_host() {
        let at = Url::parse("https://as.example/.well-known/openid-configuration").unwrap();
        let read = |issuer: &str, uri: &str| {
            let document = serde_json::json!({"issuer": issuer, "jwks_uri": uri}).to_string();
            jwks_uri(&at, document.as_bytes(), "https://as.example")
        };
        assert_eq!(read("https://as.example", "https://as.example/jwks").unwrap().path(), "/jwks");
        for (issuer, uri) in [
            ("https://as.example/", "https://as.example/jwks"),
            ("https://as.example", "http://as.example/jwks"),
            ("https://as.example", "https://as.example:8443/jwks"),
            ("https://as.example", "https://169.254.169.254/jwks"),
            ("https://as.example", "file:///etc/passwd"),
            ("https://as.example", "/jwks"),
        ] {
            assert!(read(issuer, uri).is_err(), "{issuer} {uri}");
        }
        assert!(jwks_uri(&at, b"[]", "https://as.example").is_err());
    }
}
