//! The answer to a refused request: status, a fixed sentence, the request id. Never the cause.

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use serde_json::json;

use crate::journey::ErrorStyle;
use crate::probe::Sight;
use crate::refusal::Refusal;
use crate::rules::{RuleAnswer, Says};

/// Kong's two sentences about certificates (plugins mtls-auth and header-cert-auth).
const KONG_NO_CERTIFICATE: &str = "No required TLS certificate was sent";
const KONG_BAD_CERTIFICATE: &str = "TLS certificate failed verification";

/// Makes the answer of a rule; without a status where nothing is to be sent. `X-Request-Id` is on it like on every other.
pub fn by_rule(answer: &RuleAnswer, request_id: &str) -> HttpResponse {
    let mut made = HttpResponse::build(StatusCode::from_u16(answer.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
    made.insert_header(("x-request-id", request_id));
    match answer.says() {
        Says::Custom { content_type, body, .. } => {
            if let Some(content_type) = content_type {
                made.insert_header((header::CONTENT_TYPE, content_type.as_bytes()));
            }
            made.body(body.clone())
        }
        Says::Redirect { location, .. } => made.insert_header((header::LOCATION, location.as_bytes())).finish(),
        Says::Drop | Says::NoContent => made.finish(),
    }
}

/// Makes the answer. `X-Request-Id` is on it like on every other.
pub fn refused(refusal: Refusal, style: ErrorStyle, request_id: &str) -> HttpResponse {
    let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let (media_type, body) = match style {
        ErrorStyle::Json => {
            let body = json!({"status": refusal.status(), "message": refusal.sentence(), "request_id": request_id});
            ("application/json", body)
        }
        ErrorStyle::Kong => ("application/json", json!({"message": kong_sentence(refusal), "request_id": request_id})),
        ErrorStyle::ProblemJson => {
            let body = json!({
                "type": "about:blank",
                "title": status.canonical_reason().unwrap_or_default(),
                "status": refusal.status(),
                "detail": refusal.sentence(),
                "request_id": request_id,
            });
            ("application/problem+json", body)
        }
    };
    HttpResponse::build(status)
        .insert_header((header::CONTENT_TYPE, media_type))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header(("x-request-id", request_id))
        .body(body.to_string())
}

/// The answer to a probe: what was seen of its request.
pub fn shown(sight: &Sight, request_id: &str) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "application/json"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header(("x-request-id", request_id))
        .body(json!(sight).to_string())
}

fn kong_sentence(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::CertificateRequired => KONG_NO_CERTIFICATE,
        Refusal::CertificateUnacceptable
        | Refusal::CertificateUntrusted
        | Refusal::CertificatePathBudget
        | Refusal::CertificatePurpose
        | Refusal::CertificateRevoked
        | Refusal::RevocationUnknown
        | Refusal::CertificateExpired
        | Refusal::CertificateNotYetValid
        | Refusal::CertificateMalformed
        | Refusal::ForwardedVerdictFailed => KONG_BAD_CERTIFICATE,
        other => other.sentence(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::body::MessageBody;

    #[test]
    fn every_refusal_in_every_style_keeps_its_secret() {
        for style in [ErrorStyle::Json, ErrorStyle::Kong, ErrorStyle::ProblemJson] {
            for refusal in Refusal::ALL {
                let answer = refused(*refusal, style, "id-1");
                assert_eq!(answer.status().as_u16(), refusal.status());
                assert_eq!(answer.headers().get("x-request-id").unwrap(), "id-1");
                let body = answer.into_body().try_into_bytes().unwrap();
                let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
                assert_eq!(body["request_id"], "id-1");
                assert!(!body.to_string().contains(refusal.code()), "the code is for the log: {body}");
            }
        }
    }
}
