//! The admin listener: health, metrics, and the keys with which upstreams check our tokens. It is never the data listener.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use actix_web::dev::Server;
use actix_web::http::header;
use actix_web::{App, HttpResponse, HttpServer, web};

use crate::shared::Shared;

/// Opens the listener.
pub(super) fn listen(address: SocketAddr, shared: Arc<Shared>) -> io::Result<Server> {
    let data = web::Data::from(shared);
    let app = move || {
        App::new()
            .app_data(data.clone())
            .route("/healthz", web::get().to(ok))
            .route("/readyz", web::get().to(ok))
            .route("/metrics", web::get().to(metrics))
            .route("/.well-known/jwks.json", web::get().to(jwks))
    };
    let failed = |why: io::Error| io::Error::new(why.kind(), format!("cannot listen on {address}: {why}"));
    Ok(HttpServer::new(app).workers(1).disable_signals().bind(address).map_err(failed)?.run())
}

/// A process that answers has a configuration: it does not start without one.
async fn ok() -> HttpResponse {
    HttpResponse::Ok().insert_header((header::CONTENT_TYPE, "text/plain; charset=utf-8")).body("ok\n")
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
    let media_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    HttpResponse::Ok().insert_header((header::CONTENT_TYPE, media_type)).body(shared.metrics.text())
}
