//! Revocation lists by their URLs: fetched once for all who use them, put in force, refreshed before their time.

mod source;

use std::sync::Arc;

use openssl::x509::X509;

use super::client::Ask;
use super::core::{Core, lock};
use super::flight::{Flight, Landing, Try};
use super::folder::Folder;
use super::outcome::FetchError;
use super::plan::{FetchPlan, Target};
use super::schedule::pause;
use crate::clock::UnixTime;
use crate::telemetry::fetches::{FetchKind, FetchOutcome};
use crate::x509::crl::CrlIndex;
use crate::x509::revocation_lists::Put;
use crate::x509::trusted_ca::TrustedCas;

pub(super) use self::source::{Sources, User};

use self::source::Held;

/// What a user gets.
pub(super) enum Wanted {
    /// A list that is in force now.
    InForce,
    /// There is none, and none can be had at the moment.
    Nothing,
    /// It is on its way.
    OnItsWay(Landing),
}

/// A list for a user: what is held, or what is fetched. Something else than the operator's URLs is remembered within bounds.
pub(super) fn want(core: &Arc<Core>, target: Target, user: User) -> Wanted {
    let now = core.now();
    let mut sources = lock(&core.sources);
    if !sources.0.contains_key(&target) && !user.configured && !sources.make_room(now) {
        return Wanted::Nothing;
    }
    let source = sources.0.entry(target.clone()).or_default();
    source.asked = Some(now);
    source.add(user);
    source.spread(now);
    if source.is_fresh(now) {
        return Wanted::InForce;
    }
    match source.attempts.begin() {
        Try::Joined(landing) => Wanted::OnItsWay(landing),
        Try::NotYet => Wanted::Nothing,
        Try::Started(flight, landing) => {
            core.runtime.spawn(fly(Arc::clone(core), target, flight));
            Wanted::OnItsWay(landing)
        }
    }
}

/// What is held for sets that share an anchor with this one is put in force for it too: a reload forgets nothing.
pub(super) fn adopt(core: &Core, plan: &FetchPlan, trust: &Arc<TrustedCas>) {
    let now = core.now();
    let own = User::configured(trust);
    for (target, source) in &mut lock(&core.sources).0 {
        if target.reach != plan.reach() || plan.hosts.permit(&target.url).is_err() {
            continue;
        }
        let akin = |user: &&User| user.issuer.is_some() && !user.anchors.is_disjoint(&own.anchors);
        let issuers: Vec<X509> = source.users.iter().filter(akin).filter_map(|user| user.issuer.clone()).collect();
        for issuer in issuers {
            source.add(User::of_issuer(trust, &issuer));
        }
        source.spread(now);
    }
}

/// Looks after all lists, every second: fetches those whose time has come, forgets those that nobody needs.
pub(super) fn look_after(core: &Arc<Core>) {
    let now = core.now();
    let mut sources = lock(&core.sources);
    for source in sources.0.values_mut() {
        source.users.retain(|user| user.trust.strong_count() > 0);
        if source.held.as_ref().is_some_and(|held| held.list.take_used()) {
            source.asked = Some(now);
        }
    }
    sources.forget(now);
    for (target, source) in &mut sources.0 {
        let in_use = source.held.as_ref().is_some_and(|held| source.asked.is_some_and(|asked| asked >= held.fetched));
        if (source.is_configured() || in_use)
            && source.is_due(now)
            && let Try::Started(flight, _) = source.attempts.begin_behind()
        {
            core.runtime.spawn(fly(Arc::clone(core), target.clone(), flight));
        }
    }
    let held = sources.0.values().filter_map(|source| source.held.as_ref());
    let ends: Vec<i64> = held.map(|held| held.list.next_update().0).collect();
    let missing = sources.0.values().filter(|source| source.is_configured() && !source.is_fresh(now)).count();
    drop(sources);
    core.metrics.lists_missing.set(i64::try_from(missing).unwrap_or(i64::MAX));
    core.metrics.lists.set(i64::try_from(ends.len()).unwrap_or(i64::MAX));
    core.metrics.list_remaining.set(ends.iter().min().map_or(0, |end| end.saturating_sub(now.0)));
}

/// One flight: what was kept on disk first, then the network.
async fn fly(core: Arc<Core>, target: Target, flight: Flight) {
    if kept(&core, &target).await {
        flight.land();
    }
    if !lock(&core.sources).0.get(&target).is_some_and(|source| source.is_due(core.now())) {
        end(&core, &target);
        return;
    }
    let ask = Ask {
        url: target.url.clone(),
        reach: target.reach,
        body: None,
        accept: "application/pkix-crl, */*;q=0.1",
        limit: core.settings.crl_max_size,
    };
    let outcome = match core.fetch(FetchKind::Crl, &ask).await {
        Ok(octets) => {
            let (core, target) = (Arc::clone(&core), target.clone());
            // Tenths of a second for a large list, and the thread of the fetches has others to look after.
            let taken = tokio::task::spawn_blocking(move || take(&core, &target, &octets)).await;
            taken.unwrap_or_else(|why| Err(FetchError::Invalid(format!("reading the list failed: {why}"))))
        }
        Err(why) => Err(why),
    };
    core.told(FetchKind::Crl, &ask, outcome.as_ref().copied());
    end(&core, &target);
}

