//! The way in for subrequests: nginx `auth_request`, Traefik's ForwardAuth, Caddy's `forward_auth`.
//!
//! The same stages decide about the request that two headers name. 200 carries the headers that an upstream would get; 401
//! and 403 are refusals; every other status tells nginx that something is wrong with the question. A debug token is for the
//! request that is asked about.

use actix_web::http::header;
use actix_web::{HttpResponse, HttpResponseBuilder};
use http::HeaderValue;

use crate::answer;
use crate::clock::UnixTime;
use crate::front_door::AuthenticatedForward;
use crate::journey::{Authorize, Decided, ErrorStyle};
use crate::record::Record;
use crate::refusal::{Refusal, Refused};
use crate::rules::{Permitted, RuleAnswer, Says};

/// Answers a subrequest, which may bring a debug token.
pub async fn answer(
    mut record: Box<Record>,
    forward: AuthenticatedForward,
    endpoint: &Authorize,
    token: Option<&HeaderValue>,
    style: ErrorStyle,
    now: UnixTime,
) -> HttpResponse {
    match decide(&mut record, forward, endpoint, token, now).await {
        Ok(Decided::Permitted(sending)) => {
            let mut answer = permit(&sending.permitted);
            if let Some((name, value)) = record.expiry_header() {
                answer.insert_header((name.as_str(), value.as_bytes()));
            }
            let mut answer = answer.finish();
            answer::show_rules(&mut answer, record.debug_lines());
            record.permitted(200, None);
            answer
        }
        Ok(Decided::Answered(answered)) => {
            let mut answer = answer::by_rule(&answered, record.request_id());
            answer::show_rules(&mut answer, record.debug_lines());
            record.answered(&answered);
            answer
        }
        Err(refused) => {
            let challenges = record.challenges(refused.refusal);
            let mut answer = answer::refused(refused.refusal, record.error_style(style), &record.asked(), &challenges);
            answer::show_rules(&mut answer, record.debug_lines());
            record.refused(&refused);
            answer
        }
    }
}

async fn decide(
    record: &mut Record,
    forward: AuthenticatedForward,
    endpoint: &Authorize,
    token: Option<&HeaderValue>,
    now: UnixTime,
) -> Result<Decided, Refused> {
    let forward = forward.into_original(&endpoint.original_uri_header, &endpoint.original_method_header)?;
    record.asks_about(&forward);
    record.debug(token, &forward, now);
    match record.decide(forward, now).await? {
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
    for (name, value) in &permitted.ours() {
        answer.append_header((name.as_str(), value.as_bytes()));
    }
    answer
}
