//! The way in for subrequests: nginx `auth_request`, Traefik's ForwardAuth, Caddy's `forward_auth`.
//!
//! The same stages decide about the request that two headers name. 200 carries the headers that an upstream would get; 401
//! and 403 are refusals; every other status tells nginx that something is wrong with the question.

use actix_web::http::header;
use actix_web::{HttpResponse, HttpResponseBuilder};

use crate::answer;
use crate::clock::UnixTime;
use crate::front_door::AuthenticatedForward;
use crate::journey::{Authorize, ErrorStyle};
use crate::record::Record;
use crate::refusal::Refused;
use crate::rules::{Permitted, Trace};

/// Answers a subrequest.
pub async fn answer(
    mut record: Record,
    forward: AuthenticatedForward,
    endpoint: &Authorize,
    style: ErrorStyle,
    now: UnixTime,
) -> HttpResponse {
    match decide(&mut record, forward, endpoint, now).await {
        Ok(permitted) => {
            let mut answer = permit(&permitted);
            if let Some((name, value)) = record.expiry_header() {
                answer.insert_header((name.as_str(), value.as_bytes()));
            }
            let answer = answer.finish();
            record.permitted(200, None);
            answer
        }
        Err(refused) => {
            let answer = answer::refused(refused.refusal, style, record.request_id(), &record.challenges(refused.refusal));
            record.refused(&refused);
            answer
        }
    }
}

async fn decide(
    record: &mut Record,
    forward: AuthenticatedForward,
    endpoint: &Authorize,
    now: UnixTime,
) -> Result<Permitted, Refused> {
    let forward = forward.into_original(&endpoint.original_uri_header, &endpoint.original_method_header)?;
    record.asks_about(&forward);
    let snapshot = std::sync::Arc::clone(record.snapshot());
    let (request_id, findings) = record.deciding();
    snapshot.decide(forward, request_id, now, findings, Trace::Off).await.map(|decided| decided.permitted)
}

fn permit(permitted: &Permitted) -> HttpResponseBuilder {
    let mut answer = HttpResponse::Ok();
    answer.insert_header(("x-request-id", permitted.request_id())).insert_header((header::CACHE_CONTROL, "no-store"));
    for (name, value) in permitted.ours() {
        answer.append_header((name.as_str(), value.as_bytes()));
    }
    answer
}
