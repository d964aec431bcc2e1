//! OAuth 2.0 with client certificates (RFC 8705): what an upstream need not check itself.
//!
//! **Enters:** a request's access token and the certificate that was presented with it. **Leaves:** nothing more than that they
//! belong together. Refused: the `AccessToken…` refusals.
//!
//! 1. Exactly one token, in `Authorization`, and none in the query or a form: else [`AccessTokenMissing`], [`AccessTokenRepeated`].
//! 2. Its issuer vouches for it: by a signature with an allowed algorithm and one of the issuer's keys (`keys`), or by its
//!    answer (`introspection`); `iss`, `aud`, `exp`, `nbf`, `typ` are right, and nothing critical is unknown: else
//!    [`AccessTokenInvalid`]. When that cannot be known: [`AccessTokenUnverifiable`], never a way through.
//! 3. It is bound to the presented certificate (`cnf.x5t#S256`, §3): else [`AccessTokenCertificate`], or [`AccessTokenUnbound`]
//!    where a binding is required. A token bound to a DPoP key is never a bearer token: [`AccessTokenDpop`].
//! 4. It has the route's scopes: else [`AccessTokenScope`].
//!
//! At the endpoints of an authorization server the same is asked about clients (`client_auth`, §2): who `client_id` says it is
//! must have the registered certificate: else [`OauthClientUnknown`], [`OauthClientRefused`].
//!
//! URLs are the operator's own; a discovery document may only lead to its own host. Fetching happens on a thread of its own.
//!
//! [`AccessTokenMissing`]: crate::refusal::Refusal::AccessTokenMissing
//! [`AccessTokenRepeated`]: crate::refusal::Refusal::AccessTokenRepeated
//! [`AccessTokenInvalid`]: crate::refusal::Refusal::AccessTokenInvalid
//! [`AccessTokenUnverifiable`]: crate::refusal::Refusal::AccessTokenUnverifiable
//! [`AccessTokenCertificate`]: crate::refusal::Refusal::AccessTokenCertificate
//! [`AccessTokenUnbound`]: crate::refusal::Refusal::AccessTokenUnbound
//! [`AccessTokenDpop`]: crate::refusal::Refusal::AccessTokenDpop
//! [`AccessTokenScope`]: crate::refusal::Refusal::AccessTokenScope
//! [`OauthClientUnknown`]: crate::refusal::Refusal::OauthClientUnknown
//! [`OauthClientRefused`]: crate::refusal::Refusal::OauthClientRefused

mod access_token;
mod claims;
mod client;
mod client_auth;
mod fetch;
mod form;
mod found;
mod introspection;
mod issuer;
mod json;
mod jwk;
mod jws;
mod keys;
mod metadata;
mod parameters;
mod registered;

use std::fmt;
use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use quick_cache::sync::Cache;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use self::claims::Claims;
use self::fetch::Web;
use self::introspection::{Answers, Failed};
use self::jwk::Key;
use self::keys::KeyStore;
use crate::clock::UnixTime;

pub use access_token::{AcceptedToken, AccessTokenPolicy, Presented};
pub use client::{Client, ClientCertificates, ClientJwks, ClientMethod, ClientSubject, Clients, registered_certificates};
pub use client_auth::{
    AuthenticatedClient, CLIENT_ID_HEADER, CLIENT_METHOD_HEADER, ClientAuthPolicy, ClientSource, MOST_FORM_BYTES, TokenRequest,
};
pub use found::Found;
pub use issuer::{Introspection, Issuer, KeySource};
pub use json::unique_json;
pub use jwk::SignatureAlgorithm;
pub use metadata::{MOST_METADATA_BYTES, MetadataPolicy, MtlsFront, Untouched, is_metadata, rewritten};
pub use parameters::is_form;
pub use registered::{Credential, RegisteredClients};

/// How long one fetch may take.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);
/// Issuers whose keys are held.
const MOST_ISSUERS: usize = 1_000;
/// Clients whose JWK Sets are held.
const MOST_CLIENTS: usize = 10_000;

