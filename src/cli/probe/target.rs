//! What is probed: a URL, the domain that our configuration has for it, where to connect.

use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;

use crate::config::Loaded;
use crate::front_door::Domain;

/// A name to probe.
pub(super) struct Target {
    /// The host name, lower case.
    pub(super) host: String,
    /// The host as it stands in requests, with the port where it is not 443.
    pub(super) authority: String,
    pub(super) port: u16,
    pub(super) address: SocketAddr,
    pub(super) domain: Arc<Domain>,
}

impl Target {
    /// The target of a URL.
    ///
    /// # Errors
    /// What is wrong with it, and what is accepted.
    pub(super) fn parse(url: &str, connect: Option<&str>, loaded: &Loaded) -> Result<Self, String> {
        let (host, port) = split(url, "https", 443)?;
        let known = loaded.snapshot.directory.hosts().find(|(name, _)| *name == host);
        let domain = known.map(|(_, domain)| Arc::clone(domain)).ok_or_else(|| {
            let mut names: Vec<&str> = loaded.snapshot.directory.hosts().map(|(name, _)| name).collect();
            names.sort_unstable();
            format!("`{host}` is no domain of this configuration; accepted: {}", names.join(", "))
        })?;
        let address = match connect {
            Some(place) => resolve(place)?,
            None => resolve(&format!("{host}:{port}"))?,
        };
        let authority = if port == 443 { host.clone() } else { format!("{host}:{port}") };
        Ok(Self { host, authority, port, address, domain })
    }
}

/// Host in lower case and port of a URL without a path.
pub(super) fn split(url: &str, scheme: &str, port: u16) -> Result<(String, u16), String> {
    let refused = || format!("`{url}` is no URL to probe; accepted: \"{scheme}://host\" or \"{scheme}://host:port\"");
    let read: http::Uri = url.parse().map_err(|_| refused())?;
    let bare = read.path() == "/" && read.query().is_none() && !url.contains(['@', '#']);
    match read.host().filter(|_| bare && read.scheme_str() == Some(scheme)) {
        Some(host) => Ok((host.to_ascii_lowercase(), read.port_u16().unwrap_or(port))),
        None => Err(refused()),
    }
}

/// The first address of `host:port`.
pub(super) fn resolve(place: &str) -> Result<SocketAddr, String> {
    let found = place.to_socket_addrs().map_err(|why| format!("`{place}` is no address that can be found: {why}"))?;
    found.into_iter().next().ok_or_else(|| format!("`{place}` has no address"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_a_scheme_a_host_and_a_port() {
        let good = [
            ("https://api.bank.example", "api.bank.example", 443),
            ("https://API.bank.example/", "api.bank.example", 443),
            ("https://api.bank.example:8443", "api.bank.example", 8443),
        ];
        for (url, host, port) in good {
            assert_eq!(split(url, "https", 443), Ok((host.to_owned(), port)), "{url}");
        }
        for bad in [
            "",
            "api.bank.example",
            "http://api.bank.example",
            "https://",
            "https://a/b",
            "https://a/?b",
            "https://u@a",
            "https://a/#b",
            "https://a b",
        ] {
            assert!(split(bad, "https", 443).is_err(), "{bad}");
        }
    }
}
