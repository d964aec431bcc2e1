//! What holds for every fetch: `[revocation]` of `vestibule.toml`.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;

/// Limits and ways of all fetches.
#[derive(Debug, Clone)]
pub struct RevocationSettings {
    /// How long one fetch may take, redirects and body included.
    pub http_timeout: Duration,
    /// How long the connection may take, TLS included.
    pub connect_timeout: Duration,
    /// How long a request waits for what nobody knows yet.
    pub first_wait: Duration,
    /// The largest list, in octets.
    pub crl_max_size: usize,
    /// The proxy for `http` URLs. The environment's are never used.
    pub http_proxy: Option<Url>,
    /// The proxy for `https` URLs.
    pub https_proxy: Option<Url>,
    /// CAs that `https` servers may have their certificates from, beside the system's. DER.
    pub https_cas: Vec<Vec<u8>>,
    /// Where fetched lists and answers are kept over a restart.
    pub cache_folder: Option<PathBuf>,
    /// What could not be fetched is not tried again for so long.
    pub retry_after_failure: Duration,
    /// How old an OCSP answer without nextUpdate may be.
    pub ocsp_max_age: Duration,
}

impl Default for RevocationSettings {
    fn default() -> Self {
        Self {
            http_timeout: Duration::from_secs(5),
            connect_timeout: Duration::from_secs(2),
            first_wait: Duration::from_secs(3),
            crl_max_size: 32 << 20,
            http_proxy: None,
            https_proxy: None,
            https_cas: Vec::new(),
            cache_folder: None,
            retry_after_failure: Duration::from_secs(60),
            ocsp_max_age: Duration::from_secs(24 * 60 * 60),
        }
    }
}
