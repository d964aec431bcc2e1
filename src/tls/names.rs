//! Which configuration of TLS a server name gets.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use rustls::server::{NoServerSessionStorage, ServerConfig, WebPkiClientVerifier};
use rustls::sign::SingleCertAndKey;
use rustls::{DistinguishedName, version};

use super::possession::PossessionOnly;
use super::{ServerCertificate, provider};

/// A host whose clients speak TLS with us themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedHost {
    /// Its name, lower case.
    pub host: String,
    /// The CAs whose names are told to clients, each a DER `Name`, when they are asked for a certificate; none when nobody is.
    pub ask: Option<Vec<Vec<u8>>>,
}

/// Every server name that we have a certificate for.
pub struct ServerNames {
    hosts: HashMap<String, Arc<ServerConfig>>,
    /// For names that are no host of a `tls` front door, and for connections without a name: the certificates in their order.
    others: Vec<(ServerCertificate, Arc<ServerConfig>)>,
}

/// Why server names cannot be served.
#[derive(Debug, PartialEq, Eq)]
pub enum BuildError {
    /// No certificate is for this host.
    NoCertificate(String),
    /// The names of the CAs of this host need so many bytes.
    CaNamesTooLong(String, usize),
    /// rustls does not take it.
    Refused(String),
}

/// What a `CertificateRequest` can carry of names is 65,535 bytes; a few clients give up long before.
const MOST_CA_NAME_BYTES: usize = 32 * 1024;

impl ServerNames {
    /// Names for these certificates. `hosts` are those of `tls` front doors; under every other name a certificate is asked
    /// for, of any CA, when `ask_others` is set: front doors show theirs there (proof `mutual_tls`).
    ///
    /// # Errors
    /// Every host that cannot be served.
    pub fn build(certificates: &[ServerCertificate], hosts: &[AskedHost], ask_others: bool) -> Result<Self, Vec<BuildError>> {
        let mut errors = Vec::new();
        let mut made = HashMap::new();
        for asked in hosts {
            match host_config(certificates, asked) {
                Ok(config) => drop(made.insert(asked.host.clone(), config)),
                Err(error) => errors.push(error),
            }
        }
        let mut others = Vec::new();
        for certificate in certificates {
            match config(certificate, ask_others.then(Vec::new)) {
                Ok(config) => others.push((certificate.clone(), config)),
                Err(why) => errors.push(BuildError::Refused(why)),
            }
        }
        if errors.is_empty() { Ok(Self { hosts: made, others }) } else { Err(errors) }
    }

    /// The configuration for a server name, or for a connection without one. None: nobody here has this name.
    pub fn find(&self, name: Option<&str>) -> Option<Arc<ServerConfig>> {
        let Some(name) = name else { return self.others.first().map(|(_, config)| Arc::clone(config)) };
        let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        let other = || self.others.iter().find(|(certificate, _)| certificate.is_for(&name)).map(|(_, config)| config);
        self.hosts.get(&name).or_else(other).cloned()
    }
}

impl fmt::Debug for ServerNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerNames").field("hosts", &self.hosts.len()).field("others", &self.others.len()).finish()
    }
}

fn host_config(certificates: &[ServerCertificate], asked: &AskedHost) -> Result<Arc<ServerConfig>, BuildError> {
    let certificate = certificates.iter().find(|certificate| certificate.is_for(&asked.host));
    let certificate = certificate.ok_or_else(|| BuildError::NoCertificate(asked.host.clone()))?;
    // Two bytes of length before each name.
    let bytes: usize = asked.ask.iter().flatten().map(|name| name.len() + 2).sum();
    if bytes > MOST_CA_NAME_BYTES {
        return Err(BuildError::CaNamesTooLong(asked.host.clone(), bytes));
    }
    config(certificate, asked.ask.clone()).map_err(BuildError::Refused)
}

fn config(certificate: &ServerCertificate, ask: Option<Vec<Vec<u8>>>) -> Result<Arc<ServerConfig>, String> {
    let provider = provider();
    let verifier = match ask {
        Some(names) => {
            let names = names.into_iter().map(DistinguishedName::from).collect();
            Arc::new(PossessionOnly::new(provider.signature_verification_algorithms, names))
        }
        None => WebPkiClientVerifier::no_client_auth(),
    };
    let builder = ServerConfig::builder_with_provider(provider).with_protocol_versions(&[&version::TLS13, &version::TLS12]);
    let builder = builder.map_err(|why| why.to_string())?.with_client_cert_verifier(verifier);
    let mut config = builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(Arc::clone(&certificate.key))));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}
