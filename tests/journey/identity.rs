//! What upstreams are told about the client: tokens that PyJWT checks, and Zuplo's user object.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use openssl::ec::{EcGroup, EcKey};
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::sha::sha256;
use serde_json::{Value, json};

use crate::bank::{Bank, Person, Request, Tenant, authorities, expired, files, good, leaf, now, person, person_of};
use crate::der_writer::{sequence, tlv};
use crate::pki::{Dates, Leaf, new_key, self_signed_by};
use crate::pyjwt::PyJwt;
use crate::recording_upstream::{Received, RecordingUpstream};
use crate::vestibule_program::{Files, Vestibule, wait_until};

const TOKEN: &str = "x-vestibule-identity";
const USER: &str = "x-vestibule-user";
const ISSUER: &str = "https://edge.bank.example";
const AUDIENCE: &str = "https://core.bank.example";

fn tables(lines: &str) -> String {
    format!("[identity]\n{lines}\n[identity.token]\nissuer = \"{ISSUER}\"\naudience = \"{AUDIENCE}\"\n[identity.user]\n")
}

fn tenant(tables: String) -> Tenant {
    Tenant { tables, ..Tenant::default() }
}

/// The files of a bank whose process has these keys.
fn files_with(tenant: Tenant, upstream: &RecordingUpstream, keys: &[(&str, &str)]) -> Files {
    let mut files = files(&[(tenant, upstream.url())]);
    files[0].1.push_str(&signing_keys(&keys.iter().map(|(file, _)| *file).collect::<Vec<_>>()));
    files.extend(keys.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned())));
    files
}

fn signing_keys(files: &[&str]) -> String {
    format!("\n[identity]\nsigning_keys = {files:?}\n")
}

fn ec_key() -> String {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    pem(&PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap())
}

fn ed_key() -> String {
    pem(&PKey::generate_ed25519().unwrap())
}

fn pem(key: &PKey<Private>) -> String {
    String::from_utf8(key.private_key_to_pem_pkcs8().unwrap()).unwrap()
}

fn checker(vestibule: &Vestibule) -> PyJwt {
    PyJwt::start(&vestibule.admin_url("/.well-known/jwks.json"), ISSUER, AUDIENCE)
}

/// What the upstream gets of a request that passes.
#[track_caller]
fn received(bank: &Bank, path: &str, person: Option<&Person>) -> Received {
    let request = Request::get(path);
    let request = person.map_or_else(|| request.clone().of_nobody(), |person| request.clone().of(person));
    let answer = bank.vestibule.ask(request.text());
    assert_eq!(answer.status, 200, "{path}: {}", bank.vestibule.code(&answer));
    bank.upstream.take_one()
}

fn token(received: &Received) -> String {
    let lines = received.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(TOKEN));
    let lines: Vec<&String> = lines.map(|(_, value)| value).collect();
    assert_eq!(lines.len(), 1, "{:?}", received.headers);
    lines[0].clone()
}

fn user(received: &Received) -> Value {
    serde_json::from_slice(&STANDARD.decode(received.header(USER)).unwrap()).unwrap()
}

/// The claims, believed.
fn claims(token: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

fn kid(token: &str) -> String {
    let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap()).unwrap();
    header["kid"].as_str().unwrap().to_owned()
}

fn x5t(person: &Person) -> String {
    URL_SAFE_NO_PAD.encode(sha256(&person.certificate.to_der().unwrap()))
}

