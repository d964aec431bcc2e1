//! Texts with variables in them: `X-Client: ${ssl_client_s_dn_parsed}`.

use std::fmt::Write;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::capture::{CaptureMatchGroups, Captures, Group};
use super::date;
use super::facts::View;
use super::scope::Scope;
use super::variable::Variable;

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
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(at) = next_opening(rest) {
            let (literal, opened) = rest.split_at(at);
            let end = closing(opened).ok_or_else(|| format!("`{opened}` has no `}}`"))?;
            let (whole, after) = opened.split_at(end + 1);
            let inner = whole.get(2..end).unwrap_or_default();
            if !literal.is_empty() {
                parts.push(Part::Literal(literal.to_owned()));
            }
            parts.push(if whole.starts_with('%') { captured(inner, scope)? } else { variable_or_function(inner, scope)? });
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.to_owned()));
        }
        Ok(Self(parts))
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

    /// The text as it is.
    pub(super) fn write(&self, view: &View<'_>, captures: &Captures, out: &mut String) {
        self.each(view, captures, &mut |text, _| out.push_str(text));
    }

    /// The text for a header: whatever a certificate holds, no byte leaves that could end the line. Bytes outside 0x20–0x7E are
    /// written `\XX`, as nginx writes them in a DN.
    pub(super) fn write_header_value(&self, view: &View<'_>, captures: &Captures, value: &mut String) {
        self.each(view, captures, &mut |text, _| push_safe(value, text));
    }

    /// The text for a target: what is not literal and not escaped yet is percent-encoded, so that no value can begin a query
    /// or mean another segment than it did.
    pub(super) fn write_target(&self, view: &View<'_>, captures: &Captures, target: &mut String) {
        self.each(view, captures, &mut |text, escaped| {
            if escaped {
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

    /// Hands each piece over, and whether it is ready for a target.
    fn each(&self, view: &View<'_>, captures: &Captures, push: &mut dyn FnMut(&str, bool)) {
        for part in &self.0 {
            match part {
                Part::Literal(text) => push(text, true),
                Part::Variable(variable) => push(&variable.text(view), variable.is_escaped()),
                Part::Captured(group, escaped) => push(captures.text(*group), *escaped),
                Part::EncodeBase64(inner) => {
                    let mut text = String::new();
                    inner.write(view, captures, &mut text);
                    push(&STANDARD.encode(text), false);
                }
                Part::CookieTimeOffset(seconds) => push(&date::http_date(view.facts.now().plus(*seconds)), false),
            }
        }
    }
}

/// Where the next `${` or `%{` is.
fn next_opening(text: &str) -> Option<usize> {
    [text.find("${"), text.find("%{")].into_iter().flatten().min()
}

/// Where the `}` of the opening is that a text begins with.
fn closing(opened: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut before = b' ';
    for (at, byte) in opened.bytes().enumerate() {
        match byte {
            b'{' if matches!(before, b'$' | b'%') => depth += 1,
            b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
        before = byte;
    }
    None
}

fn captured(inner: &str, scope: &Scope<'_>) -> Result<Part, String> {
    let group = CaptureMatchGroups::find(&scope.captured, inner)?;
    Ok(Part::Captured(group, CaptureMatchGroups::is_escaped(&scope.captured, group)))
}

fn variable_or_function(inner: &str, scope: &Scope<'_>) -> Result<Part, String> {
    let Some((function, argument)) = inner.strip_suffix(')').and_then(|call| call.split_once('(')) else {
        return Variable::parse(inner, scope).map(Part::Variable);
    };
    match function {
        "encode_base64" => Template::parse(argument, scope).map(Part::EncodeBase64),
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
    fn no_control_byte_leaves() {
        let mut value = String::new();
        push_safe(&mut value, "a\r\nX-Evil: 1\0\u{e9}\u{7f}");
        assert_eq!(value, "a\\0D\\0AX-Evil: 1\\00\\C3\\A9\\7F");
    }
}
