//! What an enemy of the OAuth checks would try: tokens that say two things, tokens in two places, keys that a token brings along,
//! clients of two names, and servers that are to be asked again and again.

use std::io::Write as _;
use std::net::TcpStream;

use openssl::ecdsa::EcdsaSig;
use openssl::sha::sha256;
use serde_json::{Value, json};

use crate::bank::{Bank, DOMAIN, Person, Request, Tenant, good, leaf, person};
use crate::issuer::{AUDIENCE, Issuer, ec_jwk, encoded, header, keys, message, signed, signed_text, signed_with};
use crate::recording_upstream::{Received, RecordingUpstream, reply};
use crate::vestibule_program::Vestibule;

fn bank(issuer: &Issuer, more: &str) -> Bank {
    let upstream = RecordingUpstream::start();
    let bound = "certificate_bound_access_tokens = \"require\"";
    let tables = format!(
        "[oauth.issuers.as]\nissuer = \"{}\"\naudience = [\"{AUDIENCE}\"]\n\
         [[routes]]\npath = \"/bound/\"\nupstream = \"core\"\npolicy = {{ {bound} }}\n\
         [[routes]]\npath = \"/watched/\"\nupstream = \"core\"\npolicy = {{ {bound}, verification_mode = \"monitor\" }}\n{more}",
        issuer.url()
    );
    let tenant = Tenant { tables, ..Tenant::default() };
    Bank { vestibule: Vestibule::start(&crate::bank::files(&[(tenant, upstream.url())])), upstream }
}

fn with_token(path: &str, person: &Person, token: &str) -> Request {
    Request::get(path).of(person).with("Authorization", &format!("Bearer {token}"))
}

#[track_caller]
fn passes(bank: &Bank, request: &Request) -> Received {
    let answer = bank.vestibule.ask(request.text());
    assert_eq!(answer.status, 200, "{}", bank.vestibule.access_line(&answer));
    bank.upstream.take_one()
}

#[track_caller]
fn refused(bank: &Bank, request: &Request, status: u16, code: &str) {
    let answer = bank.vestibule.ask(request.text());
    assert_eq!(bank.refused(&answer, status), code, "{}", bank.vestibule.access_line(&answer));
}

#[test]
fn a_token_that_says_two_things_says_nothing() {
    let (issuer, client) = (Issuer::start(), good());
    let bank = bank(&issuer, "");
    let (head, claims) = (header().to_string(), issuer.claims(&client).to_string());
    let and = |object: &str, more: &str| format!("{},{more}}}", object.strip_suffix('}').unwrap());
    passes(&bank, &with_token("/bound/", &client, &signed_text(&head, &claims)));
    passes(&bank, &with_token("/bound/", &client, &signed_text(&format!(" {head}\n"), &and(&claims, "\"x\":{\"aud\":1}"))));
    let thief = crate::issuer::thumbprint(&good());
    for token in [
        signed_text(&and(&head, "\"alg\":\"ES256\""), &claims),
        signed_text(&and(&head, "\"kid\":\"k1\""), &claims),
        signed_text(&head, &and(&claims, &format!("\"aud\":\"{AUDIENCE}\""))),
        signed_text(&head, &and(&claims, "\"sub\":\"alice\"")),
        signed_text(&head, &and(&claims, "\"\\u0073ub\":\"mallory\"")),
        signed_text(&head, &and(&claims, &format!("\"cnf\":{{\"x5t#S256\":\"{thief}\"}}"))),
        signed_text(&head, &claims.replace("\"x5t#S256\":", &format!("\"x5t#S256\":\"{thief}\",\"x5t#S256\":"))),
        signed_text(&head, &format!("[{claims}]")),
        signed_text(&head, &format!("{claims}{claims}")),
        signed_text(&head, &format!("\u{feff}{claims}")),
        signed_text(&head, &format!("{}{}", "[".repeat(3_000), "]".repeat(3_000))),
    ] {
        refused(&bank, &with_token("/bound/", &client, &token), 401, "access_token_invalid");
    }
}

