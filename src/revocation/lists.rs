//! Revocation lists by their URLs: fetched once for all who use them, put in force, refreshed before their time.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Weak};

use openssl::x509::X509;

use super::client::Ask;
use super::core::{Core, lock};
use super::flight::{Attempts, Flight, Landing, Try};
use super::folder::Folder;
use super::outcome::FetchError;
use super::plan::{FetchPlan, Target};
use super::schedule::{due, pause};
use crate::clock::UnixTime;
use crate::telemetry::fetches::{FetchKind, FetchOutcome};
use crate::x509::crl::CrlIndex;
use crate::x509::revocation_lists::Put;
use crate::x509::trusted_ca::TrustedCas;

/// URLs that certificates named and that are remembered.
const MOST_NAMED: usize = 256;
/// Users of one URL: sets of CAs, each with the issuers that were met.
const MOST_USERS: usize = 256;
/// A URL that brought nothing is forgotten when nobody asked for so long, in seconds.
const FORGET: i64 = 600;

/// Every URL.
#[derive(Default)]
pub(super) struct Sources(HashMap<Target, Source>);

/// One URL and the list that it brought.
#[derive(Default)]
struct Source {
    users: Vec<User>,
    held: Option<Held>,
    /// It was read, but no CA that is known signed it. Whoever comes with another CA may know better.
    unproven: Option<Arc<CrlIndex>>,
    attempts: Attempts,
    looked_into_folder: bool,
    asked: Option<UnixTime>,
}

struct Held {
    list: Arc<CrlIndex>,
    fetched: UnixTime,
}

/// Where a list is put.
#[derive(Clone)]
pub(super) struct User {
    trust: Weak<TrustedCas>,
    anchors: HashSet<[u8; 32]>,
    /// The CA that issued the certificate whose list it is; without it, any CA of the set whose name and key fit.
    issuer: Option<X509>,
    /// The operator named the URL: it is fetched though nobody asks.
    configured: bool,
    /// The list that was put last, whether it was taken or not.
    has: Option<[u8; 32]>,
}

impl User {
    pub(super) fn configured(trust: &Arc<TrustedCas>) -> Self {
        let anchors = trust.anchors().copied().collect();
        Self { trust: Arc::downgrade(trust), anchors, issuer: None, configured: true, has: None }
    }

    pub(super) fn of_issuer(trust: &Arc<TrustedCas>, issuer: &X509) -> Self {
        Self { issuer: Some(issuer.clone()), configured: false, ..Self::configured(trust) }
    }

    fn is_same(&self, other: &Self) -> bool {
        self.trust.ptr_eq(&other.trust) && self.issuer == other.issuer
    }

    /// Puts a list in force. None when its signature is none of a CA that this user knows.
    fn put(&mut self, list: &Arc<CrlIndex>) -> Option<Put> {
        let trust = self.trust.upgrade()?;
        let lists = trust.revocation_lists();
        self.has = Some(*list.sha256());
        match &self.issuer {
            Some(issuer) => Some(lists.put(list, issuer)).filter(|put| *put != Put::NotSigned),
            None => trust.certificates().map(|ca| lists.put(list, ca)).find(|put| *put != Put::NotSigned),
        }
    }
}

/// What a user gets.
pub(super) enum Wanted {
    /// A list that is in force now.
    InForce,
    /// There is none, and none can be had at the moment.
    Nothing,
    /// It is on its way.
    OnItsWay(Landing),
}

impl Source {
    fn is_configured(&self) -> bool {
        self.users.iter().any(|user| user.configured)
    }

    fn add(&mut self, user: User) {
        if self.users.iter().any(|known| known.is_same(&user)) {
            return;
        }
        if self.users.len() >= MOST_USERS {
            let oldest = self.users.iter().position(|user| !user.configured);
            oldest.map(|at| self.users.remove(at));
        }
        self.users.push(user);
    }

    /// Puts what is held where it is not yet.
    fn spread(&mut self, now: UnixTime) {
        if let Some(list) = self.unproven.clone()
            && self.users.iter_mut().filter(|user| user.has != Some(*list.sha256())).any(|user| user.put(&list).is_some())
        {
            self.held = Some(Held { list, fetched: now });
            self.unproven = None;
        }
        let Some(held) = &self.held else { return };
        for user in self.users.iter_mut().filter(|user| user.has != Some(*held.list.sha256())) {
            user.put(&held.list);
        }
    }

