//! Is this client the one that it says it is? Asked before the authorization server is (RFC 8705 §2).

use std::sync::Arc;

use http::{HeaderMap, HeaderName, Method};

use super::OAuth;
use super::client::{ClientCertificates, ClientMethod, Clients};
use super::form::Claimed;
use super::registered::RegisteredClients;
use crate::clock::UnixTime;
use crate::refusal::{Refusal, Refused};
use crate::x509::certificate::Certificate;

/// The client that was authenticated, for the authorization server's hooks.
pub const CLIENT_ID_HEADER: HeaderName = HeaderName::from_static("x-vestibule-client-id");
/// By which method.
pub const CLIENT_METHOD_HEADER: HeaderName = HeaderName::from_static("x-vestibule-client-auth-method");

/// The largest form that is read, in bytes.
pub const MOST_FORM_BYTES: usize = 64 * 1024;

/// What a route asks of clients.
#[derive(Debug, Clone)]
pub struct ClientAuthPolicy {
    /// The clients of the configuration.
    pub clients: Arc<Clients>,
    /// Whether `tls_client_auth` is a way to authenticate here.
    pub tls: bool,
    /// Whether `self_signed_tls_client_auth` is.
    pub self_signed: bool,
    /// Whether clients that are not registered pass, unauthenticated.
    pub pass_unregistered: bool,
}

/// What is looked at.
pub struct TokenRequest<'r> {
    /// The method.
    pub method: &'r Method,
    /// The headers.
    pub headers: &'r HeaderMap,
    /// The query.
    pub query: Option<&'r str>,
    /// The whole body; none when nobody read it.
    pub form: Option<&'r [u8]>,
    /// Whether its domain has an mTLS host, and it came to the other name.
    pub beside_mtls_host: bool,
    /// When.
    pub now: UnixTime,
    /// The certificate that was presented with it.
    pub certificate: Option<&'r Certificate>,
    /// Whether a CA that the route trusts vouches for that certificate.
    pub trusted: bool,
    /// Whether this is within its dates.
    pub in_time: bool,
}

/// Where a client is registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientSource {
    /// In the tenant's file.
    Configuration,
    /// In the store, by the management API.
    Store,
}

impl ClientSource {
    /// Its word, for logs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Store => "store",
        }
    }
}

/// A client whose certificate proved it.
#[derive(Debug, PartialEq, Eq)]
pub struct AuthenticatedClient {
    /// Its id.
    pub id: String,
    /// How.
    pub method: &'static str,
    /// Where it is registered.
    pub source: ClientSource,
}

impl ClientAuthPolicy {
    /// The methods that are ways to authenticate here.
    pub fn methods(&self) -> Vec<&'static str> {
        let tls = self.tls.then_some("tls_client_auth");
        tls.into_iter().chain(self.self_signed.then_some("self_signed_tls_client_auth")).collect()
    }

    /// Authenticates the client of a request; none when that is left to the authorization server.
    ///
    /// # Errors
    /// One of the `OauthClient…` refusals, or [`Refusal::OauthRequestInvalid`].
    pub async fn authenticate(
        &self,
        oauth: &OAuth,
        registered: Option<&RegisteredClients>,
        request: &TokenRequest<'_>,
    ) -> Result<Option<AuthenticatedClient>, Refused> {
        if *request.method == Method::OPTIONS {
            return Ok(None);
        }
        let invalid = |why: String| Refused::new(Refusal::OauthRequestInvalid, why);
        let form = request.form.filter(|_| *request.method == Method::POST);
        let form = form.ok_or_else(|| invalid("not a POST with a form".into()))?;
        let claimed = Claimed::read(request.headers, request.query, form).map_err(invalid)?;
        let in_store = registered.and_then(|clients| clients.get(&claimed.client_id));
        let (client, source) = match (self.clients.get(&claimed.client_id), &in_store) {
            (Some(client), _) => (client, ClientSource::Configuration),
            (None, Some(client)) => (&**client, ClientSource::Store),
            (None, None) if self.pass_unregistered => return Ok(None),
            (None, None) => return Err(Refused::new(Refusal::OauthClientUnknown, "no such client is registered")),
        };
        let refuse = |why: String| Refused::new(Refusal::OauthClientRefused, format!("client `{}`: {why}", client.id));
        let allowed = match &client.method {
            ClientMethod::Other => return Ok(None),
            ClientMethod::Tls(_) => self.tls,
            ClientMethod::SelfSigned(_) => self.self_signed,
        };
        let method = client.method.name();
        if !allowed {
            return Err(refuse(format!("`{method}` is off on this route")));
        }
        if claimed.has_other_credentials {
            return Err(refuse(format!("it brings other credentials than those of `{method}`")));
        }
        if request.beside_mtls_host {
            return Err(refuse("it must come to the mTLS host".into()));
        }
        let certificate = request.certificate.ok_or_else(|| refuse("no certificate was presented".into()))?;
        match &client.method {
            ClientMethod::Tls(_) if !request.trusted => return Err(refuse("no trusted CA vouches for its certificate".into())),
            ClientMethod::Tls(subject) if !subject.is_of(certificate, request.now) => {
                return Err(refuse("the certificate is for another subject".into()));
            }
            ClientMethod::SelfSigned(_) if !request.in_time => return Err(refuse("its certificate is not valid now".into())),
            ClientMethod::SelfSigned(registered) if !is_registered(oauth, registered, certificate, request.now).await? => {
                return Err(refuse("the certificate is not registered".into()));
            }
            ClientMethod::Tls(_) | ClientMethod::SelfSigned(_) | ClientMethod::Other => {}
        }
        Ok(Some(AuthenticatedClient { id: client.id.clone(), method, source }))
    }
}

async fn is_registered(
    oauth: &OAuth,
    registered: &ClientCertificates,
    certificate: &Certificate,
    now: UnixTime,
) -> Result<bool, Refused> {
    let sha256 = certificate.sha256();
    let fetched;
    let listed = match registered {
        ClientCertificates::Listed(listed) => listed,
        ClientCertificates::Registered(listed) => {
            let mut in_force = listed.iter().filter(|one| one.is_in_force(now));
            return Ok(in_force.any(|one| openssl::memcmp::eq(&one.what, sha256)));
        }
        ClientCertificates::JwksUri(jwks) => {
            let found = oauth.client_certificates(jwks, *sha256).await;
            fetched = found.map_err(|why| Refused::new(Refusal::OauthClientUnverifiable, why))?;
            &*fetched
        }
    };
    Ok(listed.iter().any(|listed| openssl::memcmp::eq(listed, sha256)))
}
