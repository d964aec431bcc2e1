//! Clients that come and go while the process runs, beside those of the configuration.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::client::Client;
use crate::clock::UnixTime;

/// Something that a client may authenticate itself with for some time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential<T> {
    /// What it is.
    pub what: T,
    /// The first instant at which it is no longer taken; none while it has no end.
    pub until: Option<UnixTime>,
}

impl<T> Credential<T> {
    pub(super) fn is_in_force(&self, now: UnixTime) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

/// The clients of the store. A change counts from the next request on.
#[derive(Debug, Default)]
pub struct RegisteredClients(RwLock<HashMap<String, Arc<Client>>>);

impl RegisteredClients {
    /// Takes a client in, in the place of the one with its id.
    pub fn set(&self, client: Client) {
        self.write().insert(client.id.clone(), Arc::new(client));
    }

    /// Forgets a client.
    pub fn remove(&self, id: &str) {
        self.write().remove(id);
    }

    /// These, and no others.
    pub fn replace(&self, clients: impl IntoIterator<Item = Client>) {
        let clients = clients.into_iter().map(|client| (client.id.clone(), Arc::new(client))).collect();
        *self.write() = clients;
    }

    /// The client with this id.
    pub fn get(&self, id: &str) -> Option<Arc<Client>> {
        self.read().get(id).cloned()
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.read().len()
    }

    // A thread that panicked while it held the lock left whole entries: each is set in one step.
    fn read(&self) -> RwLockReadGuard<'_, HashMap<String, Arc<Client>>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<String, Arc<Client>>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}
