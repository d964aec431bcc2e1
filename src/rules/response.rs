//! The response phase: what the client gets of an upstream's answer.

use http::StatusCode;
use http::header::{HeaderMap, HeaderName, HeaderValue, SET_COOKIE};

use super::answer::location_value;
use super::capture::{CaptureMatchGroups, Captures};
use super::catalog::{BehaviorError, check_behavior};
use super::changes::{MAX_VALUE, too_long};
use super::cookies;
use super::facts::{Answered, Facts, KeptRequest, View};
use super::scope::Scope;
use super::template::Template;
use super::written::{header_template, location, message_header_name, needed, split, without, written_location};
use super::{Monitored, Phase, Rule, RuleSet, RuleTrace, Trace};
use crate::header_names::{are_aliases, fold};
use crate::refusal::{Refusal, Refused};

/// A behavior of the response phase (Azion's names). It can change the answer's head and nothing else.
#[derive(Debug)]
pub enum ResponseBehavior {
    /// `add_response_header`: one more header line; none when the value is empty.
    AddResponseHeader(HeaderName, Template),
    /// `capture_match_groups`.
    CaptureMatchGroups(CaptureMatchGroups),
    /// `deliver`: the later behaviors and rules are skipped.
    Deliver,
    /// `enable_gzip`: the body is compressed when the client takes that.
    EnableGzip,
    /// `filter_response_cookie`: the lines that set this cookie are removed.
    FilterResponseCookie(String),
    /// `filter_response_header`: all lines of this name and its aliases are removed.
    FilterResponseHeader(HeaderName),
    /// `redirect_to_301`, `redirect_to_302`: only in place of the upstream's 404.
    Redirect(u16, Template),
    /// `set_cookie`: one more `Set-Cookie` line.
    SetCookie(Template),
}

/// The head of an upstream's answer.
#[derive(Debug)]
pub struct ResponseHead<'h> {
    /// The upstream's status.
    pub status: StatusCode,
    /// Its headers, to be changed.
    pub headers: &'h mut HeaderMap,
    /// The upstream's address.
    pub upstream: &'h str,
}

/// What the response phase wants beyond other headers.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Responded {
    /// Instead of the answer: 301 or 302, and where to.
    pub redirect: Option<(u16, HeaderValue)>,
    /// Compress the body, when the client takes that.
    pub gzip: bool,
}

enum Next {
    Continue,
    Finish,
}

impl ResponseBehavior {
    /// Reads a behavior that has a `value` or nothing.
    ///
    /// # Errors
    /// What is wrong, and the mend.
    pub fn parse(name: &str, value: Option<&str>, scope: &Scope<'_>) -> Result<Self, BehaviorError> {
        let name = check_behavior(name, scope.phase)?;
        match name {
            "deliver" => without(name, value, Self::Deliver),
            "enable_gzip" => without(name, value, Self::EnableGzip),
            "add_response_header" => {
                let (header, value) = split(needed(name, value, "X-Name: ${status}")?, ':', "Name: value")?;
                Ok(Self::AddResponseHeader(header_name(header)?, header_template(value.trim(), scope)?))
            }
            "filter_response_cookie" => {
                cookies::name(needed(name, value, "name")?).map(Self::FilterResponseCookie).map_err(BehaviorError)
            }
            "filter_response_header" => Ok(Self::FilterResponseHeader(header_name(needed(name, value, "X-Name")?)?)),
            "redirect_to_301" => Ok(Self::Redirect(301, location(name, value, scope)?)),
            "redirect_to_302" => Ok(Self::Redirect(302, location(name, value, scope)?)),
            "set_cookie" => {
                let line = needed(name, value, "name=value; Secure")?;
                cookies::name(split(line, '=', "name=value")?.0).map_err(BehaviorError)?;
                Ok(Self::SetCookie(header_template(line, scope)?))
            }
            _ => Err(BehaviorError(format!("`{name}` has keys of its own, and no `value`"))),
        }
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::AddResponseHeader(..) => "add_response_header",
            Self::CaptureMatchGroups(_) => "capture_match_groups",
            Self::Deliver => "deliver",
            Self::EnableGzip => "enable_gzip",
            Self::FilterResponseCookie(_) => "filter_response_cookie",
            Self::FilterResponseHeader(_) => "filter_response_header",
            Self::Redirect(301, _) => "redirect_to_301",
            Self::Redirect(..) => "redirect_to_302",
            Self::SetCookie(_) => "set_cookie",
        }
    }

    /// Whether nothing after it is ever run.
    pub fn is_last(&self) -> bool {
        matches!(self, Self::Deliver)
    }

    fn apply(
        &self,
        view: &View<'_>,
        captures: &mut Captures,
        headers: &mut HeaderMap,
        responded: &mut Responded,
    ) -> Result<Next, Refused> {
        match self {
            Self::AddResponseHeader(name, template) => {
                let mut value = String::new();
                match *name {
                    SET_COOKIE => template.write_cookie(view, captures, &mut value),
                    _ => template.write_header_value(view, captures, &mut value),
                }
                append(name, value, headers)?;
            }
            Self::CaptureMatchGroups(capture) => capture.run(view, captures),
            Self::Deliver => return Ok(Next::Finish),
            Self::EnableGzip => responded.gzip = true,
            Self::FilterResponseCookie(name) => cookies::remove_set(headers, name),
            Self::FilterResponseHeader(name) => remove_aliases(headers, name),
            Self::Redirect(status, template) if is_missing(view) => {
                let location = location_value(&written_location(template, view, captures))?;
                responded.redirect = Some((*status, location));
                return Ok(Next::Finish);
            }
            Self::Redirect(..) => {}
            Self::SetCookie(template) => {
                let mut line = String::new();
                template.write_cookie(view, captures, &mut line);
                append(&SET_COOKIE, line, headers)?;
            }
        }
        Ok(Next::Continue)
    }
}

