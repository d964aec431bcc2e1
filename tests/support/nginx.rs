//! Purpose: runs a real nginx for a test, and ends it with the test.
//!
//! Include with `#[path = "support/nginx.rs"] mod nginx;`.
#![allow(dead_code, reason = "every test crate that includes this file uses a part of it")]

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// A running nginx: one process, killed when dropped, also by a panic.
pub(crate) struct Nginx {
    child: Child,
    folder: PathBuf,
}

impl Nginx {
    /// Starts nginx with these `http { … }` contents and waits until every `listen 127.0.0.1:PORT;` of them accepts
    /// connections. Its files are kept in the folder, which relative paths of the text refer to.
    pub(crate) fn start(http: &str, folder: &Path) -> Self {
        Self::run(&whole(http), http, folder)
    }

    /// The same with a dynamic module.
    pub(crate) fn start_with_module(module: &Path, http: &str, folder: &Path) -> Self {
        Self::run(&format!("load_module {};\n{}", module.display(), whole(http)), http, folder)
    }

    fn run(configuration: &str, http: &str, folder: &Path) -> Self {
        std::fs::write(folder.join("nginx.conf"), configuration).unwrap();
        let child = Command::new(program())
            .args(["-p", folder.to_str().unwrap(), "-c", "nginx.conf", "-e", "error.log"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut nginx = Self { child, folder: folder.to_owned() };
        for address in listens(http) {
            nginx.wait_for(address);
        }
        nginx
    }

    /// What nginx wrote to its error log.
    pub(crate) fn error_log(&self) -> String {
        std::fs::read_to_string(self.folder.join("error.log")).unwrap_or_default()
    }

    fn wait_for(&mut self, address: SocketAddr) {
        let patience = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_err() {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < patience, "nginx does not listen on {address}: {}", self.error_log());
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port of 127.0.0.1 that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// One process that needs no right but to write to its folder.
fn whole(http: &str) -> String {
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path temporary_{kind};\n"))
        .concat();
    format!("daemon off;\nmaster_process off;\npid nginx.pid;\nevents {{}}\nhttp {{\naccess_log off;\n{temporary}{http}\n}}\n")
}

fn listens(http: &str) -> Vec<SocketAddr> {
    let words = http.lines().filter_map(|line| line.trim().strip_prefix("listen "));
    words.filter_map(|rest| rest.split([' ', ';']).next()?.parse().ok()).collect()
}

/// nginx in `PATH` or in the folders of system programs, which are not in everybody's `PATH`.
fn program() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders =
        std::env::split_paths(&path).chain(["/usr/sbin", "/usr/local/sbin", "/usr/local/nginx/sbin"].map(PathBuf::from));
    let found = folders.map(|folder| folder.join("nginx")).find(|program| program.is_file());
    found.unwrap_or_else(|| panic!("nginx is missing; install it with: apt-get install nginx-light"))
}
