//! What stops what: rules and behaviors of all phases, in the order of the reference.

use crate::bank::{Request, good};
use crate::with;

fn rule(phase: &str, name: &str, behaviors: &str) -> String {
    format!(
        "[[rules]]\nname = \"{name}\"\nphase = \"{phase}\"\ncriteria = [[{{ variable = \"${{host}}\", operator = \"exists\" }}]]\nbehaviors = [{behaviors}]\n"
    )
}

fn mark(name: &str) -> String {
    format!("{{ type = \"add_request_header\", value = \"X-Ran: {name}\" }}")
}

fn mark_answer(name: &str) -> String {
    format!("{{ type = \"add_response_header\", value = \"X-Ran: {name}\" }}")
}

#[test]
fn what_still_runs() {
    let kind = |name: &str| format!("{{ type = \"{name}\" }}");
    let to = |name: &str| format!("{{ type = \"{name}\", value = \"/elsewhere\" }}");
    // The firewall's rule, the request's middle rule, the response's first rule; then the status, and the rules that ran.
    for (firewall, middle, first, status, request, response) in [
        ("", String::new(), String::new(), 200, "one three", "four five"),
        ("deny", String::new(), String::new(), 403, "", ""),
        ("", kind("deny"), String::new(), 403, "", ""),
        ("", kind("no_content"), String::new(), 204, "", ""),
        ("", to("redirect_to_301"), String::new(), 301, "", ""),
        ("", to("redirect_to_302"), String::new(), 302, "", ""),
        ("", kind("finish_request_phase"), String::new(), 200, "one", "four five"),
        ("", kind("deliver"), String::new(), 200, "one", ""),
        ("", String::new(), kind("deliver"), 200, "one three", ""),
        // The upstream did not answer 404.
        ("", String::new(), to("redirect_to_301"), 200, "one three", "four five"),
    ] {
        let mut rules = String::new();
        if !firewall.is_empty() {
            rules += &rule("firewall", "wall", &kind(firewall));
        }
        // Written in an order that is not theirs.
        if !first.is_empty() {
            rules += &rule("response", "first", &first);
        }
        rules += &rule("response", "four", &mark_answer("four"));
        rules += &rule("request", "one", &mark("one"));
        if !middle.is_empty() {
            rules += &rule("request", "two", &middle);
        }
        rules += &rule("request", "three", &mark("three"));
        rules += &rule("response", "five", &mark_answer("five"));
        let bank = with(&rules);
        let answer = bank.vestibule.ask(Request::get("/").of(&good()).text());
        assert_eq!(answer.status, status, "{firewall} {middle} {first}");
        let received = bank.upstream.take();
        let ran = received.iter().flat_map(|one| &one.headers).filter(|(name, _)| name == "x-ran");
        assert_eq!(ran.map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(" "), request, "{firewall} {middle} {first}");
        assert_eq!(answer.all("x-ran").join(" "), response, "{firewall} {middle} {first}");
    }
}
