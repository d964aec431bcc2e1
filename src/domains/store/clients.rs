//! Clients and their credentials, as rows.

use std::collections::HashMap;

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::{Change, Store, StoreError, rows, within};
use crate::clock::UnixTime;
use crate::domains::client::{ClientRecord, CredentialKind, CredentialRecord, NewCredential, WithCredentials, is_thumbprint};

impl Store {
    pub(in crate::domains) async fn client(&self, id: &str) -> Result<Option<WithCredentials>, StoreError> {
        let mut connection = self.connection().await?;
        within(with_credentials(&mut connection, id)).await
    }

    /// Clients in the order of their ids, after so many; and how many there are.
    pub(in crate::domains) async fn clients(&self, after: i64, take: i64) -> Result<(Vec<WithCredentials>, i64), StoreError> {
        let mut connection = self.connection().await?;
        within(async {
            let rows = sqlx::query("SELECT * FROM clients ORDER BY client_id LIMIT $1 OFFSET $2").bind(take).bind(after);
            let mut found = Vec::new();
            for row in &rows.fetch_all(&mut *connection).await? {
                let client = client(row)?;
                let of = credentials(&mut connection, &client.id).await?;
                found.push((client, of));
            }
            let count = sqlx::query_scalar("SELECT COUNT(*) FROM clients").fetch_one(&mut *connection).await?;
            Ok::<_, StoreError>((found, count))
        })
        .await
    }
}

pub(super) async fn with_credentials(on: &mut AnyConnection, id: &str) -> Result<Option<WithCredentials>, StoreError> {
    let row = sqlx::query("SELECT * FROM clients WHERE client_id = $1").bind(id).fetch_optional(&mut *on).await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some((client(&row)?, credentials(on, id).await?)))
}

/// A page of clients with their credentials, in the order of their ids after one.
pub(super) async fn page(on: &mut AnyConnection, after: &str, take: i64) -> Result<Vec<WithCredentials>, StoreError> {
    let rows = sqlx::query("SELECT * FROM clients WHERE client_id > $1 ORDER BY client_id LIMIT $2").bind(after).bind(take);
    let clients = rows.fetch_all(&mut *on).await?.iter().map(client).collect::<Result<Vec<_>, _>>()?;
    let (Some(first), Some(last)) = (clients.first(), clients.last()) else { return Ok(Vec::new()) };
    let rows = sqlx::query(
        "SELECT * FROM client_credentials WHERE client_id >= $1 AND client_id <= $2 ORDER BY created_at, credential_id",
    );
    let mut of_clients = HashMap::<String, Vec<CredentialRecord>>::new();
    for row in &rows.bind(&first.id).bind(&last.id).fetch_all(on).await? {
        let credential = credential(row)?;
        of_clients.entry(credential.client_id.clone()).or_default().push(credential);
    }
    let with_credentials = clients.into_iter().map(|client| {
        let credentials = of_clients.remove(&client.id).unwrap_or_default();
        (client, credentials)
    });
    Ok(with_credentials.collect())
}

async fn credentials(on: &mut AnyConnection, client: &str) -> Result<Vec<CredentialRecord>, StoreError> {
    let query = "SELECT * FROM client_credentials WHERE client_id = $1 ORDER BY created_at, credential_id";
    sqlx::query(query).bind(client).fetch_all(on).await?.iter().map(credential).collect()
}

impl Change {
    pub(in crate::domains) async fn client(&mut self, id: &str) -> Result<Option<WithCredentials>, StoreError> {
        within(with_credentials(&mut self.transaction, id)).await
    }

    /// Adds a client; false when there is one with its id.
    pub(in crate::domains) async fn insert_client(&mut self, new: &ClientRecord) -> Result<bool, StoreError> {
        let query = sqlx::query(
            "INSERT INTO clients (client_id, name, description, token_endpoint_auth_method, certificates, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (client_id) DO NOTHING",
        );
        let query = query.bind(&new.id).bind(&new.name).bind(new.description.clone());
        let query = query.bind(new.token_endpoint_auth_method.clone()).bind(new.certificates.map(CredentialKind::word));
        Ok(self.run(query.bind(new.created_at.0).bind(new.updated_at.0)).await? == 1)
    }