#[test]
fn a_token_is_read_in_one_alphabet_and_its_signature_in_one_form() {
    let (issuer, client) = (Issuer::start(), good());
    let bank = bank(&issuer, "");
    let token = issuer.bound(&client);
    let parts: Vec<&str> = token.split('.').collect();
    let der = EcdsaSig::sign(&sha256(format!("{}.{}", parts[0], parts[1]).as_bytes()), &keys().ec.ec_key().unwrap()).unwrap();
    // The last of 86 characters has four bits that mean nothing: another letter would say the same.
    let (rest, last) = token.split_at(token.len() - 1);
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let at = alphabet.iter().position(|letter| *letter == last.as_bytes()[0]).unwrap();
    let sibling = format!("{rest}{}", char::from(alphabet[at + 1]));
    for wrong in [
        sibling,
        format!("{token}="),
        format!("{token}=="),
        format!("{}=.{}.{}", parts[0], parts[1], parts[2]),
        format!("{}.{}==.{}", parts[0], parts[1], parts[2]),
        format!("{}.{}.{}", parts[0], parts[1], encoded(der.to_der().unwrap())),
        format!("{}.{}.{}A", parts[0], parts[1], parts[2]),
        format!("{}..{}", parts[0], parts[2]),
        format!(".{}.{}", parts[1], parts[2]),
    ] {
        refused(&bank, &with_token("/bound/", &client, &wrong), 401, "access_token_invalid");
    }
    passes(&bank, &with_token("/bound/", &client, &token));
}

#[test]
fn nothing_that_a_token_brings_along_is_a_key() {
    let (issuer, client) = (Issuer::start(), good());
    let bank = bank(&issuer, "");
    let own_keys = json!({"keys": [ec_jwk("k1", &keys().other)]}).to_string();
    let enemy = RecordingUpstream::answering(move |_, stream| reply(stream, "", own_keys.as_bytes()));
    let url = format!("{}/jwks", enemy.url());
    let claims = issuer.claims(&client);
    passes(&bank, &with_token("/bound/", &client, &signed(&header(), &claims)));
    let brought: [(&str, Value); 6] = [
        ("jku", json!(url)),
        ("x5u", json!(url)),
        ("jwk", ec_jwk("k1", &keys().other)),
        ("x5c", json!([openssl::base64::encode_block(&client.certificate.to_der().unwrap())])),
        ("x5t#S256", json!(crate::issuer::thumbprint(&client))),
        ("iss", json!(enemy.url())),
    ];
    for (name, value) in &brought {
        let mut head = header();
        head[*name] = value.clone();
        let forged = signed_with(&keys().other, &head, &claims);
        refused(&bank, &with_token("/bound/", &client, &forged), 401, "access_token_invalid");
    }
    let kids = ["../../jwks", "/dev/null", "k1\0", "k1' OR '1'='1", "", "K1", " k1", &url, &"k".repeat(4_000)];
    for kid in kids {
        let mut head = header();
        head["kid"] = json!(kid);
        for key in [&keys().ec, &keys().other] {
            refused(&bank, &with_token("/bound/", &client, &signed_with(key, &head, &claims)), 401, "access_token_invalid");
        }
    }
    for alg in ["None", "NONE", "nOnE", "", "HS256", "ES256K", "ES256 ", "es256"] {
        let head = json!({"alg": alg, "typ": "at+jwt", "kid": "k1"});
        for token in [format!("{}.", message(&head, &claims)), signed(&head, &claims)] {
            refused(&bank, &with_token("/bound/", &client, &token), 401, "access_token_invalid");
        }
    }
    assert_eq!(enemy.received().len(), 0, "nobody follows a token's links");
    assert!(issuer.asked("/jwks") <= 2);
}

fn form(person: &Person, token: &str, body: &[u8]) -> Request {
    Request::new("POST", "/bound/")
        .of(person)
        .with("Authorization", &format!("Bearer {token}"))
        .with("Content-Type", "application/x-www-form-urlencoded")
        .body(body)
}

