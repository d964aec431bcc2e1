//! HAProxy: both `ignore-err`, so that every certificate comes through.

use askama::Template;

use super::plan::{ListenAt, Plan};
use super::word::Word;
use super::{CIPHERS, CIPHERSUITES, File, file, values};
use crate::config::Listen;
use crate::front_door::ContractHeader;

#[derive(Template)]
#[template(path = "front-door/haproxy.cfg", escape = "none")]
struct Main<'p> {
    plan: &'p Plan,
    user: String,
    ciphers: &'static str,
    ciphersuites: &'static str,
    bind: String,
    bind_http: String,
    lines: Vec<String>,
    key_header: &'p Word,
    vestibule: String,
    idle: u64,
}

#[derive(Template)]
#[template(path = "front-door/haproxy-certificates.list", escape = "none")]
struct Certificates<'p> {
    plan: &'p Plan,
}

impl Main<'_> {
    /// Names with other characters than letters, digits and hyphens are dropped before.
    fn arrives(&self, name: &Word) -> bool {
        !name.as_str().contains(['_', '.'])
    }
}

pub(super) fn files(plan: &Plan) -> Result<Vec<File>, String> {
    let vestibule = match &plan.vestibule {
        Listen::Tcp(address) => address.to_string(),
        Listen::Unix(path) => format!("unix@{}", path.display()),
    };
    let key_header = plan.name_of(ContractHeader::ApiKey).ok_or("the contract has no key header")?;
    let main = Main {
        plan,
        user: plan.user.as_ref().map_or_else(|| "haproxy".to_owned(), ToString::to_string),
        ciphers: CIPHERS,
        ciphersuites: CIPHERSUITES,
        bind: bind(plan.listen),
        bind_http: bind(plan.listen_http),
        lines: lines(plan),
        key_header,
        vestibule,
        idle: plan.keep_alive / 2,
    };
    Ok(vec![file("haproxy.cfg", &main)?, file("haproxy-certificates.list", &Certificates { plan })?])
}

/// `:443` or `127.0.0.1:443`.
fn bind(at: ListenAt) -> String {
    match at.address {
        None => format!(":{}", at.port),
        Some(_) => at.to_string(),
    }
}

/// The lines that set the contract's headers. `present` holds where a certificate came on a name that asks for one.
fn lines(plan: &Plan) -> Vec<String> {
    let asking: Vec<&str> = plan.sites.iter().flat_map(|site| &site.asking).map(Word::as_str).collect();
    let mut lines = Vec::new();
    let present = if asking.is_empty() {
        lines.push("acl present always_false".to_owned());
        "present"
    } else {
        lines.push(format!("acl asked var(txn.host) -m str {}", asking.join(" ")));
        lines.push("acl present ssl_c_used".to_owned());
        "asked present"
    };
    let said = values(plan, |meaning| match meaning {
        ContractHeader::Certificate => {
            Some("-----BEGIN%%20CERTIFICATE-----%%0A%[ssl_c_der,base64,url_enc]%%0A-----END%%20CERTIFICATE-----%%0A".to_owned())
        }
        ContractHeader::Verdict => Some("NONE".to_owned()),
        ContractHeader::ClientAddress => Some("%[src]".to_owned()),
        ContractHeader::RequestId => Some("%[uuid()]".to_owned()),
        // Vestibule reads them from the certificate; the key has lines of its own.
        ContractHeader::ApiKey
        | ContractHeader::SubjectDn
        | ContractHeader::SubjectDnParsed
        | ContractHeader::SignatureAlgorithm => None,
    });
    for (name, value) in said {
        if plan.name_of(ContractHeader::Certificate) == Some(name) {
            lines.push(format!("http-request set-header {name} {value} if {present}"));
        } else if plan.name_of(ContractHeader::Verdict) == Some(name) {
            lines.push(format!("http-request set-header {name} {value}"));
            lines.push(format!("http-request set-header {name} SUCCESS if {present} {{ ssl_c_verify 0 }}"));
            lines.push(format!("http-request set-header {name} FAILED:%[ssl_c_verify] if {present} !{{ ssl_c_verify 0 }}"));
        } else {
            lines.push(format!("http-request set-header {name} {value}"));
        }
    }
    lines
}
