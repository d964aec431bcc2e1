//! Who may ask for what: bearer tokens, of which the configuration holds the tags, and their scopes.

use std::sync::Arc;

use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::access_token::AccessTokens;
use super::failure::Failure;
use crate::clock::UnixTime;
use crate::oauth::{AccessTokenPolicy, Issuer, OAuth};
use crate::refusal::Refusal;
use crate::secret::{ApiKeys, Pepper, Tag};

/// How a token begins that `vestibule keygen --admin-token` makes, so that it is known where it turns up.
pub const TOKEN_PREFIX: &str = "vestibule_admin_";

/// How much of a name that an authorization server gives stands in the audit log.
const LONGEST_NAME: usize = 200;

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

/// The issuer that a JWT names. Nothing is believed yet: it only says who is to be asked.
fn named_issuer(token: &str) -> Option<String> {
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let claims: Value = serde_json::from_slice(&payload).ok()?;
    claims.get("iss")?.as_str().map(str::to_owned)
}

/// A name as the audit log may hold it: no lines and no marks of a terminal in it, and no U+0000, which PostgreSQL does not take.
fn printable(name: &str) -> String {
    let shown = name.chars().take(LONGEST_NAME);
    shown.map(|letter| if letter.is_control() { letter.escape_debug().to_string() } else { letter.into() }).collect()
}

/// Every token and client.
#[derive(Debug)]
pub struct Tokens {
    keys: ApiKeys,
    tokens: Vec<AdminToken>,
    signer: Option<AccessTokens>,
    clients: Vec<(AdminClient, ApiKeys)>,
    issuers: Vec<AccessTokenPolicy>,
    oauth: Option<Arc<OAuth>>,
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
            issuers: Vec::new(),
            oauth: None,
        }
    }

    /// The same with authorization servers whose tokens are taken.
    pub fn with_issuers(mut self, issuers: &[Arc<Issuer>], oauth: &Arc<OAuth>) -> Self {
        let policy = |issuer: &Arc<Issuer>| AccessTokenPolicy {
            issuer: Arc::clone(issuer),
            require_binding: false,
            pass_dpop: false,
            scopes: Vec::new(),
        };
        self.issuers = issuers.iter().map(policy).collect();
        self.oauth = Some(Arc::clone(oauth));
        self
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
    pub(super) async fn find(&self, headers: &HeaderMap, now: UnixTime) -> Result<Caller, Failure> {
        let mut values = headers.get_all(AUTHORIZATION);
        let (Some(value), None) = (values.next(), values.next()) else {
            return Err(Failure::unauthorized("Missing authentication"));
        };
        let token = value.to_str().ok().and_then(|value| value.split_once(' '));
        let token = token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim());
        let unknown = || Failure::unauthorized("Invalid token");
        let token = token.ok_or_else(unknown)?;
        match self.of_configuration(token).or_else(|| self.of_client(token, now)) {
            Some(caller) => Ok(caller),
            None => self.of_issuer(token, now).await?.ok_or_else(unknown),
        }
    }

    /// A token of an authorization server: of the one that it names itself, or, when it names none, of those that can be asked.
    async fn of_issuer(&self, token: &str, now: UnixTime) -> Result<Option<Caller>, Failure> {
        let Some(oauth) = &self.oauth else { return Ok(None) };
        let named = named_issuer(token);
        for (place, policy) in self.issuers.iter().enumerate() {
            let fits = match &named {
                Some(named) => *named == policy.issuer.issuer,
                None => policy.issuer.introspection.is_some(),
            };
            if !fits {
                continue;
            }
            match policy.check_bearer(oauth, token, now).await {
                Ok(accepted) => {
                    let who = printable(&accepted.subject.or(accepted.client_id).unwrap_or_default());
                    let scopes = accepted.scopes.iter().filter_map(|scope| Scope::parse(scope)).collect();
                    let position = self.tokens.len() + self.clients.len() + place;
                    return Ok(Some(Caller { position, name: format!("{who} of {}", accepted.issuer), scopes }));
                }
                Err(refused) if refused.refusal == Refusal::AccessTokenUnverifiable => {
                    return Err(Failure::issuer_away(&refused.cause));
                }
                Err(refused) => tracing::info!("management API: a token of {}: {}", policy.issuer.issuer, refused.cause),
            }
        }
        Ok(None)
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
