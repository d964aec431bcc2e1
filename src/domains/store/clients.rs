//! Clients and their credentials, as rows.

use sqlx::Row;
use sqlx::any::AnyRow;

use super::{Change, Store, StoreError, rows};
use crate::clock::UnixTime;
use crate::domains::client::{ClientRecord, CredentialKind, CredentialRecord, NewCredential, is_thumbprint};

impl Store {
    pub(in crate::domains) async fn client(&self, id: &str) -> Result<Option<ClientRecord>, StoreError> {
        let row = sqlx::query("SELECT * FROM clients WHERE client_id = $1").bind(id);
        row.fetch_optional(&self.pool).await?.as_ref().map(client).transpose()
    }

    /// Clients in the order of their ids, after so many; and how many there are.
    pub(in crate::domains) async fn clients(&self, after: i64, take: i64) -> Result<(Vec<ClientRecord>, i64), StoreError> {
        let found = sqlx::query("SELECT * FROM clients ORDER BY client_id LIMIT $1 OFFSET $2").bind(take).bind(after);
        let found = found.fetch_all(&self.pool).await?.iter().map(client).collect::<Result<_, _>>()?;
        let count = sqlx::query_scalar("SELECT COUNT(*) FROM clients").fetch_one(&self.pool).await?;
        Ok((found, count))
    }

    pub(in crate::domains) async fn credentials(&self, client: &str) -> Result<Vec<CredentialRecord>, StoreError> {
        let query = "SELECT * FROM client_credentials WHERE client_id = $1 ORDER BY created_at, credential_id";
        sqlx::query(query).bind(client).fetch_all(&self.pool).await?.iter().map(credential).collect()
    }
}

impl Change {
    /// Adds a client; false when there is one with its id.
    pub(in crate::domains) async fn insert_client(&mut self, new: &ClientRecord) -> Result<bool, StoreError> {
        let query = sqlx::query(
            "INSERT INTO clients (client_id, name, description, token_endpoint_auth_method, certificates, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (client_id) DO NOTHING",
        );
        let query = query.bind(&new.id).bind(&new.name).bind(new.description.clone());
        let query = query.bind(new.token_endpoint_auth_method.clone()).bind(new.certificates.map(CredentialKind::word));
        Ok(query.bind(new.created_at.0).bind(new.updated_at.0).execute(&mut *self.transaction).await?.rows_affected() == 1)
    }

    pub(in crate::domains) async fn update_client(&mut self, client: &ClientRecord) -> Result<(), StoreError> {
        let query = sqlx::query(
            "UPDATE clients SET name = $1, description = $2, token_endpoint_auth_method = $3, certificates = $4, updated_at = $5
             WHERE client_id = $6",
        );
        let query = query.bind(&client.name).bind(client.description.clone()).bind(client.token_endpoint_auth_method.clone());
        let query = query.bind(client.certificates.map(CredentialKind::word)).bind(client.updated_at.0).bind(&client.id);
        query.execute(&mut *self.transaction).await?;
        Ok(())
    }

    /// Takes a client and its credentials away.
    pub(in crate::domains) async fn delete_client(&mut self, id: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM clients WHERE client_id = $1").bind(id).execute(&mut *self.transaction).await?;
        Ok(())
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
        query.execute(&mut *self.transaction).await?;
        Ok(())
    }

    /// Says whether a client may use a credential, and when it ends.
    pub(in crate::domains) async fn update_credential(&mut self, credential: &CredentialRecord) -> Result<(), StoreError> {
        let query = "UPDATE client_credentials SET in_use = $1, expires_at = $2, updated_at = $3 WHERE credential_id = $4";
        let query = sqlx::query(query).bind(i64::from(credential.in_use));
        let query = query.bind(credential.credential.expires_at.map(|end| end.0)).bind(credential.updated_at.0);
        query.bind(&credential.id).execute(&mut *self.transaction).await?;
        Ok(())
    }

    pub(in crate::domains) async fn delete_credential(&mut self, id: &str) -> Result<(), StoreError> {
        let query = sqlx::query("DELETE FROM client_credentials WHERE credential_id = $1").bind(id);
        query.execute(&mut *self.transaction).await?;
        Ok(())
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
