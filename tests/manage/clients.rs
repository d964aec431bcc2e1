//! Clients and the certificates that they authenticate themselves with.

use serde_json::{Value, json};

use crate::bank::{leaf, pem, person};
use crate::office::Office;
use crate::pki::Leaf;

const CLIENTS: &str = "/api/v2/clients";

fn create(office: &Office, body: Value) -> Value {
    let answer = office.ask("POST", CLIENTS, Some(body));
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()
}

fn of(client: &Value) -> String {
    format!("{CLIENTS}/{}", client["client_id"].as_str().unwrap())
}

fn certificate() -> openssl::x509::X509 {
    person(&Leaf { attributes: vec![("2.5.4.10", "Bank, Ltd".into())], ..leaf("client") }).certificate
}

#[test]
fn from_a_certificate_to_a_client_that_uses_it_and_back() {
    let office = Office::open();
    let client = create(&office, json!({ "name": "payments" }));
    let id = client["client_id"].as_str().unwrap();
    assert_eq!(client, json!({ "name": "payments", "client_id": id, "token_endpoint_auth_method": "client_secret_post" }));
    assert_eq!(id.len(), 32);
    let certificate = certificate();
    let path = format!("{}/credentials", of(&client));
    let answer =
        office.ask("POST", &path, Some(json!({ "credential_type": "x509_cert", "name": "first", "pem": pem(&certificate) })));
    assert_eq!(answer.status, 201, "{}", answer.text());
    let made = answer.json();
    let thumbprint = openssl_thumbprint(&certificate);
    assert_eq!((&made["thumbprint_sha256"], &made["name"]), (&json!(thumbprint), &json!("first")));
    let credential = made["id"].as_str().unwrap();
    assert!(credential.starts_with("cred_") && credential.len() == 27 && made["expires_at"].is_string(), "{made}");
    assert_eq!(office.ask("GET", &path, None).json(), json!([made]));
    assert_eq!(office.ask("GET", &format!("{path}/{credential}"), None).json(), made);

    let methods = json!({ "self_signed_tls_client_auth": { "credentials": [{ "id": credential }] } });
    let using = office.ask(
        "PATCH",
        &of(&client),
        Some(json!({ "client_authentication_methods": methods, "token_endpoint_auth_method": null })),
    );
    assert_eq!(using.status, 200, "{}", using.text());
    assert_eq!(
        using.json(),
        json!({ "name": "payments", "client_id": id, "token_endpoint_auth_method": null, "client_authentication_methods": methods })
    );
    let refused = office.ask("DELETE", &format!("{path}/{credential}"), None);
    assert_eq!((refused.status, &refused.json()["errorCode"]), (400, &json!("credential_in_use")));
    let ended = office.ask("PATCH", &format!("{path}/{credential}"), Some(json!({ "expires_at": "2030-01-02T03:04:05.678Z" })));
    assert_eq!((ended.status, &ended.json()["expires_at"]), (201, &json!("2030-01-02T03:04:05.000Z")));
    let endless = office.ask("PATCH", &format!("{path}/{credential}"), Some(json!({ "expires_at": null })));
    assert_eq!((endless.status, endless.json().get("expires_at")), (201, None));

    let back = json!({ "client_authentication_methods": null, "token_endpoint_auth_method": "client_secret_post" });
    assert_eq!(office.ask("PATCH", &of(&client), Some(back)).json(), client);
    assert_eq!(office.ask("DELETE", &format!("{path}/{credential}"), None).status, 204);
    assert_eq!(office.ask("DELETE", &format!("{path}/{credential}"), None).status, 404);
    assert_eq!(office.ask("DELETE", &of(&client), None).status, 204);
    assert_eq!(office.ask("DELETE", &of(&client), None).status, 204);
    for gone in [of(&client), path] {
        assert_eq!(office.ask("GET", &gone, None).json()["errorCode"], "inexistent_client", "{gone}");
    }
}

fn openssl_thumbprint(certificate: &openssl::x509::X509) -> String {
    let digest = certificate.digest(openssl::hash::MessageDigest::sha256()).unwrap();
    let text = openssl::base64::encode_block(&digest);
    text.trim_end_matches('=').replace('+', "-").replace('/', "_")
}

#[test]
fn a_subject_is_given_or_taken_from_a_certificate() {
    let office = Office::open();
    let certificate = certificate();
    let full = json!({
        "client_id": "as-it-is-at-the-server",
        "name": "payments",
        "description": "moves money",
        "client_authentication_methods": {
            "tls_client_auth": { "credentials": [{ "credential_type": "cert_subject_dn", "pem": pem(&certificate) }] },
        },
    });
    let client = create(&office, full.clone());
    assert_eq!((&client["client_id"], &client["token_endpoint_auth_method"]), (&json!("as-it-is-at-the-server"), &Value::Null));
    let path = format!("{}/credentials", of(&client));
    let shown = office.ask("GET", &path, None).json();
    // Node.js prints it so, and Auth0 with it.
    let mut node = std::process::Command::new("node");
    let script = "process.stdout.write(new (require('crypto').X509Certificate)(process.argv[1]).subject)";
    let printed = node.args(["-e", script, "--", &pem(&certificate)]).output().unwrap();
    assert_eq!(shown[0]["subject_dn"].as_str().unwrap(), String::from_utf8(printed.stdout).unwrap());
    assert!(shown[0].get("expires_at").is_none() && shown[0].get("thumbprint_sha256").is_none(), "{shown}");
    let again = office.ask("POST", CLIENTS, Some(full));
    assert_eq!((again.status, &again.json()["errorCode"]), (409, &json!("client_exists")));
    let given = json!({ "credential_type": "cert_subject_dn", "subject_dn": "C=es\nCN=Developer" });
    let added = office.ask("POST", &path, Some(given));
    assert_eq!((added.status, &added.json()["subject_dn"]), (201, &json!("C=es\nCN=Developer")));
}

