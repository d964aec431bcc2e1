//! The admin listener: health, metrics and the management API. It is never the data listener.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use actix_web::dev::Server;
use actix_web::http::header;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};

use crate::manage::Management;
use crate::shared::Shared;

/// Opens the listener.
pub(super) fn listen(address: SocketAddr, shared: Arc<Shared>, management: Option<Arc<Management>>) -> io::Result<Server> {
    let data = web::Data::from(shared);
    let app = move || {
        let management = management.clone();
        let api = move |request: HttpRequest, payload: web::Payload| {
            let management = management.clone();
            async move {
                match management {
                    Some(management) => management.handle(request, payload).await,
                    None => HttpResponse::NotFound().finish(),
                }
            }
        };
        App::new()
            .app_data(data.clone())
            .service(web::scope("/api/v2").default_service(web::to(api)))
            .route("/healthz", web::get().to(health))
            .route("/readyz", web::get().to(health))
            .route("/metrics", web::get().to(metrics))
    };
    let failed = |why: io::Error| io::Error::new(why.kind(), format!("cannot listen on {address}: {why}"));
    Ok(HttpServer::new(app).workers(1).disable_signals().bind(address).map_err(failed)?.run())
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

async fn metrics(shared: web::Data<Shared>) -> HttpResponse {
    shared.metrics.nonces_remembered.set(i64::try_from(shared.replay.remembered()).unwrap_or(i64::MAX));
    if let (Some(registry), Some(store)) = (&shared.domains, shared.metrics.store()) {
        let standing = registry.standing();
        store.up.set(i64::from(standing.is_up));
        store.answered.set(standing.answered_at.0);
        store.revision.set(standing.revision);
        store.domains.set(i64::try_from(registry.live().count()).unwrap_or(i64::MAX));
    }
    let media_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    HttpResponse::Ok().insert_header((header::CONTENT_TYPE, media_type)).body(shared.metrics.text())
}
