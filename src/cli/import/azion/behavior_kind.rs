//! The behaviors of Azion by all their spellings, what they take, and in which phase they stand.

use super::Phase;

/// What becomes of a behavior.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Takes no argument.
    Plain,
    /// `Name: value`.
    HeaderLine,
    /// `name=value…`.
    CookieLine,
    /// The name of a header.
    HeaderName,
    /// The name of a cookie.
    CookieName,
    /// A URL or a path.
    Target,
    /// The id of an origin, or of a connector.
    Origin(&'static str),
    Capture,
    RateLimit,
    CustomResponse,
    /// Nobody gets in or stays out for it: dropped, and why.
    Harmless(&'static str),
    /// A WAF: harmless while it only logs.
    Waf,
    /// It could answer, refuse or change the request: cannot be carried.
    Decides(&'static str),
}

const FIREWALL: &[Phase] = &[Phase::Firewall];
const REQUEST: &[Phase] = &[Phase::Request];
const RESPONSE: &[Phase] = &[Phase::Response];
const APPLICATION: &[Phase] = &[Phase::Request, Phase::Response];
const ALL: &[Phase] = &[Phase::Firewall, Phase::Request, Phase::Response];

/// Azion's names with all spellings, ours, the kind, and the phases.
const TABLE: &[(&[&str], &str, Kind, &[Phase])] = &[
    (&["deny"], "deny", Kind::Plain, &[Phase::Firewall, Phase::Request]),
    (&["drop"], "drop", Kind::Plain, FIREWALL),
    (&["no_content", "no-content"], "no_content", Kind::Plain, REQUEST),
    (&["deliver"], "deliver", Kind::Plain, APPLICATION),
    (&["finish_request_phase"], "finish_request_phase", Kind::Plain, REQUEST),
    (&["forward_cookies"], "forward_cookies", Kind::Plain, REQUEST),
    (&["redirect_http_to_https", "redirect_https"], "redirect_http_to_https", Kind::Plain, REQUEST),
    (&["enable_gzip"], "enable_gzip", Kind::Plain, APPLICATION),
    (&["redirect_to_301"], "redirect_to_301", Kind::Target, APPLICATION),
    (&["redirect_to_302"], "redirect_to_302", Kind::Target, APPLICATION),
    (&["rewrite_request"], "rewrite_request", Kind::Target, REQUEST),
    (&["add_request_header"], "add_request_header", Kind::HeaderLine, REQUEST),
    (&["filter_request_header"], "filter_request_header", Kind::HeaderName, REQUEST),
    (&["add_request_cookie"], "add_request_cookie", Kind::CookieLine, REQUEST),
    (&["filter_request_cookie"], "filter_request_cookie", Kind::CookieName, REQUEST),
    (&["add_response_header"], "add_response_header", Kind::HeaderLine, RESPONSE),
    (&["filter_response_header"], "filter_response_header", Kind::HeaderName, RESPONSE),
    (&["set_cookie", "add_response_cookie"], "set_cookie", Kind::CookieLine, RESPONSE),
    (&["filter_response_cookie"], "filter_response_cookie", Kind::CookieName, RESPONSE),
    (&["set_origin"], "set_origin", Kind::Origin("origin_"), REQUEST),
    (&["set_connector", "set_edge_connector"], "set_origin", Kind::Origin("connector_"), REQUEST),
    (&["capture_match_groups"], "capture_match_groups", Kind::Capture, APPLICATION),
    (&["set_rate_limit"], "set_rate_limit", Kind::RateLimit, FIREWALL),
    (&["set_custom_response"], "set_custom_response", Kind::CustomResponse, FIREWALL),
    (&["bypass_cache", "bypass_cache_phase"], "", Kind::Harmless("nothing is cached here"), ALL),
    (&["set_cache_policy"], "", Kind::Harmless("nothing is cached here"), ALL),
    (&["optimize_images"], "", Kind::Harmless("images pass as they are"), ALL),
    (&["tag_event"], "", Kind::Harmless("events are not tagged; the access log names the rules' decisions"), ALL),
    (&["set_waf", "set_waf_ruleset", "set_waf_ruleset_and_waf_mode"], "", Kind::Waf, ALL),
    (
        &["run_function"],
        "",
        Kind::Decides("functions are not run here, and one could answer or refuse; do its work upstream"),
        ALL,
    ),
];

/// Our name and the kind of a behavior.
///
/// # Errors
/// Why it cannot stand in this phase, or that nobody knows it.
pub(super) fn of(name: &str, phase: Phase) -> Result<(&'static str, Kind), String> {
    let found = TABLE.iter().find(|(spellings, ..)| spellings.contains(&name));
    let (_, ours, kind, phases) = found.ok_or_else(|| format!("`{name}` is no known behavior"))?;
    if !phases.contains(&phase) {
        return Err(format!("`{name}` does not stand in the {} phase; is --phase right?", phase.word()));
    }
    Ok((ours, *kind))
}

/// Whether nothing behind it in a rule is ever run.
pub(super) fn is_last(ours: &str, phase: Phase) -> bool {
    match ours {
        "deny" | "drop" | "no_content" | "deliver" | "finish_request_phase" | "set_custom_response" => true,
        // In the response phase a redirect waits for a 404.
        "redirect_to_301" | "redirect_to_302" => phase == Phase::Request,
        _ => false,
    }
}
