//! Tokens over HTTP, good ones and hostile ones, as the front door hands them on.

use vestibule::clock::UnixTime;
use vestibule::probe::Probe;
use vestibule::probe::token::{CLOCK_TOLERANCE, LIFETIME, mint};
use vestibule::secret::SignatureKey;

use crate::bank::{Bank, DOMAIN, Request, Tenant, good, now};
use crate::set_up::{SECRET, bank};

const PATH: &str = "/.well-known/vestibule-probe";

fn key() -> SignatureKey {
    SignatureKey::parse(SECRET).unwrap()
}

fn token() -> String {
    Probe::new(key(), PATH.into(), UnixTime(now())).mint(DOMAIN, UnixTime(now())).unwrap()
}

fn asking(token: &str) -> Request {
    Request::get(PATH).with("vestibule-probe-token", token).of(&good())
}

/// Handled as every other path: it goes to the upstream.
fn assert_ordinary(bank: &Bank, request: Request, what: &str) {
    let answer = bank.vestibule.ask(request.text());
    assert_eq!(answer.status, 200, "{what}: {}", bank.vestibule.code(&answer));
    assert_eq!(bank.upstream.take_one().header("ssl-client-verify"), "SUCCESS", "{what}");
    assert!(!answer.text().contains("contract_headers"), "{what}: {}", answer.text());
}

#[test]
fn a_token_shows_what_was_seen_once_and_no_secret() {
    let bank = bank(&Tenant::default());
    let token = token();
    let answer = bank.vestibule.ask(asking(&token).text());
    assert_eq!((answer.status, answer.header("cache-control")), (200, Some("no-store")), "{}", answer.text());
    let seen = answer.json();
    for (key, value) in [
        ("domain", DOMAIN),
        ("host", DOMAIN),
        ("tenant", "bank"),
        ("front_door", "nginx"),
        ("method", "GET"),
        ("path", PATH),
        ("client_address", crate::bank::CLIENT),
    ] {
        assert_eq!(seen[key], value, "{seen}");
    }
    assert_eq!((&seen["certificate"]["verify"], &seen["refusal"]), (&"SUCCESS".into(), &serde_json::Value::Null), "{seen}");
    assert_eq!(seen["certificate"]["sha256"].as_str().unwrap().len(), 64, "{seen}");
    let names: Vec<&String> = seen["contract_headers"].as_object().unwrap().keys().collect();
    assert_eq!(names, ["client-certificate", "client-certificate-ca-verified", "x-forwarded-for"]);
    let text = answer.text();
    assert!(!text.contains(crate::bank::KEY) && !text.contains(SECRET) && !text.contains(&token), "{text}");
    assert_eq!(bank.upstream.take().len(), 0);
    let line = bank.vestibule.access_line(&answer);
    assert_eq!((&line["decision"], &line["status"]), (&"permit".into(), &200.into()), "{line}");
    assert!(!bank.vestibule.access_text().contains(&token));
    assert_ordinary(&bank, asking(&token), "again");
}

#[test]
fn whatever_is_no_good_token_changes_nothing() {
    let bank = bank(&Tenant::default());
    let at = |seconds: i64| mint(&key(), DOMAIN, PATH, UnixTime(now() + seconds), [seconds.to_le_bytes()[0]; 16]);
    let other = SignatureKey::parse(&SignatureKey::generate().unwrap()).unwrap();
    for (what, bad) in [
        ("empty", String::new()),
        ("garbage", "\u{e9}v1.1.1.1".into()),
        ("long", "v1.".to_owned() + &"9".repeat(8_000)),
        ("old", at(-LIFETIME - 2)),
        ("of the future", at(CLOCK_TOLERANCE + 30)),
        ("another key", mint(&other, DOMAIN, PATH, UnixTime(now()), [1; 16])),
        ("another host", mint(&key(), "mtls.api.bank.example", PATH, UnixTime(now()), [2; 16])),
        ("another path", mint(&key(), DOMAIN, "/", UnixTime(now()), [3; 16])),
        ("with a space", format!("{} x", token())),
        ("two in one", format!("{}, {}", token(), token())),
        ("before this process", at(-20)),
    ] {
        assert_ordinary(&bank, asking(&bad), what);
    }
    assert_ordinary(&bank, asking(&token()).with("vestibule-probe-token", &token()), "two lines");
    assert_ordinary(&bank, Request::get(PATH).of(&good()), "none");
    assert_ordinary(&bank, asking(&token()).retarget("/.well-known/vestibule-probe/"), "below");
    assert_ordinary(&bank, asking(&token()).retarget("/"), "elsewhere");
}

#[test]
fn a_token_opens_nothing_for_who_is_not_the_front_door() {
    let bank = bank(&Tenant::default());
    for (what, request) in [
        ("no key", asking(&token()).without("cname-api-key")),
        ("a wrong key", asking(&token()).instead("cname-api-key", "wrong")),
        ("an alias", asking(&token()).with("client_certificate", "x")),
        ("an unknown host", asking(&token()).instead("Host", "other.example")),
    ] {
        let answer = bank.vestibule.ask(request.text());
        assert!((400..500).contains(&answer.status) && !answer.text().contains("contract_headers"), "{what}: {answer:?}");
        assert_eq!(bank.upstream.take().len(), 0, "{what}");
    }
}

#[test]
fn certificate_headers_that_are_refused_are_told() {
    let bank = bank(&Tenant::default());
    let answer = bank.vestibule.ask(asking(&token()).carrying("rubbish").text());
    let seen = answer.json();
    assert_eq!((answer.status, &seen["certificate"]), (200, &serde_json::Value::Null), "{seen}");
    assert!(seen["refusal"].as_str().unwrap().starts_with("certificate_"), "{seen}");
}

#[test]
fn without_a_secret_there_is_no_probe() {
    let bank = Bank::open();
    assert_ordinary(&bank, asking(&token()), "off");
}

#[test]
fn a_reload_forgets_no_token() {
    let bank = bank(&Tenant::default());
    let token = token();
    assert_eq!(bank.vestibule.ask(asking(&token).text()).json()["domain"], DOMAIN);
    bank.vestibule.signal("HUP");
    bank.vestibule.wait_for_diagnostics("configuration taken");
    assert_ordinary(&bank, asking(&token), "after a reload");
}
