//! Purpose: runs the real program for a test, with a configuration folder of its own, and ends it with the test.
//!
//! Include with `#[path = "support/vestibule.rs"] mod vestibule_program;`; it needs `http_client` and `ports` beside it.
#![allow(dead_code, reason = "every test crate that includes this file uses a part of it")]

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::http_client::{Answer, Client};
use crate::ports::free_port;

/// The longest that anything is waited for. Nothing needs it; a slow machine may.
const PATIENCE: Duration = Duration::from_secs(20);

/// Files of a configuration folder, by their path in it. The program's ports are put in place of `{port}` and `{admin}`.
pub(crate) type Files = Vec<(String, String)>;

/// What the program wrote, while it writes on.
type Lines = Arc<Mutex<Vec<String>>>;
type Text = Arc<Mutex<String>>;

/// A running program.
pub(crate) struct Vestibule {
    child: Child,
    folder: TempDir,
    port: u16,
    admin: u16,
    access: Lines,
    diagnostics: Text,
}

impl Vestibule {
    /// Starts the program and waits until it is ready. When another process was faster to take one of its ports, it gets others.
    pub(crate) fn start(files: &Files) -> Self {
        for _ in 0..5 {
            let mut vestibule = Self::spawn(files);
            if vestibule.becomes_ready() {
                return vestibule;
            }
        }
        panic!("no free ports after five tries");
    }

