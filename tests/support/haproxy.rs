//! Purpose: runs a real HAProxy for a test, and ends it with the test.
//!
//! Include with `#[path = "support/haproxy.rs"] mod haproxy;`.

use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running HAProxy: one process.
pub(crate) struct Haproxy(Child);

impl Haproxy {
    /// Starts HAProxy with a configuration, its files in the folder, and waits until it accepts connections.
    pub(crate) fn start(configuration: &str, folder: &Path, address: SocketAddr) -> Self {
        std::fs::write(folder.join("haproxy.cfg"), configuration).unwrap();
        let path = format!("{}:/usr/sbin:/usr/local/sbin", std::env::var("PATH").unwrap_or_default());
        let child = Command::new("haproxy")
            .env("PATH", path)
            .args(["-db", "-f", "haproxy.cfg"])
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(folder.join("haproxy.log")).unwrap())
            .spawn()
            .unwrap_or_else(|why| panic!("haproxy: {why}; install it with: apt-get install haproxy"));
        let mut haproxy = Self(child);
        let patience = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(address).is_err() {
            let said = || std::fs::read_to_string(folder.join("haproxy.log")).unwrap_or_default();
            assert!(haproxy.0.try_wait().unwrap().is_none() && Instant::now() < patience, "haproxy: {}", said());
            std::thread::sleep(Duration::from_millis(20));
        }
        haproxy
    }
}

impl Drop for Haproxy {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
