//! The metadata of an authorization server on its way to clients (RFC 8414, OpenID Connect Discovery), with what this front adds
//! to it: the endpoints for clients with certificates (RFC 8705 §5), and what certificates are good for (§2, §3.3).
//!
//! What the server says stays. Its document is changed only where it is about the host that was asked for: names of other hosts
//! are not ours to make aliases of.

use reqwest::Url;
use serde_json::{Map, Value, json};

use super::json;
use crate::request_head::RequestTarget;

/// What a route does with metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetadataPolicy {
    /// Whether it says that access tokens are bound to certificates (§3.3).
    pub bound_tokens: bool,
}

/// The largest document that is read, in bytes.
pub const MOST_METADATA_BYTES: usize = 256 * 1024;

/// The front that stands before the server.
pub struct MtlsFront<'f> {
    /// The host name of the domain.
    pub host: &'f str,
    /// The host name where clients are asked for certificates.
    pub mtls_host: &'f str,
    /// Whether access tokens are said to be bound to certificates.
    pub bound_tokens: bool,
    /// By which methods a client may authenticate itself at a path.
    pub methods_at: &'f dyn Fn(&str) -> Vec<&'static str>,
}

/// Why a document stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Untouched {
    /// It is no JSON object, or not one of metadata.
    NotMetadata,
    /// Its `issuer` is on another host than the one that was asked for.
    OtherIssuer,
    /// It has `signed_metadata`, which wins over all else in it (RFC 8414 §2.1), and which only the server can make.
    Signed,
}

/// The endpoints that clients with certificates call themselves. Others, `authorization_endpoint` first, are for browsers.
const ENDPOINTS: [&str; 8] = [
    "token_endpoint",
    "revocation_endpoint",
    "introspection_endpoint",
    "userinfo_endpoint",
    "registration_endpoint",
    "device_authorization_endpoint",
    "pushed_authorization_request_endpoint",
    "backchannel_authentication_endpoint",
];

/// What no alias may be for.
const FOR_BROWSERS: [&str; 2] = ["authorization_endpoint", "end_session_endpoint"];

/// The endpoints that say how clients authenticate themselves there, and what is meant where they do not (RFC 8414 §2).
const METHODS: [(&str, &str, Option<&str>); 3] = [
    ("token_endpoint", "token_endpoint_auth_methods_supported", Some("client_secret_basic")),
    ("revocation_endpoint", "revocation_endpoint_auth_methods_supported", Some("client_secret_basic")),
    ("introspection_endpoint", "introspection_endpoint_auth_methods_supported", None),
];

const WELL_KNOWN: [&str; 2] = ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"];

/// Whether a path is one of a metadata document: of RFC 8414 §3.1 with the issuer's path behind, or of OpenID Connect Discovery
/// §4.1 with it before.
pub fn is_metadata(path: &str) -> bool {
    WELL_KNOWN.iter().any(|known| {
        let behind = path.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        behind || path.ends_with(known)
    })
}

/// The document as clients get it.
///
/// # Errors
/// Why it stays as it is.
pub fn rewritten(document: &[u8], front: &MtlsFront<'_>) -> Result<Vec<u8>, Untouched> {
    let mut document = json::object(document).map_err(|_| Untouched::NotMetadata)?;
    let issuer = document.get("issuer").and_then(Value::as_str).ok_or(Untouched::NotMetadata)?;
    if Url::parse(issuer).ok().and_then(|url| url.host_str().map(str::to_owned)).as_deref() != Some(front.host) {
        return Err(Untouched::OtherIssuer);
    }
    if document.contains_key("signed_metadata") {
        return Err(Untouched::Signed);
    }
    let aliases = aliases(&document, front);
    if aliases.is_empty() {
        document.remove("mtls_endpoint_aliases");
    } else {
        document.insert("mtls_endpoint_aliases".into(), Value::Object(aliases));
    }
    if front.bound_tokens {
        document.insert("tls_client_certificate_bound_access_tokens".into(), json!(true));
    }
    for (endpoint, key, default) in METHODS {
        add_methods(&mut document, endpoint, key, default, front);
    }
    serde_json::to_vec(&document).map_err(|_| Untouched::NotMetadata)
}

/// The server's own aliases, as far as they are for something, and ours for what it has none for.
fn aliases(document: &Map<String, Value>, front: &MtlsFront<'_>) -> Map<String, Value> {
    let own = document.get("mtls_endpoint_aliases").and_then(Value::as_object).into_iter().flatten();
    let fits = |name: &str| {
        name.ends_with("_endpoint") && !FOR_BROWSERS.contains(&name) && document.get(name).is_some_and(Value::is_string)
    };
    let own = own.filter(|(name, alias)| fits(name) && alias.is_string());
    let mut aliases: Map<String, Value> = own.map(|(name, alias)| (name.clone(), alias.clone())).collect();
    for name in ENDPOINTS {
        let Some(mut url) = endpoint(document, name, front.host) else { continue };
        if !aliases.contains_key(name) && url.set_host(Some(front.mtls_host)).is_ok() {
            aliases.insert(name.into(), json!(url.as_str()));
        }
    }
    aliases
}

/// The URL of an endpoint on this host.
fn endpoint(document: &Map<String, Value>, name: &str, host: &str) -> Option<Url> {
    let url = Url::parse(document.get(name)?.as_str()?).ok()?;
    let plain = url.scheme() == "https" && url.username().is_empty() && url.password().is_none();
    (plain && url.host_str() == Some(host)).then_some(url)
}

/// Adds the methods that are checked here, where the server says which ones there are.
fn add_methods(document: &mut Map<String, Value>, name: &str, key: &str, default: Option<&str>, front: &MtlsFront<'_>) {
    let Some(url) = endpoint(document, name, front.host) else { return };
    let Ok(target) = RequestTarget::parse(url.path()) else { return };
    let ours = (front.methods_at)(target.path());
    if ours.is_empty() {
        return;
    }
    if let (None, Some(default)) = (document.get(key), default) {
        document.insert(key.into(), json!([default]));
    }
    let Some(said) = document.get_mut(key).and_then(Value::as_array_mut) else { return };
    for method in ours {
        if !said.iter().any(|known| known == method) {
            said.push(json!(method));
        }
    }
}

#[cfg(test)]
mod tests;