#[test]
fn the_whole_of_a_token_and_of_a_user() {
    let consumers = "[[consumers]]\nid = \"c-1\"\nusername = \"good\"\ncustom_id = \"4711\"\ngroups = [\"eu\"]\ntags = [\"gold\"]\n\
                     credentials = [{ id = \"k-1\", subject_name = \"good\" }]\n";
    let bank = Bank::with(&tenant(tables("") + consumers));
    let mut checker = checker(&bank.vestibule);
    let client = good();
    let got = received(&bank, "/", Some(&client));
    let token = token(&got);
    let mut claims = checker.accepts(&token);
    let (from, until) = (claims["iat"].as_i64().unwrap(), claims["exp"].as_i64().unwrap());
    assert!((now() - 30..=now()).contains(&from) && until == from + 60, "{claims}");
    for instant in ["iat", "exp"] {
        claims.as_object_mut().unwrap().remove(instant);
    }
    let anchor = hex::encode(sha256(&authorities().root.certificate.to_der().unwrap()));
    let consumer = json!({
        "id": "c-1", "username": "good", "custom_id": "4711", "groups": ["eu"], "tags": ["gold"], "by": "subject_name",
        "credential": "k-1",
    });
    let expected = json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": "CN=good,O=Vestibule Test", "verified": true, "ssl_client_verify": "SUCCESS",
        "basis": "ca", "anchor_sha256": anchor, "waived": [], "cnf": {"x5t#S256": x5t(&client)}, "consumer": consumer,
    });
    assert_eq!(claims, expected);
    let digest = hex::encode_upper(sha256(&client.certificate.to_der().unwrap()));
    let digest: Vec<&str> = (0..32).map(|at| &digest[2 * at..2 * at + 2]).collect();
    let user = user(&got);
    let day = user["data"]["mtlsAuth"]["notAfter"].as_str().unwrap().to_owned();
    assert!(day.len() == 20 && day.ends_with('Z'), "{day}");
    assert_eq!(user["sub"], "CN=good,O=Vestibule Test");
    assert_eq!(user["data"]["mtlsAuth"]["subject"], "CN=good, O=Vestibule Test");
    assert_eq!(user["data"]["mtlsAuth"]["issuer"], "CN=Journey Issuing, O=Vestibule Test");
    assert_eq!(user["data"]["mtlsAuth"]["sha256Fingerprint"], digest.join(":"));
    assert_eq!((&user["data"]["verified"], &user["data"]["consumer"]), (&json!(true), &consumer));
    // A subrequest gets them too.
    let asked = Request::get("/-/authorize").with("X-Original-URI", "/x").with("X-Original-Method", "GET").of(&client);
    let answer = bank.vestibule.ask(asked.text());
    assert_eq!(checker.accepts(answer.header(TOKEN).unwrap())["sub"], "CN=good,O=Vestibule Test");
    assert!(answer.header(USER).is_some());
}

/// Path, client, and of the claims `verified`, `ssl_client_verify`, `waived`, `basis`.
type Row<'r> = (&'r str, Option<&'r Person>, bool, &'r str, Value, &'r str);

#[test]
fn who_is_not_verified_has_no_subject() {
    let own = {
        let key = new_key();
        Person { certificate: self_signed_by(&leaf("own"), &key), key }
    };
    let pin = hex::encode(sha256(&own.certificate.to_der().unwrap()));
    let route = format!(
        "[[routes]]\npath = \"/own/\"\nupstream = \"core\"\npolicy = {{ self_signed_certificates = [\"sha256:{pin}\"] }}\n\
         [[routes]]\npath = \"/watched/\"\nupstream = \"core\"\npolicy = {{ verification_mode = \"monitor\" }}\n"
    );
    let bank = Bank::with(&tenant(tables("") + &route));
    let mut checker = checker(&bank.vestibule);
    let old = person(&Leaf { dates: expired(), ..leaf("old") });
    let stranger = person_of(&authorities().stranger, &leaf("stranger"));
    let untrusted = "FAILED:unable to verify the first certificate";
    let rows: [Row<'_>; 8] = [
        ("/", Some(&good()), true, "SUCCESS", json!([]), "ca"),
        ("/grace/", Some(&old), true, "FAILED:certificate has expired", json!(["expired"]), "ca"),
        ("/own/", Some(&own), true, "FAILED:self-signed certificate", json!([]), "thumbprint"),
        ("/permissive/", Some(&stranger), false, untrusted, json!([]), ""),
        ("/watched/", Some(&stranger), false, untrusted, json!([]), ""),
        ("/permissive/", Some(&old), false, "FAILED:certificate has expired", json!([]), ""),
        ("/public/", None, false, "NONE", json!([]), ""),
        ("/off/", Some(&good()), false, "NONE", json!([]), ""),
    ];
    for (path, person, verified, word, waived, basis) in rows {
        let got = received(&bank, path, person);
        let claims = checker.accepts(&token(&got));
        assert_eq!((&claims["verified"], &claims["ssl_client_verify"]), (&json!(verified), &json!(word)), "{path}");
        assert_eq!((&claims["waived"], claims["basis"].as_str().unwrap_or_default()), (&waived, basis), "{path}");
        let named = verified && basis == "ca";
        assert_eq!(claims.get("sub").is_some(), named, "{path} {claims}");
        assert_eq!(claims.get("anchor_sha256").is_some(), named, "{path} {claims}");
        let seen = person.filter(|_| path != "/off/");
        assert_eq!(claims["cnf"]["x5t#S256"].as_str(), seen.map(x5t).as_deref(), "{path}");
        if seen.is_none() {
            assert_eq!(got.header(USER), "", "{path}");
            continue;
        }
        let user = user(&got);
        assert_eq!((user.get("sub").is_some(), &user["data"]["verified"]), (named, &json!(verified)), "{path} {user}");
        assert_eq!(user["data"]["waived"], waived, "{path}");
    }
}

