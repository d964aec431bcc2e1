//! From nothing to a key that works, and back.

use serde_json::json;

use crate::bank::{Request, good};
use crate::office::{DOMAINS, ORIGIN, Office, path};

#[test]
fn from_nothing_to_a_key_and_back() {
    let office = Office::open();
    let created = office.create("Login.Customer.example");
    let id = created["custom_domain_id"].as_str().unwrap();
    assert!(id.len() == 19 && id.starts_with("cd_"), "{id}");
    let fields: Vec<&str> = created.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        fields,
        [
            "created_at",
            "custom_client_ip_header",
            "custom_domain_id",
            "domain",
            "is_default",
            "primary",
            "status",
            "type",
            "verification",
        ]
    );
    assert_eq!(
        (&created["domain"], &created["primary"], &created["status"], &created["custom_client_ip_header"]),
        (&json!("login.customer.example"), &json!(false), &json!("pending_verification"), &json!(null))
    );
    let method = &created["verification"]["methods"][0];
    assert_eq!((&method["name"], &method["domain"]), (&json!("TXT"), &json!("_cf-custom-hostname.login.customer.example")));
    assert_eq!(method["record"].as_str().unwrap().len(), 36);
    // Nobody knows the domain yet, whatever key is sent.
    assert_eq!(office.knock("login.customer.example", "x"), 403);

    let pending = office.verify(&created);
    assert_eq!((&pending["status"], &pending["verification"]["status"]), (&json!("pending_verification"), &json!("pending")));
    let why = pending["verification"]["error_msg"].as_str().unwrap();
    assert!(why.contains("has no TXT record"), "{why}");
    assert!(pending.get("cname_api_key").is_none() && pending.get("origin_domain_name").is_none());

    office.prove(&created);
    let verified = office.verify(&created);
    assert_eq!((&verified["status"], &verified["verification"]["status"]), (&json!("ready"), &json!("verified")));
    let key = verified["cname_api_key"].as_str().unwrap().to_owned();
    assert!(key.len() == 64 && key.bytes().all(|byte| b"0123456789abcdef".contains(&byte)));
    let origin = verified["origin_domain_name"].as_str().unwrap().to_owned();
    assert_eq!(origin, format!("bank-{}.{ORIGIN}", id.to_ascii_lowercase().replace('_', "-")));

    // By its name and its origin domain name; the upstream is told the domain's own.
    for host in ["login.customer.example", "LOGIN.customer.example:443", &origin] {
        assert_eq!(office.knock(host, &key), 200, "{host}");
        let got = office.bank.upstream.take_one();
        assert_eq!((got.header("host"), got.header("cname-api-key")), ("login.customer.example", ""), "{host}");
    }
    assert_eq!(office.knock("login.customer.example", "0".repeat(64).as_str()), 403);
    assert_eq!(office.knock("mtls.login.customer.example", &key), 403);
    // The key of another domain is none of this one's, and the other way round.
    assert_eq!(office.knock(crate::bank::DOMAIN, &key), 403);
    assert_eq!(office.knock("login.customer.example", crate::bank::KEY), 403);
    office.bank.upstream.take();

    // Shown once.
    let shown = office.ask("GET", &path(&created), None).json();
    assert_eq!((&shown["status"], shown.get("cname_api_key")), (&json!("ready"), None));
    let again = office.ask("POST", &format!("{}/verify", path(&created)), None);
    assert_eq!((again.status, &again.json()["statusCode"]), (400, &json!(400)));
    assert!(!office.bank.vestibule.diagnostics().contains(&key));

    let deleted = office.ask("DELETE", &path(&created), None);
    assert_eq!((deleted.status, deleted.body.len()), (204, 0));
    assert_eq!(office.knock("login.customer.example", &key), 403);
    assert_eq!(office.knock(&origin, &key), 403);
    let gone = office.ask("GET", &path(&created), None);
    assert_eq!(
        gone.json(),
        json!({ "statusCode": 404, "error": "Not Found", "message": format!("The custom domain {id} does not exist"),
                "errorCode": "inexistent_custom_domain" })
    );
    assert_eq!(office.ask("DELETE", &path(&created), None).status, 204);
    // The name is free again, for another domain.
    assert_ne!(office.create("login.customer.example")["custom_domain_id"], id);
}