#[test]
fn a_second_token_in_a_form_does_not_get_past_the_first() {
    let (issuer, client) = (Issuer::start(), good());
    let bank = bank(&issuer, "");
    let token = issuer.bound(&client);
    // Somebody else's, which the upstream might take.
    let stolen = issuer.bound(&good());
    let body = |name: &str| format!("a=b&{name}={stolen}&c=d");
    for name in [
        "access_token",
        "access%5Ftoken",
        "access.token",
        "Access_Token",
        "access_token[]",
        "x=1;access_token",
        "+access_token",
    ] {
        let request = form(&client, &token, body(name).as_bytes());
        refused(&bank, &request, 400, "access_token_repeated");
        let query = format!("/bound/?{}", body(name));
        refused(&bank, &with_token(&query, &client, &token), 400, "access_token_repeated");
    }
    let odd = form(&client, &token, body("access_token").as_bytes());
    for request in [
        odd.clone().instead("Content-Type", "Application/X-WWW-Form-URLEncoded; charset=utf-8"),
        odd.clone().instead("Content-Type", "text/plain, application/x-www-form-urlencoded"),
        odd.clone().instead("Content-Type", "application/json").with("Content-Type", "application/x-www-form-urlencoded"),
        odd.clone().instead("Content-Type", "application/json").with("Content_Type", "application/x-www-form-urlencoded"),
        form(&client, &token, b"\x1f\x8b packed").with("Content-Encoding", "gzip"),
    ] {
        refused(&bank, &request, 400, "access_token_repeated");
    }
    let head = Request::new("POST", "/bound/")
        .of(&client)
        .with("Authorization", &format!("Bearer {token}"))
        .with("Content-Type", "application/x-www-form-urlencoded")
        .with("Transfer-Encoding", "chunked");
    let chunked = [head.text().as_slice(), b"7\r\naccess_\r\n7\r\ntoken=x\r\n0\r\n\r\n"].concat();
    let answer = bank.vestibule.ask(chunked);
    assert_eq!(bank.refused(&answer, 400), "access_token_repeated");
    let large = form(&client, &token, format!("a={}", "x".repeat(65_536)).as_bytes());
    refused(&bank, &large, 413, "request_body_too_large");
    // Forms without one pass whole, and other bodies are streamed unread.
    for body in [&b"a=access_token&b=c"[..], b"", &[b'x'; 65_000]] {
        assert_eq!(passes(&bank, &form(&client, &token, body)).body, body);
    }
    let json = format!("{{\"access_token\": \"{}\"}}", "x".repeat(100_000));
    let request = form(&client, &token, json.as_bytes()).instead("Content-Type", "application/json");
    assert_eq!(passes(&bank, &request).body, json.as_bytes());
}

#[test]
fn one_header_one_scheme_one_token() {
    let (issuer, client) = (Issuer::start(), good());
    let bank = bank(&issuer, "");
    let (token, stolen) = (issuer.bound(&client), issuer.bound(&good()));
    let sent = |value: &str| Request::get("/bound/").of(&client).with("Authorization", value);
    for value in [format!("BEARER {token}"), format!("bEaReR   {token}")] {
        passes(&bank, &sent(&value));
    }
    for (value, status, code) in [
        (format!("Bearer {token}, Bearer {stolen}"), 401, "access_token_invalid"),
        (format!("Bearer {token} {stolen}"), 401, "access_token_invalid"),
        (format!("Bearer {token},{stolen}"), 401, "access_token_invalid"),
        (format!("Bearer\t{token}"), 401, "access_token_missing"),
        (format!("Bearer{token}"), 401, "access_token_missing"),
        (format!("Token {token}"), 401, "access_token_missing"),
        (token.clone(), 401, "access_token_missing"),
        ("Bearer".into(), 401, "access_token_invalid"),
        (format!("DPoP {token}"), 401, "access_token_dpop"),
    ] {
        refused(&bank, &sent(&value), status, code);
    }
    let twice = sent(&format!("Bearer {token}"));
    for second in [format!("Bearer {stolen}"), "Basic YTpi".into(), format!("Bearer {token}"), String::new()] {
        refused(&bank, &twice.clone().with("AUTHORIZATION", &second), 400, "access_token_repeated");
    }
    // What is not for us stays as it is; the upstream gets one token.
    let seen = passes(&bank, &twice.with("Proxy-Authorization", "Basic YTpi"));
    assert_eq!(seen.headers.iter().filter(|(name, _)| name == "authorization").count(), 1);
}

