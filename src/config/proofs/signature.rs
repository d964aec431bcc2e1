//! The settings of a front door's signature.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderName;
use sfv::KeyRef;

use super::Surroundings;
use crate::config::front_doors::parse_header_name;
use crate::config::secret_file;
use crate::config::table::Table;
use crate::front_door::{NamedKey, SignatureProof};
use crate::secret::SignatureKey;

/// Its keys in the table of the front door.
pub(super) const KEYS: [&str; 6] =
    ["signature_label", "signature_tag", "signature_components", "signature_max_age", "clock_tolerance", "signature_keys"];

/// A captured request is of use for as long.
const OLDEST: Duration = Duration::from_secs(3_600);
/// Clocks that differ more are broken.
const MOST_TOLERANCE: Duration = Duration::from_secs(30);
/// More keys than any rotation needs.
const MOST_KEYS: usize = 16;
/// The longest `keyid`, in bytes.
const LONGEST_KEYID: usize = 128;

const KEY_TEXT: &str = "32 bytes or more in base64; `vestibule keygen --signature-key` makes them";

pub(super) fn read(table: &Table<'_>, surroundings: &mut Surroundings<'_>) -> Option<SignatureProof> {
    let label = table.parsed("signature_label", label).unwrap_or_else(|| "edge".into());
    let tag = table.parsed("signature_tag", printable);
    let mut components: Vec<HeaderName> = surroundings.status.into_iter().cloned().collect();
    for text in table.texts("signature_components") {
        match parse_header_name(&text) {
            Ok(name) if components.contains(&name) => {}
            Ok(name) => components.push(name),
            Err(why) => table.problem("signature_components", format!("found `{text}`"), why),
        }
    }
    if components.is_empty() {
        let found = "is missing: this format has no header that is always there, so a certificate could be taken away unseen";
        table.problem("signature_components", found, "a header that the front door always sends");
    }
    Some(SignatureProof {
        label,
        tag,
        components,
        max_age: seconds(table, "signature_max_age", 1, 60, OLDEST),
        clock_tolerance: seconds(table, "clock_tolerance", 0, 5, MOST_TOLERANCE),
        keys: keys(table, surroundings)?,
    })
}

/// A duration in whole seconds: signatures know no others.
fn seconds(table: &Table<'_>, key: &str, least: u64, default: u64, most: Duration) -> Duration {
    let found = table.duration(key, Duration::from_secs(default));
    if found.subsec_nanos() != 0 || found.as_secs() < least || found > most {
        table.problem(
            key,
            format!("found {found:?}"),
            format!("accepted: whole seconds from \"{least}s\" to \"{}s\"", most.as_secs()),
        );
    }
    found
}

fn label(text: &str) -> Result<String, String> {
    let label = KeyRef::from_str(text).map(|label| label.as_str().to_owned());
    label.map_err(|_| "accepted: a key of structured fields: lower-case letters, digits, `_`, `-`, `.`, `*`".into())
}

fn printable(text: &str) -> Result<String, String> {
    let fits = (1..=LONGEST_KEYID).contains(&text.len()) && text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if fits { Ok(text.to_owned()) } else { Err(format!("accepted: 1 to {LONGEST_KEYID} printable ASCII characters")) }
}

fn keys(table: &Table<'_>, surroundings: &mut Surroundings<'_>) -> Option<Vec<NamedKey>> {
    let tables = table.tables("signature_keys");
    if tables.is_empty() || tables.len() > MOST_KEYS {
        let accepted = "[[front_doors.signature_keys]] with `keyid` and `secret_file`: one key, or two while it is rotated";
        table.problem("signature_keys", format!("found {} keys", tables.len()), accepted);
        return None;
    }
    let read: Vec<Option<NamedKey>> = tables.into_iter().map(|table| key(table, surroundings)).collect();
    let keys = read.into_iter().collect::<Option<Vec<_>>>()?;
    let mut known = HashSet::new();
    for key in keys.iter().filter(|key| !known.insert(&key.keyid)) {
        table.problem("signature_keys", format!("two have the keyid `{}`", key.keyid), "a keyid of its own for each");
    }
    Some(keys)
}

fn key(table: Table<'_>, surroundings: &mut Surroundings<'_>) -> Option<NamedKey> {
    if !table.has("keyid") {
        table.problem("keyid", "is missing", "the name that signatures call the key by");
    }
    let keyid = table.parsed("keyid", printable);
    let (from, text) = match (table.text("secret_file"), table.text("secret_env")) {
        (Some(file), None) => {
            let what = ("a key for signatures", KEY_TEXT);
            let read = secret_file::read(&table, "secret_file", surroundings.folder, &file, what, surroundings.warnings);
            ("secret_file", read)
        }
        (None, Some(variable)) => ("secret_env", secret_file::from_environment(&table, "secret_env", &variable)),
        (None, None) => {
            table.problem("secret_file", "is missing", format!("a file, or `secret_env`, with {KEY_TEXT}"));
            ("secret_file", None)
        }
        (Some(_), Some(_)) => {
            table.problem("secret_env", "is there beside `secret_file`", "one of the two");
            ("secret_env", None)
        }
    };
    let parsed = text.map(|text| SignatureKey::parse(&text));
    let key = parsed.and_then(|key| key.map_err(|why| table.problem(from, format!("the key {why}"), KEY_TEXT)).ok());
    table.finish();
    Some(NamedKey { keyid: Arc::from(keyid?), key: key? })
}
