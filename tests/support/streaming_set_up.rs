//! Purpose: an upstream that sends and takes long bodies, counts bytes, and can be held up; and the configuration for it.
//!
//! `GET /<bytes>` is answered with a body of so many bytes; of a `POST` the body is read to its end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Barrier, watch};
use vestibule::secret::Pepper;

use crate::vestibule_program::Files;

/// What is sent and read at once.
pub(crate) const CHUNK: usize = 64 * 1024;

const PEPPER: &str = "2f9c1d0e5b7a46883c21f0e9d8b7a6951423324150616f7e8d9cabbac9d8e7f6";
pub(crate) const KEY: &str = "the key of the streaming tests";

/// A configuration that forwards everything: what is measured here comes after the decision.
pub(crate) fn files(upstream: SocketAddr) -> Files {
    let tag = Pepper::parse(PEPPER).unwrap().tag(KEY.as_bytes());
    let process = format!(
        "[server]\nlisten = [\"127.0.0.1:{{port}}\"]\nworkers = 2\nhead_timeout = \"60s\"\n\
         [admin]\nlisten = \"127.0.0.1:{{admin}}\"\n\
         [secrets]\npepper = \"{PEPPER}\"\n"
    );
    let tenant = format!(
        "[[domains]]\nname = \"stream.test\"\ncname_api_keys = [\"{tag}\"]\n\
         [[front_doors]]\nname = \"door\"\nproofs = [\"api_key\"]\n\
         [policy]\nverification = \"off\"\n\
         [upstreams.core]\nurl = \"http://{upstream}\"\n\
         [[routes]]\npath = \"/\"\nupstream = \"core\"\n"
    );
    vec![("vestibule.toml".to_owned(), process), ("tenants/stream.toml".to_owned(), tenant)]
}

/// The head of a request through the front door.
pub(crate) fn head(method: &str, path: &str, length: u64) -> String {
    let length = if method == "POST" { format!("content-length: {length}\r\n") } else { String::new() };
    format!(
        "{method} {path} HTTP/1.1\r\nhost: stream.test\r\ncname-api-key: {KEY}\r\nx-forwarded-for: 192.0.2.7\r\n{length}\r\n"
    )
}

/// The upstream's counters, and what holds it up.
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    /// Bytes of bodies that its kernel took.
    pub(crate) sent: AtomicU64,
    /// Bytes of bodies that it read.
    pub(crate) received: AtomicU64,
    /// Every sender waits here when half of its body is sent.
    half_way: Arc<Barrier>,
    /// False: nothing is read of bodies.
    reads: watch::Sender<bool>,
}

impl Upstream {
    /// Starts it. As many senders as `half_way` says meet in the middle.
    pub(crate) async fn start(half_way: Arc<Barrier>) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let upstream = Arc::new(Self {
            address: listener.local_addr().unwrap(),
            sent: AtomicU64::new(0),
            received: AtomicU64::new(0),
            half_way,
            reads: watch::Sender::new(true),
        });
        let serving = Arc::clone(&upstream);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let upstream = Arc::clone(&serving);
                tokio::spawn(async move { upstream.answer(stream).await });
            }
        });
        upstream
    }

    /// Stops or lets go on the reading of bodies.
    pub(crate) fn read_bodies(&self, reads: bool) {
        self.reads.send_replace(reads);
    }

    /// Requests on one connection, until it is closed.
    async fn answer(&self, mut stream: TcpStream) {
        let mut buffer = vec![0; CHUNK];
        while let Some((head, early)) = read_head(&mut stream, &mut buffer).await {
            if let Some(path) = head.strip_prefix("GET /") {
                let length: u64 = path.split(' ').next().unwrap().parse().unwrap();
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n");
                stream.write_all(head.as_bytes()).await.unwrap();
                if send_body(&mut stream, length, &self.sent, &self.half_way).await.is_err() {
                    return;
                }
            } else {
                let mut remaining = length_in(&head) - early;
                self.received.fetch_add(early, Ordering::Relaxed);
                let mut reads = self.reads.subscribe();
                while remaining > 0 {
                    reads.wait_for(|reads| *reads).await.unwrap();
                    let Ok(read @ 1..) = stream.read(&mut buffer).await else { return };
                    self.received.fetch_add(read as u64, Ordering::Relaxed);
                    remaining -= read as u64;
                }
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
            }
        }
    }
}

/// Sends a body, and waits for the others when half of it is out.
pub(crate) async fn send_body(
    stream: &mut TcpStream,
    length: u64,
    sent: &AtomicU64,
    half_way: &Barrier,
) -> std::io::Result<()> {
    static BYTES: [u8; CHUNK] = [b'x'; CHUNK];
    let (mut own, mut met) = (0, false);
    while own < length {
        if own >= length / 2 && !met {
            met = true;
            half_way.wait().await;
        }
        let chunk = usize::try_from(length - own).unwrap_or(CHUNK).min(CHUNK);
        let written = stream.write(&BYTES[..chunk]).await?;
        own += written as u64;
        sent.fetch_add(written as u64, Ordering::Relaxed);
    }
    Ok(())
}

/// Reads a head; with it comes how many bytes of the body were read too. None when the connection is closed.
pub(crate) async fn read_head(stream: &mut TcpStream, buffer: &mut [u8]) -> Option<(String, u64)> {
    let mut filled = 0;
    loop {
        let Ok(read @ 1..) = stream.read(&mut buffer[filled..]).await else { return None };
        filled += read;
        if let Some(end) = buffer[..filled].windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8(buffer[..end].to_vec()).unwrap();
            return Some((head, (filled - end - 4) as u64));
        }
    }
}

/// The `Content-Length` of a head.
pub(crate) fn length_in(head: &str) -> u64 {
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    let mut lengths = lines.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    lengths.next().unwrap().1.parse().unwrap()
}
