//! What a rule does: the names, and the behaviors of the firewall and request phases.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderName;

use super::answer::{CustomResponse, RuleAnswer};
use super::capture::{CaptureMatchGroups, Captures};
use super::changes::Changes;
use super::cookies;
use super::facts::View;
use super::operator::compile;
use super::phase::Phase;
use super::rate_limit::{LimitBy, RateLimit};
use super::scope::Scope;
use super::template::Template;
use super::variable::Variable;
use crate::header_names::{interned, is_about_the_client, is_framing};
use crate::refusal::{Refusal, Refused};

/// Why a behavior cannot be: a sentence with the mend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BehaviorError(pub String);

use Phase::{Firewall, Request, Response};

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

/// A behavior of the firewall or request phase (Azion's names). It can change the request and nothing else.
#[derive(Debug)]
pub enum Behavior {
    /// `add_request_cookie`: one more cookie for the upstream.
    AddRequestCookie(String, Template),
    /// `add_request_header`: one more header line for the upstream; none when the value is empty.
    AddRequestHeader(HeaderName, Template),
    /// `capture_match_groups`.
    CaptureMatchGroups(CaptureMatchGroups),
    /// `deliver`: the request goes to the upstream now, and no later rule of any phase runs.
    Deliver,
    /// `deny`: 403.
    Deny,
    /// `drop`: the connection is closed without an answer.
    Drop,
    /// `enable_gzip`: the answer is compressed when the client takes that.
    EnableGzip,
    /// `filter_request_cookie`: this cookie is removed.
    FilterRequestCookie(String),
    /// `filter_request_header`: all lines of this name and its aliases are removed, those that rules added before too.
    FilterRequestHeader(HeaderName),
    /// `finish_request_phase`: the later behaviors and rules of the request phase are skipped.
    FinishRequestPhase,
    /// `forward_cookies`: cookies are always forwarded; read so that Azion's rules can stay as they are.
    ForwardCookies,
    /// `no_content`: 204.
    NoContent,
    /// `redirect_http_to_https`: 301 to the same address, when the client came over plain HTTP.
    RedirectHttpToHttps,
    /// `redirect_to_301`, `redirect_to_302`.
    Redirect(u16, Template),
    /// `rewrite_request`: another target for the upstream. The route stays.
    RewriteRequest(Template),
    /// `set_origin`, `set_connector`: another upstream of the tenant, by its number.
    SetOrigin(usize),
    /// `set_custom_response`.
    SetCustomResponse(CustomResponse),
    /// `set_rate_limit`: 429 when there are too many.
    SetRateLimit(Arc<RateLimit>),
}

/// What happens after a behavior.
#[derive(Debug)]
pub(super) enum Next {
    Answer(RuleAnswer),
    Continue,
    Deliver,
    Finish,
}

impl Behavior {
    /// Reads a behavior that has a `value` or nothing.
    ///
    /// # Errors
    /// What is wrong, and the mend.
    pub fn parse(name: &str, value: Option<&str>, scope: &Scope<'_>) -> Result<Self, BehaviorError> {
        let name = check_behavior(name, scope.phase)?;
        match name {
            "deliver" => without(name, value, Self::Deliver),
            "deny" => without(name, value, Self::Deny),
            "drop" => without(name, value, Self::Drop),
            "enable_gzip" => without(name, value, Self::EnableGzip),
            "finish_request_phase" => without(name, value, Self::FinishRequestPhase),
            "forward_cookies" => without(name, value, Self::ForwardCookies),
            "no_content" => without(name, value, Self::NoContent),
            "redirect_http_to_https" if !scope.known.forwarded_proto => {
                let mend = "a front door of this tenant does not say how the client reached it; set `forwarded_proto` in [front_doors.headers]";
                Err(BehaviorError(format!("`{name}`: {mend}, or let the front door redirect")))
            }
            "redirect_http_to_https" => without(name, value, Self::RedirectHttpToHttps),
            "add_request_cookie" => {
                let (cookie, value) = split(needed(name, value, "name=value")?, '=', "name=value")?;
                let name = cookies::name(cookie).map_err(BehaviorError)?;
                Ok(Self::AddRequestCookie(name, header_template(value.trim(), scope)?))
            }
            "add_request_header" => {
                let (header, value) = split(needed(name, value, "X-Name: ${host}")?, ':', "Name: value")?;
                Self::add(header, value, scope)
            }
            "filter_request_cookie" => {
                cookies::name(needed(name, value, "name")?).map(Self::FilterRequestCookie).map_err(BehaviorError)
            }
            "filter_request_header" => Ok(Self::FilterRequestHeader(header_name(needed(name, value, "X-Name")?)?)),
            "redirect_to_301" => Ok(Self::Redirect(301, location(name, value, scope)?)),
            "redirect_to_302" => Ok(Self::Redirect(302, location(name, value, scope)?)),
            "rewrite_request" => {
                let target = needed(name, value, "/path")?;
                Ok(Self::RewriteRequest(Template::parse(target, scope).map_err(BehaviorError)?))
            }
            "set_connector" | "set_origin" => {
                let wanted = needed(name, value, "the name of an upstream")?;
                let upstreams = &scope.known.upstreams;
                let number = upstreams.iter().position(|known| known == wanted);
                let accepted = upstreams.join(", ");
                let missing = || BehaviorError(format!("there is no upstream `{wanted}`; there are: {accepted}"));
                number.map(Self::SetOrigin).ok_or_else(missing)
            }
            _ => Err(BehaviorError(format!("`{name}` has keys of its own, and no `value`"))),
        }
    }

