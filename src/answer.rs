//! The answer to a refused request: status, a fixed sentence, the request id. Never the cause.

mod vendors;

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use http::{HeaderName, HeaderValue};
use serde_json::json;

use crate::clock::UnixTime;
use crate::journey::ErrorStyle;
use crate::probe::Sight;
use crate::refusal::Refusal;
use crate::rules::{RuleAnswer, Says};
use crate::x509::certificate::Certificate;
use crate::x509::name::Name;
use crate::x509::name_form::NameForm;

/// Makes the answer of a rule; without a status where nothing is to be sent. `X-Request-Id` is on it like on every other.
pub fn by_rule(answer: &RuleAnswer, request_id: &str) -> HttpResponse {
    let mut made = HttpResponse::build(StatusCode::from_u16(answer.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
    // Rules look at the client: what they say to one is not for a shared cache to say to another.
    made.insert_header(("x-request-id", request_id)).insert_header((header::CACHE_CONTROL, "private"));
    match answer.says() {
        Says::Custom { content_type, body, .. } => {
            if let Some(content_type) = content_type {
                made.insert_header((header::CONTENT_TYPE, content_type.as_bytes()));
                made.insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"));
            }
            made.body(body.clone())
        }
        Says::Redirect { location, .. } => made.insert_header((header::LOCATION, location.as_bytes())).finish(),
        Says::Drop | Says::NoContent => made.finish(),
    }
}

/// A request that is refused, as far as its answer tells of it.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Its id.
    pub request_id: &'a str,
    /// Its path, without the query.
    pub path: &'a str,
    /// The instant of the refusal.
    pub at: UnixTime,
}

/// Makes the answer. `X-Request-Id` is on it like on every other.
/// `challenges` are lines of `WWW-Authenticate`.
pub fn refused(refusal: Refusal, style: ErrorStyle, asked: &Asked<'_>, challenges: &[String]) -> HttpResponse {
    let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let title = status.canonical_reason().unwrap_or_default();
    let request_id = asked.request_id;
    let (media_type, body) = match style {
        _ if oauth_error(refusal).is_some() => {
            // RFC 6749 §5.2, whatever the tenant's style: clients know this form alone.
            let error = oauth_error(refusal).unwrap_or_default();
            let body = json!({"error": error, "error_description": refusal.sentence(), "request_id": request_id});
            ("application/json", body.to_string())
        }
        ErrorStyle::Json => {
            let body = json!({"status": refusal.status(), "message": refusal.sentence(), "request_id": request_id});
            ("application/json", body.to_string())
        }
        ErrorStyle::Kong => {
            let body = json!({"message": vendors::kong(refusal), "request_id": request_id});
            ("application/json", body.to_string())
        }
        ErrorStyle::Plain => ("text/plain; charset=utf-8", format!("{}\n", refusal.sentence())),
        ErrorStyle::ProblemJson => {
            let body = json!({
                "type": "about:blank",
                "title": title,
                "status": refusal.status(),
                "detail": refusal.sentence(),
                "request_id": request_id,
            });
            ("application/problem+json", body.to_string())
        }
        ErrorStyle::Zuplo => {
            let body = json!({
                "type": format!("https://httpproblems.com/http-status/{}", refusal.status()),
                "title": title,
                "status": refusal.status(),
                "detail": vendors::zuplo(refusal),
                "instance": asked.path,
                "trace": {"timestamp": asked.at.rfc3339(), "requestId": request_id},
            });
            ("application/problem+json", body.to_string())
        }
    };
    let mut answer = HttpResponse::build(status);
    answer
        .insert_header((header::CONTENT_TYPE, media_type))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header(("x-request-id", request_id));
    for challenge in challenges {
        answer.append_header((header::WWW_AUTHENTICATE, challenge.as_str()));
    }
    answer.body(body)
}

fn oauth_error(refusal: Refusal) -> Option<&'static str> {
    match refusal {
        Refusal::OauthRequestInvalid => Some("invalid_request"),
        Refusal::OauthClientUnknown | Refusal::OauthClientRefused => Some("invalid_client"),
        Refusal::OauthClientUnverifiable => Some("temporarily_unavailable"),
        _ => None,
    }
}

