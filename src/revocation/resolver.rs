//! Names to addresses, for URLs that certificates name and clients host: an address that is not public is never connected to.

use std::collections::HashSet;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address::is_public;

/// The system's resolver, behind the filter.
pub struct PublicAddresses {
    /// Names of proxies, which usually stand in a private network.
    exempt: Arc<HashSet<String>>,
}

/// No public address. The name, and an address that it has.
#[derive(Debug)]
pub(super) struct AddressRefused(pub(super) String);

impl fmt::Display for AddressRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is not public", self.0)
    }
}

impl std::error::Error for AddressRefused {}

impl PublicAddresses {
    /// All names are filtered but these.
    pub fn except<'n>(names: impl Iterator<Item = &'n str>) -> Self {
        Self { exempt: Arc::new(names.map(str::to_owned).collect()) }
    }
}

impl Resolve for PublicAddresses {
    fn resolve(&self, name: Name) -> Resolving {
        let exempt = Arc::clone(&self.exempt);
        Box::pin(async move {
            let host = name.as_str();
            let found: Vec<SocketAddr> = tokio::net::lookup_host((host, 0)).await?.collect();
            Ok(Box::new(kept(host, found, exempt.contains(host))?.into_iter()) as Addrs)
        })
    }
}

/// All addresses must be public: a name that has both kinds is somebody's try.
fn kept(host: &str, found: Vec<SocketAddr>, exempt: bool) -> Result<Vec<SocketAddr>, AddressRefused> {
    match found.iter().find(|address| !is_public(address.ip())) {
        Some(private) if !exempt => Err(AddressRefused(format!("{host} ({})", private.ip()))),
        _ => Ok(found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_private_address_is_one_too_many() {
        let addresses = |texts: &[&str]| -> Vec<SocketAddr> { texts.iter().map(|text| text.parse().unwrap()).collect() };
        assert!(kept("a", addresses(&["1.1.1.1:0", "[2606:4700::1]:0"]), false).is_ok());
        for bad in [&["127.0.0.1:0"][..], &["1.1.1.1:0", "10.0.0.1:0"], &["[::1]:0", "1.1.1.1:0"], &["[::ffff:10.0.0.1]:0"]] {
            assert!(kept("a", addresses(bad), false).is_err(), "{bad:?}");
            assert_eq!(kept("a", addresses(bad), true).unwrap(), addresses(bad), "a proxy's name");
        }
    }

    #[tokio::test]
    async fn a_name_with_a_private_address_has_none() {
        let resolver = PublicAddresses::except(std::iter::empty());
        let why = resolver.resolve("localhost".parse().unwrap()).await.err().unwrap();
        assert!(why.downcast_ref::<AddressRefused>().is_some(), "{why}");
    }
}
