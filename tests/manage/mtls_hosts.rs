//! By which of its names a custom domain is asked for, and what hangs on it: clients with certificates belong to its mTLS host.

use serde_json::json;

use crate::bank::{DOMAIN, KEY, Person, Request, Tenant};
use crate::oauth_clients::{at_token, itself, new, tenant, x509_cert};
use crate::office::Office;
use crate::recording_upstream::{RecordingUpstream, reply};

const HOST: &str = "a.customer.example";
const MTLS: &str = "mtls.a.customer.example";

struct Customer {
    office: Office,
    origin: String,
    key: String,
    app: Person,
}

impl Customer {
    fn of(tenant: Tenant) -> Self {
        let office = Office::of(tenant);
        let (domain, key) = office.ready(HOST);
        let app = itself("app");
        let body = new("app", "self_signed_tls_client_auth", &x509_cert(&app.certificate));
        assert_eq!(office.ask("POST", "/api/v2/clients", Some(body)).status, 201);
        Self { office, origin: domain["origin_domain_name"].as_str().unwrap().to_owned(), key, app }
    }

    fn at(&self, host: &str) -> Request {
        at_token(host, &self.key, "app").of(&self.app)
    }

    /// The host that the upstream is asked by, or the refusal and its cause.
    #[track_caller]
    fn outcome(&self, request: &Request) -> String {
        let vestibule = &self.office.bank.vestibule;
        let answer = vestibule.ask(request.text());
        let received = self.office.bank.upstream.take();
        if answer.status == 200 {
            return received[0].header("x-forwarded-host").to_owned();
        }
        assert_eq!(received.len(), 0);
        let line = vestibule.access_line(&answer);
        format!("{}: {}", line["refusal.code"].as_str().unwrap(), line["refusal.cause"].as_str().unwrap())
    }

    #[track_caller]
    fn is_beside(&self, request: &Request) {
        let outcome = self.outcome(request);
        assert!(outcome.starts_with("oauth_client_refused: ") && outcome.contains("must come to the mTLS host"), "{outcome}");
    }

    #[track_caller]
    fn is_refused(&self, request: &Request, code: &str) {
        let outcome = self.outcome(request);
        assert!(outcome.starts_with(&format!("{code}: ")), "{outcome}");
    }
}

#[test]
fn the_setting_of_the_store_says_where_clients_with_certificates_belong() {
    let customer = Customer::of(tenant(""));
    for on in [false, true, false] {
        customer.office.aliases(on);
        if on {
            customer.is_beside(&customer.at(HOST));
            assert_eq!(customer.outcome(&customer.at(MTLS)), MTLS);
        } else {
            assert_eq!(customer.outcome(&customer.at(HOST)), HOST);
            customer.is_refused(&customer.at(MTLS), "unknown_domain");
        }
        // Auth0's front door asks by the origin domain name for both: who was asked for a certificate is where it belongs.
        assert_eq!(customer.outcome(&customer.at(&customer.origin)), HOST);
        let nobody = at_token(&customer.origin, &customer.key, "app").of_nobody();
        customer.is_refused(&nobody, "oauth_client_refused");
        customer.is_refused(&customer.at(&format!("mtls.{}", customer.origin)), "unknown_domain");
    }
    // The tenant's own domains follow its file, which says nothing of aliases.
    customer.office.aliases(true);
    assert_eq!(customer.outcome(&at_token(DOMAIN, KEY, "app").of(&customer.app)), DOMAIN);
    customer.is_refused(&at_token(&format!("mtls.{DOMAIN}"), KEY, "app").of(&customer.app), "unknown_domain");
}

#[test]
fn aliases_of_the_file_are_for_the_domains_of_the_file() {
    let customer = Customer::of(Tenant { top: "enable_mtls_endpoint_aliases = true\n".into(), ..tenant("") });
    assert_eq!(customer.outcome(&customer.at(HOST)), HOST);
    customer.is_refused(&customer.at(MTLS), "unknown_domain");
    customer.is_beside(&at_token(DOMAIN, KEY, "app").of(&customer.app));
    let alias = format!("mtls.{DOMAIN}");
    assert_eq!(customer.outcome(&at_token(&alias, KEY, "app").of(&customer.app)), alias);
}

