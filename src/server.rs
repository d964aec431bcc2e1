//! Listeners: data and admin apart; reload; graceful stop.

mod admin;
mod domains;
mod expiry;
mod paced;
mod reload;
mod tls;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_http::error::{DispatchError, ParseError};
use actix_http::{HttpService, Protocol};
use actix_server::{GracefulShutdownSignal, Server, ServerBuilder};
use actix_service::{ServiceFactory, ServiceFactoryExt};
use actix_web::rt::net::{TcpStream, UnixStream};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::signal::unix::{SignalKind, signal};

use crate::config::{Listen, Process, ServerTls};
use crate::proxy;
use crate::refusal::Refusal;
use crate::request_head::{Connection, UnixPeer};
use crate::shared::Shared;
use crate::telemetry::access::FLUSH_EVERY;

pub use domains::{attach, open, read};
pub use reload::Reloader;

use paced::Paced;
use tls::Handshakes;

/// After a connection's last answer, what the peer is still sending is read and thrown away for so long. Without it the
/// connection would be reset, and nginx, which is still sending a refused body, would never see the answer: it would say 502
/// and take us for dead.
const LINGER: Duration = Duration::from_secs(5);
/// How much of an answer is gathered before it is written to the socket.
const WRITE_BUFFER: usize = 32 * 1024;

/// Serves until SIGTERM or SIGINT, then lets requests in flight finish.
///
/// # Errors
/// When a listener cannot be opened, or the signals cannot be had.
pub async fn serve(process: &Process, shared: Arc<Shared>, reloader: Reloader) -> io::Result<()> {
    let server = data_listeners(process, &shared)?;
    let settings = process.management.as_ref().zip(process.pepper.as_ref().ok());
    let management = settings.and_then(|(settings, pepper)| domains::management(settings, pepper, &shared));
    let admin = process.admin.map(|address| admin::listen(address, &shared, management.clone())).transpose()?;
    let (handle, admin_handle) = (server.handle(), admin.as_ref().map(|admin| admin.handle()));
    if let Some(admin) = admin {
        actix_web::rt::spawn(admin);
    }
    let watching = expiry::watch(Arc::clone(&shared));
    let keeping = shared.domains.clone().map(|registry| actix_web::rt::spawn(async move { registry.watch().await }));
    let reloading = reloader.watch(Arc::clone(&shared), management)?;
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let mut running = actix_web::rt::spawn(server);
    let tls = process.tls.as_ref().map(|tls| &tls.listen);
    tracing::info!(listen = ?process.listen, tls = ?tls, admin = ?process.admin, "ready");
    let ended = tokio::select! {
        ended = &mut running => ended,
        _ = terminate.recv() => stop(&handle, running).await,
        _ = interrupt.recv() => stop(&handle, running).await,
    };
    reloading.abort();
    watching.abort();
    if let Some(admin) = admin_handle {
        admin.stop(false).await;
    }
    wait_for_records(&shared).await;
    if let (Some(keeping), Some(registry)) = (keeping, &shared.domains) {
        keeping.abort();
        // What it holds of the store is given back while there is a runtime to do so.
        drop(keeping.await);
        registry.close().await;
    }
    shared.access.flush_all();
    tracing::info!("stopped");
    ended.unwrap_or_else(|why| Err(io::Error::other(why)))
}

/// Requests that were cut off end their records while the workers come down, a moment after the server says it has stopped.
async fn wait_for_records(shared: &Shared) {
    let patience = Instant::now() + LAST_RECORDS;
    while shared.metrics.in_flight.get() > 0 && Instant::now() < patience {
        actix_web::rt::time::sleep(Duration::from_millis(5)).await;
    }
}

/// How long the last records may take.
const LAST_RECORDS: Duration = Duration::from_secs(1);

type Running = actix_web::rt::task::JoinHandle<io::Result<()>>;

async fn stop(handle: &actix_server::ServerHandle, running: Running) -> Result<io::Result<()>, tokio::task::JoinError> {
    tracing::info!("stopping: requests in flight may finish");
    handle.stop(true).await;
    running.await
}

fn data_listeners(process: &Process, shared: &Arc<Shared>) -> io::Result<Server> {
    let workers = match process.workers {
        0 => std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get),
        workers => workers,
    };
    let shutdown_seconds = process.shutdown_timeout.as_secs();
    let mut server = Server::build().workers(workers).disable_signals().shutdown_timeout(shutdown_seconds);
    let graceful = server.graceful_shutdown_signal();
    for listen in &process.listen {
        let (shared, graceful, times) = (Arc::clone(shared), graceful.clone(), Times::of(process));
        let name = format!("{listen:?}");
        let failed = |why: io::Error| io::Error::new(why.kind(), format!("cannot listen on {listen:?}: {why}"));
        server = match listen {
            Listen::Tcp(address) => server.bind(name, address, move || {
                let accept = |io: TcpStream| async move {
                    // Nagle's algorithm and delayed acknowledgements together stall small writes by 40 ms.
                    let _ = io.set_nodelay(true);
                    let peer = io.peer_addr().ok();
                    let connection = peer.map(|peer| Connection::from_address(peer.ip())).unwrap_or_default();
                    let connection = Connection { local: io.local_addr().ok(), ..connection };
                    Ok::<_, DispatchError>((Paced::new(io, connection), Protocol::Http1, peer))
                };
                actix_service::fn_service(accept).and_then(data_service(Arc::clone(&shared), graceful.clone(), times))
            }),
            Listen::Unix(path) => server.bind_uds(name, path, move || {
                let accept = |io: UnixStream| async move {
                    let connection = Connection::from_unix_peer(unix_peer(&io));
                    Ok::<_, DispatchError>((Paced::new(io, connection), Protocol::Http1, None))
                };
                actix_service::fn_service(accept).and_then(data_service(Arc::clone(&shared), graceful.clone(), times))
            }),
        }
        .map_err(failed)?;
    }
    if let Some(tls) = &process.tls {
        server = tls_listeners(server, tls, Times::of(process), shared)?;
    }
    Ok(server.run())
}

