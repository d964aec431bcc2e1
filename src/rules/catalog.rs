//! The names of all behaviors: which phase has which, and which of Azion's cannot be had here.

use super::phase::Phase;
use Phase::{Firewall, Request, Response};

/// Why a behavior cannot be: a sentence with the mend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BehaviorError(pub String);

/// Every behavior, with the phases that have it.
pub const BEHAVIORS: [(&str, &[Phase]); 24] = [
    ("add_request_cookie", &[Request]),
    ("add_request_header", &[Request]),
    ("add_response_header", &[Response]),
    ("capture_match_groups", &[Request, Response]),
    ("deliver", &[Request, Response]),
    ("deny", &[Firewall, Request]),
    ("drop", &[Firewall, Request]),
    ("enable_gzip", &[Request, Response]),
    ("filter_request_cookie", &[Request]),
    ("filter_request_header", &[Request]),
    ("filter_response_cookie", &[Response]),
    ("filter_response_header", &[Response]),
    ("finish_request_phase", &[Request]),
    ("forward_cookies", &[Request]),
    ("no_content", &[Request]),
    ("redirect_http_to_https", &[Request]),
    ("redirect_to_301", &[Request, Response]),
    ("redirect_to_302", &[Request, Response]),
    ("rewrite_request", &[Request]),
    ("set_connector", &[Request]),
    ("set_cookie", &[Response]),
    ("set_custom_response", &[Firewall, Request]),
    ("set_origin", &[Request]),
    ("set_rate_limit", &[Firewall, Request]),
];

/// Azion's behaviors that cannot be had here, and why.
const IMPOSSIBLE: [(&str, &str); 9] = [
    ("bypass_cache", "there is no cache to bypass; leave it out"),
    ("bypass_cache_phase", "there is no cache to bypass; leave it out"),
    ("optimize_images", "bodies are passed on as they are"),
    ("run_function", "there are no functions; let an upstream do it"),
    ("set_cache_policy", "there is no cache"),
    ("set_waf", "there is no web application firewall"),
    ("set_waf_ruleset", "there is no web application firewall"),
    ("set_waf_ruleset_and_waf_mode", "there is no web application firewall"),
    ("tag_event", "there are no events to tag; the access log names what rules did"),
];

/// The names of a phase's behaviors.
pub fn behavior_names(phase: Phase) -> String {
    let of_phase = BEHAVIORS.iter().filter(|(_, phases)| phases.contains(&phase));
    of_phase.map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

/// Whether a phase has this behavior.
///
/// # Errors
/// Why it has not, and what it has.
pub fn check_behavior(name: &str, phase: Phase) -> Result<&'static str, BehaviorError> {
    if let Some((_, why)) = IMPOSSIBLE.iter().find(|(impossible, _)| *impossible == name) {
        return Err(BehaviorError(format!("`{name}` cannot be had here: {why}")));
    }
    match BEHAVIORS.iter().find(|(known, _)| *known == name) {
        Some((name, phases)) if phases.contains(&phase) => Ok(name),
        Some((name, phases)) => {
            let others: Vec<&str> = phases.iter().map(|phase| phase.word()).collect();
            let of = others.join(" or ");
            Err(BehaviorError(format!("`{name}` is a behavior of the {of} phase, not of the {} phase", phase.word())))
        }
        None => Err(BehaviorError(format!("`{name}` is no behavior; there are {}", behavior_names(phase)))),
    }
}
