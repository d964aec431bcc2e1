//! Each setting of the plugins, as a key of ours.

use serde_json::{Value, json};
use vestibule::cli::import::kong::{Options, convert};
use vestibule::cli::import::{Import, NewFile};

use crate::bank::{authorities, pem};

/// One service with one route behind a plugin, two consumers, two CAs.
pub(crate) fn file(plugin: &str, config: &Value, more: &Value) -> Value {
    let mut all = json!({ "ca_certificates": ["root", "issuing"] });
    if plugin == "header-cert-auth" {
        all["certificate_header_name"] = json!("X-Cert");
        all["certificate_header_format"] = json!("url_encoded");
    }
    for (key, value) in config.as_object().unwrap() {
        all[key] = value.clone();
    }
    let mut file = json!({
        "_format_version": "3.0",
        "ca_certificates": [
            { "id": "root", "cert": pem(&authorities().root.certificate) },
            { "id": "issuing", "cert": pem(&authorities().issuing.certificate) },
        ],
        "consumers": [{ "id": "c-1", "username": "one", "custom_id": "1" }, { "username": "two" }],
        "services": [{ "name": "s", "url": "http://127.0.0.1:1", "routes": [
            { "name": "r", "hosts": ["a.example"], "paths": ["/"], "strip_path": false },
        ] }],
        "plugins": [{ "name": plugin, "config": all }],
    });
    for (key, value) in more.as_object().unwrap() {
        file[key] = value.clone();
    }
    file
}

pub(crate) fn text<'i>(import: &'i Import, path: &str) -> &'i str {
    let found = import.files.iter().find(|file: &&NewFile| file.path == path);
    &found.unwrap_or_else(|| panic!("no {path}: {:?}", import.remarks)).text
}

pub(crate) fn parsed(import: &Import, path: &str) -> Value {
    let source = config::File::from_str(text(import, path), config::FileFormat::Toml);
    config::Config::builder().add_source(source).build().unwrap().try_deserialize().unwrap()
}

pub(crate) fn imported(plugin: &str, config: &Value, more: &Value) -> Import {
    convert("kong.yml", &file(plugin, config, more), &Options::default()).unwrap()
}

pub(crate) fn told(import: &Import) -> String {
    import.remarks.iter().map(|remark| format!("{remark}\n")).collect()
}

/// The route's policy, without what every one has.
#[track_caller]
fn policy(plugin: &str, config: Value) -> Value {
    let import = imported(plugin, &config, &json!({}));
    let tenant = parsed(&import, "tenants/a-example.toml");
    assert_eq!(tenant["routes"].as_array().unwrap().len(), 1);
    assert_eq!(tenant["routes"][0]["upstream"], "s", "{}", told(&import));
    assert_eq!(tenant["error_style"], "kong");
    tenant["routes"][0]["policy"].clone()
}

#[test]
fn policies() {
    let usual = json!({ "verification": "enforce", "trusted_ca": "clients-1", "revocation_check_mode": "IGNORE_CA_ERROR" });
    let with = |more: Value| {
        let mut policy = usual.clone();
        for (key, value) in more.as_object().unwrap() {
            policy[key] = value.clone();
        }
        policy
    };
    for (config, expected) in [
        (json!({}), json!({})),
        (json!({ "revocation_check_mode": "SKIP" }), json!({ "revocation_check_mode": "SKIP" })),
        (json!({ "revocation_check_mode": "STRICT" }), json!({ "revocation_check_mode": "STRICT" })),
        (json!({ "consumer_by": ["custom_id"] }), json!({ "consumer_by": ["custom_id"] })),
        (json!({ "consumer_by": [] }), json!({ "consumer_by": [] })),
        (json!({ "consumer_by": null, "anonymous": null, "http_timeout": null }), json!({})),
        (json!({ "anonymous": "two" }), json!({ "verification": "permissive", "anonymous": "two" })),
        (json!({ "anonymous": "" }), json!({})),
        // By id or username, never by custom_id.
        (json!({ "default_consumer": "one" }), json!({ "default_consumer": "c-1" })),
        (json!({ "default_consumer": "1" }), json!({})),
        (json!({ "anonymous": "stranger" }), json!({})),
        (
            json!({ "skip_consumer_lookup": true, "consumer_by": ["username"] }),
            json!({ "skip_consumer_lookup": true, "authenticated_group_by": "CN" }),
        ),
        (
            json!({ "skip_consumer_lookup": true, "authenticated_group_by": "DN" }),
            json!({ "skip_consumer_lookup": true, "authenticated_group_by": "DN" }),
        ),
        (json!({ "authenticated_group_by": "DN" }), json!({})),
    ] {
        for plugin in ["mtls-auth", "header-cert-auth"] {
            assert_eq!(policy(plugin, config.clone()), with(expected.clone()), "{plugin} {config}");
        }
    }
    let matched = policy("mtls-auth", json!({ "san_dirname_matcher": ["CN", "2.5.4.10"] }));
    assert_eq!(matched["san_dirname_matcher"], json!(["CN", "2.5.4.10"]));
}

