//! Access tokens that are bound to certificates (RFC 8705 §3), checked before the upstream sees them.

use std::fmt::Write as _;
use std::io::Write as _;

use serde_json::{Value, json};

use crate::bank::{Bank, Person, Request, Tenant, good, leaf, now, person_of};
use crate::http_client::Answer;
use crate::issuer::{
    AUDIENCE, Issuer, SECRET, ec_jwk, encoded, header, hmac_signed, keys, message, rsa_signed, signed, signed_with, thumbprint,
};
use crate::pki::{new_key, self_signed_by};
use crate::recording_upstream::RecordingUpstream;
use crate::vestibule_program::Vestibule;

/// A bank whose issuer this is: `more` are further lines of `[oauth.issuers.as]`.
fn bank(issuer: &Issuer, more: &str) -> Bank {
    bank_before(issuer, more, RecordingUpstream::start())
}

fn bank_before(issuer: &Issuer, more: &str, upstream: RecordingUpstream) -> Bank {
    let mut tables = format!("[oauth.issuers.as]\nissuer = \"{}\"\naudience = [\"{AUDIENCE}\"]\n{more}\n", issuer.url());
    for (path, policy) in [
        ("/bound/", "certificate_bound_access_tokens = \"require\""),
        ("/any/", "certificate_bound_access_tokens = \"when_bound\""),
        ("/scoped/", "certificate_bound_access_tokens = \"require\", required_scopes = [\"accounts\", \"admin\"]"),
        ("/allowed/", "certificate_bound_access_tokens = \"require\", required_scopes = [\"payments\"]"),
        ("/dpop/", "certificate_bound_access_tokens = \"require\", dpop_bound_access_tokens = \"pass\""),
        ("/untrusted/", "certificate_bound_access_tokens = \"require\", verification = \"permissive\""),
    ] {
        let _ = write!(tables, "[[routes]]\npath = \"{path}\"\nupstream = \"core\"\npolicy = {{ {policy} }}\n");
    }
    let tenant = Tenant { tables, ..Tenant::default() };
    let mut files = crate::bank::files(&[(tenant, upstream.url())]);
    files.push(("secrets/introspection".into(), format!("{SECRET}\n")));
    Bank { vestibule: Vestibule::start(&files), upstream }
}

const INTROSPECTION: &str =
    "introspection_client_id = \"edge\"\nintrospection_client_secret_file = \"secrets/introspection\"\n";

fn introspecting(issuer: &Issuer, more: &str) -> Bank {
    bank(issuer, &format!("introspection_endpoint = \"{}/introspect\"\n{INTROSPECTION}{more}", issuer.url()))
}

fn request(path: &str, person: &Person, token: &str) -> Request {
    Request::get(path).of(person).with("Authorization", &format!("Bearer {token}"))
}

#[track_caller]
fn passes(bank: &Bank, request: &Request) {
    let answer = bank.vestibule.ask(request.text());
    assert_eq!(answer.status, 200, "{}", bank.vestibule.access_line(&answer));
    assert!(bank.upstream.take_one().header("authorization").contains(' '), "the upstream gets the token too");
}

#[track_caller]
fn refused(bank: &Bank, request: &Request, status: u16, code: &str) -> Answer {
    let answer = bank.vestibule.ask(request.text());
    assert_eq!(bank.refused(&answer, status), code, "{}", bank.vestibule.access_line(&answer));
    answer
}

#[track_caller]
fn invalid(bank: &Bank, request: &Request, code: &str) {
    let answer = refused(bank, request, 401, code);
    assert_eq!(answer.all("www-authenticate"), ["Bearer error=\"invalid_token\""]);
}

#[test]
fn a_token_passes_with_its_certificate_and_with_no_other() {
    let (issuer, client, other) = (Issuer::start(), good(), good());
    let bank = bank(&issuer, "algorithms = [\"ES256\", \"PS256\"]");
    let token = issuer.bound(&client);
    passes(&bank, &request("/bound/", &client, &token));
    passes(&bank, &request("/any/", &client, &token));
    passes(&bank, &request("/bound/", &client, &rsa_signed("PS256", &issuer.claims(&client))));
    for path in ["/bound/", "/any/", "/untrusted/"] {
        invalid(&bank, &request(path, &other, &token), "access_token_certificate");
    }
    let nobody = Request::get("/untrusted/").of_nobody().with("Authorization", &format!("Bearer {token}"));
    invalid(&bank, &nobody, "access_token_certificate");
    assert_eq!((issuer.asked("/jwks"), issuer.asked("/.well-known/openid-configuration")), (1, 1));
}

