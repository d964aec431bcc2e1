//! What is known of OAuth clients and their tokens is there for rules, for the log and for `explain`.

use std::process::Command;

use serde_json::json;

use crate::bank::{Bank, KEY, Request, Tenant, good, leaf, person};
use crate::issuer::{AUDIENCE, Issuer, header, signed, thumbprint};
use crate::recording_upstream::RecordingUpstream;
use crate::vestibule_program::Vestibule;

const RULES: &str = r#"
[[rules]]
name = "payments need their scope"
when = "request.uri.startsWith('/bound/pay') && !('payments' in identity.oauth_token_scope)"
behaviors = [{ type = "deny" }]

[[rules]]
name = "not this client"
criteria = [[{ variable = "${oauth_client_id}", operator = "is_equal", argument = "blocked" }]]
behaviors = [{ type = "deny" }]

[[rules]]
name = "one of the scopes"
criteria = [[{ variable = "${oauth_token_scope}", operator = "is_equal", argument = "accounts" }]]
behaviors = [{ type = "add_request_header", value = "X-Accounts: yes" }]

[[rules]]
name = "tell"
behaviors = [
  { type = "add_request_header", value = "X-Client: ${oauth_client_id} ${oauth_client_auth_method}" },
  { type = "add_request_header", value = "X-Token: ${oauth_token_iss} ${oauth_token_sub} ${oauth_token_scope} ${oauth_token_cnf}" },
]

[[rules]]
name = "tell the client"
phase = "response"
when = "identity.oauth_client_id != ''"
behaviors = [{ type = "add_response_header", value = "X-Told: ${oauth_client_id} ${oauth_token_sub}" }]
"#;

fn bank(issuer: &Issuer) -> Bank {
    let upstream = RecordingUpstream::start();
    let tables = format!(
        "[oauth.issuers.as]\nissuer = \"{}\"\naudience = [\"{AUDIENCE}\"]\n\
         [[oauth.clients]]\nclient_id = \"app one\"\ntoken_endpoint_auth_method = \"tls_client_auth\"\n\
         tls_client_auth_subject_dn = \"CN=app,O=Vestibule Test\"\n\
         [[routes]]\npath = \"/bound/\"\nupstream = \"core\"\npolicy = {{ certificate_bound_access_tokens = \"when_bound\" }}\n\
         [[routes]]\npath = \"/token\"\nupstream = \"core\"\n\
         policy = {{ verification = \"permissive\", tls_client_auth = true }}\n{RULES}",
        issuer.url()
    );
    let tenant = Tenant { tables, ..Tenant::default() };
    Bank { vestibule: Vestibule::start(&crate::bank::files(&[(tenant, upstream.url())])), upstream }
}