#[test]
fn authorities_fetching_and_front_doors() {
    let import = imported("mtls-auth", &json!({ "allow_partial_chain": true, "send_ca_dn": true }), &json!({}));
    let tenant = parsed(&import, "tenants/a-example.toml");
    let set = &tenant["trusted_ca"]["clients-1"];
    assert_eq!(set["certificates"], json!(["trusted-ca/1-root.pem", "trusted-ca/2-issuing.pem"]));
    assert_eq!((&set["allow_partial_chain"], &set["intermediates"]), (&json!(true), &Value::Null));
    let own = json!([{ "name": "own", "format": "tls", "request_client_certificate": "always", "send_ca_dn": true }]);
    assert_eq!(tenant["front_doors"], own);
    assert!(told(&import).contains("a blank to fill: `tls/server.pem`"), "{}", told(&import));

    let import = imported("header-cert-auth", &json!({ "certificate_header_format": "base64_encoded" }), &json!({}));
    let tenant = parsed(&import, "tenants/a-example.toml");
    let set = &tenant["trusted_ca"]["clients-1"];
    assert_eq!(
        (&set["certificates"], &set["intermediates"]),
        (&json!(["trusted-ca/1-root.pem"]), &json!(["trusted-ca/2-issuing.pem"]))
    );
    let door = json!([{ "name": "front", "format": "raw", "proofs": ["api_key"], "raw": { "certificate": "base64_der" },
                        "headers": { "client_certificate": "x-cert" } }]);
    assert_eq!(tenant["front_doors"], door);
    assert!(told(&import).contains("`secure_source` rests on `trusted_ips`"), "{}", told(&import));
    assert!(told(&import).contains("weaker than before: Kong fetches from wherever"), "{}", told(&import));

    let options = Options {
        domains: vec!["b.example".into()],
        front_door: Some("haproxy".into()),
        revocation_hosts: vec!["crl.ca.example".into()],
    };
    let config =
        json!({ "send_ca_dn": true, "http_timeout": 30000, "http_proxy_host": "proxy.example", "http_proxy_port": 3128 });
    let import = convert("kong.yml", &file("mtls-auth", &config, &json!({})), &options).unwrap();
    let tenant = parsed(&import, "tenants/a-example.toml");
    assert_eq!(tenant["front_doors"][0]["format"], "haproxy");
    assert_eq!(tenant["trusted_ca"]["clients-1"]["revocation_hosts"], json!(["crl.ca.example"]));
    assert_eq!(tenant["trusted_ca"]["clients-1"]["ocsp"], "leaf");
    assert!(told(&import).contains("left out: `send_ca_dn`"), "{}", told(&import));
    let process = parsed(&import, "vestibule.toml");
    assert_eq!(process["revocation"], json!({ "http_timeout": "30000ms", "http_proxy": "http://proxy.example:3128" }));
}

/// Where the route leads when its guard is this: nowhere.
#[test]
fn what_cannot_be_guarded_is_closed() {
    let no_people = json!({ "consumers": [] });
    let none = json!({});
    for (config, more, why) in [
        (json!({}), &no_people, "the file has no consumers"),
        (json!({ "ca_certificates": [] }), &none, "`ca_certificates` is missing"),
        (json!({ "ca_certificates": ["gone"] }), &none, "is not in the file"),
        (json!({ "ca_certificates": ["issuing"] }), &none, "no path could end"),
        (json!({ "consumer_by": ["email"] }), &none, "`consumer_by` has a word"),
        (json!({ "skip_consumer_lookup": "yes" }), &none, "`skip_consumer_lookup` is no truth value"),
        (json!({ "revocation_check_mode": "LATER" }), &none, "`revocation_check_mode` is no one of"),
        (json!({ "authenticated_group_by": "OU" }), &none, "`authenticated_group_by` is no one of"),
        (json!({ "http_proxy_host": "proxy.example" }), &none, "belong together"),
        (json!({ "only_on_mondays": true }), &none, "it has fields that are not known"),
    ] {
        let import = imported("mtls-auth", &config, more);
        let tenant = parsed(&import, "tenants/a-example.toml");
        assert_eq!(tenant["routes"][0]["upstream"], "closed", "{config}");
        assert!(told(&import).contains(why), "{why}: {}", told(&import));
        assert!(!import.is_whole());
    }
    // A lookup is not needed where the certificate stands for itself.
    let import = imported("mtls-auth", &json!({ "skip_consumer_lookup": true }), &no_people);
    assert_eq!(parsed(&import, "tenants/a-example.toml")["routes"][0]["upstream"], "s");
    let bad = imported("header-cert-auth", &json!({ "certificate_header_format": "der" }), &none);
    assert_eq!(parsed(&bad, "tenants/a-example.toml")["routes"][0]["upstream"], "closed");
}