#[test]
fn the_binding_is_checked_where_the_chain_is_not() {
    let (issuer, key) = (Issuer::start(), new_key());
    let bank = bank(&issuer, "");
    let own = Person { certificate: self_signed_by(&leaf("own"), &key), key };
    let same_name_key = new_key();
    let same_name = Person { certificate: self_signed_by(&leaf("own"), &same_name_key), key: same_name_key };
    let stranger = person_of(&crate::bank::authorities().stranger, &leaf("own"));
    let token = issuer.bound(&own);
    passes(&bank, &request("/untrusted/", &own, &token));
    for other in [&same_name, &stranger] {
        invalid(&bank, &request("/untrusted/", other, &token), "access_token_certificate");
    }
    // Where the chain counts it counts first.
    refused(&bank, &request("/bound/", &own, &token), 401, "certificate_untrusted");
}

#[test]
fn unbound_tokens_pass_only_where_no_binding_is_required() {
    let (issuer, client) = (Issuer::start(), good());
    let bank = bank(&issuer, "");
    let mut claims = issuer.claims(&client);
    claims.as_object_mut().unwrap().remove("cnf");
    let token = signed(&header(), &claims);
    invalid(&bank, &request("/bound/", &client, &token), "access_token_unbound");
    passes(&bank, &request("/any/", &client, &token));
    for cnf in [json!(null), json!({}), json!({"x5t#S256": "00"}), json!({"x5t": "x"}), json!({"kid": "1"}), json!([])] {
        claims["cnf"] = cnf;
        for path in ["/bound/", "/any/"] {
            invalid(&bank, &request(path, &client, &signed(&header(), &claims)), "access_token_invalid");
        }
    }
}

#[test]
fn whatever_is_wrong_with_a_token_gets_the_same_answer() {
    let (issuer, client) = (Issuer::start(), good());
    let bank = bank(&issuer, "");
    let with = |name: &str, value: Value| {
        let mut claims = issuer.claims(&client);
        claims[name] = value;
        signed(&header(), &claims)
    };
    let without = |name: &str| {
        let mut claims = issuer.claims(&client);
        claims.as_object_mut().unwrap().remove(name).unwrap();
        signed(&header(), &claims)
    };
    let headed = |name: &str, value: Value| {
        let mut header = header();
        header[name] = value;
        signed(&header, &issuer.claims(&client))
    };
    let claims = issuer.claims(&client);
    let good_one = issuer.bound(&client);
    let (good_message, good_signature) = good_one.rsplit_once('.').unwrap();
    let public = keys().ec.public_key_to_pem().unwrap();
    let point = ec_jwk("k1", &keys().ec);
    passes(&bank, &request("/bound/", &client, &good_one));
    let bad = [
        with("aud", json!("https://other.example")),
        with("aud", json!([])),
        with("aud", json!(["https://other.example", AUDIENCE.to_owned() + "/"])),
        with("aud", json!(7)),
        without("aud"),
        with("iss", json!("https://other.example")),
        with("iss", json!(format!("{}/", issuer.url()))),
        with("iss", json!([issuer.url()])),
        without("iss"),
        with("exp", json!(now() - 30)),
        with("exp", json!("9999999999")),
        with("exp", json!(null)),
        without("exp"),
        with("nbf", json!(now() + 120)),
        with("nbf", json!("0")),
        with("iat", json!(now() + 120)),
        headed("alg", json!("none")),
        headed("alg", json!("ES384")),
        headed("alg", json!("es256")),
        headed("alg", json!(null)),
        headed("crit", json!(["exp"])),
        headed("crit", json!(["b64"])),
        headed("crit", json!([])),
        headed("b64", json!(false)),
        headed("typ", json!("JWT")),
        headed("typ", json!("dpop+jwt")),
        headed("typ", json!(null)),
        headed("kid", json!("k9")),
        headed("kid", json!(1)),
        headed("kid", json!("r1")),
        signed_with(&keys().other, &header(), &claims),
        // A key that the token brings itself.
        signed_with(
            &keys().other,
            &json!({"alg": "ES256", "typ": "at+jwt", "kid": "k1", "jwk": ec_jwk("k1", &keys().other)}),
            &claims,
        ),
        // The public key as a shared secret.
        hmac_signed(&public, &claims),
        hmac_signed(point["x"].as_str().unwrap().as_bytes(), &claims),
        hmac_signed(b"\0", &claims),
        // RS256 is not among the usual ones.
        rsa_signed("RS256", &claims),
        format!("{}.", message(&json!({"alg": "none", "typ": "at+jwt"}), &claims)),
        format!("{good_message}."),
        format!("{good_message}.{good_signature}x"),
        format!("{good_message}.{}", encoded([0; 64])),
        format!("{good_one}.x.y"),
        format!(".{good_one}"),
        format!("{}.{}", message(&header(), &with_other(&claims)), good_signature),
        "opaque".to_owned(),
        "..".to_owned(),
        "a".repeat(8193),
        "=".to_owned(),
        "a b".to_owned(),
        "a,b".to_owned(),
        String::new(),
    ];
    for token in bad {
        invalid(&bank, &request("/bound/", &client, &token), "access_token_invalid");
    }
    passes(&bank, &request("/bound/", &client, &good_one));
    // Within the clock's tolerance.
    for token in [with("exp", json!(now() - 2)), with("nbf", json!(now() + 5)), with("aud", json!(["x", AUDIENCE]))] {
        passes(&bank, &request("/bound/", &client, &token));
    }
}

