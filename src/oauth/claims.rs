//! What a token says, from its own claims (RFC 7519, RFC 9068) or its issuer's answer (RFC 7662), and whether that holds now.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::issuer::Issuer;
use super::jws::shortened;
use crate::clock::UnixTime;

/// What a token is bound to (RFC 7800 `cnf`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Binding {
    /// SHA-256 of a certificate (RFC 8705 §3.1).
    pub(super) certificate: Option<[u8; 32]>,
    /// A DPoP key (RFC 9449 §6.1).
    pub(super) dpop: bool,
}

/// Where the claims come from: an issuer's own answer need not repeat what was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    Introspection,
    Jwt,
}

/// The claims of a token whose issuer vouches for them. Dates are still to be looked at.
#[derive(Debug, Clone)]
pub(super) struct Claims {
    pub(super) binding: Binding,
    /// Whom it is about.
    pub(super) subject: Option<String>,
    /// Whom it was issued to: `client_id` (RFC 9068 §2.2), or `azp`, which some servers write.
    pub(super) client_id: Option<String>,
    pub(super) scopes: Vec<String>,
    pub(super) token_type: Option<String>,
    /// Seconds since 1970.
    pub(super) expires: i64,
    not_before: i64,
}

impl Claims {
    /// Reads claims, and checks all of them that do not change with time.
    ///
    /// # Errors
    /// What is wrong.
    pub(super) fn read(claims: &Map<String, Value>, issuer: &Issuer, origin: Origin) -> Result<Self, String> {
        let of_answer = origin == Origin::Introspection;
        match claims.get("iss") {
            Some(Value::String(iss)) if *iss == issuer.issuer => {}
            Some(Value::String(iss)) => return Err(format!("`iss` {:?} is not the issuer", shortened(iss))),
            None if of_answer => {}
            _ => return Err("`iss` is missing, or no text".into()),
        }
        audience(claims.get("aud"), issuer, of_answer && issuer.allow_missing_audience)?;
        if of_answer {
            is_of_access_token(claims)?;
        }
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let scopes =
            text("scope").unwrap_or_default().split(' ').filter(|scope| !scope.is_empty()).map(str::to_owned).collect();
        let issued = date(claims, "iat")?.unwrap_or(i64::MIN);
        Ok(Self {
            binding: claims.get("cnf").map(binding).transpose()?.unwrap_or_default(),
            scopes,
            subject: text("sub").map(str::to_owned),
            client_id: text("client_id").or_else(|| text("azp")).map(str::to_owned),
            token_type: text("token_type").map(str::to_owned),
            expires: date(claims, "exp")?.ok_or("`exp` is missing")?,
            not_before: date(claims, "nbf")?.unwrap_or(i64::MIN).max(issued),
        })
    }

    /// Whether it is their time.
    ///
    /// # Errors
    /// Why not.
    pub(super) fn hold_at(&self, now: UnixTime, issuer: &Issuer) -> Result<(), String> {
        let skew = i64::try_from(issuer.clock_skew.as_secs()).unwrap_or(0);
        if now.0 >= self.expires.saturating_add(skew) {
            return Err(format!("it expired at {}", self.expires));
        }
        if now.0 < self.not_before.saturating_sub(skew) {
            return Err(format!("it is of the future: {}", self.not_before));
        }
        Ok(())
    }
}

fn audience(aud: Option<&Value>, issuer: &Issuer, may_be_missing: bool) -> Result<(), String> {
    let ours = |aud: &Value| aud.as_str().is_some_and(|aud| issuer.audience.iter().any(|ours| ours == aud));
    match aud {
        Some(Value::Array(several)) if several.iter().any(ours) => Ok(()),
        Some(one) if ours(one) => Ok(()),
        None if may_be_missing => Ok(()),
        _ => Err("`aud` does not name this API".into()),
    }
}

/// An issuer calls refresh tokens active too (RFC 7662 §2.1), and they may be bound to the same certificate. Their answers have
/// no audience and no token type, or one that says so; `token_use` is ORY's word for it.
fn is_of_access_token(answer: &Map<String, Value>) -> Result<(), String> {
    let one_of = |value: &Value, known: &[&str]| {
        value.as_str().is_some_and(|value| known.iter().any(|known| value.eq_ignore_ascii_case(known)))
    };
    match answer.get("token_type") {
        Some(kind) if one_of(kind, &["Bearer", "DPoP", "access_token"]) => {}
        Some(_) => return Err("`token_type` is not that of an access token".into()),
        None if answer.contains_key("aud") => {}
        None => return Err("a refresh token, perhaps: it names neither an audience nor a token type".into()),
    }
    match answer.get("token_use") {
        Some(purpose) if !one_of(purpose, &["access_token"]) => Err("`token_use` is not that of an access token".into()),
        _ => Ok(()),
    }
}

/// A NumericDate, which may have a fraction (RFC 7519 §2).
fn date(claims: &Map<String, Value>, name: &str) -> Result<Option<i64>, String> {
    let bad = || format!("`{name}` is no date");
    let Some(value) = claims.get(name) else { return Ok(None) };
    let seconds = match value.as_i64() {
        Some(seconds) => seconds,
        #[allow(clippy::cast_possible_truncation, reason = "it is in the range just below")]
        None => value.as_f64().filter(|seconds| seconds.abs() < 1e15).ok_or_else(bad)? as i64,
    };
    Ok(Some(seconds))
}

/// A binding that is not understood is not "no binding".
fn binding(cnf: &Value) -> Result<Binding, String> {
    let members = cnf.as_object().filter(|members| !members.is_empty()).ok_or("`cnf` is not an object with members")?;
    let mut binding = Binding::default();
    for (name, value) in members {
        let text = value.as_str().unwrap_or_default();
        match name.as_str() {
            "x5t#S256" => {
                let digest = URL_SAFE_NO_PAD.decode(text).ok().and_then(|octets| octets.try_into().ok());
                // 40 digits are a SHA-1, which some servers put here.
                binding.certificate = Some(digest.ok_or("`cnf.x5t#S256` is not a SHA-256 in base64url")?);
            }
            "jkt" if !text.is_empty() => binding.dpop = true,
            other => return Err(format!("`cnf` has a member that is not understood: {:?}", shortened(other))),
        }
    }
    Ok(binding)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn bindings_are_understood_or_refused() {
        let thumbprint = "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0";
        let read = binding(&json!({"x5t#S256": thumbprint, "jkt": "k"})).unwrap();
        assert_eq!(read.certificate.map(|digest| URL_SAFE_NO_PAD.encode(digest)).as_deref(), Some(thumbprint));
        assert!(read.dpop);
        for bad in [
            json!(null),
            json!({}),
            json!([]),
            json!("x"),
            json!({"x5t#S256": format!("{thumbprint}=")}),
            json!({"x5t#S256": "f".repeat(40)}),
            json!({"x5t#S256": null}),
            json!({"x5t": thumbprint}),
            json!({"jkt": ""}),
            json!({"x5t#S256": thumbprint, "jwk": {}}),
        ] {
            assert!(binding(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn dates_are_numbers() {
        let claims = json!({"a": 12, "b": 12.9, "c": "12", "d": 1e300, "e": null});
        let date = |name| date(claims.as_object().unwrap(), name);
        assert_eq!((date("a"), date("b"), date("z")), (Ok(Some(12)), Ok(Some(12)), Ok(None)));
        assert!(["c", "d", "e"].into_iter().all(|name| date(name).is_err()));
    }
}
