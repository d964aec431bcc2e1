//! Custom domains: their life, the store that keeps them, and the records of DNS that prove them.
//!
//! A domain is created (`pending_verification`), verified by a record of DNS (`ready`), and deleted. Whoever does not set the
//! record within [`PATIENCE`] finds it `failed`, and may ask for a verification again. A domain that is ready has a key or two;
//! only their tags are stored. Every change is one transaction with a line of the audit log and the next revision number, and
//! reaches the data plane of this process before it is acknowledged, and that of every other one that shares the store within a
//! second.

mod client;
mod dns;
mod new_domain;
mod record;
mod registry;
mod sealed;
mod store;

pub use client::{ClientRecord, CredentialKind, CredentialRecord, NewCredential, WithCredentials};
pub use dns::DnsSettings;
pub use new_domain::{ClientIpHeader, Metadata, NewDomain, Patch, host_name};
pub use record::{AuditLine, DomainRecord, KeyRecord, Status};
pub use registry::{
    ChangeError, ClientPatch, Issued, Judged, NewClient, PATIENCE, Registry, RegistrySettings, Standing, is_front_door_name,
};
pub use store::{Actor, Counts, DatabaseUrl, DumpError, ListQuery, Store, StoreError, StoreLocation};
