//! The firewall's behaviors with several attributes: `set_rate_limit` and `set_custom_response`.

use serde_json::Value;
use toml_edit::InlineTable;

use super::behavior::Carried;
use crate::cli::import::fields::{Fields, text, whole_number};

/// `set_rate_limit`: `type` second or minute, `limit_by` client_ip or global.
pub(super) fn rate_limit(mut table: InlineTable, arguments: &Value) -> Carried {
    let mut fields = Fields::of(arguments).ok_or("it needs `type`, `limit_by` and `average_rate_limit`")?;
    let rate_type = word(fields.get("type"), "type", &["second", "minute"])?;
    let limit_by = word(fields.get("limit_by"), "limit_by", &["client_ip", "global"])?;
    let average = number(fields.get("average_rate_limit"), "average_rate_limit", 1)?;
    let average = average.ok_or("it has no `average_rate_limit`")?;
    let burst = number(fields.get("maximum_burst_size"), "maximum_burst_size", 0)?.filter(|burst| *burst > 0);
    fields.finish()?;
    table.insert("rate_type", rate_type.into());
    table.insert("limit_by", limit_by.into());
    table.insert("average_rate_limit", average.into());
    let mut notes = vec!["counted by this process alone, as Azion counts by edge node".to_owned()];
    match (burst, rate_type) {
        (Some(burst), "second") => drop(table.insert("maximum_burst_size", burst.into())),
        (Some(_), _) => notes.push("`maximum_burst_size` counts by the second only, and is gone".into()),
        (None, _) => {}
    }
    Ok((table, notes))
}

/// `set_custom_response`: `status_code` 200 to 499, `content_type`, `content_body`.
pub(super) fn custom_response(mut table: InlineTable, arguments: &Value) -> Carried {
    let mut fields = Fields::of(arguments).ok_or("it needs `status_code`")?;
    let status = number(fields.get("status_code"), "status_code", 200)?.filter(|status| *status <= 499);
    let content_type = fields.get("content_type").map(|value| text(value).ok_or("its `content_type` is no text"));
    let body = fields.get("content_body").map(|value| text(value).ok_or("its `content_body` is no text"));
    fields.finish()?;
    table.insert("status_code", status.ok_or("its `status_code` is not 200 to 499")?.into());
    if let Some(content_type) = content_type.transpose()? {
        let plain = content_type.bytes().all(|byte| (0x20..=0x7e).contains(&byte));
        if !plain {
            return Err("its `content_type` is no value of a header".into());
        }
        table.insert("content_type", content_type.into());
    }
    if let Some(body) = body.transpose()? {
        table.insert("content_body", body.into());
    }
    Ok((table, Vec::new()))
}

fn word(value: Option<&Value>, name: &str, words: &[&'static str]) -> Result<&'static str, String> {
    let found = value.and_then(Value::as_str).and_then(|found| words.iter().find(|word| **word == found));
    found.copied().ok_or_else(|| format!("its `{name}` is none of {}", words.join(", ")))
}

/// None when it is not there.
fn number(value: Option<&Value>, name: &str, least: i64) -> Result<Option<i64>, String> {
    let Some(value) = value else { return Ok(None) };
    let number = whole_number(value).filter(|number| (least..=i64::from(u32::MAX)).contains(number));
    number.map(Some).ok_or_else(|| format!("its `{name}` is no whole number from {least} on"))
}
