//! Caddy: `request` takes every certificate.

use askama::Template;

use super::plan::{Plan, Site};
use super::word::Word;
use super::{Abilities, File, file, values};
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
    certificate: String,
    servers: Vec<Server<'p>>,
    vestibule: String,
}

struct Server<'p> {
    site: &'p Site,
    hosts: &'p [Word],
    asks: bool,
    values: Vec<(&'p Word, String)>,
}

pub(super) fn files(plan: &Plan) -> Result<Vec<File>, String> {
    let mut servers = Vec::new();
    for site in &plan.sites {
        for (hosts, asks) in [(&site.asking, true), (&site.silent, false)] {
            if !hosts.is_empty() {
                servers.push(Server { site, hosts, asks, values: said(plan, asks) });
            }
        }
    }
    let main = Main {
        plan,
        key_header: plan.name_of(ContractHeader::ApiKey).ok_or("the contract has no key header")?,
        ciphers: CIPHERS,
        certificate: ABILITIES.certificate(plan)?,
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

fn said(plan: &Plan, asks: bool) -> Vec<(&Word, String)> {
    values(plan, |meaning| {
        let value = match meaning {
            ContractHeader::Certificate if asks => "{vestibule_certificate}",
            ContractHeader::Verdict if asks => "{vestibule_verdict}",
            ContractHeader::Verdict => "NONE",
            ContractHeader::Sni => "{http.request.tls.server_name}",
            ContractHeader::ClientAddress => "{http.request.remote.host}",
            ContractHeader::RequestId => "{http.request.uuid}",
            // The key is in a file of its own; Vestibule reads the rest from the certificate.
            _ => return None,
        };
        Some(value.to_owned())
    })
}
