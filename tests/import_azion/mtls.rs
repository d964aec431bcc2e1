//! Domains (v3) and workloads (v4).

use serde_json::{Value, json};

use crate::{import, left_out, read};

fn policy(json: Value) -> (Value, bool) {
    let conversion = import(json, None);
    let read = read(&conversion.toml);
    (json!({ "policy": read.get("policy"), "trusted_ca": read.get("trusted_ca") }), conversion.is_whole())
}

fn expected(verification: &str) -> Value {
    json!({ "policy": { "verification": verification, "trusted_ca": "ca_7" },
            "trusted_ca": { "ca_7": { "certificates": ["trusted-ca/ca_7.pem"], "crl": ["crl/crl_1.pem", "crl/crl_2.pem"] } } })
}

#[test]
fn settings_in_every_shape() {
    for mode in ["enforce", "permissive"] {
        for json in [
            json!({ "results": { "id": 1, "name": "d", "cnames": ["a.example"], "edge_firewall_id": 3, "is_mtls_enabled": true,
                "mtls_verification": mode, "mtls_trusted_ca_certificate_id": 7, "crl_list": [1, 2] } }),
            json!({ "data": { "id": 1, "name": "d", "mtls": { "enabled": true,
                "config": { "verification": mode, "certificate": 7, "crl": [1, 2] } } } }),
            json!([{ "name": "d", "mtls": { "verification": mode, "certificate": 7, "crl": [1, 2] } }]),
        ] {
            assert_eq!(policy(json.clone()), (expected(mode), true), "{json}");
        }
    }
    let off = json!({ "policy": { "verification": "off" }, "trusted_ca": null });
    assert_eq!(
        policy(json!({ "name": "d", "is_mtls_enabled": false, "mtls_verification": "permissive" })),
        (off.clone(), true)
    );
    assert_eq!(policy(json!({ "name": "d", "mtls": { "enabled": false, "config": null } })), (off, true));
}

#[test]
fn what_cannot_be_read_is_enforced() {
    for (mtls, told) in [
        (json!({ "enabled": true, "config": { "verification": "maybe", "certificate": 7, "crl": null } }), "not known"),
        (json!({ "enabled": "no", "config": { "certificate": 7 } }), "taken as on"),
        (json!({ "enabled": true, "config": "x" }), "no object"),
        (json!("x"), "no object"),
        (json!({ "enabled": true, "config": { "certificate": null } }), "no Trusted CA is named"),
        (json!({ "enabled": true, "config": { "certificate": 7, "crl": ["../x"] } }), "no id of a CRL"),
        (json!({ "enabled": true, "config": { "certificate": 7, "depth": 1 } }), "`depth`"),
    ] {
        let conversion = import(json!({ "name": "d", "mtls": mtls.clone() }), None);
        assert_eq!(read(&conversion.toml)["policy"]["verification"], "enforce", "{mtls}");
        assert!(left_out(&conversion).contains(told), "{mtls}: {}", left_out(&conversion));
    }
}

#[test]
fn two_domains_have_one_policy_or_none() {
    let domain =
        |name: &str, mode: &str| json!({ "name": name, "mtls": { "verification": mode, "certificate": 7, "crl": [1, 2] } });
    assert_eq!(policy(json!([domain("a", "enforce"), domain("b", "enforce")])), (expected("enforce"), true));
    let (none, whole) = policy(json!([domain("a", "permissive"), domain("b", "enforce")]));
    assert_eq!((none, whole), (json!({ "policy": null, "trusted_ca": null }), false));
}
