//! What the records of DNS say, and what is told of it.

use serde_json::json;

use crate::dns_server::Entry;
use crate::office::{OFTEN, Office, path};
use crate::vestibule_program::wait_until;

const NAME: &str = "_cf-custom-hostname.a.customer.example";

#[test]
fn each_reason_is_told() {
    let office = Office::open();
    let domain = office.create("a.customer.example");
    let record = domain["verification"]["methods"][0]["record"].as_str().unwrap();
    let long = "z".repeat(200);
    for (name, entry, said) in [
        (NAME, Entry::Txt(vec!["something else".into()]), "has a TXT record with \"something else\", which is another value"),
        (NAME, Entry::Txt(vec![record[1..].into()]), "which is another value"),
        (NAME, Entry::Txt(vec![long.clone()]), "which is another value"),
        (NAME, Entry::Cname("elsewhere.example".into()), "has a CNAME record with \"elsewhere.example\""),
        (NAME, Entry::Address([192, 0, 2, 1]), "has no TXT record and no CNAME record"),
        (NAME, Entry::Broken, "failed: "),
        (NAME, Entry::Silent, "failed: "),
        (
            "_cf-custom-hostname.a.customer.example.customer.example",
            Entry::Txt(vec![record.into()]),
            "the zone's name was added",
        ),
    ] {
        office.dns.set(name, entry.clone());
        let answer = office.verify(&domain);
        let why = answer["verification"]["error_msg"].as_str().unwrap();
        assert!(why.contains(said) && !why.contains(&long), "{entry:?}: {why}");
        assert_eq!(answer["status"], "pending_verification");
        office.dns.remove(name);
    }
    assert_eq!(office.ask("GET", &path(&domain), None).json()["verification"]["attempts"], 8);
    // The value may stand beside others, and be told in pieces by nobody.
    office.dns.set(NAME, Entry::Txt(vec![record.into()]));
    assert_eq!(office.verify(&domain)["status"], "ready");
}

#[test]
fn a_cname_record_verifies_too() {
    let office = Office::open();
    let domain = office.create("a.customer.example");
    let method = &domain["verification"]["methods"][1];
    assert_eq!((&method["name"], &method["domain"]), (&json!("CNAME"), &json!(NAME)));
    office.dns.set(NAME, Entry::Cname(method["record"].as_str().unwrap().to_ascii_uppercase()));
    assert_eq!(office.verify(&domain)["status"], "ready");
}

#[test]
fn another_domains_record_proves_nothing() {
    let office = Office::open();
    let (one, other) = (office.create("a.customer.example"), office.create("b.customer.example"));
    office.dns.txt(NAME, other["verification"]["methods"][0]["record"].as_str().unwrap());
    assert_eq!(office.verify(&one)["status"], "pending_verification");
    // Nor does a record that proved the name once, for whoever has it now.
    office.prove(&one);
    assert_eq!(office.verify(&one)["status"], "ready");
    assert_eq!(office.ask("DELETE", &path(&one), None).status, 204);
    assert_eq!(office.verify(&office.create("a.customer.example"))["status"], "pending_verification");
}

#[test]
fn records_are_looked_for_again_without_being_asked() {
    let office = Office::with(&format!("{OFTEN}recheck_interval = \"1s\""));
    let domain = office.create("a.customer.example");
    wait_until(|| office.dns.asked(NAME) > 0, || "nobody asked".into());
    let shown = || office.ask("GET", &path(&domain), None).json();
    wait_until(|| shown()["verification"]["error_msg"].is_string(), || shown().to_string());
    office.prove(&domain);
    wait_until(|| shown()["verification"]["status"] == "verified", || shown().to_string());
    // The key is for whoever asks.
    let waiting = shown();
    assert_eq!((&waiting["status"], waiting.get("cname_api_key")), (&json!("pending_verification"), None));
    assert!(office.verify(&domain)["cname_api_key"].is_string());
}

#[test]
fn a_domain_is_tested_by_its_address() {
    let office = Office::open();
    let (domain, _) = office.ready("a.customer.example");
    let test = || office.ask("POST", &format!("{}/test", path(&domain)), None).json();
    assert_eq!(test()["success"], false);
    office.dns.set("a.customer.example", Entry::Address([192, 0, 2, 1]));
    assert_eq!(test(), json!({ "success": true }));
    let pending = office.create("b.customer.example");
    assert_eq!(office.ask("POST", &format!("{}/test", path(&pending)), None).status, 409);
}

#[test]
fn after_three_days_it_has_failed_until_somebody_asks_again() {
    let mut office = Office::with(&format!("{OFTEN}recheck_interval = \"1s\""));
    let domain = office.create("a.customer.example");
    office.bank.vestibule.signal("TERM");
    office.bank.vestibule.wait_for_end();
    let file = office.bank.vestibule.folder().join("vestibule.sqlite");
    let ago = crate::bank::now() - 3 * 86_400;
    let sql = format!("UPDATE custom_domains SET created_at = {ago}, started_at = {ago}");
    assert!(std::process::Command::new("sqlite3").arg(file).arg(sql).status().unwrap().success());
    office.bank.vestibule.kill_and_restart();
    let shown = || office.ask("GET", &path(&domain), None).json();
    wait_until(|| shown()["status"] == "failed", || shown().to_string());
    assert_eq!(shown()["verification"]["status"], "failed");
    // It is left alone then.
    let asked = office.dns.asked(NAME);
    std::thread::sleep(std::time::Duration::from_millis(2_500));
    assert_eq!(office.dns.asked(NAME), asked);
    assert_eq!(office.verify(&domain)["status"], "pending_verification");
    office.prove(&domain);
    assert_eq!(office.verify(&domain)["status"], "ready");
    let log = office.ask("GET", "/api/v2/audit-log", None).json();
    assert_eq!((&log[1]["action"], &log[1]["actor"]), (&json!("fail"), &json!("vestibule")));
}
