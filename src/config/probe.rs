//! `[probe]`: the endpoint for `vestibule probe`. Off without a secret.

use std::path::Path;

use super::secret_file;
use super::table::Table;
use crate::clock::UnixTime;
use crate::probe::{DEFAULT_PATH, Probe};
use crate::request_head::RequestTarget;
use crate::secret::SignatureKey;

const SECRET: &str = "at least 32 bytes in base64; `vestibule keygen --signature-key` makes them";
const PATH: &str = "a plain absolute path, like \"/.well-known/vestibule-probe\"";

/// The endpoint, when there is one.
pub(super) fn read(table: &Table<'_>, folder: &Path, now: UnixTime, warnings: &mut Vec<String>) -> Option<Probe> {
    let path = table.parsed("path", parse_path);
    if !table.has("secret_file") {
        if table.has("path") {
            table.problem("path", "has no effect", "`secret_file` beside it, or no `path`");
        }
        return None;
    }
    let file = table.text("secret_file")?;
    let text = secret_file::read(table, "secret_file", folder, &file, ("the secret of the probe", SECRET), warnings)?;
    let key = SignatureKey::parse(&text)
        .map_err(|why| table.problem("secret_file", format!("the secret in `{file}` {why}"), SECRET))
        .ok()?;
    Some(Probe::new(key, path.unwrap_or_else(|| DEFAULT_PATH.to_owned()), now))
}

/// Only a path that is its own normal form: another one would never be asked for.
fn parse_path(text: &str) -> Result<String, String> {
    let target = RequestTarget::parse(text).map_err(|_| PATH.to_owned())?;
    let plain = target.path() == text && !text.contains(['%', ';', '?']) && text.len() > 1;
    if plain { Ok(text.to_owned()) } else { Err(PATH.to_owned()) }
}
