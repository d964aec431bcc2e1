//! Short-lived access tokens of our own (RFC 9068 in form), for clients with an id and a secret. They are signed under a key
//! that is derived from the pepper: every process with the same configuration takes them, and nothing is stored.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::access::Scope;
use crate::clock::UnixTime;
use crate::secret::{Pepper, SignatureKey};

/// The one header that is written, so that no other one is read.
const HEADER: &str = r#"{"alg":"HS256","typ":"at+jwt"}"#;
/// The longest token that is looked at.
const LONGEST: usize = 4096;

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: String,
    iat: i64,
    exp: i64,
    jti: String,
    azp: String,
    scope: String,
    gty: String,
}

/// What a token says of its bearer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Bearer {
    pub(super) client_id: String,
    pub(super) scopes: Vec<Scope>,
}

/// Signs tokens and reads them.
#[derive(Debug)]
pub(super) struct AccessTokens {
    key: SignatureKey,
    audience: String,
    lifetime: u32,
}

impl AccessTokens {
    /// For an audience, `https://…/api/v2/`; tokens live for so many seconds.
    pub(super) fn new(pepper: &Pepper, audience: &str, lifetime: u32) -> Self {
        let key = pepper.signature_key(b"vestibule: access tokens of the management API");
        Self { key, audience: audience.to_owned(), lifetime }
    }

    pub(super) fn audience(&self) -> &str {
        &self.audience
    }

    pub(super) fn lifetime(&self) -> u32 {
        self.lifetime
    }

    /// A token for a client; none when its claims are no JSON, which they always are.
    pub(super) fn sign(&self, client_id: &str, scopes: &[Scope], id: &str, now: UnixTime) -> Option<String> {
        let claims = Claims {
            iss: self.issuer(),
            sub: format!("{client_id}@clients"),
            aud: self.audience.clone(),
            iat: now.0,
            exp: now.plus(i64::from(self.lifetime)).0,
            jti: id.to_owned(),
            azp: client_id.to_owned(),
            scope: words(scopes),
            gty: "client-credentials".to_owned(),
        };
        let payload = serde_json::to_vec(&claims).ok()?;
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(HEADER), URL_SAFE_NO_PAD.encode(payload));
        let mut message = self.key.begin();
        message.update(signed.as_bytes());
        let signature = URL_SAFE_NO_PAD.encode(message.signature());
        Some(format!("{signed}.{signature}"))
    }

    /// Whose token this is, when we signed it for this audience and it has not ended.
    pub(super) fn read(&self, token: &str, now: UnixTime) -> Option<Bearer> {
        if token.len() > LONGEST {
            return None;
        }
        let (signed, signature) = token.rsplit_once('.')?;
        let mut message = self.key.begin();
        message.update(signed.as_bytes());
        if !message.is_signed_by(&URL_SAFE_NO_PAD.decode(signature).ok()?) {
            return None;
        }
        let (header, payload) = signed.split_once('.')?;
        if URL_SAFE_NO_PAD.decode(header).ok()? != HEADER.as_bytes() {
            return None;
        }
        let claims: Claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
        let in_force = claims.iss == self.issuer() && claims.aud == self.audience && now.0 < claims.exp;
        let scopes = claims.scope.split(' ').filter_map(Scope::parse).collect();
        in_force.then_some(Bearer { client_id: claims.azp, scopes })
    }

    fn issuer(&self) -> String {
        self.audience.strip_suffix("api/v2/").unwrap_or(&self.audience).to_owned()
    }
}

/// Scopes as one text.
pub(super) fn words(scopes: &[Scope]) -> String {
    scopes.iter().map(|scope| scope.word()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const AUDIENCE: &str = "https://manage.example/api/v2/";

    fn tokens(pepper: &str, audience: &str) -> AccessTokens {
        AccessTokens::new(&Pepper::parse(&pepper.repeat(32)).unwrap(), audience, 600)
    }

    #[test]
    fn a_token_is_read_by_whoever_has_the_pepper_and_until_it_ends() {
        let made = tokens("0a", AUDIENCE);
        let scopes = [Scope::ReadCustomDomains, Scope::ReadLogs];
        let token = made.sign("ci", &scopes, "1", UnixTime(1_000)).unwrap();
        let bearer = Bearer { client_id: "ci".into(), scopes: scopes.to_vec() };
        assert_eq!(tokens("0a", AUDIENCE).read(&token, UnixTime(1_599)), Some(bearer));
        assert_eq!(made.read(&token, UnixTime(1_600)), None);
        assert_eq!(tokens("0b", AUDIENCE).read(&token, UnixTime(1_000)), None);
        assert_eq!(tokens("0a", "https://other.example/api/v2/").read(&token, UnixTime(1_000)), None);
        let parts: Vec<&str> = token.split('.').collect();
        let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
        for forged in [
            String::new(),
            "..".into(),
            format!("{}.{}.", parts[0], parts[1]),
            format!("{none}.{}.", parts[1]),
            format!("{none}.{}.{}", parts[1], parts[2]),
            format!("{token}="),
            format!("{token}."),
            token.replace(parts[1], &URL_SAFE_NO_PAD.encode("{}")),
            "a.".repeat(LONGEST),
        ] {
            assert_eq!(made.read(&forged, UnixTime(1_000)), None, "{forged}");
        }
    }
}
