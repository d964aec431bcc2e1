//! Clients of the management API at the token endpoint of the data plane: they come, change and go without a reload.

use openssl::x509::X509;
use serde_json::{Value, json};

use crate::bank::{Person, Request, Tenant, authorities, leaf, pem, person, person_of};
use crate::http_client::Answer;
use crate::office::{Office, plain};
use crate::pki::{Leaf, new_key, self_signed_by};
use crate::vestibule_program::wait_until;

const CLIENTS: &str = "/api/v2/clients";
const HOST: &str = "a.customer.example";
const CONFIGURED: &str = "[[oauth.clients]]\nclient_id = \"configured\"\ntoken_endpoint_auth_method = \"private_key_jwt\"\n";

/// A tenant whose token endpoint takes both methods.
pub(crate) fn tenant(clients: &str) -> Tenant {
    let policy = "verification = \"permissive\", tls_client_auth = true, self_signed_tls_client_auth = true";
    let tables = format!("{clients}[[routes]]\npath = \"/token\"\nupstream = \"core\"\npolicy = {{ {policy} }}\n");
    Tenant { tables, ..plain() }
}

pub(crate) fn itself(name: &str) -> Person {
    let key = new_key();
    Person { certificate: self_signed_by(&leaf(name), &key), key }
}

/// What creates a client with one credential.
pub(crate) fn new(id: &str, method: &str, credential: &Value) -> Value {
    json!({ "client_id": id, "name": id, "client_authentication_methods": { method: { "credentials": [credential] } } })
}

pub(crate) fn x509_cert(certificate: &X509) -> Value {
    json!({ "credential_type": "x509_cert", "pem": pem(certificate) })
}

fn subject(text: &str) -> Value {
    json!({ "credential_type": "cert_subject_dn", "subject_dn": text })
}

/// A client at the token endpoint, as the front door of a domain forwards it.
pub(crate) fn at_token(host: &str, key: &str, id: &str) -> Request {
    Request::new("POST", "/token")
        .instead("Host", host)
        .instead("cname-api-key", key)
        .with("Content-Type", "application/x-www-form-urlencoded")
        .body(format!("client_id={id}").as_bytes())
}

struct Customer {
    office: Office,
    key: String,
}

impl Customer {
    fn with(clients: &str) -> Self {
        let office = Office::of(tenant(clients));
        let (_, key) = office.ready(HOST);
        Self { office, key }
    }

    fn change(&self, method: &str, path: &str, body: Value, status: u16) -> Value {
        let answer = self.office.ask(method, &format!("{CLIENTS}{path}"), Some(body).filter(|body| !body.is_null()));
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text());
        if answer.body.is_empty() { Value::Null } else { answer.json() }
    }

    fn asks(&self, id: &str, person: &Person) -> Answer {
        self.office.bank.vestibule.ask(at_token(HOST, &self.key, id).of(person).text())
    }

    /// Status and code of a refusal, or what the upstream is told.
    #[track_caller]
    fn outcome(&self, id: &str, person: &Person) -> String {
        let answer = self.asks(id, person);
        if answer.status == 200 {
            let received = self.office.bank.upstream.take_one();
            let told = (received.header("x-vestibule-client-id"), received.header("x-vestibule-client-auth-method"));
            return format!("{} by {}", told.0, told.1);
        }
        assert_eq!(answer.json()["error"], "invalid_client");
        self.office.bank.refused(&answer, 401)
    }
}

const REFUSED: &str = "oauth_client_refused";
const UNKNOWN: &str = "oauth_client_unknown";
const SELF_SIGNED: &str = "app by self_signed_tls_client_auth";
const BY_NAME: &str = "app by tls_client_auth";

#[test]
fn a_client_passes_with_the_certificates_that_it_has_now() {
    let customer = Customer::with("");
    let (first, second, other) = (itself("app"), itself("app"), itself("app"));
    assert_eq!(customer.outcome("app", &first), UNKNOWN);
    customer.change("POST", "", new("app", "self_signed_tls_client_auth", &x509_cert(&first.certificate)), 201);
    assert_eq!(customer.outcome("app", &first), SELF_SIGNED);
    let answer = customer.asks("app", &first);
    let line = customer.office.bank.vestibule.access_line(&answer);
    assert_eq!((&line["oauth.client_id"], &line["oauth.client_source"]), (&json!("app"), &json!("store")), "{line}");
    assert_eq!(line["forward.domain"], HOST);
    assert!(line["forward.origin_domain_name"].as_str().unwrap().starts_with("bank-cd-"), "{line}");
    assert!(line["forward.key_id"].is_string() && line["forward.key"] == 0, "{line}");
    customer.office.bank.upstream.take_one();
    assert_eq!(customer.outcome("app", &other), REFUSED);

    // A second one counts when the client is told to use it, and the first one no longer when it is not named.
    let first_id = customer.change("GET", "/app/credentials", Value::Null, 200)[0]["id"].clone();
    let added = customer.change("POST", "/app/credentials", x509_cert(&second.certificate), 201);
    assert_eq!(customer.outcome("app", &second), REFUSED);
    let using = |ids: &[&Value]| {
        let ids: Vec<Value> = ids.iter().map(|id| json!({ "id": id })).collect();
        json!({ "client_authentication_methods": { "self_signed_tls_client_auth": { "credentials": ids } } })
    };
    customer.change("PATCH", "/app", using(&[&first_id, &added["id"]]), 200);
    assert_eq!([&first, &second].map(|person| customer.outcome("app", person)), [SELF_SIGNED; 2]);
    customer.change("PATCH", "/app", using(&[&added["id"]]), 200);
    assert_eq!([&first, &second].map(|person| customer.outcome("app", person)), [REFUSED, SELF_SIGNED]);

    // Its end, another method, and gone.
    let credential = format!("/app/credentials/{}", added["id"].as_str().unwrap());
    customer.change("PATCH", &credential, json!({ "expires_at": "2020-01-01T00:00:00.000Z" }), 201);
    assert_eq!(customer.outcome("app", &second), REFUSED);
    customer.change("PATCH", &credential, json!({ "expires_at": "2099-01-01T00:00:00.000Z" }), 201);
    assert_eq!(customer.outcome("app", &second), SELF_SIGNED);
    let secret = json!({ "client_authentication_methods": null, "token_endpoint_auth_method": "client_secret_post" });
    customer.change("PATCH", "/app", secret, 200);
    assert_eq!(customer.outcome("app", &second), " by ");
    customer.change("DELETE", "/app", Value::Null, 204);
    assert_eq!(customer.outcome("app", &second), UNKNOWN);
}