    fn is_fresh(&self, now: UnixTime) -> bool {
        self.held.as_ref().is_some_and(|held| now <= held.list.next_update())
    }

    fn is_due(&self, now: UnixTime) -> bool {
        match &self.held {
            Some(held) => due(held.list.this_update(), held.list.next_update(), held.fetched) <= now,
            None => true,
        }
    }
}

/// A list for a user: what is held, or what is fetched. Something else than the operator's URLs is remembered within bounds.
pub(super) fn want(core: &Arc<Core>, target: Target, user: User) -> Wanted {
    let now = core.now();
    let mut sources = lock(&core.sources);
    if !sources.0.contains_key(&target) && !user.configured && !sources.make_room() {
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
    drop(sources);
    core.metrics.lists.set(i64::try_from(ends.len()).unwrap_or(i64::MAX));
    core.metrics.list_remaining.set(ends.iter().min().map_or(0, |end| end.saturating_sub(now.0)));
}

impl Sources {
    fn forget(&mut self, now: UnixTime) {
        self.0.retain(|_, source| {
            let asked = source.asked.map_or(i64::MIN, |asked| asked.0);
            let needed = match &source.held {
                Some(held) => now <= held.list.next_update() || asked > held.list.next_update().0,
                None => now.0.saturating_sub(asked) < FORGET,
            };
            let keep = !source.attempts.may_begin() || (!source.users.is_empty() && (source.is_configured() || needed));
            if !keep {
                source.take_out_of_force();
            }
            keep
        });
    }

    /// Of too many URLs the one that was of no use for the longest time goes.
    fn make_room(&mut self) -> bool {
        let named = self.0.iter().filter(|(_, source)| !source.is_configured());
        if named.clone().count() < MOST_NAMED {
            return true;
        }
        let idle = named.filter(|(_, source)| source.attempts.may_begin());
        let Some(target) = idle.min_by_key(|(_, source)| source.asked).map(|(target, _)| target.clone()) else { return false };
        if let Some(source) = self.0.remove(&target) {
            source.take_out_of_force();
        }
        true
    }
}

impl Source {
    fn take_out_of_force(&self) {
        let Some(held) = &self.held else { return };
        for trust in self.users.iter().filter_map(|user| user.trust.upgrade()) {
            trust.revocation_lists().remove(&held.list);
        }
    }
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

#[cfg(test)]
mod tests {
    use reqwest::Url;

    use super::*;
    use crate::revocation::client::Reach;

    fn target(number: usize) -> Target {
        Target { url: Url::parse(&format!("http://crl.example/{number}")).unwrap(), reach: Reach::Public }
    }

    #[test]
    fn the_one_of_least_use_makes_room() {
        let mut sources = Sources::default();
        for number in 0..MOST_NAMED {
            assert!(sources.make_room());
            let asked = Some(UnixTime(1_000 - i64::try_from(number).unwrap()));
            sources.0.insert(target(number), Source { asked, ..Source::default() });
        }
        assert!(sources.make_room());
        assert_eq!(sources.0.len(), MOST_NAMED - 1);
        assert!(!sources.0.contains_key(&target(MOST_NAMED - 1)) && sources.0.contains_key(&target(0)));
    }

    #[test]
    fn those_on_their_way_stay() {
        let mut sources = Sources::default();
        for number in 0..MOST_NAMED {
            let mut source = Source::default();
            source.attempts.begin();
            sources.0.insert(target(number), source);
        }
        assert!(!sources.make_room());
        assert_eq!(sources.0.len(), MOST_NAMED);
    }

    #[test]
    fn what_brought_nothing_is_forgotten() {
        let mut sources = Sources::default();
        sources.0.insert(target(0), Source { asked: Some(UnixTime(0)), ..Source::default() });
        sources.forget(UnixTime(FORGET));
        assert!(sources.0.is_empty(), "nobody uses it, nobody asked");
    }
}
