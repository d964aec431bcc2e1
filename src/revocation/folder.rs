//! `cache_folder`: what was fetched, kept over a restart.
//!
//! Files hold what came over the wire and nothing else: they are believed no more than the network. Names are hashes, so that no
//! URL can name a file. A file is there whole or not at all.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use reqwest::Url;
use sha2::{Digest, Sha256};

use crate::x509::ocsp::CertId;

/// The most files, and octets of them all. The oldest go first.
const MOST_FILES: usize = 20_000;
const MOST_OCTETS: u64 = 1 << 30;
/// How many files are written between two looks at their number.
const LOOK_EVERY: u64 = 64;

/// The folder.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// `explain` reads what the server knows and leaves no trace.
    writes: bool,
    written: AtomicU64,
}

impl Folder {
    /// Makes the folder if it is not there. What an interrupted write left behind goes.
    ///
    /// # Errors
    /// When it cannot be made or read.
    pub(super) fn open(path: &Path, writes: bool) -> io::Result<Self> {
        let folder = Self { path: path.to_owned(), writes, written: AtomicU64::new(0) };
        if writes {
            DirBuilder::new().recursive(true).mode(0o700).create(path)?;
            for entry in fs::read_dir(path)?.flatten() {
                if entry.path().extension().is_some_and(|ending| ending == "new") {
                    let _ = fs::remove_file(entry.path());
                }
            }
        }
        Ok(folder)
    }

    pub(super) fn name_of_list(url: &Url) -> String {
        format!("{}.crl", hex::encode(Sha256::digest(url.as_str().as_bytes())))
    }

    pub(super) fn name_of_answer(id: &CertId) -> String {
        format!("{}.ocsp", hex::encode(id.as_bytes()))
    }

    /// The octets of a file and when it was written; none when there is none, or it is larger than `limit`.
    pub(super) fn read(&self, name: &str, limit: usize) -> Option<(Vec<u8>, Option<SystemTime>)> {
        let file = File::open(self.path.join(name)).ok()?;
        let written = file.metadata().and_then(|metadata| metadata.modified()).ok();
        let mut octets = Vec::new();
        file.take(limit as u64 + 1).read_to_end(&mut octets).ok()?;
        (octets.len() <= limit).then_some((octets, written))
    }

    /// Writes a file whole, in the place of the one before it.
    ///
    /// # Errors
    /// What the file system says.
    pub(super) fn write(&self, name: &str, octets: &[u8]) -> io::Result<()> {
        if !self.writes {
            return Ok(());
        }
        let number = self.written.fetch_add(1, Ordering::Relaxed);
        let new = self.path.join(format!("{name}.{}-{number}.new", std::process::id()));
        let written = write_new(&new, octets).and_then(|()| fs::rename(&new, self.path.join(name)));
        if written.is_err() {
            let _ = fs::remove_file(&new);
        }
        if number.is_multiple_of(LOOK_EVERY) {
            self.keep_within(MOST_FILES, MOST_OCTETS)?;
        }
        written
    }

    fn keep_within(&self, files: usize, octets: u64) -> io::Result<()> {
        let mut kept = Vec::new();
        for entry in fs::read_dir(&self.path)?.flatten() {
            let path = entry.path();
            let ours = path.extension().is_some_and(|ending| ending == "crl" || ending == "ocsp");
            if let Ok(metadata) = entry.metadata()
                && ours
            {
                kept.push((metadata.modified().ok(), metadata.len(), path));
            }
        }
        kept.sort();
        let mut sum: u64 = kept.iter().map(|(_, length, _)| *length).sum();
        let mut count = kept.len();
        for (_, length, path) in kept {
            if count <= files && sum <= octets {
                break;
            }
            fs::remove_file(path)?;
            count -= 1;
            sum = sum.saturating_sub(length);
        }
        Ok(())
    }
}

fn write_new(path: &Path, octets: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(octets)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_replaced_whole_and_read_within_their_limit() {
        let place = tempfile::tempdir().unwrap();
        std::fs::write(place.path().join("left.crl.1-1.new"), "half").unwrap();
        let folder = Folder::open(&place.path().join("."), true).unwrap();
        assert!(!place.path().join("left.crl.1-1.new").exists());
        folder.write("a.crl", b"one").unwrap();
        folder.write("a.crl", b"two").unwrap();
        assert_eq!(folder.read("a.crl", 3).unwrap().0, b"two");
        assert!(folder.read("a.crl", 2).is_none() && folder.read("b.crl", 3).is_none());
        assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 1);
    }

    #[test]
    fn the_oldest_go_first_and_strangers_files_stay() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(place.path(), true).unwrap();
        std::fs::write(place.path().join("readme"), "mine").unwrap();
        for (age, name) in ["d.crl", "c.ocsp", "b.crl", "a.crl"].into_iter().enumerate() {
            folder.write(name, &[0; 10]).unwrap();
            let file = File::options().write(true).open(place.path().join(name)).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(age as u64)).unwrap();
        }
        let left = || {
            let mut names: Vec<_> = fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            names.sort();
            names
        };
        folder.keep_within(3, 100).unwrap();
        assert_eq!(left(), ["a.crl", "b.crl", "c.ocsp", "readme"]);
        folder.keep_within(3, 19).unwrap();
        assert_eq!(left(), ["a.crl", "readme"]);
    }

    #[test]
    fn reading_leaves_no_trace() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(&place.path().join("none"), false).unwrap();
        folder.write("a.crl", b"one").unwrap();
        assert!(folder.read("a.crl", 3).is_none() && !place.path().join("none").exists());
    }
}
