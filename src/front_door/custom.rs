//! Custom domains: host names that come and go while the process runs. What they share stands in a [`CustomTemplate`] that
//! the configuration makes; what is each one's own is its name, its keys and the header with the client's address.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use http::HeaderName;

use super::contract::Contract;
use super::domain::{Domain, FrontDoor};
use crate::clock::UnixTime;
use crate::header_names::HeaderNames;
use crate::secret::{ApiKeys, Pepper, Tag};

/// What stands before the name of a domain in its alias (Auth0 `mtls_endpoint_aliases`).
const ALIAS: &str = "mtls.";
/// No request has brought the key yet.
const NEVER: i64 = i64::MIN;

/// How often a key was sent by a front door that was let in.
#[derive(Debug)]
pub struct KeyUse {
    count: AtomicU64,
    last: AtomicI64,
}

impl KeyUse {
    /// A use that was counted before.
    pub fn new(count: u64, last: Option<UnixTime>) -> Self {
        Self { count: AtomicU64::new(count), last: AtomicI64::new(last.map_or(NEVER, |last| last.0)) }
    }

    /// How many requests brought it.
    pub fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// When the last one did.
    pub fn last(&self) -> Option<UnixTime> {
        Some(UnixTime(self.last.load(Ordering::Relaxed))).filter(|last| last.0 != NEVER)
    }

    fn add(&self, now: UnixTime) {
        self.count.fetch_add(1, Ordering::Relaxed);
        self.last.fetch_max(now.0, Ordering::Relaxed);
    }
}

/// A key of a custom domain.
#[derive(Debug, Clone)]
pub struct CustomKey {
    /// Its public name.
    pub id: Arc<str>,
    /// What is stored of it.
    pub tag: Tag,
    /// The first instant at which it is no longer taken; none while it is not replaced.
    pub until: Option<UnixTime>,
    /// Its use.
    pub uses: Arc<KeyUse>,
}

/// A custom domain as front doors meet it.
#[derive(Debug)]
pub struct CustomDomain {
    name: Arc<str>,
    origin: Arc<str>,
    ready: bool,
    client_ip_header: Option<HeaderName>,
    api_keys: ApiKeys,
    keys: Vec<CustomKey>,
}

impl CustomDomain {
    /// A domain by its name and its origin domain name, both in lower case. Requests reach it only when it is ready.
    pub fn new(
        (name, origin): (&str, &str),
        ready: bool,
        client_ip_header: Option<HeaderName>,
        pepper: &Arc<Pepper>,
        keys: Vec<CustomKey>,
    ) -> Self {
        let tags = keys.iter().map(|key| key.tag.clone()).collect();
        let api_keys = ApiKeys::new(Arc::clone(pepper), tags);
        Self { name: name.into(), origin: origin.into(), ready, client_ip_header, api_keys, keys }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its origin domain name, which holds its id.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Whether requests reach it.
    pub fn is_ready(&self) -> bool {
        self.ready
    }

    /// The header with the client's address, when it is not the usual one.
    pub fn client_ip_header(&self) -> Option<&HeaderName> {
        self.client_ip_header.as_ref()
    }

    /// Its keys.
    pub fn keys(&self) -> &[CustomKey] {
        &self.keys
    }

    /// Which of the keys this is, when it is in force.
    pub(super) fn position(&self, presented: &[u8], now: UnixTime) -> Option<usize> {
        let position = self.api_keys.position(presented)?;
        let key = self.keys.get(position)?;
        key.until.is_none_or(|until| now < until).then_some(position)
    }

    pub(super) fn count(&self, position: usize, now: UnixTime) {
        if let Some(key) = self.keys.get(position) {
            key.uses.add(now);
        }
    }
}

#[derive(Debug, Default)]
struct Hosts {
    by_name: HashMap<Arc<str>, Arc<CustomDomain>>,
    by_origin: HashMap<Arc<str>, Arc<CustomDomain>>,
}

/// Every custom domain, those that wait for their verification too. A change touches two entries under a lock that no request
/// holds for longer than a look-up: to copy the whole table for each change would take longer than all else with 100,000.
#[derive(Debug, Default)]
pub struct CustomDomains {
    hosts: RwLock<Hosts>,
    aliases: AtomicBool,
}

impl CustomDomains {
    /// Sets a domain, in place of the one with the same name.
    pub fn set(&self, domain: CustomDomain) {
        let domain = Arc::new(domain);
        let mut hosts = self.write();
        if let Some(before) = hosts.by_name.insert(Arc::clone(&domain.name), Arc::clone(&domain)) {
            hosts.by_origin.remove(&before.origin);
        }
        hosts.by_origin.insert(Arc::clone(&domain.origin), domain);
    }

