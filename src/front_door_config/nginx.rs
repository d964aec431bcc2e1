//! nginx: `optional_no_ca`, and `error_page` for what it would still refuse by itself.

use askama::Template;

use super::plan::{Asking, Plan, Signing, Site};
use super::word::Word;
use super::{Abilities, CIPHERS, File, file, values};
use crate::config::Listen;
use crate::front_door::{ContractHeader, LeafCodec, VerdictDialect};

#[derive(Template)]
#[template(path = "front-door/nginx/nginx.conf", escape = "none")]
struct Main<'p> {
    plan: &'p Plan,
    asks: bool,
}

#[derive(Template)]
#[template(path = "front-door/nginx/vestibule.js", escape = "none")]
struct Script<'p> {
    plan: &'p Plan,
    signing: &'p Signing,
    signed: Vec<(&'p Word, String)>,
    silent: Vec<&'p Word>,
}

#[derive(Template)]
#[template(path = "front-door/nginx/vestibule.conf", escape = "none")]
struct Servers<'p> {
    plan: &'p Plan,
    vestibule: String,
    first: &'p Site,
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
    signs: bool,
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
    // A subrequest would be signed as the request that it asks about.
    let asking = plan.asking.as_ref().filter(|_| plan.signing.is_none());
    let mut files = vec![
        file("nginx.conf", &Main { plan, asks: asking.is_some() })?,
        file("vestibule.conf", &Servers { plan, vestibule, first })?,
        file("vestibule-tls.conf", &Tls { ciphers: CIPHERS })?,
        file("vestibule-server.conf", &Server)?,
        file("vestibule-headers.conf", &headers(plan, false)?)?,
        file("vestibule-proxy.conf", &Proxy { plan, headers: "vestibule-headers.conf" })?,
    ];
    if plan.sites.iter().any(|site| !site.silent.is_empty()) {
        files.push(file("vestibule-headers-silent.conf", &headers(plan, true)?)?);
        files.push(file("vestibule-proxy-silent.conf", &Proxy { plan, headers: "vestibule-headers-silent.conf" })?);
    }
    if let Some(signing) = &plan.signing {
        files.push(file("vestibule.js", &script(plan, signing)?)?);
    }
    if let Some(asking) = asking {
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

/// The variables that hold the contract's values. Vestibule reads the rest from the certificate; $ssl_client_sigalg is of nginx
/// 1.29.3 or later with OpenSSL 3.5, and others would not start with it.
fn variables(plan: &Plan) -> Result<Vec<(&Word, String)>, String> {
    let certificate = ABILITIES.certificate(plan)?;
    Ok(values(plan, |meaning| {
        Some(match meaning {
            ContractHeader::ApiKey if plan.sends_key => "$vestibule_key".to_owned(),
            ContractHeader::Certificate => certificate.clone(),
            ContractHeader::Verdict => VERDICT.to_owned(),
            ContractHeader::Sni => "$ssl_server_name".to_owned(),
            ContractHeader::ClientAddress => "$remote_addr".to_owned(),
            ContractHeader::RequestId => "$request_id".to_owned(),
            _ => return None,
        })
    }))
}

const VERDICT: &str = "$ssl_client_verify";

/// `silent` is for names where no client is asked for a certificate.
fn headers(plan: &Plan, silent: bool) -> Result<Headers<'_>, String> {
    let certificate = ABILITIES.certificate(plan)?;
    let mut values = variables(plan)?;
    for (_, value) in values.iter_mut().filter(|_| silent) {
        if *value == certificate {
            *value = "\"\"".to_owned();
        } else if value == VERDICT {
            *value = "NONE".to_owned();
        }
    }
    let mut strip = arriving(&plan.strip, plan);
    if plan.signing.is_some() {
        strip.retain(|name| !["signature", "signature-input"].contains(&name.as_str()));
    }
    strip.extend(plan.contract.iter().map(|(_, name)| name).filter(|name| !values.iter().any(|(set, _)| set == name)));
    Ok(Headers { signs: plan.signing.is_some(), silent, values, strip })
}

fn script<'p>(plan: &'p Plan, signing: &'p Signing) -> Result<Script<'p>, String> {
    let mut signed = variables(plan)?;
    signed.retain(|(name, _)| plan.name_of(ContractHeader::ApiKey) != Some(name));
    for (_, variable) in &mut signed {
        *variable = variable.trim_start_matches('$').to_owned();
    }
    Ok(Script { plan, signing, signed, silent: plan.sites.iter().flat_map(|site| &site.silent).collect() })
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
