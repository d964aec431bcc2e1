//! What the earlier stages know of an OAuth client and its access token, in the form that rules read.

use std::borrow::Cow;

/// What is known; a text that is not known is empty.
#[derive(Debug, Clone, Copy, Default)]
pub struct OAuthFacts<'r> {
    /// The client: the one whose certificate was checked here, or the one that the token was issued to.
    pub client_id: &'r str,
    /// By which method its certificate was checked here.
    pub client_auth_method: &'r str,
    /// The token's issuer.
    pub token_iss: &'r str,
    /// Whom the token is about.
    pub token_sub: &'r str,
    /// What the token allows.
    pub token_scope: &'r [String],
    /// What the token is bound to, by RFC 7800's names.
    pub token_cnf: &'r [&'static str],
}

/// A variable of an OAuth client or its access token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OAuthVariable {
    /// `oauth_client_auth_method`: `tls_client_auth` or `self_signed_tls_client_auth`, when it was checked here.
    ClientAuthMethod,
    /// `oauth_client_id`.
    ClientId,
    /// `oauth_token_cnf`: `x5t#S256`, `jkt`; empty when the token is bound to nothing.
    TokenCnf,
    /// `oauth_token_iss`.
    TokenIss,
    /// `oauth_token_scope`.
    TokenScope,
    /// `oauth_token_sub`.
    TokenSub,
}

impl OAuthVariable {
    /// Every variable and its name.
    pub const ALL: [(Self, &'static str); 6] = [
        (Self::ClientId, "oauth_client_id"),
        (Self::ClientAuthMethod, "oauth_client_auth_method"),
        (Self::TokenIss, "oauth_token_iss"),
        (Self::TokenSub, "oauth_token_sub"),
        (Self::TokenScope, "oauth_token_scope"),
        (Self::TokenCnf, "oauth_token_cnf"),
    ];

    pub(super) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find_map(|(variable, known)| (known == name).then_some(variable))
    }

    /// Whether it has any number of values.
    pub(super) fn is_list(self) -> bool {
        matches!(self, Self::TokenCnf | Self::TokenScope)
    }

    /// The value as one text, as the field writes it: scopes with spaces between them.
    pub fn text<'r>(self, facts: &OAuthFacts<'r>) -> Cow<'r, str> {
        match self {
            Self::ClientAuthMethod => facts.client_auth_method.into(),
            Self::ClientId => facts.client_id.into(),
            Self::TokenCnf => facts.token_cnf.join(" ").into(),
            Self::TokenIss => facts.token_iss.into(),
            Self::TokenScope => facts.token_scope.join(" ").into(),
            Self::TokenSub => facts.token_sub.into(),
        }
    }

    pub(super) fn values<'r>(self, facts: &OAuthFacts<'r>) -> Vec<Cow<'r, str>> {
        match self {
            Self::TokenCnf => facts.token_cnf.iter().map(|member| Cow::Borrowed(*member)).collect(),
            Self::TokenScope => facts.token_scope.iter().map(|scope| Cow::Borrowed(scope.as_str())).collect(),
            one => vec![one.text(facts)],
        }
    }
}
