//! Verification gives a domain its first key; after that keys are rotated and revoked. A key is shown once.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::{ChangeError, Outcome, Registry, random_id};
use crate::clock::UnixTime;
use crate::domains::record::{DomainRecord, KeyRecord, Status};
use crate::domains::store::Actor;
use crate::secret::generate_api_key;

/// The key in force, and the one that ends.
const MOST_KEYS: usize = 2;

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
            return Err(ChangeError::AlreadyVerified);
        }
        let outcome = self.dns.verify(&domain, &self.proof(&domain).2).await;
        let now = (self.clock)();
        let _turn = self.turn.lock().await;
        let mut change = self.store.change().await?;
        match outcome {
            Outcome::Verified(kind) => {
                let issued = self.issue(now)?;
                if !change.verified(id, now).await? {
                    drop(change);
                    self.get(id).await?;
                    return Err(ChangeError::AlreadyVerified);
                }
                change.insert_key(id, &issued.record).await?;
                let details = format!("{kind} record found, key {}", issued.record.id);
                let done = change.commit((actor, now), "verify", Some(&domain), &details).await;
                let record = self.finish(&domain, done).await?.ok_or(ChangeError::Unknown)?;
                Ok((record, Some(issued)))
            }
            Outcome::NotYet(why) => {
                if domain.status == Status::Failed {
                    change.wait_again(id, now).await?;
                }
                change.commit((actor, now), "verify", Some(&domain), &why).await?;
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
        let live = self.live.get(&domain.domain);
        let mut keys = self.store.keys(id).await?;
        for key in &mut keys {
            let used = live.iter().flat_map(|live| live.keys()).find(|live| *live.id == *key.id);
            if let Some(used) = used {
                key.uses = i64::try_from(used.uses.count()).unwrap_or(i64::MAX);
                key.last_used_at = used.uses.last();
            }
        }
        Ok(keys)
    }

    /// Gives a domain another key. The one before it is taken for some seconds more; with none it ends at once.
    ///
    /// # Errors
    /// [`ChangeError::Unknown`], [`ChangeError::NotReady`], [`ChangeError::TwoKeys`] while the last rotation is not over, and those
    /// of the store.
    pub async fn rotate(&self, id: &str, overlap: u32, actor: &Actor) -> Result<(Issued, Vec<KeyRecord>), ChangeError> {
        let _turn = self.turn.lock().await;
        let domain = self.get(id).await?;
        if domain.status != Status::Ready {
            return Err(ChangeError::NotReady);
        }
        let now = (self.clock)();
        let (over, in_force): (Vec<KeyRecord>, Vec<KeyRecord>) =
            self.store.keys(id).await?.into_iter().partition(|key| key.expires_at.is_some_and(|end| end <= now));
        if overlap > 0 && in_force.len() >= MOST_KEYS {
            return Err(ChangeError::TwoKeys);
        }
        let issued = self.issue(now)?;
        let mut change = self.store.change().await?;
        for key in &over {
            change.delete_key(id, &key.id).await?;
        }
        for key in &in_force {
            match overlap {
                0 => drop(change.delete_key(id, &key.id).await?),
                overlap => change.end_key(&key.id, now.plus(i64::from(overlap))).await?,
            }
        }
        change.insert_key(id, &issued.record).await?;
        let details = format!("key {}; those before it end after {overlap} seconds", issued.record.id);
        let done = change.commit((actor, now), "rotate_key", Some(&domain), &details).await;
        self.finish(&domain, done).await?;
        Ok((issued, self.keys(id).await?))
    }

    /// Ends a key at once.
    ///
    /// # Errors
    /// [`ChangeError::Unknown`], [`ChangeError::UnknownKey`], and those of the store.
    pub async fn revoke(&self, id: &str, key: &str, actor: &Actor) -> Result<(), ChangeError> {
        let _turn = self.turn.lock().await;
        let domain = self.get(id).await?;
        let mut change = self.store.change().await?;
        if !change.delete_key(id, key).await? {
            return Err(ChangeError::UnknownKey);
        }
        let done = change.commit((actor, (self.clock)()), "revoke_key", Some(&domain), &format!("key {key}")).await;
        self.finish(&domain, done).await.map(|_| ())
    }

    fn issue(&self, now: UnixTime) -> Result<Issued, ChangeError> {
        let key = Zeroizing::new(generate_api_key().map_err(|why| ChangeError::Random(why.to_string()))?);
        let tag = Arc::clone(&self.pepper).tag(key.as_bytes());
        let id = format!("key_{}", random_id()?);
        Ok(Issued { key, record: KeyRecord { id, tag, created_at: now, expires_at: None, uses: 0, last_used_at: None } })
    }
}
