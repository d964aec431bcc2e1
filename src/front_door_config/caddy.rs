//! Caddy: `request` takes every certificate.

use askama::Template;

use super::plan::{Plan, Site};
use super::word::Word;
use super::{File, file, values};
use crate::config::Listen;
use crate::front_door::ContractHeader;

/// As Go names them.
const CIPHERS: &str = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 \
                       TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 \
                       TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256 TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256";

#[derive(Template)]
#[template(path = "front-door/Caddyfile", escape = "none")]
struct Main<'p> {
    plan: &'p Plan,
    key_header: &'p Word,
    ciphers: &'static str,
    certificate: &'static str,
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
        certificate: "-----BEGIN%20CERTIFICATE-----%0A{http.request.tls.client.certificate_der_base64}%0A-----END%20CERTIFICATE-----%0A",
        servers,
        vestibule: match &plan.vestibule {
            Listen::Tcp(address) => address.to_string(),
            Listen::Unix(path) => format!("unix/{}", path.display()),
        },
    };
    Ok(vec![file("Caddyfile", &main)?])
}

fn said(plan: &Plan, asks: bool) -> Vec<(&Word, String)> {
    values(plan, |meaning| match meaning {
        ContractHeader::Certificate if asks => Some("{vestibule_certificate}".to_owned()),
        ContractHeader::Verdict if asks => Some("{vestibule_verdict}".to_owned()),
        ContractHeader::Verdict => Some("NONE".to_owned()),
        ContractHeader::ClientAddress => Some("{http.request.remote.host}".to_owned()),
        ContractHeader::RequestId => Some("{http.request.uuid}".to_owned()),
        // Vestibule reads them from the certificate; the key is in a file of its own.
        ContractHeader::Certificate
        | ContractHeader::ApiKey
        | ContractHeader::SubjectDn
        | ContractHeader::SubjectDnParsed
        | ContractHeader::SignatureAlgorithm => None,
    })
}