    /// `add_request_header` from a name and a value that stand apart.
    ///
    /// # Errors
    /// What is wrong, and the mend.
    pub fn add(name: &str, value: &str, scope: &Scope<'_>) -> Result<Self, BehaviorError> {
        let template = header_template(value.trim_matches([' ', '\t']), scope)?;
        Ok(Self::AddRequestHeader(header_name(name)?, template))
    }

    /// `set_rate_limit`: so many requests in a period, so many of them at once. `limit_by` is `client_ip`, `global` or a variable.
    ///
    /// # Errors
    /// What is wrong, and the mend.
    pub fn rate_limit(
        limit_by: &str,
        average: u32,
        period: Duration,
        burst: u32,
        scope: &Scope<'_>,
    ) -> Result<Self, BehaviorError> {
        let by = match limit_by {
            "client_ip" => LimitBy::ClientIp,
            "global" => LimitBy::Global,
            variable if variable.starts_with("${") => {
                LimitBy::Variable(Variable::parse(variable, scope).map_err(BehaviorError)?)
            }
            other => {
                let accepted = "\"client_ip\", \"global\" or a variable, like \"${ssl_client_fingerprint_sha256}\"";
                return Err(BehaviorError(format!("`limit_by` is `{other}`; accepted: {accepted}")));
            }
        };
        Ok(Self::SetRateLimit(Arc::new(RateLimit::new(by, average, period, burst))))
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::AddRequestCookie(..) => "add_request_cookie",
            Self::AddRequestHeader(..) => "add_request_header",
            Self::CaptureMatchGroups(_) => "capture_match_groups",
            Self::Deliver => "deliver",
            Self::Deny => "deny",
            Self::Drop => "drop",
            Self::EnableGzip => "enable_gzip",
            Self::FilterRequestCookie(_) => "filter_request_cookie",
            Self::FilterRequestHeader(_) => "filter_request_header",
            Self::FinishRequestPhase => "finish_request_phase",
            Self::ForwardCookies => "forward_cookies",
            Self::NoContent => "no_content",
            Self::RedirectHttpToHttps => "redirect_http_to_https",
            Self::Redirect(301, _) => "redirect_to_301",
            Self::Redirect(..) => "redirect_to_302",
            Self::RewriteRequest(_) => "rewrite_request",
            Self::SetOrigin(_) => "set_origin",
            Self::SetCustomResponse(_) => "set_custom_response",
            Self::SetRateLimit(_) => "set_rate_limit",
        }
    }

    /// Whether nothing after it is run, in the same rule and the same phase.
    pub fn is_last(&self) -> bool {
        matches!(
            self,
            Self::Deliver
                | Self::Deny
                | Self::Drop
                | Self::FinishRequestPhase
                | Self::NoContent
                | Self::Redirect(..)
                | Self::SetCustomResponse(_)
        )
    }

    /// The header that this behavior sets.
    pub fn header_set(&self) -> Option<&HeaderName> {
        match self {
            Self::AddRequestHeader(name, _) => Some(name),
            _ => None,
        }
    }

    /// The cookie that this behavior sets.
    pub(super) fn cookie_set(&self) -> Option<&str> {
        match self {
            Self::AddRequestCookie(name, _) => Some(name),
            _ => None,
        }
    }

    pub(super) fn apply(
        &self,
        rule: &str,
        view: &View<'_>,
        captures: &mut Captures,
        changes: &mut Changes,
    ) -> Result<Next, Refused> {
        let answer = |answer| Ok(Next::Answer(answer));
        match self {
            Self::AddRequestCookie(name, template) => changes.add_cookie(name, template, view, captures)?,
            Self::AddRequestHeader(name, template) => changes.add(name, template, view, captures)?,
            Self::CaptureMatchGroups(capture) => capture.run(view, captures),
            Self::Deliver => return Ok(Next::Deliver),
            Self::Deny => return Err(Refused::new(Refusal::DeniedByRule, format!("rule `{rule}`"))),
            Self::Drop => return answer(RuleAnswer::drop()),
            Self::EnableGzip => changes.gzip = true,
            Self::FilterRequestCookie(name) => changes.filter_cookie(name),
            Self::FilterRequestHeader(name) => changes.filter(name),
            Self::FinishRequestPhase => return Ok(Next::Finish),
            Self::ForwardCookies => {}
            Self::NoContent => return answer(RuleAnswer::no_content()),
            Self::RedirectHttpToHttps if view.asked.scheme == "https" => {}
            Self::RedirectHttpToHttps => {
                return answer(RuleAnswer::redirect(301, &format!("https://{}{}", view.asked.host, view.asked.target.raw()))?);
            }
            Self::Redirect(status, template) => {
                return answer(RuleAnswer::redirect(*status, &written_location(template, view, captures))?);
            }
            Self::RewriteRequest(template) => changes.rewrite(template, view, captures),
            Self::SetOrigin(number) => changes.origin = Some(*number),
            Self::SetCustomResponse(custom) => return answer(RuleAnswer::custom(custom, view, captures)?),
            Self::SetRateLimit(limit) if limit.allows(view) => {}
            Self::SetRateLimit(_) => return Err(Refused::new(Refusal::RateLimited, format!("rule `{rule}`"))),
        }
        Ok(Next::Continue)
    }

    /// Whether it would do anything, for a rule that is only watched. A rate limit counts all the same.
    pub(super) fn would_act(&self, view: &View<'_>) -> bool {
        match self {
            Self::SetRateLimit(limit) => !limit.allows(view),
            Self::RedirectHttpToHttps => view.asked.scheme != "https",
            _ => true,
        }
    }

    /// Whether it would end the phase where it acts.
    pub(super) fn would_end(&self) -> bool {
        self.is_last() || matches!(self, Self::RedirectHttpToHttps | Self::SetRateLimit(_))
    }
}