#[test]
fn subjects_of_other_kinds() {
    let uri = |names: &[&str]| {
        let names: Vec<Vec<u8>> = names.iter().map(|name| tlv(0x86, name.as_bytes())).collect();
        person(&Leaf { extra: vec![("2.5.29.17", false, sequence(&names))], ..leaf("x") })
    };
    let bank = Bank::with(&tenant(tables("subject = \"san_uri\"")));
    for (person, subject) in [
        (uri(&["spiffe://bank.example/a"]), Some("spiffe://bank.example/a")),
        (uri(&["spiffe://bank.example/a", "spiffe://bank.example/b"]), None),
        (good(), None),
    ] {
        let got = received(&bank, "/", Some(&person));
        assert_eq!(claims(&token(&got))["sub"].as_str(), subject);
        assert_eq!(user(&got)["sub"].as_str(), subject);
    }
    let consumers = "[[consumers]]\nid = \"c-1\"\nusername = \"good\"\n[[consumers]]\nid = \"guest\"\n\
                     [[routes]]\npath = \"/guests/\"\nupstream = \"core\"\npolicy = { allow_unauthenticated_requests = true, anonymous = \"guest\" }\n";
    let bank = Bank::with(&tenant(tables("subject = \"consumer\"") + consumers));
    assert_eq!(claims(&token(&received(&bank, "/", Some(&good()))))["sub"], "c-1");
    for person in [None, Some(person(&leaf("unknown")))] {
        let claims = claims(&token(&received(&bank, "/guests/", person.as_ref())));
        assert_eq!((&claims["consumer"]["id"], claims.get("sub")), (&json!("guest"), None));
    }
}

#[test]
fn forged_headers_and_rules_change_nothing() {
    let aliases =
        ["x-vestibule-identity", "X-Vestibule-Identity", "X_VESTIBULE_IDENTITY", "x_vestibule_user", "X.Vestibule.User"];
    let of_who = ["x-who", "X_Who", "X.WHO"];
    let rule =
        "[[rules]]\nname = \"remove\"\nbehaviors = [{ type = \"filter_request_header\", value = \"X-Vestibule-Identity\" }]\n";
    let named = "[identity.token]\nissuer = \"i\"\naudience = \"a\"\nheader = \"X-Who\"\n";
    // Without settings, with the headers' own names, and with another one.
    for (tables, own) in [(String::new(), None), (tables("") + rule, Some(TOKEN)), (named.to_owned(), Some("x-who"))] {
        let bank = Bank::with(&tenant(tables));
        for (path, person) in [("/", Some(good())), ("/public/", None), ("/off/", None), ("/permissive/", None)] {
            let names = aliases.iter().chain(of_who.iter().filter(|_| own == Some("x-who")));
            let request = names.fold(Request::get(path), |request, name| request.with(name, "forged"));
            let request = request.with("Connection", "x-vestibule-identity, x-who");
            let request = person.as_ref().map_or_else(|| request.clone().of_nobody(), |person| request.clone().of(person));
            let answer = bank.vestibule.ask(request.text());
            assert_eq!(answer.status, 200, "{path} {}", bank.vestibule.code(&answer));
            let got = bank.upstream.take_one();
            assert!(got.headers.iter().all(|(_, value)| value != "forged"), "{path} {:?}", got.headers);
            let tokens = got.headers.iter().filter(|(_, value)| value.starts_with("eyJ") && value.contains('.'));
            let tokens: Vec<&str> = tokens.map(|(name, _)| name.as_str()).collect();
            assert_eq!(tokens, own.into_iter().collect::<Vec<_>>(), "{path}");
        }
    }
}

