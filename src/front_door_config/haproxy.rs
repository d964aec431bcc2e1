//! HAProxy: both `ignore-err`, so that every certificate comes through.

use askama::Template;

use super::plan::{ListenAt, Plan, Signing};
use super::word::Word;
use super::{Abilities, CIPHERS, CIPHERSUITES, File, file};
use crate::config::Listen;
use crate::front_door::{ContractHeader, LeafCodec, VerdictDialect};

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
        lines: lines(plan)?,
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

const ABILITIES: Abilities = Abilities {
    product: "HAProxy",
    certificate: |leaf| {
        let text = match leaf {
            LeafCodec::EscapedPem | LeafCodec::EscapedPemBundle => {
                "-----BEGIN%%20CERTIFICATE-----%%0A%[ssl_c_der,base64,url_enc]%%0A-----END%%20CERTIFICATE-----%%0A"
            }
            LeafCodec::Base64Der | LeafCodec::PemBodies => "%[ssl_c_der,base64]",
            LeafCodec::EscapedPemBodies => "%[ssl_c_der,base64,url_enc]",
            LeafCodec::ByteSequence => ":%[ssl_c_der,base64]:",
            LeafCodec::SpacedPem | LeafCodec::Base64Pem | LeafCodec::Xfcc | LeafCodec::XfccJson => return None,
        };
        Some(text.to_owned())
    },
    verdicts: &[VerdictDialect::None, VerdictDialect::Nginx, VerdictDialect::Apache, VerdictDialect::OpensslCode],
};

/// The lines that set the contract's headers. The verdict is there whether a certificate is or not.
fn lines(plan: &Plan) -> Result<Vec<String>, String> {
    let certificate = ABILITIES.certificate(plan)?;
    let code = plan.format.verdict == VerdictDialect::OpensslCode;
    let asking: Vec<&str> = plan.sites.iter().flat_map(|site| &site.asking).map(Word::as_str).collect();
    // A session that was resumed from a name that asks may bring a certificate to one that does not.
    let asked =
        if asking.is_empty() { "always_false".to_owned() } else { format!("var(txn.host) -m str {}", asking.join(" ")) };
    let mut lines = vec![format!("acl asked {asked}"), "acl present ssl_c_used".to_owned()];
    for (meaning, name) in &plan.contract {
        let mut set = |value: &str, condition: &str| {
            lines.push(format!("http-request set-header {name} {value}{condition}"));
        };
        match meaning {
            ContractHeader::Certificate => set(&certificate, " if asked present"),
            ContractHeader::Verdict if code => {
                set("0", "");
                set("%[ssl_c_verify]", " if asked present");
            }
            ContractHeader::Verdict => {
                set("NONE", "");
                set("SUCCESS", " if asked present { ssl_c_verify 0 }");
                set("FAILED:%[ssl_c_verify]", " if asked present !{ ssl_c_verify 0 }");
            }
            ContractHeader::Presented => {
                set("0", "");
                set("1", " if asked present");
            }
            ContractHeader::Sni => set("%[ssl_fc_sni]", ""),
            ContractHeader::ClientAddress => set("%[src]", ""),
            ContractHeader::RequestId => set("%[uuid()]", ""),
            // The key has lines of its own; Vestibule reads the rest from the certificate. The chain is gone when a session is
            // resumed, so that Vestibule must hold the intermediates anyway.
            _ => {}
        }
    }
    if let Some(signing) = &plan.signing {
        lines.extend(signature(plan, signing));
    }
    Ok(lines)
}

/// The lines that sign a request (RFC 9421). Headers that may be missing are covered when they are there.
fn signature(plan: &Plan, signing: &Signing) -> Vec<String> {
    let sent = |meaning: ContractHeader| {
        let sent = [
            ContractHeader::Certificate,
            ContractHeader::Verdict,
            ContractHeader::Presented,
            ContractHeader::Sni,
            ContractHeader::ClientAddress,
            ContractHeader::RequestId,
        ];
        sent.contains(&meaning)
    };
    let (mut covered, mut base) = (String::new(), String::new());
    for name in ["@method", "@authority", "@path", "@query"] {
        covered.push_str(&format!(" \\\"{name}\\\""));
    }
    base.push_str("\\\"@method\\\": %[method]\\n\\\"@authority\\\": %[req.hdr(host)]\\n\\\"@path\\\": %[path]\\n\\\"@query\\\": ?%[query]");
    let mut of_certificate = Vec::new();
    for (meaning, name) in plan.contract.iter().filter(|(meaning, _)| sent(*meaning)) {
        let (name_there, line) = (format!(" \\\"{name}\\\""), format!("\\n\\\"{name}\\\": %[req.hdr({name})]"));
        if *meaning == ContractHeader::Certificate {
            let condition = "if asked present";
            of_certificate
                .push(format!("http-request set-var-fmt(txn.covered) \"%[var(txn.covered)]{name_there}\" {condition}"));
            of_certificate.push(format!("http-request set-var-fmt(txn.base) \"%[var(txn.base)]{line}\" {condition}"));
        } else {
            covered.push_str(&name_there);
            base.push_str(&line);
        }
    }
    let tag = signing.tag.as_ref().map(|tag| format!(";tag=\\\"{tag}\\\"")).unwrap_or_default();
    let mut lines = vec![
        "http-request set-header Host %[var(txn.host)]".to_owned(),
        format!("http-request set-var(txn.signature_key) str({}),map_str({})", signing.keyid, signing.key_file),
        "http-request set-var(txn.created) date()".to_owned(),
        "http-request set-var(txn.nonce) uuid()".to_owned(),
        format!("http-request set-var-fmt(txn.covered) \"{}\"", covered.trim_start()),
        format!("http-request set-var-fmt(txn.base) \"{base}\""),
    ];
    lines.extend(of_certificate);
    lines.push(format!(
        "http-request set-var-fmt(txn.parameters) \"(%[var(txn.covered)]);created=%[var(txn.created)];\
         nonce=\\\"%[var(txn.nonce)]\\\";alg=\\\"hmac-sha256\\\";keyid=\\\"{}\\\"{tag}\"",
        signing.keyid
    ));
    lines.push(
        "http-request set-var-fmt(txn.base) \"%[var(txn.base)]\\n\\\"@signature-params\\\": %[var(txn.parameters)]\""
            .to_owned(),
    );
    lines.push(format!("http-request set-header Signature-Input {}=%[var(txn.parameters)]", signing.label));
    let signed = "%[var(txn.base),hmac(sha256,txn.signature_key),base64]";
    lines.push(format!("http-request set-header Signature {}=:{signed}:", signing.label));
    lines
}
