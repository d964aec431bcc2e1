//! Envoy: `ACCEPT_UNTRUSTED`, and a Lua filter that strips by meaning and always says a verdict. Written from its documentation.

use std::collections::BTreeSet;

use askama::Template;

use super::plan::{ListenAt, Plan, Site};
use super::word::Word;
use super::{CIPHERS, File, file, values};
use crate::config::Listen;
use crate::front_door::ContractHeader;
use crate::header_names::fold;

#[derive(Template)]
#[template(path = "front-door/envoy.yaml", escape = "none")]
struct Main<'p> {
    plan: &'p Plan,
    at: String,
    at_http: String,
    ciphers: Vec<&'static str>,
    certificate: &'p Word,
    verdict: &'p Word,
    key_header: &'p Word,
    servers: Vec<Server<'p>>,
    vestibule: String,
}

struct Server<'p> {
    site: &'p Site,
    hosts: &'p [Word],
    asks: bool,
    ours: BTreeSet<String>,
    values: Vec<(&'p Word, String)>,
}

pub(super) fn files(plan: &Plan) -> Result<Vec<File>, String> {
    let name = |meaning, what: &str| plan.name_of(meaning).ok_or_else(|| format!("the contract has no {what} header"));
    let mut servers = Vec::new();
    for site in &plan.sites {
        for (hosts, asks) in [(&site.asking, true), (&site.silent, false)] {
            if !hosts.is_empty() {
                servers.push(Server { site, hosts, asks, ours: ours(plan), values: said(plan) });
            }
        }
    }
    let main = Main {
        plan,
        at: address(plan.listen),
        at_http: address(plan.listen_http),
        ciphers: CIPHERS.split(':').collect(),
        certificate: name(ContractHeader::Certificate, "certificate")?,
        verdict: name(ContractHeader::Verdict, "verdict")?,
        key_header: name(ContractHeader::ApiKey, "key")?,
        servers,
        vestibule: match &plan.vestibule {
            Listen::Tcp(to) => socket_address(&to.ip().to_string(), to.port()),
            Listen::Unix(path) => format!("{{ pipe: {{ path: \"{}\" }} }}", path.display()),
        },
    };
    Ok(vec![file("envoy.yaml", &main)?])
}

fn address(at: ListenAt) -> String {
    socket_address(&at.address.map_or_else(|| "0.0.0.0".to_owned(), |address| address.to_string()), at.port)
}

fn socket_address(address: &str, port: u16) -> String {
    format!("{{ socket_address: {{ address: \"{address}\", port_value: {port} }} }}")
}

/// The names that are stripped, as the filter compares them. Envoy makes the request's id itself.
fn ours(plan: &Plan) -> BTreeSet<String> {
    let request_id = plan.name_of(ContractHeader::RequestId);
    let made_by_envoy = |name: &Word| name.as_str() == "x-request-id" && request_id == Some(name);
    plan.all_stripped().filter(|name| !made_by_envoy(name)).map(|name| fold(name.as_str()).into_owned()).collect()
}

fn said(plan: &Plan) -> Vec<(&Word, String)> {
    values(plan, |meaning| match meaning {
        ContractHeader::ClientAddress => Some("%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%".to_owned()),
        ContractHeader::RequestId => Some("%STREAM_ID%".to_owned()),
        // The filter sets the first three; Vestibule reads the others from the certificate.
        ContractHeader::ApiKey
        | ContractHeader::Certificate
        | ContractHeader::Verdict
        | ContractHeader::SubjectDn
        | ContractHeader::SubjectDnParsed
        | ContractHeader::SignatureAlgorithm => None,
    })
}
