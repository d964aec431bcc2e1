//! Who may ask for what: bearer tokens, of which the configuration holds the tags, and their scopes.

use std::sync::Arc;

use actix_web::http::header::{AUTHORIZATION, HeaderMap};

use super::access_token::AccessTokens;
use super::failure::Failure;
use crate::clock::UnixTime;
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

/// A client that gets access tokens for its id and secret.
#[derive(Debug, Clone)]
pub struct AdminClient {
    /// Its `client_id`, and its name in the audit log.
    pub client_id: String,
    /// The tags of its secrets: one, or two while they are changed.
    pub secrets: Vec<Tag>,
    /// What its tokens allow at most.
    pub scopes: Vec<Scope>,
}

/// Clients, and what their tokens are like.
#[derive(Debug, Clone)]
pub struct AdminClients {
    /// What tokens are for, `https://…/api/v2/`.
    pub audience: String,
    /// How many seconds a token lives.
    pub lifetime: u32,
    /// The clients.
    pub clients: Vec<AdminClient>,
}

/// Who asks.
#[derive(Debug)]
pub(super) struct Caller {
    /// Its place among all tokens and clients.
    pub(super) position: usize,
    pub(super) name: String,
    pub(super) scopes: Vec<Scope>,
}

/// Every token and client.
#[derive(Debug)]
pub struct Tokens {
    keys: ApiKeys,
    tokens: Vec<AdminToken>,
    signer: Option<AccessTokens>,
    clients: Vec<(AdminClient, ApiKeys)>,
}

impl Tokens {
    /// Tokens and clients whose tags were made with a pepper.
    pub fn new(pepper: &Arc<Pepper>, tokens: Vec<AdminToken>, clients: Option<AdminClients>) -> Self {
        let keys = |tags: Vec<Tag>| ApiKeys::new(Arc::clone(pepper), tags);
        let signer = clients.as_ref().map(|of| AccessTokens::new(pepper, &of.audience, of.lifetime));
        let clients = clients.map(|of| of.clients).unwrap_or_default();
        Self {
            keys: keys(tokens.iter().map(|token| token.tag.clone()).collect()),
            tokens,
            signer,
            clients: clients.into_iter().map(|client| (client.clone(), keys(client.secrets))).collect(),
        }
    }

    pub(super) fn signer(&self) -> Option<&AccessTokens> {
        self.signer.as_ref()
    }

    /// The place among all tokens and clients of a client that has this secret.
    pub(super) fn client(&self, id: &str, secret: &[u8]) -> Option<usize> {
        let position = self.clients.iter().position(|(client, _)| client.client_id == id)?;
        let (_, secrets) = self.clients.get(position)?;
        secrets.position(secret).map(|_| self.tokens.len() + position)
    }

    pub(super) fn client_at(&self, position: usize) -> Option<&AdminClient> {
        self.clients.get(position.checked_sub(self.tokens.len())?).map(|(client, _)| client)
    }

    /// Who sends a request.
    pub(super) fn find(&self, headers: &HeaderMap, now: UnixTime) -> Result<Caller, Failure> {
        let mut values = headers.get_all(AUTHORIZATION);
        let (Some(value), None) = (values.next(), values.next()) else {
            return Err(Failure::unauthorized("Missing authentication"));
        };
        let token = value.to_str().ok().and_then(|value| value.split_once(' '));
        let token = token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim());
        let found = token.and_then(|token| self.of_configuration(token).or_else(|| self.of_client(token, now)));
        found.ok_or_else(|| Failure::unauthorized("Invalid token"))
    }

    fn of_configuration(&self, token: &str) -> Option<Caller> {
        let position = self.keys.position(token.as_bytes())?;
        let token = self.tokens.get(position)?;
        Some(Caller { position, name: token.name.clone(), scopes: token.scopes.clone() })
    }

    /// A token that we signed, for a client that is still there and for what it still may.
    fn of_client(&self, token: &str, now: UnixTime) -> Option<Caller> {
        let bearer = self.signer.as_ref()?.read(token, now)?;
        let position = self.clients.iter().position(|(client, _)| client.client_id == bearer.client_id)?;
        let (client, _) = self.clients.get(position)?;
        let scopes = bearer.scopes.into_iter().filter(|scope| client.scopes.contains(scope)).collect();
        Some(Caller { position: self.tokens.len() + position, name: format!("{}@clients", client.client_id), scopes })
    }
}