/// Claims that nobody signed.
fn with_other(claims: &Value) -> Value {
    let mut other = claims.clone();
    other["sub"] = json!("mallory");
    other
}

#[test]
fn one_token_in_one_place() {
    let (issuer, client) = (Issuer::start(), good());
    let bank = bank(&issuer, "");
    let token = issuer.bound(&client);
    for request in [
        Request::get("/bound/").of(&client),
        Request::get("/bound/").of(&client).with("Authorization", "Basic YTpi"),
        Request::get("/bound/").of(&client).with("Authorization", ""),
    ] {
        let answer = refused(&bank, &request, 401, "access_token_missing");
        assert_eq!(answer.all("www-authenticate"), ["Bearer"]);
    }
    let good = request("/bound/", &client, &token);
    let in_query = request(&format!("/bound/?access_token={token}"), &client, &token);
    let hidden = Request::get(&format!("/bound/?a=b&access%5Ftoken={token}")).of(&client);
    let twice = good.clone().with("authorization", &format!("Bearer {token}"));
    for request in [twice, in_query, hidden] {
        let answer = refused(&bank, &request, 400, "access_token_repeated");
        assert_eq!(answer.all("www-authenticate"), ["Bearer error=\"invalid_request\""]);
    }
    let lower = Request::get("/bound/?x=access_token").of(&client).with("Authorization", &format!("bearer  {token}"));
    passes(&bank, &lower);
    passes(&bank, &good);
}

#[test]
fn scopes_are_required_all_of_them() {
    let (issuer, client) = (Issuer::start(), good());
    let bank = bank(&issuer, "");
    let token = issuer.bound(&client);
    passes(&bank, &request("/allowed/", &client, &token));
    let answer = refused(&bank, &request("/scoped/", &client, &token), 403, "access_token_scope");
    assert_eq!(answer.all("www-authenticate"), ["Bearer error=\"insufficient_scope\", scope=\"accounts admin\""]);
}

