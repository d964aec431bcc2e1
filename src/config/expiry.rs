//! `expiry_warning` and `expiry_warning_header` of a policy.

use std::time::Duration;

use http::HeaderName;

use super::front_doors::parse_header_name;
use super::table::Table;
use crate::journey::ExpiryWarning;

/// Certificates of clients live for some years at most: a warning for longer is a slip of the pen.
const LONGEST: Duration = Duration::from_secs(3_660 * 86_400);
/// Headers of an answer that mean something else.
const TAKEN: [&str; 8] =
    ["cache-control", "content-encoding", "content-type", "date", "location", "set-cookie", "www-authenticate", "x-request-id"];

/// Reads them; what is left out is as in `inherited`.
pub(super) fn read(table: &Table<'_>, inherited: &ExpiryWarning) -> ExpiryWarning {
    let within = table.duration("expiry_warning", inherited.within);
    if within > LONGEST {
        table.problem("expiry_warning", "found more than ten years", "at most ten years; \"0d\" is no warning");
    }
    let header = match table.text("expiry_warning_header").as_deref() {
        // The way of a route to do without its tenant's.
        Some("") => None,
        Some(_) => header(table),
        None => inherited.header.clone(),
    };
    if within.is_zero() && table.has("expiry_warning_header") && header.is_some() {
        table.problem("expiry_warning_header", "has no effect: `expiry_warning` is nothing", "a time, like \"30d\"");
    }
    ExpiryWarning { within, header }
}

fn header(table: &Table<'_>) -> Option<HeaderName> {
    let name = table.parsed("expiry_warning_header", parse_header_name)?;
    if TAKEN.contains(&name.as_str()) {
        table.problem("expiry_warning_header", format!("`{name}` has another meaning"), "a header name of its own");
    }
    Some(name)
}
