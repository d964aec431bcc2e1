//! The database is away.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::office::{DOMAINS, OFTEN, Office, new, path};
use crate::store::Store;
use crate::vestibule_program::wait_until;

fn is_up(office: &Office) -> bool {
    office.bank.vestibule.counter("vestibule_store_up") == 1
}

#[test]
fn what_is_so_stays_and_nothing_can_be_changed() {
    let office = Office::over(Store::alone(), OFTEN);
    let (domain, key) = office.ready("a.customer.example");
    assert!(is_up(&office));
    assert_eq!(office.bank.vestibule.ask_admin("/healthz").text(), "ok\n");
    office.store.database.server.stop();
    for (method, path, body) in [
        ("POST", DOMAINS.to_owned(), Some(new("b.customer.example"))),
        ("DELETE", path(&domain), None),
        ("POST", format!("{}/rotate-key", path(&domain)), Some(json!({ "overlap_seconds": 0 }))),
        ("GET", DOMAINS.to_owned(), None),
    ] {
        let asked = Instant::now();
        let answer = office.ask(method, &path, body);
        let code = answer.json()["errorCode"].clone();
        assert_eq!((answer.status, code), (503, json!("store_unavailable")), "{method} {path}");
        assert_eq!(answer.header("retry-after"), Some("2"));
        // Nobody waits for a database that is not there.
        assert!(asked.elapsed() < Duration::from_secs(10), "{method} {path}");
        assert_eq!(office.knock("a.customer.example", &key), 200, "{method} {path}");
    }
    assert_eq!(office.knock("a.customer.example", "another"), 403);
    wait_until(|| !is_up(&office), || office.bank.vestibule.diagnostics());
    for place in ["/healthz", "/readyz"] {
        let health = office.bank.vestibule.ask_admin(place);
        assert_eq!(health.status, 200);
        assert!(health.text().starts_with("ok\nthe store of custom domains does not answer, for "), "{}", health.text());
        assert!(health.text().contains("revision 2 is served"), "{}", health.text());
    }
    office.bank.vestibule.wait_for_diagnostics("custom domains: the store does not answer");
    office.store.database.server.start_again();
    wait_until(|| is_up(&office), || office.bank.vestibule.diagnostics());
    assert_eq!(office.bank.vestibule.ask_admin("/readyz").text(), "ok\n");
    assert_eq!(office.ask("GET", &path(&domain), None).status, 200);
    let (_, other) = office.ready("b.customer.example");
    assert_eq!((office.knock("a.customer.example", &key), office.knock("b.customer.example", &other)), (200, 200));
    assert_eq!(office.bank.vestibule.counter("vestibule_custom_domains"), 2);
}

#[test]
fn a_database_that_is_silent_is_away() {
    let office = Office::over(Store::alone(), OFTEN);
    let (domain, key) = office.ready("a.customer.example");
    office.store.database.server.freeze();
    for turn in 0..6 {
        let asked = Instant::now();
        let rotated = office.ask("POST", &format!("{}/rotate-key", path(&domain)), Some(json!({ "overlap_seconds": 60 })));
        assert_eq!((rotated.status, rotated.header("retry-after")), (503, Some("2")), "{turn}: {}", rotated.text());
        assert!(asked.elapsed() < Duration::from_secs(15), "{turn}");
        assert_eq!(office.knock("a.customer.example", &key), 200, "{turn}");
    }
    wait_until(|| !is_up(&office), || office.bank.vestibule.diagnostics());
    office.store.database.server.thaw();
    wait_until(|| is_up(&office), || office.bank.vestibule.diagnostics());
    let (_, other) = office.ready("b.customer.example");
    assert_eq!((office.knock("a.customer.example", &key), office.knock("b.customer.example", &other)), (200, 200));
}

fn start(office: &Office) -> String {
    let folder = office.bank.vestibule.folder();
    let ran = Command::new(env!("CARGO_BIN_EXE_vestibule")).args(["serve", "--config"]).arg(folder).output().unwrap();
    assert_eq!(ran.status.code(), Some(1));
    String::from_utf8_lossy(&ran.stderr).into_owned()
}

