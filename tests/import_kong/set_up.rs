//! Files of the other products with real certificates in them, and what the command makes of them.

use std::path::{Path, PathBuf};

use openssl::x509::X509;
use tempfile::TempDir;

use crate::bank::{KEY, authorities, pem};
use crate::edge_config::{Ran, run, vestibule};
use crate::vestibule_program::Files;
use vestibule::secret::Pepper;

/// A file of `tests/data`, with certificates and the upstream's port in their places.
pub(crate) fn data(name: &str, upstream: u16) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    let text = std::fs::read_to_string(&file).unwrap();
    let text = text.replace("{UPSTREAM}", &upstream.to_string());
    let quoted = |certificate: &X509| serde_json::to_string(&pem(certificate)).unwrap();
    text.replace("{ROOT}", &quoted(&authorities().root.certificate))
        .replace("{ISSUING}", &quoted(&authorities().issuing.certificate))
        .replace("{STRANGER}", &quoted(&authorities().stranger.certificate))
}

/// What an import made.
pub(crate) struct Imported {
    pub(crate) ran: Ran,
    dir: TempDir,
}

impl Imported {
    /// Runs `vestibule import PRODUCT … --out out` on these files.
    pub(crate) fn of(product: &str, files: &[(&str, &[u8])], arguments: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            std::fs::write(dir.path().join(name), bytes).unwrap();
        }
        let names = files.iter().map(|(name, _)| name);
        let mut command = vestibule();
        command.current_dir(dir.path()).args(["import", product, "--out", "out"]).args(arguments).args(names);
        let ran = run(&mut command, b"");
        Self { ran, dir }
    }

    pub(crate) fn kong(text: &str, arguments: &[&str]) -> Self {
        Self::of("kong", &[("kong.yml", text.as_bytes())], arguments)
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.dir.path().join("out")
    }

    pub(crate) fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.folder().join(file)).unwrap_or_else(|why| panic!("{file}: {why}: {}", self.ran.stderr))
    }

    pub(crate) fn edit(&self, file: &str, from: &str, to: &str) {
        let text = self.read(file);
        assert!(text.contains(from), "`{from}` in {text}");
        std::fs::write(self.folder().join(file), text.replace(from, to)).unwrap();
    }

    pub(crate) fn check(&self) -> Ran {
        run(vestibule().args(["check", "--config"]).arg(self.folder()), b"")
    }

    /// Fills the blank of the front door's key, and asserts that it was the only thing amiss.
    #[track_caller]
    pub(crate) fn fill_key(&self, tenant: &str) {
        let before = self.check();
        assert_eq!(before.code, 64, "{}", before.stdout);
        for line in before.stderr.lines().filter(|line| line.contains("tenants/")) {
            assert!(line.contains("cname_api_keys"), "{}", before.stderr);
        }
        let pepper = Pepper::parse(&self.read("secrets/pepper")).unwrap();
        let tag = format!("cname_api_keys = [\"{}\"]", pepper.tag(KEY.as_bytes()));
        self.edit(&format!("tenants/{tenant}.toml"), "cname_api_keys = []", &tag);
        let checked = self.check();
        assert_eq!(checked.code, 0, "{}", checked.stderr);
    }

    /// The files, with a port for the program.
    pub(crate) fn files(&self) -> Files {
        let mut files = Files::new();
        let mut folders = vec![self.folder()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let name = path.strip_prefix(self.folder()).unwrap().to_str().unwrap().to_owned();
                    files.push((name, std::fs::read_to_string(&path).unwrap()));
                }
            }
        }
        let process = files.iter_mut().find(|(name, _)| name == "vestibule.toml").unwrap();
        process.1 = process.1.replace("0.0.0.0:8000", "127.0.0.1:{port}").replace("0.0.0.0:8443", "127.0.0.1:{port}");
        process.1.push_str("[admin]\nlisten = \"127.0.0.1:{admin}\"\n");
        files
    }

    /// What the report says was left out.
    pub(crate) fn left_out(&self) -> String {
        let lines = self.ran.stderr.lines().filter(|line| line.contains(": left out: "));
        lines.map(|line| format!("{line}\n")).collect()
    }

    #[track_caller]
    pub(crate) fn says(&self, text: &str) {
        assert!(self.ran.stderr.contains(text), "no {text:?} in\n{}", self.ran.stderr);
    }
}
