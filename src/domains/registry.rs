//! The registry: what may be done with custom domains. It writes into the store and, before it acknowledges, into what requests
//! are judged by. What other processes write into the same store is followed by its revision numbers.

mod clients;
mod follow;
mod front_doors;
mod kept;
mod keys;
mod live_clients;
mod watch;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use http::HeaderName;
use tokio::sync::{Mutex, MutexGuard, Notify};

use super::dns::{Dns, DnsSettings, Outcome, record_name};
use super::new_domain::{NewDomain, Patch, is_below, is_suffix};
use super::record::{AuditLine, DomainRecord, KeyRecord, Status};
use super::store::{Actor, Change, ListQuery, Store, StoreError};
use crate::clock::UnixTime;
use crate::front_door::{CustomDomain, CustomDomains, CustomKey, KeyUse};
use crate::oauth::RegisteredClients;
use crate::secret::Pepper;

pub use clients::{ClientPatch, NewClient};
pub use follow::Standing;
pub use front_doors::is_front_door_name;
pub use keys::Issued;
use live_clients::told_client;
pub use watch::PATIENCE;

/// The setting whether domains have `mtls.` aliases.
const ALIASES: &str = "mtls.enable_endpoint_aliases";
/// A change of it, in the audit log.
const SETTINGS: &str = "settings";
/// The longest name of DNS, as text (RFC 1035 §2.3.4).
const LONGEST_NAME: usize = 253;
/// Letters and digits of an id (Auth0).
const ID_LENGTH: usize = 16;

/// What the configuration says about custom domains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistrySettings {
    /// The name of the tenant that they belong to.
    pub tenant: String,
    /// Under which name their origin domain names stand.
    pub origin_domain: String,
    /// Who is asked for their records.
    pub dns: DnsSettings,
    /// How often the records of those that wait are looked for, in seconds.
    pub recheck: u32,
    /// Where what requests are judged by is kept, for a start without the store.
    pub snapshot_file: Option<PathBuf>,
}

/// Why a change was not made. Nothing of it happened.
#[derive(Debug)]
pub enum ChangeError {
    /// There is no such domain.
    Unknown,
    /// The domain has no such key.
    UnknownKey,
    /// A domain with this name exists, here or in the configuration: where.
    Exists(String),
    /// The domain is the tenant's default.
    IsDefault,
    /// It is verified already.
    AlreadyVerified,
    /// It is not verified.
    NotReady,
    /// It has two keys already.
    TwoKeys,
    /// The domain has no such front door.
    UnknownFrontDoor,
    /// The front door has a key already.
    FrontDoorExists,
    /// The domain would have more front doors than this.
    TooManyFrontDoors(usize),
    /// There is no such client.
    UnknownClient,
    /// The client has no such credential.
    UnknownCredential,
    /// A client with this id exists, here or in the configuration: where.
    ClientExists(String),
    /// The client would have more credentials than this.
    TooManyCredentials(usize),
    /// The client authenticates itself with the credential.
    CredentialInUse,
    /// A value is not accepted: of which property, and why.
    Invalid(&'static str, String),
    /// The store did not do it.
    Store(StoreError),
    /// The operating system has no random bytes.
    Random(String),
}

impl From<StoreError> for ChangeError {
    fn from(why: StoreError) -> Self {
        Self::Store(why)
    }
}

/// What requests are judged by of the store.
#[derive(Debug, Clone)]
pub struct Judged {
    /// The custom domains.
    pub domains: Arc<CustomDomains>,
    /// The clients.
    pub clients: Arc<RegisteredClients>,
}

/// The registry of custom domains and clients.
pub struct Registry {
    store: Store,
    live: Arc<CustomDomains>,
    live_clients: Arc<RegisteredClients>,
    pepper: Arc<Pepper>,
    settings: RegistrySettings,
    dns: Dns,
    clock: Box<dyn Fn() -> UnixTime + Send + Sync>,
    /// One change after the other, so that memory follows the store in the same order.
    turn: Mutex<()>,
    /// The number of the last change that memory has.
    applied: AtomicI64,
    /// When the store last answered, and since when it has not.
    answered: follow::Answered,
    /// Rung when another process has changed something.
    changed: Notify,
    /// The uses of keys that the store was told of, by the keys' ids.
    written: Mutex<HashMap<Arc<str>, i64>>,
    /// The last change that the snapshot file has.
    kept: Mutex<Option<i64>>,
    /// The clients as the snapshot file has them, where there is one: it is written while the store is away, too.
    kept_clients: Option<kept::KeptClients>,
}

/// A change of this process's turn. Memory has all that was changed before it.
struct Begun<'r> {
    change: Change,
    _turn: MutexGuard<'r, ()>,
}

