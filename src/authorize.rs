//! The way in for subrequests: nginx `auth_request`, Traefik's ForwardAuth, Caddy's `forward_auth`.
//!
//! The same stages decide about the request that two headers name. 200 carries the headers that an upstream would get; 401
//! and 403 are refusals; every other status tells nginx that something is wrong with the question.

use actix_web::http::header;
use actix_web::{HttpResponse, HttpResponseBuilder};

use crate::answer;
use crate::clock::UnixTime;
use crate::front_door::AuthenticatedForward;
use crate::journey::{Authorize, Decided, ErrorStyle};
use crate::record::Record;
use crate::refusal::{Refusal, Refused};
use crate::rules::{Permitted, RuleAnswer, Says, Trace};

/// Answers a subrequest.
pub async fn answer(
    mut record: Record,
    forward: AuthenticatedForward,
    endpoint: &Authorize,
    style: ErrorStyle,
    now: UnixTime,
) -> HttpResponse {
    match decide(&mut record, forward, endpoint, now).await {
        Ok(Decided::Permitted(sending)) => {
            let mut answer = permit(&sending.permitted);
            if let Some((name, value)) = record.expiry_header() {
                answer.insert_header((name.as_str(), value.as_bytes()));
            }
            let answer = answer.finish();
            record.permitted(200, None);
            answer
        }
        Ok(Decided::Answered(answered)) => {
            let answer = answer::by_rule(&answered, record.request_id());
            record.answered(&answered);
            answer
        }
        Err(refused) => {
            let answer = answer::refused(refused.refusal, record.error_style(style), &record.asked());
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
) -> Result<Decided, Refused> {
    let forward = forward.into_original(&endpoint.original_uri_header, &endpoint.original_method_header)?;
    record.asks_about(&forward);
    let snapshot = std::sync::Arc::clone(record.snapshot());
    let (request_id, findings) = record.deciding();
    match snapshot.decide(forward, request_id, now, findings, Trace::Off).await? {
        Decided::Answered(answer) if means_permit(&answer) => {
            let cause = format!("rule `{}` answers it, and this answer would mean yes here", answer.rule());
            Err(Refused::new(Refusal::DeniedByRule, cause))
        }
        decided => Ok(decided),
    }
}

/// Whoever asks takes every 2xx for a permission. A connection that is closed would be taken for a fault of ours.
fn means_permit(answer: &RuleAnswer) -> bool {
    matches!(answer.says(), Says::Drop) || answer.status() < 300
}

fn permit(permitted: &Permitted) -> HttpResponseBuilder {
    let mut answer = HttpResponse::Ok();
    answer.insert_header(("x-request-id", permitted.request_id())).insert_header((header::CACHE_CONTROL, "no-store"));
    for (name, value) in permitted.ours() {
        answer.append_header((name.as_str(), value.as_bytes()));
    }
    answer
}
