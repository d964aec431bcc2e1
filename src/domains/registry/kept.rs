//! The snapshot file: what requests are judged by, for a process that starts while the store is away. Of keys it has the tags.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::HeaderName;
use serde::{Deserialize, Serialize};

use super::live_clients::of_parts;
use super::{Registry, RegistrySettings};
use crate::clock::UnixTime;
use crate::domains::client::{CredentialKind, NewCredential, WithCredentials};
use crate::domains::sealed::{Lines, Writer};
use crate::front_door::{CustomDomain, CustomKey, KeyUse};
use crate::oauth;
use crate::secret::{Pepper, Tag};

/// The form of the file.
const VERSION: u32 = 2;
/// How often it is written, so that many changes are one file.
const EVERY: Duration = Duration::from_secs(2);

#[derive(Serialize, Deserialize)]
struct Head {
    vestibule_snapshot: u32,
    tenant: String,
    origin_domain: String,
    revision: i64,
    at: i64,
    aliases: bool,
    /// How many domains follow; all behind them are clients.
    domains: usize,
}

#[derive(Serialize, Deserialize)]
struct Domain {
    name: String,
    origin: String,
    ready: bool,
    client_ip_header: Option<String>,
    keys: Vec<Key>,
}

#[derive(Serialize, Deserialize)]
struct Key {
    id: String,
    tag: String,
    until: Option<i64>,
}

#[derive(Serialize, Deserialize)]
struct Client {
    id: String,
    certificates: Option<String>,
    /// Those that it may use.
    credentials: Vec<Credential>,
}

#[derive(Serialize, Deserialize)]
struct Credential {
    subject_dn: Option<String>,
    thumbprint: Option<String>,
    until: Option<i64>,
}

impl Registry {
    /// Writes the file now and then.
    pub(super) async fn keep_on(&self) {
        loop {
            tokio::time::sleep(EVERY).await;
            self.keep().await;
        }
    }

    /// Writes the file when there is something new.
    pub(super) async fn keep(&self) {
        if *self.kept.lock().await == Some(self.applied.load(Ordering::Acquire)) {
            return;
        }
        if let Err(why) = self.keep_anew().await {
            tracing::error!("custom domains: the snapshot cannot be kept: {why}");
        }
    }

    pub(super) async fn keep_anew(&self) -> Result<(), String> {
        let Some(file) = self.settings.snapshot_file.clone() else { return Ok(()) };
        let mut kept = self.kept.lock().await;
        let (revision, domains, clients) = {
            // All of one moment, and of memory alone: the store may have gone away after the last change.
            let _turn = self.turn.lock().await;
            let clients = self.kept_clients.as_ref().map(KeptClients::all).unwrap_or_default();
            (self.applied.load(Ordering::Acquire), self.live.all(), clients)
        };
        let head = Head {
            vestibule_snapshot: VERSION,
            tenant: self.settings.tenant.clone(),
            origin_domain: self.settings.origin_domain.clone(),
            revision,
            at: (self.clock)().0,
            aliases: self.live.has_aliases(),
            domains: domains.len(),
        };
        let pepper = Arc::clone(&self.pepper);
        let writing = tokio::task::spawn_blocking(move || write(&file, &head, &domains, &clients, &pepper));
        writing.await.map_err(|why| why.to_string())?.map_err(|why| why.to_string())?;
        *kept = Some(revision);
        Ok(())
    }

    /// Reads the file into memory.
    pub(super) fn recall(&self) -> Result<(), String> {
        let Some(file) = &self.settings.snapshot_file else { return Ok(()) };
        let mut lines = Lines::open(file, &self.pepper).map_err(|why| why.to_string())?;
        let head = lines.next::<Head>().map_err(|why| why.to_string())?.ok_or("it is empty")?;
        check(&head, &self.settings)?;
        for _ in 0..head.domains {
            let domain = lines.next::<Domain>().map_err(|why| why.to_string())?.ok_or("domains are missing")?;
            self.live.set(recalled(domain, &self.pepper)?);
        }
        while let Some(client) = lines.next::<Client>().map_err(|why| why.to_string())? {
            self.live_clients.set(recalled_client(&client)?);
            if let Some(kept) = &self.kept_clients {
                kept.add(client);
            }
        }
        self.live.set_aliases(head.aliases);
        self.applied.store(head.revision, Ordering::Release);
        let age = (self.clock)().0 - head.at;
        tracing::warn!("custom domains: the store is away; the snapshot of revision {} is {age} seconds old", head.revision);
        Ok(())
    }
}

