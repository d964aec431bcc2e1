//! Secrets that stand in files of their own, or in the environment.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use zeroize::Zeroizing;

use super::table::Table;

/// The text of a file with a secret: what it is, and how it must be written. That everybody may read it is a warning: it may lie on a file system without modes.
pub(super) fn read(
    table: &Table<'_>,
    key: &str,
    folder: &Path,
    file: &str,
    (what, accepted): (&str, &str),
    warnings: &mut Vec<String>,
) -> Option<Zeroizing<String>> {
    let path = folder.join(file);
    match std::fs::read_to_string(&path) {
        Ok(text) => {
            if std::fs::metadata(&path).is_ok_and(|metadata| metadata.permissions().mode() & 0o004 != 0) {
                warnings.push(format!("`{file}` holds {what}, and everybody on this machine may read it: chmod 600"));
            }
            Some(Zeroizing::new(text))
        }
        Err(why) => {
            table.problem(key, format!("`{file}` cannot be read: {why}"), format!("a file with {accepted}"));
            None
        }
    }
}

/// The text of a variable of the environment.
pub(super) fn from_environment(table: &Table<'_>, key: &str, variable: &str) -> Option<Zeroizing<String>> {
    match std::env::var(variable) {
        Ok(text) => Some(Zeroizing::new(text)),
        Err(_) => {
            table.problem(key, format!("there is no variable `{variable}`, or it is no text"), "the name of a variable");
            None
        }
    }
}
