//! What Vestibule saw of a request, for the one who sent it. Never a secret: keys are proven and gone before.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::clock::UnixTime;
use crate::front_door::{AuthenticatedForward, ContractHeader};
use crate::journey::{Snapshot, Tenant};
use crate::presented::Presentation;

/// What was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sight {
    /// The domain.
    pub domain: String,
    /// The host name that was asked for.
    pub host: String,
    /// The tenant.
    pub tenant: String,
    /// The front door that proved itself.
    pub front_door: String,
    /// The method.
    pub method: String,
    /// The normalized path.
    pub path: String,
    /// The client's address, as the front door said it.
    pub client_address: String,
    /// The contract headers that came, without the key: name and value, of certificates the length alone.
    pub contract_headers: BTreeMap<String, String>,
    /// The certificate; none when there was none, or none that could be read.
    pub certificate: Option<SeenCertificate>,
    /// The code under which the certificate headers are refused, when they are.
    pub refusal: Option<String>,
}

/// The client's certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeenCertificate {
    /// SHA-256 of its DER, hexadecimal.
    pub sha256: String,
    /// Vestibule's own verdict in nginx's words (`ssl_client_verify`); none where the path's route trusts no CA.
    pub verify: Option<String>,
}

impl Sight {
    /// What was seen of a request.
    pub fn of(snapshot: &Snapshot, tenant: &Tenant, forward: &AuthenticatedForward, now: UnixTime) -> Self {
        let domain = forward.domain();
        let (certificate, refusal) = match Presentation::read(forward, &snapshot.decoder) {
            Ok(presentation) => (certificate(snapshot, tenant, forward, &presentation, now), None),
            Err(refused) => (None, Some(refused.refusal.code().to_owned())),
        };
        Self {
            domain: domain.name().to_owned(),
            host: forward.host().to_owned(),
            tenant: tenant.name.clone(),
            front_door: domain.front_door().name.clone(),
            method: forward.method().to_string(),
            path: forward.target().path().to_owned(),
            client_address: forward.client_address().to_string(),
            contract_headers: contract_headers(forward),
            certificate,
            refusal,
        }
    }

    /// Whether Vestibule itself found the certificate good.
    pub fn is_verified(&self) -> bool {
        self.certificate.as_ref().is_some_and(|seen| seen.verify.as_deref() == Some("SUCCESS"))
    }
}

fn certificate(
    snapshot: &Snapshot,
    tenant: &Tenant,
    forward: &AuthenticatedForward,
    presentation: &Presentation,
    now: UnixTime,
) -> Option<SeenCertificate> {
    let leaf = presentation.certificate()?.leaf();
    let route = tenant.route(forward).ok();
    let found = route.and_then(|route| snapshot.verify(presentation, &route.policy, now));
    Some(SeenCertificate { sha256: hex::encode(leaf.sha256()), verify: found.map(|found| found.text()) })
}

fn contract_headers(forward: &AuthenticatedForward) -> BTreeMap<String, String> {
    let values = forward.contract();
    let mut headers = BTreeMap::new();
    for (meaning, name) in forward.domain().contract().headers() {
        let Some(value) = values.get(meaning) else { continue };
        let shown = match meaning {
            ContractHeader::Certificate | ContractHeader::Chain => format!("({} bytes)", value.len()),
            _ => String::from_utf8_lossy(value.as_bytes()).into_owned(),
        };
        headers.insert(name.to_string(), shown);
    }
    if let Some(prefix) = forward.domain().contract().numbered() {
        headers.extend(
            values.members().enumerate().map(|(at, value)| (format!("{prefix}{at}"), format!("({} bytes)", value.len()))),
        );
    }
    headers
}