#[test]
fn tokens_are_checked_where_certificates_are_only_watched() {
    let (issuer, client) = (Issuer::start(), good());
    let bank = bank(&issuer, "");
    let stranger = crate::bank::person_of(&crate::bank::authorities().stranger, &leaf("own"));
    passes(&bank, &with_token("/watched/", &stranger, &issuer.bound(&stranger)));
    refused(&bank, &with_token("/watched/", &stranger, &issuer.bound(&client)), 401, "access_token_certificate");
    let mut unbound = issuer.claims(&client);
    unbound.as_object_mut().unwrap().remove("cnf");
    refused(&bank, &with_token("/watched/", &client, &signed(&header(), &unbound)), 401, "access_token_unbound");
}

#[test]
fn many_unknown_keys_at_once_make_one_question() {
    let (issuer, client) = (Issuer::start(), good());
    let bank = bank(&issuer, "");
    passes(&bank, &with_token("/bound/", &client, &issuer.bound(&client)));
    assert_eq!(issuer.asked("/jwks"), 1);
    let claims = issuer.claims(&client);
    std::thread::scope(|threads| {
        for worker in 0..8 {
            let (bank, client, claims) = (&bank, &client, &claims);
            threads.spawn(move || {
                for number in 0..10 {
                    let mut head = header();
                    head["kid"] = json!(format!("{worker}-{number}"));
                    let request = with_token("/bound/", client, &signed(&head, claims));
                    assert_eq!(bank.vestibule.ask(request.text()).status, 401);
                }
            });
        }
    });
    assert_eq!(issuer.asked("/jwks"), 2);
    passes(&bank, &with_token("/bound/", &client, &issuer.bound(&client)));
}

fn clients(lines: &str) -> String {
    format!(
        "{lines}[[oauth.clients]]\nclient_id = \"app\"\ntoken_endpoint_auth_method = \"tls_client_auth\"\n\
         tls_client_auth_subject_dn = \"CN=app,O=Vestibule Test\"\n\
         [[oauth.clients]]\nclient_id = \"other\"\ntoken_endpoint_auth_method = \"client_secret_post\"\n\
         [[routes]]\npath = \"/token\"\nupstream = \"core\"\n\
         policy = {{ verification = \"permissive\", tls_client_auth = true, self_signed_tls_client_auth = true }}\n\
         [[routes]]\npath = \"/token/watched\"\nupstream = \"core\"\n\
         policy = {{ verification = \"permissive\", tls_client_auth = true, verification_mode = \"monitor\" }}\n"
    )
}

fn post(path: &str, body: &str) -> Request {
    Request::new("POST", path)
        .instead("Host", &format!("mtls.{DOMAIN}"))
        .with("Content-Type", "application/x-www-form-urlencoded")
        .body(body.as_bytes())
}

