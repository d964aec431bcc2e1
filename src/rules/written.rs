//! How the values of behaviors are written.

use http::HeaderName;

use super::capture::Captures;
use super::catalog::BehaviorError;
use super::facts::View;
use super::scope::Scope;
use super::template::Template;
use crate::header_names::{interned, is_about_the_client, is_framing};

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