impl CaptureMatchGroups {
    /// Reads a `capture_match_groups`. Its array is known to the behaviors after it.
    ///
    /// # Errors
    /// What is wrong, and the mend.
    pub fn parse(array: &str, subject: &str, regex: &str, scope: &mut Scope<'_>) -> Result<Self, BehaviorError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if array.is_empty() || !array.bytes().all(plain) {
            return Err(BehaviorError(format!("`captured_array` is `{array}`; accepted: letters, digits and `_`")));
        }
        check_behavior("capture_match_groups", scope.phase)?;
        let subject = match Variable::parse(subject, scope) {
            Ok(_) if !subject.starts_with("${") => format!("${{{subject}}}"),
            _ => subject.to_owned(),
        };
        let subject = Template::parse(&subject, scope).map_err(BehaviorError)?;
        let capture = Self { array: array.to_owned(), subject, regex: compile(regex).map_err(BehaviorError)? };
        scope.captured.push(capture.clone());
        Ok(capture)
    }
}

pub(super) fn without<B>(name: &str, value: Option<&str>, behavior: B) -> Result<B, BehaviorError> {
    if value.is_some_and(|value| !value.is_empty()) {
        return Err(BehaviorError(format!("`{name}` takes no `value`")));
    }
    Ok(behavior)
}

pub(super) fn needed<'v>(name: &str, value: Option<&'v str>, like: &str) -> Result<&'v str, BehaviorError> {
    value.filter(|value| !value.is_empty()).ok_or_else(|| BehaviorError(format!("`{name}` needs a `value`, like `{like}`")))
}

pub(super) fn split<'v>(line: &'v str, at: char, form: &str) -> Result<(&'v str, &'v str), BehaviorError> {
    line.split_once(at).ok_or_else(|| BehaviorError(format!("`{line}` is not `{form}`")))
}

pub(super) fn location(name: &str, value: Option<&str>, scope: &Scope<'_>) -> Result<Template, BehaviorError> {
    header_template(needed(name, value, "https://other.example${request_uri}")?, scope)
}

pub(super) fn written_location(template: &Template, view: &View<'_>, captures: &Captures) -> String {
    let mut location = String::new();
    template.write_target(view, captures, &mut location);
    location
}

/// Reads the value of a header that we make: not for variables that are several lines long.
pub(super) fn header_template(value: &str, scope: &Scope<'_>) -> Result<Template, BehaviorError> {
    let template = Template::parse(value, scope).map_err(BehaviorError)?;
    if template.has_many_lines() {
        let mend = "use `${ssl_client_escaped_cert}`";
        return Err(BehaviorError(format!("a certificate in several lines cannot stand in a header; {mend}")));
    }
    Ok(template)
}

/// Reads the name of a request header that rules may set or remove.
pub(super) fn header_name(name: &str) -> Result<HeaderName, BehaviorError> {
    let parsed = message_header_name(name)?;
    if is_about_the_client(parsed.as_str()) {
        let mend = "the upstream always gets it, from the authenticated front door; use another name";
        return Err(BehaviorError(format!("`{parsed}` cannot be set or removed by a rule: {mend}")));
    }
    Ok(parsed)
}

/// Reads the name of a header that does not frame the message.
pub(super) fn message_header_name(name: &str) -> Result<HeaderName, BehaviorError> {
    let parsed =
        HeaderName::from_bytes(name.trim().as_bytes()).map_err(|_| BehaviorError(format!("`{name}` is no header name")))?;
    if is_framing(parsed.as_str()) {
        return Err(BehaviorError(format!("`{parsed}` frames or routes the message; no rule can set or remove it")));
    }
    Ok(interned(&parsed))
}
