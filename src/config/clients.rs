//! `[[oauth.clients]]`: clients of an authorization server, by RFC 7591's and RFC 8705's names.

use std::collections::hash_map::Entry;
use std::path::Path;
use std::sync::Arc;

use super::oauth::endpoint;
use super::table::Table;
use crate::oauth::{Client, ClientCertificates, ClientJwks, ClientMethod, ClientSubject, Clients, registered_certificates};
use crate::x509::name_match::{DistinguishedName, RdnOrder};

const METHODS: [(&str, Method); 7] = [
    ("tls_client_auth", Method::Tls),
    ("self_signed_tls_client_auth", Method::SelfSigned),
    ("private_key_jwt", Method::Other),
    ("client_secret_jwt", Method::Other),
    ("client_secret_basic", Method::Other),
    ("client_secret_post", Method::Other),
    ("none", Method::Other),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    Other,
    SelfSigned,
    Tls,
}

const SUBJECTS: [&str; 5] = [
    "tls_client_auth_subject_dn",
    "tls_client_auth_san_dns",
    "tls_client_auth_san_uri",
    "tls_client_auth_san_ip",
    "tls_client_auth_san_email",
];
const CERTIFICATES: [&str; 3] = ["jwks_file", "jwks_uri", "allow_private_addresses"];

pub(super) fn read(oauth: &Table<'_>, folder: &Path) -> Option<Clients> {
    if !oauth.has("clients") {
        return None;
    }
    let mut clients = Clients::new();
    for table in oauth.tables("clients") {
        let Some(client) = client(table, folder) else { continue };
        match clients.entry(client.id.clone()) {
            Entry::Occupied(taken) => {
                oauth.problem(
                    "clients",
                    format!("two have the client_id `{}`", taken.key()),
                    "a client_id of its own for each",
                );
            }
            Entry::Vacant(free) => {
                free.insert(client);
            }
        }
    }
    Some(clients)
}

fn client(table: Table<'_>, folder: &Path) -> Option<Client> {
    let id = table.required_text("client_id", "the client's id at the authorization server");
    // It goes into a header, and RFC 6749 §A.1 has nothing else.
    if let Some(id) = id.as_ref().filter(|id| id.is_empty() || !id.bytes().all(|byte| (0x20..=0x7E).contains(&byte))) {
        table.problem("client_id", format!("found `{id}`"), "printable ASCII");
    }
    table.required_text("token_endpoint_auth_method", &METHODS.map(|(name, _)| name).join(", "));
    let method = table.choice("token_endpoint_auth_method", &METHODS, Method::Other);
    let unused: &[&str] = match method {
        Method::Tls => &CERTIFICATES,
        Method::SelfSigned => &["rdn_order"],
        Method::Other => &["rdn_order", "jwks_file", "jwks_uri", "allow_private_addresses"],
    };
    let subjects: &[&str] = if method == Method::Tls { &[] } else { &SUBJECTS };
    for key in unused.iter().chain(subjects).filter(|key| table.has(key)) {
        table.problem(key, "has no effect with this `token_endpoint_auth_method`", "no such key, or another method");
    }
    let method = match method {
        Method::Tls => subject(&table).map(ClientMethod::Tls),
        Method::SelfSigned => certificates(&table, folder).map(ClientMethod::SelfSigned),
        Method::Other => Some(ClientMethod::Other),
    };
    table.finish();
    Some(Client { id: id?, method: method? })
}

fn subject(table: &Table<'_>) -> Option<ClientSubject> {
    let written: Vec<&str> = SUBJECTS.into_iter().filter(|key| table.has(key)).collect();
    let [key] = written.as_slice() else {
        let found = format!("found {} of the keys that say whose certificate it must be", written.len());
        table.problem("token_endpoint_auth_method", found, format!("exactly one of {}", SUBJECTS.join(", ")));
        return None;
    };
    let orders = [("strict", RdnOrder::Strict), ("any", RdnOrder::Any)];
    let order = table.choice("rdn_order", &orders, RdnOrder::Strict);
    if table.has("rdn_order") && *key != "tls_client_auth_subject_dn" {
        table.problem("rdn_order", format!("has no effect beside `{key}`"), "`tls_client_auth_subject_dn` with it");
    }
    let ascii = |text: &str, fits: bool, accepted: &str| {
        if fits && text.is_ascii() && !text.contains(char::is_whitespace) {
            Ok(text.to_owned())
        } else {
            Err(format!("accepted: {accepted}"))
        }
    };
    match *key {
        "tls_client_auth_subject_dn" => {
            let read = |text: &str| {
                DistinguishedName::parse(text)
                    .map_err(|why| format!("{why}; accepted: a name as RFC 4514 has it, like \"CN=app,O=Bank,C=BR\""))
            };
            table.parsed(key, read).map(|dn| ClientSubject::Dn(dn, order))
        }
        "tls_client_auth_san_dns" => {
            let read =
                |text: &str| ascii(text, !text.is_empty() && !text.contains('*'), "a whole DNS name, like \"app.example\"");
            table.parsed(key, read).map(ClientSubject::SanDns)
        }
        "tls_client_auth_san_uri" => {
            let read = |text: &str| ascii(text, text.contains(':'), "a URI, like \"spiffe://bank.example/app\"");
            table.parsed(key, read).map(ClientSubject::SanUri)
        }
        "tls_client_auth_san_ip" => {
            let read = |text: &str| text.parse().map_err(|_| "accepted: an address, like \"2001:db8::42\"".to_owned());
            table.parsed(key, read).map(ClientSubject::SanIp)
        }
        _ => {
            let read = |text: &str| ascii(text, text.contains('@'), "an address, like \"app@bank.example\"");
            table.parsed(key, read).map(ClientSubject::SanEmail)
        }
    }
}

fn certificates(table: &Table<'_>, folder: &Path) -> Option<ClientCertificates> {
    let accepted = "a file with a JWK Set whose keys have `x5c` or `x5t#S256`";
    if table.has("jwks_file") == table.has("jwks_uri") {
        table.problem("jwks_uri", "found neither or both of `jwks_file` and `jwks_uri`", "exactly one of the two");
    }
    if let Some(file) = table.text("jwks_file") {
        if table.has("allow_private_addresses") {
            table.problem("allow_private_addresses", "has no effect beside `jwks_file`", "`jwks_uri` with it");
        }
        let read = std::fs::read(folder.join(&file)).map_err(|why| format!("cannot be read: {why}"));
        let read = read.and_then(|json| registered_certificates(&json));
        return match read {
            Ok(listed) => Some(ClientCertificates::Listed(listed)),
            Err(why) => {
                table.problem("jwks_file", format!("`{file}`: {why}"), accepted);
                None
            }
        };
    }
    let allow_private_addresses = table.boolean("allow_private_addresses", false);
    let url = table.text("jwks_uri").and_then(|text| endpoint(table, "jwks_uri", &text))?;
    Some(ClientCertificates::JwksUri(Arc::new(ClientJwks { url, allow_private_addresses })))
}
