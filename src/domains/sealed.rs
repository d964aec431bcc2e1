//! Files that nobody has changed: lines of JSON, and a last line with a tag of all of them under the pepper. They are written
//! beside their place and moved there whole, and only their owner may read them.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::secret::{Pepper, Tag};

/// What stands before the digest, so that no tag of a file is the tag of a key.
const PURPOSE: &[u8] = b"vestibule sealed file\n";
/// What stands before the tag in the last line.
const SEAL: &str = "seal: ";

/// A file that is being written.
pub(super) struct Writer {
    out: BufWriter<File>,
    digest: Sha256,
    file: PathBuf,
    beside: PathBuf,
}

impl Writer {
    pub(super) fn create(file: &Path) -> io::Result<Self> {
        let mut name = file.as_os_str().to_owned();
        name.push(".new");
        let beside = PathBuf::from(name);
        // What a process left there that was killed.
        match std::fs::remove_file(&beside) {
            Err(why) if why.kind() != io::ErrorKind::NotFound => return Err(why),
            _ => {}
        }
        let out = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
        Ok(Self { out: BufWriter::new(out), digest: Sha256::new(), file: file.to_owned(), beside })
    }

    pub(super) fn line(&mut self, value: &impl Serialize) -> io::Result<()> {
        let mut line = serde_json::to_vec(value)?;
        line.push(b'\n');
        self.digest.update(&line);
        self.out.write_all(&line)
    }

    /// Puts the file in its place, on the disk.
    pub(super) fn finish(mut self, pepper: &Pepper) -> io::Result<()> {
        writeln!(self.out, "{SEAL}{}", seal(pepper, self.digest))?;
        let out = self.out.into_inner().map_err(io::IntoInnerError::into_error)?;
        out.sync_all()?;
        std::fs::rename(&self.beside, &self.file)?;
        let folder = self.file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()
    }
}

/// The lines of a file whose seal is good.
pub(super) struct Lines(BufReader<File>);

impl Lines {
    pub(super) fn open(file: &Path, pepper: &Pepper) -> io::Result<Self> {
        let mut lines = BufReader::new(File::open(file)?);
        let (mut digest, mut line) = (Sha256::new(), Vec::new());
        let broken = |what: &str| Err(io::Error::new(io::ErrorKind::InvalidData, what.to_owned()));
        loop {
            line.clear();
            if lines.read_until(b'\n', &mut line)? == 0 {
                return broken("it has no seal: it is not whole");
            }
            let Some(tag) = line.strip_prefix(SEAL.as_bytes()) else {
                digest.update(&line);
                continue;
            };
            let tag = std::str::from_utf8(tag).ok().and_then(|tag| Tag::parse(tag.trim_end_matches('\n')).ok());
            if tag != Some(seal(pepper, digest)) {
                return broken("its seal is broken: it was changed, or made under another pepper");
            }
            // The same open file again, and not one that has its name by now.
            let mut file = lines.into_inner();
            io::Seek::rewind(&mut file)?;
            return Ok(Self(BufReader::new(file)));
        }
    }

    /// The next line; none at the seal.
    pub(super) fn next<T: DeserializeOwned>(&mut self) -> io::Result<Option<T>> {
        let mut line = Vec::new();
        self.0.read_until(b'\n', &mut line)?;
        if line.starts_with(SEAL.as_bytes()) {
            return Ok(None);
        }
        Ok(Some(serde_json::from_slice(&line)?))
    }
}

fn seal(pepper: &Pepper, digest: Sha256) -> Tag {
    let mut message = PURPOSE.to_vec();
    message.extend_from_slice(&digest.finalize());
    pepper.tag(&message)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn written(folder: &Path, pepper: &Pepper) -> PathBuf {
        let file = folder.join("f");
        let mut writer = Writer::create(&file).unwrap();
        writer.line(&"a\nb").unwrap();
        writer.line(&17).unwrap();
        writer.finish(pepper).unwrap();
        file
    }

    #[test]
    fn what_was_written_is_read_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let pepper = Pepper::parse(&"0c".repeat(32)).unwrap();
        // What was left by a killed process, readable by all.
        std::fs::write(folder.path().join("f.new"), "x").unwrap();
        let file = written(folder.path(), &pepper);
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!folder.path().join("f.new").exists());
        let mut lines = Lines::open(&file, &pepper).unwrap();
        assert_eq!(lines.next::<String>().unwrap().as_deref(), Some("a\nb"));
        assert_eq!((lines.next::<i64>().unwrap(), lines.next::<i64>().unwrap()), (Some(17), None));

        let whole = std::fs::read(&file).unwrap();
        let other = Pepper::parse(&"0d".repeat(32)).unwrap();
        assert!(Lines::open(&file, &other).is_err());
        for at in 0..whole.len() - 1 {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            std::fs::write(&file, &changed).unwrap();
            assert!(Lines::open(&file, &pepper).is_err(), "octet {at}");
            std::fs::write(&file, &whole[..at]).unwrap();
            assert!(Lines::open(&file, &pepper).is_err(), "{at} octets");
        }
    }
}
