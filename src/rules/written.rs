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
    let template = header_template(needed(name, value, "https://other.example${request_uri}")?, scope)?;
    visible(name, &template)?;
    Ok(template)
}

/// Reads the target of a rewritten request. What its values make of it is known with the request.
pub(super) fn target(name: &str, value: Option<&str>, scope: &Scope<'_>) -> Result<Template, BehaviorError> {
    let written = needed(name, value, "/path")?;
    let template = Template::parse(written, scope).map_err(BehaviorError)?;
    if template.beginning().is_some_and(|text| !text.starts_with('/')) {
        let mend = "write the path and query alone, like `/path`; `set_origin` chooses another upstream";
        return Err(BehaviorError(format!("`{name}`: `{written}` does not begin with `/`: {mend}")));
    }
    visible(name, &template)?;
    Ok(template)
}

fn visible(name: &str, template: &Template) -> Result<(), BehaviorError> {
    let hidden = template.literals().flat_map(str::chars).find(|one| !matches!(one, '!'..='~'));
    match hidden {
        Some(one) => Err(BehaviorError(format!("`{name}`: {one:?} cannot stand in a URL; write it percent-encoded"))),
        None => Ok(()),
    }
}

/// Whether a location is on another host is for the rule to say. Slashes in front that come from a value (`//other.example` is
/// a target that a client may send) would name one, and browsers take a backslash for a slash: one is left.
pub(super) fn written_location(template: &Template, view: &View<'_>, captures: &Captures) -> String {
    let mut location = String::new();
    template.write_target(view, captures, &mut location);
    let slashes = location.len() - location.trim_start_matches(['/', '\\']).len();
    if slashes > 0 && !template.beginning().is_some_and(|text| text.starts_with("//")) {
        location.replace_range(..slashes, "/");
    }
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
