//! Clients and their credentials.

use super::{ChangeError, Registry, random_letters};
use crate::clock::UnixTime;
use crate::domains::client::{ClientRecord, CredentialKind, CredentialRecord, NewCredential};
use crate::domains::store::{Actor, Change};

/// Letters and digits of a client's and of a credential's id (Auth0).
const CLIENT_ID: usize = 32;
const CREDENTIAL_ID: usize = 22;
/// The most credentials of a client: two in use, and those that follow them.
const MOST_CREDENTIALS: usize = 4;

/// A client that is to be created.
#[derive(Debug, Clone)]
pub struct NewClient {
    /// Its id, where the authorization server has one for it already.
    pub id: Option<String>,
    /// Its name, for people.
    pub name: String,
    /// What it is, for people.
    pub description: Option<String>,
    /// How it authenticates itself when not by a certificate.
    pub token_endpoint_auth_method: Option<String>,
    /// What its certificates are known by, and they themselves.
    pub certificates: Option<(CredentialKind, Vec<NewCredential>)>,
}

/// What is to be changed of a client; what is none stays, and an inner none takes away.
#[derive(Debug, Clone, Default)]
pub struct ClientPatch {
    /// Its name.
    pub name: Option<String>,
    /// What it is.
    pub description: Option<Option<String>>,
    /// How it authenticates itself when not by a certificate.
    pub token_endpoint_auth_method: Option<Option<String>>,
    /// What its certificates are known by, and the ids of those that it may use.
    pub certificates: Option<Option<(CredentialKind, Vec<String>)>>,
}

/// A client with its credentials.
pub type WithCredentials = (ClientRecord, Vec<CredentialRecord>);

impl Registry {
    /// Creates a client.
    ///
    /// # Errors
    /// [`ChangeError::ClientExists`], [`ChangeError::TooManyCredentials`], and those of the store.
    pub async fn create_client(&self, new: NewClient, actor: &Actor) -> Result<WithCredentials, ChangeError> {
        let now = (self.clock)();
        let id = new.id.map_or_else(|| random_letters(CLIENT_ID), Ok)?;
        let (kind, credentials) = new.certificates.map_or((None, Vec::new()), |(kind, all)| (Some(kind), all));
        if credentials.len() > MOST_CREDENTIALS {
            return Err(ChangeError::TooManyCredentials(MOST_CREDENTIALS));
        }
        let record = ClientRecord {
            id: id.clone(),
            name: new.name,
            description: new.description,
            token_endpoint_auth_method: new.token_endpoint_auth_method,
            certificates: kind,
            created_at: now,
            updated_at: now,
        };
        let _turn = self.turn.lock().await;
        let mut change = self.store.change().await?;
        if !change.insert_client(&record).await? {
            return Err(ChangeError::ClientExists);
        }
        for credential in credentials {
            insert(&mut change, &id, credential, true, now).await?;
        }
        change.commit((actor, now), "create_client", None, &format!("client {id}")).await?;
        self.client(&id).await
    }

    /// A client with its credentials.
    ///
    /// # Errors
    /// [`ChangeError::UnknownClient`], and those of the store.
    pub async fn client(&self, id: &str) -> Result<WithCredentials, ChangeError> {
        let client = self.store.client(id).await?.ok_or(ChangeError::UnknownClient)?;
        Ok((client, self.store.credentials(id).await?))
    }

