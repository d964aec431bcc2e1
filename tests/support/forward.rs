//! Requests from a front door that is authenticated as any other: stages can be tested with nothing but public ways in.

#![allow(dead_code, unreachable_pub, reason = "a module of several test programs, each of which uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test that cannot make its request has failed")]

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use vestibule::clock::UnixTime;
use vestibule::front_door::{
    AuthenticatedForward, Contract, ContractHeader, Directory, Domain, DomainParts, ForwardedMismatch, FrontDoor, HeadLimits,
    Preset, Proof, Proofs, VerdictMode,
};
use vestibule::header_names::HeaderNames;
use vestibule::request_head::{Connection, RequestHead, RequestTarget};
use vestibule::secret::{ApiKeys, Pepper};

const KEY: &str = "the key of the front door";
/// The address of every client.
pub const CLIENT: &str = "192.0.2.7";

/// The contract's headers have names of their own, so that a test can send whatever it likes under all others.
pub const CERTIFICATE: &str = "edge-certificate";
pub const VERDICT: &str = "edge-verdict";
pub const SIGALG: &str = "edge-sigalg";

/// How the front door forwards, and which headers only we set.
pub struct Door<'n> {
    pub verdict_mode: VerdictMode,
    pub reserved: Vec<&'n str>,
}

impl Default for Door<'_> {
    fn default() -> Self {
        Self { verdict_mode: VerdictMode::Ignore, reserved: Vec::new() }
    }
}

impl Door<'_> {
    /// Authenticates a request for `host` with these headers. What the front door's words contradict is only reported.
    pub fn forward(&self, method: Method, target: &str, host: &str, mut headers: HeaderMap) -> AuthenticatedForward {
        headers.insert("host", HeaderValue::from_str(host).unwrap());
        headers.insert("edge-key", HeaderValue::from_static(KEY));
        headers.insert("edge-client", HeaderValue::from_static(CLIENT));
        let head =
            RequestHead { method, target: RequestTarget::parse(target).unwrap(), headers, connection: Connection::default() };
        AuthenticatedForward::unremembered(&self.directory(host), head, UnixTime(0)).unwrap()
    }

    fn directory(&self, host: &str) -> Directory {
        let pepper = Arc::new(Pepper::parse(&"5a".repeat(32)).unwrap());
        let name = HeaderName::from_static;
        let headers = [
            (ContractHeader::Certificate, name(CERTIFICATE)),
            (ContractHeader::Verdict, name(VERDICT)),
            (ContractHeader::SignatureAlgorithm, name(SIGALG)),
            (ContractHeader::ClientAddress, name("edge-client")),
        ];
        let mut reserved = HeaderNames::default();
        for name in &self.reserved {
            reserved.insert(name, ());
        }
        let host = host.rsplit_once(':').map_or(host, |(name, _)| name);
        let domain = Domain::new(DomainParts {
            name: host.to_owned(),
            mtls_host: None,
            tenant: 0,
            front_door: Arc::new(FrontDoor {
                name: "edge".into(),
                proofs: Proofs::new(vec![Proof::ApiKey]).unwrap(),
                certificate_header_max: 65_536,
                forwarded_verdict: self.verdict_mode,
                forwarded_mismatch: ForwardedMismatch::Report,
                format: Preset::find("nginx").unwrap().format(),
                require_sni: false,
            }),
            contract: Contract::new(name("edge-key"), &headers).unwrap(),
            api_keys: Some(ApiKeys::new(Arc::clone(&pepper), vec![pepper.tag(KEY.as_bytes())])),
            client_ip_header: name("edge-client"),
            reserved,
        });
        let mut directory =
            Directory::new(HeadLimits { header_count: 1_000, header_bytes: 1 << 24, allow_path_parameters: false });
        directory.add(host, Arc::new(domain)).unwrap();
        directory
    }
}

/// Header lines as a map.
pub fn headers(lines: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    headers
}
