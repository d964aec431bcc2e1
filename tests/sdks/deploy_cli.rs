//! npm `auth0-deploy-cli`: a tenant as a file, brought in and out.

use serde_json::{Value, json};

use crate::office::{DOMAINS, TOKEN};
use crate::story::TlsOffice;
use crate::tools::node;

fn deploy(office: &TlsOffice, arguments: &[&str]) {
    let mut command = office.command("node");
    command.arg(node().join("node_modules/auth0-deploy-cli/lib/index.js")).args(arguments);
    command.env("AUTH0_DOMAIN", office.admin()).env("AUTH0_ACCESS_TOKEN", TOKEN);
    command.env("AUTH0_INCLUDED_ONLY", r#"["customDomains","tenant"]"#);
    let ran = command.output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{arguments:?}: {said}");
}

#[test]
fn a_tenant_is_brought_in_twice_and_out() {
    let office = TlsOffice::open();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tenant.yaml");
    let file = file.to_str().unwrap();
    let mut tenant = json!({
        "tenant": { "mtls": { "enable_endpoint_aliases": true } },
        "customDomains": [{ "domain": "login.deploy.example", "type": "self_managed_certs" }],
    });
    // JSON is YAML.
    let mut bring = |header: &str| {
        tenant["customDomains"][0]["custom_client_ip_header"] = json!(header);
        std::fs::write(file, tenant.to_string()).unwrap();
        deploy(&office, &["import", "--input_file", file]);
        let found: Vec<Value> = office.office.ask("GET", DOMAINS, None).json().as_array().unwrap().clone();
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0]["custom_client_ip_header"], header);
        found[0]["custom_domain_id"].clone()
    };
    let first = bring("true-client-ip");
    assert_eq!(bring("cf-connecting-ip"), first);
    let settings = office.office.ask("GET", "/api/v2/tenants/settings", None).json();
    assert_eq!(settings, json!({ "mtls": { "enable_endpoint_aliases": true } }));

    let out = folder.path().join("out");
    deploy(&office, &["export", "--format", "yaml", "--output_folder", out.to_str().unwrap()]);
    let text = std::fs::read_to_string(out.join("tenant.yaml")).unwrap();
    for wanted in ["domain: login.deploy.example", "custom_client_ip_header: cf-connecting-ip", "enable_endpoint_aliases: true"]
    {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
}