#[test]
fn aliases_are_switched_on_and_off() {
    let office = Office::open();
    let (_, key) = office.ready("a.customer.example");
    let set =
        |on: bool| office.ask("PATCH", "/api/v2/tenants/settings", Some(json!({ "mtls": { "enable_endpoint_aliases": on } })));
    for on in [true, false, true] {
        let settings = json!({ "mtls": { "enable_endpoint_aliases": on } });
        assert_eq!(set(on).json(), settings);
        assert_eq!(office.ask("GET", "/api/v2/tenants/settings?fields=mtls&include_fields=true", None).json(), settings);
        assert_eq!(office.knock("mtls.a.customer.example", &key), if on { 200 } else { 403 }, "{on}");
    }
    assert_eq!(office.bank.upstream.take().pop().unwrap().header("host"), "mtls.a.customer.example");
    let null = office.ask("PATCH", "/api/v2/tenants/settings", Some(json!({ "mtls": null })));
    assert_eq!(null.json()["mtls"]["enable_endpoint_aliases"], false);
    assert_eq!(office.ask("GET", "/api/v2/tenants/settings?fields=mtls&include_fields=false", None).json(), json!({}));
}

#[test]
fn the_header_with_the_clients_address_is_chosen() {
    let office = Office::open();
    let (domain, key) = office.ready("a.customer.example");
    let request = |header: &str| {
        let request = Request::get("/").of(&good()).instead("Host", "a.customer.example").instead("cname-api-key", &key);
        request.without("X-Forwarded-For").with(header, "198.51.100.7")
    };
    let address = |header: &str| {
        let answer = office.bank.vestibule.ask(request(header).text());
        assert_eq!(answer.status, 200, "{}", answer.text());
        office.bank.vestibule.access_line(&answer)["client.ip"].as_str().unwrap().to_owned()
    };
    assert_eq!(address("x-forwarded-for"), "198.51.100.7");
    for header in ["true-client-ip", "cf-connecting-ip", "x-azure-clientip"] {
        let patched = office.ask("PATCH", &path(&domain), Some(json!({ "custom_client_ip_header": header })));
        assert_eq!((patched.status, &patched.json()["custom_client_ip_header"]), (200, &json!(header)));
        assert_eq!(address(header), "198.51.100.7", "{header}");
        // The header before it is the client's own again.
        assert_eq!(address("x-forwarded-for"), "127.0.0.1", "{header}");
    }
    for usual in [json!(null), json!(""), json!("x-forwarded-for")] {
        assert_eq!(office.ask("PATCH", &path(&domain), Some(json!({ "custom_client_ip_header": usual }))).status, 200);
        assert_eq!(address("x-forwarded-for"), "198.51.100.7", "{usual}");
    }
}

#[test]
fn notes_are_merged() {
    let office = Office::open();
    let body = json!({ "domain": "a.customer.example", "type": "self_managed_certs", "verification_method": "txt",
                       "tls_policy": "recommended", "domain_metadata": { "a": "1" }, "relying_party_identifier": "customer.example" });
    let created = office.ask("POST", DOMAINS, Some(body)).json();
    assert_eq!(
        (&created["domain_metadata"], &created["relying_party_identifier"], created.get("tls_policy")),
        (&json!({ "a": "1" }), &json!("customer.example"), None)
    );
    let patch = |body| office.ask("PATCH", &path(&created), Some(body)).json();
    assert_eq!(patch(json!({ "domain_metadata": { "b": "2" } }))["domain_metadata"], json!({ "a": "1", "b": "2" }));
    let patched = patch(json!({ "domain_metadata": { "a": null, "b": null }, "relying_party_identifier": null }));
    assert_eq!((&patched["domain_metadata"], patched.get("relying_party_identifier")), (&json!({}), None));
}

#[test]
fn a_default_domain_is_ready_and_stays() {
    let office = Office::open();
    let default = format!("{DOMAINS}/default");
    let (ready, _) = office.ready("a.customer.example");
    office.create("b.customer.example");
    assert_eq!(office.ask("GET", &default, None).json(), json!({ "domain": ORIGIN }));
    let refused = office.ask("PATCH", &default, Some(json!({ "domain": "b.customer.example" })));
    let message = "The domain must be verified before it can be set as default.";
    assert_eq!((refused.status, &refused.json()["message"]), (400, &json!(message)));
    let set = office.ask("PATCH", &default, Some(json!({ "domain": "a.customer.example" })));
    assert_eq!((set.status, &set.json()["is_default"]), (200, &json!(true)));
    assert_eq!(office.ask("GET", &default, None).json()["domain"], "a.customer.example");
    assert_eq!(office.ask("DELETE", &path(&ready), None).status, 409);
    assert_eq!(office.ask("PATCH", &default, Some(json!({ "domain": ORIGIN }))).json(), json!({ "domain": ORIGIN }));
    assert_eq!(office.ask("DELETE", &path(&ready), None).status, 204);
}
