//! Who may ask for what: bearer tokens, of which the configuration holds the tags, and their scopes.

use std::sync::Arc;

use actix_web::http::header::{AUTHORIZATION, HeaderMap};

use super::failure::Failure;
use crate::secret::{ApiKeys, Pepper, Tag};

/// How a token begins that `vestibule keygen --admin-token` makes, so that it is known where it turns up.
pub const TOKEN_PREFIX: &str = "vestibule_admin_";

/// What a token allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// To see domains, their keys' use, and to test them.
    ReadCustomDomains,
    /// To create domains, and whatever gives out a key: verification and rotation.
    CreateCustomDomains,
    /// To change domains.
    UpdateCustomDomains,
    /// To delete domains and keys.
    DeleteCustomDomains,
    /// To see the tenant's settings.
    ReadTenantSettings,
    /// To change them.
    UpdateTenantSettings,
    /// To see clients.
    ReadClients,
    /// To create clients, with credentials.
    CreateClients,
    /// To change clients, and which credentials they use.
    UpdateClients,
    /// To delete clients.
    DeleteClients,
    /// To see the credentials of clients.
    ReadClientCredentials,
    /// To add credentials.
    CreateClientCredentials,
    /// To say when credentials end.
    UpdateClientCredentials,
    /// To delete credentials.
    DeleteClientCredentials,
    /// To read the audit log.
    ReadLogs,
}

impl Scope {
    /// Each with Auth0's word for it.
    pub const ALL: [(Self, &'static str); 15] = [
        (Self::ReadCustomDomains, "read:custom_domains"),
        (Self::CreateCustomDomains, "create:custom_domains"),
        (Self::UpdateCustomDomains, "update:custom_domains"),
        (Self::DeleteCustomDomains, "delete:custom_domains"),
        (Self::ReadTenantSettings, "read:tenant_settings"),
        (Self::UpdateTenantSettings, "update:tenant_settings"),
        (Self::ReadClients, "read:clients"),
        (Self::CreateClients, "create:clients"),
        (Self::UpdateClients, "update:clients"),
        (Self::DeleteClients, "delete:clients"),
        (Self::ReadClientCredentials, "read:client_credentials"),
        (Self::CreateClientCredentials, "create:client_credentials"),
        (Self::UpdateClientCredentials, "update:client_credentials"),
        (Self::DeleteClientCredentials, "delete:client_credentials"),
        (Self::ReadLogs, "read:logs"),
    ];

    /// Its word.
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(scope, _)| *scope == self).map_or("", |(_, word)| word)
    }

    /// The scope of a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == word).map(|(scope, _)| *scope)
    }
}

/// A token of the configuration.
#[derive(Debug, Clone)]
pub struct AdminToken {
    /// Who has it: the name in the audit log.
    pub name: String,
    /// Its tag.
    pub tag: Tag,
    /// What it allows.
    pub scopes: Vec<Scope>,
}

/// Every token.
#[derive(Debug)]
pub struct Tokens {
    keys: ApiKeys,
    tokens: Vec<AdminToken>,
}

impl Tokens {
    /// Tokens whose tags were made with a pepper.
    pub fn new(pepper: Arc<Pepper>, tokens: Vec<AdminToken>) -> Self {
        Self { keys: ApiKeys::new(pepper, tokens.iter().map(|token| token.tag.clone()).collect()), tokens }
    }

    /// The token of a request and its place in the list.
    pub(super) fn find(&self, headers: &HeaderMap) -> Result<(usize, &AdminToken), Failure> {
        let mut values = headers.get_all(AUTHORIZATION);
        let (Some(value), None) = (values.next(), values.next()) else {
            return Err(Failure::unauthorized("Missing authentication"));
        };
        let token = value.to_str().ok().and_then(|value| value.split_once(' '));
        let token = token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim());
        let position = token.and_then(|token| self.keys.position(token.as_bytes()));
        let found = position.and_then(|position| Some((position, self.tokens.get(position)?)));
        found.ok_or_else(|| Failure::unauthorized("Invalid token"))
    }
}
