//! Clients of the store as requests meet them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::Registry;
use crate::domains::client::{CredentialKind, NewCredential, WithCredentials};
use crate::domains::store::{Reader, StoreError};
use crate::oauth::{Client, ClientCertificates, ClientMethod, ClientSubject, Credential};
use crate::x509::name_match::DistinguishedName;

/// What a change of a client says of itself in the audit log. Replicas find the client by it.
pub(super) fn telling(client: &str, credential: Option<&str>) -> String {
    match credential {
        Some(credential) => format!("client {client}, credential {credential}"),
        None => format!("client {client}"),
    }
}

/// The id of the client that a line of the audit log is about. Ids hold no commas.
pub(super) fn told_client<'l>(action: &str, details: &'l str) -> Option<&'l str> {
    let about = action.ends_with("_client") || action.ends_with("_credential");
    details.strip_prefix("client ").filter(|_| about).map(|rest| rest.split_once(", ").map_or(rest, |(id, _)| id))
}

impl Registry {
    /// Makes memory of a client what the store holds.
    pub(super) fn take_client(&self, id: &str, found: Option<&WithCredentials>) {
        if let Some(kept) = &self.kept_clients {
            kept.take(id, found);
        }
        match found {
            Some(found) => self.live_clients.set(live(found)),
            None => self.live_clients.remove(id),
        }
    }

    /// Reads every client anew.
    pub(super) async fn read_clients(&self, reader: &mut Reader) -> Result<(), StoreError> {
        let clients = reader.all_clients().await?;
        if let Some(kept) = &self.kept_clients {
            kept.replace(&clients);
        }
        self.live_clients.replace(clients.iter().map(live));
        Ok(())
    }
}

/// A client, with those of its credentials that it may use.
fn live((record, credentials): &WithCredentials) -> Client {
    let used = credentials.iter().filter(|one| one.in_use).map(|one| &one.credential);
    of_parts(&record.id, record.certificates, used)
}

/// A client of its id, what its certificates are known by, and the credentials that it may use.
pub(super) fn of_parts<'c>(id: &str, kind: Option<CredentialKind>, used: impl Iterator<Item = &'c NewCredential>) -> Client {
    let used = used.filter(|one| Some(one.kind) == kind);
    let method = match kind {
        None => ClientMethod::Other,
        Some(CredentialKind::SubjectDn) => {
            let names = used.filter_map(|one| credential(id, one, subject(one)?));
            ClientMethod::Tls(ClientSubject::Dns(names.collect()))
        }
        Some(CredentialKind::Certificate) => {
            let digests = used.filter_map(|one| credential(id, one, thumbprint(one)?));
            ClientMethod::SelfSigned(ClientCertificates::Registered(digests.collect()))
        }
    };
    Client { id: id.to_owned(), method }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_audit_log_tell_their_client() {
        for (action, credential) in [("create_client", None), ("delete_client", None), ("update_credential", Some("cred_1"))] {
            assert_eq!(told_client(action, &telling("a b", credential)), Some("a b"), "{action}");
        }
        for (action, details) in [("create", "client a"), ("create_client", "a.example"), ("settings", "x = true")] {
            assert_eq!(told_client(action, details), None, "{action} {details}");
        }
    }
}
