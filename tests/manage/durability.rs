//! What was acknowledged is there, whatever happens to the process; and many domains.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::office::{DOMAINS, Office, ask, new, tag};

/// What whoever asked was told: domains with their keys, and deleted ones.
#[derive(Default)]
struct Told {
    created: BTreeMap<String, String>,
    keys: BTreeMap<String, (String, String)>,
    deleted: Vec<(String, String)>,
}

/// Writes until the process is gone; notes only what was acknowledged.
fn write_on(port: u16, office_dns: &crate::dns_server::DnsServer, round: usize, told: &Mutex<Told>, stop: &AtomicBool) {
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let name = format!("r{round}-{number}.customer.example");
        let Ok(created) = std::panic::catch_unwind(|| ask(port, crate::office::TOKEN, "POST", DOMAINS, Some(new(&name))))
        else {
            return;
        };
        if created.status != 201 {
            return;
        }
        let created = created.json();
        let id = created["custom_domain_id"].as_str().unwrap().to_owned();
        told.lock().unwrap().created.insert(id.clone(), name.clone());
        let method = &created["verification"]["methods"][0];
        office_dns.txt(method["domain"].as_str().unwrap(), method["record"].as_str().unwrap());
        let path = format!("{DOMAINS}/{id}");
        let send =
            |method: &str, path: &str, body| std::panic::catch_unwind(|| ask(port, crate::office::TOKEN, method, path, body));
        let Ok(verified) = send("POST", &format!("{path}/verify"), None) else { return };
        if verified.status != 200 {
            return;
        }
        let key = verified.json()["cname_api_key"].as_str().unwrap().to_owned();
        told.lock().unwrap().keys.insert(id.clone(), (name.clone(), key.clone()));
        if number % 3 == 1 {
            // Between the question and the answer either state is right.
            told.lock().unwrap().keys.remove(&id);
            let Ok(rotated) = send("POST", &format!("{path}/rotate-key"), Some(json!({ "overlap_seconds": 0 }))) else {
                return;
            };
            if rotated.status != 201 {
                return;
            }
            let key = rotated.json()["cname_api_key"].as_str().unwrap().to_owned();
            told.lock().unwrap().keys.insert(id.clone(), (name.clone(), key));
        }
        if number % 3 == 2 {
            let mut now = told.lock().unwrap();
            now.keys.remove(&id);
            now.created.remove(&id);
            drop(now);
            let Ok(deleted) = send("DELETE", &path, None) else { return };
            if deleted.status != 204 {
                return;
            }
            told.lock().unwrap().deleted.push((name, key));
        }
    }
}

#[test]
fn nothing_acknowledged_is_lost_when_the_process_is_killed() {
    let mut office = Office::open();
    let told = Mutex::new(Told::default());
    for round in 0..8 {
        let stop = AtomicBool::new(false);
        let port = office.bank.vestibule.admin_port();
        let before = told.lock().unwrap().created.len();
        std::thread::scope(|scope| {
            let (dns, told, stop) = (&office.dns, &told, &stop);
            scope.spawn(move || write_on(port, dns, round, told, stop));
            let patience = Instant::now() + Duration::from_secs(20);
            while told.lock().unwrap().created.len() < before + 3 && Instant::now() < patience {
                std::thread::sleep(Duration::from_millis(1));
            }
            // At another moment of a write in every round.
            std::thread::sleep(Duration::from_millis(3 * round as u64));
            office.bank.vestibule.kill_and_restart();
            stop.store(true, Ordering::Relaxed);
        });
        let told = told.lock().unwrap();
        for (id, name) in &told.created {
            let found = office.ask("GET", &format!("{DOMAINS}/{id}"), None);
            assert_eq!((found.status, found.json()["domain"].as_str()), (200, Some(name.as_str())), "round {round}");
        }
        for (name, key) in told.keys.values() {
            assert_eq!(office.knock(name, key), 200, "round {round}: {name}");
        }
        for (name, key) in &told.deleted {
            assert_eq!(office.knock(name, key), 403, "round {round}: {name}");
        }
        office.bank.upstream.take();
    }
    let told = told.lock().unwrap();
    assert!(told.created.len() >= 16 && told.keys.len() >= 4, "{} {}", told.created.len(), told.keys.len());
}

#[test]
fn settings_and_revisions_go_on_after_a_restart() {
    let mut office = Office::open();
    let (_, key) = office.ready("a.customer.example");
    office.ask("PATCH", "/api/v2/tenants/settings", Some(json!({ "mtls": { "enable_endpoint_aliases": true } })));
    office.bank.vestibule.kill_and_restart();
    assert_eq!(office.knock("mtls.a.customer.example", &key), 200);
    office.create("b.customer.example");
    let log = office.ask("GET", "/api/v2/audit-log", None).json();
    let revisions: Vec<i64> = log.as_array().unwrap().iter().map(|line| line["revision"].as_i64().unwrap()).collect();
    assert_eq!(revisions, [1, 2, 3, 4]);
}

