//! Packages of npm and PyPI at the versions of our lock files, installed once below `target/`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A folder below `target/` in which `install` made what the files of a folder of `tests/` ask for. It is made again when they
/// change.
fn installed(name: &str, lock: &str, install: impl Fn(&Path)) -> PathBuf {
    let (from, into) = (repository().join("tests").join(name), Path::new(env!("CARGO_TARGET_TMPDIR")).join(name));
    let wanted = std::fs::read(from.join(lock)).unwrap();
    let mark = into.join("installed");
    if std::fs::read(&mark).ok().as_ref() != Some(&wanted) {
        let _ = std::fs::remove_dir_all(&into);
        std::fs::create_dir_all(&into).unwrap();
        install(&into);
        std::fs::write(&mark, wanted).unwrap();
    }
    into
}

fn run(command: &mut Command) {
    let ran = command.output().unwrap_or_else(|why| panic!("{command:?}: {why}; scripts/install-missing installs it"));
    let said = || format!("{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{command:?}: {}", said());
}

/// The folder with our scripts for Node.js and the packages that they use.
pub(crate) fn node() -> &'static Path {
    static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
        let folder = installed("js-management", "package-lock.json", |into| {
            for file in ["package.json", "package-lock.json"] {
                std::fs::copy(repository().join("tests/js-management").join(file), into.join(file)).unwrap();
            }
            run(Command::new("npm").args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(into));
        });
        // A script finds its packages from where it lies.
        for file in ["story.mjs", "auth0.mjs"] {
            std::fs::copy(repository().join("tests/js-management").join(file), folder.join(file)).unwrap();
        }
        folder
    });
    &FOLDER
}

/// The folder of the programs of a virtual environment of Python with the packages of ours.
pub(crate) fn python() -> &'static Path {
    static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
        let folder = installed("python-management", "requirements.txt", |into| {
            let requirements = repository().join("tests/python-management/requirements.txt");
            run(Command::new("python3").args(["-m", "venv"]).arg(into));
            run(Command::new(into.join("bin/pip"))
                .args(["install", "--quiet", "--disable-pip-version-check", "--no-deps", "--requirement"])
                .arg(requirements));
        });
        folder.join("bin")
    });
    &FOLDER
}

/// A file of `tests/`.
pub(crate) fn file(path: &str) -> PathBuf {
    repository().join("tests").join(path)
}
