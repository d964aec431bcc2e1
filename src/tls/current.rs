//! A listener with one certificate, which may be exchanged while it listens.

use std::fmt;
use std::sync::Arc;

use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert, ServerConfig};
use rustls::sign::CertifiedKey;
use rustls::version;

use super::{ServerCertificate, provider};

type Find = Box<dyn Fn() -> Option<ServerCertificate> + Send + Sync>;

/// Looks in each handshake for the certificate in force.
struct Current(Find);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        (self.0)().map(|certificate| certificate.key)
    }
}

impl fmt::Debug for Current {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Current")
    }
}

/// The configuration of such a listener: HTTP/1.1 over TLS 1.2 or 1.3, and nobody is asked for a certificate.
///
/// # Errors
/// What rustls says against it.
pub fn current(find: Find) -> Result<Arc<ServerConfig>, String> {
    let builder = ServerConfig::builder_with_provider(provider()).with_protocol_versions(&[&version::TLS13, &version::TLS12]);
    let builder = builder.map_err(|why| why.to_string())?.with_no_client_auth();
    let mut config = builder.with_cert_resolver(Arc::new(Current(find)));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}
