//! Is this client the one that it says it is? Asked before the authorization server is (RFC 8705 §2).

use std::sync::Arc;

use http::{HeaderMap, HeaderName, Method};

use super::OAuth;
use super::client::{ClientCertificates, ClientMethod, Clients};
use super::form::Claimed;
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
    /// The clients.
    pub clients: Arc<Clients>,
    /// Whether `tls_client_auth` is a way to authenticate here.
    pub tls: bool,
    /// Whether `self_signed_tls_client_auth` is.
    pub self_signed: bool,
    /// Whether clients that are not registered pass, unauthenticated.
    pub pass_unregistered: bool,
    /// Whether domains have mTLS hosts, so that clients with certificates belong there.
    pub mtls_host: bool,
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
    /// Whether it came to the mTLS host of its domain.
    pub at_mtls_host: bool,
    /// The certificate that was presented with it.
    pub certificate: Option<&'r Certificate>,
    /// Whether a CA that the route trusts vouches for that certificate.
    pub trusted: bool,
    /// Whether this is within its dates.
    pub in_time: bool,
}

/// A client whose certificate proved it.
#[derive(Debug, PartialEq, Eq)]
pub struct AuthenticatedClient {
    /// Its id.
    pub id: String,
    /// How.
    pub method: &'static str,
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
        request: &TokenRequest<'_>,
    ) -> Result<Option<AuthenticatedClient>, Refused> {
        if *request.method == Method::OPTIONS {
            return Ok(None);
        }
        let invalid = |why: String| Refused::new(Refusal::OauthRequestInvalid, why);
        let form = request.form.filter(|_| *request.method == Method::POST);
        let form = form.ok_or_else(|| invalid("not a POST with a form".into()))?;
        let claimed = Claimed::read(request.headers, request.query, form).map_err(invalid)?;
        let Some(client) = self.clients.get(&claimed.client_id) else {
            return match self.pass_unregistered {
                true => Ok(None),
                false => Err(Refused::new(Refusal::OauthClientUnknown, "no such client is registered")),
            };
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
        if self.mtls_host && !request.at_mtls_host {
            return Err(refuse("it must come to the mTLS host".into()));
        }
        let certificate = request.certificate.ok_or_else(|| refuse("no certificate was presented".into()))?;
        match &client.method {
            ClientMethod::Tls(_) if !request.trusted => return Err(refuse("no trusted CA vouches for its certificate".into())),
            ClientMethod::Tls(subject) if !subject.is_of(certificate) => {
                return Err(refuse("the certificate is for another subject".into()));
            }
            ClientMethod::SelfSigned(_) if !request.in_time => return Err(refuse("its certificate is not valid now".into())),
            ClientMethod::SelfSigned(registered) if !is_registered(oauth, registered, certificate.sha256()).await? => {
                return Err(refuse("the certificate is not registered".into()));
            }
            ClientMethod::Tls(_) | ClientMethod::SelfSigned(_) | ClientMethod::Other => {}
        }
        Ok(Some(AuthenticatedClient { id: client.id.clone(), method }))
    }
}

async fn is_registered(oauth: &OAuth, registered: &ClientCertificates, sha256: &[u8; 32]) -> Result<bool, Refused> {
    let fetched;
    let listed = match registered {
        ClientCertificates::Listed(listed) => listed,
        ClientCertificates::JwksUri(jwks) => {
            let found = oauth.client_certificates(jwks, *sha256).await;
            fetched = found.map_err(|why| Refused::new(Refusal::OauthClientUnverifiable, why))?;
            &*fetched
        }
    };
    Ok(listed.iter().any(|listed| openssl::memcmp::eq(listed, sha256)))
}
