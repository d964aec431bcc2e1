//! A front door of format `tls`: ourselves. What its hosts ask of their clients.

use std::collections::BTreeSet;
use std::sync::Arc;

use http::HeaderName;

use super::front_doors::{Door, blank_format};
use super::table::Table;
use crate::admission::VerificationMode;
use crate::front_door::{ForwardedMismatch, FrontDoor, Proof, Proofs, VerdictMode};
use crate::journey::Route;
use crate::tls::AskedHost;

/// When a client is asked for a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Request {
    /// Under every name of the domain.
    Always,
    /// Under its `mtls.` alias alone.
    MtlsAlias,
    /// Nowhere.
    Never,
}

/// What a `tls` front door does in its handshakes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asking {
    request: Request,
    send_ca_dn: bool,
}

/// Reads a front door of format `tls`. Nothing is forwarded, so nothing of it is configured.
pub(super) fn door(table: Table<'_>, aliases: bool) -> Option<Door> {
    let name = table.required_text("name", "a name");
    if table.has("proofs") {
        table.problem("proofs", "has no effect with the format `tls`: the handshake is the proof", "no such key");
    }
    let words = [("always", Request::Always), ("mtls_alias", Request::MtlsAlias), ("never", Request::Never)];
    let request = table.choice("request_client_certificate", &words, Request::Always);
    if request == Request::MtlsAlias && !aliases {
        let found = "found `mtls_alias`, and there are no aliases";
        table.problem("request_client_certificate", found, "enable_mtls_endpoint_aliases = true, or `always` or `never`");
    }
    let asking = Asking { request, send_ca_dn: table.boolean("send_ca_dn", true) };
    let front_door = FrontDoor {
        name: name.clone().unwrap_or_default(),
        proofs: Proofs::new(vec![Proof::Handshake])?,
        certificate_header_max: 0,
        forwarded_verdict: VerdictMode::Ignore,
        forwarded_mismatch: ForwardedMismatch::Refuse,
        format: blank_format(),
        require_sni: false,
    };
    table.finish();
    let api_key = HeaderName::from_static("cname-api-key");
    name.map(|_| Door { front_door: Arc::new(front_door), api_key, headers: Vec::new(), own_tls: Some(asking) })
}

/// A host that is reached through such a front door.
pub(super) struct OwnHost {
    pub(super) host: String,
    pub(super) is_alias: bool,
    pub(super) asking: Asking,
}

impl OwnHost {
    /// Nobody is asked where no route looks at certificates. The names are those of all CAs that a route of the tenant trusts:
    /// which route it will be is not known in a handshake.
    pub(super) fn asked(self, routes: &[Route]) -> AskedHost {
        let looking = || routes.iter().filter(|route| route.policy.admission.verification != VerificationMode::Off);
        let asks = match self.asking.request {
            Request::Always => true,
            Request::MtlsAlias => self.is_alias,
            Request::Never => false,
        };
        let ask = (asks && looking().next().is_some()).then(|| {
            if !self.asking.send_ca_dn {
                return Vec::new();
            }
            let sets = looking().filter_map(|route| route.policy.trust.as_ref());
            let names: BTreeSet<Vec<u8>> = sets.flat_map(|trust| trust.subjects()).collect();
            names.into_iter().collect()
        });
        AskedHost { host: self.host, ask }
    }
}