#[test]
fn behind_an_origin_domain_name_the_handshake_says_which_host_it_was() {
    for required in [false, true] {
        let door_lines = format!("headers.ssl_server_name = \"ssl-server-name\"\nrequire_sni = {required}\n");
        let customer = Customer::of(Tenant { door_lines, ..tenant("") });
        customer.office.aliases(true);
        let of = |sni: &str| customer.at(&customer.origin).with("ssl-server-name", sni);
        customer.is_beside(&of(HOST));
        customer.is_beside(&of("A.Customer.Example."));
        assert_eq!(customer.outcome(&of(MTLS)), MTLS);
        assert_eq!(customer.outcome(&of("MTLS.a.customer.example")), MTLS);
        // A name that is none of the domain's tells nothing; where the handshake must fit, it does not.
        for strange in ["b.customer.example", "mtls.b.customer.example", "", customer.origin.as_str()] {
            match required {
                true => customer.is_refused(&of(strange), "sni_mismatch"),
                false => assert_eq!(customer.outcome(&of(strange)), HOST, "{strange}"),
            }
        }
        // Where `Host` says it, the handshake does not say otherwise.
        let both = customer.at(HOST).with("ssl-server-name", MTLS);
        match required {
            true => customer.is_refused(&both, "sni_mismatch"),
            false => customer.is_beside(&both),
        }
        // Without the alias there is no such name.
        customer.office.aliases(false);
        match required {
            true => customer.is_refused(&of(MTLS), "sni_mismatch"),
            false => assert_eq!(customer.outcome(&of(MTLS)), HOST),
        }
    }
}

#[test]
fn metadata_tells_of_the_mtls_host_while_there_is_one() {
    let upstream = RecordingUpstream::answering(|received, stream| {
        let host = received.header("host");
        let document = json!({ "issuer": format!("https://{host}"), "token_endpoint": format!("https://{host}/token") });
        reply(stream, "content-type: application/json\r\n", document.to_string().as_bytes())
    });
    let mut tenant = tenant("");
    tenant.tables.push_str(
        "[[routes]]\npath = \"/.well-known/\"\nupstream = \"core\"\n\
         policy = { verification = \"off\", authorization_server_metadata = \"rewrite\" }\n",
    );
    tenant.upstream_lines = "host = \"preserve\"\n".into();
    let office = Office::before(tenant, upstream);
    let (domain, key) = office.ready(HOST);
    let document = |host: &str| {
        let request = Request::get("/.well-known/openid-configuration").instead("Host", host).instead("cname-api-key", &key);
        office.bank.vestibule.ask(request.of_nobody().text()).json()
    };
    let origin = domain["origin_domain_name"].as_str().unwrap();
    assert_eq!(document(HOST).get("mtls_endpoint_aliases"), None);
    office.aliases(true);
    for host in [HOST, MTLS, origin] {
        let shown = document(host);
        assert_eq!(shown["mtls_endpoint_aliases"], json!({ "token_endpoint": format!("https://{MTLS}/token") }), "{host}");
        let methods = json!(["client_secret_basic", "tls_client_auth", "self_signed_tls_client_auth"]);
        assert_eq!(shown["token_endpoint_auth_methods_supported"], methods, "{host}");
    }
    office.aliases(false);
    assert_eq!(document(HOST).get("mtls_endpoint_aliases"), None);
}

#[test]
fn explain_knows_what_the_store_holds() {
    let mut customer = Customer::of(tenant(""));
    customer.office.aliases(true);
    let request = customer.at(MTLS).text_lossy();
    let explain = |customer: &Customer| {
        let folder = customer.office.bank.vestibule.folder().to_str().unwrap().to_owned();
        let head = request.split("\r\n\r\n").next().unwrap().to_owned();
        let program = std::process::Command::new(env!("CARGO_BIN_EXE_vestibule"))
            .args(["explain", "--config", &folder])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn();
        let mut program = program.unwrap();
        std::io::Write::write_all(&mut program.stdin.take().unwrap(), head.as_bytes()).unwrap();
        let output = program.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    // A process that serves may have the store alone; then that is said.
    let said = explain(&customer);
    let known = said.contains(&format!("for `{HOST}`, key 0"));
    assert!(known || (said.contains("store          not read") && said.contains("unknown_domain")), "{said}");
    customer.office.bank.vestibule.signal("TERM");
    assert!(customer.office.bank.vestibule.wait_for_end().success());
    let said = explain(&customer);
    for line in [
        format!("`nginx` for `{HOST}`, key 0 (`"),
        format!("its origin domain name is `{}`", customer.origin),
        "asked by     its mTLS host".to_owned(),
    ] {
        assert!(said.contains(&line), "{line}: {said}");
    }
    // Explaining is no use of a key: nothing was written.
    let store = customer.office.bank.vestibule.folder().join("vestibule.sqlite");
    std::fs::remove_file(store).unwrap();
    let said = explain(&customer);
    assert!(said.contains("store          not read") && said.contains("unknown_domain"), "{said}");
    assert!(!customer.office.bank.vestibule.folder().join("vestibule.sqlite").exists());
}
