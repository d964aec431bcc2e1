//! An upstream whose every byte is written by the test.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A listening upstream; it ends with the test's runtime.
pub struct RawUpstream {
    pub address: SocketAddr,
    accepted: Arc<AtomicUsize>,
}

impl RawUpstream {
    /// Listens, and calls `serve` with every connection and its number, from 0.
    pub async fn start<F>(serve: impl Fn(Peer<TcpStream>, usize) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, accepted) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
        let counter = Arc::clone(&accepted);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                stream.set_nodelay(true).unwrap();
                let number = counter.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(Peer::new(stream), number));
            }
        });
        Self { address, accepted }
    }

    /// Answers every request with the same bytes, and keeps connections open.
    pub async fn answering(answer: &'static str) -> Self {
        Self::start(move |mut peer, _| async move {
            while let Some(head) = peer.read_head().await {
                peer.read_body(&head).await;
                peer.write(answer).await;
            }
        })
        .await
    }

    /// Answers with what it was sent: the head and the body, as text.
    pub async fn telling() -> Self {
        Self::start(|mut peer, _| async move {
            while let Some(head) = peer.read_head().await {
                let told = format!("{head}{}", String::from_utf8_lossy(&peer.read_body(&head).await));
                peer.write(&format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{told}", told.len())).await;
            }
        })
        .await
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many connections were accepted.
    pub fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }
}

/// One end of a connection, read message by message.
pub struct Peer<S> {
    pub stream: S,
    buffer: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Peer<S> {
    pub fn new(stream: S) -> Self {
        Self { stream, buffer: Vec::new() }
    }

    /// Reads more; false at the end or on an error.
    async fn fill(&mut self) -> bool {
        let mut piece = [0; 16 * 1024];
        match self.stream.read(&mut piece).await {
            Ok(length) if length > 0 => {
                self.buffer.extend_from_slice(&piece[..length]);
                true
            }
            _ => false,
        }
    }

    /// A head with its empty line; none when the connection ends before it.
    pub async fn read_head(&mut self) -> Option<String> {
        loop {
            if let Some(at) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                return Some(String::from_utf8(self.buffer.drain(..at + 4).collect()).unwrap());
            }
            if !self.fill().await {
                return None;
            }
        }
    }

    /// The body that a head announces, decoded; what there is of it when the connection ends.
    pub async fn read_body(&mut self, head: &str) -> Vec<u8> {
        if has(head, "transfer-encoding: chunked") {
            return self.read_chunks().await;
        }
        let length = header(head, "content-length").map_or(0, |length| length.parse().unwrap());
        self.read_exactly(length).await
    }

    async fn read_chunks(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let Some(at) = self.buffer.windows(2).position(|two| two == b"\r\n") else {
                if self.fill().await {
                    continue;
                }
                return body;
            };
            let line: Vec<u8> = self.buffer.drain(..at + 2).collect();
            let length = usize::from_str_radix(std::str::from_utf8(&line).unwrap().trim(), 16).unwrap();
            body.extend(self.read_exactly(length).await);
            self.read_exactly(2).await;
            if length == 0 {
                return body;
            }
        }
    }

    pub async fn read_exactly(&mut self, length: usize) -> Vec<u8> {
        while self.buffer.len() < length {
            if !self.fill().await {
                break;
            }
        }
        let length = length.min(self.buffer.len());
        self.buffer.drain(..length).collect()
    }

    /// Everything up to the end of the connection.
    pub async fn read_rest(&mut self) -> Vec<u8> {
        while self.fill().await {}
        std::mem::take(&mut self.buffer)
    }

    /// Writes; false when the other end is gone.
    pub async fn try_write(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.write_all(bytes.as_ref()).await.is_ok() && self.stream.flush().await.is_ok()
    }

    pub async fn write(&mut self, bytes: impl AsRef<[u8]>) {
        self.try_write(bytes).await;
    }
}

/// The value of a header in a head's text.
pub fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().skip(1).find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then_some(value.trim())
    })
}

/// Whether a head has this very line, without regard to case.
pub fn has(head: &str, line: &str) -> bool {
    head.lines().any(|found| found.eq_ignore_ascii_case(line))
}