#[test]
fn dpop_tokens_pass_by_policy_and_never_as_bearer_tokens() {
    let (issuer, client) = (Issuer::start(), good());
    let bank = bank(&issuer, "");
    let mut claims = issuer.claims(&client);
    claims["cnf"] = json!({"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"});
    let token = signed(&header(), &claims);
    let sent = |path: &str, scheme: &str| Request::get(path).of(&client).with("Authorization", &format!("{scheme} {token}"));
    passes(&bank, &sent("/dpop/", "DPoP").with("DPoP", "proof"));
    let two = ["Bearer error=\"invalid_token\"", "DPoP error=\"invalid_token\", algs=\"ES256 PS256 EdDSA\""];
    for request in [
        sent("/dpop/", "Bearer").with("DPoP", "proof"),
        sent("/dpop/", "DPoP"),
        sent("/dpop/", "DPoP").with("DPoP", "proof").with("dpop", "another"),
    ] {
        let answer = refused(&bank, &request, 401, "access_token_dpop");
        assert_eq!(answer.all("www-authenticate"), two);
    }
    for request in [sent("/bound/", "Bearer"), sent("/any/", "Bearer"), sent("/bound/", "DPoP").with("DPoP", "proof")] {
        invalid(&bank, &request, "access_token_dpop");
    }
    // A token of certificates is none of DPoP keys.
    let bound = issuer.bound(&client);
    let as_dpop = Request::get("/dpop/").of(&client).with("Authorization", &format!("DPoP {bound}")).with("DPoP", "proof");
    let answer = refused(&bank, &as_dpop, 401, "access_token_invalid");
    assert_eq!(answer.all("www-authenticate"), two);
    // Both: both count.
    claims["cnf"]["x5t#S256"] = json!(thumbprint(&good()));
    let both = Request::get("/dpop/").of(&client).with("Authorization", &format!("DPoP {}", signed(&header(), &claims)));
    refused(&bank, &both.with("DPoP", "proof"), 401, "access_token_certificate");
}

#[test]
fn keys_are_rotated_and_unknown_ones_cannot_make_us_ask_and_ask() {
    let (issuer, client) = (Issuer::start(), good());
    let bank = bank(&issuer, "");
    passes(&bank, &request("/bound/", &client, &issuer.bound(&client)));
    issuer.state().keys = vec![ec_jwk("k2", &keys().other)];
    let new = signed_with(&keys().other, &json!({"alg": "ES256", "typ": "at+jwt", "kid": "k2"}), &issuer.claims(&client));
    passes(&bank, &request("/bound/", &client, &new));
    assert_eq!(issuer.asked("/jwks"), 2);
    // The old key is gone.
    invalid(&bank, &request("/bound/", &client, &issuer.bound(&client)), "access_token_invalid");
    for number in 0..20 {
        let token = signed(&json!({"alg": "ES256", "typ": "at+jwt", "kid": format!("x{number}")}), &issuer.claims(&client));
        invalid(&bank, &request("/bound/", &client, &token), "access_token_invalid");
    }
    assert_eq!(issuer.asked("/jwks"), 2);
    // What is held serves while the issuer is away.
    issuer.state().broken = true;
    passes(&bank, &request("/bound/", &client, &new));
}

#[test]
fn nobody_passes_while_nothing_is_known() {
    let (issuer, client) = (Issuer::start(), good());
    issuer.state().broken = true;
    let bank = introspecting(&issuer, "");
    for token in [issuer.bound(&client), "opaque".to_owned()] {
        let answer = refused(&bank, &request("/bound/", &client, &token), 503, "access_token_unverifiable");
        assert_eq!(answer.header("www-authenticate"), None);
    }
    let impostor = Issuer::start();
    impostor.state().claimed = Some("https://as.bank.example".into());
    let bank = self::bank(&impostor, "");
    refused(&bank, &request("/bound/", &client, &impostor.bound(&client)), 503, "access_token_unverifiable");
    assert_eq!(impostor.asked("/jwks"), 0, "its document speaks for somebody else");
}

