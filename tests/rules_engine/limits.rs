//! Rate limits, and how much a rule file may hold.

use std::fmt::Write as _;

use crate::bank::{Request, good, leaf, person};
use crate::{rule_at, with};

/// A limit whose bucket does not empty while a test runs.
fn limit(by: &str, burst: u32) -> String {
    format!(
        "{{ type = \"set_rate_limit\", rate_type = \"minute\", limit_by = \"{by}\", average_rate_limit = 1, maximum_burst_size = {burst} }}"
    )
}

#[test]
fn so_many_by_client_by_all_and_by_variable() {
    let rules = rule_at("firewall", "/client", &limit("client_ip", 3))
        + &rule_at("firewall", "/global", &limit("global", 3))
        + &rule_at("request", "/variable", &limit("${subject.CN}", 3));
    let bank = with(&rules);
    let (alice, bob) = (person(&leaf("alice")), person(&leaf("bob")));
    for (path, own) in [("/client", [true, false]), ("/global", [false, false]), ("/variable", [false, true])] {
        let ask = |who, address: &str| {
            let answer = bank.vestibule.ask(Request::get(path).of(who).instead("X-Forwarded-For", address).text());
            if answer.status != 200 {
                bank.upstream.take();
                assert_eq!(bank.refused(&answer, 429), "rate_limited");
            }
            answer.status
        };
        assert_eq!([0; 3].map(|_| ask(&alice, "192.0.2.1")), [200; 3], "{path}");
        assert_eq!(ask(&alice, "192.0.2.1"), 429);
        // Another address, another client: a bucket of its own where the limit is by it.
        let free = |own| if own { 200 } else { 429 };
        assert_eq!(ask(&alice, "192.0.2.2"), free(own[0]), "{path}");
        assert_eq!(ask(&bob, "192.0.2.1"), free(own[1]), "{path}");
    }
    // Of IPv6, a network of 64 bits is one client.
    let statuses = ["2001:db8::1", "2001:db8::2", "2001:db8:0:0:ffff::", "2001:db8::3", "2001:db8:0:1::1"].map(|address| {
        bank.vestibule.ask(Request::get("/client").of(&alice).instead("X-Forwarded-For", address).text()).status
    });
    assert_eq!(statuses, [200, 200, 200, 429, 200]);
    assert_eq!(bank.vestibule.ask(Request::get("/other").of(&good()).text()).status, 200);
}

#[test]
fn a_thousand_rules() {
    let mut rules = String::new();
    for number in 0..1_000 {
        let criterion = format!("{{ variable = \"${{uri}}\", operator = \"matches\", argument = '^/p{number}(/|$)' }}");
        let _ = write!(
            rules,
            "[[rules]]\nname = \"r{number}\"\ncriteria = [[{criterion}]]\nbehaviors = [{{ type = \"add_request_header\", value = \"X-Rule: {number}\" }}]\n"
        );
    }
    let bank = with(&rules);
    for number in [0, 500, 999] {
        assert_eq!(bank.vestibule.ask(Request::get(&format!("/p{number}/x")).of(&good()).text()).status, 200);
        assert_eq!(bank.upstream.take_one().header("x-rule"), number.to_string());
    }
}