/// The same with a handshake of ours before it.
fn tls_listeners(mut server: ServerBuilder, tls: &ServerTls, times: Times, shared: &Arc<Shared>) -> io::Result<ServerBuilder> {
    let graceful = server.graceful_shutdown_signal();
    let handshakes = Handshakes::new(tls);
    for address in &tls.listen {
        let (shared, graceful, handshakes) = (Arc::clone(shared), graceful.clone(), handshakes.clone());
        let failed = |why: io::Error| io::Error::new(why.kind(), format!("cannot listen on {address} for TLS: {why}"));
        let bound = server.bind(format!("tls {address}"), address, move || {
            let (handshakes, shaking) = (handshakes.clone(), Arc::clone(&shared));
            let accept = move |io: TcpStream| {
                let (handshakes, shared) = (handshakes.clone(), Arc::clone(&shaking));
                async move {
                    let _ = io.set_nodelay(true);
                    let (peer, local) = (io.peer_addr().ok(), io.local_addr().ok());
                    let stream = handshakes.accept(io, &shared).await.map_err(DispatchError::Io)?;
                    let connection = peer.map(|peer| Connection::from_address(peer.ip())).unwrap_or_default();
                    let connection = Connection { tls: Some(Arc::new(tls::peer_of(&stream))), local, ..connection };
                    Ok::<_, DispatchError>((Paced::new(stream, connection), Protocol::Http1, peer))
                }
            };
            actix_service::fn_service(accept).and_then(data_service(Arc::clone(&shared), graceful.clone(), times))
        });
        server = bound.map_err(failed)?;
    }
    Ok(server)
}

/// What serves a connection, TCP or not.
fn data_service<S: AsyncRead + AsyncWrite + Unpin + 'static>(
    shared: Arc<Shared>,
    graceful: GracefulShutdownSignal,
    times: Times,
) -> impl ServiceFactory<(Paced<S>, Protocol, Option<SocketAddr>), Config = (), Response = (), Error = DispatchError, InitError = ()>
{
    let errors = Arc::clone(&shared);
    let service = HttpService::build()
        .graceful_shutdown_signal(move || {
            let signal = graceful.clone();
            async move { signal.notified().await }
        })
        .keep_alive(times.keep_alive)
        .client_request_timeout(times.head)
        .client_disconnect_timeout(LINGER)
        .h1_allow_half_closed(false)
        .h1_write_buffer_size(WRITE_BUFFER)
        .on_connect_ext(|io: &Paced<S>, connection| {
            connection.insert(io.appetite().clone());
            connection.insert(io.connection().clone());
        });
    service.finish(application(shared)).map_err(move |why| {
        count_broken(&errors, &why);
        why
    })
}

/// Who opened a Unix socket, as the kernel says.
fn unix_peer(io: &UnixStream) -> Option<UnixPeer> {
    let peer = io.peer_cred().ok()?;
    Some(UnixPeer { uid: peer.uid(), gid: peer.gid(), pid: peer.pid() })
}

#[derive(Clone, Copy)]
struct Times {
    keep_alive: Duration,
    head: Duration,
}

impl Times {
    fn of(process: &Process) -> Self {
        Self { keep_alive: process.keep_alive, head: process.head_timeout }
    }
}

/// One handler for everything: no router, no middleware.
fn application(
    shared: Arc<Shared>,
) -> impl ServiceFactory<
    actix_http::Request,
    Config = (),
    Response = actix_http::Response<impl actix_web::body::MessageBody>,
    Error = std::convert::Infallible,
    InitError = (),
> {
    spawn_flusher(Arc::clone(&shared));
    actix_service::fn_service(move |request| {
        let shared = Arc::clone(&shared);
        async move { Ok(proxy::handle(request, shared).await.into()) }
    })
}

/// Lines wait in this worker's buffer for no longer than [`FLUSH_EVERY`].
fn spawn_flusher(shared: Arc<Shared>) {
    actix_web::rt::spawn(async move {
        let mut ticks = tokio::time::interval(FLUSH_EVERY);
        loop {
            ticks.tick().await;
            shared.access.flush();
        }
    });
}

/// A head that is not HTTP never becomes a request: actix has answered 400 or 431, and what is left to us is to count and to
/// say so.
fn count_broken(shared: &Shared, why: &DispatchError) {
    let refusal = match why {
        DispatchError::Parse(ParseError::TooLarge) => Refusal::RequestHeadTooLarge,
        DispatchError::Parse(_) => Refusal::RequestMalformed,
        _ => return,
    };
    shared.metrics.refuse(refusal);
    tracing::info!("refusal.code" = refusal.code(), "refusal.cause" = %why, "not a request");
}
