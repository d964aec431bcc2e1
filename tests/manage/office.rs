//! The office of these tests: the bank with a management API, and a DNS server.

use serde_json::{Value, json};
use vestibule::secret::Pepper;

use crate::bank::{Bank, PEPPER, Request, Tenant, files, good};
use crate::dns_server::DnsServer;
use crate::http_client::{Answer, Client};
use crate::recording_upstream::RecordingUpstream;
use crate::store::Store;
use crate::vestibule_program::{Files, Vestibule};

/// A token with every scope.
pub(crate) const TOKEN: &str = "vestibule_admin_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
/// Every scope.
pub(crate) const SCOPES: [&str; 15] = [
    "read:custom_domains",
    "create:custom_domains",
    "update:custom_domains",
    "delete:custom_domains",
    "read:tenant_settings",
    "update:tenant_settings",
    "read:clients",
    "create:clients",
    "update:clients",
    "delete:clients",
    "read:client_credentials",
    "create:client_credentials",
    "update:client_credentials",
    "delete:client_credentials",
    "read:logs",
];
/// Below which origin domain names stand.
pub(crate) const ORIGIN: &str = "edge.vestibule.example";
/// Where lists and creations go.
pub(crate) const DOMAINS: &str = "/api/v2/custom-domains";

/// Where SDKs that fetch their tokens find the API.
pub(crate) const AUDIENCE: &str = "https://127.0.0.1:{admin}/api/v2/";
/// The secret of the client `ci`, and what it may.
pub(crate) const SECRET: &str = "the-secret-of-ci";
pub(crate) const CLIENT_SCOPES: [&str; 3] = ["read:custom_domains", "create:custom_domains", "read:logs"];

/// The tag of a token or key.
pub(crate) fn tag(secret: &str) -> String {
    Pepper::parse(PEPPER).unwrap().tag(secret.as_bytes()).to_string()
}

/// The token that has one scope.
pub(crate) fn token_of(scope: &str) -> String {
    format!("token-of-{scope}")
}

/// A token as the configuration has it.
pub(crate) fn token(name: &str, secret: &str, scopes: &[&str]) -> String {
    format!("[[management.tokens]]\nname = \"{name}\"\ntag = \"{}\"\nscopes = {scopes:?}\n", tag(secret))
}

/// The lines of `[management]`, and what follows.
pub(crate) fn management(dns: &DnsServer, further: &str) -> String {
    let client = format!(
        "[[management.clients]]\nclient_id = \"ci\"\nclient_secrets = [\"{}\"]\nscopes = {CLIENT_SCOPES:?}\n",
        tag(SECRET)
    );
    let tokens: String = SCOPES.iter().map(|scope| token(scope, &token_of(scope), &[scope])).collect();
    format!(
        "\n[management]\ntenant = \"bank\"\nfront_door = \"nginx\"\norigin_domain = \"{ORIGIN}\"\ndns_servers = [\"{}\"]\n\
         dns_timeout = \"250ms\"\naudience = \"{AUDIENCE}\"\n{further}\n{}{tokens}{client}",
        dns.address(),
        token("ops", TOKEN, &SCOPES),
    )
}

/// Enough of everything for tests that ask often.
pub(crate) const OFTEN: &str = "burst = 1000000\nrequests_per_second = 1000000\nverifications_per_minute = 1000000\n";

/// A configuration with a management API.
pub(crate) fn office_files(upstream: &RecordingUpstream, dns: &DnsServer, further: &str) -> Files {
    files_of(plain(), upstream, dns, further)
}

/// The tenant without aliases of its own.
pub(crate) fn plain() -> Tenant {
    Tenant { top: String::new(), ..Tenant::default() }
}

fn files_of(tenant: Tenant, upstream: &RecordingUpstream, dns: &DnsServer, further: &str) -> Files {
    let mut files = files(&[(tenant, upstream.url())]);
    files[0].1.push_str(&management(dns, further));
    files
}

pub(crate) struct Office {
    pub(crate) bank: Bank,
    pub(crate) dns: DnsServer,
    pub(crate) store: Store,
}

impl Office {
    pub(crate) fn open() -> Self {
        Self::with(OFTEN)
    }