#[test]
fn without_a_snapshot_nobody_starts() {
    let mut office = Office::over(Store::alone(), OFTEN);
    office.ready("a.customer.example");
    office.bank.vestibule.signal("TERM");
    office.bank.vestibule.wait_for_end();
    office.store.database.server.stop();
    let said = start(&office);
    assert!(said.contains("there is no `store.snapshot_file`"), "{said}");
    office.store.database.server.start_again();
    office.bank.vestibule.kill_and_restart();
}

/// A snapshot file, from the start.
fn with_snapshot() -> Office {
    let mut office = Office::over(Store::alone(), OFTEN);
    let vestibule = &office.bank.vestibule;
    let text = std::fs::read_to_string(vestibule.folder().join("vestibule.toml")).unwrap();
    vestibule.replace_file("vestibule.toml", &text.replace("[store]\n", "[store]\nsnapshot_file = \"kept\"\n"));
    office.bank.vestibule.kill_and_restart();
    office
}

#[test]
fn what_was_changed_just_before_the_database_went_away_is_kept() {
    let mut office = with_snapshot();
    let (domain, first) = office.ready("a.customer.example");
    let client = json!({ "name": "app", "client_id": "app" });
    assert_eq!(office.ask("POST", "/api/v2/clients", Some(client)).status, 201);
    let rotated = office.ask("POST", &format!("{}/rotate-key", path(&domain)), Some(json!({ "overlap_seconds": 0 }))).json();
    office.store.database.server.stop();
    let file = office.bank.vestibule.folder().join("kept");
    let kept = || std::fs::read_to_string(&file).unwrap();
    wait_until(|| kept().contains("\"revision\":4,"), kept);
    assert!(kept().contains("\"id\":\"app\""), "{}", kept());
    office.bank.vestibule.kill_and_restart();
    let key = rotated["cname_api_key"].as_str().unwrap();
    assert_eq!((office.knock("a.customer.example", key), office.knock("a.customer.example", &first)), (200, 403));
    assert_eq!(office.bank.vestibule.counter("vestibule_registered_oauth_clients"), 1);
}

#[test]
fn a_snapshot_is_served_until_the_database_is_back() {
    let mut office = with_snapshot();
    let (domain, key) = office.ready("a.customer.example");
    office.create("b.customer.example");
    let aliases = json!({ "mtls": { "enable_endpoint_aliases": true } });
    assert_eq!(office.ask("PATCH", "/api/v2/tenants/settings", Some(aliases)).status, 200);
    let header = json!({ "custom_client_ip_header": "cf-connecting-ip" });
    assert_eq!(office.ask("PATCH", &path(&domain), Some(header)).status, 200);
    office.bank.vestibule.signal("TERM");
    office.bank.vestibule.wait_for_end();
    let file = office.bank.vestibule.folder().join("kept");
    let kept = std::fs::read_to_string(&file).unwrap();
    assert!(kept.contains("\"revision\":5") && !kept.contains(&key), "{kept}");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);

    office.store.database.server.stop();
    for (changed, why) in [
        (kept.replace("a.customer", "x.customer"), "its seal is broken"),
        (kept[..kept.find("seal: ").unwrap()].to_owned(), "it has no seal"),
    ] {
        std::fs::write(&file, changed).unwrap();
        let said = start(&office);
        assert!(said.contains(why), "{said}");
    }
    std::fs::write(&file, &kept).unwrap();
    office.bank.vestibule.kill_and_restart();
    for host in ["a.customer.example", "mtls.a.customer.example"] {
        assert_eq!((office.knock(host, &key), office.knock(host, "another")), (200, 403), "{host}");
    }
    assert_eq!(office.knock("b.customer.example", &key), 403);
    assert!(!is_up(&office));
    assert_eq!(office.ask("DELETE", &path(&domain), None).status, 503);
    office.bank.vestibule.wait_for_diagnostics("the snapshot of revision 5");

    office.store.database.server.start_again();
    wait_until(|| is_up(&office), || office.bank.vestibule.diagnostics());
    assert_eq!(office.ask("DELETE", &path(&domain), None).status, 204);
    assert_eq!(office.knock("a.customer.example", &key), 403);
}
