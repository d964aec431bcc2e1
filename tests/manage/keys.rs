//! Keys after the first: rotation with overlap, revocation, use.

use serde_json::{Value, json};

use crate::office::{Office, path};
use crate::vestibule_program::wait_until;

fn rotate(office: &Office, domain: &Value, overlap: u32) -> (String, Value) {
    let body = json!({ "overlap_seconds": overlap });
    let answer = office.ask("POST", &format!("{}/rotate-key", path(domain)), Some(body));
    assert_eq!(answer.status, 201, "{}", answer.text());
    let answer = answer.json();
    (answer["cname_api_key"].as_str().unwrap().to_owned(), answer)
}

fn keys(office: &Office, domain: &Value) -> Vec<Value> {
    office.ask("GET", &format!("{}/keys", path(domain)), None).json().as_array().unwrap().clone()
}

const HOST: &str = "a.customer.example";

#[test]
fn two_keys_overlap_and_their_use_is_counted() {
    let office = Office::open();
    let (domain, old) = office.ready(HOST);
    let (new, answer) = rotate(&office, &domain, 3600);
    assert_eq!(answer["keys"].as_array().unwrap().len(), 2);
    assert_eq!((office.knock(HOST, &old), office.knock(HOST, &new), office.knock(HOST, &new)), (200, 200, 200));
    office.knock(HOST, "another");
    let listed = keys(&office, &domain);
    let of_new = |key: &&Value| key["key_id"] == answer["key_id"];
    let (new_one, old_one) = (listed.iter().find(of_new).unwrap(), listed.iter().find(|key| !of_new(key)).unwrap());
    assert_eq!((&new_one["uses"], &old_one["uses"]), (&json!(2), &json!(1)));
    assert!(new_one["expires_at"].is_null() && old_one["expires_at"].is_string() && new_one["last_used_at"].is_string());
    // No third key beside them.
    let third = office.ask("POST", &format!("{}/rotate-key", path(&domain)), None);
    assert_eq!((third.status, &third.json()["errorCode"]), (409, &json!("key_limit")));
    // Revoked at once.
    let old_id = old_one["key_id"].as_str().unwrap();
    assert_eq!(office.ask("DELETE", &format!("{}/keys/{old_id}", path(&domain)), None).status, 204);
    assert_eq!((office.knock(HOST, &old), office.knock(HOST, &new)), (403, 200));
    assert_eq!(office.ask("DELETE", &format!("{}/keys/{old_id}", path(&domain)), None).status, 404);
}

#[test]
fn an_old_key_ends_by_itself() {
    let office = Office::open();
    let (domain, old) = office.ready(HOST);
    let (new, _) = rotate(&office, &domain, 2);
    assert_eq!((office.knock(HOST, &old), office.knock(HOST, &new)), (200, 200));
    wait_until(|| office.knock(HOST, &old) == 403, || "the old key still passes".into());
    assert_eq!(office.knock(HOST, &new), 200);
    // What is over makes room.
    rotate(&office, &domain, 60);
    assert_eq!(keys(&office, &domain).len(), 2);
}

#[test]
fn without_overlap_all_keys_before_end_at_once() {
    let office = Office::open();
    let (domain, first) = office.ready(HOST);
    let (second, _) = rotate(&office, &domain, 3600);
    let (third, answer) = rotate(&office, &domain, 0);
    assert_eq!(answer["keys"].as_array().unwrap().len(), 1);
    let statuses = [&first, &second, &third].map(|key| office.knock(HOST, key));
    assert_eq!(statuses, [403, 403, 200]);
}

#[test]
fn only_a_ready_domain_has_keys() {
    let office = Office::open();
    let domain = office.create(HOST);
    let refused = office.ask("POST", &format!("{}/rotate-key", path(&domain)), None);
    assert_eq!((refused.status, &refused.json()["errorCode"]), (409, &json!("custom_domain_not_ready")));
    assert_eq!(keys(&office, &domain), Vec::<Value>::new());
    let (ready, _) = office.ready("b.customer.example");
    for bad in [json!(-1), json!(1.5), json!("60"), json!(2_592_001), json!(null)] {
        let refused = office.ask("POST", &format!("{}/rotate-key", path(&ready)), Some(json!({ "overlap_seconds": bad })));
        assert_eq!((refused.status, &refused.json()["errorCode"]), (400, &json!("invalid_body")), "{bad}");
    }
}

#[test]
fn uses_are_remembered_over_a_restart() {
    let mut office = Office::open();
    let (domain, key) = office.ready(HOST);
    assert_eq!(office.knock(HOST, &key), 200);
    office.bank.vestibule.signal("TERM");
    assert!(office.bank.vestibule.wait_for_end().success());
    office.bank.vestibule.kill_and_restart();
    assert_eq!(keys(&office, &domain)[0]["uses"], 1);
    assert_eq!(office.knock(HOST, &key), 200);
    assert_eq!(keys(&office, &domain)[0]["uses"], 2);
}
