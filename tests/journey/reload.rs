//! A new configuration while requests run: on SIGHUP, and when files change.

use crate::bank::{Bank, Request, Tenant, crls, good, leaf, person};
use crate::pki::Leaf;
use crate::vestibule_program::wait_until;

const NEW_KEY: &str = "the-next-key-fedcba9876543210fedcba9876543210";
const RELOADS: &str = "vestibule_reloads_total";
const FAILURES: &str = "vestibule_reload_failures_total";

fn with_keys(keys: &[&str]) -> Tenant {
    Tenant { keys: keys.iter().map(|key| (*key).to_owned()).collect(), ..Tenant::default() }
}

#[test]
fn keys_are_rotated_without_a_pause() {
    let old = crate::bank::KEY;
    let bank = Bank::with(&with_keys(&[old, NEW_KEY]));
    let mut client = bank.vestibule.connect();
    let request = |key: &str| Request::get("/").of(&good()).instead("cname-api-key", key).text();
    for (position, key) in [old, NEW_KEY].into_iter().enumerate() {
        let answer = client.ask(request(key));
        assert_eq!((answer.status, bank.upstream.take().len()), (200, 1));
        assert_eq!(bank.vestibule.access_line(&answer)["forward.key"], position);
    }
    bank.vestibule.replace_file("tenants/bank.toml", &with_keys(&[NEW_KEY]).text(&bank.upstream.url()));
    bank.vestibule.signal("HUP");
    bank.vestibule.wait_for_counter(RELOADS, 1);
    let answer = client.ask(request(old));
    assert_eq!(bank.refused(&answer, 403), "front_door_key_wrong");
    assert_eq!(bank.vestibule.ask(request(NEW_KEY)).status, 200);
    assert_eq!(bank.vestibule.counter(FAILURES), 0);
}

#[test]
fn a_new_crl_ends_a_client_on_its_open_connection() {
    let bank = Bank::open();
    let client = person(&Leaf { serial: 4711, ..leaf("dismissed") });
    let mut connection = bank.vestibule.connect();
    let request = Request::get("/").of(&client).text();
    assert_eq!(connection.ask(&request).status, 200);
    bank.upstream.take();
    // By the change of the file alone.
    bank.vestibule.replace_file("crl/clients.pem", &crls(&[4711]));
    bank.vestibule.wait_for_counter(RELOADS, 1);
    let answer = connection.ask(&request);
    assert_eq!(bank.refused(&answer, 401), "certificate_revoked");
    bank.vestibule.replace_file("crl/clients.pem", &crls(&[]));
    bank.vestibule.wait_for_counter(RELOADS, 2);
    assert_eq!(connection.ask(&request).status, 200);
}

#[test]
fn a_broken_configuration_keeps_the_one_before() {
    let bank = Bank::open();
    let good_text = Tenant::default().text(&bank.upstream.url());
    for (number, (broken, file, key)) in [
        (good_text.replace("trusted_ca = \"clients\"", "trusted_ca = \"nobody\""), "tenants/bank.toml", "policy.trusted_ca"),
        (good_text.replace("proofs = [\"api_key\"]", "proofs = []"), "tenants/bank.toml", "proofs"),
        (format!("{good_text}\n[surprise]\n"), "tenants/bank.toml", "surprise"),
        ("this is = = no TOML".to_owned(), "tenants/bank.toml", ""),
    ]
    .into_iter()
    .enumerate()
    {
        let failures = bank.vestibule.counter(FAILURES);
        bank.vestibule.replace_file(file, &broken);
        bank.vestibule.signal("HUP");
        bank.vestibule.wait_for_counter(FAILURES, failures + 1);
        let said = || bank.vestibule.diagnostics();
        wait_until(|| said().contains(file) && said().contains(key), || format!("{number}: {}", said()));
        bank.assert_still_serves();
    }
    assert_eq!(bank.vestibule.counter(RELOADS), 0);
    assert!(bank.vestibule.diagnostics().contains("stays in force"));
    // A CRL that cannot be read is no reason to go on without one.
    bank.vestibule.replace_file("tenants/bank.toml", &good_text);
    bank.vestibule.wait_for_counter(RELOADS, 1);
    let failures = bank.vestibule.counter(FAILURES);
    bank.vestibule.replace_file("crl/clients.pem", "garbage");
    bank.vestibule.wait_for_counter(FAILURES, failures + 1);
    bank.vestibule.wait_for_diagnostics("crl/clients.pem");
    let revoked = person(&Leaf { serial: crate::bank::REVOKED, ..leaf("revoked") });
    let answer = bank.vestibule.ask(Request::get("/").of(&revoked).text());
    assert_eq!(bank.refused(&answer, 401), "certificate_revoked");
}

#[test]
fn files_count_where_they_lie_and_others_do_not() {
    let bank = Bank::open();
    let outside = tempfile::tempdir().unwrap();
    let list = outside.path().join("clients.pem");
    let client = person(&Leaf { serial: 4712, ..leaf("dismissed") });
    let mut connection = bank.vestibule.connect();
    let request = Request::get("/").of(&client).text();
    std::fs::write(&list, crls(&[])).unwrap();
    bank.vestibule.replace_by_link("crl/clients.pem", &list);
    bank.vestibule.wait_for_counter(RELOADS, 1);
    assert_eq!(connection.ask(&request).status, 200);
    bank.upstream.take();
    std::fs::write(&list, crls(&[4712])).unwrap();
    bank.vestibule.wait_for_counter(RELOADS, 2);
    assert_eq!(bank.refused(&connection.ask(&request), 401), "certificate_revoked");
    // A log, a note: nothing that the configuration is made of.
    bank.vestibule.replace_file("note.txt", "not a part of it");
    std::thread::sleep(std::time::Duration::from_millis(1_500));
    assert_eq!(bank.vestibule.counter(RELOADS), 2);
    assert_eq!(bank.vestibule.counter(FAILURES), 0);
}
