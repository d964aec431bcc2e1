//! Purpose: an HTTP/1.1 client that sends exactly the bytes that a test wrote, over TCP, TLS or a Unix socket.
#![allow(dead_code, reason = "every test crate that includes this file uses a part of it")]

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use openssl::ssl::SslStream;

/// The longest that a test waits for bytes.
const PATIENCE: Duration = Duration::from_secs(20);

trait Stream: Read + Write + Send {}
impl<S: Read + Write + Send> Stream for S {}

/// A connection.
pub(crate) struct Client {
    stream: Box<dyn Stream>,
    buffer: Vec<u8>,
}

/// An answer, its body decoded.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    /// 0 when the connection ended without an answer.
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Whether the body ended as its framing said.
    pub(crate) complete: bool,
}

impl Answer {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Every value of a header.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        let named = self.headers.iter().filter(|(found, _)| found.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str()).collect()
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|why| panic!("{why}: {}", self.text()))
    }
}

impl Client {
    pub(crate) fn tcp(port: u16) -> Self {
        Self::over(connected(port))
    }

    pub(crate) fn unix(path: &Path) -> Self {
        let stream = UnixStream::connect(path).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self::over(stream)
    }

    pub(crate) fn tls(stream: SslStream<TcpStream>) -> Self {
        Self::over(stream)
    }

    fn over(stream: impl Read + Write + Send + 'static) -> Self {
        Self { stream: Box::new(stream), buffer: Vec::new() }
    }

    /// Sends bytes. An end that has answered and gone already is seen when its answer is read.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.try_send(bytes);
    }

    /// Sends bytes; false when the other end is gone.
    pub(crate) fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.write_all(bytes.as_ref()).is_ok() && self.stream.flush().is_ok()
    }

    /// Sends a request and reads its answer.
    pub(crate) fn ask(&mut self, request: impl AsRef<[u8]>) -> Answer {
        self.send(request);
        self.read_answer()
    }

    /// An answer with the body that its head announces.
    pub(crate) fn read_answer(&mut self) -> Answer {
        let mut answer = self.read_head();
        if matches!(answer.status, 0 | 100..=199 | 204 | 304) {
            return answer;
        }
        let chunked = answer.header("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked"));
        let length = answer.header("content-length").map(|length| length.parse::<usize>().unwrap());
        (answer.body, answer.complete) = match length {
            _ if chunked => self.read_chunks(),
            Some(length) => self.read_exactly(length),
            None => (self.read_rest(), true),
        };
        answer
    }

    /// The head alone; interim answers (`100 Continue`) are passed over.
    pub(crate) fn read_head(&mut self) -> Answer {
        loop {
            let Some(at) = position(&self.buffer, b"\r\n\r\n") else {
                if self.fill() {
                    continue;
                }
                return Answer { status: 0, headers: Vec::new(), body: std::mem::take(&mut self.buffer), complete: false };
            };
            let head: Vec<u8> = self.buffer.drain(..at + 4).collect();
            let head = String::from_utf8_lossy(&head).into_owned();
            let mut lines = head.trim_end().split("\r\n");
            let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
            let headers = lines.map(|line| line.split_once(':').unwrap()).map(|(n, v)| (n.to_owned(), v.trim().to_owned()));
            if status != 100 {
                return Answer { status, headers: headers.collect(), body: Vec::new(), complete: true };
            }
        }
    }

    /// Everything until the other end closes.
    pub(crate) fn read_rest(&mut self) -> Vec<u8> {
        while self.fill() {}
        std::mem::take(&mut self.buffer)
    }

    /// So many bytes, and whether there were as many.
    pub(crate) fn read_exactly(&mut self, length: usize) -> (Vec<u8>, bool) {
        while self.buffer.len() < length {
            if !self.fill() {
                return (std::mem::take(&mut self.buffer), false);
            }
        }
        (self.buffer.drain(..length).collect(), true)
    }

    fn read_chunks(&mut self) -> (Vec<u8>, bool) {
        let mut body = Vec::new();
        loop {
            let Some(at) = position(&self.buffer, b"\r\n") else {
                if self.fill() {
                    continue;
                }
                return (body, false);
            };
            let line: Vec<u8> = self.buffer.drain(..at + 2).collect();
            let length = usize::from_str_radix(std::str::from_utf8(&line).unwrap().trim(), 16).unwrap();
            let (mut chunk, whole) = self.read_exactly(length + 2);
            if !whole {
                return (body, false);
            }
            chunk.truncate(length);
            body.append(&mut chunk);
            if length == 0 {
                return (body, true);
            }
        }
    }

    /// More bytes; false at the end of the connection, however it came.
    fn fill(&mut self) -> bool {
        let mut chunk = vec![0; 64 * 1024];
        match self.stream.read(&mut chunk) {
            Ok(0) => false,
            Ok(length) => {
                self.buffer.extend_from_slice(&chunk[..length]);
                true
            }
            Err(why) if matches!(why.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => panic!("no answer: {why}"),
            Err(_) => false,
        }
    }
}

/// A TCP connection that does not wait forever.
pub(crate) fn connected(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

fn position(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