impl Registry {
    /// Reads the store into memory, or what was kept of it when the store is away.
    ///
    /// # Errors
    /// Why it cannot be read, and nothing was kept; or DNS cannot be asked.
    pub async fn start(
        store: Store,
        pepper: Arc<Pepper>,
        settings: RegistrySettings,
        clock: Box<dyn Fn() -> UnixTime + Send + Sync>,
    ) -> Result<Self, String> {
        let registry = Self::new(store, pepper, settings, clock)?;
        registry.begin_to_serve().await?;
        Ok(registry)
    }

    fn new(
        store: Store,
        pepper: Arc<Pepper>,
        settings: RegistrySettings,
        clock: Box<dyn Fn() -> UnixTime + Send + Sync>,
    ) -> Result<Self, String> {
        let dns = Dns::new(&settings.dns)?;
        Ok(Self {
            answered: follow::Answered::new(clock()),
            kept_clients: settings.snapshot_file.is_some().then(kept::KeptClients::default),
            store,
            live: Arc::default(),
            live_clients: Arc::default(),
            pepper,
            settings,
            dns,
            clock,
            turn: Mutex::default(),
            applied: AtomicI64::new(0),
            changed: Notify::new(),
            written: Mutex::default(),
            kept: Mutex::default(),
        })
    }

