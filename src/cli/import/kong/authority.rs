//! `ca_certificates`, and the gateway's own `certificates`.

use openssl::x509::{X509, X509VerifyResult};
use serde_json::Value;
use zeroize::Zeroizing;

use super::entity::{Names, fields, named, objects, text};
use crate::cli::import::remark::Report;

/// A CA that plugins may trust.
#[derive(Debug)]
pub(super) struct Authority {
    pub(super) names: Names,
    pub(super) pem: String,
    pub(super) sha256: [u8; 32],
    /// Whether it is signed by itself: else it is an anchor only with `allow_partial_chain`.
    pub(super) is_root: bool,
}

/// A certificate that Kong shows to clients.
pub(super) struct ServerCertificate {
    pub(super) chain: String,
    pub(super) key: Zeroizing<String>,
}

/// A value that stands in a vault.
const VAULT: &str = "{vault://";

pub(super) fn authorities(source: &str, list: Option<&Value>, report: &mut Report) -> Vec<Authority> {
    let mut authorities = Vec::new();
    for (at, value) in objects(list, &format!("{source}: ca_certificates"), report).into_iter().enumerate() {
        let Some(mut of) = fields(value) else { continue };
        let names = Names { id: text(&mut of, "id"), name: None };
        let place = format!("{source}: {}", names.shown("ca_certificate", at));
        let pem = text(&mut of, "cert").unwrap_or_default();
        let said = text(&mut of, "cert_digest");
        report.unknown(&place, &of);
        match authority(names, &pem) {
            Ok(authority) => {
                if said.is_some_and(|said| !said.replace(':', "").eq_ignore_ascii_case(&hex::encode(authority.sha256))) {
                    report.note(&place, "its `cert_digest` is not the certificate's; the certificate counts");
                }
                authorities.push(authority);
            }
            Err(why) => report.left_out(&place, why),
        }
    }
    authorities
}

/// Reads a certificate that is trusted.
///
/// # Errors
/// Why it is not one.
pub(super) fn authority(names: Names, pem: &str) -> Result<Authority, String> {
    if pem.trim_start().starts_with(VAULT) {
        return Err("stands in a vault: put the PEM there, and import again".into());
    }
    let blocks = pem::parse_many(pem).map_err(|_| "is no PEM")?;
    let [block] = blocks.as_slice() else {
        return Err(format!("holds {} PEM blocks; one certificate is wanted", blocks.len()));
    };
    if block.tag() != "CERTIFICATE" {
        return Err("is PEM, and no certificate".into());
    }
    let certificate = X509::from_der(block.contents()).map_err(|_| "is no certificate")?;
    let own_key = certificate.public_key().is_ok_and(|key| certificate.verify(&key).is_ok_and(|signed| signed));
    let is_root = own_key && certificate.issued(&certificate) == X509VerifyResult::OK;
    // Written anew: what stands around a block is not carried along.
    Ok(Authority { names, pem: pem::encode(block), sha256: openssl::sha::sha256(block.contents()), is_root })
}

pub(super) fn certificates(
    source: &str,
    list: Option<&Value>,
    snis: Option<&Value>,
    report: &mut Report,
) -> Vec<ServerCertificate> {
    let mut certificates = Vec::new();
    for (at, value) in objects(list, &format!("{source}: certificates"), report).into_iter().enumerate() {
        let Some(mut of) = fields(value) else { continue };
        let names = Names { id: text(&mut of, "id"), name: None };
        let place = format!("{source}: {}", names.shown("certificate", at));
        // Which name it is for, it says itself.
        of.skip(&["snis"]);
        let (chain, key) = (text(&mut of, "cert"), text(&mut of, "key").map(Zeroizing::new));
        for alternative in ["cert_alt", "key_alt"] {
            if of.get(alternative).is_some() {
                report.left_out(&place, format!("`{alternative}`: list the pair as another one of `server.tls.certificates`"));
            }
        }
        report.unknown(&place, &of);
        match (chain, key) {
            (Some(chain), Some(key)) if !chain.trim_start().starts_with(VAULT) && !key.trim_start().starts_with(VAULT) => {
                certificates.push(ServerCertificate { chain, key });
            }
            _ => report.left_out(&place, "has no `cert` and `key` in the file"),
        }
    }
    let snis = objects(snis, &format!("{source}: snis"), report);
    if snis.iter().any(|sni| sni.get("certificate").and_then(named).is_some()) {
        report.note(&format!("{source}: snis"), "a certificate is shown for the names that stand in it");
    }
    certificates
}
