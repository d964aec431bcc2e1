//! A configuration folder that an import makes: files, written only where nothing is yet.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use zeroize::Zeroizing;

use super::remark::Remark;

/// A file of the folder.
#[derive(Debug)]
pub struct NewFile {
    /// Its path in the folder.
    pub path: String,
    /// What it holds.
    pub text: Zeroizing<String>,
    /// Whether only its owner may read it.
    pub is_secret: bool,
}

impl NewFile {
    pub(super) fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self { path: path.into(), text: Zeroizing::new(text.into()), is_secret: false }
    }

    pub(super) fn secret(path: impl Into<String>, text: Zeroizing<String>) -> Self {
        Self { path: path.into(), text, is_secret: true }
    }
}

/// A folder, and what could not come along.
#[derive(Debug)]
pub struct Import {
    /// The files.
    pub files: Vec<NewFile>,
    /// What the user has to know.
    pub remarks: Vec<Remark>,
    /// One line about all of it.
    pub summary: String,
}

impl Import {
    /// Whether nothing was left out.
    pub fn is_whole(&self) -> bool {
        !self.remarks.iter().any(|remark| remark.left_out)
    }
}

/// Makes the folder.
///
/// # Errors
/// When it is there already, or cannot be written.
pub(super) fn write(folder: &Path, files: &[NewFile]) -> io::Result<()> {
    DirBuilder::new().mode(0o750).create(folder)?;
    let made = files.iter().try_for_each(|file| add(folder, file));
    if made.is_err() {
        // Half of a configuration may let in whom the other half would not.
        std::fs::remove_dir_all(folder)?;
    }
    made
}

fn add(folder: &Path, file: &NewFile) -> io::Result<()> {
    let path = folder.join(&file.path);
    if let Some(parent) = path.parent() {
        DirBuilder::new().mode(0o750).recursive(true).create(parent)?;
    }
    let mode = if file.is_secret { 0o600 } else { 0o640 };
    OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?.write_all(file.text.as_bytes())
}
