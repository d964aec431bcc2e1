//! `[management]` and `[store]`, and domains of both kinds side by side.

use crate::bank::{Bank, Tenant};
use crate::office::{AUDIENCE, DOMAINS, Office, SECRET, TOKEN, tag};

fn check(office: &Office, from: &str, to: &str) -> String {
    let file = office.bank.vestibule.folder().join("vestibule.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains(from), "{from}");
    std::fs::write(&file, text.replacen(from, to, 1)).unwrap();
    let ran = std::process::Command::new(env!("CARGO_BIN_EXE_vestibule"))
        .args(["check", "--config"])
        .arg(office.bank.vestibule.folder())
        .output()
        .unwrap();
    std::fs::write(&file, text).unwrap();
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert_eq!(ran.status.code(), Some(64), "{from} -> {to}: {said}");
    said
}

#[test]
fn what_cannot_be_is_told() {
    let office = Office::open();
    let admin = format!("[admin]\nlisten = \"127.0.0.1:{}\"", office.bank.vestibule.admin_port());
    let tls =
        |certificate: &str| format!("[admin.tls]\ncertificate = \"{certificate}\"\nkey = \"secrets/pepper\"\n\n[management]\n");
    for (from, to, said) in [
        (admin.as_str(), "[admin]\nlisten = \"0.0.0.0:9180\"", "`management`: would be served in clear text to others"),
        (&admin, "", "`management`: is served by the admin listener, and there is none"),
        ("tenant = \"bank\"", "tenant = \"other\"", "`management.tenant`: there is no tenant `other`"),
        ("tenant = \"bank\"\n", "", "`management.tenant`: is missing"),
        ("front_door = \"nginx\"", "front_door = \"other\"", "there is no front door `other`, which [management] names"),
        ("origin_domain = \"edge", "origin_domain = \"-edge", "`management.origin_domain`: found `-edge.vestibule.example`"),
        ("scopes = [\"read:logs\"]", "scopes = [\"read:everything\"]", "scopes`: found `read:everything`"),
        ("scopes = [\"read:logs\"]", "scopes = []", "scopes`: allows nothing"),
        ("client_id = \"ci\"\n", "", "`management.clients[0].client_id`: is missing"),
        ("client_secrets = [", "client_secrets = [] #", "client_secrets`: found 0 tags"),
        ("audience = \"https", "audience = \"http", "`management.audience`: found `http:"),
        ("audience = ", "# audience = ", "`management.audience`: is missing, and there are clients"),
        ("[management]\n", "[management]\ntoken_lifetime = \"25h\"\n", "`management.token_lifetime`: found"),
        ("[[management.clients]]", "[[management.clients2]]", "`management.audience`: has no effect without"),
        ("dns_servers = [\"", "dns_servers = [\"x", "`management.dns_servers`: found `x127"),
        ("[management]\n", &tls("missing.pem"), "`admin.tls.certificate`: `missing.pem` cannot be read"),
        ("[management]\n", &tls("trusted-ca/root.pem"), "`admin.tls.key`: `secrets/pepper`"),
        ("[management]\n", "[management]\nsurprise = 1\n", "`management.surprise`: is no key"),
    ] {
        let found = check(&office, from, to);
        assert!(found.contains(said), "{from} -> {to}: {found}");
    }
}

#[test]
fn without_a_management_api_there_is_none() {
    let bank = Bank::open();
    assert_eq!(bank.vestibule.ask_admin("/api/v2/custom-domains").status, 404);
    assert!(!bank.vestibule.folder().join("vestibule.sqlite").exists());
}

#[test]
fn a_domain_of_both_kinds_is_refused_with_both_places() {
    let mut office = Office::open();
    let (_, key) = office.ready("a.customer.example");
    let vestibule = &office.bank.vestibule;
    let tenant = |domain: &str| {
        Tenant { top: String::new(), domain: domain.into(), ..Tenant::default() }.text(&office.bank.upstream.url())
    };
    for host in ["a.customer.example", "mtls.a.customer.example"] {
        let failures = vestibule.counter("vestibule_reload_failures_total");
        vestibule.replace_file("tenants/bank.toml", &tenant(host));
        vestibule.wait_for_counter("vestibule_reload_failures_total", failures + 1);
        vestibule.wait_for_diagnostics(&format!(
            "`{host}` stands in the way of the custom domain `a.customer.example` of the store"
        ));
        assert!(vestibule.diagnostics().contains("tenants/bank.toml"));
        assert_eq!(office.knock("a.customer.example", &key), 200);
    }
    // Another domain of the configuration is taken, and custom domains go on with its templates.
    vestibule.replace_file("tenants/bank.toml", &tenant("other.bank.example"));
    vestibule.wait_for_counter("vestibule_reloads_total", 1);
    assert_eq!(office.knock("a.customer.example", &key), 200);
    assert_eq!(office.knock("other.bank.example", crate::bank::KEY), 200);
    office.bank.vestibule.kill_and_restart();
    assert_eq!(office.knock("a.customer.example", &key), 200);
    // At the start it is a reason not to.
    office.bank.vestibule.signal("TERM");
    office.bank.vestibule.wait_for_end();
    office.bank.vestibule.replace_file("tenants/bank.toml", &tenant("a.customer.example"));
    let folder = office.bank.vestibule.folder();
    let ran =
        std::process::Command::new(env!("CARGO_BIN_EXE_vestibule")).args(["serve", "--config"]).arg(folder).output().unwrap();
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(ran.status.code() == Some(64) && said.contains("stands in the way of the custom domain"), "{said}");
}

#[test]
fn a_tenant_may_have_custom_domains_alone() {
    let office = Office::open();
    let (_, key) = office.ready("a.customer.example");
    let text = Tenant { top: String::new(), ..Tenant::default() }.text(&office.bank.upstream.url());
    let at = text.find("[[domains]]").unwrap();
    let end = text.find("[[front_doors]]").unwrap();
    let without = format!("{}{}", &text[..at], &text[end..]);
    office.bank.vestibule.replace_file("tenants/bank.toml", &without);
    office.bank.vestibule.wait_for_counter("vestibule_reloads_total", 1);
    assert_eq!(office.knock("a.customer.example", &key), 200);
    assert_eq!(office.knock(crate::bank::DOMAIN, crate::bank::KEY), 403);
}

#[test]
fn tokens_that_are_taken_out_end_with_the_reload() {
    let office = Office::open();
    let vestibule = &office.bank.vestibule;
    let list = |token: &str| office.ask_as(token, "GET", DOMAINS, None).status;
    let form = |secret: &str| {
        let audience = AUDIENCE.replace("{admin}", &vestibule.admin_port().to_string());
        let body = format!("grant_type=client_credentials&client_id=ci&client_secret={secret}&audience={audience}");
        let head = "POST /oauth/token HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n";
        vestibule.connect_admin().ask(format!("{head}content-length: {}\r\n\r\n{body}", body.len()))
    };
    let issued = form(SECRET).json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!((list(TOKEN), list(&issued), list("another-token")), (200, 200, 401));
    let text = std::fs::read_to_string(vestibule.folder().join("vestibule.toml")).unwrap();
    let text = text.replace(&tag(TOKEN), &tag("another-token")).replace(&tag(SECRET), &tag("another-secret"));
    vestibule.replace_file("vestibule.toml", &text);
    vestibule.wait_for_counter("vestibule_reloads_total", 1);
    assert_eq!((list(TOKEN), list("another-token")), (401, 200));
    assert_eq!((form(SECRET).status, form("another-secret").status), (401, 200));
    // What was issued counts while its client is there.
    assert_eq!(list(&issued), 200);
    vestibule.replace_file("vestibule.toml", &text.replace("client_id = \"ci\"", "client_id = \"cd\""));
    vestibule.wait_for_counter("vestibule_reloads_total", 2);
    assert_eq!(list(&issued), 401);
}