#[test]
fn rules_and_the_log_know_the_token() {
    let (issuer, client) = (Issuer::start(), good());
    let bank = bank(&issuer);
    let mut claims = issuer.claims(&client);
    claims["client_id"] = json!("app\u{e4}");
    claims["azp"] = json!("other");
    let request = |claims: &serde_json::Value, path: &str| {
        let token = signed(&header(), claims);
        bank.vestibule.ask(Request::get(path).of(&client).with("Authorization", &format!("Bearer {token}")).text())
    };
    let answer = request(&claims, "/bound/payments");
    assert_eq!(answer.status, 200, "{}", bank.vestibule.access_line(&answer));
    let seen = bank.upstream.take_one();
    assert_eq!(seen.header("x-client"), "app\\C3\\A4");
    assert_eq!(seen.header("x-token"), format!("{} alice accounts payments x5t#S256", issuer.url()));
    assert_eq!(seen.header("x-accounts"), "yes");
    assert_eq!(answer.header("x-told"), Some("app\\C3\\A4 alice"));
    let line = bank.vestibule.access_line(&answer);
    assert_eq!(line["oauth.client_id"], "app\u{e4}");
    assert_eq!((&line["oauth.token_iss"], &line["oauth.token_sub"]), (&json!(issuer.url()), &json!("alice")));
    assert_eq!(line["oauth.token_scope"], json!(["accounts", "payments"]));
    assert_eq!(line["oauth.token_cnf"], json!(["x5t#S256"]));
    // `azp` where there is no `client_id`; a token that says nothing of all that.
    claims.as_object_mut().unwrap().remove("client_id");
    assert_eq!(bank.vestibule.access_line(&request(&claims, "/bound/"))["oauth.client_id"], "other");
    bank.upstream.take();
    for member in ["azp", "sub", "scope", "cnf"] {
        claims.as_object_mut().unwrap().remove(member);
    }
    let answer = request(&claims, "/bound/");
    assert_eq!(answer.header("x-told"), None);
    let seen = bank.upstream.take_one();
    assert_eq!((seen.header("x-token"), seen.header("x-accounts")), (issuer.url().as_str(), ""));
    let line = bank.vestibule.access_line(&answer);
    for key in ["oauth.client_id", "oauth.client_auth_method", "oauth.token_sub", "oauth.token_scope", "oauth.token_cnf"] {
        assert!(line.get(key).is_none(), "{line}");
    }
    // Rules decide by it.
    assert_eq!(bank.refused(&request(&claims, "/bound/payments"), 403), "denied_by_rule");
    claims["client_id"] = json!("blocked");
    let answer = request(&claims, "/bound/");
    assert_eq!(bank.refused(&answer, 403), "denied_by_rule");
    assert_eq!(bank.vestibule.access_line(&answer)["oauth.client_id"], "blocked");
}

#[test]
fn rules_and_the_log_know_the_client() {
    let bank = bank(&Issuer::start());
    let request = Request::new("POST", "/token")
        .instead("Host", "mtls.api.bank.example")
        .with("Content-Type", "application/x-www-form-urlencoded")
        .body(b"client_id=app+one");
    let answer = bank.vestibule.ask(request.of(&person(&leaf("app"))).text());
    assert_eq!(answer.status, 200, "{}", bank.vestibule.access_line(&answer));
    assert_eq!(bank.upstream.take_one().header("x-client"), "app one tls_client_auth");
    assert_eq!(answer.header("x-told"), Some("app one"));
    let line = bank.vestibule.access_line(&answer);
    assert_eq!((&line["oauth.client_id"], &line["oauth.client_auth_method"]), (&json!("app one"), &json!("tls_client_auth")));
    assert!(line.get("oauth.token_iss").is_none());
}

#[test]
fn explain_says_what_a_token_is_and_what_is_wrong_with_it() {
    let (issuer, client) = (Issuer::start(), good());
    let bank = bank(&issuer);
    let explain = |token: &str| {
        let request = Request::get("/bound/").of(&client).with("Authorization", &format!("Bearer {token}"));
        let head = bank.vestibule.folder().join("head");
        std::fs::write(&head, request.text()).unwrap();
        let ran = Command::new(env!("CARGO_BIN_EXE_vestibule"))
            .args(["explain", "--config"])
            .arg(bank.vestibule.folder())
            .arg(head)
            .output()
            .unwrap();
        String::from_utf8(ran.stdout).unwrap()
    };
    let mut claims = issuer.claims(&client);
    claims["client_id"] = json!("app\u{1b}[2J");
    let said = explain(&signed(&header(), &claims));
    for line in [
        "access token   accepted\n",
        "  fact         oauth_client_id: app\\u{1b}[2J\n",
        "  fact         oauth_token_sub: alice\n",
        "  fact         oauth_token_scope: accounts payments\n",
        "  fact         oauth_token_cnf: x5t#S256\n",
        "decision       permit",
    ] {
        assert!(said.contains(line), "{line} is not in {said}");
    }
    claims["cnf"] = json!({"x5t#S256": thumbprint(&good())});
    let said = explain(&signed(&header(), &claims));
    assert!(said.contains("401 access_token_certificate") && !said.contains("accepted"), "{said}");
    assert!(!said.contains(KEY), "{said}");
}
