//! Apache httpd: `optional_no_ca`, and what it refuses by itself is refused.

use askama::Template;

use super::plan::{ListenAt, Plan, Site};
use super::word::Word;
use super::{CIPHERS, CIPHERSUITES, File, file, values};
use crate::config::Listen;
use crate::front_door::ContractHeader;

/// What Debian loads besides is compiled in or not needed.
const MODULES: [&str; 10] =
    ["mpm_event", "authz_core", "alias", "headers", "http2", "proxy", "proxy_http", "reqtimeout", "setenvif", "ssl"];

#[derive(Template)]
#[template(path = "front-door/apache2.conf", escape = "none")]
struct Main<'p> {
    plan: &'p Plan,
    modules: &'static [&'static str],
    user: String,
}

#[derive(Template)]
#[template(path = "front-door/apache.conf", escape = "none")]
struct Servers<'p> {
    plan: &'p Plan,
    modules: &'static [&'static str],
    key_header: &'p Word,
    first: &'p Site,
    ports: Vec<ListenAt>,
    http: String,
    https: String,
    ciphers: &'static str,
    ciphersuites: &'static str,
    servers: Vec<Server<'p>>,
    vestibule: String,
}

/// One virtual host.
struct Server<'p> {
    site: &'p Site,
    name: &'p Word,
    aliases: &'p [Word],
    asks: bool,
    lines: Vec<String>,
}

pub(super) fn files(plan: &Plan) -> Result<Vec<File>, String> {
    let user = plan.user.as_ref().map_or_else(|| "www-data".to_owned(), ToString::to_string);
    let servers = Servers {
        plan,
        modules: &MODULES,
        key_header: plan.name_of(ContractHeader::ApiKey).ok_or("the contract has no key header")?,
        first: plan.sites.first().ok_or("there is no domain")?,
        ports: vec![plan.listen_http, plan.listen],
        http: virtual_host(plan.listen_http),
        https: virtual_host(plan.listen),
        ciphers: CIPHERS,
        ciphersuites: CIPHERSUITES,
        servers: plan.sites.iter().flat_map(|site| servers_of(plan, site)).collect(),
        vestibule: match &plan.vestibule {
            Listen::Tcp(address) => format!("http://{address}/"),
            Listen::Unix(path) => format!("unix:{}|http://vestibule/", path.display()),
        },
    };
    Ok(vec![file("apache2.conf", &Main { plan, modules: &MODULES, user })?, file("vestibule.conf", &servers)?])
}

/// `*:443` or `127.0.0.1:443`.
fn virtual_host(at: ListenAt) -> String {
    match at.address {
        None => format!("*:{}", at.port),
        Some(_) => at.to_string(),
    }
}

fn servers_of<'p>(plan: &'p Plan, site: &'p Site) -> Vec<Server<'p>> {
    let mut servers = Vec::new();
    for (hosts, asks) in [(&site.asking, true), (&site.silent, false)] {
        if let Some((name, aliases)) = hosts.split_first() {
            servers.push(Server { site, name, aliases, asks, lines: lines(plan, asks) });
        }
    }
    servers
}

/// `RequestHeader edit` after `set`: Apache's `GENEROUS` is a failure by a name that only Apache knows.
fn lines(plan: &Plan, asks: bool) -> Vec<String> {
    let said = values(plan, |meaning| match meaning {
        ContractHeader::Certificate if asks => Some("\"expr=%{escape:%{SSL_CLIENT_CERT}}\"".to_owned()),
        ContractHeader::Verdict if asks => Some("\"expr=%{SSL_CLIENT_VERIFY}\"".to_owned()),
        ContractHeader::Verdict => Some("NONE".to_owned()),
        ContractHeader::ClientAddress => Some("\"expr=%{REMOTE_ADDR}\"".to_owned()),
        // Vestibule makes the request's id and reads the rest from the certificate; the key is in a file of its own.
        ContractHeader::RequestId
        | ContractHeader::Certificate
        | ContractHeader::ApiKey
        | ContractHeader::SubjectDn
        | ContractHeader::SubjectDnParsed
        | ContractHeader::SignatureAlgorithm => None,
    });
    let mut lines = Vec::new();
    for (name, value) in said {
        lines.push(format!("RequestHeader set {name} {value}"));
        if asks && plan.name_of(ContractHeader::Verdict) == Some(name) {
            lines.push(format!("RequestHeader edit {name} ^GENEROUS$ FAILED"));
        }
    }
    lines
}