impl RuleSet {
    /// Runs the response phase on the head of an answer. The criteria see the request as it came; `upstream_http_…` is the
    /// answer as it came, `sent_http_…` as the rules before have left it.
    ///
    /// # Errors
    /// [`Refusal::RuleFailed`] when a header that a rule makes cannot be sent.
    pub fn respond(
        &self,
        request: &KeptRequest,
        facts: &Facts<'_>,
        head: ResponseHead<'_>,
        mut trace: Trace<'_>,
        monitored: &mut Vec<Monitored>,
    ) -> Result<Responded, Refused> {
        let ResponseHead { status, headers, upstream } = head;
        let received = headers.clone();
        let mut responded = Responded::default();
        for rule in &self.response {
            let answer = Answered { status, received: &received, sent: &*headers, upstream };
            let view = View { facts, asked: request.asked(), answer: Some(answer), dialect: self.dialect };
            let held = rule.criteria.holds(&view);
            if let Trace::On(list) = &mut trace {
                list.push(RuleTrace::of(Phase::Response, rule, &held, &view));
            }
            if !rule.matches(held, monitored)? {
                continue;
            }
            if rule.monitor {
                monitored.extend(rule.would(&view));
                continue;
            }
            let mut changed = headers.clone();
            let next = rule.run(&view, &mut changed, &mut responded)?;
            *headers = changed;
            if matches!(next, Next::Finish) {
                break;
            }
        }
        Ok(responded)
    }
}

impl Rule<ResponseBehavior> {
    fn run(&self, view: &View<'_>, headers: &mut HeaderMap, responded: &mut Responded) -> Result<Next, Refused> {
        let mut captures = Captures::default();
        for behavior in &self.behaviors {
            if let Next::Finish = behavior.apply(view, &mut captures, headers, responded)? {
                return Ok(Next::Finish);
            }
        }
        Ok(Next::Continue)
    }

    fn would(&self, view: &View<'_>) -> Option<Monitored> {
        let acts = |behavior: &&ResponseBehavior| !matches!(behavior, ResponseBehavior::Redirect(..)) || is_missing(view);
        Monitored::of(&self.name, self.behaviors.iter().filter(acts).map(ResponseBehavior::name).collect())
    }
}

/// Azion: a redirect of the response phase only fires when the origin answered 404.
fn is_missing(view: &View<'_>) -> bool {
    view.answer.is_some_and(|answer| answer.status == StatusCode::NOT_FOUND)
}

fn append(name: &HeaderName, text: String, headers: &mut HeaderMap) -> Result<(), Refused> {
    if text.len() > MAX_VALUE {
        return Err(too_long(name.as_str(), text.len()));
    }
    if text.is_empty() {
        return Ok(());
    }
    let value = HeaderValue::try_from(text).ok();
    let value = value.and_then(|value| headers.try_append(name.clone(), value).ok());
    value.map(drop).ok_or_else(|| Refused::new(Refusal::RuleFailed, format!("`{name}` cannot be added to the answer")))
}

fn remove_aliases(headers: &mut HeaderMap, name: &HeaderName) {
    let gone: Vec<HeaderName> = headers.keys().filter(|key| are_aliases(key.as_str(), name.as_str())).cloned().collect();
    for name in gone {
        headers.remove(name);
    }
}

/// Reads the name of a response header that rules may set or remove.
fn header_name(name: &str) -> Result<HeaderName, BehaviorError> {
    let parsed = message_header_name(name)?;
    if matches!(fold(parsed.as_str()).as_ref(), "x-request-id" | "content-encoding") {
        return Err(BehaviorError(format!("`{parsed}` is ours to set; no rule can set or remove it")));
    }
    Ok(parsed)
}
