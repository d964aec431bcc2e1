//! What rules of the firewall and request phases do.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderName;

use super::answer::{CustomResponse, RuleAnswer};
use super::capture::{CaptureMatchGroups, Captures};
use super::catalog::{BehaviorError, check_behavior};
use super::changes::Changes;
use super::cookies;
use super::facts::View;
use super::rate_limit::{LimitBy, RateLimit};
use super::scope::Scope;
use super::template::Template;
use super::variable::Variable;
use super::written::{header_name, header_template, location, needed, split, target, without, written_location};
use crate::refusal::{Refusal, Refused};

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
            "rewrite_request" => Ok(Self::RewriteRequest(target(name, value, scope)?)),
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