    /// Reads a store that is only read, once.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub async fn read(
        store: Store,
        pepper: Arc<Pepper>,
        settings: RegistrySettings,
        clock: Box<dyn Fn() -> UnixTime + Send + Sync>,
    ) -> Result<Judged, String> {
        let registry = Self::new(store, pepper, settings, clock)?;
        let read = async {
            registry.store.check_version().await?;
            registry.read_all(&mut registry.store.reader().await?).await
        };
        let read = read.await.map_err(|why| why.to_string());
        registry.store.close().await;
        read.map(|()| registry.judged())
    }

    /// What requests are judged by.
    pub fn judged(&self) -> Judged {
        Judged { domains: Arc::clone(&self.live), clients: Arc::clone(&self.live_clients) }
    }

    /// The domains that requests are judged by.
    pub fn live(&self) -> &Arc<CustomDomains> {
        &self.live
    }

    /// The clients that requests are judged by.
    pub fn live_clients(&self) -> &Arc<RegisteredClients> {
        &self.live_clients
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The settings that it was started with.
    pub fn settings(&self) -> &RegistrySettings {
        &self.settings
    }

    /// The name by which a front door asks for a domain (Auth0 `origin_domain_name`).
    pub fn origin_domain_name(&self, id: &str) -> String {
        let id = id.to_ascii_lowercase().replace('_', "-");
        format!("{}-{id}.{}", self.settings.tenant.to_ascii_lowercase().replace('_', "-"), self.settings.origin_domain)
    }

    /// The name that is to have a record of DNS, what a TXT record must hold, and where a CNAME record must point.
    pub fn proof(&self, domain: &DomainRecord) -> (String, String, String) {
        let target = format!("{}.{}", domain.challenge, self.settings.origin_domain);
        (record_name(&domain.domain), domain.challenge.clone(), target)
    }

    /// Creates a domain.
    ///
    /// # Errors
    /// [`ChangeError::Exists`], [`ChangeError::Invalid`], and those of the store.
    pub async fn create(&self, new: NewDomain, actor: &Actor) -> Result<DomainRecord, ChangeError> {
        let now = (self.clock)();
        if is_below(&self.settings.origin_domain, &new.domain) {
            return Err(ChangeError::Invalid("domain", "names below the origin domain are given by this service".into()));
        }
        if record_name(&new.domain).len() > LONGEST_NAME {
            let why = format!("its record of DNS would have a name of more than {LONGEST_NAME} characters");
            return Err(ChangeError::Invalid("domain", why));
        }
        check_relying_party(new.relying_party_identifier.as_deref(), &new.domain)?;
        let metadata = new.metadata.as_ref().map(|metadata| metadata.merged(None)).transpose();
        let record = DomainRecord {
            id: format!("cd_{}", random_id()?),
            status: Status::PendingVerification,
            challenge: random_uuid()?,
            client_ip_header: new.client_ip_header.name().map(str::to_owned),
            metadata: metadata.map_err(|why| ChangeError::Invalid("domain_metadata", why))?,
            relying_party_identifier: new.relying_party_identifier,
            domain: new.domain,
            is_default: false,
            created_at: now,
            started_at: now,
            verified_at: None,
            attempted_at: None,
            attempt_error: None,
            attempts: 0,
            revision: 0,
        };
        let mut begun = self.begin().await?;
        // An origin name that is like another one but for its capital letters is refused too: the caller tries again.
        let names = [record.domain.clone(), self.origin_domain_name(&record.id)];
        if let Some(rival) = names.iter().find_map(|name| self.live.rival(name)) {
            return Err(ChangeError::Exists(format!("another custom domain, `{rival}`")));
        }
        if !begun.change.insert(&record).await? {
            return Err(ChangeError::Exists("another custom domain".into()));
        }
        self.commit(begun, (actor, now), "create", Some(&record), &record.domain).await?.ok_or(ChangeError::Unknown)
    }

    /// A domain.
    ///
    /// # Errors
    /// [`ChangeError::Unknown`], and those of the store.
    pub async fn get(&self, id: &str) -> Result<DomainRecord, ChangeError> {
        self.store.domain(id).await?.ok_or(ChangeError::Unknown)
    }

    /// Domains in the order of their names.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn list(&self, query: &ListQuery) -> Result<Vec<DomainRecord>, ChangeError> {
        Ok(self.store.list(query).await?)
    }

    /// Changes a domain.
    ///
    /// # Errors
    /// [`ChangeError::Unknown`], [`ChangeError::Invalid`], and those of the store.
    pub async fn patch(&self, id: &str, patch: Patch, actor: &Actor) -> Result<DomainRecord, ChangeError> {
        let mut begun = self.begin().await?;
        let mut record = begun.change.domain(id).await?.ok_or(ChangeError::Unknown)?;
        let mut changed = Vec::new();
        if let Some(header) = patch.client_ip_header {
            record.client_ip_header = header.name().map(str::to_owned);
            changed.push("custom_client_ip_header");
        }
        if let Some(metadata) = patch.metadata {
            let merged = metadata.merged(record.metadata.as_ref());
            record.metadata = Some(merged.map_err(|why| ChangeError::Invalid("domain_metadata", why))?);
            changed.push("domain_metadata");
        }
        if let Some(identifier) = patch.relying_party_identifier {
            check_relying_party(identifier.as_deref(), &record.domain)?;
            record.relying_party_identifier = identifier;
            changed.push("relying_party_identifier");
        }
        begun.change.update(&record).await?;
        let now = (self.clock)();
        self.commit(begun, (actor, now), "update", Some(&record), &changed.join(", ")).await?.ok_or(ChangeError::Unknown)
    }

    /// Deletes a domain and its keys; one that does not exist is deleted already.
    ///
    /// # Errors
    /// [`ChangeError::IsDefault`], and those of the store.
    pub async fn delete(&self, id: &str, actor: &Actor) -> Result<(), ChangeError> {
        let mut begun = self.begin().await?;
        let Some(record) = begun.change.domain(id).await? else { return Ok(()) };
        if record.is_default {
            return Err(ChangeError::IsDefault);
        }
        begun.change.delete(id).await?;
        self.commit(begun, (actor, (self.clock)()), "delete", Some(&record), &record.domain).await.map(|_| ())
    }

    /// The default domain; none is the service's own.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn default_domain(&self) -> Result<Option<DomainRecord>, ChangeError> {
        Ok(self.store.default_domain().await?)
    }

    /// Makes a ready domain the default, or with the service's own name none.
    ///
    /// # Errors
    /// [`ChangeError::NotReady`] for every other name, and those of the store.
    pub async fn set_default(&self, name: &str, actor: &Actor) -> Result<Option<DomainRecord>, ChangeError> {
        let mut begun = self.begin().await?;
        let mut found = None;
        if name != self.settings.origin_domain {
            let domain = begun.change.domain_named(name).await?.filter(|domain| domain.status == Status::Ready);
            found = Some(domain.ok_or(ChangeError::NotReady)?);
        }
        begun.change.set_default(found.as_ref().map(|domain| domain.id.as_str())).await?;
        self.commit(begun, (actor, (self.clock)()), "set_default", found.as_ref(), name).await
    }

    /// Whether a domain's name has an address.
    ///
    /// # Errors
    /// [`ChangeError::Unknown`], [`ChangeError::NotReady`], and those of the store.
    pub async fn test(&self, id: &str) -> Result<Result<(), String>, ChangeError> {
        let domain = self.get(id).await?;
        if domain.status != Status::Ready {
            return Err(ChangeError::NotReady);
        }
        Ok(self.dns.resolves(&domain.domain).await)
    }

    /// Whether domains have `mtls.` aliases.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn aliases(&self) -> Result<bool, ChangeError> {
        Ok(self.store.setting(ALIASES).await?.as_deref() == Some("true"))
    }

    /// Says whether domains have `mtls.` aliases.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn set_aliases(&self, on: bool, actor: &Actor) -> Result<(), ChangeError> {
        let value = if on { "true" } else { "false" };
        let mut begun = self.begin().await?;
        begun.change.set_setting(ALIASES, value).await?;
        self.commit(begun, (actor, (self.clock)()), SETTINGS, None, &format!("{ALIASES} = {value}")).await.map(|_| ())
    }

    /// Lines of the audit log after a revision.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn audit(&self, after: i64, most: usize) -> Result<Vec<AuditLine>, ChangeError> {
        Ok(self.store.audit(after, i64::try_from(most).unwrap_or(i64::MAX)).await?)
    }

    /// Begins a change when it is its turn, here and among all processes, and follows what they have changed before.
    async fn begin(&self) -> Result<Begun<'_>, ChangeError> {
        let turn = self.turn.lock().await;
        let mut change = self.store.change().await?;
        let last = change.revision() - 1;
        let applied = self.applied.load(Ordering::Acquire);
        if applied > last {
            self.changed.notify_one();
            return Err(StoreError::WentBack.into());
        }
        if applied < last {
            self.follow(follow::Source::Change(&mut change), last).await?;
        }
        Ok(Begun { change, _turn: turn })
    }

    /// Makes a change last, and memory the same as the store. When it fails, memory stays as it is until the store says whether
    /// the change was made: nobody was told that it was.
    async fn commit(
        &self,
        begun: Begun<'_>,
        when: (&Actor, UnixTime),
        action: &str,
        domain: Option<&DomainRecord>,
        details: &str,
    ) -> Result<Option<DomainRecord>, ChangeError> {
        let revision = begun.change.revision();
        // Read before the change is made to last: nobody changes anything in between.
        let mut change = begun.change;
        let client = match told_client(action, details) {
            Some(id) => Some((id.to_owned(), change.client(id).await?)),
            None => None,
        };
        let aliases = if action == SETTINGS { Some(change.setting(ALIASES).await?) } else { None };
        let committed = change.commit(when, action, domain, details).await?;
        match (&committed, domain) {
            (Some((record, keys)), _) => self.set_live(record, keys),
            (None, Some(gone)) => self.live.remove(&gone.domain, &self.origin_domain_name(&gone.id)),
            (None, None) => {}
        }
        if let Some((id, found)) = client {
            self.take_client(&id, found.as_ref());
        }
        if let Some(aliases) = aliases {
            self.live.set_aliases(aliases.as_deref() == Some("true"));
        }
        self.applied.store(revision, Ordering::Release);
        Ok(committed.map(|(record, _)| record))
    }

    /// Makes memory of a domain what the store holds.
    fn set_live(&self, record: &DomainRecord, keys: &[KeyRecord]) {
        let before = self.live.get(&record.domain);
        let known = before.as_ref().map(|domain| domain.keys()).unwrap_or_default();
        let keys = keys.iter().map(|key| {
            // What this process counts goes on; what it has told the store stands in `written`.
            let uses = known.iter().find(|known| *known.id == *key.id).map(|known| Arc::clone(&known.uses));
            let uses = uses.unwrap_or_else(|| Arc::new(KeyUse::new(0, None)));
            CustomKey { id: key.id.as_str().into(), tag: key.tag.clone(), until: key.expires_at, uses }
        });
        let header = record.client_ip_header.as_deref().and_then(|name| HeaderName::from_bytes(name.as_bytes()).ok());
        let origin = self.origin_domain_name(&record.id);
        let names = (record.domain.as_str(), origin.as_str());
        let ready = record.status == Status::Ready;
        self.live.set(CustomDomain::new(names, ready, header, &self.pepper, keys.collect()));
    }
}