    /// Takes a domain away, and not another one that has its name by now.
    pub fn remove(&self, name: &str, origin: &str) {
        let mut hosts = self.write();
        if hosts.by_name.get(name).is_some_and(|found| *found.origin == *origin) {
            hosts.by_name.remove(name);
            hosts.by_origin.remove(origin);
        }
    }

    /// Whether every domain is known by its `mtls.` alias too.
    pub fn set_aliases(&self, on: bool) {
        self.aliases.store(on, Ordering::Release);
    }

    /// Whether they are known so.
    pub fn has_aliases(&self) -> bool {
        self.aliases.load(Ordering::Acquire)
    }

    /// The domain with this name.
    pub fn get(&self, name: &str) -> Option<Arc<CustomDomain>> {
        self.read().by_name.get(name).cloned()
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.read().by_name.len()
    }

    /// All of them, in no order.
    pub fn all(&self) -> Vec<Arc<CustomDomain>> {
        self.read().by_name.values().cloned().collect()
    }

    /// The custom domain that another domain with this name would come in the way of: one that has it as its name, its alias or
    /// its origin domain name, or whose name is the alias. Whether aliases are on does not matter: they may be, some day.
    pub fn rival(&self, host: &str) -> Option<String> {
        let hosts = self.read();
        let alias = format!("{ALIAS}{host}");
        let names = [Some(host), host.strip_prefix(ALIAS), Some(alias.as_str())];
        let named = names.into_iter().flatten().find_map(|name| hosts.by_name.get(name));
        named.or_else(|| hosts.by_origin.get(host)).map(|domain| domain.name.to_string())
    }

    /// Whether a ready domain is reached under a host name, in lower case.
    pub fn knows(&self, host: &str) -> bool {
        self.find(host).is_some()
    }

    /// The ready domain that is reached under a host name, in lower case; and its alias, while domains have one.
    fn find(&self, host: &str) -> Option<(Arc<CustomDomain>, Option<String>)> {
        let hosts = self.read();
        let aliases = self.has_aliases();
        let aliased = || host.strip_prefix(ALIAS).filter(|_| aliases);
        let named = hosts.by_name.get(host).or_else(|| hosts.by_origin.get(host));
        let found = named.or_else(|| hosts.by_name.get(aliased()?)).filter(|domain| domain.ready)?;
        Some((Arc::clone(found), aliases.then(|| format!("{ALIAS}{}", found.name))))
    }

