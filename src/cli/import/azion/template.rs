//! Arguments of behaviors: texts with `${variable}`, `${function(…)}` and `%{captured[1]}`.

use regex::Regex;

use super::{Needs, Phase, value_form, variable};
use crate::rules::{Piece, pieces};

/// What a template may refer to.
pub(super) struct Scope<'n> {
    pub(super) phase: Phase,
    pub(super) needs: &'n mut Needs,
    /// The arrays that the rule has captured so far.
    pub(super) captured: Vec<(String, Regex)>,
}

/// Functions in functions: nothing known goes deeper than one.
const DEEPEST: usize = 4;

/// A template for one line of a header, in our notation.
///
/// # Errors
/// Why it cannot be carried over.
pub(super) fn line(text: &str, scope: &mut Scope<'_>) -> Result<String, String> {
    if !text.bytes().all(|byte| (0x20..=0x7e).contains(&byte)) {
        return Err("it holds characters outside of ASCII, or control characters".into());
    }
    let text = convert(text, scope, DEEPEST)?;
    if text.contains("${ssl_client_cert}") {
        return Err("a certificate in several lines cannot stand in a header; use `${ssl_client_escaped_cert}`".into());
    }
    Ok(text)
}

/// A template in our notation.
///
/// # Errors
/// Why it cannot be carried over.
pub(super) fn any(text: &str, scope: &mut Scope<'_>) -> Result<String, String> {
    convert(text, scope, DEEPEST)
}

fn convert(text: &str, scope: &mut Scope<'_>, depth: usize) -> Result<String, String> {
    if depth == 0 {
        return Err("functions within functions go too deep".into());
    }
    let mut out = String::new();
    for piece in pieces(text).map_err(|_| "a `${` or `%{` has no `}`")? {
        match piece {
            Piece::Captured(inner) => out.push_str(&part(inner, true, scope, depth)?),
            Piece::Literal(text) => out.push_str(text),
            Piece::Named(inner) => out.push_str(&part(inner, false, scope, depth)?),
        }
    }
    Ok(out)
}

fn part(inner: &str, captured_notation: bool, scope: &mut Scope<'_>, depth: usize) -> Result<String, String> {
    if let Some((function, argument)) = inner.strip_suffix(')').and_then(|call| call.split_once('(')) {
        let argument = match function {
            "encode_base64" => convert(argument, scope, depth - 1)?,
            "cookie_time_offset" if argument.trim().parse::<i32>().is_ok() => argument.trim().to_owned(),
            "cookie_time_offset" => return Err(format!("`{function}` takes a whole number of seconds")),
            _ => return Err(format!("there is no function `{function}`")),
        };
        return Ok(format!("${{{function}({argument})}}"));
    }
    // A sample of Azion's writes `${captured[1]}`, the documentation `%{captured[1]}`.
    if captured_notation || inner.ends_with(']') {
        let (array, index) = inner
            .strip_suffix(']')
            .and_then(|inner| inner.split_once('['))
            .ok_or_else(|| format!("`%{{{inner}}}` is not like `%{{name[1]}}`"))?;
        group_exists(array, index, &scope.captured)?;
        return Ok(format!("%{{{array}[{index}]}}"));
    }
    let name = variable::name(inner, scope.phase, scope.needs)?;
    scope.needs.forms |= value_form::differs(&name);
    Ok(format!("${{{name}}}"))
}

fn group_exists(array: &str, index: &str, captured: &[(String, Regex)]) -> Result<(), String> {
    let (_, regex) = captured
        .iter()
        .rfind(|(name, _)| name == array)
        .ok_or_else(|| format!("nothing before it in the rule captures `{array}`"))?;
    let exists = match index.parse::<usize>() {
        Ok(number) => number < regex.captures_len(),
        Err(_) => regex.capture_names().any(|name| name == Some(index)),
    };
    if exists { Ok(()) } else { Err(format!("the expression of `{array}` has no group `{index}`")) }
}