fn end(core: &Core, target: &Target) {
    let now = core.now();
    if let Some(source) = lock(&core.sources).0.get_mut(target) {
        let next_update = source.held.as_ref().map(|held| held.list.next_update());
        source.spread(now);
        source.attempts.end(pause(next_update, now, core.settings.retry_after_failure));
    }
}

/// Puts what a restart left in force. True when it is fresh, so that nobody need wait any longer.
async fn kept(core: &Arc<Core>, target: &Target) -> bool {
    let first =
        lock(&core.sources).0.get_mut(target).is_some_and(|source| !std::mem::replace(&mut source.looked_into_folder, true));
    if !first || core.folder.is_none() {
        return false;
    }
    let (core, target) = (Arc::clone(core), target.clone());
    let read = tokio::task::spawn_blocking(move || {
        let (octets, written) = core.kept(&Folder::name_of_list(&target.url), core.settings.crl_max_size)?;
        let list = Arc::new(CrlIndex::from_der(&octets).ok()?);
        put(&core, &target, &list, written.min(core.now()));
        Some(now_fresh(&core, &target))
    });
    read.await.ok().flatten().unwrap_or(false)
}

fn now_fresh(core: &Core, target: &Target) -> bool {
    let now = core.now();
    lock(&core.sources).0.get(target).is_some_and(|source| source.is_fresh(now))
}

/// Reads what came, and puts it in force.
fn take(core: &Core, target: &Target, octets: &[u8]) -> Result<FetchOutcome, FetchError> {
    let der = der_of(octets).map_err(FetchError::Invalid)?;
    let list = CrlIndex::from_der(&der).map_err(|why| FetchError::Invalid(format!("the list {why}")))?;
    let list = Arc::new(list);
    let now = core.now();
    if list.this_update() > now && has_another(core, target, &list) {
        let why = "the list is of the future by this machine's clock (thisUpdate); the one in force stays until then";
        return Err(FetchError::Invalid(why.into()));
    }
    let outcome = match put(core, target, &list, now) {
        Some(Put::NotNewer) => FetchOutcome::NotNewer,
        Some(_) => FetchOutcome::Ok,
        None => return Err(FetchError::Invalid("the list is signed by no CA that is trusted here".into())),
    };
    if outcome == FetchOutcome::Ok {
        core.keep(&Folder::name_of_list(&target.url), &der);
    }
    if list.next_update() < now { Err(FetchError::Stale) } else { Ok(outcome) }
}

/// Whether a user has a list of this series. One that does not count yet would leave it without any.
fn has_another(core: &Core, target: &Target, list: &CrlIndex) -> bool {
    let users = lock(&core.sources).0.get(target).map(|source| source.users.clone()).unwrap_or_default();
    let trusts = users.iter().filter_map(|user| user.trust.upgrade());
    let mut lists = trusts.map(|trust| trust.revocation_lists().current());
    lists.any(|set| set.lists().iter().any(|held| held.is_same_series(list)))
}

/// Puts a list in force for every user. The signature of a large list takes its time: the lock is not held for it.
fn put(core: &Core, target: &Target, list: &Arc<CrlIndex>, fetched: UnixTime) -> Option<Put> {
    let mut users = lock(&core.sources).0.get(target).map(|source| source.users.clone()).unwrap_or_default();
    let puts: Vec<Put> = users.iter_mut().filter_map(|user| user.put(list)).collect();
    let mut sources = lock(&core.sources);
    let source = sources.0.get_mut(target)?;
    let Some(first) = puts.first().copied() else {
        source.unproven = Some(Arc::clone(list));
        return None;
    };
    let news = puts.into_iter().find(|put| *put != Put::NotNewer);
    match &mut source.held {
        Some(held) if news.is_none() => held.fetched = fetched,
        _ => source.held = Some(Held { list: Arc::clone(list), fetched }),
    }
    source.unproven = None;
    for user in &mut source.users {
        if let Some(done) = users.iter().find(|done| done.is_same(user)) {
            user.has = done.has;
        }
    }
    source.spread(fetched);
    Some(news.unwrap_or(first))
}

/// RFC 5280 §4.2.1.13 wants DER; some CAs serve PEM.
fn der_of(octets: &[u8]) -> Result<Vec<u8>, String> {
    if !octets.trim_ascii_start().starts_with(b"-----BEGIN X509 CRL") {
        return Ok(octets.to_vec());
    }
    pem::parse(octets).map(pem::Pem::into_contents).map_err(|why| format!("the list is not PEM: {why}"))
}