    // A thread that panicked while it held the lock left whole entries: each is set in one step.
    fn read(&self) -> RwLockReadGuard<'_, Hosts> {
        self.hosts.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Hosts> {
        self.hosts.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a header with the client's address makes of a front door's contract.
#[derive(Debug)]
pub struct CustomContract {
    /// The header with the client's address.
    pub client_ip_header: HeaderName,
    /// The contract with it.
    pub contract: Arc<Contract>,
    /// Headers that only we set.
    pub reserved: Arc<HeaderNames<()>>,
}

/// What all custom domains have in common.
#[derive(Debug)]
pub struct CustomTemplate {
    /// Which of the configuration's tenants they belong to.
    pub tenant: usize,
    /// The front door that they are reached through.
    pub front_door: Arc<FrontDoor>,
    /// One contract for each header that may hold the client's address, the usual one first.
    pub contracts: Vec<CustomContract>,
}

impl CustomTemplate {
    /// The domain of a host name. It is made for the request, of parts that are shared: a reload costs the same with one custom
    /// domain and with 100,000.
    pub(super) fn find(&self, domains: &CustomDomains, host: &str) -> Option<Arc<Domain>> {
        let (custom, mtls_host) = domains.find(host)?;
        let wanted = |of: &&CustomContract| custom.client_ip_header.as_ref().is_none_or(|name| *name == of.client_ip_header);
        let chosen = self.contracts.iter().find(wanted)?;
        Some(Arc::new(Domain::of_custom(Arc::clone(&custom), mtls_host, self, chosen)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn domain(name: &str, origin: &str, ready: bool, keys: Vec<CustomKey>) -> CustomDomain {
        CustomDomain::new((name, origin), ready, None, &pepper(), keys)
    }

    fn pepper() -> Arc<Pepper> {
        Arc::new(Pepper::parse(&"0c".repeat(32)).unwrap())
    }

    #[test]
    fn a_ready_domain_has_three_names() {
        let domains = CustomDomains::default();
        domains.set(domain("a.example", "cd-1.edge.example", true, Vec::new()));
        domains.set(domain("b.example", "cd-2.edge.example", false, Vec::new()));
        let name = |host: &str| domains.find(host).map(|(found, _)| found.name.to_string());
        let alias = |host: &str| domains.find(host).and_then(|(_, alias)| alias);
        assert_eq!(name("a.example").as_deref(), Some("a.example"));
        assert_eq!(name("cd-1.edge.example").as_deref(), Some("a.example"));
        assert_eq!((name("mtls.a.example"), alias("a.example")), (None, None));
        domains.set_aliases(true);
        assert_eq!(name("mtls.a.example").as_deref(), Some("a.example"));
        for host in ["a.example", "mtls.a.example", "cd-1.edge.example"] {
            assert_eq!(alias(host).as_deref(), Some("mtls.a.example"), "{host}");
        }
        for nobody in ["b.example", "cd-2.edge.example", "mtls.b.example", "mtls.cd-1.edge.example", "mtls.mtls.a.example"] {
            assert_eq!(name(nobody), None, "{nobody}");
        }
        for rival in ["b.example", "mtls.b.example", "cd-2.edge.example"] {
            assert_eq!(domains.rival(rival).as_deref(), Some("b.example"), "{rival}");
        }
        domains.set(domain("mtls.c.example", "cd-3.edge.example", false, Vec::new()));
        assert_eq!(domains.rival("c.example").as_deref(), Some("mtls.c.example"));
        assert_eq!(domains.rival("d.example"), None);
        // The name is another domain's.
        domains.remove("a.example", "cd-2.edge.example");
        assert_eq!(name("a.example").as_deref(), Some("a.example"));
        domains.remove("a.example", "cd-1.edge.example");
        assert_eq!((name("a.example"), name("cd-1.edge.example"), domains.all().len()), (None, None, 2));
    }

    #[test]
    fn a_key_ends_at_its_instant_and_is_counted() {
        let key = |text: &str, until| CustomKey {
            id: text.into(),
            tag: pepper().tag(text.as_bytes()),
            until,
            uses: Arc::new(KeyUse::new(0, None)),
        };
        let keys = vec![key("old", Some(UnixTime(100))), key("new", None)];
        let domain = domain("a.example", "o", true, keys);
        assert_eq!(domain.position(b"old", UnixTime(99)), Some(0));
        assert_eq!(domain.position(b"old", UnixTime(100)), None);
        assert_eq!(domain.position(b"new", UnixTime(i64::MAX)), Some(1));
        assert_eq!(domain.position(b"other", UnixTime(0)), None);
        domain.count(1, UnixTime(7));
        domain.count(1, UnixTime(5));
        let uses = &domain.keys[1].uses;
        assert_eq!((uses.count(), uses.last()), (2, Some(UnixTime(7))));
        assert_eq!((domain.keys[0].uses.count(), domain.keys[0].uses.last()), (0, None));
    }
}
