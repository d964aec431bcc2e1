//! What is done without being asked: records are looked for again, the uses of keys are written down, and what others have
//! changed is followed.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;

use super::{ChangeError, Outcome, Registry};
use crate::domains::record::DomainRecord;
use crate::domains::store::{Actor, StoreError};

/// Within this time, in seconds, a record must be set, or the verification has failed (Auth0: three days).
pub const PATIENCE: i64 = 3 * 86_400;
/// How many domains are looked at in one turn.
const BATCH: i64 = 100;
/// How many of them at the same time.
const AT_ONCE: usize = 8;
/// How often there is a look at what is to be done.
const EVERY: Duration = Duration::from_secs(1);
/// Uses are written down in every so many turns.
const USES: u32 = 15;

impl Registry {
    /// Goes on until it is dropped. The task of a process that stops is aborted; then [`Registry::close`] writes the last uses.
    pub async fn watch(&self) {
        // Name servers that do not answer hold nothing else up.
        tokio::join!(self.look_on(), self.count_on(), self.follow_on(), self.keep_on(), self.store.tell(&self.changed));
    }

    async fn look_on(&self) {
        loop {
            tokio::time::sleep(EVERY).await;
            let since = (self.clock)().plus(-i64::from(self.settings.recheck));
            match self.store.waiting(since, BATCH).await {
                Ok(waiting) => {
                    futures_util::stream::iter(waiting).for_each_concurrent(AT_ONCE, |domain| self.look(domain)).await
                }
                Err(why) => self.complain(&why),
            }
        }
    }

    async fn count_on(&self) {
        loop {
            tokio::time::sleep(EVERY * USES).await;
            if let Err(why) = self.write_uses().await {
                self.complain(&why);
            }
        }
    }

    /// That the store is away is said once, by [`Registry::follow_on`].
    fn complain(&self, why: &StoreError) {
        if !why.is_passing() {
            tracing::error!("custom domains: {why}");
        }
    }

    /// Looks for the record of a domain that waits. Whoever finds it does not make the domain ready: the key is shown in the answer
    /// to who asks for the verification, and nobody has asked.
    async fn look(&self, domain: DomainRecord) {
        let why = match self.dns.verify(&domain, &self.proof(&domain).2).await {
            Outcome::Verified(_) => None,
            Outcome::NotYet(why) => Some(why),
        };
        match self.note(&domain, why).await {
            Ok(()) => {}
            Err(ChangeError::Store(why)) => self.complain(&why),
            Err(why) => tracing::error!("custom domains: {why:?}"),
        }
    }

    async fn note(&self, domain: &DomainRecord, why: Option<String>) -> Result<(), ChangeError> {
        let now = (self.clock)();
        self.store.attempted(&domain.id, now, why.as_deref()).await?;
        if why.is_none() || now < domain.started_at.plus(PATIENCE) {
            return Ok(());
        }
        // It may have been verified or deleted in the meantime.
        let mut begun = self.begin().await?;
        if begun.change.fail(&domain.id).await? {
            let actor = Actor { name: "vestibule".into(), request_id: String::new() };
            self.commit(begun, (&actor, now), "fail", Some(domain), "no record within three days").await?;
        }
        Ok(())
    }

    /// Adds to the store how often keys were used here since the last time.
    async fn write_uses(&self) -> Result<(), StoreError> {
        let mut written = self.written.lock().await;
        let (mut uses, mut now) = (Vec::new(), HashMap::new());
        for key in self.live.all().iter().flat_map(|domain| domain.keys()) {
            let count = i64::try_from(key.uses.count()).unwrap_or(i64::MAX);
            if count == 0 {
                continue;
            }
            let before = written.get(&key.id).copied().unwrap_or(0);
            if count > before {
                uses.push((key.id.to_string(), count - before, key.uses.last()));
            }
            now.insert(Arc::clone(&key.id), count);
        }
        if !uses.is_empty() {
            self.store.used(&uses).await?;
        }
        // Keys that are gone are forgotten with it.
        *written = now;
        Ok(())
    }

    /// Writes the last uses and closes the store.
    pub async fn close(&self) {
        if let Err(why) = self.write_uses().await {
            tracing::error!("custom domains: the last uses of keys are not written down: {why}");
        }
        self.keep().await;
        self.store.close().await;
    }
}
