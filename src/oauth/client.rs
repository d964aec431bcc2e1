//! Clients of an authorization server, and what certificates they authenticate themselves with (RFC 8705 §2).

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use reqwest::Url;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::registered::Credential;
use crate::clock::UnixTime;
use crate::x509::certificate::Certificate;
use crate::x509::name_match::{DistinguishedName, RdnOrder};
use crate::x509::subject_alt_name::SubjectAltName;

/// A client.
#[derive(Debug)]
pub struct Client {
    /// Its `client_id`.
    pub id: String,
    /// How it authenticates itself.
    pub method: ClientMethod,
}

/// A client's `token_endpoint_auth_method`.
#[derive(Debug)]
pub enum ClientMethod {
    /// `tls_client_auth`: a certificate of a trusted CA, for this subject.
    Tls(ClientSubject),
    /// `self_signed_tls_client_auth`: one of these certificates.
    SelfSigned(ClientCertificates),
    /// Any other: the authorization server's to check.
    Other,
}

/// The one subject that a client's certificates must have (RFC 8705 §2.1.2).
#[derive(Debug)]
pub enum ClientSubject {
    /// `tls_client_auth_subject_dn`.
    Dn(DistinguishedName, RdnOrder),
    /// One of these, as long as it is in force (Auth0 `cert_subject_dn`): a client has two while it changes its certificate.
    Dns(Vec<Credential<DistinguishedName>>),
    /// `tls_client_auth_san_dns`.
    SanDns(String),
    /// `tls_client_auth_san_email`.
    SanEmail(String),
    /// `tls_client_auth_san_ip`.
    SanIp(IpAddr),
    /// `tls_client_auth_san_uri`.
    SanUri(String),
}

/// Where a client's certificates are registered.
#[derive(Debug)]
pub enum ClientCertificates {
    /// SHA-256 of each.
    Listed(Vec<[u8; 32]>),
    /// The same of each, as long as it is in force (Auth0 `x509_cert`).
    Registered(Vec<Credential<[u8; 32]>>),
    /// A JWK Set at this URL.
    JwksUri(Arc<ClientJwks>),
}

/// A client's JWK Set on the network.
#[derive(Debug)]
pub struct ClientJwks {
    /// Where it is.
    pub url: Url,
    /// Whether its host may have an address that is not of the public internet.
    pub allow_private_addresses: bool,
}

/// The clients of a tenant's configuration, by their ids.
pub type Clients = HashMap<String, Client>;

impl ClientMethod {
    /// Its name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Tls(_) => "tls_client_auth",
            Self::SelfSigned(_) => "self_signed_tls_client_auth",
            Self::Other => "",
        }
    }
}

impl ClientSubject {
    /// Whether a certificate is for this subject. It must be trusted first: anybody can write a name.
    pub(super) fn is_of(&self, certificate: &Certificate, now: UnixTime) -> bool {
        let names = certificate.subject_alt_names().unwrap_or_default();
        let any = |fits: &dyn Fn(&SubjectAltName) -> bool| names.iter().any(fits);
        match self {
            Self::Dn(dn, order) => dn.is(certificate.subject(), *order),
            Self::Dns(names) => {
                let mut in_force = names.iter().filter(|name| name.is_in_force(now));
                in_force.any(|name| name.what.is(certificate.subject(), RdnOrder::Strict))
            }
            Self::SanDns(wanted) => any(&|name| matches!(name, SubjectAltName::Dns(dns) if dns.eq_ignore_ascii_case(wanted))),
            Self::SanEmail(wanted) => any(&|name| matches!(name, SubjectAltName::Email(email) if same_mailbox(email, wanted))),
            Self::SanIp(wanted) => any(&|name| matches!(name, SubjectAltName::Ip(ip) if ip == wanted)),
            Self::SanUri(wanted) => any(&|name| matches!(name, SubjectAltName::Uri(uri) if uri == wanted)),
        }
    }
}

/// The local part is the mail server's own business (RFC 5280 §7.5).
fn same_mailbox(one: &str, other: &str) -> bool {
    match (one.rsplit_once('@'), other.rsplit_once('@')) {
        (Some((one, at)), Some((other, other_at))) => one == other && at.eq_ignore_ascii_case(other_at),
        _ => false,
    }
}

/// The most keys that are read of a set.
const MOST_KEYS: usize = 64;

/// SHA-256 of the certificates that a JWK Set registers: the first of `x5c`, or `x5t#S256`.
///
/// # Errors
/// When it is no set, or registers none.
pub fn registered_certificates(json: &[u8]) -> Result<Vec<[u8; 32]>, String> {
    let set: Value = serde_json::from_slice(json).map_err(|why| format!("the JWK Set is no JSON: {why}"))?;
    let keys = set.get("keys").and_then(Value::as_array).ok_or("the JWK Set has no `keys`")?;
    if keys.len() > MOST_KEYS {
        return Err(format!("the JWK Set has {} keys; {MOST_KEYS} are read", keys.len()));
    }
    let certificates: Vec<[u8; 32]> = keys.iter().filter_map(registered).collect();
    if certificates.is_empty() {
        return Err("no key of the JWK Set has `x5c` or `x5t#S256`".into());
    }
    Ok(certificates)
}

fn registered(jwk: &Value) -> Option<[u8; 32]> {
    let thumbprint = jwk.get("x5t#S256").and_then(Value::as_str);
    let thumbprint = thumbprint.map(|text| URL_SAFE_NO_PAD.decode(text).ok().and_then(|digest| digest.try_into().ok()));
    let Some(x5c) = jwk.get("x5c") else { return thumbprint? };
    // Standard base64 with padding, unlike everything else in a JWK (RFC 7517 §4.7).
    let der = STANDARD.decode(x5c.get(0)?.as_str()?).ok()?;
    let digest: [u8; 32] = Sha256::digest(Certificate::from_der(&der).ok()?.der()).into();
    thumbprint.is_none_or(|thumbprint| thumbprint == Some(digest)).then_some(digest)
}
