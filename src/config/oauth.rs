//! `[oauth]`: authorization servers whose access tokens are accepted, and their clients.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use zeroize::Zeroizing;

use super::table::Table;
use super::{clients, secret_file};
use crate::oauth::{Clients, Introspection, Issuer, KeySource, SignatureAlgorithm};
use crate::revocation::configured_url;

/// The issuers by their names; none for one with a problem.
pub(super) type Issuers = BTreeMap<String, Option<Arc<Issuer>>>;

/// Clocks that differ by more are wrong (FAPI 2.0 §5.3.2.1).
const MOST_SKEW: Duration = Duration::from_secs(60);
const MOST_CACHE: Duration = Duration::from_secs(60 * 60);

pub(super) fn read(tenant: &Table<'_>, folder: &Path, warnings: &mut Vec<String>) -> (Issuers, Option<Clients>) {
    let Some(oauth) = tenant.table("oauth") else { return (Issuers::new(), None) };
    let named = oauth.named_tables("issuers");
    let issuers = named.into_iter().map(|(name, table)| (name, issuer(table, folder, warnings).map(Arc::new))).collect();
    let clients = clients::read(&oauth, folder);
    oauth.finish();
    (issuers, clients)
}

pub(super) fn issuer(table: Table<'_>, folder: &Path, warnings: &mut Vec<String>) -> Option<Issuer> {
    let issuer = table.required_text("issuer", "what `iss` is, like \"https://as.example\"");
    let url = issuer.as_deref().and_then(|text| endpoint(&table, "issuer", text));
    let audience = table.texts("audience");
    if audience.is_empty() || audience.iter().any(String::is_empty) {
        table.problem("audience", "is missing or empty: tokens for other APIs would be taken", "what `aud` names, one or more");
    }
    let algorithms = algorithms(&table);
    let types = if table.has("token_types") { table.texts("token_types") } else { vec!["at+jwt".to_owned()] };
    let known = |text: &String| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/');
    if types.is_empty() || !types.iter().all(known) {
        let accepted = "values of `typ` without \"application/\", like \"at+jwt\"";
        table.problem("token_types", format!("found `{}`", types.join("`, `")), accepted);
    }
    let clock_skew = table.duration("clock_skew", Duration::from_secs(10));
    if clock_skew > MOST_SKEW || clock_skew.subsec_nanos() > 0 {
        table.problem("clock_skew", format!("found {clock_skew:?}"), "accepted: whole seconds, up to \"60s\"");
    }
    let jwks_uri = table.text("jwks_uri").map(|text| endpoint(&table, "jwks_uri", &text));
    let introspection = introspection(&table, folder, warnings);
    let allow_missing_audience = table.boolean("allow_missing_audience", false);
    if allow_missing_audience && !table.has("introspection_endpoint") {
        let found = "has no effect: it is about answers of an introspection endpoint; JWTs always need `aud`";
        table.problem("allow_missing_audience", found, "`introspection_endpoint` with it");
    }
    if introspection.as_ref().is_some_and(|how| how.as_ref().is_some_and(|how| how.of_every_token)) {
        for key in ["jwks_uri", "algorithms", "token_types"].into_iter().filter(|key| table.has(key)) {
            table.problem(key, "has no effect: `introspect` is `all`", "`introspect` = \"opaque\", or no such key");
        }
    }
    table.finish();
    let (issuer, url) = (issuer?, url?);
    let keys = match jwks_uri {
        Some(url) => KeySource::JwksUri(url?),
        None => KeySource::discovery(&url),
    };
    let introspection = match introspection {
        Some(introspection) => Some(introspection?),
        None => None,
    };
    Some(Issuer { issuer, audience, algorithms, token_types: types, clock_skew, keys, introspection, allow_missing_audience })
}

fn algorithms(table: &Table<'_>) -> Vec<SignatureAlgorithm> {
    let names = table.texts("algorithms");
    let names = if table.has("algorithms") { names } else { SignatureAlgorithm::USUAL.map(str::to_owned).to_vec() };
    let known = SignatureAlgorithm::ALL.map(|known| known.name).join(", ");
    if names.is_empty() {
        table.problem("algorithms", "is empty: no token could be signed", format!("some of {known}"));
    }
    let named = names.iter().filter_map(|name| {
        let algorithm = SignatureAlgorithm::named(name);
        if algorithm.is_none() {
            table.problem("algorithms", format!("found `{name}`"), format!("accepted: {known}"));
        }
        algorithm
    });
    named.collect()
}

/// The outer option is none without an endpoint, the inner one after a problem.
fn introspection(table: &Table<'_>, folder: &Path, warnings: &mut Vec<String>) -> Option<Option<Introspection>> {
    const KEYS: [&str; 4] =
        ["introspection_client_id", "introspection_client_secret_file", "introspection_cache", "introspect"];
    let Some(text) = table.text("introspection_endpoint") else {
        for key in KEYS.into_iter().filter(|key| table.has(key)) {
            table.problem(key, "has no effect: there is no `introspection_endpoint`", "`introspection_endpoint` with it");
        }
        return None;
    };
    let endpoint = endpoint(table, "introspection_endpoint", &text);
    let client_id = table.required_text("introspection_client_id", "the client id that this proxy has at the issuer");
    let file = table.required_text("introspection_client_secret_file", "a file with the client's secret");
    let what = ("the secret of a client", "the secret of `introspection_client_id`, alone");
    let secret = file.and_then(|file| {
        let key = "introspection_client_secret_file";
        let text = secret_file::read(table, key, folder, &file, what, warnings)?;
        let secret = Zeroizing::new(text.trim().to_owned());
        if secret.is_empty() {
            table.problem(key, format!("`{file}` is empty"), "a file with the secret");
        }
        Some(secret)
    });
    let cache = table.duration("introspection_cache", Duration::from_secs(30));
    if cache > MOST_CACHE {
        let found = format!("found {cache:?}: a revoked token would live on for as long");
        table.problem("introspection_cache", found, "accepted: up to \"1h\"");
    }
    let of_every_token = table.choice("introspect", &[("opaque", false), ("all", true)], false);
    let made =
        || Some(Introspection { endpoint: endpoint?, client_id: client_id?, client_secret: secret?, cache, of_every_token });
    Some(made())
}

/// What is believed for where it comes from needs TLS, unless it never leaves the machine.
pub(super) fn endpoint(table: &Table<'_>, key: &str, text: &str) -> Option<Url> {
    let here = |url: &Url| {
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    };
    let url = configured_url(text).ok().filter(|url| (url.scheme() == "https" || here(url)) && url.query().is_none());
    if url.is_none() {
        let accepted = "accepted: \"https://host/path\"; \"http\" only to this machine";
        table.problem(key, format!("found `{text}`"), accepted);
    }
    url
}
