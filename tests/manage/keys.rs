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

#[test]
fn every_front_door_has_a_key_of_its_own() {
    let office = Office::open();
    let (domain, first) = office.ready(HOST);
    let keys_path = format!("{}/keys", path(&domain));
    let add = |name: &str| office.ask("POST", &keys_path, Some(json!({ "front_door": name })));
    let added = add("cdn");
    assert_eq!(added.status, 201, "{}", added.text());
    let second = added.json()["cname_api_key"].as_str().unwrap().to_owned();
    assert_eq!((office.knock(HOST, &first), office.knock(HOST, &second), office.knock(HOST, &second)), (200, 200, 200));
    let uses = |door: Value| {
        let keys = keys(&office, &domain);
        keys.iter().filter(|key| key["front_door"] == door).map(|key| key["uses"].as_i64().unwrap()).sum::<i64>()
    };
    assert_eq!((uses(Value::Null), uses(json!("cdn"))), (1, 2));
    let again = add("cdn");
    assert_eq!((again.status, &again.json()["errorCode"]), (409, &json!("front_door_exists")));
    // One is rotated, and the other does not notice.
    let rotate = |body: Value| office.ask("POST", &format!("{}/rotate-key", path(&domain)), Some(body));
    let rotated = rotate(json!({ "front_door": "cdn", "overlap_seconds": 0 }));
    assert_eq!(rotated.status, 201, "{}", rotated.text());
    let third = rotated.json()["cname_api_key"].as_str().unwrap().to_owned();
    assert_eq!([&first, &second, &third].map(|key| office.knock(HOST, key)), [200, 403, 200]);
    let other = rotate(json!({ "overlap_seconds": 0 }));
    let fourth = other.json()["cname_api_key"].as_str().unwrap().to_owned();
    assert_eq!([&first, &third, &fourth].map(|key| office.knock(HOST, key)), [403, 200, 200]);
    let nobody = rotate(json!({ "front_door": "nobody" }));
    assert_eq!((nobody.status, &nobody.json()["errorCode"]), (404, &json!("inexistent_front_door")));
    for bad in [
        json!({}),
        json!({ "front_door": "" }),
        json!({ "front_door": "a b" }),
        json!({ "front_door": null }),
        json!({ "front_door": "a".repeat(65) }),
    ] {
        assert_eq!(office.ask("POST", &keys_path, Some(bad.clone())).status, 400, "{bad}");
    }
    assert_eq!([add("a").status, add("b").status, add("c").status], [201, 201, 409]);
    // A key of a front door is revoked at once, and its place is free.
    let of = |door: &str| keys(&office, &domain).into_iter().find(|key| key["front_door"] == door).unwrap();
    let key = of("a")["key_id"].as_str().unwrap().to_owned();
    assert_eq!(office.ask("DELETE", &format!("{keys_path}/{key}"), None).status, 204);
    assert_eq!(add("c").status, 201);
    let waiting = office.create("waiting.customer.example");
    let refused = office.ask("POST", &format!("{}/keys", path(&waiting)), Some(json!({ "front_door": "cdn" })));
    assert_eq!(refused.status, 409);
}

#[test]
fn whoever_got_no_answer_may_ask_for_the_verification_again() {
    let office = Office::open();
    let (domain, first) = office.ready(HOST);
    let verify = |token: &str| office.ask_as(token, "POST", &format!("{}/verify", path(&domain)), None);
    // Somebody else has lost nothing.
    let other = verify(&crate::office::token_of("create:custom_domains"));
    assert_eq!((other.status, &other.json()["errorCode"]), (400, &json!("custom_domain_already_verified")));
    let again = verify(crate::office::TOKEN);
    assert_eq!(again.status, 200, "{}", again.text());
    let second = again.json()["cname_api_key"].as_str().unwrap().to_owned();
    assert_ne!(first, second);
    assert_eq!(verify(crate::office::TOKEN).status, 400);
    // Whichever answer arrived, its key works.
    assert_eq!((office.knock(HOST, &first), office.knock(HOST, &second)), (200, 200));
    let (used, key) = office.ready("b.customer.example");
    assert_eq!(office.knock("b.customer.example", &key), 200);
    assert_eq!(office.ask("POST", &format!("{}/verify", path(&used)), None).status, 400);
}
