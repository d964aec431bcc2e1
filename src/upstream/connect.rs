//! Opening a connection to an upstream.

use std::error::Error;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use hyper::client::conn::http1::{Builder, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

use super::Upstream;
use super::endpoint::Transport;
use super::request_body::RequestBody;
use crate::refusal::{Refusal, Refused};

/// The most that hyper buffers of one connection in one direction, and so the largest head of an answer. With twice as much,
/// a thousand clients that do not read held 169 MiB instead of 114.
const BUFFER_SIZE: usize = 32 * 1024;

/// An HTTP/1.1 connection to an upstream.
pub(super) struct Connection {
    pub(super) sender: SendRequest<RequestBody>,
    received: Arc<AtomicU64>,
}

impl Connection {
    /// How many bytes ever came back; tells whether a request got any answer.
    pub(super) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }
}

/// Opens a connection and gives it a task on this worker.
pub(super) async fn connect(upstream: &Upstream) -> Result<Connection, Refused> {
    let opening = timeout(upstream.connect_timeout, open(&upstream.endpoint.transport));
    let stream = match opening.await {
        Ok(opened) => opened.map_err(|error| unreachable(upstream, &error.to_string()))?,
        Err(_) => {
            let cause = format!("{}: no connection within {:?}", upstream.endpoint, upstream.connect_timeout);
            return Err(Refused::new(Refusal::UpstreamTimeout, cause));
        }
    };
    let received = Arc::new(AtomicU64::new(0));
    let wire = Wire { stream, received: Arc::clone(&received), write_broken: false };
    let handshake = Builder::new().max_buf_size(BUFFER_SIZE).max_header_size(BUFFER_SIZE).handshake(TokioIo::new(wire));
    let (sender, connection) = handshake.await.map_err(|error| unreachable(upstream, &error.to_string()))?;
    // What goes wrong on the connection reaches the exchange that it serves; an idle one that closes concerns nobody.
    actix_web::rt::spawn(connection.with_upgrades());
    Ok(Connection { sender, received })
}

fn unreachable(upstream: &Upstream, error: &str) -> Refused {
    Refused::new(Refusal::UpstreamUnreachable, format!("{}: {error}", upstream.endpoint))
}

trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

async fn open(transport: &Transport) -> Result<Box<dyn Duplex>, Box<dyn Error>> {
    Ok(match transport {
        Transport::Unix(path) => Box::new(UnixStream::connect(path).await?),
        Transport::Tcp { host, port } => Box::new(open_tcp(host, *port).await?),
        Transport::Tls { host, port, connector } => {
            let tcp = open_tcp(host, *port).await?;
            // Sets SNI and the name that the certificate must carry.
            let ssl = connector.configure()?.into_ssl(host)?;
            let mut stream = tokio_openssl::SslStream::new(ssl, tcp)?;
            if let Err(error) = Pin::new(&mut stream).connect().await {
                let verdict = stream.ssl().verify_result();
                return Err(format!("TLS handshake: {error} (certificate: {verdict})").into());
            }
            Box::new(stream)
        }
    })
}

async fn open_tcp(host: &str, port: u16) -> io::Result<TcpStream> {
    let stream = TcpStream::connect((host, port)).await?;
    // Nagle's algorithm and delayed acknowledgements together stall small writes by 40 ms.
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// The bytes of a connection, counted, with write failures left to the reading side.
///
/// An upstream may answer and close while the request is still being sent. Its answer is then waiting to be read, but the
/// next write fails, and hyper would report only that. So after a failed write the rest is swallowed, and reading tells what
/// happened: the answer, or the end.
struct Wire {
    stream: Box<dyn Duplex>,
    received: Arc<AtomicU64>,
    write_broken: bool,
}

impl Wire {
    fn swallow<T>(&mut self, polled: Poll<io::Result<T>>, instead: T) -> Poll<io::Result<T>> {
        match polled {
            Poll::Ready(Err(_)) => {
                self.write_broken = true;
                Poll::Ready(Ok(instead))
            }
            polled => polled,
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        let read = buffer.filled().len().saturating_sub(before);
        if read > 0 {
            self.received.fetch_add(read as u64, Ordering::Relaxed);
        }
        polled
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.write_broken {
            return Poll::Ready(Ok(bytes.len()));
        }
        let polled = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.swallow(polled, bytes.len())
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let length = slices.iter().map(|slice| slice.len()).sum();
        if self.write_broken {
            return Poll::Ready(Ok(length));
        }
        let polled = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.swallow(polled, length)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.write_broken {
            return Poll::Ready(Ok(()));
        }
        let polled = Pin::new(&mut self.stream).poll_flush(cx);
        self.swallow(polled, ())
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