    pub(in crate::domains) async fn update_client(&mut self, client: &ClientRecord) -> Result<(), StoreError> {
        let query = sqlx::query(
            "UPDATE clients SET name = $1, description = $2, token_endpoint_auth_method = $3, certificates = $4, updated_at = $5
             WHERE client_id = $6",
        );
        let query = query.bind(&client.name).bind(client.description.clone()).bind(client.token_endpoint_auth_method.clone());
        let query = query.bind(client.certificates.map(CredentialKind::word)).bind(client.updated_at.0).bind(&client.id);
        self.run(query).await.map(|_| ())
    }

    /// Takes a client and its credentials away.
    pub(in crate::domains) async fn delete_client(&mut self, id: &str) -> Result<(), StoreError> {
        self.run(sqlx::query("DELETE FROM clients WHERE client_id = $1").bind(id)).await.map(|_| ())
    }

    pub(in crate::domains) async fn insert_credential(&mut self, new: &CredentialRecord) -> Result<(), StoreError> {
        let query = sqlx::query(
            "INSERT INTO client_credentials (credential_id, client_id, in_use, credential_type, name, subject_dn,
                thumbprint, created_at, updated_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        );
        let what = &new.credential;
        let query = query.bind(&new.id).bind(&new.client_id).bind(i64::from(new.in_use)).bind(what.kind.word());
        let query = query.bind(what.name.clone()).bind(what.subject_dn.clone()).bind(what.thumbprint.clone());
        let query = query.bind(new.created_at.0).bind(new.updated_at.0).bind(what.expires_at.map(|end| end.0));
        self.run(query).await.map(|_| ())
    }

    /// Says whether a client may use a credential, and when it ends.
    pub(in crate::domains) async fn update_credential(&mut self, credential: &CredentialRecord) -> Result<(), StoreError> {
        let query = "UPDATE client_credentials SET in_use = $1, expires_at = $2, updated_at = $3 WHERE credential_id = $4";
        let query = sqlx::query(query).bind(i64::from(credential.in_use));
        let query = query.bind(credential.credential.expires_at.map(|end| end.0)).bind(credential.updated_at.0);
        self.run(query.bind(&credential.id)).await.map(|_| ())
    }

    pub(in crate::domains) async fn delete_credential(&mut self, id: &str) -> Result<(), StoreError> {
        let query = sqlx::query("DELETE FROM client_credentials WHERE credential_id = $1").bind(id);
        self.run(query).await.map(|_| ())
    }
}

fn kind(word: &str) -> Result<CredentialKind, StoreError> {
    CredentialKind::parse(word).ok_or_else(|| StoreError::Contents(format!("the credential type `{word}`")))
}

fn client(row: &AnyRow) -> Result<ClientRecord, StoreError> {
    let certificates: Option<String> = row.try_get("certificates")?;
    Ok(ClientRecord {
        id: rows::text(row, "client_id")?,
        name: rows::text(row, "name")?,
        description: row.try_get("description")?,
        token_endpoint_auth_method: row.try_get("token_endpoint_auth_method")?,
        certificates: certificates.as_deref().map(kind).transpose()?,
        created_at: UnixTime(row.try_get("created_at")?),
        updated_at: UnixTime(row.try_get("updated_at")?),
    })
}

fn credential(row: &AnyRow) -> Result<CredentialRecord, StoreError> {
    let thumbprint: Option<String> = row.try_get("thumbprint")?;
    if let Some(odd) = thumbprint.as_ref().filter(|text| !is_thumbprint(text)) {
        return Err(StoreError::Contents(format!("the thumbprint `{odd}`")));
    }
    let (in_use, expires_at): (i64, Option<i64>) = (row.try_get("in_use")?, row.try_get("expires_at")?);
    let credential = NewCredential {
        kind: kind(&rows::text(row, "credential_type")?)?,
        name: row.try_get("name")?,
        subject_dn: row.try_get("subject_dn")?,
        thumbprint,
        expires_at: expires_at.map(UnixTime),
    };
    Ok(CredentialRecord {
        id: rows::text(row, "credential_id")?,
        client_id: rows::text(row, "client_id")?,
        in_use: in_use == 1,
        credential,
        created_at: UnixTime(row.try_get("created_at")?),
        updated_at: UnixTime(row.try_get("updated_at")?),
    })
}