#[test]
fn a_subject_counts_where_a_trusted_ca_wrote_it() {
    let customer = Customer::with("");
    let app = person(&leaf("app"));
    let stranger = person_of(&authorities().stranger, &leaf("app"));
    let pem = json!({ "credential_type": "cert_subject_dn", "pem": pem(&app.certificate) });
    for credential in [pem, subject("O=Vestibule Test\nCN=app"), subject("cn=APP, o=vestibule test")] {
        customer.change("POST", "", new("app", "tls_client_auth", &credential), 201);
        let outcomes = [&app, &person(&leaf("app")), &person(&leaf("other")), &stranger, &itself("app")];
        let outcomes = outcomes.map(|person| customer.outcome("app", person));
        assert_eq!(outcomes, [BY_NAME, BY_NAME, REFUSED, REFUSED, REFUSED], "{credential}");
        customer.change("DELETE", "/app", Value::Null, 204);
    }
    for other in ["CN=app\nO=Vestibule Test", "O=Vestibule Test,CN=app", "CN=app"] {
        customer.change("POST", "", new("app", "tls_client_auth", &subject(other)), 201);
        assert_eq!(customer.outcome("app", &app), REFUSED, "{other}");
        customer.change("DELETE", "/app", Value::Null, 204);
    }
    // What cannot be read could never pass.
    for bad in ["O=Vestibule Test,C=BR\nCN=app", "nobody=app", "CN=app\n\nO=Vestibule Test"] {
        let why = customer.change("POST", "", new("app", "tls_client_auth", &subject(bad)), 400);
        assert_eq!(why["errorCode"], "invalid_body", "{bad}: {why}");
    }
}

#[test]
fn clients_are_there_after_a_crash() {
    let mut customer = Customer::with("");
    let (own, named) = (itself("app"), person(&Leaf { attributes: vec![("2.5.4.10", "Bank, Ltd".into())], ..leaf("client") }));
    customer.change("POST", "", new("app", "self_signed_tls_client_auth", &x509_cert(&own.certificate)), 201);
    let pem = json!({ "credential_type": "cert_subject_dn", "pem": pem(&named.certificate) });
    customer.change("POST", "", new("named", "tls_client_auth", &pem), 201);
    customer.office.bank.vestibule.kill_and_restart();
    assert_eq!(customer.outcome("app", &own), SELF_SIGNED);
    assert_eq!(customer.outcome("named", &named), "named by tls_client_auth");
}

#[test]
fn a_client_has_one_place() {
    let customer = Customer::with(CONFIGURED);
    let own = itself("app");
    let credential = x509_cert(&own.certificate);
    let answer = customer.change("POST", "", new("configured", "self_signed_tls_client_auth", &credential), 409);
    assert_eq!(answer["errorCode"], "client_exists");
    assert!(answer["message"].as_str().unwrap().contains("tenants/bank.toml"), "{answer}");
    customer.change("POST", "", new("app", "self_signed_tls_client_auth", &credential), 201);
    let answer = customer.change("POST", "", new("app", "self_signed_tls_client_auth", &credential), 409);
    assert!(answer["message"].as_str().unwrap().contains("the store"), "{answer}");
    // The file takes nobody's place either: the configuration before it stays in force.
    let vestibule = &customer.office.bank.vestibule;
    let both = format!("{CONFIGURED}{}", CONFIGURED.replace("configured", "app"));
    vestibule.replace_file("tenants/bank.toml", &tenant(&both).text(&customer.office.bank.upstream.url()));
    vestibule.wait_for_diagnostics("the client `app` is in the store too");
    assert_eq!(customer.outcome("app", &own), SELF_SIGNED);
    customer.change("DELETE", "/app", Value::Null, 204);
    vestibule.signal("HUP");
    // Now it is the file's: another method, left to the authorization server.
    wait_until(|| customer.outcome("app", &own) == " by ", || "the file's client is not taken".into());
    let answer = customer.change("POST", "", new("app", "self_signed_tls_client_auth", &credential), 409);
    assert_eq!(answer["errorCode"], "client_exists");
}