#[test]
fn keys_change_without_a_token_that_fails() {
    let (old, new) = (ec_key(), ed_key());
    let upstream = RecordingUpstream::start();
    let keys = [("secrets/old.pem", old.as_str())];
    let mut files = files_with(tenant(tables("")), &upstream, &keys);
    files.push(("secrets/new.pem".into(), new));
    let process = files[0].1.clone();
    let bank = Bank { vestibule: Vestibule::start(&files), upstream };
    let mut checker = checker(&bank.vestibule);
    let client = good();
    let mut tokens = Vec::new();
    let mut kids = Vec::new();
    // Published before it signs, signing, and the old one gone when nothing that it signed is left.
    for (reloads, signing, published) in [
        (0, &["secrets/old.pem"][..], 1),
        (1, &["secrets/old.pem", "secrets/new.pem"], 2),
        (2, &["secrets/new.pem", "secrets/old.pem"], 2),
        (3, &["secrets/new.pem"], 1),
    ] {
        if reloads > 0 {
            let text = process.replace(&signing_keys(&["secrets/old.pem"]), &signing_keys(signing));
            bank.vestibule.replace_file("vestibule.toml", &text);
            wait_until(|| bank.vestibule.counter("vestibule_reloads_total") == reloads, || bank.vestibule.diagnostics());
        }
        let jwks = bank.vestibule.ask_admin("/.well-known/jwks.json");
        assert_eq!((jwks.status, jwks.header("content-type")), (200, Some("application/jwk-set+json")));
        assert_eq!(jwks.json()["keys"].as_array().unwrap().len(), published, "{}", jwks.text());
        assert!(jwks.json()["keys"].as_array().unwrap().iter().all(|key| key.get("d").is_none()), "{}", jwks.text());
        let token = token(&received(&bank, "/", Some(&client)));
        kids.push(kid(&token));
        tokens.push(token);
        for token in &tokens {
            checker.accepts(token);
        }
    }
    assert!(kids[0] == kids[1] && kids[1] != kids[2] && kids[2] == kids[3], "{kids:?}");
    // Who asks for the keys now does not get the old one: what it signed is worth nothing any more.
    let mut late = self::checker(&bank.vestibule);
    late.accepts(&tokens[3]);
    assert!(late.refuses(&tokens[0]).contains("Unable to find a signing key"));
    // Another key in the same file is taken without another configuration.
    bank.vestibule.replace_file("secrets/new.pem", &ec_key());
    wait_until(|| bank.vestibule.counter("vestibule_reloads_total") == 4, || bank.vestibule.diagnostics());
    let token = token(&received(&bank, "/", Some(&client)));
    assert!(!kids.contains(&kid(&token)));
    checker.accepts(&token);
    // A broken one is not.
    bank.vestibule.replace_file("secrets/new.pem", "nothing");
    bank.vestibule.wait_for_diagnostics("holds no private key");
    checker.accepts(&self::token(&received(&bank, "/", Some(&client))));
}

#[test]
fn a_key_of_our_own_making_lives_as_long_as_the_process() {
    let bank = Bank::with(&tenant(tables("")));
    let mut checker = checker(&bank.vestibule);
    let client = good();
    let before = token(&received(&bank, "/", Some(&client)));
    bank.vestibule.signal("HUP");
    wait_until(|| bank.vestibule.counter("vestibule_reloads_total") == 1, || bank.vestibule.diagnostics());
    let after = token(&received(&bank, "/", Some(&client)));
    assert_eq!(kid(&before), kid(&after));
    checker.accepts(&before);
    checker.accepts(&after);
    // A token that was kept is not taken for one of another length.
    let longer = tables("").replace("[identity.token]\n", "[identity.token]\nlifetime = \"90s\"\n");
    bank.vestibule.replace_file("tenants/bank.toml", &tenant(longer).text(&bank.upstream.url()));
    wait_until(|| bank.vestibule.counter("vestibule_reloads_total") == 2, || bank.vestibule.diagnostics());
    for _ in 0..2 {
        let claims = checker.accepts(&token(&received(&bank, "/", Some(&client))));
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 90);
    }
    // Nobody signs, nothing is published.
    assert_eq!(Bank::open().vestibule.ask_admin("/.well-known/jwks.json").status, 404);
}

