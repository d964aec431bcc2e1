//! Domains of the configuration and custom domains of the store, side by side.

use std::io;
use std::sync::Arc;

use crate::clock::UnixTime;
use crate::config::{ManagementSettings, Problem};
use crate::domains::{Registry, Store};
use crate::front_door::CustomDomains;
use crate::journey::Snapshot;
use crate::manage::{Management, Tokens};
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
    tracing::info!("{} custom domains in `{place}`", registry.live().count());
    Ok(Arc::new(registry))
}

/// Makes the custom domains known to a configuration.
///
/// # Errors
/// Every host name of the configuration that a custom domain has: neither may take the other's requests.
pub fn attach(snapshot: &mut Snapshot, custom: &Arc<CustomDomains>) -> Result<(), Vec<Problem>> {
    let problems = snapshot.directory.hosts().filter_map(|(host, domain)| {
        let rival = custom.rival(host)?;
        Some(Problem {
            file: place(snapshot, domain.tenant())?,
            key: "domains".into(),
            found: format!("`{host}` stands in the way of the custom domain `{rival}` of the store"),
            accepted: "one place for each host name: delete the custom domain first, or leave this one out".into(),
        })
    });
    let problems: Vec<Problem> = problems.collect();
    if !problems.is_empty() {
        return Err(problems);
    }
    snapshot.directory.attach(custom);
    Ok(())
}

/// The management API.
pub(super) fn management(settings: &ManagementSettings, pepper: &Arc<Pepper>, shared: &Arc<Shared>) -> Option<Arc<Management>> {
    let registry = Arc::clone(shared.domains.as_ref()?);
    let tokens = Tokens::new(pepper, settings.tokens.clone(), settings.clients.clone());
    let tokens = tokens.with_issuers(&settings.issuers, &shared.oauth);
    let shared = Arc::clone(shared);
    let configured = move |host: &str| {
        let snapshot = shared.snapshot.load();
        place(&snapshot, snapshot.directory.configured(host)?.tenant())
    };
    Some(Arc::new(Management::new(registry, tokens, settings.limits, Box::new(configured))))
}

/// The file of a tenant.
fn place(snapshot: &Snapshot, tenant: usize) -> Option<String> {
    snapshot.tenants.get(tenant).map(|tenant| format!("tenants/{}.toml", tenant.name))
}
