//! Texts with variables in them: `X-Client: ${ssl_client_s_dn_parsed}`.

use std::fmt::Write;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::capture::{CaptureMatchGroups, Captures, Group};
use super::date;
use super::escaping::Escaping;
use super::facts::View;
use super::notation::{Piece, pieces};
use super::scope::Scope;
use super::variable::Variable;

/// So many functions may stand in one another: each makes the text longer by a third.
const DEEPEST: usize = 4;

/// A text with variables, captured groups and functions, read at load.
#[derive(Debug, Clone)]
pub struct Template(Vec<Part>);

#[derive(Debug, Clone)]
enum Part {
    Literal(String),
    Variable(Variable),
    /// `%{name[1]}`, and whether it was taken from a target as sent.
    Captured(Group, bool),
    /// `${encode_base64(…)}`.
    EncodeBase64(Template),
    /// `${cookie_time_offset(…)}`: so many seconds from now, as a cookie's `Expires`.
    CookieTimeOffset(i64),
}

impl Template {
    /// Reads a template. A `$` or `%` that no `{` follows is itself.
    ///
    /// # Errors
    /// A variable, a group or a function that does not exist, or one without its `}`.
    pub fn parse(text: &str, scope: &Scope<'_>) -> Result<Self, String> {
        Self::within(text, scope, 0)
    }

    /// Reads a template that stands in so many functions.
    fn within(text: &str, scope: &Scope<'_>, depth: usize) -> Result<Self, String> {
        if depth > DEEPEST {
            return Err(format!("functions stand in one another more than {DEEPEST} deep"));
        }
        let pieces = pieces(text).map_err(|opened| format!("`{opened}` has no `}}`"))?;
        let part = |piece| match piece {
            Piece::Captured(inner) => captured(inner, scope),
            Piece::Literal(text) => Ok(Part::Literal(text.to_owned())),
            Piece::Named(inner) => variable_or_function(inner, scope, depth),
        };
        pieces.into_iter().map(part).collect::<Result<_, _>>().map(Self)
    }

    /// The variables in it, also those inside of functions.
    pub fn variables(&self) -> impl Iterator<Item = &Variable> {
        let mut found = Vec::new();
        self.collect(&mut found);
        found.into_iter()
    }

    fn collect<'t>(&'t self, found: &mut Vec<&'t Variable>) {
        for part in &self.0 {
            match part {
                Part::Variable(variable) => found.push(variable),
                Part::EncodeBase64(inner) => inner.collect(found),
                Part::Literal(_) | Part::Captured(..) | Part::CookieTimeOffset(_) => {}
            }
        }
    }

    /// Whether variables that are several lines long would stand in it as they are.
    pub(super) fn has_many_lines(&self) -> bool {
        self.0.iter().any(|part| matches!(part, Part::Variable(variable) if variable.is_many_lines()))
    }

    /// Whether all of it is a piece of a target as it was sent.
    pub(super) fn is_escaped(&self) -> bool {
        let escaped = |part: &Part| match part {
            Part::Variable(variable) => variable.is_escaped(),
            Part::Captured(_, escaped) => *escaped,
            _ => false,
        };
        !self.0.is_empty() && self.0.iter().all(escaped)
    }

    /// What it begins with, unless that is a value.
    pub(super) fn beginning(&self) -> Option<&str> {
        match self.0.first() {
            Some(Part::Literal(text)) => Some(text),
            _ => None,
        }
    }

    /// The pieces that are no values.
    pub(super) fn literals(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Literal(text) => Some(text.as_str()),
            _ => None,
        })
    }

    /// The text as it is.
    pub(super) fn write(&self, view: &View<'_>, captures: &Captures, out: &mut String) {
        self.each(view, captures, &mut |text, _| out.push_str(text));
    }

    /// The text for a body: values are escaped as its media type asks for.
    pub(super) fn write_body(&self, escaping: Escaping, view: &View<'_>, captures: &Captures, body: &mut String) {
        self.each(view, captures, &mut |text, source| match source {
            Source::Literal => body.push_str(text),
            Source::Target | Source::Value => escaping.push(body, text),
        });
    }

    /// The text for a `Set-Cookie` line: a `;` in a value would begin an attribute.
    pub(super) fn write_cookie(&self, view: &View<'_>, captures: &Captures, line: &mut String) {
        self.each(view, captures, &mut |text, source| match source {
            Source::Literal => push_safe(line, text),
            Source::Target | Source::Value => push_safe(line, &text.replace(';', "%3B")),
        });
    }

    /// The text for a header: whatever a certificate holds, no byte leaves that could end the line. Bytes outside 0x20–0x7E are
    /// written `\XX`, as nginx writes them in a DN.
    ///
    /// Readers take spaces at both ends away (RFC 9110 §5.5): those of a value are written `\20`, or who is called `admin ` would be
    /// `admin`.
    pub(super) fn write_header_value(&self, view: &View<'_>, captures: &Captures, value: &mut String) {
        let start = value.len();
        let mut spaced = false;
        self.each(view, captures, &mut |text, source| {
            let rest = text.strip_prefix(' ').filter(|_| value.len() == start && source != Source::Literal);
            if rest.is_some() {
                value.push_str("\\20");
            }
            let rest = rest.unwrap_or(text);
            push_safe(value, rest);
            if !rest.is_empty() {
                spaced = rest.ends_with(' ') && source != Source::Literal;
            }
        });
        if spaced && value.pop().is_some() {
            // In a name it is escaped already (RFC 4514 §2.4).
            if !value.ends_with('\\') {
                value.push('\\');
            }
            value.push_str("20");
        }
    }

    /// The text for a target: what is not literal and not escaped yet is percent-encoded, so that no value can begin a query
    /// or mean another segment than it did.
    pub(super) fn write_target(&self, view: &View<'_>, captures: &Captures, target: &mut String) {
        self.each(view, captures, &mut |text, source| {
            if source != Source::Value {
                target.push_str(text);
                return;
            }
            let in_query = target.contains('?');
            for byte in text.bytes() {
                let plain = byte.is_ascii_alphanumeric() || b"-._~/:@".contains(&byte);
                if plain || (!in_query && b"!$&'()*+,=".contains(&byte)) {
                    target.push(char::from(byte));
                } else {
                    // Writing to a String cannot fail.
                    let _ = write!(target, "%{byte:02X}");
                }
            }
        });
    }

    /// Hands each piece over, and where it is from.
    fn each(&self, view: &View<'_>, captures: &Captures, push: &mut dyn FnMut(&str, Source)) {
        for part in &self.0 {
            match part {
                Part::Literal(text) => push(text, Source::Literal),
                Part::Variable(variable) => push(&variable.text(view), Source::of_value(variable.is_escaped())),
                Part::Captured(group, escaped) => push(captures.text(*group), Source::of_value(*escaped)),
                Part::EncodeBase64(inner) => {
                    let mut text = String::new();
                    inner.write(view, captures, &mut text);
                    push(&STANDARD.encode(text), Source::Value);
                }
                Part::CookieTimeOffset(seconds) => push(&date::http_date(view.facts.now().plus(*seconds)), Source::Value),
            }
        }
    }
}

