//! What was found out about a request's OAuth client and its access token.

use super::access_token::AcceptedToken;
use super::client_auth::AuthenticatedClient;
use crate::rules::OAuthFacts;

/// What was found out; nothing where the route asks for nothing.
#[derive(Debug, Default)]
pub struct Found {
    /// The client that its certificate proved.
    pub client: Option<AuthenticatedClient>,
    /// The token that was accepted.
    pub token: Option<AcceptedToken>,
}

impl Found {
    /// The same for rules.
    pub fn facts(&self) -> OAuthFacts<'_> {
        let (client, token) = (self.client.as_ref(), self.token.as_ref());
        let issued_to = token.and_then(|token| token.client_id.as_deref());
        OAuthFacts {
            client_id: client.map(|client| client.id.as_str()).or(issued_to).unwrap_or_default(),
            client_auth_method: client.map_or("", |client| client.method),
            token_iss: token.map_or("", |token| token.issuer.as_str()),
            token_sub: token.and_then(|token| token.subject.as_deref()).unwrap_or_default(),
            token_scope: token.map(|token| token.scopes.as_slice()).unwrap_or_default(),
            token_cnf: token.map(|token| token.bound_to.as_slice()).unwrap_or_default(),
        }
    }
}
