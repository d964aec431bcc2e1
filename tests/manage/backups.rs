//! `vestibule store backup` and `restore`.

use std::path::Path;
use std::process::{Command, Output};

use crate::office::{OFTEN, Office, path};

pub(crate) fn run(action: &str, file: &Path, folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
    command.args(["store", action]).arg(file).arg("--config").arg(folder).output().unwrap()
}

fn said(ran: &Output) -> String {
    String::from_utf8_lossy(&ran.stdout).into_owned() + &String::from_utf8_lossy(&ran.stderr)
}

/// Another office with nothing in its store, and its process at an end.
pub(crate) fn empty() -> Office {
    let mut office = Office::with(OFTEN);
    office.bank.vestibule.signal("TERM");
    office.bank.vestibule.wait_for_end();
    office
}

#[test]
fn a_backup_of_a_process_that_serves_becomes_another_store() {
    let office = Office::open();
    let (ready, key) = office.ready("a.customer.example");
    let waiting = office.create("b.customer.example");
    let metadata = serde_json::json!({ "domain_metadata": { "a\nb": "ü" } });
    assert_eq!(office.ask("PATCH", &path(&waiting), Some(metadata)).status, 200);
    let aliases = serde_json::json!({ "mtls": { "enable_endpoint_aliases": true } });
    assert_eq!(office.ask("PATCH", "/api/v2/tenants/settings", Some(aliases)).status, 200);
    let subject = serde_json::json!({ "credential_type": "cert_subject_dn", "subject_dn": "CN=ü" });
    let methods = serde_json::json!({ "tls_client_auth": { "credentials": [subject] } });
    let client = serde_json::json!({ "client_id": "as", "name": "AS", "client_authentication_methods": methods });
    assert_eq!(office.ask("POST", "/api/v2/clients", Some(client)).status, 201);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("backup");
    let ran = run("backup", &file, office.bank.vestibule.folder());
    assert!(ran.status.success(), "{}", said(&ran));
    assert_eq!(
        said(&ran),
        "written: revision 6, 6 audit_log, 1 client_credentials, 1 clients, 2 custom_domains, 1 domain_keys, 1 settings\n"
    );
    assert!(!std::fs::read_to_string(&file).unwrap().contains(&key));
    assert_eq!(office.knock("a.customer.example", &key), 200);

    let mut other = empty();
    let ran = run("restore", &file, other.bank.vestibule.folder());
    assert!(ran.status.success(), "{}", said(&ran));
    assert_eq!(
        said(&ran),
        "restored: revision 6, 6 audit_log, 1 client_credentials, 1 clients, 2 custom_domains, 1 domain_keys, 1 settings\n"
    );
    other.bank.vestibule.kill_and_restart();
    for host in ["a.customer.example", "mtls.a.customer.example"] {
        assert_eq!((other.knock(host, &key), other.knock(host, "another")), (200, 403), "{host}");
    }
    for domain in [&ready, &waiting] {
        let shown = |office: &Office| office.ask("GET", &path(domain), None).json();
        assert_eq!(shown(&office), shown(&other));
    }
    let of_client = |office: &Office| office.ask("GET", "/api/v2/clients/as/credentials", None).json();
    assert_eq!(of_client(&office), of_client(&other));
    let log = |office: &Office| office.ask("GET", "/api/v2/audit-log", None).json();
    assert_eq!(log(&office), log(&other));
    other.create("c.customer.example");
    assert_eq!(log(&other).as_array().unwrap().last().unwrap()["revision"], 7);
    // Into what is in use, nothing is restored, and nothing of it is lost.
    other.bank.vestibule.signal("TERM");
    other.bank.vestibule.wait_for_end();
    let ran = run("restore", &file, other.bank.vestibule.folder());
    assert!(!ran.status.success() && said(&ran).contains("holds something already"), "{}", said(&ran));
    other.bank.vestibule.kill_and_restart();
    assert_eq!(log(&other).as_array().unwrap().len(), 7);
}

#[test]
fn a_backup_that_is_not_whole_is_refused() {
    let office = Office::open();
    office.ready("a.customer.example");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("backup");
    assert!(run("backup", &file, office.bank.vestibule.folder()).status.success());
    let whole = std::fs::read_to_string(&file).unwrap();
    let mut other = empty();
    let refused = |contents: &str, why: &str| {
        std::fs::write(&file, contents).unwrap();
        let ran = run("restore", &file, other.bank.vestibule.folder());
        assert!(!ran.status.success() && said(&ran).contains(why), "{why}: {}", said(&ran));
    };
    refused(&whole[..whole.find("seal: ").unwrap()], "it has no seal");
    refused(&whole.replacen("a.customer", "x.customer", 1), "its seal is broken");
    refused("", "it has no seal");
    other.bank.vestibule.replace_file("secrets/pepper", &"0d".repeat(32));
    refused(&whole, "made under another pepper");
    other.bank.vestibule.replace_file("secrets/pepper", crate::bank::PEPPER);
    // None of that has left anything.
    other.bank.vestibule.kill_and_restart();
    assert_eq!(other.ask("GET", "/api/v2/custom-domains", None).json(), serde_json::json!([]));
    let ran = run("backup", Path::new("/nowhere/backup"), office.bank.vestibule.folder());
    assert!(!ran.status.success() && said(&ran).contains("the backup: "), "{}", said(&ran));
}