fn check(head: &Head, settings: &RegistrySettings) -> Result<(), String> {
    if head.vestibule_snapshot != VERSION {
        return Err(format!("its form is {}, and this program knows {VERSION}", head.vestibule_snapshot));
    }
    if head.tenant != settings.tenant || head.origin_domain != settings.origin_domain {
        return Err("it belongs to another tenant or origin domain".into());
    }
    Ok(())
}

fn write(
    file: &Path,
    head: &Head,
    domains: &[Arc<CustomDomain>],
    clients: &[Arc<Client>],
    pepper: &Pepper,
) -> std::io::Result<()> {
    let mut writer = Writer::create(file)?;
    writer.line(head)?;
    for domain in domains {
        let key =
            |key: &CustomKey| Key { id: key.id.to_string(), tag: key.tag.to_string(), until: key.until.map(|until| until.0) };
        writer.line(&Domain {
            name: domain.name().to_owned(),
            origin: domain.origin().to_owned(),
            ready: domain.is_ready(),
            client_ip_header: domain.client_ip_header().map(|name| name.as_str().to_owned()),
            keys: domain.keys().iter().map(key).collect(),
        })?;
    }
    for client in clients {
        writer.line(&**client)?;
    }
    writer.finish(pepper)
}

/// The clients as the file has them: of what requests compare, their texts cannot be made again.
#[derive(Default)]
pub(super) struct KeptClients(Mutex<BTreeMap<String, Arc<Client>>>);

impl KeptClients {
    /// Keeps a client as the store has it, or forgets it.
    pub(super) fn take(&self, id: &str, found: Option<&WithCredentials>) {
        match found {
            Some(found) => self.add(kept_client(found)),
            None => drop(self.lock().remove(id)),
        }
    }

    /// These, and no others.
    pub(super) fn replace(&self, clients: &[WithCredentials]) {
        let clients = clients.iter().map(|client| (client.0.id.clone(), Arc::new(kept_client(client))));
        *self.lock() = clients.collect();
    }

    fn add(&self, client: Client) {
        self.lock().insert(client.id.clone(), Arc::new(client));
    }

    fn all(&self) -> Vec<Arc<Client>> {
        self.lock().values().cloned().collect()
    }

    // A thread that panicked while it held the lock left whole entries.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Client>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn kept_client((client, credentials): &WithCredentials) -> Client {
    let used = credentials.iter().filter(|one| one.in_use).map(|one| &one.credential);
    let used = used.map(|one| Credential {
        subject_dn: one.subject_dn.clone(),
        thumbprint: one.thumbprint.clone(),
        until: one.expires_at.map(|until| until.0),
    });
    let certificates = client.certificates.map(|kind| kind.word().to_owned());
    Client { id: client.id.clone(), certificates, credentials: used.collect() }
}

fn recalled_client(client: &Client) -> Result<oauth::Client, String> {
    let kind = |word: &str| CredentialKind::parse(word).ok_or_else(|| format!("the credential type `{word}`"));
    let kind = client.certificates.as_deref().map(kind).transpose()?;
    let used = client.credentials.iter().filter_map(|one| {
        let (subject_dn, thumbprint, expires_at) = (one.subject_dn.clone(), one.thumbprint.clone(), one.until.map(UnixTime));
        Some(NewCredential { kind: kind?, name: None, subject_dn, thumbprint, expires_at })
    });
    let used: Vec<NewCredential> = used.collect();
    Ok(of_parts(&client.id, kind, used.iter()))
}

fn recalled(domain: Domain, pepper: &Arc<Pepper>) -> Result<CustomDomain, String> {
    let keys = domain.keys.into_iter().map(|key| {
        let tag = Tag::parse(&key.tag).map_err(|why| format!("a tag that {why}"))?;
        Ok(CustomKey { id: key.id.into(), tag, until: key.until.map(UnixTime), uses: Arc::new(KeyUse::new(0, None)) })
    });
    let keys = keys.collect::<Result<Vec<_>, String>>()?;
    let header = domain.client_ip_header.as_deref().map(|name| HeaderName::from_bytes(name.as_bytes()));
    let header = header.transpose().map_err(|why| why.to_string())?;
    Ok(CustomDomain::new((&domain.name, &domain.origin), domain.ready, header, pepper, keys))
}