/// A name in every form, by the form's word.
pub fn name_forms(name: &Name) -> serde_json::Value {
    let forms = NameForm::ALL.into_iter().map(|(form, word)| (word.to_owned(), form.text(name).into()));
    serde_json::Value::Object(forms.collect())
}

/// The answer of the DN helper: the names of the certificate that was presented.
pub fn names_of(certificate: &Certificate, request_id: &str) -> HttpResponse {
    told(&json!({"subject": name_forms(certificate.subject()), "issuer": name_forms(certificate.issuer())}), request_id)
}

/// Adds the lines that a debug token brings. They are for one pair of eyes.
pub fn show_rules(answer: &mut HttpResponse, lines: Vec<(HeaderName, HeaderValue)>) {
    for (name, value) in lines {
        let name = header::HeaderName::from_bytes(name.as_str().as_bytes());
        let value = header::HeaderValue::from_bytes(value.as_bytes());
        if let (Ok(name), Ok(value)) = (name, value) {
            let no_store = header::HeaderValue::from_static("no-store");
            answer.headers_mut().insert(header::CACHE_CONTROL, no_store);
            answer.headers_mut().append(name, value);
        }
    }
}

/// The answer to a probe: what was seen of its request.
pub fn shown(sight: &Sight, request_id: &str) -> HttpResponse {
    told(&json!(sight), request_id)
}

fn told(body: &serde_json::Value, request_id: &str) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "application/json"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header(("x-request-id", request_id))
        .body(body.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::body::MessageBody;

    const ASKED: Asked<'_> = Asked { request_id: "id-1", path: "/a\"b", at: UnixTime(1_768_478_400) };

    fn body(refusal: Refusal, style: ErrorStyle) -> String {
        let answer = refused(refusal, style, &ASKED, &[]);
        assert_eq!(answer.status().as_u16(), refusal.status());
        assert_eq!(answer.headers().get("x-request-id").unwrap(), "id-1");
        String::from_utf8(answer.into_body().try_into_bytes().unwrap().to_vec()).unwrap()
    }

    #[test]
    fn every_refusal_in_every_style_keeps_its_secret() {
        for (word, style) in ErrorStyle::ALL {
            for refusal in Refusal::ALL {
                let body = body(*refusal, style);
                assert!(!body.contains(refusal.code()), "the code is for the log: {body}");
                let read = serde_json::from_str::<serde_json::Value>(&body);
                match style {
                    // RFC 6749 §5.2 has one form, whatever the style.
                    _ if oauth_error(*refusal).is_some() => {
                        let read = read.unwrap();
                        assert_eq!(read["error"].as_str(), oauth_error(*refusal), "{word}");
                        assert_eq!(read["request_id"], "id-1", "{word}");
                    }
                    ErrorStyle::Plain => assert_eq!(body, format!("{}\n", refusal.sentence())),
                    ErrorStyle::Zuplo => assert_eq!(read.unwrap()["trace"]["requestId"], "id-1"),
                    _ => assert_eq!(read.unwrap()["request_id"], "id-1", "{word}"),
                }
            }
        }
    }

    #[test]
    fn zuplos_fields_all_of_them() {
        let expected = json!({
            "type": "https://httpproblems.com/http-status/401",
            "title": "Unauthorized",
            "status": 401,
            "detail": "Client mTLS verification failed. No client certificate was presented.",
            "instance": "/a\"b",
            "trace": {"timestamp": "2026-01-15T12:00:00Z", "requestId": "id-1"},
        });
        let body = body(Refusal::CertificateRequired, ErrorStyle::Zuplo);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&body).unwrap(), expected);
    }
}
