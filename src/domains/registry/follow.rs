//! Memory follows the store: by the number of the last change, twice a second, and at once when the store tells of one. While the
//! store is away, requests are judged by what memory has.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use super::live_clients::told_client;
use super::{ALIASES, Registry};
use crate::clock::UnixTime;
use crate::domains::client::WithCredentials;
use crate::domains::record::{AuditLine, DomainRecord, KeyRecord};
use crate::domains::store::{Change, Reader, StoreError};

/// How often the number of the last change is looked at: half of the second in which a change reaches every process.
const EVERY: Duration = Duration::from_millis(500);
/// Who is further behind reads everything anew.
const MOST_BEHIND: i64 = 1_000;

/// Whether the store answers.
pub(super) struct Answered {
    is_away: AtomicBool,
    last: AtomicI64,
}

impl Answered {
    pub(super) fn new(now: UnixTime) -> Self {
        Self { is_away: AtomicBool::new(true), last: AtomicI64::new(now.0) }
    }

    fn yes(&self, now: UnixTime) -> bool {
        self.last.store(now.0, Ordering::Release);
        self.is_away.swap(false, Ordering::AcqRel)
    }

    fn no(&self) -> bool {
        !self.is_away.swap(true, Ordering::AcqRel)
    }
}

/// How memory and the store stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Whether the store answers.
    pub is_up: bool,
    /// When it last did.
    pub answered_at: UnixTime,
    /// Seconds since then.
    pub silent: i64,
    /// The last change that requests are judged by.
    pub revision: i64,
}

/// Where changes are read.
pub(super) enum Source<'s> {
    Reader(&'s mut Reader),
    Change(&'s mut Change),
}

impl Source<'_> {
    async fn audit(&mut self, after: i64, most: i64) -> Result<Vec<AuditLine>, StoreError> {
        match self {
            Self::Reader(reader) => reader.audit(after, most).await,
            Self::Change(change) => change.audit(after, most).await,
        }
    }

    async fn found(&mut self, id: &str) -> Result<Option<(DomainRecord, Vec<KeyRecord>)>, StoreError> {
        let (domain, keys) = match self {
            Self::Reader(reader) => (reader.domain(id).await?, reader.keys(id).await?),
            Self::Change(change) => (change.domain(id).await?, change.keys(id).await?),
        };
        Ok(domain.map(|domain| (domain, keys)))
    }

    async fn client(&mut self, id: &str) -> Result<Option<WithCredentials>, StoreError> {
        match self {
            Self::Reader(reader) => reader.client(id).await,
            Self::Change(change) => change.client(id).await,
        }
    }

    async fn setting(&mut self, name: &str) -> Result<Option<String>, StoreError> {
        match self {
            Self::Reader(reader) => reader.setting(name).await,
            Self::Change(change) => change.setting(name).await,
        }
    }
}

impl Registry {
    /// How memory and the store stand to each other.
    pub fn standing(&self) -> Standing {
        let answered_at = UnixTime(self.answered.last.load(Ordering::Acquire));
        Standing {
            is_up: !self.answered.is_away.load(Ordering::Acquire),
            answered_at,
            silent: (self.clock)().0.saturating_sub(answered_at.0),
            revision: self.applied.load(Ordering::Acquire),
        }
    }

    pub(super) async fn follow_on(&self) {
        loop {
            tokio::select! {
                () = self.changed.notified() => {}
                () = tokio::time::sleep(EVERY) => {}
            }
            match self.catch_up().await {
                Ok(()) => {
                    if self.answered.yes((self.clock)()) {
                        tracing::info!("custom domains: the store answers again");
                    }
                }
                Err(why) => {
                    if self.answered.no() {
                        let revision = self.applied.load(Ordering::Acquire);
                        tracing::error!(
                            "custom domains: the store does not answer, what was so at revision {revision} stays: {why}"
                        );
                    }
                }
            }
        }
    }

    /// Makes memory what the store holds.
    pub(super) async fn catch_up(&self) -> Result<(), StoreError> {
        let _turn = self.turn.lock().await;
        let mut reader = self.store.reader().await?;
        let (last, applied) = (reader.revision().await?, self.applied.load(Ordering::Acquire));
        if last == applied {
            return Ok(());
        }
        if last < applied {
            tracing::warn!(
                "custom domains: the store went back from revision {applied} to {last}, and everything is read anew"
            );
        }
        if last < applied || last - applied > MOST_BEHIND {
            return self.read_all(&mut reader).await;
        }
        self.follow(Source::Reader(&mut reader), last).await
    }

    /// Takes the changes up to a revision, at least. What is read of a domain may be newer than the change that it is read for.
    pub(super) async fn follow(&self, mut source: Source<'_>, last: i64) -> Result<(), StoreError> {
        loop {
            let applied = self.applied.load(Ordering::Acquire);
            if applied >= last {
                return Ok(());
            }
            let lines = source.audit(applied, MOST_BEHIND).await?;
            let Some(newest) = lines.last().map(|line| line.revision) else {
                return Err(StoreError::Contents(format!("no line of the audit log for revision {last}")));
            };
            let (mut domains, mut clients) = (BTreeMap::new(), BTreeSet::new());
            for line in lines {
                clients.extend(told_client(&line.action, &line.details).map(str::to_owned));
                domains.extend(line.custom_domain_id.zip(line.domain));
            }
            let mut there = Vec::new();
            for (id, name) in domains {
                match source.found(&id).await? {
                    Some(found) => there.push(found),
                    None => self.live.remove(&name, &self.origin_domain_name(&id)),
                }
            }
            // After all that is gone: a name may have been given to another domain since.
            there.iter().for_each(|(record, keys)| self.set_live(record, keys));
            for id in clients {
                let found = source.client(&id).await?;
                self.take_client(&id, found.as_ref());
            }
            self.live.set_aliases(source.setting(ALIASES).await?.as_deref() == Some("true"));
            self.applied.store(newest, Ordering::Release);
        }
    }

    /// Reads everything anew. Changes that are made meanwhile are followed afterwards.
    pub(super) async fn read_all(&self, reader: &mut Reader) -> Result<(), StoreError> {
        let revision = reader.revision().await?;
        let mut gone: HashMap<String, String> =
            self.live.all().iter().map(|domain| (domain.name().to_owned(), domain.origin().to_owned())).collect();
        let take = |domain: DomainRecord, keys: Vec<KeyRecord>| {
            gone.remove(&domain.domain);
            self.set_live(&domain, &keys);
        };
        reader.each(take).await?;
        for (name, origin) in &gone {
            self.live.remove(name, origin);
        }
        self.live.set_aliases(reader.setting(ALIASES).await?.as_deref() == Some("true"));
        self.read_clients(reader).await?;
        self.applied.store(revision, Ordering::Release);
        Ok(())
    }

    /// The first reading.
    pub(super) async fn begin_to_serve(&self) -> Result<(), String> {
        let read = async {
            self.store.prepare().await?;
            self.read_all(&mut self.store.reader().await?).await
        };
        match read.await {
            Ok(()) => {
                self.answered.yes((self.clock)());
                // Whoever cannot keep it is told now, and not when it is needed.
                self.keep_anew().await.map_err(|why| format!("the snapshot cannot be kept: {why}"))
            }
            Err(why) if why.is_passing() => match &self.settings.snapshot_file {
                None => Err(format!("it cannot be read, and there is no `store.snapshot_file`: {why}")),
                Some(file) => self.recall().map_err(|other| format!("it cannot be read: {why}; `{}`: {other}", file.display())),
            },
            Err(why) => Err(format!("it cannot be read: {why}")),
        }
    }
}