    fn spawn(files: &Files) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (port, admin) = (free_port(), free_port());
        for (path, text) in files {
            let text = text.replace("{port}", &port.to_string()).replace("{admin}", &admin.to_string());
            write(&folder.path().join(path), &text);
        }
        let (child, access, diagnostics) = Self::launch(folder.path());
        Self { child, folder, port, admin, access, diagnostics }
    }

    /// Kills the program, which has no chance to do anything about it, and starts it again on the same folder and ports.
    pub(crate) fn kill_and_restart(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.assert_no_panic();
        (self.child, self.access, self.diagnostics) = Self::launch(self.folder.path());
        assert!(self.becomes_ready(), "{}", self.diagnostics());
    }

    fn launch(folder: &Path) -> (Child, Lines, Text) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_vestibule"))
            .args(["serve", "--config"])
            .arg(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let access = Arc::new(Mutex::new(Vec::new()));
        let diagnostics = Arc::new(Mutex::new(String::new()));
        keep_lines(child.stdout.take().unwrap(), Arc::clone(&access), |lines: &mut Vec<String>, line| lines.push(line));
        keep_lines(child.stderr.take().unwrap(), Arc::clone(&diagnostics), |text: &mut String, line| {
            text.push_str(&line);
            text.push('\n');
        });
        (child, access, diagnostics)
    }

    /// False when a port was taken in the meantime.
    fn becomes_ready(&mut self) -> bool {
        let patience = Instant::now() + PATIENCE;
        loop {
            let said = self.diagnostics();
            // It says so when every listener is open: whoever answers on the ports from now on is this program.
            if said.contains("\"message\":\"ready\"") {
                assert_eq!(self.ask_admin("/readyz").status, 200);
                return true;
            }
            if let Some(status) = self.child.try_wait().unwrap() {
                std::thread::sleep(Duration::from_millis(50));
                let said = self.diagnostics();
                assert!(said.contains("cannot listen"), "the program ended ({status}): {said}");
                return false;
            }
            assert!(Instant::now() < patience, "not ready: {said}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The data listener's port.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The admin listener's port.
    pub(crate) fn admin_port(&self) -> u16 {
        self.admin
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its configuration folder.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A new connection to the data listener.
    pub(crate) fn connect(&self) -> Client {
        Client::tcp(self.port)
    }

    /// One request on a connection of its own.
    pub(crate) fn ask(&self, request: impl AsRef<[u8]>) -> Answer {
        let mut client = self.connect();
        client.send(request);
        client.read_answer()
    }

    /// A new connection to the admin listener, over TLS when it has a certificate; whose it is, SDKs check.
    pub(crate) fn connect_admin(&self) -> Client {
        if !self.folder().join("tls/admin.pem").exists() {
            return Client::tcp(self.admin);
        }
        let mut connector = openssl::ssl::SslConnector::builder(openssl::ssl::SslMethod::tls()).unwrap();
        connector.set_verify(openssl::ssl::SslVerifyMode::NONE);
        let stream = std::net::TcpStream::connect(("127.0.0.1", self.admin)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Client::tls(connector.build().connect("localhost", stream).unwrap())
    }

    /// A GET on the admin listener.
    pub(crate) fn ask_admin(&self, path: &str) -> Answer {
        let mut client = self.connect_admin();
        client.send(format!("GET {path} HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n\r\n"));
        client.read_answer()
    }

    /// A URL of the admin listener.
    pub(crate) fn admin_url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.admin)
    }

    /// The value of a counter.
    pub(crate) fn counter(&self, line: &str) -> u64 {
        let text = self.ask_admin("/metrics").text();
        let found = text.lines().find_map(|found| found.strip_prefix(line)?.strip_prefix(' '));
        found.unwrap_or_else(|| panic!("no {line} in\n{text}")).parse().unwrap()
    }

    /// Waits until a counter has this value.
    pub(crate) fn wait_for_counter(&self, line: &str, value: u64) {
        wait_until(|| self.counter(line) >= value, || format!("{line} stays below {value}: {}", self.diagnostics()));
    }

    /// Every access line until now.
    pub(crate) fn access_lines(&self) -> Vec<Value> {
        let lines = self.access.lock().unwrap();
        lines.iter().map(|line| serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line}"))).collect()
    }

    /// The access lines as they were written.
    pub(crate) fn access_text(&self) -> String {
        self.access.lock().unwrap().join("\n")
    }

    /// The access line of the request that got this answer.
    pub(crate) fn access_line(&self, answer: &Answer) -> Value {
        let id = answer.header("x-request-id").unwrap_or_else(|| panic!("no request id: {answer:?}")).to_owned();
        let of_id = |lines: Vec<Value>| lines.into_iter().find(|line| line["request.id"] == *id);
        wait_until(|| of_id(self.access_lines()).is_some(), || format!("no access line of {id}"));
        of_id(self.access_lines()).unwrap()
    }

    /// The refusal code of the request that got this answer; empty when it was permitted.
    pub(crate) fn code(&self, answer: &Answer) -> String {
        self.access_line(answer)["refusal.code"].as_str().unwrap_or_default().to_owned()
    }

    /// What it wrote to stderr.
    pub(crate) fn diagnostics(&self) -> String {
        self.diagnostics.lock().unwrap().clone()
    }

    /// Waits until stderr holds a text.
    pub(crate) fn wait_for_diagnostics(&self, text: &str) {
        wait_until(|| self.diagnostics().contains(text), || format!("no {text:?} in {}", self.diagnostics()));
    }

    /// Replaces a file of its configuration, as careful deployments do: a reader sees the old file or the new one.
    pub(crate) fn replace_file(&self, path: &str, text: &str) {
        let new = self.folder.path().join(format!("{path}.new"));
        write(&new, &text.replace("{port}", &self.port.to_string()).replace("{admin}", &self.admin.to_string()));
        std::fs::rename(new, self.folder.path().join(path)).unwrap();
    }

    /// Puts a symbolic link in the place of a file.
    pub(crate) fn replace_by_link(&self, path: &str, target: &std::path::Path) {
        let new = self.folder.path().join(format!("{path}.new"));
        std::os::unix::fs::symlink(target, &new).unwrap();
        std::fs::rename(new, self.folder.path().join(path)).unwrap();
    }

    /// Sends a signal: `HUP`, `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for its end.
    pub(crate) fn wait_for_end(&mut self) -> ExitStatus {
        let patience = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < patience, "still running: {}", self.diagnostics());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Nothing went wrong inside: a panic in a worker would be caught and hidden by the server.
    pub(crate) fn assert_no_panic(&self) {
        let said = self.diagnostics();
        assert!(!said.contains("panicked"), "{said}");
    }
}

impl Drop for Vestibule {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if !std::thread::panicking() {
            self.assert_no_panic();
        }
    }
}

/// Waits, with an end, until something is so.
pub(crate) fn wait_until(mut so: impl FnMut() -> bool, otherwise: impl Fn() -> String) {
    let patience = Instant::now() + PATIENCE;
    while !so() {
        assert!(Instant::now() < patience, "{}", otherwise());
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn write(path: &PathBuf, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn keep_lines<T: Send + 'static>(from: impl Read + Send + 'static, into: Arc<Mutex<T>>, keep: fn(&mut T, String)) {
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            keep(&mut into.lock().unwrap(), line);
        }
    });
}
