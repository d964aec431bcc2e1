//! Purpose: a server of lists and OCSP answers that can be as bad as they come, and counts who comes.
#![allow(dead_code, reason = "every test crate that includes this file uses a part of it")]

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How a path answers.
#[derive(Clone)]
pub(crate) enum Behaviour {
    /// 200 with this body.
    Body(Vec<u8>),
    /// The connection is closed without a word.
    Closed,
    /// 200 with this body, in chunks, without a length.
    Chunked(Vec<u8>),
    /// These octets, head and all.
    Raw(Vec<u8>),
    /// A redirect.
    Redirect(u16, String),
    /// 200, and a body that never ends: zeros until the other end is tired.
    Endless,
    /// 200 with this body, after a while.
    Slow(Duration, Vec<u8>),
    /// A status without a body.
    Status(u16),
    /// Nothing, until the server ends.
    Silent,
}

/// One request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// The request line.
    pub(crate) line: String,
    /// Header lines, lower case.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

#[derive(Default)]
struct State {
    paths: Mutex<HashMap<String, Behaviour>>,
    /// For every path that has no behaviour of its own.
    any: Mutex<Option<Behaviour>>,
    asked: Mutex<Vec<Asked>>,
    ended: AtomicBool,
}

/// A running server; it ends when dropped.
pub(crate) struct RevocationServer {
    port: u16,
    state: Arc<State>,
}

impl RevocationServer {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if shared.ended.load(Ordering::Relaxed) {
                    return;
                }
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || serve(stream, &shared));
            }
        });
        Self { port, state }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// From now on this path answers like this.
    pub(crate) fn set(&self, path: &str, behaviour: Behaviour) {
        self.state.paths.lock().unwrap().insert(path.to_owned(), behaviour);
    }

    /// From now on every other path answers like this.
    pub(crate) fn set_any(&self, behaviour: Behaviour) {
        *self.state.any.lock().unwrap() = Some(behaviour);
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.state.asked.lock().unwrap().clone()
    }

    pub(crate) fn hits(&self) -> usize {
        self.asked().len()
    }
}

impl Drop for RevocationServer {
    fn drop(&mut self) {
        self.state.ended.store(true, Ordering::Relaxed);
        // Wakes the listener, so that its port is free at once.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn serve(mut stream: TcpStream, state: &State) {
    let Some(asked) = read(&mut stream) else { return };
    let target = asked.line.split(' ').nth(1).unwrap_or_default();
    // As a proxy it gets whole URLs.
    let path = match target.strip_prefix("http://") {
        Some(rest) => rest.find('/').map_or("/", |at| &rest[at..]).to_owned(),
        None => target.to_owned(),
    };
    state.asked.lock().unwrap().push(asked);
    let behaviour = state.paths.lock().unwrap().get(&path).cloned();
    let behaviour = behaviour.or_else(|| state.any.lock().unwrap().clone()).unwrap_or(Behaviour::Status(404));
    // Whoever has had enough closes: that is no failure of a test.
    let _ = answer(&mut stream, behaviour, state);
    let _ = stream.shutdown(Shutdown::Both);
}

fn answer(stream: &mut TcpStream, behaviour: Behaviour, state: &State) -> std::io::Result<()> {
    match behaviour {
        Behaviour::Body(body) => stream.write_all(&whole(&body)),
        Behaviour::Closed => Ok(()),
        Behaviour::Chunked(body) => {
            stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n")?;
            for chunk in body.chunks(1_000) {
                stream.write_all(format!("{:x}\r\n", chunk.len()).as_bytes())?;
                stream.write_all(chunk)?;
                stream.write_all(b"\r\n")?;
            }
            stream.write_all(b"0\r\n\r\n")
        }
        Behaviour::Raw(octets) => stream.write_all(&octets),
        Behaviour::Redirect(status, location) => {
            let head =
                format!("HTTP/1.1 {status} Moved\r\nlocation: {location}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            stream.write_all(head.as_bytes())
        }
        Behaviour::Endless => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")?;
            while !state.ended.load(Ordering::Relaxed) {
                stream.write_all(&[0; 8192])?;
            }
            Ok(())
        }
        Behaviour::Slow(time, body) => {
            std::thread::sleep(time);
            stream.write_all(&whole(&body))
        }
        Behaviour::Status(status) => {
            stream.write_all(format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").as_bytes())
        }
        Behaviour::Silent => {
            while !state.ended.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(20));
            }
            Ok(())
        }
    }
}

fn whole(body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn read(stream: &mut TcpStream) -> Option<Asked> {
    stream.set_read_timeout(Some(Duration::from_secs(20))).ok()?;
    let mut octets = Vec::new();
    let mut buffer = [0; 4096];
    let end = loop {
        if let Some(at) = memchr::memmem::find(&octets, b"\r\n\r\n") {
            break at;
        }
        match stream.read(&mut buffer).ok()? {
            0 => return None,
            count => octets.extend_from_slice(&buffer[..count]),
        }
    };
    let head = String::from_utf8_lossy(&octets[..end]).into_owned();
    let (line, head) = head.split_once("\r\n").unwrap_or((&head, ""));
    let (line, head) = (line.to_owned(), head.to_ascii_lowercase());
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok()).unwrap_or(0);
    let mut body = octets.split_off(end + 4);
    while body.len() < length {
        match stream.read(&mut buffer).ok()? {
            0 => return None,
            count => body.extend_from_slice(&buffer[..count]),
        }
    }
    Some(Asked { line, head, body })
}
