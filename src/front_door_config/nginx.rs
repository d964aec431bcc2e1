//! nginx: `optional_no_ca`, and `error_page` for what it would still refuse by itself.

use askama::Template;

use super::plan::{Asking, Plan, Site};
use super::word::Word;
use super::{Abilities, CIPHERS, File, file, values};
use crate::config::Listen;
use crate::front_door::{ContractHeader, LeafCodec, VerdictDialect};

#[derive(Template)]
#[template(path = "front-door/nginx/nginx.conf", escape = "none")]
struct Main<'p> {
    plan: &'p Plan,
    njs: bool,
}

#[derive(Template)]
#[template(path = "front-door/nginx/vestibule.conf", escape = "none")]
struct Servers<'p> {
    plan: &'p Plan,
    vestibule: String,
    first: &'p Site,
    njs: bool,
}

#[derive(Template)]
#[template(path = "front-door/nginx/vestibule-tls.conf", escape = "none")]
struct Tls {
    ciphers: &'static str,
}

#[derive(Template)]
#[template(path = "front-door/nginx/vestibule-server.conf", escape = "none")]
struct Server;

#[derive(Template)]
#[template(path = "front-door/nginx/vestibule-headers.conf", escape = "none")]
struct Headers<'p> {
    silent: bool,
    values: Vec<(&'p Word, String)>,
    strip: Vec<&'p Word>,
}

#[derive(Template)]
#[template(path = "front-door/nginx/vestibule-proxy.conf", escape = "none")]
struct Proxy<'p> {
    plan: &'p Plan,
    headers: &'static str,
}

#[derive(Template)]
#[template(path = "front-door/nginx/auth-request.conf", escape = "none")]
struct AuthRequest<'p> {
    plan: &'p Plan,
    asking: &'p Asking,
    first: &'p Site,
}

#[derive(Template)]
#[template(path = "front-door/nginx/auth-request-protected.conf", escape = "none")]
struct Protected<'p> {
    asking: &'p Asking,
    removed: Vec<&'p Word>,
}

pub(super) fn files(plan: &Plan) -> Result<Vec<File>, String> {
    let first = plan.sites.first().ok_or("there is no domain")?;
    let vestibule = match &plan.vestibule {
        Listen::Tcp(address) => address.to_string(),
        Listen::Unix(path) => format!("unix:{}", path.display()),
    };
    let njs = false;
    let mut files = vec![
        file("nginx.conf", &Main { plan, njs })?,
        file("vestibule.conf", &Servers { plan, vestibule, first, njs })?,
        file("vestibule-tls.conf", &Tls { ciphers: CIPHERS })?,
        file("vestibule-server.conf", &Server)?,
        file("vestibule-headers.conf", &headers(plan, false)?)?,
        file("vestibule-proxy.conf", &Proxy { plan, headers: "vestibule-headers.conf" })?,
    ];
    if plan.sites.iter().any(|site| !site.silent.is_empty()) {
        files.push(file("vestibule-headers-silent.conf", &headers(plan, true)?)?);
        files.push(file("vestibule-proxy-silent.conf", &Proxy { plan, headers: "vestibule-headers-silent.conf" })?);
    }
    if let Some(asking) = &plan.asking {
        files.push(file("auth-request.conf", &AuthRequest { plan, asking, first })?);
        files.push(file("auth-request-protected.conf", &protected(plan, asking))?);
    }
    Ok(files)
}

const ABILITIES: Abilities = Abilities {
    product: "nginx",
    certificate: |leaf| match leaf {
        LeafCodec::EscapedPem | LeafCodec::EscapedPemBundle => Some("$ssl_client_escaped_cert".to_owned()),
        _ => None,
    },
    verdicts: &[VerdictDialect::None, VerdictDialect::Nginx, VerdictDialect::Apache],
};

/// `silent` is for names where no client is asked for a certificate.
fn headers(plan: &Plan, silent: bool) -> Result<Headers<'_>, String> {
    let certificate = ABILITIES.certificate(plan)?;
    let values = values(plan, |meaning| {
        Some(match meaning {
            ContractHeader::ApiKey => "$vestibule_key".to_owned(),
            ContractHeader::Certificate if !silent => certificate.clone(),
            ContractHeader::Verdict if !silent => "$ssl_client_verify".to_owned(),
            ContractHeader::Verdict => "NONE".to_owned(),
            ContractHeader::Sni => "$ssl_server_name".to_owned(),
            ContractHeader::ClientAddress => "$remote_addr".to_owned(),
            ContractHeader::RequestId => "$request_id".to_owned(),
            // Vestibule reads the rest from the certificate. $ssl_client_sigalg is of nginx 1.29.3 or later with OpenSSL 3.5;
            // others would not start with it.
            _ => "\"\"".to_owned(),
        })
    });
    Ok(Headers { silent, values, strip: arriving(&plan.strip, plan) })
}

/// The names that nginx does not drop by itself, without those that are set in another file.
fn arriving<'p>(names: &'p [Word], plan: &Plan) -> Vec<&'p Word> {
    let elsewhere =
        |name: &Word| plan.asking.as_ref().is_some_and(|asking| [&asking.uri_header, &asking.method_header].contains(&name));
    names.iter().filter(|name| !name.as_str().contains(['_', '.']) && !elsewhere(name)).collect()
}

fn protected<'p>(plan: &'p Plan, asking: &'p Asking) -> Protected<'p> {
    let set_above = ["x-forwarded-for", "x-real-ip", "x-request-id"];
    let mut removed: Vec<&Word> = Vec::new();
    for name in plan.all_stripped().chain(&asking.of_rules) {
        let arrives = !name.as_str().contains(['_', '.']);
        if arrives && !set_above.contains(&name.as_str()) && !asking.told.contains(name) && !removed.contains(&name) {
            removed.push(name);
        }
    }
    Protected { asking, removed }
}