#[test]
fn a_client_has_one_name_in_every_reading() {
    let bank = bank(&Issuer::start(), &clients(""));
    let app = person(&leaf("app"));
    let good = post("/token", "grant_type=x&client_id=app").of(&app);
    assert_eq!(passes(&bank, &good).header("x-vestibule-client-id"), "app");
    for body in [
        "client_id=other&client_id=app",
        "client_id=app;client_id=other",
        "a=b;client_id=app&client_id=other",
        "client_id=other&client.id=app",
        "client_id=other&CLIENT_ID=app",
        "client_id=other&client_id[]=app",
        "client_id=other&+client_id=app",
        "client.id=app",
        "client_id[0]=app",
        "client_id=other&client_secret=a&Client_Secret=b",
        "client_id=%80",
        "client_id",
        "",
    ] {
        for person in [&app, &crate::bank::good()] {
            refused(&bank, &post("/token", body).of(person), 400, "oauth_request_invalid");
        }
    }
    for request in [
        good.clone().instead("Content-Type", "multipart/form-data; boundary=x"),
        good.clone().instead("Content-Type", "application/x-www-form-urlencoded; charset=utf-16"),
        good.clone().with("Content-Type", "application/json"),
        good.clone().with("Content_Type", "application/json"),
        good.clone().without("Content-Type"),
        good.clone().with("Authorization", "Bearer x"),
        good.clone().with("Authorization", "Basic b3RoZXI6eA=="),
    ] {
        refused(&bank, &request, 400, "oauth_request_invalid");
    }
    // Other methods never reach the provider with a body that it could take.
    for method in ["GET", "PUT", "PATCH", "HEAD"] {
        let body = b"client_id=app";
        let request = Request::new(method, "/token").with("Content-Type", "application/x-www-form-urlencoded").body(body);
        let answer = bank.vestibule.ask(request.of(&app).text());
        assert!(answer.status == 400 && bank.upstream.take().is_empty(), "{method} {}", answer.status);
    }
    // Where certificates are only watched, a client is still who its trusted certificate says.
    let stranger = crate::bank::person_of(&crate::bank::authorities().stranger, &leaf("app"));
    refused(&bank, &post("/token/watched", "client_id=app").of(&stranger), 401, "oauth_client_refused");
    passes(&bank, &post("/token/watched", "client_id=app").of(&app));
}

#[test]
fn a_path_in_another_case_is_no_way_around() {
    let (issuer, client) = (Issuer::start(), good());
    let bank = bank(&issuer, &clients(""));
    let token = issuer.bound(&client);
    for path in ["/TOKEN", "/Token/watched", "/toke%4E", "/token/WATCHED", "/Public/x", "/BOUND/", "/Bound/x?a=b", "/%42ound/"]
    {
        for request in [post(path, "client_id=app").of(&client), with_token(path, &client, &token)] {
            refused(&bank, &request, 400, "request_target_invalid");
        }
    }
    for path in ["/PUBLIC", "/Boundless", "/To"] {
        passes(&bank, &Request::get(path).of(&client));
    }
    let asking = Request::get("/-/authorize").of(&client).with("X-Original-URI", "/BOUND/x").with("X-Original-Method", "GET");
    refused(&bank, &asking, 400, "request_target_invalid");
}

#[test]
fn a_clients_own_server_leads_nowhere_else() {
    let inside = RecordingUpstream::start();
    let target = inside.url();
    let redirecting = RecordingUpstream::answering(move |_, stream: &mut TcpStream| {
        let head = format!("HTTP/1.1 302 Found\r\nlocation: {target}/secret\r\ncontent-length: 0\r\n\r\n");
        stream.write_all(head.as_bytes()).is_ok()
    });
    let endless = RecordingUpstream::answering(|_, stream: &mut TcpStream| {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{\"keys\": [\"";
        let mut going = stream.write_all(head.as_bytes()).is_ok();
        for _ in 0..10_000 {
            going = going && stream.write_all(&[b'a'; 1_000]).is_ok();
        }
        false
    });
    let own = |id: &str, url: &str, private: bool| {
        format!(
            "[[oauth.clients]]\nclient_id = \"{id}\"\ntoken_endpoint_auth_method = \"self_signed_tls_client_auth\"\n\
             jwks_uri = \"{url}\"\nallow_private_addresses = {private}\n"
        )
    };
    let lines = own("redirecting", &redirecting.url(), true)
        + &own("endless", &endless.url(), true)
        + &own("address", &inside.url(), false)
        + &own("name", &inside.url().replace("127.0.0.1", "localhost"), false)
        + &own("mapped", &inside.url().replace("127.0.0.1", "[::1]"), false);
    let bank = bank(&Issuer::start(), &clients(&lines));
    for id in ["redirecting", "endless", "address", "name", "mapped"] {
        for _ in 0..3 {
            let request = post("/token", &format!("client_id={id}")).of(&good());
            refused(&bank, &request, 503, "oauth_client_unverifiable");
        }
    }
    assert_eq!(inside.received().len(), 0);
    assert_eq!((redirecting.received().len(), endless.received().len()), (1, 1), "a failure is remembered");
}
