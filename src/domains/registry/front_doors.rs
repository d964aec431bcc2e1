//! Further front doors of a domain, each with a key of its own: one can be revoked or rotated, and its use seen, apart from the
//! others. And a key for whoever did not get the answer that had it.

use super::keys::{Issued, MOST_KEYS};
use super::{ChangeError, Registry};
use crate::domains::record::{DomainRecord, KeyRecord, Status};
use crate::domains::store::Actor;

/// The first one, and those that are named.
const MOST_FRONT_DOORS: usize = 4;
/// The longest name.
const LONGEST: usize = 64;
/// For so many seconds after a verification it may be asked for again: as long as SDKs try again when an answer is lost.
const LOST: i64 = 60;

/// Whether a text can be a front door's name: letters, digits, `-`, `_`.
pub fn is_front_door_name(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=LONGEST).contains(&text.len()) && text.bytes().all(known)
}

impl Registry {
    /// Gives a domain a key for a further front door.
    ///
    /// # Errors
    /// [`ChangeError::Unknown`], [`ChangeError::NotReady`], [`ChangeError::FrontDoorExists`], [`ChangeError::TooManyFrontDoors`], and
    /// those of the store.
    pub async fn add_front_door(
        &self,
        id: &str,
        front_door: &str,
        actor: &Actor,
    ) -> Result<(Issued, Vec<KeyRecord>), ChangeError> {
        let mut begun = self.begin().await?;
        let domain = begun.change.domain(id).await?.ok_or(ChangeError::Unknown)?;
        if domain.status != Status::Ready {
            return Err(ChangeError::NotReady);
        }
        let now = (self.clock)();
        let keys = begun.change.keys(id).await?;
        let in_force = keys.iter().filter(|key| key.expires_at.is_none_or(|end| now < end));
        let mut doors: Vec<&str> = in_force.filter_map(|key| key.front_door.as_deref()).collect();
        doors.sort_unstable();
        doors.dedup();
        if doors.contains(&front_door) {
            return Err(ChangeError::FrontDoorExists);
        }
        if doors.len() + 1 >= MOST_FRONT_DOORS {
            return Err(ChangeError::TooManyFrontDoors(MOST_FRONT_DOORS));
        }
        let issued = self.issue(now, Some(front_door.to_owned()))?;
        begun.change.insert_key(id, &issued.record).await?;
        let details = format!("key {} for {front_door}", issued.record.id);
        let mut keys = begun.change.keys(id).await?;
        self.commit(begun, (actor, now), "add_key", Some(&domain), &details).await?;
        // Nothing may fail from here on: the key is shown this once.
        self.add_uses(&domain, &mut keys, &*self.written.lock().await);
        Ok((issued, keys))
    }

    /// Another key for whoever verified a domain a moment ago and asks for it again, as SDKs do when they got no answer. The
    /// first key goes on: perhaps somebody has it. Not when it was used already.
    pub(super) async fn verify_again(&self, id: &str, actor: &Actor) -> Result<(DomainRecord, Option<Issued>), ChangeError> {
        let mut begun = self.begin().await?;
        let domain = begun.change.domain(id).await?.ok_or(ChangeError::Unknown)?;
        let now = (self.clock)();
        let keys = begun.change.keys(id).await?;
        let counted = self.live.get(&domain.domain).is_some_and(|live| live.keys().iter().any(|key| key.uses.count() > 0));
        let fresh = domain.verified_at.is_some_and(|at| now < at.plus(LOST));
        let unused = !counted && keys.len() < MOST_KEYS && keys.iter().all(|key| key.uses == 0 && key.expires_at.is_none());
        if domain.status != Status::Ready
            || !fresh
            || !unused
            || begun.change.verified_by(id).await?.as_deref() != Some(actor.name.as_str())
        {
            return Err(ChangeError::AlreadyVerified);
        }
        let issued = self.issue(now, None)?;
        begun.change.insert_key(id, &issued.record).await?;
        let details = format!("asked for again, key {}", issued.record.id);
        let record = self.commit(begun, (actor, now), "verify", Some(&domain), &details).await?;
        Ok((record.ok_or(ChangeError::Unknown)?, Some(issued)))
    }
}
