//! Where an upstream listens, read from its URL.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use http::uri::Authority;
use openssl::ssl::{SslConnector, SslMethod, SslVersion};
use openssl::x509::X509;
use openssl::x509::store::X509StoreBuilder;
use sha2::{Digest, Sha256};

/// An upstream's address. Two endpoints of the same identity share idle connections, also across a reload.
#[derive(Clone)]
pub struct Endpoint {
    pub(super) transport: Transport,
    pub(super) authority: String,
    identity: Arc<str>,
}

#[derive(Clone)]
pub(super) enum Transport {
    Tcp { host: String, port: u16 },
    Tls { host: String, port: u16, connector: SslConnector },
    Unix(PathBuf),
}

impl Endpoint {
    /// Reads `http://host:port`, `https://host:port` or `unix:/path`. For `https`, the server's certificate must chain to the
    /// PEM file `trusted_ca`, or to the system's authorities when there is none, and carry the host's name.
    ///
    /// # Errors
    /// What is wrong with the URL or the file.
    pub fn parse(url: &str, trusted_ca: Option<&Path>) -> Result<Self, String> {
        if let Some(path) = url.strip_prefix("unix:") {
            return Self::unix(path);
        }
        if let Some(rest) = url.strip_prefix("http://") {
            let (host, port, authority) = host_and_port(rest, 80)?;
            let identity = format!("http://{host}:{port}").into();
            return Ok(Self { transport: Transport::Tcp { host, port }, authority, identity });
        }
        let rest = url.strip_prefix("https://").ok_or("expected `http://host:port`, `https://host:port` or `unix:/path`")?;
        let (host, port, authority) = host_and_port(rest, 443)?;
        let (connector, trust) = connector(trusted_ca)?;
        let identity = format!("https://{host}:{port} {trust}").into();
        Ok(Self { transport: Transport::Tls { host, port, connector }, authority, identity })
    }

    fn unix(path: &str) -> Result<Self, String> {
        if !path.starts_with('/') {
            return Err("a Unix socket needs an absolute path: `unix:/path`".to_owned());
        }
        let identity = format!("unix:{path}").into();
        // A socket has no host of its own; `localhost` is what curl and nginx send.
        Ok(Self { transport: Transport::Unix(path.into()), authority: "localhost".to_owned(), identity })
    }

    /// Whether the upstream's certificate is verified.
    pub fn is_tls(&self) -> bool {
        matches!(self.transport, Transport::Tls { .. })
    }

    /// What must be equal for two endpoints to share connections: the address and whom it trusts.
    pub(super) fn identity(&self) -> &Arc<str> {
        &self.identity
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.transport {
            Transport::Tcp { host, port } => write!(f, "http://{host}:{port}"),
            Transport::Tls { host, port, .. } => write!(f, "https://{host}:{port}"),
            Transport::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Endpoint").field(&self.identity).finish()
    }
}

fn host_and_port(rest: &str, default_port: u16) -> Result<(String, u16, String), String> {
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let authority: Authority = rest.parse().map_err(|_| format!("`{rest}` is not a host and port"))?;
    if authority.as_str().contains('@') {
        return Err("user names do not belong into an upstream's URL".to_owned());
    }
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    let port = match authority.port() {
        Some(port) if port.as_u16() != 0 => port.as_u16(),
        None if authority.as_str().len() == authority.host().len() => default_port,
        _ => return Err(format!("`{rest}` has no usable port")),
    };
    if host.is_empty() {
        return Err("the host is missing".to_owned());
    }
    Ok((host.to_owned(), port, authority.to_string()))
}

/// A verifying connector, and words that tell one set of trusted authorities from another.
fn connector(trusted_ca: Option<&Path>) -> Result<(SslConnector, String), String> {
    let tls = |error: openssl::error::ErrorStack| format!("TLS settings: {error}");
    let mut builder = SslConnector::builder(SslMethod::tls_client()).map_err(tls)?;
    builder.set_min_proto_version(Some(SslVersion::TLS1_2)).map_err(tls)?;
    builder.set_alpn_protos(b"\x08http/1.1").map_err(tls)?;
    let Some(path) = trusted_ca else { return Ok((builder.build(), "system".to_owned())) };
    let unreadable = |error: &dyn fmt::Display| format!("{}: {error}", path.display());
    let pem = std::fs::read(path).map_err(|error| unreadable(&error))?;
    let authorities = X509::stack_from_pem(&pem).map_err(|error| unreadable(&error))?;
    if authorities.is_empty() {
        return Err(unreadable(&"no certificate in it"));
    }
    // A store of its own: the file replaces the system's authorities, it does not add to them.
    let mut store = X509StoreBuilder::new().map_err(tls)?;
    for authority in authorities {
        store.add_cert(authority).map_err(tls)?;
    }
    builder.set_verify_cert_store(store.build()).map_err(tls)?;
    Ok((builder.build(), hex::encode(Sha256::digest(&pem))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read() {
        for (url, shown, authority) in [
            ("http://a.test:8080", "http://a.test:8080", "a.test:8080"),
            ("http://a.test/", "http://a.test:80", "a.test"),
            ("http://[::1]:9", "http://::1:9", "[::1]:9"),
            ("https://a.test", "https://a.test:443", "a.test"),
            ("unix:/run/app.sock", "unix:/run/app.sock", "localhost"),
        ] {
            let endpoint = Endpoint::parse(url, None).unwrap();
            assert_eq!((endpoint.to_string().as_str(), endpoint.authority.as_str()), (shown, authority));
        }
    }

    #[test]
    fn wrong_urls_are_refused() {
        for url in [
            "",
            "a.test:80",
            "ftp://a",
            "http://",
            "http://a/b",
            "http://u:p@a",
            "http://a:0",
            "http://a:",
            "http://a:x",
            "unix:x",
        ] {
            assert!(Endpoint::parse(url, None).is_err(), "{url}");
        }
    }

    #[test]
    fn identity_tells_addresses_and_trust_apart() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("ca.pem");
        assert!(Endpoint::parse("https://a.test", Some(&missing)).is_err());
        let same =
            |a: &str, b: &str| Endpoint::parse(a, None).unwrap().identity() == Endpoint::parse(b, None).unwrap().identity();
        assert!(same("http://a.test:80", "http://a.test"));
        assert!(!same("http://a.test:443", "https://a.test"));
        assert!(!same("http://a.test:81", "http://a.test"));
    }
}
