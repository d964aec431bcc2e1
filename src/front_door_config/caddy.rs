//! Caddy: `request` takes every certificate.

use askama::Template;

use super::plan::{Plan, Site};
use super::word::Word;
use super::{Abilities, File, file};
use crate::config::Listen;
use crate::front_door::{ContractHeader, LeafCodec, VerdictDialect};

/// The suites of TLS 1.2, as Go names them.
pub(super) const CIPHERS: &str = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 \
                       TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 \
                       TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256 TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256";

#[derive(Template)]
#[template(path = "front-door/Caddyfile", escape = "none")]
struct Main<'p> {
    plan: &'p Plan,
    key_header: &'p Word,
    ciphers: &'static str,
    servers: Vec<Server<'p>>,
    vestibule: String,
}

struct Server<'p> {
    site: &'p Site,
    hosts: &'p [Word],
    asks: bool,
    lines: Vec<String>,
    /// What Caddy would else write itself, last of all.
    overwritten: Vec<(&'p Word, &'static str)>,
}

pub(super) fn files(plan: &Plan) -> Result<Vec<File>, String> {
    ABILITIES.cannot_sign(plan)?;
    let certificate = ABILITIES.certificate(plan)?;
    let mut servers = Vec::new();
    for site in &plan.sites {
        for (hosts, asks) in [(&site.asking, true), (&site.silent, false)] {
            if !hosts.is_empty() {
                servers.push(Server {
                    site,
                    hosts,
                    asks,
                    lines: lines(plan, asks.then_some(certificate.as_str())),
                    overwritten: overwritten(plan),
                });
            }
        }
    }
    let main = Main {
        plan,
        key_header: plan.name_of(ContractHeader::ApiKey).ok_or("the contract has no key header")?,
        ciphers: CIPHERS,
        servers,
        vestibule: match &plan.vestibule {
            Listen::Tcp(address) => address.to_string(),
            Listen::Unix(path) => format!("unix/{}", path.display()),
        },
    };
    Ok(vec![file("Caddyfile", &main)?])
}

const ABILITIES: Abilities = Abilities {
    product: "Caddy",
    certificate: |leaf| {
        let base64 = "{http.request.tls.client.certificate_der_base64}";
        match leaf {
            LeafCodec::EscapedPem | LeafCodec::EscapedPemBundle => {
                Some(format!("-----BEGIN%20CERTIFICATE-----%0A{base64}%0A-----END%20CERTIFICATE-----%0A"))
            }
            LeafCodec::Base64Der | LeafCodec::PemBodies => Some(base64.to_owned()),
            LeafCodec::ByteSequence => Some(format!(":{base64}:")),
            _ => None,
        }
    },
    verdicts: &[VerdictDialect::None, VerdictDialect::Nginx, VerdictDialect::Apache],
};

/// The lines that set the contract's headers.
fn lines(plan: &Plan, certificate: Option<&str>) -> Vec<String> {
    let mut lines = Vec::new();
    for (meaning, name) in &plan.contract {
        match (meaning, certificate) {
            (ContractHeader::Certificate, Some(certificate)) => lines.push(format!("@presented {name} {certificate}")),
            (ContractHeader::Verdict, _) => {
                lines.push(format!("{name} NONE"));
                lines.extend(certificate.map(|_| format!("@presented {name} FAILED")));
            }
            (ContractHeader::Sni, _) => lines.push(format!("{name} {{http.request.tls.server_name}}")),
            (ContractHeader::RequestId, _) => lines.push(format!("{name} {{http.request.uuid}}")),
            // The address is set last; the key is in a file of its own; Vestibule reads the rest from the certificate.
            _ => {}
        }
    }
    lines
}

fn overwritten(plan: &Plan) -> Vec<(&Word, &'static str)> {
    let addresses = plan.contract.iter().filter(|(meaning, _)| *meaning == ContractHeader::ClientAddress);
    addresses.map(|(_, name)| (name, "{http.request.remote.host}")).collect()
}
