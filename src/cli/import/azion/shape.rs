//! Finds rules and domains in an answer, a list, or alone.

use serde_json::Value;

use super::Source;
use crate::cli::import::fields::Fields;
use crate::cli::import::remark::Remark;

/// Something to convert.
pub(super) enum Found<'j> {
    Rule(&'j Value),
    /// A domain (v3) or workload (v4) with mTLS settings.
    Domain(&'j Value),
}

/// An answer holds a list of rules; nothing known is deeper.
const DEEPEST: usize = 4;

pub(super) fn find<'j>(source: &'j Source, remarks: &mut Vec<Remark>) -> Vec<Found<'j>> {
    let mut found = Vec::new();
    search(&source.json, &source.name, DEEPEST, &mut found, remarks);
    if found.is_empty() && remarks.is_empty() {
        remarks.push(Remark::note("there is no rule in it".into(), &source.name));
    }
    found
}

fn search<'j>(value: &'j Value, name: &str, depth: usize, found: &mut Vec<Found<'j>>, remarks: &mut Vec<Remark>) {
    match value {
        _ if depth == 0 => remarks.push(Remark::left_out("nested deeper than any answer of the API".into(), name)),
        Value::Array(values) => values.iter().for_each(|value| search(value, name, depth - 1, found, remarks)),
        Value::Object(map) => {
            let has = |keys: &[&str]| keys.iter().any(|key| map.contains_key(*key));
            if has(&["behaviors", "criteria"]) {
                found.push(Found::Rule(value));
            } else if has(&["mtls", "is_mtls_enabled", "mtls_verification"]) {
                found.push(Found::Domain(value));
            } else if let Some(mut fields) = Fields::of(value).filter(|_| has(&["results", "data"])) {
                answer(&mut fields, name, remarks);
                for key in ["results", "data"] {
                    if let Some(inner) = fields.get(key) {
                        search(inner, name, depth - 1, found, remarks);
                    }
                }
                if let Err(why) = fields.finish() {
                    remarks.push(Remark::left_out(format!("the answer has {why}"), name));
                }
            } else {
                let what = "an object that is neither a rule nor a domain with mTLS settings";
                remarks.push(Remark::left_out(what.into(), name));
            }
        }
        _ => remarks.push(Remark::left_out("neither a rule nor a list of rules".into(), name)),
    }
}

/// What stands around the rules: is this all of them, and are they in force?
fn answer(fields: &mut Fields<'_>, name: &str, remarks: &mut Vec<Remark>) {
    fields.skip(&["schema_version", "page", "page_size", "previous"]);
    let listed = fields.get("results").and_then(Value::as_array).map(Vec::len);
    let count = fields.get("count").and_then(Value::as_u64);
    let pages = fields.get("total_pages").and_then(Value::as_u64);
    let next = fields.get("next").is_some();
    let links_next = fields.get("links").and_then(|links| links.get("next")).is_some_and(|next| !next.is_null());
    let short = count.zip(listed).is_some_and(|(count, listed)| count > listed as u64);
    if pages.is_some_and(|pages| pages > 1) || next || links_next || short {
        let mend = "this is one page of several; fetch the others (or a larger page_size) and import all files together";
        remarks.push(Remark::left_out(mend.into(), name));
    }
    match fields.get("state").map(Value::as_str) {
        None | Some(Some("executed")) => {}
        Some(Some("pending")) => remarks.push(Remark::note("the answer is `pending`: not yet in force at Azion".into(), name)),
        Some(_) => remarks.push(Remark::left_out("the answer has a `state` that is not known".into(), name)),
    }
}
