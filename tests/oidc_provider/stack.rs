//! openid-client, nginx, Vestibule, and behind it oidc-provider and an API.

use std::fmt::Write as _;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::bank::{DOMAIN, Tenant, files, pem};
use crate::cast::{People, SECRETS, as_pem, jwks, people, registered_at_edge, registered_at_provider, secrets, server_ca};
use crate::front_door::NginxDoor;
use crate::node::{self, Server};
use crate::table::Outcome;
use crate::vestibule_program::Vestibule;

/// Whether those behind Vestibule check certificates and tokens too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behind {
    Checks,
    BelievesEverybody,
}

/// What the clients saw, case by case, with what Vestibule wrote about it.
pub(crate) fn outcomes(behind: Behind) -> Vec<Outcome> {
    let folder = tempfile::tempdir().unwrap();
    let stack = Stack::start(behind, &folder);
    let lines = node::lines("client.js", &stack.settings_of_clients(), folder.path());
    lines.into_iter().map(|line| Outcome::new(line, &stack.vestibule)).collect()
}

struct Stack {
    people: People,
    common: Value,
    provider: Server,
    api: Server,
    vestibule: Vestibule,
    nginx: NginxDoor,
}

impl Stack {
    fn start(behind: Behind, folder: &TempDir) -> Self {
        let people = people();
        let url = format!("https://{DOMAIN}");
        let common = json!({"issuer": url, "api": url, "credulous": behind == Behind::BelievesEverybody});
        let certificate = |name: &str| pem(&people[name].certificate);
        let of_provider = json!({
            "clients": registered_at_provider(&people),
            "registered": {"own": certificate("own"), "published": certificate("published"), "lapsed": certificate("lapsed")},
            "anybody": certificate("app"),
        });
        let provider = Server::start("provider.js", &merged(&common, of_provider), folder.path());
        let of_api = json!({"jwks_uri": format!("{}/jwks", provider.url())});
        let api = Server::start("api.js", &merged(&common, of_api), folder.path());
        let tenant = Tenant { root_route: "/core/".into(), tables: tables(&provider.url(), &api.url()), ..Tenant::default() };
        let mut files = files(&[(tenant, provider.url())]);
        files.extend(["own", "lapsed"].map(|id| (format!("clients/{id}.json"), jwks(&people[id]).to_string())));
        let edge = SECRETS.iter().find(|(id, _)| *id == "edge").unwrap();
        files.push(("secrets/edge".into(), edge.1.into()));
        let vestibule = Vestibule::start(&files);
        let nginx = NginxDoor::open(vestibule.folder(), api.port());
        Self { people, common, provider, api, vestibule, nginx }
    }

    fn settings_of_clients(&self) -> Value {
        let more = json!({
            "people": as_pem(&self.people),
            "secrets": secrets(),
            "ca": server_ca(),
            "front_door": self.nginx.proxy,
            "provider": self.provider.url(),
            "api_server": self.api.url(),
        });
        merged(&self.common, more)
    }
}

fn merged(one: &Value, other: Value) -> Value {
    let mut both = one.clone();
    both.as_object_mut().unwrap().extend(other.as_object().unwrap().clone());
    both
}

/// Endpoints where clients authenticate themselves.
const ENDPOINTS: [&str; 6] =
    ["/token", "/request", "/token/introspection", "/token/revocation", "/device/auth", "/backchannel"];

/// The tenant's tables: the issuer once for each audience, its clients, and the routes.
fn tables(provider: &str, api: &str) -> String {
    let mut text = format!(
        "[upstream_headers]\n\"x-client-certificate\" = \"${{ssl_client_escaped_cert}}\"\n\n[upstreams.api]\nurl = \"{api}\"\n\n"
    );
    let asking = format!(
        "introspection_endpoint = \"{provider}/token/introspection\"\nintrospection_client_id = \"edge\"\n\
         introspection_client_secret_file = \"secrets/edge\"\nintrospection_cache = \"0s\"\n"
    );
    for (name, audience, more) in [
        ("jwt", "/jwt/", ""),
        ("dpop", "/dpop/", ""),
        ("opaque", "/opaque/", asking.as_str()),
        // Tokens for the provider's own endpoint name no audience.
        ("userinfo", "", &format!("{asking}allow_missing_audience = true\n")),
    ] {
        let _ = write!(
            text,
            "[oauth.issuers.{name}]\nissuer = \"https://{DOMAIN}\"\naudience = [\"https://{DOMAIN}{audience}\"]\n\
             jwks_uri = \"{provider}/jwks\"\n{more}\n"
        );
    }
    text += &registered_at_edge(provider);
    let bound = |issuer: &str, more: &str| {
        format!(
            "verification = \"permissive\", certificate_bound_access_tokens = \"require\", access_token_issuer = \"{issuer}\"{more}"
        )
    };
    let clients = "verification = \"permissive\", tls_client_auth = true, self_signed_tls_client_auth = true".to_owned();
    let off = "verification = \"off\"".to_owned();
    let mut routes = vec![
        ("/jwt/", "api", bound("jwt", ", required_scopes = [\"accounts\"]")),
        ("/opaque/", "api", bound("opaque", "")),
        ("/guarded/", "api", bound("jwt", "")),
        ("/dpop/", "api", bound("dpop", ", dpop_bound_access_tokens = \"pass\"")),
        ("/open/", "api", off.clone()),
        ("/me", "core", bound("userinfo", "")),
    ];
    routes.extend(ENDPOINTS.map(|path| (path, "core", clients.clone())));
    let metadata = "verification = \"off\", authorization_server_metadata = \"rewrite\"".to_owned();
    routes.push(("/.well-known/", "core", metadata));
    // What nothing is asked for: documents, pages for browsers, and whatever else the provider has.
    routes.push(("/", "core", off));
    for (path, upstream, policy) in routes {
        let _ = write!(text, "[[routes]]\npath = \"{path}\"\nupstream = \"{upstream}\"\npolicy = {{ {policy} }}\n\n");
    }
    text
}
