//! What is done without being asked: records are looked for again, the uses of keys are written down, and memory is put right
//! when the store did not answer.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{Outcome, Registry};
use crate::domains::record::Status;
use crate::domains::store::{Actor, StoreError};

/// Within this time, in seconds, a record must be set, or the verification has failed (Auth0: three days).
pub const PATIENCE: i64 = 3 * 86_400;
/// How many domains are looked at in one turn.
const BATCH: i64 = 100;
/// How often uses are written down.
const EVERY: Duration = Duration::from_secs(1);
/// Uses are written down in every so many turns.
const USES: u32 = 15;

impl Registry {
    /// Goes on until it is dropped. The task of a process that stops is aborted; then [`Registry::close`] writes the last uses.
    pub async fn watch(&self) {
        let mut turn: u32 = 0;
        loop {
            tokio::time::sleep(EVERY).await;
            turn = turn.wrapping_add(1);
            if self.behind.swap(false, Ordering::AcqRel) {
                let _turn = self.turn.lock().await;
                if let Err(why) = self.read_all().await {
                    self.behind.store(true, Ordering::Release);
                    tracing::error!("custom domains: the store does not answer: {why}");
                }
            }
            for done in [self.look_again().await, if turn.is_multiple_of(USES) { self.write_uses().await } else { Ok(()) }] {
                if let Err(why) = done {
                    tracing::error!("custom domains: {why}");
                }
            }
        }
    }

    /// Looks for the records of domains that wait. Whoever finds one does not make its domain ready: the key is shown in the
    /// answer to who asks for the verification, and nobody has asked.
    async fn look_again(&self) -> Result<(), StoreError> {
        let now = (self.clock)();
        for domain in self.store.waiting(now.plus(-i64::from(self.settings.recheck)), BATCH).await? {
            let why = match self.dns.verify(&domain, &self.proof(&domain).2).await {
                Outcome::Verified(_) => None,
                Outcome::NotYet(why) => Some(why),
            };
            let now = (self.clock)();
            let _turn = self.turn.lock().await;
            self.store.attempted(&domain.id, now, why.as_deref()).await?;
            if why.is_none() || now < domain.started_at.plus(PATIENCE) {
                continue;
            }
            let waits = |domain: &crate::domains::DomainRecord| domain.status == Status::PendingVerification;
            if self.store.domain(&domain.id).await?.as_ref().is_some_and(waits) {
                let mut change = self.store.change().await?;
                change.set_status(&domain.id, Status::Failed, now).await?;
                let actor = Actor { name: "vestibule".into(), request_id: String::new() };
                change.commit((&actor, now), "fail", Some(&domain), "no record within three days").await?;
            }
        }
        Ok(())
    }

    /// Writes down how often keys were used since the last time.
    async fn write_uses(&self) -> Result<(), StoreError> {
        let mut written = self.written.lock().await;
        let mut uses = Vec::new();
        for key in self.live.all().iter().flat_map(|domain| domain.keys()) {
            let count = i64::try_from(key.uses.count()).unwrap_or(i64::MAX);
            if count > 0 && written.get(&*key.id) != Some(&count) {
                uses.push((key.id.to_string(), count, key.uses.last()));
            }
        }
        if !uses.is_empty() {
            self.store.used(&uses).await?;
            written.extend(uses.into_iter().map(|(id, count, _)| (id, count)));
        }
        Ok(())
    }

    /// Writes the last uses and closes the store.
    pub async fn close(&self) {
        if let Err(why) = self.write_uses().await {
            tracing::error!("custom domains: the last uses of keys are not written down: {why}");
        }
        self.store.close().await;
    }
}
