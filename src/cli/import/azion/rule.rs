//! One rule: its criteria and behaviors, and whether it is still what it was.

use serde_json::Value;

use super::piece::Piece;
use super::template::Scope;
use super::{Needs, Phase, behavior, behavior_kind, criterion};
use crate::cli::import::fields::{Fields, text};
use crate::cli::import::remark::{Remark, one_line};

/// A rule, converted.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) phase: Phase,
    /// Azion's first rule, whose phase is called `default`.
    pub(super) is_default: bool,
    /// Whether it is switched on at Azion.
    pub(super) active: bool,
    /// Whether it is what it was.
    pub(super) whole: bool,
    pub(super) criteria: Vec<Vec<Piece>>,
    pub(super) behaviors: Vec<Piece>,
    /// About the rule as such.
    pub(super) own: Vec<Remark>,
    /// All of them, for the report.
    pub(super) remarks: Vec<Remark>,
    order: Option<i64>,
    place: String,
}

impl Rule {
    /// Whether there is anything to write: a rule without behaviors cannot be.
    pub(super) fn is_written(&self) -> bool {
        self.behaviors.iter().any(|behavior| behavior.table.is_some())
    }
}

/// Converts a rule.
///
/// # Errors
/// What the rule is called, when nobody says its phase.
pub(super) fn convert(source: &str, at: usize, json: &Value, phase: Option<Phase>, needs: &mut Needs) -> Result<Rule, String> {
    let Some(mut fields) = Fields::of(json) else { return Err(source.to_owned()) };
    fields.skip(&["id", "last_editor", "last_modified", "created_at"]);
    let name = fields.get("name").and_then(text).filter(|name| !name.is_empty()).unwrap_or_else(|| format!("rule {}", at + 1));
    let place = format!("{source}: rule `{name}`");
    let mut gaps = Vec::new();
    let (phase, is_default) = match fields.get("phase").map(|phase| (phase, phase.as_str())) {
        Some((_, Some("default"))) => (Phase::Request, true),
        Some((_, Some("request"))) => (Phase::Request, false),
        Some((_, Some("response"))) => (Phase::Response, false),
        Some((_, Some("firewall"))) => (Phase::Firewall, false),
        Some((other, _)) => {
            gaps.push(format!("its phase is {other}, which is not known"));
            (phase.ok_or_else(|| place.clone())?, false)
        }
        None => (phase.ok_or_else(|| place.clone())?, false),
    };
    let active = match fields.either("active", "is_active") {
        Ok(None) => true,
        Ok(Some(Value::Bool(active))) => *active,
        Ok(Some(other)) => {
            gaps.push(format!("whether it is active is {other}, which is not true or false"));
            false
        }
        Err(why) => {
            gaps.push(why);
            false
        }
    };
    let description = fields.get("description").and_then(text).filter(|description| !description.is_empty());
    let order = fields.get("order").and_then(Value::as_i64);
    let criteria = groups(fields.get("criteria"), phase, needs).unwrap_or_else(|why| {
        gaps.push(why);
        Vec::new()
    });
    if criteria.is_empty() && !is_default && gaps.is_empty() {
        gaps.push("it has no criteria, and would apply to every request here".into());
    }
    let mut scope = Scope { phase, needs, captured: Vec::new() };
    let behaviors = behaviors(fields.get("behaviors"), &mut scope).unwrap_or_else(|why| {
        gaps.push(why);
        Vec::new()
    });
    let whole = gaps.is_empty() && !criteria.iter().flatten().chain(&behaviors).any(|piece| piece.gap);
    let mut own: Vec<Remark> = gaps.into_iter().map(|text| Remark::left_out(text, "")).collect();
    let unknown = fields.unknown();
    if !unknown.is_empty() {
        own.push(Remark::left_out(format!("unknown fields of the rule: `{}`", unknown.join("`, `")), ""));
    }
    let mut rule = Rule {
        name,
        description,
        phase,
        is_default,
        active,
        whole,
        criteria,
        behaviors,
        own,
        remarks: Vec::new(),
        order,
        place: place.clone(),
    };
    if !rule.is_written() {
        rule.own.push(Remark::left_out("nothing of it is left to write".into(), ""));
    } else if !whole && active {
        let text = "the rule as a whole: it would not be what it was, so it has `active = false`; mend it, then switch it on";
        rule.own.push(Remark::left_out(text.into(), ""));
    }
    let pieces = rule.criteria.iter().flatten().chain(&rule.behaviors).flat_map(|piece| &piece.remarks);
    rule.remarks = rule.own.iter().chain(pieces).map(|remark| Remark { place: place.clone(), ..remark.clone() }).collect();
    Ok(rule)
}

/// Groups of criteria: a list of lists, or a flat list, where each `if` begins a group.
fn groups(json: Option<&Value>, phase: Phase, needs: &mut Needs) -> Result<Vec<Vec<Piece>>, String> {
    let Some(json) = json else { return Ok(Vec::new()) };
    let list = json.as_array().ok_or("its criteria are no list")?;
    let nested = list.iter().filter(|value| value.is_array()).count();
    let groups: Vec<Vec<&Value>> = match nested {
        0 => flat(list),
        _ if nested == list.len() => list.iter().map(|group| group.as_array().into_iter().flatten().collect()).collect(),
        _ => return Err("its criteria are partly in groups and partly not".into()),
    };
    if groups.iter().any(Vec::is_empty) {
        return Err("it has an empty group of criteria".into());
    }
    let group = |group: Vec<&Value>| {
        group.iter().enumerate().map(|(at, json)| criterion::convert(json, phase, at == 0, needs)).collect()
    };
    Ok(groups.into_iter().map(group).collect())
}

fn flat(list: &[Value]) -> Vec<Vec<&Value>> {
    let mut groups: Vec<Vec<&Value>> = Vec::new();
    for value in list {
        match groups.last_mut() {
            Some(group) if !criterion::begins_group(value) => group.push(value),
            _ => groups.push(vec![value]),
        }
    }
    groups
}

fn behaviors(json: Option<&Value>, scope: &mut Scope<'_>) -> Result<Vec<Piece>, String> {
    let list = json.and_then(Value::as_array).ok_or("its behaviors are no list")?;
    let mut pieces: Vec<Piece> = Vec::new();
    let mut ended = None;
    for (at, json) in list.iter().enumerate() {
        if let Some(last) = ended {
            let text = format!("behavior {} stood behind `{last}` and was never run", at + 1);
            pieces.push(Piece { remarks: vec![Remark::note(text, "")], ..Piece::default() });
            continue;
        }
        let (piece, ours) = behavior::convert(json, at, scope);
        ended = ours.filter(|ours| behavior_kind::is_last(ours, scope.phase));
        pieces.push(piece);
    }
    Ok(pieces)
}

/// By the `order` that the API numbers rules with, phase by phase, when all rules of the source have one.
pub(super) fn in_order(mut rules: Vec<Rule>, remarks: &mut Vec<Remark>) -> Vec<Rule> {
    let numbered = rules.iter().filter(|rule| rule.order.is_some()).count();
    if numbered == rules.len() {
        rules.sort_by_key(|rule| rule.order);
    } else if numbered > 0 {
        let place = rules.first().map_or_else(String::new, |rule| one_line(&rule.place));
        remarks
            .push(Remark::left_out("some rules have an `order` and others have none: kept as listed; check it".into(), &place));
    }
    rules
}
