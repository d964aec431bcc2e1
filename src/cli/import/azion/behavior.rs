//! One behavior.

use serde_json::Value;
use toml_edit::InlineTable;

use super::behavior_kind::{self, Kind};
use super::custom_answer;
use super::piece::Piece;
use super::template::{self, Scope};
use crate::cli::import::fields::{Fields, id, text};
use crate::cli::import::pattern;
use crate::header_names::{is_about_the_client, is_framing};

/// A table and its notes, or why there is none.
pub(super) type Carried = Result<(InlineTable, Vec<String>), String>;

/// Converts a behavior; also our name of it, when it was carried. Remarks never quote its arguments, which may be secrets.
pub(super) fn convert(json: &Value, at: usize, scope: &mut Scope<'_>) -> (Piece, Option<&'static str>) {
    let at = at + 1;
    let (name, arguments) = match parts(json) {
        Ok(parts) => parts,
        Err(why) => return (Piece::gap(format!("behavior {at}: {why}")), None),
    };
    let gap = |why: String| (Piece::gap(format!("behavior {at}, `{name}`: {why}")), None);
    let dropped = |name: &str, why: &str| (Piece::dropped(format!("behavior {at}, `{name}`: {why}")), None);
    let (ours, kind) = match behavior_kind::of(name, scope.phase) {
        Ok(found) => found,
        Err(why) => return gap(why),
    };
    match kind {
        Kind::Harmless(why) => dropped(name, why),
        Kind::Waf if only_logs(arguments) => dropped(name, "there is no WAF here, and this one only logged"),
        Kind::Waf => gap("there is no WAF here, and this one could block".into()),
        Kind::Decides(why) => gap(why.into()),
        _ => match carry(ours, kind, arguments, scope) {
            Ok((table, notes)) => (Piece::carried(table, notes), Some(ours)),
            Err(why) => gap(why),
        },
    }
}

/// Name and arguments: `type` and `attributes` (v4), `name` and `target` (v3), `name` and `argument` (v3 firewall).
fn parts(json: &Value) -> Result<(&str, Option<&Value>), String> {
    let mut fields = Fields::of(json).ok_or("it is no object")?;
    let name = fields.either("type", "name")?.and_then(Value::as_str).ok_or("it has neither `type` nor `name`")?;
    let arguments = [fields.get("attributes"), fields.get("target"), fields.get("argument")];
    fields.finish()?;
    let mut given = arguments.into_iter().flatten().filter(|value| !is_empty(value));
    match (given.next(), given.next()) {
        (arguments, None) => Ok((name, arguments)),
        _ => Err("it has two of `attributes`, `target` and `argument`; keep one".into()),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::String(text) => text.is_empty(),
        Value::Object(map) => map.values().all(Value::is_null),
        _ => false,
    }
}

fn only_logs(arguments: Option<&Value>) -> bool {
    let mode = arguments.and_then(|arguments| arguments.get("mode").or_else(|| arguments.get("waf_mode")));
    matches!(mode.and_then(Value::as_str), Some("learning" | "logging"))
}

fn carry(ours: &'static str, kind: Kind, arguments: Option<&Value>, scope: &mut Scope<'_>) -> Carried {
    let mut table = InlineTable::new();
    table.insert("type", ours.into());
    let needed = || arguments.ok_or_else(|| format!("`{ours}` has no argument"));
    let value = match kind {
        Kind::Plain => {
            scope.needs.forwarded_proto |= ours == "redirect_http_to_https";
            return if arguments.is_none() { Ok((table, Vec::new())) } else { Err(format!("`{ours}` takes no argument")) };
        }
        Kind::HeaderLine => header_line(&joined(needed()?, ": ")?, scope)?,
        Kind::CookieLine => template::line(&joined(needed()?, "=")?, scope)?,
        Kind::HeaderName => header_name(&single(needed()?)?)?,
        Kind::CookieName => template::line(&single(needed()?)?, scope)?,
        Kind::Target => template::line(&single(needed()?)?, scope)?,
        Kind::Origin(prefix) => {
            let id = id(&single(needed()?)?.into()).ok_or("its argument is no id")?;
            let name = format!("{prefix}{id}");
            scope.needs.upstreams.insert(name.clone());
            name
        }
        Kind::Capture => return capture(table, needed()?, scope),
        Kind::RateLimit => return custom_answer::rate_limit(table, needed()?),
        Kind::CustomResponse => return custom_answer::custom_response(table, needed()?),
        Kind::Harmless(_) | Kind::Waf | Kind::Decides(_) => return Err(format!("`{ours}` has no counterpart here")),
    };
    table.insert("value", value.into());
    Ok((table, Vec::new()))
}

/// An argument that stands alone, or in `value`.
fn single(arguments: &Value) -> Result<String, String> {
    let value = match Fields::of(arguments) {
        Some(mut fields) => {
            let value = fields.get("value");
            fields.finish()?;
            value
        }
        None => Some(arguments),
    };
    value.and_then(text).filter(|text| !text.is_empty()).ok_or_else(|| "it has no `value` that is a text".into())
}

/// As [`single`], or `name` and `value` apart, as the mTLS guide sends headers.
fn joined(arguments: &Value, by: &str) -> Result<String, String> {
    let Some(mut fields) = Fields::of(arguments).filter(|_| arguments.get("name").is_some_and(|name| !name.is_null())) else {
        return single(arguments);
    };
    let name = fields.get("name").and_then(Value::as_str);
    let value = fields.get("value").and_then(text);
    fields.finish()?;
    match (name, value) {
        (Some(name), Some(value)) if !name.contains([':', '=']) => Ok(format!("{name}{by}{value}")),
        _ => Err("`name` or `value` is no text, or the name holds `:` or `=`".into()),
    }
}

fn header_line(line: &str, scope: &mut Scope<'_>) -> Result<String, String> {
    let (name, value) = line.split_once(':').ok_or("its argument is not `Name: value`")?;
    Ok(format!("{}: {}", header_name(name)?, template::line(value.trim(), scope)?))
}

fn header_name(name: &str) -> Result<String, String> {
    let name = name.trim();
    let parsed = http::HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("`{name}` is no header name"))?;
    if is_framing(parsed.as_str()) {
        return Err(format!("`{name}` frames or routes the message; no rule can set or remove it here"));
    }
    if is_about_the_client(parsed.as_str()) {
        return Err(format!("`{name}` is always set here, from the authenticated front door; use another name"));
    }
    Ok(name.to_owned())
}

fn capture(mut table: InlineTable, arguments: &Value, scope: &mut Scope<'_>) -> Carried {
    let mut fields = Fields::of(arguments).ok_or("it needs `subject`, `regex` and `captured_array`")?;
    let mut field = |name| fields.get(name).and_then(Value::as_str).ok_or_else(|| format!("it has no `{name}`"));
    let (array, subject, regex) = (field("captured_array")?, field("subject")?, field("regex")?);
    fields.finish()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if array.is_empty() || !array.bytes().all(plain) {
        return Err(format!("`{array}` is no name for captured groups: letters, digits and `_`"));
    }
    let subject = template::any(subject, scope)?;
    let pattern = pattern::from_pcre(regex)?;
    let notes = pattern.rewritten.then(|| "the expression is rewritten, to mean the same here".to_owned());
    table.insert("subject", subject.into());
    table.insert("regex", pattern.text.into());
    table.insert("captured_array", array.into());
    scope.captured.push((array.to_owned(), pattern.regex));
    Ok((table, notes.into_iter().collect()))
}
