//! OCSP answers: asked for once for all who wait, believed only as [`OcspAnswer::read`] believes.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Url;

use super::client::Ask;
use super::core::{Core, lock};
use super::flight::{Attempts, Flight, Landing, Try};
use super::folder::Folder;
use super::outcome::FetchError;
use super::plan::{FetchPlan, Target};
use super::schedule::pause;
use crate::clock::UnixTime;
use crate::telemetry::fetches::{FetchKind, FetchOutcome};
use crate::verifier::Inquiry;
use crate::x509::ocsp::{CertId, NonceCheck, NonceMode, OcspAnswer, OcspLimits, request};
use crate::x509::revocation_sources::RevocationSources;

/// The largest answer.
const LARGEST: usize = 64 << 10;
/// The largest request that goes into a URL (RFC 6960 appendix A.1).
const LARGEST_GET: usize = 255;
/// Questions that are under way, or failed a moment ago.
const MOST_ASKS: usize = 10_000;

/// Who is asked what. The same certificate may be asked about in other places for another set of CAs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Question {
    id: CertId,
    responders: Vec<Target>,
    nonce: NonceMode,
}

/// Every question.
#[derive(Default)]
pub(super) struct OcspAsks(HashMap<Question, Attempts>);

/// Asks about a certificate, or joins who does. None when nobody may be asked now.
pub(super) fn want(core: &Arc<Core>, plan: &FetchPlan, inquiry: &Inquiry) -> Option<Landing> {
    let mut responders = match &plan.ocsp_responder {
        Some(url) => vec![Target::configured(url)],
        None => {
            let named = RevocationSources::read(&inquiry.certificate).ocsp;
            plan.permitted(&named, |url, why| core.troubles.not_permitted(url, why))
        }
    };
    responders.retain(|target| !core.troubles.is_down(&target.url, core.settings.retry_after_failure));
    if responders.is_empty() {
        return None;
    }
    let question = Question { id: inquiry.id, responders, nonce: plan.ocsp_nonce };
    let mut asks = lock(&core.asks);
    if asks.0.len() >= MOST_ASKS && !asks.0.contains_key(&question) {
        return None;
    }
    match asks.0.entry(question.clone()).or_default().begin() {
        Try::Joined(landing) => Some(landing),
        Try::NotYet => None,
        Try::Started(flight, landing) => {
            core.runtime.spawn(fly(Arc::clone(core), question, inquiry.clone(), flight));
            Some(landing)
        }
    }
}

/// Forgets questions whose time of rest is over.
pub(super) fn look_after(core: &Core) {
    lock(&core.asks).0.retain(|_, attempts| !attempts.may_begin());
}

async fn fly(core: Arc<Core>, question: Question, inquiry: Inquiry, flight: Flight) {
    let now = core.now();
    let held = match held_for(&core, &question) {
        Some(held) => Some(held),
        None => kept(&core, &question, &inquiry, now),
    };
    let good_for_now = held.as_ref().is_some_and(|answer| answer.is_fresh(now));
    if good_for_now {
        flight.land();
    }
    if !(good_for_now && held.is_some_and(|answer| now < answer.refresh_at())) {
        ask_all(&core, &question, &inquiry).await;
    }
    let now = core.now();
    let held = held_for(&core, &question);
    let is_answered = held.as_ref().is_some_and(|answer| answer.is_fresh(now) && now < answer.refresh_at());
    lock(&core.asks).end(&question, is_answered, || {
        pause(held.and_then(|answer| answer.next_update()), now, core.settings.retry_after_failure)
    });
}

impl OcspAsks {
    /// A question that is answered for a while is no question, and takes no place among those that are: there may be many more
    /// clients than [`MOST_ASKS`].
    fn end(&mut self, question: &Question, is_answered: bool, pause: impl FnOnce() -> Duration) {
        if is_answered {
            self.0.remove(question);
        } else if let Some(attempts) = self.0.get_mut(question) {
            attempts.end(pause());
        }
    }
}

/// The answer that is held and counts for this question.
fn held_for(core: &Core, question: &Question) -> Option<Arc<OcspAnswer>> {
    let held = core.answers.get(&question.id)?.answer;
    (question.nonce != NonceMode::Require || held.has_nonce()).then_some(held)
}

/// One responder after the other, until one gives an answer that counts.
async fn ask_all(core: &Arc<Core>, question: &Question, inquiry: &Inquiry) {
    for responder in &question.responders {
        let nonce = match question.nonce {
            NonceMode::Off => None,
            NonceMode::Prefer | NonceMode::Require => nonce(),
        };
        let Ok(der) = request(&inquiry.certificate, &inquiry.issuer, nonce.as_ref().map(<[u8; 32]>::as_slice)) else { return };
        let mut ask = ask(responder, &der, nonce.is_some());
        let mut answer = core.fetch(FetchKind::Ocsp, &ask).await;
        if matches!(answer, Err(FetchError::Status(400..))) && ask.body.is_none() {
            // Not every responder knows GET, which RFC 6960 leaves to it.
            ask = post(responder, der);
            answer = core.fetch(FetchKind::Ocsp, &ask).await;
        }
        let check = NonceCheck { mode: question.nonce, sent: nonce.as_ref().map(<[u8; 32]>::as_slice) };
        let outcome = answer.and_then(|octets| take(core, question, inquiry, check, &octets));
        let url = Ask { url: responder.url.clone(), ..ask };
        core.told(FetchKind::Ocsp, &url, outcome.as_ref().copied());
        if outcome.is_ok() {
            return;
        }
    }
}