    /// Clients in the order of their ids after so many; and how many there are.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn clients(&self, after: u32, take: u32) -> Result<(Vec<WithCredentials>, i64), ChangeError> {
        let (clients, count) = self.store.clients(i64::from(after), i64::from(take)).await?;
        let mut found = Vec::with_capacity(clients.len());
        for client in clients {
            let credentials = self.store.credentials(&client.id).await?;
            found.push((client, credentials));
        }
        Ok((found, count))
    }

    /// Changes a client.
    ///
    /// # Errors
    /// [`ChangeError::UnknownClient`], [`ChangeError::UnknownCredential`], [`ChangeError::Invalid`] when a credential is not of the
    /// method's kind, and those of the store.
    pub async fn update_client(&self, id: &str, patch: ClientPatch, actor: &Actor) -> Result<WithCredentials, ChangeError> {
        let _turn = self.turn.lock().await;
        let now = (self.clock)();
        let (mut client, credentials) = self.client(id).await?;
        client.name = patch.name.unwrap_or(client.name);
        client.description = patch.description.unwrap_or(client.description);
        client.token_endpoint_auth_method = patch.token_endpoint_auth_method.unwrap_or(client.token_endpoint_auth_method);
        client.updated_at = now;
        let mut change = self.store.change().await?;
        if let Some(certificates) = patch.certificates {
            client.certificates = certificates.as_ref().map(|(kind, _)| *kind);
            if certificates.is_some() {
                client.token_endpoint_auth_method = None;
            }
            let (kind, wanted) = certificates.map_or((None, Vec::new()), |(kind, ids)| (Some(kind), ids));
            for id in &wanted {
                let found = credentials.iter().find(|credential| credential.id == *id).ok_or(ChangeError::UnknownCredential)?;
                if Some(found.credential.kind) != kind {
                    let why = format!("{id} is a {}", found.credential.kind.word());
                    return Err(ChangeError::Invalid("client_authentication_methods", why));
                }
            }
            for mut credential in credentials {
                let in_use = wanted.contains(&credential.id);
                if in_use != credential.in_use {
                    credential.in_use = in_use;
                    credential.updated_at = now;
                    change.update_credential(&credential).await?;
                }
            }
        }
        change.update_client(&client).await?;
        change.commit((actor, now), "update_client", None, &format!("client {id}")).await?;
        self.client(id).await
    }

    /// Deletes a client and its credentials; one that does not exist is deleted already.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn delete_client(&self, id: &str, actor: &Actor) -> Result<(), ChangeError> {
        let _turn = self.turn.lock().await;
        if self.store.client(id).await?.is_none() {
            return Ok(());
        }
        let mut change = self.store.change().await?;
        change.delete_client(id).await?;
        Ok(change.commit((actor, (self.clock)()), "delete_client", None, &format!("client {id}")).await?)
    }

    /// One credential of a client.
    ///
    /// # Errors
    /// [`ChangeError::UnknownClient`], [`ChangeError::UnknownCredential`], and those of the store.
    pub async fn credential(&self, client: &str, id: &str) -> Result<CredentialRecord, ChangeError> {
        let (_, credentials) = self.client(client).await?;
        credentials.into_iter().find(|credential| credential.id == id).ok_or(ChangeError::UnknownCredential)
    }

    /// Adds a credential, which the client may not use until it is told so.
    ///
    /// # Errors
    /// [`ChangeError::UnknownClient`], [`ChangeError::TooManyCredentials`], and those of the store.
    pub async fn add_credential(
        &self,
        client: &str,
        new: NewCredential,
        actor: &Actor,
    ) -> Result<CredentialRecord, ChangeError> {
        let _turn = self.turn.lock().await;
        let now = (self.clock)();
        if self.client(client).await?.1.len() >= MOST_CREDENTIALS {
            return Err(ChangeError::TooManyCredentials(MOST_CREDENTIALS));
        }
        let mut change = self.store.change().await?;
        let record = insert(&mut change, client, new, false, now).await?;
        let details = format!("client {client}, credential {}", record.id);
        change.commit((actor, now), "create_credential", None, &details).await?;
        Ok(record)
    }

    /// Says when a credential ends.
    ///
    /// # Errors
    /// [`ChangeError::UnknownClient`], [`ChangeError::UnknownCredential`], and those of the store.
    pub async fn end_credential(
        &self,
        client: &str,
        id: &str,
        end: Option<UnixTime>,
        actor: &Actor,
    ) -> Result<CredentialRecord, ChangeError> {
        let _turn = self.turn.lock().await;
        let now = (self.clock)();
        let mut record = self.credential(client, id).await?;
        record.credential.expires_at = end;
        record.updated_at = now;
        let mut change = self.store.change().await?;
        change.update_credential(&record).await?;
        change.commit((actor, now), "update_credential", None, &format!("client {client}, credential {id}")).await?;
        Ok(record)
    }

    /// Takes a credential away that the client does not use.
    ///
    /// # Errors
    /// [`ChangeError::UnknownClient`], [`ChangeError::UnknownCredential`], [`ChangeError::CredentialInUse`], and those of the store.
    pub async fn delete_credential(&self, client: &str, id: &str, actor: &Actor) -> Result<(), ChangeError> {
        let _turn = self.turn.lock().await;
        if self.credential(client, id).await?.in_use {
            return Err(ChangeError::CredentialInUse);
        }
        let mut change = self.store.change().await?;
        change.delete_credential(id).await?;
        let details = format!("client {client}, credential {id}");
        Ok(change.commit((actor, (self.clock)()), "delete_credential", None, &details).await?)
    }
}

async fn insert(
    change: &mut Change,
    client: &str,
    credential: NewCredential,
    in_use: bool,
    now: UnixTime,
) -> Result<CredentialRecord, ChangeError> {
    let id = format!("cred_{}", random_letters(CREDENTIAL_ID)?);
    let record = CredentialRecord { id, client_id: client.to_owned(), in_use, credential, created_at: now, updated_at: now };
    change.insert_credential(&record).await?;
    Ok(record)
}
