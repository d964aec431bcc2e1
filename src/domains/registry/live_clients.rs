//! Clients of the store as requests meet them.

use std::sync::atomic::Ordering;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{ChangeError, Registry};
use crate::domains::client::{ClientRecord, CredentialKind, CredentialRecord, NewCredential};
use crate::domains::store::StoreError;
use crate::oauth::{Client, ClientCertificates, ClientMethod, ClientSubject, Credential};
use crate::x509::name_match::DistinguishedName;

impl Registry {
    /// After a change, whether it was committed or not: memory gets what the store holds.
    pub(super) async fn finish_client(&self, id: &str, done: Result<(), StoreError>) -> Result<(), ChangeError> {
        if let Err(why) = self.refresh_client(id).await {
            // What the store holds is not known: nobody authenticates itself by a certificate that may have been taken away.
            self.behind.store(true, Ordering::Release);
            self.live_clients.remove(id);
            return Err(why.into());
        }
        Ok(done?)
    }

    /// Gives memory what the store holds of one client.
    pub(super) async fn refresh_client(&self, id: &str) -> Result<(), StoreError> {
        match self.store.client(id).await? {
            Some(record) => self.live_clients.set(live(&record, &self.store.credentials(id).await?)),
            None => self.live_clients.remove(id),
        }
        Ok(())
    }

    /// Reads every client anew.
    pub(super) async fn read_clients(&self) -> Result<(), StoreError> {
        let clients = self.store.all_clients().await?;
        self.live_clients.replace(clients.iter().map(|(record, credentials)| live(record, credentials)));
        Ok(())
    }
}

/// A client, with those of its credentials that it may use.
fn live(record: &ClientRecord, credentials: &[CredentialRecord]) -> Client {
    let used = credentials.iter().filter(|one| one.in_use).map(|one| &one.credential);
    let method = match record.certificates {
        None => ClientMethod::Other,
        Some(kind @ CredentialKind::SubjectDn) => {
            let names = used.filter(|one| one.kind == kind).filter_map(|one| credential(&record.id, one, subject(one)?));
            ClientMethod::Tls(ClientSubject::Dns(names.collect()))
        }
        Some(kind @ CredentialKind::Certificate) => {
            let digests = used.filter(|one| one.kind == kind).filter_map(|one| credential(&record.id, one, thumbprint(one)?));
            ClientMethod::SelfSigned(ClientCertificates::Registered(digests.collect()))
        }
    };
    Client { id: record.id.clone(), method }
}

/// What cannot be read is nobody's.
fn credential<T>(client: &str, of: &NewCredential, what: Result<T, String>) -> Option<Credential<T>> {
    what.map(|what| Credential { what, until: of.expires_at })
        .map_err(|why| tracing::warn!("a credential of the client `{client}` is not used: {why}"))
        .ok()
}

fn subject(of: &NewCredential) -> Option<Result<DistinguishedName, String>> {
    of.subject_dn.as_deref().map(DistinguishedName::parse_lines)
}

fn thumbprint(of: &NewCredential) -> Option<Result<[u8; 32], String>> {
    let decoded = |text: &str| URL_SAFE_NO_PAD.decode(text).ok().and_then(|digest| digest.try_into().ok());
    of.thumbprint.as_deref().map(|text| decoded(text).ok_or_else(|| format!("`{text}` is no x5t#S256")))
}
