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
fn a_tenant_is_brought_in_and_out() {
    let office = TlsOffice::open();
    let (folder, known) = (tempfile::tempdir().unwrap(), office.office.create("known.deploy.example"));
    let file = folder.path().join("tenant.yaml");
    let file = file.to_str().unwrap();
    let domain =
        |name: &str, header: &str| json!({ "domain": name, "type": "self_managed_certs", "custom_client_ip_header": header });
    let tenant = json!({
        "tenant": { "mtls": { "enable_endpoint_aliases": true } },
        "customDomains": [domain("known.deploy.example", "true-client-ip"), domain("login.deploy.example", "cf-connecting-ip")],
    });
    // JSON is YAML. The program takes its time: one domain that is there and one that is not, in one run.
    std::fs::write(file, tenant.to_string()).unwrap();
    deploy(&office, &["import", "--input_file", file]);
    let found: Vec<Value> = office.office.ask("GET", DOMAINS, None).json().as_array().unwrap().clone();
    let shown: Vec<(&Value, &Value)> = found.iter().map(|one| (&one["domain"], &one["custom_client_ip_header"])).collect();
    let wanted = [("known.deploy.example", "true-client-ip"), ("login.deploy.example", "cf-connecting-ip")];
    assert_eq!(
        shown,
        wanted.map(|(domain, header)| (json!(domain), json!(header))).iter().map(|(a, b)| (a, b)).collect::<Vec<_>>()
    );
    assert_eq!(found[0]["custom_domain_id"], known["custom_domain_id"]);
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
