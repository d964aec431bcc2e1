//! `POST /oauth/token`: a client's id and secret for an access token (RFC 6749 §4.4), with Auth0's `audience`.

use std::collections::HashMap;

use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap};
use actix_web::http::{Method, StatusCode};
use actix_web::web::Bytes;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::access::{Scope, Tokens};
use super::access_token::words;
use super::failure::Failure;
use super::{Reply, list};
use crate::clock::UnixTime;
use crate::oauth::unique_json;

/// Where it is.
pub(super) const PATH: &str = "/oauth/token";

/// A client that has proved who it is: its place in the list and what it asks for.
pub(super) struct Applicant {
    pub(super) position: usize,
    parameters: HashMap<String, String>,
}

/// An error of RFC 6749 §5.2.
fn refused(status: StatusCode, error: &str, description: &str) -> Reply {
    let body = json!({ "error": error, "error_description": description }).to_string();
    Reply { status, body: Some(body), next: None }
}

/// Reads who asks. An inner error is the answer.
pub(super) fn applicant(
    tokens: &Tokens,
    (method, headers): (&Method, &HeaderMap),
    body: &Bytes,
) -> Result<Result<Applicant, Reply>, Failure> {
    if method != Method::POST {
        return Err(Failure::method_not_allowed("POST".into()));
    }
    let bad = |why: &str| Ok(Err(refused(StatusCode::BAD_REQUEST, "invalid_request", why)));
    // Who stands before us may have read the other one.
    if [AUTHORIZATION, CONTENT_TYPE].iter().any(|name| headers.get_all(name).nth(1).is_some()) {
        return bad("a header was sent twice: Authorization or Content-Type");
    }
    let Some(parameters) = parameters(headers, body) else {
        return bad("the body is neither a form nor a JSON object of texts, or names a parameter twice");
    };
    let basic = match headers.get(AUTHORIZATION) {
        None => None,
        Some(value) => match basic(value.as_bytes()) {
            Some(pair) => Some(pair),
            None => return bad("the header Authorization is not Basic with an id and a secret"),
        },
    };
    let in_body = parameters.get("client_id").zip(parameters.get("client_secret"));
    let (id, secret) = match (basic, in_body) {
        (Some(_), Some(_)) => return bad("the client authenticates itself in two ways"),
        (Some((id, secret)), None) => (id, secret),
        (None, Some((id, secret))) => (id.clone(), secret.clone()),
        (None, None) => return bad("client_id and client_secret are missing"),
    };
    // Auth0 says the same of an unknown client and of a wrong secret.
    let Some(position) = tokens.client(&id, secret.as_bytes()) else {
        return Ok(Err(refused(StatusCode::UNAUTHORIZED, "access_denied", "Unauthorized")));
    };
    Ok(Ok(Applicant { position, parameters }))
}

/// The answer to a client.
pub(super) fn issue(tokens: &Tokens, applicant: &Applicant, id: &str, now: UnixTime) -> Result<Reply, Failure> {
    let parameter = |name: &str| applicant.parameters.get(name).map(String::as_str);
    if parameter("grant_type") != Some("client_credentials") {
        let why = "client_credentials is the one grant type";
        return Ok(refused(StatusCode::BAD_REQUEST, "unsupported_grant_type", why));
    }
    let (Some(signer), Some(client)) = (tokens.signer(), tokens.client_at(applicant.position)) else {
        return Err(Failure::internal("a client without a signer"));
    };
    match parameter("audience") {
        Some(audience) if audience == signer.audience() => {}
        Some(other) => {
            let why = format!("Service not enabled within domain: {other:.200}");
            return Ok(refused(StatusCode::FORBIDDEN, "access_denied", &why));
        }
        None => return Ok(refused(StatusCode::BAD_REQUEST, "invalid_request", "audience is missing")),
    }
    let scopes = match parameter("scope").map(str::trim).filter(|scope| !scope.is_empty()) {
        None => client.scopes.clone(),
        Some(wanted) => {
            let wanted: Option<Vec<Scope>> = wanted.split_ascii_whitespace().map(Scope::parse).collect();
            match wanted.filter(|wanted| wanted.iter().all(|scope| client.scopes.contains(scope))) {
                Some(wanted) => wanted,
                None => return Ok(refused(StatusCode::BAD_REQUEST, "invalid_scope", "the client does not have such a scope")),
            }
        }
    };
    let token = signer.sign(&client.client_id, &scopes, id, now).ok_or_else(|| Failure::internal("claims that are no JSON"))?;
    Reply::ok(&json!({
        "access_token": token,
        "scope": words(&scopes),
        "expires_in": signer.lifetime(),
        "token_type": "Bearer",
    }))
}

/// A form, or JSON as Auth0 takes it too. None names a parameter twice (RFC 6749 §3.2).
fn parameters(headers: &HeaderMap, body: &Bytes) -> Option<HashMap<String, String>> {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let mut found = HashMap::new();
    if kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json")) {
        let Ok(Value::Object(properties)) = unique_json(body) else { return None };
        for (name, value) in properties {
            let Value::String(text) = value else { return None };
            found.insert(name, text);
        }
        return Some(found);
    }
    for (name, value) in list::parameters(std::str::from_utf8(body).ok()?).ok()? {
        if found.insert(name, value).is_some() {
            return None;
        }
    }
    Some(found)
}

/// RFC 6749 §2.3.1: both halves are form-encoded.
fn basic(value: &[u8]) -> Option<(String, String)> {
    let (scheme, text) = std::str::from_utf8(value).ok()?.split_once(' ')?;
    let text = STANDARD.decode(text.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let text = String::from_utf8(text).ok()?;
    let (id, secret) = text.split_once(':')?;
    let decoded = |text: &str| list::decoded(text).ok();
    Some((decoded(id)?, decoded(secret)?))
}
