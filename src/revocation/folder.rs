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

/// The most files of a kind, and octets of them all. The oldest go first; answers, of which there is one for each client, never
/// drive out lists.
const LIMITS: [(&str, usize, u64); 2] = [("crl", 1_000, 1 << 30), ("ocsp", 20_000, 256 << 20)];
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
                if entry
                    .file_name()
                    .to_str()
                    .and_then(|name| name.strip_suffix(".new"))
                    .is_some_and(|name| kind(name).is_some())
                {
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
            for (of, files, octets) in LIMITS {
                self.keep_within(of, files, octets)?;
            }
        }
        written
    }

    /// Whether files can be written. What is made for the try goes again, the folder too.
    ///
    /// # Errors
    /// What the file system says.
    pub(super) fn probe(path: &Path) -> io::Result<()> {
        let missing: Vec<&Path> = path.ancestors().take_while(|folder| !folder.exists()).collect();
        DirBuilder::new().recursive(true).mode(0o700).create(path)?;
        let probe = path.join(format!("{}.crl.{}-0.new", "0".repeat(HASH_DIGITS), std::process::id()));
        let written = write_new(&probe, b"").and_then(|()| fs::remove_file(&probe));
        for made in missing {
            let _ = fs::remove_dir(made);
        }
        written
    }

    fn keep_within(&self, of: &str, files: usize, octets: u64) -> io::Result<()> {
        let mut kept = Vec::new();
        for entry in fs::read_dir(&self.path)?.flatten() {
            let name = entry.file_name();
            let whole = name.to_str().is_some_and(|name| !name.ends_with(".new") && kind(name) == Some(of));
            if let Ok(metadata) = entry.metadata()
                && whole
            {
                kept.push((metadata.modified().ok(), metadata.len(), entry.path()));
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

/// Digits of a SHA-256.
const HASH_DIGITS: usize = 64;

/// The kind of a file of ours, by its name: a hash, and `crl` or `ocsp`. Whatever else lies in the folder is somebody else's.
fn kind(name: &str) -> Option<&str> {
    let (hash, rest) = name.split_once('.')?;
    let ours = hash.len() == HASH_DIGITS && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    let kind = rest.split('.').next().filter(|kind| LIMITS.iter().any(|(known, ..)| known == kind));
    kind.filter(|_| ours)
}

fn write_new(path: &Path, octets: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(octets)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(digit: char, kind: &str) -> String {
        format!("{}.{kind}", digit.to_string().repeat(HASH_DIGITS))
    }

    #[test]
    fn files_are_replaced_whole_and_read_within_their_limit() {
        let place = tempfile::tempdir().unwrap();
        let (a, b) = (name('a', "crl"), name('b', "crl"));
        let left = place.path().join(format!("{a}.1-1.new"));
        std::fs::write(&left, "half").unwrap();
        std::fs::write(place.path().join("operators.new"), "mine").unwrap();
        let folder = Folder::open(&place.path().join("."), true).unwrap();
        assert!(!left.exists() && place.path().join("operators.new").exists());
        folder.write(&a, b"one").unwrap();
        folder.write(&a, b"two").unwrap();
        assert_eq!(folder.read(&a, 3).unwrap().0, b"two");
        assert!(folder.read(&a, 2).is_none() && folder.read(&b, 3).is_none());
        assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 2);
    }

    #[test]
    fn the_oldest_of_a_kind_go_first_and_strangers_files_stay() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(place.path(), true).unwrap();
        let (mine, ocsp) = ("clients.crl".to_owned(), name('c', "ocsp"));
        let lists = ['d', 'b', 'a'].map(|digit| name(digit, "crl"));
        for (age, name) in [&mine, &ocsp].into_iter().chain(&lists).enumerate() {
            folder.write(name, &[0; 10]).unwrap();
            let file = File::options().write(true).open(place.path().join(name)).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(age as u64)).unwrap();
        }
        let left = || {
            let mut names: Vec<_> =
                fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
            names.sort();
            names
        };
        let [_, b, a] = &lists;
        folder.keep_within("crl", 2, 100).unwrap();
        assert_eq!(left(), [a, b, &ocsp, &mine].map(Clone::clone));
        folder.keep_within("crl", 3, 19).unwrap();
        assert_eq!(left(), [a, &ocsp, &mine].map(Clone::clone));
        folder.keep_within("ocsp", 0, 100).unwrap();
        assert_eq!(left(), [a, &mine].map(Clone::clone));
    }

    #[test]
    fn a_probe_leaves_no_trace() {
        let place = tempfile::tempdir().unwrap();
        Folder::probe(&place.path().join("one/two")).unwrap();
        Folder::probe(place.path()).unwrap();
        assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0);
        std::fs::write(place.path().join("file"), "").unwrap();
        assert!(Folder::probe(&place.path().join("file")).is_err() && Folder::probe(&place.path().join("file/x")).is_err());
    }

    #[test]
    fn reading_leaves_no_trace() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(&place.path().join("none"), false).unwrap();
        folder.write("a.crl", b"one").unwrap();
        assert!(folder.read("a.crl", 3).is_none() && !place.path().join("none").exists());
    }
}
