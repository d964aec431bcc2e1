//! Domains of the configuration and custom domains of the store, side by side.

use std::io;
use std::sync::Arc;

use crate::clock::UnixTime;
use crate::config::{ManagementSettings, Problem};
use crate::domains::{Judged, Registry, Store};
use crate::journey::Snapshot;
use crate::manage::{Configured, Management, Tokens};
use crate::secret::Pepper;
use crate::shared::Shared;

/// Opens the store of the custom domains.
///
/// # Errors
/// Why it cannot be opened or read.
pub async fn open(settings: &ManagementSettings, pepper: &Arc<Pepper>) -> io::Result<Arc<Registry>> {
    let place = &settings.store;
    let failed = |why: String| io::Error::other(format!("the store `{place}`: {why}"));
    let store = Store::open(&settings.store).await.map_err(|why| failed(why.to_string()))?;
    let clock = Box::new(UnixTime::now);
    let registry = Registry::start(store, Arc::clone(pepper), settings.registry.clone(), clock).await.map_err(failed)?;
    let (domains, clients) = (registry.live().count(), registry.live_clients().count());
    tracing::info!("{domains} custom domains and {clients} clients in `{place}`");
    Ok(Arc::new(registry))
}

/// Reads the store of a process that may be at work, for whoever serves nobody.
///
/// # Errors
/// Why it cannot be read.
pub async fn read(settings: &ManagementSettings, pepper: &Arc<Pepper>) -> Result<Judged, String> {
    let failed = |why: String| format!("the store `{}`: {why}", settings.store);
    let store = Store::open_to_read(&settings.store).await.map_err(|why| failed(why.to_string()))?;
    let clock = Box::new(UnixTime::now);
    Registry::read(store, Arc::clone(pepper), settings.registry.clone(), clock).await.map_err(failed)
}

/// Makes the custom domains and the clients of the store known to a configuration.
///
/// # Errors
/// Every host name of the configuration that a custom domain has, and every client of its tenant that the store has too: neither
/// may take the other's requests.
pub fn attach(snapshot: &mut Snapshot, judged: &Judged) -> Result<(), Vec<Problem>> {
    let (custom, clients) = (&judged.domains, &judged.clients);
    let hosts = snapshot.directory.hosts().filter_map(|(host, domain)| {
        let rival = custom.rival(host)?;
        Some(Problem {
            file: place(snapshot, domain.tenant())?,
            key: "domains".into(),
            found: format!("`{host}` stands in the way of the custom domain `{rival}` of the store"),
            accepted: "one place for each host name: delete the custom domain first, or leave this one out".into(),
        })
    });
    let of_tenant = snapshot.directory.custom_tenant();
    let rivals = of_tenant.and_then(|tenant| snapshot.tenants.get(tenant)).into_iter().flat_map(|tenant| tenant.clients.keys());
    let same = rivals.filter(|id| clients.get(id).is_some()).filter_map(|id| {
        Some(Problem {
            file: place(snapshot, of_tenant?)?,
            key: "oauth.clients".into(),
            found: format!("the client `{id}` is in the store too"),
            accepted: "one place for each client: delete that of the store first, or leave this one out".into(),
        })
    });
    let problems: Vec<Problem> = hosts.chain(same).collect();
    if !problems.is_empty() {
        return Err(problems);
    }
    snapshot.directory.attach(custom);
    if let Some(tenant) = of_tenant.and_then(|tenant| snapshot.tenants.get_mut(tenant)) {
        tenant.registered_clients = Some(Arc::clone(clients));
    }
    Ok(())
}

/// The management API.
pub(super) fn management(settings: &ManagementSettings, pepper: &Arc<Pepper>, shared: &Arc<Shared>) -> Option<Arc<Management>> {
    let registry = Arc::clone(shared.domains.as_ref()?);
    let tokens = tokens(settings, pepper, shared);
    let (of_hosts, of_clients) = (Arc::clone(shared), Arc::clone(shared));
    let host = move |host: &str| {
        let snapshot = of_hosts.snapshot.load();
        place(&snapshot, snapshot.directory.configured(host)?.tenant())
    };
    let client = move |id: &str| {
        let snapshot = of_clients.snapshot.load();
        let tenant = snapshot.directory.custom_tenant()?;
        snapshot.tenants.get(tenant)?.clients.get(id)?;
        place(&snapshot, tenant)
    };
    let configured = Configured { host: Box::new(host), client: Box::new(client) };
    Some(Arc::new(Management::new(registry, tokens, settings.limits, configured)))
}

/// Who may ask the management API for something.
pub(super) fn tokens(settings: &ManagementSettings, pepper: &Arc<Pepper>, shared: &Shared) -> Tokens {
    let tokens = Tokens::new(pepper, settings.tokens.clone(), settings.clients.clone());
    tokens.with_issuers(&settings.issuers, &shared.oauth)
}

/// The file of a tenant.
fn place(snapshot: &Snapshot, tenant: usize) -> Option<String> {
    snapshot.tenants.get(tenant).map(|tenant| format!("tenants/{}.toml", tenant.name))
}