/// A relying party's identifier is the domain, or a name that it stands below (WebAuthn §5.1.2).
fn check_relying_party(identifier: Option<&str>, domain: &str) -> Result<(), ChangeError> {
    match identifier {
        Some(identifier) if !is_suffix(identifier, domain) => {
            let why = "relying_party_identifier must be equal to or registrable suffix of domain";
            Err(ChangeError::Invalid("relying_party_identifier", why.into()))
        }
        _ => Ok(()),
    }
}

fn random<const N: usize>() -> Result<[u8; N], ChangeError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|why| ChangeError::Random(why.to_string()))?;
    Ok(bytes)
}

fn random_id() -> Result<String, ChangeError> {
    random_letters(ID_LENGTH)
}

/// Letters and digits, each as likely as the other.
fn random_letters(length: usize) -> Result<String, ChangeError> {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut id = String::with_capacity(length);
    while id.len() < length {
        let bytes = random::<32>()?;
        // 248 is the largest multiple of 62 in an octet.
        let fair = bytes.iter().filter(|byte| **byte < 248).filter_map(|byte| LETTERS.get(usize::from(byte % 62)));
        id.extend(fair.take(length - id.len()).map(|letter| char::from(*letter)));
    }
    Ok(id)
}

/// A UUID of random bits (RFC 9562 §5.4).
fn random_uuid() -> Result<String, ChangeError> {
    let bits = u128::from_be_bytes(random::<16>()?);
    let bits = bits & !(0xf << 76) & !(0x3 << 62) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|range| hex.get(range).unwrap_or_default());
    Ok(parts.join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_uuids() {
        let id = random_id().unwrap();
        assert!(id.len() == ID_LENGTH && id.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{id}");
        let uuid = random_uuid().unwrap();
        let parts: Vec<usize> = uuid.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12], "{uuid}");
        assert!(uuid.as_bytes()[14] == b'4' && b"89ab".contains(&uuid.as_bytes()[19]), "{uuid}");
    }
}
