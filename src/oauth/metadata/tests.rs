use super::*;

fn front(methods_at: &dyn Fn(&str) -> Vec<&'static str>) -> MtlsFront<'_> {
    MtlsFront { host: "as.example", mtls_host: "mtls.as.example", bound_tokens: false, methods_at }
}

fn of(document: &Value) -> Result<Value, Untouched> {
    let methods = |path: &str| if path == "/token" { vec!["tls_client_auth"] } else { Vec::new() };
    rewritten(document.to_string().as_bytes(), &front(&methods)).map(|json| serde_json::from_slice(&json).unwrap())
}

fn document(more: &Value) -> Value {
    let mut document = json!({"issuer": "https://as.example"});
    document.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    document
}

#[test]
fn paths_of_metadata() {
    for path in [
        "/.well-known/openid-configuration",
        "/.well-known/openid-configuration/issuer/1",
        "/issuer/1/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server",
        "/.well-known/oauth-authorization-server/",
        "/.well-known/oauth-authorization-server/issuer1",
    ] {
        assert!(is_metadata(path), "{path}");
    }
    for path in [
        "/",
        "/.well-known/openid-configurations",
        "/.well-known/openid-configuration.json",
        "/.well-known/oauth-protected-resource",
        "/x/.well-known/openid-configuration/y",
        "/.Well-Known/openid-configuration",
        "/well-known/openid-configuration",
    ] {
        assert!(!is_metadata(path), "{path}");
    }
}

#[test]
fn only_endpoints_on_this_host_have_aliases() {
    let all: Map<String, Value> =
        ENDPOINTS.iter().map(|name| ((*name).to_owned(), json!(format!("https://as.example/{name}?x=%2F")))).collect();
    let made = of(&document(&Value::Object(all.clone()))).unwrap();
    for name in ENDPOINTS {
        assert_eq!(made["mtls_endpoint_aliases"][name], format!("https://mtls.as.example/{name}?x=%2F"));
        assert_eq!(made[name], all[name], "the endpoint itself stays");
    }
    let others = json!({
        "authorization_endpoint": "https://as.example/auth",
        "end_session_endpoint": "https://as.example/end",
        "jwks_uri": "https://as.example/jwks",
        "token_endpoint": "https://AS.example:8443/token",
        "revocation_endpoint": "https://other.example/revoke",
        "introspection_endpoint": "http://as.example/introspect",
        "userinfo_endpoint": "https://user@as.example/me",
        "registration_endpoint": "https://as.example.evil/reg",
        "device_authorization_endpoint": 7,
        "pushed_authorization_request_endpoint": "/par",
        "backchannel_authentication_endpoint": "https://sub.as.example/bc",
    });
    let made = of(&document(&others)).unwrap();
    assert_eq!(made["mtls_endpoint_aliases"], json!({"token_endpoint": "https://mtls.as.example:8443/token"}));
    assert_eq!(of(&document(&json!({}))).unwrap(), document(&json!({})), "nothing to say");
}

#[test]
fn the_servers_own_aliases_stay_as_far_as_they_are_for_something() {
    let made = of(&document(&json!({
        "token_endpoint": "https://as.example/token",
        "userinfo_endpoint": "https://as.example/me",
        "authorization_endpoint": "https://as.example/auth",
        "custom_endpoint": "https://as.example/custom",
        "mtls_endpoint_aliases": {
            "token_endpoint": "https://secure.example/token",
            "custom_endpoint": "https://secure.example/custom",
            "authorization_endpoint": "https://secure.example/auth",
            "revocation_endpoint": "https://secure.example/revoke",
            "userinfo_endpoint": null,
            "issuer": "https://secure.example",
        },
    })));
    let aliases = json!({
        "token_endpoint": "https://secure.example/token",
        "custom_endpoint": "https://secure.example/custom",
        "userinfo_endpoint": "https://mtls.as.example/me",
    });
    assert_eq!(made.unwrap()["mtls_endpoint_aliases"], aliases);
    for odd in [json!([]), json!("x"), json!(null), json!({"token_endpoint": "https://as.example/token"})] {
        let made = of(&document(&json!({"mtls_endpoint_aliases": odd}))).unwrap();
        assert!(made.get("mtls_endpoint_aliases").is_none(), "{made}");
    }
}

#[test]
fn methods_join_those_that_the_server_says() {
    let key = "token_endpoint_auth_methods_supported";
    let said = |endpoint: &str, methods: Value| {
        let made = of(&document(&json!({"token_endpoint": endpoint, key: methods}))).unwrap();
        made[key].clone()
    };
    let at = "https://as.example/token";
    assert_eq!(said(at, json!(["private_key_jwt"])), json!(["private_key_jwt", "tls_client_auth"]));
    assert_eq!(said(at, json!(["tls_client_auth", "none"])), json!(["tls_client_auth", "none"]));
    assert_eq!(said(at, json!("none")), json!("none"));
    assert_eq!(said("https://as.example/other", json!(["none"])), json!(["none"]));
    assert_eq!(said("https://other.example/token", json!(["none"])), json!(["none"]));
    // What is meant by silence is said when something joins it.
    let made = of(&document(&json!({"token_endpoint": at, "introspection_endpoint": at, "revocation_endpoint": at}))).unwrap();
    assert_eq!(made[key], json!(["client_secret_basic", "tls_client_auth"]));
    assert_eq!(made["revocation_endpoint_auth_methods_supported"], json!(["client_secret_basic", "tls_client_auth"]));
    assert!(made.get("introspection_endpoint_auth_methods_supported").is_none());
}

#[test]
fn bound_tokens_are_said_when_they_are_to_be() {
    let key = "tls_client_certificate_bound_access_tokens";
    for (said, wanted, then) in [(None, true, json!(true)), (Some(false), true, json!(true)), (Some(true), false, json!(true))]
    {
        let mut document = document(&json!({}));
        if let Some(said) = said {
            document[key] = json!(said);
        }
        let front = MtlsFront { bound_tokens: wanted, ..front(&|_| Vec::new()) };
        let made = rewritten(document.to_string().as_bytes(), &front).unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&made).unwrap()[key], then);
    }
    assert!(of(&document(&json!({}))).unwrap().get(key).is_none());
}

#[test]
fn all_else_stays_as_it_is() {
    let methods = |_: &str| Vec::new();
    for (document, why) in [
        ("", Untouched::NotMetadata),
        ("[]", Untouched::NotMetadata),
        ("{}", Untouched::NotMetadata),
        ("{\"issuer\": 1}", Untouched::NotMetadata),
        ("{\"issuer\": \"https://as.example\"} x", Untouched::NotMetadata),
        ("{\"issuer\": \"https://as.example\", \"a\": 1e999}", Untouched::NotMetadata),
        ("{\"issuer\": \"https://other.example\"}", Untouched::OtherIssuer),
        ("{\"issuer\": \"https://mtls.as.example\"}", Untouched::OtherIssuer),
        ("{\"issuer\": \"as.example\"}", Untouched::OtherIssuer),
        ("{\"issuer\": \"https://as.example\", \"signed_metadata\": \"x\"}", Untouched::Signed),
        (&format!("{{\"issuer\": \"https://as.example\", \"a\": {}", "[".repeat(100_000)), Untouched::NotMetadata),
    ] {
        assert_eq!(rewritten(document.as_bytes(), &front(&methods)), Err(why), "{document:.80}");
    }
    let latin = b"{\"issuer\": \"https://as.example\", \"a\": \"\xe9\"}";
    assert_eq!(rewritten(latin, &front(&methods)), Err(Untouched::NotMetadata));
}