fn take(
    core: &Arc<Core>,
    question: &Question,
    inquiry: &Inquiry,
    nonce: NonceCheck<'_>,
    octets: &[u8],
) -> Result<FetchOutcome, FetchError> {
    let (now, limits) = (core.now(), limits(core));
    let answer = OcspAnswer::read(octets, &inquiry.certificate, &inquiry.issuer, nonce, limits, now);
    let answer = answer.map_err(|why| FetchError::Invalid(format!("the answer {why}")))?;
    if let Some(remark) = answer.remark() {
        tracing::debug!(depth = inquiry.depth, "revocation: OCSP answer: {remark}");
    }
    if !core.answers.put(question.id, answer) {
        return Ok(FetchOutcome::NotNewer);
    }
    if question.nonce != NonceMode::Require {
        let (core, name, octets) = (Arc::clone(core), Folder::name_of_answer(&question.id), octets.to_vec());
        tokio::task::spawn_blocking(move || core.keep(&name, &octets));
    }
    Ok(FetchOutcome::Ok)
}

/// What a restart left. Where a nonce is required nothing is kept: nobody could tell an old answer from a repeated one.
fn kept(core: &Core, question: &Question, inquiry: &Inquiry, now: UnixTime) -> Option<Arc<OcspAnswer>> {
    if question.nonce == NonceMode::Require {
        return None;
    }
    let (octets, _) = core.kept(&Folder::name_of_answer(&question.id), LARGEST)?;
    let answer = OcspAnswer::read_kept(&octets, &inquiry.certificate, &inquiry.issuer, limits(core), now).ok()?;
    core.answers.put(question.id, answer);
    core.answers.get(&question.id).map(|held| held.answer)
}

fn limits(core: &Core) -> OcspLimits {
    let age = i64::try_from(core.settings.ocsp_max_age.as_secs()).unwrap_or(i64::MAX);
    OcspLimits { max_age_without_next_update: (age > 0).then_some(age), ..OcspLimits::default() }
}

/// Without the system's random numbers there is no nonce, and with [`NonceMode::Require`] no answer.
fn nonce() -> Option<[u8; 32]> {
    let mut octets = [0; 32];
    getrandom::fill(&mut octets).ok().map(|()| octets)
}

fn ask(responder: &Target, der: &[u8], has_nonce: bool) -> Ask {
    let url = get_url(&responder.url, der).filter(|_| !has_nonce && der.len() <= LARGEST_GET);
    match url {
        Some(url) => Ask { url, body: None, ..post(responder, Vec::new()) },
        None => post(responder, der.to_vec()),
    }
}

fn post(responder: &Target, der: Vec<u8>) -> Ask {
    let (url, reach) = (responder.url.clone(), responder.reach);
    Ask { url, reach, body: Some(der), accept: "application/ocsp-response", limit: LARGEST }
}

/// The URL, and behind it the request: base64, escaped.
fn get_url(responder: &Url, der: &[u8]) -> Option<Url> {
    if responder.query().is_some() {
        return None;
    }
    let base64 = STANDARD.encode(der);
    let escaped = utf8_percent_encode(&base64, NON_ALPHANUMERIC);
    Url::parse(&format!("{}/{escaped}", responder.as_str().trim_end_matches('/'))).ok()
}

#[cfg(test)]
mod tests {
    use openssl::x509::X509;

    use super::*;
    use crate::revocation::client::Reach;

    #[test]
    fn only_what_is_not_answered_takes_a_place() {
        let key = openssl::pkey::PKey::generate_ed25519().unwrap();
        let mut one = X509::builder().unwrap();
        one.set_version(2).unwrap();
        one.set_pubkey(&key).unwrap();
        one.set_not_before(&openssl::asn1::Asn1Time::from_unix(0).unwrap()).unwrap();
        one.set_not_after(&openssl::asn1::Asn1Time::from_unix(1).unwrap()).unwrap();
        one.sign(&key, openssl::hash::MessageDigest::null()).unwrap();
        let one = one.build();
        let question = Question { id: CertId::of(&one, &one).unwrap(), responders: vec![], nonce: NonceMode::Off };
        let mut asks = OcspAsks::default();
        for (is_answered, left) in [(true, 0), (false, 1)] {
            assert!(matches!(asks.0.entry(question.clone()).or_default().begin(), Try::Started(..)));
            asks.end(&question, is_answered, || Duration::from_secs(60));
            assert_eq!(asks.0.len(), left);
        }
        assert!(matches!(asks.0.entry(question).or_default().begin(), Try::NotYet));
    }

    #[test]
    fn small_requests_go_into_the_url() {
        let target = |url: &str| Target { url: Url::parse(url).unwrap(), reach: Reach::Any };
        // 0xFB 0xFF gives `+/8=`.
        for (url, der, nonce, wanted) in [
            ("http://a", vec![0xFB, 0xFF], false, Some("http://a/%2B%2F8%3D")),
            ("http://a/ocsp/", vec![0xFB, 0xFF], false, Some("http://a/ocsp/%2B%2F8%3D")),
            ("http://a/ocsp", vec![0xFB, 0xFF], false, Some("http://a/ocsp/%2B%2F8%3D")),
            ("http://a/ocsp", vec![0xFB, 0xFF], true, None),
            ("http://a/?x=1", vec![0xFB, 0xFF], false, None),
            ("http://a/", vec![0; 256], false, None),
        ] {
            let ask = ask(&target(url), &der, nonce);
            assert_eq!(ask.body.is_none().then(|| ask.url.as_str()), wanted, "{url}");
            assert!(ask.body.is_none_or(|body| body == der));
        }
        assert!(ask(&target("http://a/"), &[0; 255], false).body.is_none());
    }
}
