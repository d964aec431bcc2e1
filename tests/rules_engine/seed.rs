//! The scenario that the project began with: a permissive domain, Azion's two rules, a real nginx in front.

use std::fmt::Write as _;

use crate::bank::{DOMAIN, Tenant, escaped, expired, good, leaf, person};
use crate::front_door::{FrontDoor, get};
use crate::pki::Leaf;
use crate::recording_upstream::RecordingUpstream;

const RULES: &str = r#"
[[rules]]
name = "a certificate is required"
phase = "firewall"
criteria = [[
  { variable = "${host}", operator = "is_equal", argument = "DOMAIN" },
  { conditional = "and", variable = "${client_certificate_validation}", operator = "is_not_equal", argument = "true" },
]]
behaviors = [{ type = "deny" }]

[[rules]]
name = "tell the origin"
behaviors = [
  { type = "add_request_header", value = "Escaped-Client-Cert: ${ssl_client_escaped_cert}" },
  { type = "add_request_header", value = "Client-Dn-Parsed: ${ssl_client_s_dn_parsed}" },
]
"#;

#[test]
fn a_permissive_domain_whose_firewall_asks_for_a_certificate() {
    let tenant = Tenant { tables: RULES.replace("DOMAIN", DOMAIN), ..Tenant::default() };
    let door = FrontDoor::with(&tenant, RecordingUpstream::start());
    let alice = good();
    let mut forged = String::new();
    for name in ["Escaped-Client-Cert", "Client-Dn-Parsed", "client_dn_parsed"] {
        let _ = write!(forged, "{name}: forged\r\n");
    }
    let answer = door.ask(Some(&alice), get("/permissive/x", &forged));
    assert_eq!(answer.status, 200, "{}", answer.text());
    let received = door.bank.upstream.take_one();
    assert_eq!(received.header("escaped-client-cert"), escaped(&alice.certificate));
    assert_eq!(received.header("client-dn-parsed"), "good");
    assert!(received.headers.iter().all(|(_, value)| value != "forged"), "{received:?}");
    let late = person(&Leaf { dates: expired(), ..leaf("late") });
    for client in [None, Some(&late)] {
        let answer = door.ask(client, get("/permissive/x", &forged));
        assert_eq!(door.bank.refused(&answer, 403), "denied_by_rule");
    }
}
