//! Clients and their credentials.

use super::live_clients::telling;
use super::{ChangeError, Registry, random_letters};
use crate::clock::UnixTime;
use crate::domains::client::{ClientRecord, CredentialKind, CredentialRecord, NewCredential, WithCredentials};
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
        let mut begun = self.begin().await?;
        if !begun.change.insert_client(&record).await? {
            return Err(ChangeError::ClientExists("the store".into()));
        }
        for credential in credentials {
            insert(&mut begun.change, &id, credential, true, now).await?;
        }
        let done = known(&mut begun.change, &id).await?;
        self.commit(begun, (actor, now), "create_client", None, &telling(&id, None)).await?;
        Ok(done)
    }

    /// A client with its credentials.
    ///
    /// # Errors
    /// [`ChangeError::UnknownClient`], and those of the store.
    pub async fn client(&self, id: &str) -> Result<WithCredentials, ChangeError> {
        self.store.client(id).await?.ok_or(ChangeError::UnknownClient)
    }

    /// Clients in the order of their ids after so many; and how many there are.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn clients(&self, after: u32, take: u32) -> Result<(Vec<WithCredentials>, i64), ChangeError> {
        Ok(self.store.clients(i64::from(after), i64::from(take)).await?)
    }

    /// Changes a client.
    ///
    /// # Errors
    /// [`ChangeError::UnknownClient`], [`ChangeError::UnknownCredential`], [`ChangeError::Invalid`] when a credential is not of the
    /// method's kind, and those of the store.
    pub async fn update_client(&self, id: &str, patch: ClientPatch, actor: &Actor) -> Result<WithCredentials, ChangeError> {
        let mut begun = self.begin().await?;
        let now = (self.clock)();
        let (mut client, credentials) = known(&mut begun.change, id).await?;
        client.name = patch.name.unwrap_or(client.name);
        client.description = patch.description.unwrap_or(client.description);
        client.token_endpoint_auth_method = patch.token_endpoint_auth_method.unwrap_or(client.token_endpoint_auth_method);
        client.updated_at = now;
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
                    begun.change.update_credential(&credential).await?;
                }
            }
        }
        begun.change.update_client(&client).await?;
        let done = known(&mut begun.change, id).await?;
        self.commit(begun, (actor, now), "update_client", None, &telling(id, None)).await?;
        Ok(done)
    }

    /// Deletes a client and its credentials; one that does not exist is deleted already.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn delete_client(&self, id: &str, actor: &Actor) -> Result<(), ChangeError> {
        let mut begun = self.begin().await?;
        if begun.change.client(id).await?.is_none() {
            return Ok(());
        }
        begun.change.delete_client(id).await?;
        self.commit(begun, (actor, (self.clock)()), "delete_client", None, &telling(id, None)).await.map(|_| ())
    }

    /// One credential of a client.
    ///
    /// # Errors
    /// [`ChangeError::UnknownClient`], [`ChangeError::UnknownCredential`], and those of the store.
    pub async fn credential(&self, client: &str, id: &str) -> Result<CredentialRecord, ChangeError> {
        one_of(self.client(client).await?, id)
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
        let mut begun = self.begin().await?;
        let now = (self.clock)();
        if known(&mut begun.change, client).await?.1.len() >= MOST_CREDENTIALS {
            return Err(ChangeError::TooManyCredentials(MOST_CREDENTIALS));
        }
        let record = insert(&mut begun.change, client, new, false, now).await?;
        let details = telling(client, Some(&record.id));
        self.commit(begun, (actor, now), "create_credential", None, &details).await?;
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
        let mut begun = self.begin().await?;
        let now = (self.clock)();
        let mut record = one_of(known(&mut begun.change, client).await?, id)?;
        record.credential.expires_at = end;
        record.updated_at = now;
        begun.change.update_credential(&record).await?;
        self.commit(begun, (actor, now), "update_credential", None, &telling(client, Some(id))).await?;
        Ok(record)
    }

    /// Takes a credential away that the client does not use.
    ///
    /// # Errors
    /// [`ChangeError::UnknownClient`], [`ChangeError::UnknownCredential`], [`ChangeError::CredentialInUse`], and those of the store.
    pub async fn delete_credential(&self, client: &str, id: &str, actor: &Actor) -> Result<(), ChangeError> {
        let mut begun = self.begin().await?;
        if one_of(known(&mut begun.change, client).await?, id)?.in_use {
            return Err(ChangeError::CredentialInUse);
        }
        begun.change.delete_credential(id).await?;
        let details = telling(client, Some(id));
        self.commit(begun, (actor, (self.clock)()), "delete_credential", None, &details).await.map(|_| ())
    }
}

async fn known(change: &mut Change, id: &str) -> Result<WithCredentials, ChangeError> {
    change.client(id).await?.ok_or(ChangeError::UnknownClient)
}

fn one_of((_, credentials): WithCredentials, id: &str) -> Result<CredentialRecord, ChangeError> {
    credentials.into_iter().find(|credential| credential.id == id).ok_or(ChangeError::UnknownCredential)
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