#[test]
fn others_tokens_are_refused() {
    let two = format!(
        "[identity.token]\nissuer = \"{ISSUER}\"\naudience = [\"x\", \"{AUDIENCE}\"]\nlifetime = \"5s\"\naudiences = {{ other = \"o\" }}\n\
         [upstreams.other]\nurl = \"UPSTREAM\"\n[[routes]]\npath = \"/other/\"\nupstream = \"other\"\n\
         [[rules]]\nname = \"away\"\ncriteria = [[{{ variable = \"${{uri}}\", operator = \"is_equal\", argument = \"/away\" }}]]\n\
         behaviors = [{{ type = \"set_origin\", value = \"other\" }}]\n"
    );
    let upstream = RecordingUpstream::start();
    let bank = Bank::before(&tenant(two.replace("UPSTREAM", &upstream.url())), upstream);
    let mut checker = checker(&bank.vestibule);
    let good = good();
    let mine = token(&received(&bank, "/", Some(&good)));
    assert_eq!(checker.accepts(&mine)["aud"], json!(["x", AUDIENCE]));
    // What is for one upstream is nothing to another one, also when a rule chooses it.
    for path in ["/other/", "/away"] {
        let other = token(&received(&bank, path, Some(&good)));
        assert!(checker.refuses(&other).contains("InvalidAudience"));
        assert_eq!(claims(&other)["aud"], "o");
    }
    let parts: Vec<&str> = mine.split('.').collect();
    let changed = claims(&mine).to_string().replace("CN=good", "CN=admin");
    let changed = [parts[0], &URL_SAFE_NO_PAD.encode(changed), parts[2]].join(".");
    assert!(checker.refuses(&changed).contains("InvalidSignature"));
    let none = URL_SAFE_NO_PAD.encode(format!("{{\"alg\":\"none\",\"kid\":\"{}\"}}", kid(&mine)));
    checker.refuses(&[&none, parts[1], ""].join("."));
    let foreign = Bank::with(&tenant(tables("")));
    assert!(checker.refuses(&token(&received(&foreign, "/", Some(&good)))).contains("Unable to find a signing key"));
    let until = claims(&mine)["exp"].as_i64().unwrap();
    wait_until(|| now() > until, || "the clock stands".into());
    assert!(checker.refuses(&mine).contains("ExpiredSignature"));
    checker.accepts(&token(&received(&bank, "/", Some(&good))));
}

#[test]
fn a_token_is_kept_for_half_its_life_and_only_for_the_same_claims() {
    let short = format!("[identity.token]\nissuer = \"{ISSUER}\"\naudience = \"{AUDIENCE}\"\nlifetime = \"6s\"\n");
    let bank = Bank::with(&tenant(short));
    let (one, other) = (good(), person(&leaf("other")));
    let (first, again) = (token(&received(&bank, "/", Some(&one))), token(&received(&bank, "/", Some(&one))));
    // Two signatures of one key differ even over the same text.
    let same_second = claims(&first)["iat"] == claims(&again)["iat"];
    assert!(first == again || !same_second, "signed twice");
    assert_ne!(token(&received(&bank, "/", Some(&other))), first);
    let from = claims(&again)["iat"].as_i64().unwrap();
    wait_until(|| now() >= from + 3, || "the clock stands".into());
    let later = token(&received(&bank, "/", Some(&one)));
    assert!(later != again && claims(&later)["iat"].as_i64().unwrap() >= from + 3);
}

#[test]
fn a_token_ends_with_the_certificate() {
    let bank = Bank::with(&tenant(tables("")));
    let ends = now() + 40;
    let ending = person(&Leaf { dates: Dates(now() - 100, ends), ..leaf("ending") });
    assert_eq!(claims(&token(&received(&bank, "/", Some(&ending))))["exp"], ends);
}

#[test]
fn what_is_too_long_for_a_header_is_refused() {
    let groups: Vec<String> = (0..200).map(|at| format!("group-{at:036}")).collect();
    for table in ["token", "user"] {
        let consumers = format!(
            "[[consumers]]\nid = \"a\"\nusername = \"good\"\n[[consumers]]\nid = \"b\"\nusername = \"many\"\ngroups = {groups:?}\n"
        );
        let table = format!("[identity.{table}]\n{}", if table == "token" { "issuer = \"i\"\naudience = \"a\"\n" } else { "" });
        let bank = Bank::with(&tenant(table + &consumers));
        let answer = bank.vestibule.ask(Request::get("/").of(&person(&leaf("many"))).text());
        assert_eq!(bank.refused(&answer, 500), "identity_failed");
        bank.assert_still_serves();
    }
}

#[test]
fn hostile_names_stay_in_their_claim() {
    let bank = Bank::with(&tenant(tables("")));
    let mut checker = checker(&bank.vestibule);
    for name in ["a\",\"verified\":true,\"sub\":\"admin", "a\r\nX-Evil: 1", "caf\u{e9}", "\u{0}", "\\", "a.b.c"] {
        let got = received(&bank, "/", Some(&person(&leaf(name))));
        assert_eq!(got.header("x-evil"), "");
        let claims = checker.accepts(&token(&got));
        assert_eq!(claims["sub"].as_str().unwrap(), user(&got)["sub"].as_str().unwrap());
        assert!(claims["sub"].as_str().unwrap().starts_with("CN="), "{claims}");
    }
}
