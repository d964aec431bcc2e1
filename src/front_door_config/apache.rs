//! Apache httpd: `optional_no_ca`, and what it refuses by itself is refused.

use askama::Template;

use super::plan::{ListenAt, Plan, Site};
use super::word::Word;
use super::{Abilities, CIPHERS, CIPHERSUITES, File, file, values};
use crate::config::Listen;
use crate::front_door::{ContractHeader, LeafCodec, VerdictDialect};

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
    ABILITIES.cannot_sign(plan)?;
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
        servers: servers(plan, &ABILITIES.certificate(plan)?),
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

const ABILITIES: Abilities = Abilities {
    product: "Apache",
    certificate: |leaf| {
        let text = match leaf {
            LeafCodec::EscapedPem | LeafCodec::EscapedPemBundle => "\"expr=%{escape:%{SSL_CLIENT_CERT}}\"",
            LeafCodec::SpacedPem => "\"%{SSL_CLIENT_CERT}s\"",
            LeafCodec::Base64Pem => "\"expr=%{base64:%{SSL_CLIENT_CERT}}\"",
            _ => return None,
        };
        Some(text.to_owned())
    },
    verdicts: &[VerdictDialect::None, VerdictDialect::Nginx, VerdictDialect::Apache],
};

fn servers<'p>(plan: &'p Plan, certificate: &str) -> Vec<Server<'p>> {
    let mut servers = Vec::new();
    for site in &plan.sites {
        for (hosts, asks) in [(&site.asking, true), (&site.silent, false)] {
            if let Some((name, aliases)) = hosts.split_first() {
                servers.push(Server { site, name, aliases, asks, lines: lines(plan, asks.then_some(certificate)) });
            }
        }
    }
    servers
}

/// The lines that set the contract's headers. `RequestHeader edit` after `set`: Apache's `GENEROUS` is a failure by a name that
/// only Apache knows.
fn lines(plan: &Plan, certificate: Option<&str>) -> Vec<String> {
    let said = values(plan, |meaning| {
        let value = match (meaning, certificate) {
            (ContractHeader::Certificate, Some(certificate)) => certificate,
            (ContractHeader::Verdict, Some(_)) => "\"expr=%{SSL_CLIENT_VERIFY}\"",
            (ContractHeader::Verdict, None) => "NONE",
            (ContractHeader::Sni, _) => "\"expr=%{SSL_TLS_SNI}\"",
            (ContractHeader::ClientAddress, _) => "\"expr=%{REMOTE_ADDR}\"",
            // The key is in a file of its own; Vestibule makes the request's id and reads the rest from the certificate.
            _ => return None,
        };
        Some(value.to_owned())
    });
    let mut lines = Vec::new();
    for (name, value) in said {
        lines.push(format!("RequestHeader set {name} {value}"));
        if certificate.is_some() && plan.name_of(ContractHeader::Verdict) == Some(name) {
            lines.push(format!("RequestHeader edit {name} ^GENEROUS$ FAILED"));
        }
    }
    lines
}
