//! What a rule answers itself.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header};

use super::capture::Captures;
use super::catalog::BehaviorError;
use super::changes::{MAX_VALUE, too_long};
use super::escaping::Escaping;
use super::facts::View;
use super::scope::Scope;
use super::template::Template;
use crate::refusal::{Refusal, Refused};

/// An answer that a rule made; the request goes no further. Only the rules make one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleAnswer {
    rule: String,
    says: Says,
}

/// What the client gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Says {
    /// A body of its own.
    Custom {
        /// The status.
        status: u16,
        /// The body's media type.
        content_type: Option<HeaderValue>,
        /// The body.
        body: Bytes,
    },
    /// Nothing at all: the connection is closed.
    Drop,
    /// 204.
    NoContent,
    /// Go elsewhere.
    Redirect {
        /// 301 or 302.
        status: u16,
        /// Where.
        location: HeaderValue,
    },
}

impl RuleAnswer {
    pub(super) fn drop() -> Self {
        Self::of(Says::Drop)
    }

    pub(super) fn no_content() -> Self {
        Self::of(Says::NoContent)
    }

    pub(super) fn redirect(status: u16, location: &str) -> Result<Self, Refused> {
        Ok(Self::of(Says::Redirect { status, location: location_value(location)? }))
    }

    pub(super) fn custom(custom: &CustomResponse, view: &View<'_>, captures: &Captures) -> Result<Self, Refused> {
        let mut body = String::new();
        custom.content_body.write_body(custom.escaping, view, captures, &mut body);
        let content_type = custom.content_type.clone();
        if body.len() > MAX_VALUE {
            return Err(too_long("content_body", body.len()));
        }
        Ok(Self::of(Says::Custom { status: custom.status, content_type, body: body.into() }))
    }

    fn of(says: Says) -> Self {
        Self { rule: String::new(), says }
    }

    pub(super) fn by(self, rule: &str) -> Self {
        Self { rule: rule.to_owned(), ..self }
    }

    /// The rule that answers.
    pub fn rule(&self) -> &str {
        &self.rule
    }

    /// What the client gets.
    pub fn says(&self) -> &Says {
        &self.says
    }

    /// What stands in its head because of the rule.
    pub fn headers(&self) -> HeaderMap {
        let line = match &self.says {
            Says::Custom { content_type, .. } => content_type.clone().map(|value| (header::CONTENT_TYPE, value)),
            Says::Redirect { location, .. } => Some((header::LOCATION, location.clone())),
            Says::Drop | Says::NoContent => None,
        };
        line.into_iter().collect()
    }

    /// The status; 444, nginx's number, when there is no answer at all.
    pub fn status(&self) -> u16 {
        match &self.says {
            Says::Custom { status, .. } | Says::Redirect { status, .. } => *status,
            Says::Drop => 444,
            Says::NoContent => 204,
        }
    }
}

/// A `Location`.
///
/// # Errors
/// [`Refusal::RuleFailed`] when it holds what no header may hold, or is too long.
pub(super) fn location_value(location: &str) -> Result<HeaderValue, Refused> {
    if location.len() > MAX_VALUE {
        return Err(too_long("location", location.len()));
    }
    let visible = location.bytes().all(|byte| (0x21..=0x7e).contains(&byte));
    let value = HeaderValue::from_str(location).ok().filter(|_| visible && !location.is_empty());
    value.ok_or_else(|| Refused::new(Refusal::RuleFailed, format!("{location:?} is no location")))
}

/// `set_custom_response`, read at load.
#[derive(Debug)]
pub struct CustomResponse {
    status: u16,
    content_type: Option<HeaderValue>,
    content_body: Template,
    escaping: Escaping,
}

/// Of a body that has no type of its own: without one, browsers guess.
const PLAIN: &str = "text/plain; charset=utf-8";

impl CustomResponse {
    /// Reads it. The status is from 200 to 499.
    ///
    /// # Errors
    /// What is wrong, and the mend.
    pub fn parse(
        status: u16,
        content_type: Option<&str>,
        content_body: &str,
        scope: &Scope<'_>,
    ) -> Result<Self, BehaviorError> {
        let content_type = content_type.filter(|text| !text.is_empty());
        let content_type = content_type.or((!content_body.is_empty()).then_some(PLAIN));
        let escaping = content_type.map_or(Escaping::None, Escaping::of);
        let content_type = content_type.map(|text| {
            let value = HeaderValue::from_str(text).ok().filter(|_| text.contains('/'));
            value.ok_or_else(|| BehaviorError(format!("`content_type` is `{text}`; accepted: a media type, like text/plain")))
        });
        let bodiless = matches!(status, 204 | 205 | 304);
        if bodiless && !content_body.is_empty() {
            return Err(BehaviorError(format!("an answer with status {status} has no body; leave `content_body` out")));
        }
        let content_body = Template::parse(content_body, scope).map_err(BehaviorError)?;
        Ok(Self { status, content_type: content_type.transpose()?, content_body, escaping })
    }
}
