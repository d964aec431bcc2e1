//! Asking an issuer about a token (RFC 7662), and keeping its answer for a while. The answer is kept, never a decision: who
//! presents the token with which certificate is looked at each time.

use std::time::{Duration, Instant};

use quick_cache::sync::Cache;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::claims::{Claims, Origin};
use super::fetch::{Form, Web};
use super::issuer::{Introspection, Issuer};
use super::json;
use crate::clock::UnixTime;

/// Answers that are kept.
const MOST_ANSWERS: usize = 10_000;
/// Questions on their way at once: strangers can make up tokens.
const MOST_QUESTIONS: usize = 64;
/// How long a question waits for its turn.
const MOST_WAIT: Duration = Duration::from_secs(5);
/// "Not active" is kept for so long: guesses must not all reach the server, and a new token must work soon.
const INACTIVE: Duration = Duration::from_secs(5);

/// The answers that are kept.
pub(super) struct Answers {
    held: Cache<[u8; 32], Answer>,
    turns: Semaphore,
}

#[derive(Clone)]
struct Answer {
    /// What it says, or what is wrong with the token.
    claims: Result<Claims, String>,
    until: Instant,
}

impl Default for Answers {
    fn default() -> Self {
        Self { held: Cache::new(MOST_ANSWERS), turns: Semaphore::new(MOST_QUESTIONS) }
    }
}

/// Why a token is not accepted.
pub(super) enum Failed {
    /// There is no answer.
    Unavailable(String),
    /// The token is not good.
    Token(String),
}

impl Answers {
    /// What the issuer said of a token a while ago.
    pub(super) fn held(&self, issuer: &Issuer, token: &str) -> Option<Result<Claims, String>> {
        let key = key(issuer, issuer.introspection.as_ref()?, token);
        self.held.get(&key).filter(|answer| answer.until > Instant::now()).map(|answer| answer.claims)
    }

    /// What the issuer says of a token.
    ///
    /// # Errors
    /// What is wrong with the token, or that its issuer cannot be asked.
    pub(super) async fn ask(
        &self,
        web: &Web,
        (issuer, how): (&Issuer, &Introspection),
        token: &str,
        now: UnixTime,
    ) -> Result<Claims, Failed> {
        let key = key(issuer, how, token);
        let Ok(Ok(_turn)) = timeout(MOST_WAIT, self.turns.acquire()).await else {
            return Err(Failed::Unavailable("too many questions are on their way".into()));
        };
        // Somebody may have asked the same while this one waited.
        if let Some(held) = self.held(issuer, token) {
            return held.map_err(Failed::Token);
        }
        let body = form_urlencoded(&[("token", token), ("token_type_hint", "access_token")]);
        // RFC 6749 §2.3.1: both are encoded before they are put into Basic.
        let (user, password) = (encoded(&how.client_id), zeroize::Zeroizing::new(encoded(&how.client_secret)));
        let form = Form { url: &how.endpoint, user: &user, password: &password, body };
        let fetched = web.post(form).await.map_err(Failed::Unavailable)?;
        let answer = json::object(&fetched.body).map_err(|why| Failed::Unavailable(format!("{}: {why}", how.endpoint)))?;
        let claims = match answer.get("active").and_then(Value::as_bool) {
            Some(true) => Claims::read(&answer, issuer, Origin::Introspection),
            Some(false) => Err("its issuer says that it is not active".to_owned()),
            None => return Err(Failed::Unavailable(format!("{}: no `active` in the answer", how.endpoint))),
        };
        let keep = match &claims {
            Ok(claims) => {
                let left = u64::try_from(claims.expires.saturating_sub(now.0)).unwrap_or(0);
                // Its end is looked at each time; that it has ended is worth keeping for a moment too.
                Duration::from_secs(left).max(INACTIVE).min(how.cache)
            }
            Err(_) => INACTIVE.min(how.cache),
        };
        if let Some(until) = Instant::now().checked_add(keep).filter(|_| !keep.is_zero()) {
            self.held.insert(key, Answer { claims: claims.clone(), until });
        }
        claims.map_err(Failed::Token)
    }
}

/// What an answer depends on: a reload may change the question.
fn key(issuer: &Issuer, how: &Introspection, token: &str) -> [u8; 32] {
    let mut digest = Sha256::new();
    let flag = if issuer.allow_missing_audience { "1" } else { "0" };
    let fixed = [issuer.issuer.as_str(), how.endpoint.as_str(), how.client_id.as_str(), flag, token];
    for part in fixed.into_iter().chain(issuer.audience.iter().map(String::as_str)) {
        digest.update(part.len().to_be_bytes());
        digest.update(part.as_bytes());
    }
    digest.finalize().into()
}

fn form_urlencoded(pairs: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    pairs.join("&")
}

fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}
