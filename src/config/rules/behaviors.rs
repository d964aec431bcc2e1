//! `behaviors`.

use std::time::Duration;

use crate::config::table::Table;
use crate::rules::{
    Behavior, BehaviorError, CaptureMatchGroups, CustomResponse, ResponseBehavior, Scope, behavior_names, check_behavior,
};

/// Reads one behavior, which may capture something for those after it.
type ReadOne<B> = fn(&Table<'_>, &str, &mut Scope<'_>) -> Option<Result<B, BehaviorError>>;

pub(super) fn read<B>(table: &Table<'_>, scope: &mut Scope<'_>, one: ReadOne<B>, is_last: fn(&B) -> bool) -> Vec<B> {
    let listed = table.tables("behaviors");
    if listed.is_empty() {
        table.problem("behaviors", "is empty: the rule would do nothing", "at least one behavior");
    }
    let behaviors: Vec<B> = listed.into_iter().filter_map(|table| behavior(table, scope, one)).collect();
    let after_last = behaviors.iter().position(is_last).is_some_and(|last| last + 1 < behaviors.len());
    if after_last {
        let found = "go on after one that ends the phase, and what follows is never run";
        table.problem("behaviors", found, "the one that ends the phase in the last place");
    }
    behaviors
}

fn behavior<B>(table: Table<'_>, scope: &mut Scope<'_>, one: ReadOne<B>) -> Option<B> {
    let name = table.required_text("type", &format!("one of {}", behavior_names(scope.phase)));
    table.finishing(|table| {
        let Some(name) = name else {
            table.ask_all();
            return None;
        };
        // A name that is not known has no keys that are.
        let read = match check_behavior(&name, scope.phase) {
            Ok(name) => one(table, name, scope)?,
            Err(why) => {
                table.ask_all();
                Err(why)
            }
        };
        read.map_err(|why| table.problem("", why.0, "docs/rules.md lists the behaviors")).ok()
    })
}

pub(super) fn request(table: &Table<'_>, name: &str, scope: &mut Scope<'_>) -> Option<Result<Behavior, BehaviorError>> {
    match name {
        "capture_match_groups" => Some(capture(table, scope)?.map(Behavior::CaptureMatchGroups)),
        "set_custom_response" => {
            let status = status(table)?;
            let (content_type, body) = (table.text("content_type"), table.text("content_body").unwrap_or_default());
            Some(CustomResponse::parse(status, content_type.as_deref(), &body, scope).map(Behavior::SetCustomResponse))
        }
        "set_rate_limit" => rate_limit(table, scope),
        _ => Some(Behavior::parse(name, table.text("value").as_deref(), scope)),
    }
}

pub(super) fn response(
    table: &Table<'_>,
    name: &str,
    scope: &mut Scope<'_>,
) -> Option<Result<ResponseBehavior, BehaviorError>> {
    match name {
        "capture_match_groups" => Some(capture(table, scope)?.map(ResponseBehavior::CaptureMatchGroups)),
        _ => Some(ResponseBehavior::parse(name, table.text("value").as_deref(), scope)),
    }
}

fn capture(table: &Table<'_>, scope: &mut Scope<'_>) -> Option<Result<CaptureMatchGroups, BehaviorError>> {
    let subject = table.required_text("subject", "a text with variables, like \"${uri}\"");
    let regex = table.required_text("regex", "a regular expression");
    let array = table.required_text("captured_array", "a name for what is captured");
    Some(CaptureMatchGroups::parse(&array?, &subject?, &regex?, scope))
}

fn status(table: &Table<'_>) -> Option<u16> {
    if !table.has("status_code") {
        table.problem("status_code", "is missing", "a whole number from 200 to 499");
        return None;
    }
    u16::try_from(table.number("status_code", 200..=499, 403)).ok()
}

/// The largest rate: more could not be told from no limit.
const LARGEST_RATE: usize = 1_000_000;

fn rate_limit(table: &Table<'_>, scope: &Scope<'_>) -> Option<Result<Behavior, BehaviorError>> {
    let periods = [("second", Duration::from_secs(1)), ("minute", Duration::from_secs(60))];
    let period = table.choice("rate_type", &periods, Duration::from_secs(1));
    let limit_by = table.text("limit_by").unwrap_or_else(|| "client_ip".to_owned());
    if !table.has("average_rate_limit") {
        table.problem("average_rate_limit", "is missing", format!("a whole number from 1 to {LARGEST_RATE}"));
        return None;
    }
    let average = table.number("average_rate_limit", 1..=LARGEST_RATE, 1);
    let burst = table.number("maximum_burst_size", 1..=LARGEST_RATE, average);
    let (average, burst) = (u32::try_from(average).ok()?, u32::try_from(burst).ok()?);
    Some(Behavior::rate_limit(&limit_by, average, period, burst, scope))
}
