//! Handshakes of our own TLS listener: bounded in time and in number, each by the configuration of its server name.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use actix_web::rt::net::TcpStream;
use rustls::ServerConfig;
use rustls::server::Acceptor;
use tokio::io::AsyncWriteExt;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

use crate::config::ServerTls;
use crate::request_head::TlsPeer;
use crate::shared::Shared;
use crate::telemetry::metrics::Handshake;

/// Does handshakes. One for all listeners and workers.
#[derive(Clone)]
pub(super) struct Handshakes {
    timeout: Duration,
    /// A place is taken when a client's first message is whole: whoever sends nothing takes none.
    places: Arc<Semaphore>,
}

/// `unrecognized_name` (RFC 6066 §3), fatal, as a whole record (RFC 8446 §6).
const UNRECOGNIZED_NAME: [u8; 7] = [21, 3, 3, 0, 2, 2, 112];

impl Handshakes {
    pub(super) fn new(tls: &ServerTls) -> Self {
        Self { timeout: tls.handshake_timeout, places: Arc::new(Semaphore::new(tls.max_handshakes)) }
    }

    /// The connection after its handshake. Errors are counted here; nobody else needs them.
    pub(super) async fn accept(&self, io: TcpStream, shared: &Shared) -> io::Result<TlsStream<TcpStream>> {
        // One deadline for all of it: a client cannot win time by being slow in several places.
        let deadline = Instant::now() + self.timeout;
        let peer = io.peer_addr().ok();
        let accepted = match timeout_at(deadline, self.handshake(io, shared)).await {
            Ok(accepted) => accepted,
            Err(_) => Err(Failure { outcome: Handshake::TimedOut, why: io::ErrorKind::TimedOut.into() }),
        };
        shared.metrics.handshake(accepted.as_ref().map_or_else(|failure| failure.outcome, |_| Handshake::Done));
        accepted.map_err(|failure| {
            tracing::debug!(peer = ?peer, why = %failure.why, "no TLS handshake");
            failure.why
        })
    }

    async fn handshake(&self, io: TcpStream, shared: &Shared) -> Result<TlsStream<TcpStream>, Failure> {
        let failed = |why: io::Error| Failure { outcome: Handshake::Failed, why };
        let mut start = LazyConfigAcceptor::new(Acceptor::default(), io).await.map_err(failed)?;
        let _place = self.places.acquire().await.map_err(|why| failed(io::Error::other(why)))?;
        let wanted = start.client_hello().server_name().map(str::to_owned);
        let Some(config) = self.config(shared, wanted.as_deref()) else {
            let sent = start.io.write_all(&UNRECOGNIZED_NAME).await;
            let why = sent.err().unwrap_or_else(|| io::Error::other("a server name that nobody here has"));
            return Err(Failure { outcome: Handshake::UnrecognizedName, why });
        };
        start.into_stream(config).await.map_err(failed)
    }

    /// By the configuration in force: a reload changes what the next handshake gets, and no open connection.
    fn config(&self, shared: &Shared, name: Option<&str>) -> Option<Arc<ServerConfig>> {
        let snapshot = shared.snapshot.load();
        let names = snapshot.tls.as_ref()?;
        // Custom domains come and go, and certificates do not with them: a front door that asks for one by its name gets the
        // first certificate, and knows whom it wants to reach.
        let custom = |name: &str| {
            let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
            shared.domains.as_ref().is_some_and(|registry| registry.live().knows(&name))
        };
        names.find(name).or_else(|| names.find(None).filter(|_| name.is_some_and(custom)))
    }
}

struct Failure {
    outcome: Handshake,
    why: io::Error,
}

/// What a client showed in its handshake.
pub(super) fn peer_of(stream: &TlsStream<TcpStream>) -> TlsPeer {
    let (_, connection) = stream.get_ref();
    let certificates = connection.peer_certificates().unwrap_or_default();
    TlsPeer {
        certificates: certificates.iter().map(|certificate| certificate.to_vec()).collect(),
        sni: connection.server_name().map(str::to_ascii_lowercase),
    }
}