#[test]
fn opaque_tokens_are_asked_about_and_the_answer_is_kept_without_the_decision() {
    let (issuer, client, other) = (Issuer::start(), good(), good());
    let bank = introspecting(&issuer, "");
    let answer = |change: &dyn Fn(&mut Value)| {
        let mut answer = issuer.claims(&client);
        answer["active"] = json!(true);
        answer["token_type"] = json!("Bearer");
        change(&mut answer);
        answer
    };
    let remove = |name: &'static str| move |answer: &mut Value| drop(answer.as_object_mut().unwrap().remove(name));
    let set = |name: &'static str, value: Value| move |answer: &mut Value| answer[name] = value.clone();
    issuer.state().tokens = vec![
        ("good".into(), answer(&|_| {})),
        ("no-issuer".into(), answer(&remove("iss"))),
        ("other-issuer".into(), answer(&set("iss", json!("https://other.example")))),
        ("other-audience".into(), answer(&set("aud", json!("https://other.example")))),
        ("no-audience".into(), answer(&remove("aud"))),
        ("no-end".into(), answer(&remove("exp"))),
        ("ended".into(), answer(&set("exp", json!(now() - 60)))),
        ("text".into(), answer(&set("active", json!(false)))),
        ("unbound".into(), answer(&remove("cnf"))),
        ("dpop".into(), answer(&set("token_type", json!("DPoP")))),
        ("no-type".into(), answer(&remove("token_type"))),
        ("refresh".into(), answer(&set("token_type", json!("refresh_token")))),
        ("refresh-by-use".into(), answer(&set("token_use", json!("refresh_token")))),
        ("access-by-use".into(), answer(&set("token_use", json!("access_token")))),
        ("refresh-without-a-word".into(), {
            let mut answer = answer(&remove("aud"));
            remove("token_type")(&mut answer);
            answer
        }),
    ];
    for _ in 0..3 {
        passes(&bank, &request("/bound/", &client, "good"));
        invalid(&bank, &request("/bound/", &other, "good"), "access_token_certificate");
    }
    assert_eq!(issuer.asked("/introspect"), 1);
    for token in ["no-issuer", "no-type", "access-by-use"] {
        passes(&bank, &request("/bound/", &client, token));
    }
    for token in [
        "other-issuer",
        "other-audience",
        "no-audience",
        "no-end",
        "ended",
        "text",
        "unknown",
        "refresh",
        "refresh-by-use",
        "refresh-without-a-word",
    ] {
        invalid(&bank, &request("/bound/", &client, token), "access_token_invalid");
        let asked = issuer.asked("/introspect");
        invalid(&bank, &request("/bound/", &client, token), "access_token_invalid");
        assert_eq!(issuer.asked("/introspect"), asked, "{token}: a refusal is kept for a moment too");
    }
    invalid(&bank, &request("/bound/", &client, "unbound"), "access_token_unbound");
    invalid(&bank, &request("/bound/", &client, "dpop"), "access_token_dpop");
    // JWTs are judged by their signature, and only when it is so configured by their issuer's word.
    let asked = issuer.asked("/introspect");
    passes(&bank, &request("/bound/", &client, &issuer.bound(&client)));
    assert_eq!(issuer.asked("/introspect"), asked);
    let bank = introspecting(&issuer, "introspect = \"all\"\nallow_missing_audience = true\nintrospection_cache = \"0s\"");
    invalid(&bank, &request("/bound/", &client, &issuer.bound(&client)), "access_token_invalid");
    let jwt = issuer.bound(&client);
    issuer.state().tokens.push((jwt.clone(), answer(&|_| {})));
    passes(&bank, &request("/bound/", &client, &jwt));
    passes(&bank, &request("/bound/", &client, "no-audience"));
    invalid(&bank, &request("/bound/", &client, "refresh-without-a-word"), "access_token_invalid");
    issuer.state().tokens.clear();
    invalid(&bank, &request("/bound/", &client, &jwt), "access_token_invalid");
}

#[test]
fn subrequests_get_the_challenge_too_and_upstreams_keep_theirs() {
    let (issuer, client) = (Issuer::start(), good());
    let upstream = RecordingUpstream::answering(|_, stream| {
        let lines = "www-authenticate: Bearer error=\"x\"\r\nwww-authenticate: DPoP algs=\"ES256\"\r\n";
        stream.write_all(format!("HTTP/1.1 401 No\r\n{lines}content-length: 0\r\n\r\n").as_bytes()).is_ok()
    });
    let bank = bank_before(&issuer, "", upstream);
    let answer = bank.vestibule.ask(request("/bound/", &client, &issuer.bound(&client)).text());
    assert_eq!((answer.status, answer.all("www-authenticate").len()), (401, 2));
    bank.upstream.take();
    let asking = Request::get("/-/authorize").of(&client).with("X-Original-URI", "/bound/").with("X-Original-Method", "GET");
    let answer = refused(&bank, &asking, 401, "access_token_missing");
    assert_eq!(answer.all("www-authenticate"), ["Bearer"]);
    let token = issuer.bound(&client);
    let answer = bank.vestibule.ask(asking.with("Authorization", &format!("Bearer {token}")).text());
    assert_eq!(answer.status, 200);
}
