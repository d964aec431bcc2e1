//! Verification gives a domain its first key; after that keys are rotated and revoked. A key is shown once.

use std::collections::HashMap;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::{ChangeError, Outcome, Registry, random_id};
use crate::clock::UnixTime;
use crate::domains::record::{DomainRecord, KeyRecord, Status};
use crate::domains::store::Actor;
use crate::secret::generate_api_key;

/// Of each front door: the key in force, and the one that ends.
pub(super) const MOST_KEYS: usize = 2;

/// A key that is shown this once.
pub struct Issued {
    /// The key.
    pub key: Zeroizing<String>,
    /// What is stored of it.
    pub record: KeyRecord,
}

impl Registry {
    /// Looks for a domain's record and makes it ready when it is there: then it has a key. Otherwise the domain says why not.
    ///
    /// # Errors
    /// [`ChangeError::Unknown`], [`ChangeError::AlreadyVerified`], and those of the store.
    pub async fn verify(&self, id: &str, actor: &Actor) -> Result<(DomainRecord, Option<Issued>), ChangeError> {
        let domain = self.get(id).await?;
        if domain.status == Status::Ready {
            return self.verify_again(id, actor).await;
        }
        let outcome = self.dns.verify(&domain, &self.proof(&domain).2).await;
        let now = (self.clock)();
        let mut begun = self.begin().await?;
        match outcome {
            Outcome::Verified(kind) => {
                let issued = self.issue(now, None)?;
                if !begun.change.verified(id, now).await? {
                    // Somebody was faster, perhaps the same one who got no answer.
                    drop(begun);
                    return self.verify_again(id, actor).await;
                }
                begun.change.insert_key(id, &issued.record).await?;
                let details = format!("{kind} record found, key {}", issued.record.id);
                let record = self.commit(begun, (actor, now), "verify", Some(&domain), &details).await?;
                Ok((record.ok_or(ChangeError::Unknown)?, Some(issued)))
            }
            Outcome::NotYet(why) => {
                // Its name may be another domain's by now.
                begun.change.domain(id).await?.ok_or(ChangeError::Unknown)?;
                if domain.status == Status::Failed {
                    begun.change.wait_again(id, now).await?;
                }
                self.commit(begun, (actor, now), "verify", Some(&domain), &why).await?;
                self.store.attempted(id, now, Some(&why)).await?;
                Ok((self.get(id).await?, None))
            }
        }
    }

    /// A domain's keys, with their use until now.
    ///
    /// # Errors
    /// [`ChangeError::Unknown`], and those of the store.
    pub async fn keys(&self, id: &str) -> Result<Vec<KeyRecord>, ChangeError> {
        let domain = self.get(id).await?;
        // What is being written down is counted once: not before it is written, and not after it as well.
        let written = self.written.lock().await;
        let mut keys = self.store.keys(id).await?;
        self.add_uses(&domain, &mut keys, &written);
        Ok(keys)
    }

    /// Adds what this process has counted and not written down yet.
    pub(super) fn add_uses(&self, domain: &DomainRecord, keys: &mut [KeyRecord], written: &HashMap<Arc<str>, i64>) {
        let Some(live) = self.live.get(&domain.domain) else { return };
        for key in keys {
            let Some(used) = live.keys().iter().find(|live| *live.id == *key.id) else { continue };
            let more = i64::try_from(used.uses.count()).unwrap_or(i64::MAX) - written.get(&used.id).copied().unwrap_or(0);
            key.uses = key.uses.saturating_add(more);
            key.last_used_at = key.last_used_at.max(used.uses.last());
        }
    }

    /// Gives a front door of a domain another key. The one before it is taken for some seconds more; with none it ends at once.
    ///
    /// # Errors
    /// [`ChangeError::Unknown`], [`ChangeError::UnknownFrontDoor`], [`ChangeError::NotReady`], [`ChangeError::TwoKeys`] while the last
    /// rotation is not over, and those of the store.
    pub async fn rotate(
        &self,
        id: &str,
        (front_door, overlap): (Option<String>, u32),
        actor: &Actor,
    ) -> Result<(Issued, Vec<KeyRecord>), ChangeError> {
        let mut begun = self.begin().await?;
        let domain = begun.change.domain(id).await?.ok_or(ChangeError::Unknown)?;
        if domain.status != Status::Ready {
            return Err(ChangeError::NotReady);
        }
        let now = (self.clock)();
        let (over, in_force): (Vec<KeyRecord>, Vec<KeyRecord>) = begun
            .change
            .keys(id)
            .await?
            .into_iter()
            .filter(|key| key.front_door == front_door)
            .partition(|key| key.expires_at.is_some_and(|end| end <= now));
        if overlap > 0 && in_force.len() >= MOST_KEYS {
            return Err(ChangeError::TwoKeys);
        }
        if front_door.is_some() && over.is_empty() && in_force.is_empty() {
            return Err(ChangeError::UnknownFrontDoor);
        }
        let issued = self.issue(now, front_door)?;
        let change = &mut begun.change;
        for key in &over {
            change.delete_key(id, &key.id).await?;
        }
        for key in &in_force {
            match overlap {
                0 => drop(change.delete_key(id, &key.id).await?),
                // Nobody is told an end and finds the key in force after it.
                overlap => {
                    let end = now.plus(i64::from(overlap));
                    change.end_key(&key.id, key.expires_at.map_or(end, |before| before.min(end))).await?;
                }
            }
        }
        change.insert_key(id, &issued.record).await?;
        let details = format!("key {}; those before it end after {overlap} seconds", issued.record.id);
        let mut keys = begun.change.keys(id).await?;
        self.commit(begun, (actor, now), "rotate_key", Some(&domain), &details).await?;
        // Nothing may fail from here on: the key is shown this once.
        self.add_uses(&domain, &mut keys, &*self.written.lock().await);
        Ok((issued, keys))
    }

    /// Ends a key at once.
    ///
    /// # Errors
    /// [`ChangeError::Unknown`], [`ChangeError::UnknownKey`], and those of the store.
    pub async fn revoke(&self, id: &str, key: &str, actor: &Actor) -> Result<(), ChangeError> {
        let mut begun = self.begin().await?;
        let domain = begun.change.domain(id).await?.ok_or(ChangeError::Unknown)?;
        if !begun.change.delete_key(id, key).await? {
            return Err(ChangeError::UnknownKey);
        }
        self.commit(begun, (actor, (self.clock)()), "revoke_key", Some(&domain), &format!("key {key}")).await.map(|_| ())
    }

    pub(super) fn issue(&self, now: UnixTime, front_door: Option<String>) -> Result<Issued, ChangeError> {
        let key = Zeroizing::new(generate_api_key().map_err(|why| ChangeError::Random(why.to_string()))?);
        let tag = Arc::clone(&self.pepper).tag(key.as_bytes());
        let id = format!("key_{}", random_id()?);
        Ok(Issued {
            key,
            record: KeyRecord { id, front_door, tag, created_at: now, expires_at: None, uses: 0, last_used_at: None },
        })
    }
}
