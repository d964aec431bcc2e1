//! Purpose: runs a real Redis for a test, on a free port, and ends it with the test.
//!
//! Include with `#[path = "support/redis.rs"] mod redis_server;`; it needs `ports` beside it.

use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::ports::free_port;

/// A running Redis that keeps nothing on disk.
pub(crate) struct Redis {
    child: Child,
    pub(crate) port: u16,
}

impl Redis {
    pub(crate) fn start(password: Option<&str>) -> Self {
        Self::start_on(free_port(), password)
    }

    pub(crate) fn start_on(port: u16, password: Option<&str>) -> Self {
        let text = port.to_string();
        let mut arguments = vec!["--port", &text, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
        arguments.extend(password.iter().flat_map(|password| ["--requirepass", password]));
        let child = Command::new("redis-server")
            .args(arguments)
            .current_dir(std::env::temp_dir())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|why| panic!("redis-server: {why}; install it with: apt-get install redis-server"));
        let mut redis = Self { child, port };
        let patience = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(redis.child.try_wait().unwrap().is_none() && Instant::now() < patience, "redis does not listen on {port}");
            std::thread::sleep(Duration::from_millis(10));
        }
        redis
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