#[test]
fn what_cannot_be_is_refused() {
    let office = Office::open();
    let client = create(&office, json!({ "name": "payments" }));
    let path = format!("{}/credentials", of(&client));
    let pem = pem(&certificate());
    for (body, said) in [
        (json!({}), "Missing required property: credential_type"),
        (json!({ "credential_type": "public_key", "pem": pem }), "No enum match for: public_key"),
        (json!({ "credential_type": "x509_cert" }), "on property pem"),
        (json!({ "credential_type": "x509_cert", "pem": "" }), "1 to 4096"),
        (json!({ "credential_type": "x509_cert", "pem": "x" }), "on property pem"),
        (json!({ "credential_type": "x509_cert", "pem": pem.repeat(2) }), "one certificate"),
        (json!({ "credential_type": "x509_cert", "pem": pem.replace("CERTIFICATE", "PRIVATE KEY") }), "private key"),
        (json!({ "credential_type": "x509_cert", "pem": pem, "subject_dn": "CN=a" }), "no subject_dn"),
        (json!({ "credential_type": "cert_subject_dn" }), "exactly one of pem and subject_dn"),
        (
            json!({ "credential_type": "cert_subject_dn", "pem": pem, "subject_dn": "CN=a" }),
            "exactly one of pem and subject_dn",
        ),
        (json!({ "credential_type": "cert_subject_dn", "subject_dn": "nobody" }), "KEY=value"),
        (json!({ "credential_type": "cert_subject_dn", "subject_dn": format!("CN={}", "a".repeat(256)) }), "1 to 256"),
        (json!({ "credential_type": "cert_subject_dn", "subject_dn": "CN=a", "name": "n".repeat(129) }), "maximum 128"),
        (json!({ "credential_type": "cert_subject_dn", "subject_dn": "CN=a", "alg": "RS256" }), "not allowed: alg"),
    ] {
        let answer = office.ask("POST", &path, Some(body.clone()));
        let json = answer.json();
        assert_eq!((answer.status, &json["errorCode"]), (400, &json!("invalid_body")), "{body}");
        assert!(json["message"].as_str().unwrap().contains(said), "{body}: {json}");
    }
    let subject = |name: &str| json!({ "credential_type": "cert_subject_dn", "subject_dn": format!("CN={name}") });
    for number in 0..4 {
        assert_eq!(office.ask("POST", &path, Some(subject(&number.to_string()))).status, 201);
    }
    let fifth = office.ask("POST", &path, Some(subject("5")));
    assert_eq!((fifth.status, &fifth.json()["message"]), (400, &json!("A client can have a maximum of 4 credentials")));

    let credential = office.ask("GET", &path, None).json()[0]["id"].clone();
    let using =
        |method: &str, id: &Value| json!({ "client_authentication_methods": { method: { "credentials": [{ "id": id }] } } });
    let mut secret = using("tls_client_auth", &credential);
    secret["token_endpoint_auth_method"] = json!("client_secret_post");
    for (body, status, said) in [
        (using("self_signed_tls_client_auth", &credential), 400, "is a cert_subject_dn"),
        (using("private_key_jwt", &credential), 400, "Expected one of"),
        (using("tls_client_auth", &json!("cred_0123456789abcdefghijkl")), 404, "credential does not exist"),
        (json!({ "client_authentication_methods": { "tls_client_auth": { "credentials": [] } } }), 400, "one or more"),
        (json!({ "client_authentication_methods": {} }), 400, "Expected one of"),
        (secret, 400, "must be null"),
        (json!({ "name": " " }), 400, "Expected 1 to 255"),
        (json!({ "client_secret": "x" }), 400, "not allowed: client_secret"),
        (json!({ "client_id": "another" }), 400, "not allowed: client_id"),
    ] {
        let answer = office.ask("PATCH", &of(&client), Some(body.clone()));
        assert_eq!(answer.status, status, "{body}: {}", answer.text());
        assert!(answer.text().contains(said), "{body}: {}", answer.text());
    }
    assert_eq!(office.ask("GET", &of(&client), None).json(), client);
}

#[test]
fn lists_in_both_shapes() {
    let office = Office::open();
    for id in ["a", "b", "c"] {
        create(&office, json!({ "client_id": id, "name": id.to_uppercase() }));
    }
    let ask = |query: &str| office.ask("GET", &format!("{CLIENTS}?{query}"), None).json();
    assert_eq!(ask("fields=name"), json!([{ "name": "A" }, { "name": "B" }, { "name": "C" }]));
    let page = ask("page=1&per_page=2&include_totals=true&fields=client_id&include_fields=true");
    assert_eq!(page, json!({ "start": 2, "limit": 2, "total": 3, "clients": [{ "client_id": "c" }] }));
    for bad in ["page=-1", "per_page=0", "per_page=101", "include_totals=1", "q=x", "page=1000000"] {
        assert_eq!(office.ask("GET", &format!("{CLIENTS}?{bad}"), None).status, 400, "{bad}");
    }
}
