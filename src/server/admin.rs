//! The admin listener: health, metrics, the keys with which upstreams check our tokens, and the management API. It is never the
//! data listener.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_http::error::DispatchError;
use actix_http::{HttpService, Protocol};
use actix_server::{Server, ServerBuilder};
use actix_service::{ServiceFactory, ServiceFactoryExt, map_config};
use actix_web::body::MessageBody;
use actix_web::dev::{AppConfig, ServiceRequest, ServiceResponse};
use actix_web::http::header;
use actix_web::rt::net::TcpStream;
use actix_web::{App, HttpRequest, HttpResponse, web};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;

use crate::manage::{Management, openapi_document};
use crate::shared::Shared;
use crate::tls;

/// How long a handshake, a request's head, and an idle connection may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Opens the listener, with TLS where the configuration has a certificate for it.
pub(super) fn listen(address: SocketAddr, shared: &Arc<Shared>, management: Option<Arc<Management>>) -> io::Result<Server> {
    let server = Server::build().workers(1).disable_signals();
    let bound = if shared.snapshot.load().admin_certificate.is_some() {
        over_tls(server, address, shared, management)
    } else {
        in_clear(server, address, shared, management)
    };
    let failed = |why: io::Error| io::Error::new(why.kind(), format!("cannot listen on {address}: {why}"));
    Ok(bound.map_err(failed)?.run())
}

fn in_clear(
    server: ServerBuilder,
    address: SocketAddr,
    shared: &Arc<Shared>,
    management: Option<Arc<Management>>,
) -> io::Result<ServerBuilder> {
    let shared = Arc::clone(shared);
    server.bind("admin", address, move || {
        let accept = |io: TcpStream| async move {
            let _ = io.set_nodelay(true);
            let peer = io.peer_addr().ok();
            Ok::<_, DispatchError>((io, Protocol::Http1, peer))
        };
        actix_service::fn_service(accept).and_then(service(Arc::clone(&shared), management.clone()))
    })
}

/// By the certificate in force: a reload changes what the next handshake gets.
fn over_tls(
    server: ServerBuilder,
    address: SocketAddr,
    shared: &Arc<Shared>,
    management: Option<Arc<Management>>,
) -> io::Result<ServerBuilder> {
    let in_force = Arc::clone(shared);
    let config = tls::current(Box::new(move || in_force.snapshot.load().admin_certificate.clone()));
    let acceptor = TlsAcceptor::from(config.map_err(io::Error::other)?);
    let shared = Arc::clone(shared);
    server.bind("admin tls", address, move || {
        let acceptor = acceptor.clone();
        let accept = move |io: TcpStream| {
            let acceptor = acceptor.clone();
            async move {
                let _ = io.set_nodelay(true);
                let peer = io.peer_addr().ok();
                let accepted = actix_web::rt::time::timeout(PATIENCE, acceptor.accept(io)).await;
                let accepted = accepted.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
                let stream = accepted.map_err(|why| {
                    tracing::debug!(peer = ?peer, %why, "admin listener: no TLS handshake");
                    DispatchError::Io(why)
                })?;
                Ok::<_, DispatchError>((stream, Protocol::Http1, peer))
            }
        };
        actix_service::fn_service(accept).and_then(service(Arc::clone(&shared), management.clone()))
    })
}

/// What serves a connection, with TLS or not.
fn service<S: AsyncRead + AsyncWrite + Unpin + 'static>(
    shared: Arc<Shared>,
    management: Option<Arc<Management>>,
) -> impl ServiceFactory<(S, Protocol, Option<SocketAddr>), Config = (), Response = (), Error = DispatchError, InitError = ()> {
    // What the listener is called is of no account: no answer holds an address of ours.
    let app = map_config(application(shared, management), |()| AppConfig::default());
    let service = HttpService::build().keep_alive(PATIENCE).client_request_timeout(PATIENCE);
    service.finish(app)
}

fn application(
    shared: Arc<Shared>,
    management: Option<Arc<Management>>,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody>,
        Error = actix_web::Error,
        InitError = (),
    >,
> {
    let (documented, issuing) = (management.is_some(), management.clone());
    let counting = Arc::clone(&shared);
    let count = move |answer: HttpResponse| {
        if let Some(store) = counting.metrics.store() {
            store.respond(answer.status().as_u16());
        }
        answer
    };
    let counted = count.clone();
    let token = move |request: HttpRequest, payload: web::Payload| {
        let (management, count) = (issuing.clone(), counted.clone());
        async move {
            match management.filter(|management| management.has_clients()) {
                Some(management) => count(management.handle_token(request, payload).await),
                None => HttpResponse::NotFound().finish(),
            }
        }
    };
    let api = move |request: HttpRequest, payload: web::Payload| {
        let (management, count) = (management.clone(), count.clone());
        async move {
            match management {
                Some(management) => count(management.handle(request, payload).await),
                None => HttpResponse::NotFound().finish(),
            }
        }
    };
    let document = move || async move {
        match documented {
            true => HttpResponse::Ok().json(openapi_document()),
            false => HttpResponse::NotFound().finish(),
        }
    };
    App::new()
        .app_data(web::Data::from(shared))
        .service(web::scope("/api/v2").default_service(web::to(api)))
        .route("/oauth/token", web::to(token))
        .route("/openapi.json", web::get().to(document))
        .route("/healthz", web::get().to(health))
        .route("/readyz", web::get().to(health))
        .route("/metrics", web::get().to(metrics))
        .route("/.well-known/jwks.json", web::get().to(jwks))
}

/// A process that answers has a configuration: it does not start without one. While the store of custom domains is away it serves
/// from what it has, as every other process does: to take it out would leave nobody.
async fn health(shared: web::Data<Shared>) -> HttpResponse {
    let standing = shared.domains.as_ref().map(|registry| registry.standing()).filter(|standing| !standing.is_up);
    let mut text = "ok\n".to_owned();
    if let Some(standing) = standing {
        text += &format!(
            "the store of custom domains does not answer, for {} s: revision {} is served, and nothing can be changed\n",
            standing.silent, standing.revision
        );
    }
    HttpResponse::Ok().insert_header((header::CONTENT_TYPE, "text/plain; charset=utf-8")).body(text)
}

/// How long a JWK Set may be kept: a key must be published for longer before it signs.
const JWKS_MAX_AGE: &str = "public, max-age=300";

async fn jwks(shared: web::Data<Shared>) -> HttpResponse {
    match &shared.snapshot.load().identity_keys {
        None => HttpResponse::NotFound().finish(),
        Some(keys) => HttpResponse::Ok()
            .insert_header((header::CONTENT_TYPE, "application/jwk-set+json"))
            .insert_header((header::CACHE_CONTROL, JWKS_MAX_AGE))
            .body(keys.published().to_owned()),
    }
}

async fn metrics(shared: web::Data<Shared>) -> HttpResponse {
    shared.metrics.nonces_remembered.set(i64::try_from(shared.replay.remembered()).unwrap_or(i64::MAX));
    if let (Some(registry), Some(store)) = (&shared.domains, shared.metrics.store()) {
        let standing = registry.standing();
        store.up.set(i64::from(standing.is_up));
        store.answered.set(standing.answered_at.0);
        store.revision.set(standing.revision);
        store.domains.set(i64::try_from(registry.live().count()).unwrap_or(i64::MAX));
        store.clients.set(i64::try_from(registry.live_clients().count()).unwrap_or(i64::MAX));
    }
    let media_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    HttpResponse::Ok().insert_header((header::CONTENT_TYPE, media_type)).body(shared.metrics.text())
}