    pub(crate) fn with(further: &str) -> Self {
        Self::over(Store::new(), further)
    }

    pub(crate) fn over(store: Store, further: &str) -> Self {
        Self::whole(plain(), RecordingUpstream::start(), store, further)
    }

    fn whole(tenant: Tenant, upstream: RecordingUpstream, store: Store, further: &str) -> Self {
        let dns = DnsServer::start();
        let mut files = files_of(tenant, &upstream, &dns, further);
        files[0].1.push_str(&store.lines());
        let vestibule = Vestibule::start(&files);
        Self { bank: Bank { vestibule, upstream }, dns, store }
    }

    /// With this tenant.
    pub(crate) fn of(tenant: Tenant) -> Self {
        Self::before(tenant, RecordingUpstream::start())
    }

    /// With this tenant, before this upstream.
    pub(crate) fn before(tenant: Tenant, upstream: RecordingUpstream) -> Self {
        Self::whole(tenant, upstream, Store::new(), OFTEN)
    }

    /// Says whether custom domains have mTLS hosts.
    pub(crate) fn aliases(&self, on: bool) {
        let body = json!({ "mtls": { "enable_endpoint_aliases": on } });
        let answer = self.ask("PATCH", "/api/v2/tenants/settings", Some(body));
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    /// A request to the management API, with the token of everything.
    pub(crate) fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        self.ask_as(TOKEN, method, path, body)
    }

    pub(crate) fn ask_as(&self, token: &str, method: &str, path: &str, body: Option<Value>) -> Answer {
        ask_over(self.bank.vestibule.connect_admin(), token, method, path, body)
    }

    /// Creates a domain.
    pub(crate) fn create(&self, domain: &str) -> Value {
        let answer = self.ask("POST", DOMAINS, Some(new(domain)));
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer.json()
    }

    /// Sets the record of a domain.
    pub(crate) fn prove(&self, domain: &Value) {
        let method = &domain["verification"]["methods"][0];
        self.dns.txt(method["domain"].as_str().unwrap(), method["record"].as_str().unwrap());
    }

    pub(crate) fn verify(&self, domain: &Value) -> Value {
        let answer = self.ask("POST", &format!("{}/verify", path(domain)), None);
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    /// A domain with a key.
    pub(crate) fn ready(&self, domain: &str) -> (Value, String) {
        let created = self.create(domain);
        self.prove(&created);
        let verified = self.verify(&created);
        assert_eq!(verified["status"], "ready", "{verified}");
        let key = verified["cname_api_key"].as_str().unwrap().to_owned();
        (verified, key)
    }

    /// The status of a request on the data plane.
    pub(crate) fn knock(&self, host: &str, key: &str) -> u16 {
        let request = Request::get("/").of(&good()).instead("Host", host).instead("cname-api-key", key);
        self.bank.vestibule.ask(request.text()).status
    }
}

/// What creates a domain.
pub(crate) fn new(domain: &str) -> Value {
    json!({ "domain": domain, "type": "self_managed_certs" })
}

/// The status that a request gets. What is asked is whom a key lets in; a connection that ended without an answer says nothing of
/// that, is told, and asked once more, as a front door would.
pub(crate) fn answered(vestibule: &Vestibule, request: &Request) -> u16 {
    match vestibule.ask(request.text()).status {
        0 => {
            eprintln!("a connection ended without an answer: {}", vestibule.diagnostics());
            vestibule.ask(request.text()).status
        }
        status => status,
    }
}

/// The path of a domain.
pub(crate) fn path(domain: &Value) -> String {
    format!("{DOMAINS}/{}", domain["custom_domain_id"].as_str().unwrap())
}

/// A request to the management API on a connection of its own. Without an answer the status is 0.
pub(crate) fn ask(port: u16, token: &str, method: &str, path: &str, body: Option<Value>) -> Answer {
    ask_over(Client::tcp(port), token, method, path, body)
}

fn ask_over(mut client: Client, token: &str, method: &str, path: &str, body: Option<Value>) -> Answer {
    let body = body.map(|body| body.to_string()).unwrap_or_default();
    client.ask(format!(
        "{method} {path} HTTP/1.1\r\nhost: admin\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    ))
}
