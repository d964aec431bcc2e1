//! Errors as Auth0 writes them: `{"statusCode", "error", "message", "errorCode"}`.

use actix_web::http::StatusCode;
use serde::Serialize;

use crate::domains::ChangeError;

/// Seconds until a store that is away is asked again.
const STORE_WAIT: u32 = 2;

/// Why a request was not done.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) status: StatusCode,
    code: Option<&'static str>,
    message: String,
    /// Seconds until another try makes sense.
    pub(super) wait: Option<u32>,
    /// The methods that the path has.
    pub(super) allow: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'f> {
    status_code: u16,
    error: &'f str,
    message: &'f str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<&'static str>,
}

impl Failure {
    pub(super) fn new(status: StatusCode, code: Option<&'static str>, message: String) -> Self {
        Self { status, code, message, wait: None, allow: None }
    }

    pub(super) fn bad_request(code: &'static str, message: String) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Some(code), message)
    }

    /// A body that is wrong as a whole.
    pub(super) fn body(message: &str) -> Self {
        Self::bad_request("invalid_body", format!("Payload validation error: '{message}'."))
    }

    /// One property of a body is wrong.
    pub(super) fn property(name: &str, detail: &str) -> Self {
        Self::bad_request("invalid_body", format!("Payload validation error: '{detail}' on property {name}."))
    }

    pub(super) fn unauthorized(message: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, None, message.to_owned())
    }

    pub(super) fn insufficient_scope(scope: &str) -> Self {
        let message = format!("Insufficient scope, expected any of: {scope}");
        Self::new(StatusCode::FORBIDDEN, Some("insufficient_scope"), message)
    }

    pub(super) fn not_found(code: Option<&'static str>, message: String) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, message)
    }

    pub(super) fn method_not_allowed(allow: String) -> Self {
        let failure = Self::new(StatusCode::METHOD_NOT_ALLOWED, None, format!("This path takes {allow}"));
        Self { allow: Some(allow), ..failure }
    }

    pub(super) fn too_many_requests(wait: u32) -> Self {
        let message =
            "Too many requests. Check the X-RateLimit-Limit, X-RateLimit-Remaining and X-RateLimit-Reset headers.".to_owned();
        Self { wait: Some(wait), ..Self::new(StatusCode::TOO_MANY_REQUESTS, Some("too_many_requests"), message) }
    }

    /// The cause is for the log alone.
    pub(super) fn internal(cause: &str) -> Self {
        tracing::error!("management API: {cause}");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, None, "An internal error occurred".to_owned())
    }

    /// The store does not answer. Whether a change was made that was just being made is not known.
    /// Whose token it is cannot be known now.
    pub(super) fn issuer_away(cause: &str) -> Self {
        tracing::warn!("management API: an issuer of tokens: {cause}");
        let message = "The issuer of the token does not answer.".to_owned();
        let failure = Self::new(StatusCode::SERVICE_UNAVAILABLE, Some("issuer_unavailable"), message);
        Self { wait: Some(STORE_WAIT), ..failure }
    }

    fn store_away(cause: &str) -> Self {
        tracing::warn!("management API: the store: {cause}");
        let message = "The store does not answer. What you asked for may or may not have been done: look, or ask again.";
        let failure = Self::new(StatusCode::SERVICE_UNAVAILABLE, Some("store_unavailable"), message.to_owned());
        Self { wait: Some(STORE_WAIT), ..failure }
    }

    /// What the registry said about a domain.
    pub(super) fn of_change(id: &str, why: ChangeError) -> Self {
        let conflict = |code, message: &str| Self::new(StatusCode::CONFLICT, Some(code), message.to_owned());
        match why {
            ChangeError::Unknown => {
                Self::not_found(Some("inexistent_custom_domain"), format!("The custom domain {id} does not exist"))
            }
            ChangeError::UnknownKey => {
                Self::not_found(Some("inexistent_key"), format!("The custom domain {id} has no key with this id"))
            }
            ChangeError::Exists(place) => {
                tracing::info!("management API: a custom domain is refused: it exists in {place}");
                conflict("custom_domain_exists", &format!("The specified custom domain already exists. It stands in: {place}."))
            }
            ChangeError::IsDefault => conflict("custom_domain_is_default", "The default custom domain cannot be deleted."),
            ChangeError::AlreadyVerified => Self::bad_request(
                "custom_domain_already_verified",
                "The custom domain is already verified. POST …/rotate-key gives another key.".into(),
            ),
            ChangeError::NotReady => conflict("custom_domain_not_ready", "The custom domain is not ready."),
            ChangeError::TwoKeys => conflict(
                "key_limit",
                "Two keys are in force. Revoke one of them, or rotate with an overlap of 0 seconds, which ends both.",
            ),
            ChangeError::UnknownFrontDoor => Self::not_found(
                Some("inexistent_front_door"),
                format!("The custom domain {id} has no key of a front door with this name. POST …/keys gives the first one."),
            ),
            ChangeError::FrontDoorExists => {
                conflict("front_door_exists", "This front door has a key. POST …/rotate-key gives another one.")
            }
            ChangeError::TooManyFrontDoors(most) => {
                conflict("front_door_limit", &format!("A custom domain can have a maximum of {most} front doors"))
            }
            ChangeError::UnknownClient => Self::not_found(Some("inexistent_client"), "The client does not exist".into()),
            ChangeError::UnknownCredential => {
                Self::not_found(Some("inexistent_credential"), "The credential does not exist".into())
            }
            ChangeError::ClientExists(place) => {
                tracing::info!("management API: a client is refused: it exists in {place}");
                conflict("client_exists", &format!("A client with this client_id already exists. It stands in: {place}."))
            }
            ChangeError::TooManyCredentials(most) => {
                Self::bad_request("credential_limit", format!("A client can have a maximum of {most} credentials"))
            }
            ChangeError::CredentialInUse => Self::bad_request(
                "credential_in_use",
                "The client authenticates itself with this credential. Take it out of client_authentication_methods first."
                    .into(),
            ),
            ChangeError::Invalid(property, why) => Self::property(property, &why),
            ChangeError::Store(why) if why.is_passing() => Self::store_away(&why.to_string()),
            ChangeError::Store(why) => Self::internal(&format!("the store: {why}")),
            ChangeError::Random(why) => Self::internal(&format!("no random bytes: {why}")),
        }
    }

    /// As JSON.
    pub(super) fn text(&self) -> String {
        let error = self.status.canonical_reason().unwrap_or_default();
        let body = Body { status_code: self.status.as_u16(), error, message: &self.message, error_code: self.code };
        serde_json::to_string(&body).unwrap_or_default()
    }
}
