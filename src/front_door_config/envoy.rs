//! Envoy: `ACCEPT_UNTRUSTED`, and a Lua filter that strips by meaning and always says a verdict. Written from its documentation.

use std::collections::BTreeSet;

use askama::Template;

use super::plan::{ListenAt, Plan, Site};
use super::word::Word;
use super::{Abilities, CIPHERS, File, file, values};
use crate::config::Listen;
use crate::front_door::{ContractHeader, LeafCodec, VerdictDialect};
use crate::header_names::fold;

#[derive(Template)]
#[template(path = "front-door/envoy.yaml", escape = "none")]
struct Main<'p> {
    plan: &'p Plan,
    at: String,
    at_http: String,
    ciphers: Vec<&'static str>,
    certificate: &'p Word,
    verdict: Option<&'p Word>,
    /// Whether Envoy's own header is JSON, where it is used.
    xfcc: Option<bool>,
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
    ABILITIES.cannot_sign(plan)?;
    let name = |meaning, what: &str| plan.name_of(meaning).ok_or_else(|| format!("the contract has no {what} header"));
    let certificate = name(ContractHeader::Certificate, "certificate")?;
    ABILITIES.certificate(plan)?;
    let xfcc = match plan.format.codec.leaf {
        LeafCodec::Xfcc => Some(false),
        LeafCodec::XfccJson => Some(true),
        _ => None,
    };
    if xfcc.is_some() && certificate.as_str() != XFCC {
        return Err(format!("Envoy's own header is `{XFCC}`; take headers.client_certificate out"));
    }
    let mut servers = Vec::new();
    for site in &plan.sites {
        for (hosts, asks) in [(&site.asking, true), (&site.silent, false)] {
            if !hosts.is_empty() {
                servers.push(Server { site, hosts, asks, ours: ours(plan, xfcc.is_some()), values: said(plan) });
            }
        }
    }
    let main = Main {
        plan,
        at: address(plan.listen),
        at_http: address(plan.listen_http),
        ciphers: CIPHERS.split(':').collect(),
        certificate,
        verdict: plan.name_of(ContractHeader::Verdict),
        xfcc,
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

const XFCC: &str = "x-forwarded-client-cert";

const ABILITIES: Abilities = Abilities {
    product: "Envoy",
    certificate: |leaf| match leaf {
        LeafCodec::EscapedPem | LeafCodec::EscapedPemBundle | LeafCodec::Xfcc | LeafCodec::XfccJson => Some(String::new()),
        _ => None,
    },
    verdicts: &[VerdictDialect::None, VerdictDialect::Nginx, VerdictDialect::Apache],
};

/// The names that are stripped, as the filter compares them. Envoy itself makes the request's id, and removes what a client says
/// in its own certificate header.
fn ours(plan: &Plan, xfcc: bool) -> BTreeSet<String> {
    let made_by_envoy = |name: &Word| {
        let of_request = name.as_str() == "x-request-id" && plan.name_of(ContractHeader::RequestId) == Some(name);
        of_request || (xfcc && name.as_str() == XFCC)
    };
    plan.all_stripped().filter(|name| !made_by_envoy(name)).map(|name| fold(name.as_str()).into_owned()).collect()
}

fn said(plan: &Plan) -> Vec<(&Word, String)> {
    values(plan, |meaning| {
        let value = match meaning {
            ContractHeader::Sni => "%REQUESTED_SERVER_NAME%",
            ContractHeader::ClientAddress => "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%",
            ContractHeader::RequestId => "%STREAM_ID%",
            // The filter sets key, certificate and verdict; Vestibule reads the rest from the certificate.
            _ => return None,
        };
        Some(value.to_owned())
    })
}
