//! Services as upstreams.

use super::document::Document;
use super::policy::Keys;
use super::service::Service;
use super::tenant::Made;
use super::write::{CLOSED, TenantFile};
use crate::cli::import::folder::NewFile;

/// The upstream of a service: its name, and its table when it is new.
pub(super) fn upstream(
    service: &Service,
    preserve_host: bool,
    document: &Document<'_>,
    tenant: &mut TenantFile,
    made: &mut Made,
) -> String {
    let at = document.services.iter().position(|other| std::ptr::eq(other, service)).unwrap_or_default();
    let plain: String = service.names.name.as_deref().unwrap_or("service").chars().map(word_character).take(60).collect();
    let is_mine = |other: &Service| other.names.name.as_deref() == service.names.name.as_deref();
    // Two names may become one.
    let twin =
        document.services.iter().filter(|other| is_mine(other)).count() > 1 || service.names.name.as_deref() != Some(&plain);
    let mut name = if twin || plain == CLOSED { format!("{plain}-{}", at + 1) } else { plain };
    if preserve_host {
        name.push_str("-keep-host");
    }
    let scheme = if service.tls { "https" } else { "http" };
    let mut keys: Keys = vec![("url", format!("{scheme}://{}:{}", service.host, service.port).into())];
    keys.push(("host", if preserve_host { "preserve" } else { "upstream" }.into()));
    for (key, value) in [("connect_timeout", service.connect_timeout), ("response_timeout", service.read_timeout)] {
        if let Some(value) = value {
            keys.push((key, format!("{}ms", value.max(1)).into()));
        }
    }
    if let Some(pem) = &service.ca_pem {
        let path = format!("upstream-ca/service-{}.pem", at + 1);
        if !made.files.iter().any(|file| file.path == path) {
            made.files.push(NewFile::new(&path, pem.as_str()));
        }
        keys.push(("trusted_ca", path.into()));
    }
    tenant.upstreams.insert(name.clone(), keys);
    name
}

/// As names of tables and files may have them.
pub(super) fn word_character(c: char) -> char {
    if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '-' }
}
