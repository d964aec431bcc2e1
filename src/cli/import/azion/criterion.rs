//! One criterion.

use serde_json::Value;
use toml_edit::InlineTable;

use super::piece::Piece;
use super::{Needs, Phase, value_form, variable};
use crate::cli::import::fields::{Fields, id, text};
use crate::cli::import::pattern;

/// Every operator of Azion, by our names.
const OPERATORS: [&str; 10] = [
    "is_equal",
    "is_not_equal",
    "starts_with",
    "does_not_start_with",
    "matches",
    "does_not_match",
    "exists",
    "does_not_exist",
    "is_in_list",
    "is_not_in_list",
];

/// Converts a criterion; `first` when it is the first of its group.
pub(super) fn convert(json: &Value, phase: Phase, first: bool, needs: &mut Needs) -> Piece {
    match read(json, phase, first, needs) {
        Ok((table, notes)) => Piece::carried(table, notes),
        Err(why) => Piece::gap(format!("a criterion: {why}")),
    }
    .was(&json.to_string())
}

/// Whether it begins a group, where a flat list holds several.
pub(super) fn begins_group(json: &Value) -> bool {
    json.get("conditional").and_then(Value::as_str) == Some("if")
}

fn read(json: &Value, phase: Phase, first: bool, needs: &mut Needs) -> Result<(InlineTable, Vec<String>), String> {
    let mut fields = Fields::of(json).ok_or("it is no object")?;
    let mut notes = Vec::new();
    let conditional = conditional(fields.get("conditional"), first)?;
    let asked = fields.get("variable").and_then(Value::as_str).ok_or("it has no `variable`")?;
    let operator = fields.get("operator").and_then(Value::as_str).ok_or("it has no `operator`")?;
    let argument = fields.either("argument", "input_value")?;
    fields.finish()?;
    let argument = match argument {
        Some(value) => Some(text(value).ok_or("its argument is neither a text nor a number")?),
        None => None,
    };
    let name = variable::name(asked, phase, needs)?;
    let is_network = matches!(asked, "network" | "${network}");
    let operator = operator_name(operator, is_network, argument.as_deref())?;
    let mut table = InlineTable::new();
    table.insert("conditional", conditional.into());
    table.insert("variable", format!("${{{name}}}").into());
    table.insert("operator", operator.into());
    let given = argument.ok_or_else(|| format!("`{operator}` needs an argument"));
    let argument = match operator {
        "exists" | "does_not_exist" => {
            if given.is_ok_and(|given| !given.is_empty()) {
                notes.push(format!("`{operator}` takes no argument; the one that was there is gone"));
            }
            return Ok((table, notes));
        }
        "is_in_list" | "is_not_in_list" => {
            let list = format!("list_{}", id(&given?.into()).ok_or("its argument is no id of a network list")?);
            needs.lists.insert(list.clone());
            list
        }
        "matches" | "does_not_match" => {
            let given = given?;
            value_form::argument(&name, operator, &given, needs.dialect)?;
            let pattern = pattern::from_pcre(&given)?;
            if let "ssl_client_s_dn" | "ssl_client_i_dn" = name.as_str() {
                let party = if name == "ssl_client_s_dn" { "subject" } else { "issuer" };
                notes.push(format!(
                    "an expression over a whole DN fits the values of other attributes too (`OU=CN=admin`); `${{{party}.CN}}` sees the CN alone"
                ));
            }
            if pattern.rewritten {
                notes.push("the expression is rewritten, to mean the same here".into());
            }
            pattern.text
        }
        _ => {
            let (argument, note) = value_form::argument(&name, operator, &given?, needs.dialect)?;
            notes.extend(note);
            argument
        }
    };
    table.insert("argument", argument.into());
    Ok((table, notes))
}

fn conditional(word: Option<&Value>, first: bool) -> Result<&'static str, String> {
    let word = match word {
        Some(word) => Some(word.as_str().ok_or("its `conditional` is no text")?),
        None => None,
    };
    match (word, first) {
        // The first has nothing before it that it could be joined to by `and`.
        (None | Some("if" | "and"), true) => Ok("if"),
        (Some("and"), false) => Ok("and"),
        (Some("or"), false) => Ok("or"),
        (Some("or"), true) => Err("it is joined by `or`, and nothing stands before it in its group".into()),
        (Some("if"), false) => Err("it says `if` in the middle of a group; say `and` or `or`".into()),
        (None, false) => Err("it does not say how it is joined (`and` or `or`)".into()),
        (Some(word), _) => Err(format!("`{word}` is no `conditional`; there are if, and, or")),
    }
}

fn operator_name(operator: &str, is_network: bool, argument: Option<&str>) -> Result<&'static str, String> {
    let is_id = argument.is_some_and(|argument| !argument.is_empty() && argument.bytes().all(|byte| byte.is_ascii_digit()));
    let operator = match operator {
        "does_not_starts_with" => "does_not_start_with",
        // The labels of the list operators in the console.
        "matches" if is_network && is_id => "is_in_list",
        "does_not_match" if is_network && is_id => "is_not_in_list",
        other => other,
    };
    let known = OPERATORS.into_iter().find(|known| *known == operator);
    let known = known.ok_or_else(|| format!("`{operator}` is no operator of Azion's; there are {}", OPERATORS.join(", ")))?;
    if is_network && !matches!(known, "is_in_list" | "is_not_in_list") {
        return Err(format!("`${{network}}` is compared with lists only, not by `{known}`"));
    }
    Ok(known)
}
