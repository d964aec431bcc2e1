//! Who takes part: certificates, and clients as the provider and as Vestibule know them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::bank::{Person, REVOKED, alternative_names, authorities, expired, good, leaf, pem, person, person_of};
use crate::pki::{Ca, Leaf, new_key, self_signed_by};

/// Whoever may present a certificate.
pub(crate) type People = BTreeMap<String, Person>;

fn itself(leaf: &Leaf) -> Person {
    let key = new_key();
    Person { certificate: self_signed_by(leaf, &key), key }
}

/// The client `app` of a trusted CA and everybody of the same name; clients with certificates of their own and their doubles.
pub(crate) fn people() -> People {
    let app = || Leaf { extra: vec![("2.5.29.17", false, alternative_names())], ..leaf("app") };
    let mut people = People::new();
    let mut add = |name: &str, person: Person| people.insert(name.to_owned(), person);
    add("app", person(&app()));
    add("renewed", person(&app()));
    add("wrong", good());
    add("stranger", person_of(&authorities().stranger, &app()));
    add("itself", itself(&app()));
    add("expired", person(&Leaf { dates: expired(), ..app() }));
    add("revoked", person(&Leaf { serial: REVOKED, ..app() }));
    add("signer", itself(&leaf("signer")));
    add("phone", itself(&leaf("phone")));
    add("lapsed", itself(&Leaf { dates: expired(), ..leaf("lapsed") }));
    for own in SELF_SIGNED {
        let holder = itself(&leaf(own));
        let same_key = Person { certificate: self_signed_by(&leaf(own), &holder.key), key: holder.key.clone() };
        add(&format!("{own} again"), itself(&leaf(own)));
        add(&format!("{own} renewed"), same_key);
        add(&format!("{own} by CA"), person(&leaf(own)));
        add(own, holder);
    }
    people
}

/// Clients with certificates of their own: one known by `jwks`, one by `jwks_uri`.
pub(crate) const SELF_SIGNED: [&str; 2] = ["own", "published"];

/// Clients with a certificate of a CA, and how they are registered.
pub(crate) const NAMED: [(&str, &str, &str); 5] = [
    ("dn", "tls_client_auth_subject_dn", "CN=app,O=Vestibule Test"),
    ("dns", "tls_client_auth_san_dns", "app.bank.example"),
    ("uri", "tls_client_auth_san_uri", "spiffe://bank.example/app"),
    ("ip", "tls_client_auth_san_ip", "2001:db8::42"),
    ("email", "tls_client_auth_san_email", "App@bank.example"),
];

/// Clients with a secret.
pub(crate) const SECRETS: [(&str, &str); 3] =
    [("plain", "the secret of plain"), ("dpop", "the secret of dpop"), ("edge", "the secret of edge")];

pub(crate) fn secrets() -> Value {
    json!(BTreeMap::from(SECRETS))
}

const CREDENTIALS: &str = "client_credentials";
const CODE: &str = "authorization_code";
const REFRESH: &str = "refresh_token";
const CIBA: &str = "urn:openid:params:grant-type:ciba";
const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// The clients' metadata (RFC 7591, RFC 8705), as the provider takes it.
pub(crate) fn registered_at_provider(people: &People) -> Value {
    let client = |id: &str, method: &str, grants: &[&str]| {
        let by_code = grants.contains(&CODE);
        json!({
            "client_id": id,
            "token_endpoint_auth_method": method,
            "grant_types": grants,
            "response_types": if by_code { json!(["code"]) } else { json!([]) },
            "redirect_uris": if by_code { json!(["https://app.example/callback"]) } else { json!([]) },
        })
    };
    let bound = |mut client: Value| {
        client["tls_client_certificate_bound_access_tokens"] = json!(true);
        client
    };
    let mut clients = Vec::new();
    for (id, field, value) in NAMED {
        let all: &[&str] = &[CREDENTIALS, CODE, REFRESH, CIBA, DEVICE];
        let mut client = bound(client(id, "tls_client_auth", if id == "dn" { all } else { &all[..1] }));
        client[field] = json!(value);
        if id == "dn" {
            client["backchannel_token_delivery_mode"] = json!("poll");
        }
        clients.push(client);
    }
    for own in SELF_SIGNED.into_iter().chain(["lapsed"]) {
        let mut client = bound(client(own, "self_signed_tls_client_auth", &[CREDENTIALS]));
        client["certificate"] = json!(pem(&people[own].certificate));
        client["at_jwks_uri"] = json!(own == "published");
        clients.push(client);
    }
    let mut signer = bound(client("signer", "private_key_jwt", &[CREDENTIALS]));
    signer["certificate"] = json!(pem(&people["signer"].certificate));
    clients.push(signer);
    clients.push(bound(client("public", "none", &[CODE, REFRESH])));
    for (id, secret) in SECRETS {
        let mut client = client(id, "client_secret_basic", &[CREDENTIALS]);
        client["client_secret"] = json!(secret);
        client["dpop_bound_access_tokens"] = json!(id == "dpop");
        clients.push(client);
    }
    json!(clients)
}

/// The same clients for Vestibule; documents of clients are at the provider's.
pub(crate) fn registered_at_edge(provider: &str) -> String {
    let mut text = String::new();
    let mut client = |id: &str, method: &str, lines: &str| {
        let _ = write!(text, "[[oauth.clients]]\nclient_id = \"{id}\"\ntoken_endpoint_auth_method = \"{method}\"\n{lines}\n");
    };
    for (id, field, value) in NAMED {
        client(id, "tls_client_auth", &format!("{field} = \"{value}\""));
    }
    for own in ["own", "lapsed"] {
        client(own, "self_signed_tls_client_auth", &format!("jwks_file = \"clients/{own}.json\""));
    }
    let at_uri = format!("jwks_uri = \"{provider}/client-jwks/published\"\nallow_private_addresses = true");
    client("published", "self_signed_tls_client_auth", &at_uri);
    client("signer", "private_key_jwt", "");
    client("public", "none", "");
    for (id, _) in SECRETS {
        client(id, "client_secret_basic", "");
    }
    text
}

/// The JWK Set of a client.
pub(crate) fn jwks(person: &Person) -> Value {
    json!({"keys": [{"kty": "EC", "crv": "P-256", "x5c": [STANDARD.encode(person.certificate.to_der().unwrap())]}]})
}

/// Certificates and keys, for programs that are not ours.
pub(crate) fn as_pem(people: &People) -> Value {
    let pair = |person: &Person| {
        let key = String::from_utf8(person.key.private_key_to_pem_pkcs8().unwrap()).unwrap();
        json!({"cert": pem(&person.certificate), "key": key})
    };
    people.iter().map(|(name, person)| (name.clone(), pair(person))).collect()
}

/// The server's CA.
pub(crate) fn server_ca() -> String {
    let root: &Ca = &authorities().root;
    pem(&root.certificate)
}
