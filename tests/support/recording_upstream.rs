//! Purpose: an upstream that keeps what it got and says it in its answer.
#![allow(dead_code, reason = "every test crate that includes this file uses a part of it")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;

/// A request as it arrived.
#[derive(Debug, Clone, Default)]
pub(crate) struct Received {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// The lines after a chunked body.
    pub(crate) trailers: Vec<String>,
}

impl Received {
    /// The value of a header; empty when there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(found, _)| found == name).map_or("", |(_, value)| value)
    }
}

/// What answers a request: it writes the answer. False closes the connection.
type Handler = dyn Fn(&Received, &mut TcpStream) -> bool + Send + Sync;

/// A running upstream; it lives until the test program ends.
pub(crate) struct RecordingUpstream {
    port: u16,
    received: Arc<Mutex<Vec<Received>>>,
}

impl RecordingUpstream {
    /// One that answers 200 with a JSON description of the request.
    pub(crate) fn start() -> Self {
        Self::answering(describe)
    }

    /// One that answers otherwise.
    pub(crate) fn answering(handler: impl Fn(&Received, &mut TcpStream) -> bool + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let received = Arc::new(Mutex::new(Vec::new()));
        let (handler, records): (Arc<Handler>, _) = (Arc::new(handler), Arc::clone(&received));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (handler, records) = (Arc::clone(&handler), Arc::clone(&records));
                std::thread::spawn(move || serve(stream, &*handler, &records));
            }
        });
        Self { port, received }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Every request until now.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// Takes the requests until now.
    pub(crate) fn take(&self) -> Vec<Received> {
        std::mem::take(&mut *self.received.lock().unwrap())
    }

    /// The one request that came.
    pub(crate) fn take_one(&self) -> Received {
        let mut received = self.take();
        assert_eq!(received.len(), 1, "{received:?}");
        received.remove(0)
    }
}

/// Writes an answer with a length.
pub(crate) fn reply(stream: &mut TcpStream, head: &str, body: &[u8]) -> bool {
    let head = format!("HTTP/1.1 200 OK\r\n{head}content-length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).is_ok() && stream.write_all(body).is_ok()
}

fn describe(received: &Received, stream: &mut TcpStream) -> bool {
    let description = json!({
        "method": received.method,
        "target": received.target,
        "headers": received.headers,
        "body_length": received.body.len(),
    });
    reply(stream, "content-type: application/json\r\n", description.to_string().as_bytes())
}

fn serve(mut stream: TcpStream, handler: &Handler, records: &Mutex<Vec<Received>>) {
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut reader = Reader { stream: stream.try_clone().unwrap(), buffer: Vec::new() };
    while let Some(received) = reader.request() {
        records.lock().unwrap().push(received.clone());
        if !handler(&received, &mut stream) {
            let _ = stream.shutdown(std::net::Shutdown::Both);
            return;
        }
    }
}

struct Reader {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Reader {
    fn request(&mut self) -> Option<Received> {
        let head = self.until(b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&head).into_owned();
        let mut lines = head.trim_end().split("\r\n");
        let mut words = lines.next()?.split(' ');
        let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
        let headers = lines.filter_map(|line| line.split_once(':'));
        let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())).collect();
        let mut received = Received { method, target, headers, ..Received::default() };
        if received.header("transfer-encoding") == "chunked" {
            self.chunks(&mut received)?;
        } else if let Ok(length) = received.header("content-length").parse() {
            received.body = self.exactly(length)?;
        }
        Some(received)
    }

    fn chunks(&mut self, received: &mut Received) -> Option<()> {
        loop {
            let line = self.until(b"\r\n")?;
            let length = usize::from_str_radix(std::str::from_utf8(&line).ok()?.trim(), 16).ok()?;
            if length == 0 {
                break;
            }
            received.body.append(&mut self.exactly(length)?);
            self.exactly(2)?;
        }
        loop {
            let line = self.until(b"\r\n")?;
            if line == b"\r\n" {
                return Some(());
            }
            received.trailers.push(String::from_utf8_lossy(&line).into_owned());
        }
    }

    fn until(&mut self, end: &[u8]) -> Option<Vec<u8>> {
        loop {
            if let Some(at) = self.buffer.windows(end.len()).position(|window| window == end) {
                return Some(self.buffer.drain(..at + end.len()).collect());
            }
            self.fill()?;
        }
    }

    fn exactly(&mut self, length: usize) -> Option<Vec<u8>> {
        while self.buffer.len() < length {
            self.fill()?;
        }
        Some(self.buffer.drain(..length).collect())
    }

    fn fill(&mut self) -> Option<()> {
        let mut chunk = vec![0; 64 * 1024];
        let length = self.stream.read(&mut chunk).ok().filter(|length| *length > 0)?;
        self.buffer.extend_from_slice(&chunk[..length]);
        Some(())
    }
}