/// Where a piece of a text is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// Whoever wrote the rule.
    Literal,
    /// A target as it was sent, whose escapes stay.
    Target,
    /// Somebody else.
    Value,
}

impl Source {
    fn of_value(escaped: bool) -> Self {
        if escaped { Self::Target } else { Self::Value }
    }
}

fn captured(inner: &str, scope: &Scope<'_>) -> Result<Part, String> {
    let group = CaptureMatchGroups::find(&scope.captured, inner)?;
    Ok(Part::Captured(group, CaptureMatchGroups::is_escaped(&scope.captured, group)))
}

fn variable_or_function(inner: &str, scope: &Scope<'_>, depth: usize) -> Result<Part, String> {
    let Some((function, argument)) = inner.strip_suffix(')').and_then(|call| call.split_once('(')) else {
        return Variable::parse(inner, scope).map(Part::Variable);
    };
    match function {
        "encode_base64" => Template::within(argument, scope, depth + 1).map(Part::EncodeBase64),
        "cookie_time_offset" => {
            let seconds = argument.trim().parse::<i64>();
            let seconds = seconds.map_err(|_| format!("`{function}` takes a whole number of seconds, not `{argument}`"))?;
            Ok(Part::CookieTimeOffset(seconds))
        }
        _ => Err(format!("there is no function `{function}`; there are encode_base64, cookie_time_offset")),
    }
}

fn push_safe(value: &mut String, text: &str) {
    // Without an early end the compiler takes many bytes at a time.
    if text.bytes().fold(true, |safe, byte| safe & (0x20..=0x7e).contains(&byte)) {
        value.push_str(text);
        return;
    }
    for byte in text.bytes() {
        if (0x20..=0x7e).contains(&byte) {
            value.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(value, "\\{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{Known, Phase};

    #[test]
    fn parts_and_errors() {
        let known = Known::default();
        let scope = Scope::new(Phase::Request, &known);
        assert!(Template::parse("", &scope).unwrap().0.is_empty());
        assert!(matches!(Template::parse("a$b}%c", &scope).unwrap().0.as_slice(), [Part::Literal(text)] if text == "a$b}%c"));
        let mixed = Template::parse("<${host}:${encode_base64(${uri}-x)}>", &scope).unwrap();
        assert!(matches!(mixed.variables().collect::<Vec<_>>().as_slice(), [Variable::Host, Variable::Uri]));
        for bad in [
            "${",
            "${host",
            "${}",
            "${ host}",
            "${ssl_client_verif}",
            "${ssl_client_s_dn${host}}",
            "${encode_base64(${host})",
            "${encode_base64(${hots})}",
            "${decode(x)}",
            "${cookie_time_offset(x)}",
            "%{a[0]}",
            "%{a}",
            "%{",
            "${status}",
        ] {
            assert!(Template::parse(bad, &scope).is_err(), "{bad}");
        }
    }

    #[test]
    fn functions_in_functions_have_a_limit() {
        let known = Known::default();
        let scope = Scope::new(Phase::Request, &known);
        let nested = |depth: usize| "${encode_base64(".repeat(depth) + "${host}" + &")}".repeat(depth);
        assert!(Template::parse(&nested(4), &scope).is_ok());
        // The large one must not exhaust the stack.
        for depth in [5, 100_000] {
            assert!(Template::parse(&nested(depth), &scope).unwrap_err().contains("more than 4 deep"));
        }
    }

    #[test]
    fn no_control_byte_leaves() {
        let mut value = String::new();
        push_safe(&mut value, "a\r\nX-Evil: 1\0\u{e9}\u{7f}");
        assert_eq!(value, "a\\0D\\0AX-Evil: 1\\00\\C3\\A9\\7F");
    }
}
