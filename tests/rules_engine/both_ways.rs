//! Whoever proxies through Vestibule and whoever only asks it get the same decision, behind a real nginx.

use crate::bank::{DOMAIN, good, leaf, person};
use crate::front_door::FrontDoor;
use crate::recording_upstream::{Received, RecordingUpstream};
use crate::{rule_at, rule_if, tenant};

fn rules() -> String {
    let deny = "{ type = \"deny\" }";
    let mut rules = String::new();
    for (name, variable, operator, argument) in [
        ("path", "${uri}", "starts_with", Some("/denied/")),
        ("target", "${request_uri}", "contains", Some("secret")),
        ("argument", "${arg_role}", "is_equal", Some("admin")),
        ("cookie", "${cookie_role}", "is_equal", Some("admin")),
        ("header", "${http_x_kind}", "is_equal", Some("admin")),
        ("method", "${request_method}", "is_equal", Some("DELETE")),
        ("name", "${subject.CN}", "is_equal", Some("mallory")),
        ("address", "${remote_addr}", "is_not_equal", Some("127.0.0.1")),
    ] {
        rules += &rule_if("request", name, (variable, operator, argument), deny);
    }
    rules += "[[rules]]\nname = \"when\"\nwhen = 'request.uri == \"/when\" && !(\"good\" in certificate.subject.CN)'\n";
    rules += "behaviors = [{ type = \"deny\" }]\n";
    rules
        + &rule_at("request", "/nothing", "{ type = \"no_content\" }")
        + &rule_at("request", "/dropped", "{ type = \"drop\" }")
        + &rule_at("request", "/public/told", "{ type = \"add_request_header\", value = \"X-User: ${subject.CN}\" }")
}

/// What the upstream saw of the headers that every request gets.
fn told(received: &[Received]) -> Vec<(String, String)> {
    let ours = |name: &str| name.starts_with("ssl");
    let lines = received.iter().flat_map(|one| one.headers.iter()).filter(|(name, _)| ours(name));
    let mut lines: Vec<_> = lines.cloned().collect();
    lines.sort();
    lines
}

#[test]
fn a_rule_that_denies_in_one_denies_in_the_other() {
    let door = FrontDoor::with(&tenant(&rules()), RecordingUpstream::start());
    let (alice, mallory) = (good(), person(&leaf("mallory")));
    for (client, method, target, lines, passes) in [
        (Some(&alice), "GET", "/", "", true),
        (Some(&mallory), "GET", "/", "", false),
        (None, "GET", "/", "", false),
        (None, "GET", "/public/told", "X-User: forged\r\nx_user: forged\r\n", true),
        (Some(&alice), "GET", "/public/told", "X-User: forged\r\n", true),
        (Some(&alice), "GET", "/public/untold", "X-User: forged\r\nssl-client-verify: SUCCESS\r\n", true),
        (Some(&alice), "GET", "/denied/x", "", false),
        (Some(&alice), "GET", "//denied//x", "", false),
        (Some(&alice), "GET", "/%64enied/x", "", false),
        (Some(&alice), "GET", "/denied%2Fx", "", false),
        (Some(&alice), "GET", "/a/../denied/x", "", false),
        (Some(&alice), "GET", "/a/%2e%2e/denied/x", "", false),
        (Some(&alice), "GET", "/denied;a/x", "", false),
        (Some(&alice), "GET", "/?x=secret", "", false),
        (Some(&alice), "GET", "/?role=user&role=admin", "", false),
        (Some(&alice), "GET", "/", "Cookie: role=user; role=admin\r\n", false),
        (Some(&alice), "GET", "/", "Cookie: role=user\r\nCookie: role=admin\r\n", false),
        (Some(&alice), "GET", "/", "X-Kind: user\r\nX-Kind: admin\r\n", false),
        (Some(&alice), "GET", "/", "X-Kind: user\r\n", true),
        (Some(&alice), "GET", "/", "X-Original-Uri: /\r\nX-Original-Method: GET\r\nX-Forwarded-For: 192.0.2.1\r\n", true),
        (Some(&alice), "DELETE", "/", "X-Original-Method: GET\r\n", false),
        (Some(&alice), "GET", "/denied/", "X-Original-Uri: /\r\n", false),
        (Some(&alice), "GET", "/when", "", true),
        (Some(&mallory), "GET", "/when", "", false),
        (Some(&alice), "GET", "/dropped", "", false),
        (Some(&alice), "GET", "/-/authorize", "X-Original-Uri: /\r\nX-Original-Method: GET\r\n", false),
    ] {
        let request = format!("{method} {target} HTTP/1.1\r\nhost: {DOMAIN}\r\n{lines}\r\n");
        let proxied = door.ask(client, &request).status;
        let seen = door.bank.upstream.take();
        let asked = door.ask_asking(client, &request).status;
        let seen_asking = door.bank.upstream.take();
        assert_eq!((seen.len(), seen_asking.len()), (usize::from(passes), usize::from(passes)), "{request} {proxied} {asked}");
        assert_eq!((proxied == 200, asked == 200), (passes, passes), "{request} {proxied} {asked}");
        assert_eq!(told(&seen), told(&seen_asking), "{request}");
        let said = format!("{seen:?}{seen_asking:?}");
        assert!(!said.contains("forged"), "{request} {said}");
    }
}