/// What a process knows of authorization servers. A reload keeps it. Its thread ends with it.
pub struct OAuth {
    runtime: Handle,
    web: OnceLock<Result<Web, String>>,
    keys: Cache<(String, String), Arc<KeyStore<Issuer>>>,
    clients: Cache<(String, bool), Arc<KeyStore<ClientJwks>>>,
    answers: Arc<Answers>,
    _running: oneshot::Sender<()>,
}

impl fmt::Debug for OAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuth").finish_non_exhaustive()
    }
}

impl OAuth {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the thread cannot be had.
    pub fn start() -> io::Result<Arc<Self>> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (running, stopped) = oneshot::channel::<()>();
        let handle = runtime.handle().clone();
        std::thread::Builder::new().name("oauth".into()).spawn(move || {
            // Ends when the other end is dropped.
            let _ = runtime.block_on(stopped);
            runtime.shutdown_background();
        })?;
        Ok(Arc::new(Self {
            runtime: handle,
            web: OnceLock::new(),
            keys: Cache::new(MOST_ISSUERS),
            clients: Cache::new(MOST_CLIENTS),
            answers: Arc::default(),
            _running: running,
        }))
    }

    /// The client is made with the first fetch: it reads the system's CAs.
    fn web(&self) -> Result<Web, String> {
        self.web.get_or_init(|| Web::new(FETCH_TIMEOUT).map_err(|why| why.to_string())).clone()
    }

    /// The keys of an issuer, newly fetched when a token names one that is not known.
    async fn keys(
        &self,
        issuer: &Arc<Issuer>,
        kid: Option<String>,
        algorithm: SignatureAlgorithm,
    ) -> Result<Arc<Vec<Key>>, String> {
        let (web, issuer) = (self.web()?, Arc::clone(issuer));
        let place = (issuer.issuer.clone(), issuer.keys.url().to_string());
        let store = self.keys.get_or_insert_with(&place, || Ok::<_, String>(Arc::default()))?;
        if let Some(keys) = store.fresh(|key| key.fits(kid.as_deref(), algorithm)) {
            return Ok(keys);
        }
        let asked =
            self.runtime.spawn(async move { store.keys(&web, &issuer, |key| key.fits(kid.as_deref(), algorithm)).await });
        asked.await.unwrap_or_else(|why| Err(format!("fetching keys failed: {why}")))
    }

    /// The certificates of a client, newly fetched when this one is not among them.
    async fn client_certificates(&self, jwks: &Arc<ClientJwks>, sha256: [u8; 32]) -> Result<Arc<Vec<[u8; 32]>>, String> {
        let (web, jwks) = (self.web()?, Arc::clone(jwks));
        let place = (jwks.url.to_string(), jwks.allow_private_addresses);
        let store = self.clients.get_or_insert_with(&place, || Ok::<_, String>(Arc::default()))?;
        let wanted = move |listed: &[u8; 32]| *listed == sha256;
        if let Some(certificates) = store.fresh(wanted) {
            return Ok(certificates);
        }
        let asked = self.runtime.spawn(async move { store.keys(&web, &jwks, wanted).await });
        asked.await.unwrap_or_else(|why| Err(format!("fetching certificates failed: {why}")))
    }

    async fn introspect(&self, issuer: &Arc<Issuer>, token: &str, now: UnixTime) -> Result<Claims, Failed> {
        if let Some(held) = self.answers.held(issuer, token) {
            return held.map_err(Failed::Token);
        }
        let web = self.web().map_err(Failed::Unavailable)?;
        let (answers, issuer, token) = (Arc::clone(&self.answers), Arc::clone(issuer), token.to_owned());
        let asked = self.runtime.spawn(async move {
            let Some(how) = &issuer.introspection else { return Err(Failed::Unavailable("nobody to ask".into())) };
            answers.ask(&web, (&issuer, how), &token, now).await
        });
        asked.await.unwrap_or_else(|why| Err(Failed::Unavailable(format!("asking failed: {why}"))))
    }
}