#[test]
fn a_hundred_thousand_domains() {
    let mut office = Office::open();
    let (domain, _) = office.ready("a.customer.example");
    office.bank.vestibule.signal("TERM");
    office.bank.vestibule.wait_for_end();
    let sql = format!(
        "PRAGMA foreign_keys = ON;
         WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 99999)
         INSERT INTO custom_domains SELECT printf('cd_%016d', i), printf('d%06d.many.example', i), 'ready', 'c', NULL, NULL, NULL,
            0, 1, 1, 1, NULL, NULL, 0, 0 FROM n;
         INSERT INTO domain_keys SELECT 'key_' || custom_domain_id, custom_domain_id, '{}', 1, NULL, 0, NULL FROM custom_domains
            WHERE domain LIKE '%.many.example';",
        tag("the key of many")
    );
    let file = office.bank.vestibule.folder().join("vestibule.sqlite");
    let done = std::process::Command::new("sqlite3").arg(file).arg(sql).output().unwrap();
    assert!(done.status.success(), "{done:?}");
    office.bank.vestibule.kill_and_restart();
    for host in ["d000000.many.example", "d099999.many.example", "d054321.many.example"] {
        assert_eq!(office.knock(host, "the key of many"), 200, "{host}");
        assert_eq!(office.knock(host, "another"), 403, "{host}");
    }
    assert_eq!(office.knock("d100000.many.example", "the key of many"), 403);
    assert_eq!(office.ask("GET", &format!("{DOMAINS}/{}", domain["custom_domain_id"].as_str().unwrap()), None).status, 200);
    let array = office.ask("GET", DOMAINS, None);
    assert_eq!(array.json().as_array().unwrap().len(), 1_000);
    let next = array.header("link").unwrap().split(['<', '>']).nth(1).unwrap().to_owned();
    let page = office.ask("GET", &next, None).json();
    assert_eq!(page["custom_domains"][0]["domain"], "d000999.many.example");
    assert_eq!(page["custom_domains"].as_array().unwrap().len(), 100);
    let status = std::fs::read_to_string(format!("/proc/{}/status", office.bank.vestibule.pid())).unwrap();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let kilobytes: u64 = resident.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(kilobytes < 300_000, "{kilobytes} kB");
}

#[test]
fn a_second_process_and_an_older_program_leave_the_store_alone() {
    let mut office = Office::open();
    let folder = office.bank.vestibule.folder().to_owned();
    let file = std::fs::read_to_string(folder.join("vestibule.toml")).unwrap();
    let other = tempfile::tempdir().unwrap();
    let copied = std::process::Command::new("cp")
        .args(["-r"])
        .arg(format!("{}/.", folder.display()))
        .arg(other.path())
        .status()
        .unwrap();
    assert!(copied.success());
    let ports = [office.bank.vestibule.port(), office.bank.vestibule.admin_port()];
    let mut text = file.clone();
    for port in ports {
        text = text.replace(&port.to_string(), &crate::ports::free_port().to_string());
    }
    let serve = |text: String| {
        std::fs::write(other.path().join("vestibule.toml"), text).unwrap();
        let ran =
            std::process::Command::new(env!("CARGO_BIN_EXE_vestibule")).args(["serve", "--config"]).arg(other.path()).output();
        let ran = ran.unwrap();
        assert!(!ran.status.success());
        String::from_utf8(ran.stderr).unwrap()
    };
    let said = serve(format!("{text}\n[store]\nfile = \"{}\"\n", folder.join("vestibule.sqlite").display()));
    assert!(said.contains("another process has it open"), "{said}");
    office.bank.vestibule.signal("TERM");
    office.bank.vestibule.wait_for_end();
    let sql = "INSERT INTO vestibule_schema VALUES (99)";
    let done = std::process::Command::new("sqlite3").arg(folder.join("vestibule.sqlite")).arg(sql).status().unwrap();
    assert!(done.success());
    let said = serve(format!("{text}\n[store]\nfile = \"{}\"\n", folder.join("vestibule.sqlite").display()));
    assert!(said.contains("version 99") && said.contains("a newer program wrote it"), "{said}");
}

#[test]
fn lines_of_the_audit_log_stay() {
    let mut office = Office::open();
    office.create("a.customer.example");
    office.bank.vestibule.signal("TERM");
    office.bank.vestibule.wait_for_end();
    let file = office.bank.vestibule.folder().join("vestibule.sqlite");
    for sql in ["DELETE FROM audit_log", "UPDATE audit_log SET actor = 'x'"] {
        let ran = std::process::Command::new("sqlite3").arg(&file).arg(sql).output().unwrap();
        assert!(String::from_utf8_lossy(&ran.stderr).contains("append only"), "{ran:?}");
    }
}
