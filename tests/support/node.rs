//! Purpose: runs the programs of `tests/js` for a test, and ends them with the test. Their packages are installed beside the tests'
//! other temporary files, once for each `package-lock.json`.
#![allow(dead_code, reason = "every test crate that includes this file uses a part of it")]

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, LazyLock, Mutex};
use std::thread::JoinHandle;

use serde_json::Value;

/// The oldest Node.js that oidc-provider runs on (`crypto.hash`).
const OLDEST: (u32, u32) = (20, 12);
const INSTALL: &str = "install them with: scripts/install-missing nodejs npm";

/// A program that serves until it is dropped: its standard input ends then, and it with it.
pub(crate) struct Server {
    child: Child,
    port: u16,
    said: Arc<Mutex<String>>,
}

impl Server {
    /// Starts it and waits until it says its port.
    pub(crate) fn start(program: &str, settings: &Value, folder: &Path) -> Self {
        let mut child = command(program, settings, folder).spawn().unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        let _ = keep(child.stderr.take().unwrap(), &said);
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let _ = keep(stdout, &said);
        let mut server = Self { child, port: 0, said };
        let line: Value = serde_json::from_str(&line).unwrap_or_else(|why| panic!("{program} did not start: {why}: {line}"));
        server.port = u16::try_from(line["port"].as_u64().unwrap()).unwrap();
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("{}", self.said.lock().unwrap());
        }
    }
}

/// Runs a program to its end, and returns its JSON lines.
pub(crate) fn lines(program: &str, settings: &Value, folder: &Path) -> Vec<Value> {
    let mut child = Ending(command(program, settings, folder).spawn().unwrap());
    let errors = Arc::new(Mutex::new(String::new()));
    let reading = keep(child.0.stderr.take().unwrap(), &errors);
    let mut text = String::new();
    BufReader::new(child.0.stdout.take().unwrap()).read_to_string(&mut text).unwrap();
    let status = child.0.wait().unwrap();
    reading.join().unwrap();
    assert!(status.success(), "{text}\n{program} failed: {}", errors.lock().unwrap());
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line}"))).collect()
}

/// Keeps what a program says, and lets it say more.
fn keep(from: impl Read + Send + 'static, into: &Arc<Mutex<String>>) -> JoinHandle<()> {
    let into = Arc::clone(into);
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            let mut text = into.lock().unwrap();
            text.push_str(&line);
            text.push('\n');
        }
    })
}

struct Ending(Child);

impl Drop for Ending {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn command(program: &str, settings: &Value, folder: &Path) -> Command {
    let file = folder.join(program).with_extension("json");
    std::fs::write(&file, settings.to_string()).unwrap();
    let mut command = Command::new("node");
    command.arg(installed().join(program)).arg(file).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The folder with programs and packages.
fn installed() -> &'static Path {
    static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
        check_version();
        let (from, to) =
            (Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/js"), Path::new(env!("CARGO_TARGET_TMPDIR")).join("js"));
        std::fs::create_dir_all(&to).unwrap();
        for file in std::fs::read_dir(from).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
        }
        let lock = std::fs::read_to_string(to.join("package-lock.json")).unwrap();
        let marker = to.join("installed");
        if std::fs::read_to_string(&marker).ok().as_ref() != Some(&lock) {
            let arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
            let ran = output(Command::new("npm").args(arguments).current_dir(&to));
            assert!(ran.status.success(), "npm ci failed: {ran:?}");
            std::fs::write(marker, lock).unwrap();
        }
        to
    });
    &FOLDER
}

fn check_version() {
    let said = output(Command::new("node").arg("--version"));
    let said = String::from_utf8(said.stdout).unwrap();
    let mut numbers = said.trim().trim_start_matches('v').split('.').map_while(|number| number.parse().ok());
    let version: (u32, u32) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    let (major, minor) = OLDEST;
    assert!(version >= OLDEST, "node is {} and must be {major}.{minor} or newer; {INSTALL}", said.trim());
}

fn output(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|why| panic!("{}: {why}; {INSTALL}", command.get_program().display()))
}
