//! Purpose: runs a real PostgreSQL for tests, on a free port, and ends it with the last of them.
//!
//! Include with `#[path = "support/postgres.rs"] mod postgres;`; it needs `ports` beside it.
#![allow(dead_code, reason = "every test crate that includes this file uses a part of it")]

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::ports::free_port;

/// A server of its own, in a folder of its own.
pub(crate) struct Postgres {
    folder: TempDir,
    port: u16,
    running: Mutex<Option<Running>>,
}

struct Running {
    process: u32,
    stop: Sender<&'static str>,
    keeper: JoinHandle<()>,
}

/// A database of a server.
pub(crate) struct Database {
    pub(crate) server: Arc<Postgres>,
    name: String,
}

impl Postgres {
    /// A new server.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        if is_root() {
            run(Command::new("chown").arg("nobody").arg(folder.path()));
        }
        run(as_somebody(&program("initdb"))
            .args(["--auth=trust", "--username=vestibule", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8", "-D"])
            .arg(&data)
            .current_dir(folder.path()));
        let server = Self { folder, port: free_port(), running: Mutex::new(None) };
        server.start_again();
        server
    }

    /// The server that tests of one program share, while there are some.
    pub(crate) fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<Postgres>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let server = Arc::new(Self::start());
            *shared = Arc::downgrade(&server);
            server
        })
    }

    /// A new database of it.
    pub(crate) fn database(self: &Arc<Self>) -> Database {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("d{}", NEXT.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("CREATE DATABASE {name}")).unwrap();
        Database { server: Arc::clone(self), name }
    }

    /// Starts it after a stop, on the same port.
    pub(crate) fn start_again(&self) {
        let mut command = as_somebody(&program("postgres"));
        command.arg("-D").arg(self.folder.path().join("data")).args(["-p", &self.port.to_string()]);
        // Nothing here outlives the machine.
        for option in ["listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off", "max_connections=300"] {
            command.args(["-c", option]);
        }
        command.current_dir(self.folder.path()).stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(std::fs::File::create(self.folder.path().join("log")).unwrap());
        let ((stop, stopped), (begun, process)) = (channel(), channel());
        // The server dies with the thread that started it, also when this program is killed.
        let keeper = std::thread::spawn(move || {
            let child = command.spawn().unwrap();
            begun.send(child.id()).unwrap();
            keep(child, &stopped);
        });
        *self.running.lock().unwrap() = Some(Running { process: process.recv().unwrap(), stop, keeper });
        let patience = Instant::now() + Duration::from_secs(60);
        while self.sql("postgres", "SELECT 1").is_err() {
            let log = || std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            assert!(Instant::now() < patience, "PostgreSQL does not start: {}", log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Ends it at once, as a crash would: it finds its way back by its log. When this returns nobody listens.
    pub(crate) fn stop(&self) {
        self.end("QUIT");
        assert!(TcpStream::connect(("127.0.0.1", self.port)).is_err());
    }

    fn end(&self, signal: &'static str) {
        if let Some(running) = self.running.lock().unwrap().take() {
            let _ = running.stop.send(signal);
            let _ = running.keeper.join();
        }
    }

    /// Stops time for it: connections stay, and nobody answers.
    pub(crate) fn freeze(&self) {
        self.signal_all("STOP");
    }

    /// Lets it go on.
    pub(crate) fn thaw(&self) {
        self.signal_all("CONT");
    }

    fn signal_all(&self, signal: &str) {
        let server = self.running.lock().unwrap().as_ref().unwrap().process.to_string();
        let signal = format!("-{signal}");
        // The server first: it makes no further processes then.
        run(Command::new("kill").args([&signal, &server]));
        let children = Command::new("pgrep").args(["-P", &server]).output().unwrap().stdout;
        // Some may have ended meanwhile: a server that goes on makes processes for those who gave up waiting.
        let _ = Command::new("kill").arg(&signal).args(String::from_utf8_lossy(&children).split_whitespace()).output();
    }

    fn sql(&self, database: &str, sql: &str) -> Result<String, String> {
        let ran = Command::new(program("psql"))
            .args(["-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", "-U", "vestibule", "-h", "127.0.0.1"])
            .args(["-p", &self.port.to_string(), "-d", database, "-c", sql])
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if ran.status.success() { Ok(text(&ran.stdout)) } else { Err(text(&ran.stderr)) }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.end("QUIT");
    }
}

impl Database {
    /// How it is named in a configuration.
    pub(crate) fn url(&self) -> String {
        format!("postgres://vestibule@127.0.0.1:{}/{}", self.server.port, self.name)
    }

    /// Runs statements.
    pub(crate) fn sql(&self, sql: &str) -> Result<String, String> {
        self.server.sql(&self.name, sql)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let _ = self.server.sql("postgres", &format!("DROP DATABASE {} WITH (FORCE)", self.name));
    }
}

fn keep(mut child: Child, stopped: &Receiver<&'static str>) {
    let signal = stopped.recv().unwrap_or("QUIT");
    let _ = Command::new("kill").arg(format!("-{signal}")).arg(child.id().to_string()).status();
    // One that is frozen takes no signal but this one.
    let _ = Command::new("kill").args(["-CONT", &child.id().to_string()]).status();
    let _ = child.wait();
}

fn is_root() -> bool {
    let text = Command::new("id").arg("-u").output().unwrap().stdout;
    String::from_utf8_lossy(&text).trim() == "0"
}

/// PostgreSQL does not run as root.
fn as_somebody(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    if is_root() {
        command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"]);
    }
    command.args(["--pdeathsig", "QUIT"]).arg(program);
    command
}

fn run(command: &mut Command) {
    let ran = command.output().unwrap();
    assert!(ran.status.success(), "{command:?}: {ran:?}");
}

/// A program of PostgreSQL, which Debian keeps apart from the others.
fn program(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = versions.map(|version| version.path().join("bin").join(name)).collect();
    let path = std::env::var_os("PATH").unwrap_or_default();
    found.extend(std::env::split_paths(&path).map(|folder| folder.join(name)));
    let missing = || panic!("{name} is missing; install it with: apt-get install postgresql");
    found.into_iter().find(|program| program.is_file()).unwrap_or_else(missing)
}
