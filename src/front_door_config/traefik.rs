//! Traefik: `passTLSClientCert`, whose header has one name and one form. Written from its documentation and code.

use askama::Template;

use super::caddy::CIPHERS;
use super::plan::{ListenAt, Plan, Site};
use super::word::Word;
use super::{Abilities, File, file};
use crate::config::Listen;
use crate::front_door::{ContractHeader, LeafCodec, VerdictDialect};

#[derive(Template)]
#[template(path = "front-door/traefik.yml", escape = "none")]
struct Static<'p> {
    plan: &'p Plan,
    http: String,
    https: String,
}

#[derive(Template)]
#[template(path = "front-door/traefik-dynamic.yml", escape = "none")]
struct Dynamic<'p> {
    plan: &'p Plan,
    key_header: &'p Word,
    servers: Vec<Server<'p>>,
    ciphers: String,
    vestibule: String,
}

struct Server<'p> {
    site: &'p Site,
    name: String,
    hosts: &'p [Word],
    asks: bool,
}

/// The only names that Traefik has for these.
const CERTIFICATE: &str = "x-forwarded-tls-client-cert";
const ADDRESS: &str = "x-forwarded-for";

const ABILITIES: Abilities = Abilities {
    product: "Traefik",
    certificate: |leaf| (leaf == LeafCodec::PemBodies).then(String::new),
    verdicts: &[VerdictDialect::None],
};

pub(super) fn files(plan: &Plan) -> Result<Vec<File>, String> {
    ABILITIES.cannot_sign(plan)?;
    ABILITIES.certificate(plan)?;
    for (meaning, name) in &plan.contract {
        match meaning {
            ContractHeader::Certificate if name.as_str() != CERTIFICATE => {
                return Err(format!("Traefik's certificate header is `{CERTIFICATE}`; take headers.client_certificate out"));
            }
            ContractHeader::ClientAddress if name.as_str() != ADDRESS => {
                return Err(format!("Traefik cannot send `{name}`: set custom_client_ip_header = \"{ADDRESS}\""));
            }
            ContractHeader::Sni => {
                return Err("Traefik cannot send the server name: take headers.ssl_server_name out".to_owned());
            }
            _ => {}
        }
    }
    let Listen::Tcp(vestibule) = &plan.vestibule else {
        return Err("Traefik cannot connect to a Unix socket: give Vestibule a TCP listener".to_owned());
    };
    let dynamic = Dynamic {
        plan,
        key_header: plan.name_of(ContractHeader::ApiKey).ok_or("the contract has no key header")?,
        servers: plan.sites.iter().flat_map(servers).collect(),
        ciphers: CIPHERS.replace(' ', ", "),
        vestibule: vestibule.to_string(),
    };
    let fixed = Static { plan, http: address(plan.listen_http), https: address(plan.listen) };
    Ok(vec![file("traefik.yml", &fixed)?, file("traefik/vestibule.yml", &dynamic)?])
}

fn servers(site: &Site) -> Vec<Server<'_>> {
    let id = site.domain.identifier();
    let named = [(&site.asking, true, format!("vestibule-{id}")), (&site.silent, false, format!("vestibule-{id}-silent"))];
    let used = named.into_iter().filter(|(hosts, _, _)| !hosts.is_empty());
    used.map(|(hosts, asks, name)| Server { site, name, hosts, asks }).collect()
}

/// `:443` or `127.0.0.1:443`.
fn address(at: ListenAt) -> String {
    match at.address {
        None => format!(":{}", at.port),
        Some(_) => at.to_string(),
    }
}
