//! Is this request really from the front door of the domain that it asks for?
//!
//! **Enters:** a [`RequestHead`], which anyone can make. **Leaves:** an [`AuthenticatedForward`], which only this module makes.
//!
//! 1. `Host` names one of our domains, its mTLS host, or the origin domain name of a custom one: else [`Refusal::UnknownDomain`].
//! 2. Every proof of the domain's front door holds ([`Proof`]): else the proof's refusal. The peer gets the same answer for all
//!    of these. A signature's nonce is the last question: it was not used before.
//! 3. No contract header is repeated, aliased, named in `Connection` or `Trailer`, or holds control bytes: else one of the
//!    `ContractHeader…` refusals. Until here no certificate header was read.
//! 4. The client-ip header holds exactly one address: else [`Refusal::ClientAddressInvalid`].
//! 5. Where the front door must forward the server name of the handshake, it is the host asked for: else
//!    [`Refusal::SniMismatch`].
//! 6. Contract headers leave the request, and so do the client's copies of headers that only we set.
//!
//! A shared key proves the door, not that this certificate belongs to this request: whoever knows the key can send any public
//! certificate, and whoever sits between can exchange one. A signature proves both. (Auth0: "Set up the customer edge"; RFC 9440
//! §4 for why the headers must be removed.)

mod contract;
mod custom;
mod domain;
mod format;
mod known_headers;
mod proof;
mod replay;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};

use crate::clock::UnixTime;
use crate::header_names::fold;
use crate::refusal::{Refusal, Refused};
use crate::request_head::{RequestHead, RequestTarget, TlsPeer};
use proof::{Asked, Evidence};

pub use contract::{Contract, ContractHeader, ContractValues};
pub use custom::{CustomContract, CustomDomain, CustomDomains, CustomKey, CustomTemplate, KeyUse};
pub use domain::{AskedBy, Directory, Domain, DomainParts, ForwardedMismatch, FrontDoor, HeadLimits, VerdictMode};
pub use format::{
    ChainCodec, Codec, Format, LeafCodec, NameDialect, PRESETS, Preset, SerialDialect, VerdictDialect, XfccElements,
};
pub use known_headers::CERTIFICATE_HEADERS;
pub use proof::{Issued, MutualTls, NamedKey, Networks, Pin, Proof, Proofs, REMEMBERED, SignatureProof, UnixPeers};
pub use replay::{NonceMemory, NonceStore, Replay, StoreAddress};

/// A request from an authenticated front door, its contract headers taken out.
///
/// Nobody else can make or change one:
///
/// ```compile_fail
/// use vestibule::front_door::AuthenticatedForward;
/// fn another(forward: AuthenticatedForward) -> AuthenticatedForward {
///     AuthenticatedForward { host: "other.example".into(), ..forward }
/// }
/// ```
///
/// ```
/// use vestibule::front_door::{AuthenticatedForward, Directory, Replay};
/// use vestibule::{clock::UnixTime, refusal::Refused, request_head::RequestHead};
/// async fn another(ours: &Directory, head: RequestHead, now: UnixTime, seen: &Replay) -> Result<AuthenticatedForward, Refused> {
///     AuthenticatedForward::authenticate(ours, head, now, seen).await
/// }
/// ```
#[derive(Debug)]
pub struct AuthenticatedForward {
    limits: HeadLimits,
    domain: Arc<Domain>,
    host: String,
    asked_by: AskedBy,
    evidence: Evidence,
    client_address: IpAddr,
    server_address: Option<SocketAddr>,
    method: Method,
    target: RequestTarget,
    headers: HeaderMap,
    contract: ContractValues,
    handshake: Option<Arc<TlsPeer>>,
}

impl AuthenticatedForward {
    /// Authenticates the front door of a request, and remembers the nonce of its signature.
    ///
    /// # Errors
    /// The refusals of the module's list.
    pub async fn authenticate(
        directory: &Directory,
        head: RequestHead,
        now: UnixTime,
        replay: &Replay,
    ) -> Result<Self, Refused> {
        let proven = Proven::prove(directory, head, now)?;
        if let Some(signed) = &proven.evidence.signed {
            replay.remember(&signed.nonce, now).await?;
        }
        proven.read_contract()
    }

    /// The same, but a signature may have been used before: for whoever sends nothing on, like `vestibule explain`.
    ///
    /// # Errors
    /// The refusals of the module's list.
    pub fn unremembered(directory: &Directory, head: RequestHead, now: UnixTime) -> Result<Self, Refused> {
        Proven::prove(directory, head, now)?.read_contract()
    }

    /// A request that nobody sent, for `vestibule rules test` alone: no proof is asked for, and the connection's handshake is
    /// taken for the client's. The contract's headers are removed unread.
    ///
    /// # Errors
    /// [`Refusal::UnknownDomain`], and what is wrong with the head.
    pub(crate) fn rehearsed(directory: &Directory, head: RequestHead) -> Result<Self, Refused> {
        directory.limits().check(&head)?;
        let host = asked_host(&head.headers)?.to_ascii_lowercase();
        let found = directory.find(&host);
        let domain = found.ok_or_else(|| Refused::new(Refusal::UnknownDomain, format!("no domain `{host}`")))?;
        let mut headers = head.headers;
        drop(domain.contract().take(&mut headers)?);
        domain.remove_reserved(&mut headers);
        let peer = head.connection.peer;
        let client_address = client_address(&ContractValues::default(), domain.client_ip_header(), peer)?;
        let (asked_by, host) = asked_by(&domain, &ContractValues::default(), host);
        Ok(Self {
            limits: directory.limits(),
            domain,
            host,
            asked_by,
            evidence: Evidence::default(),
            client_address,
            server_address: head.connection.local,
            method: head.method,
            target: head.target,
            headers,
            contract: ContractValues::default(),
            handshake: head.connection.tls,
        })
    }

    /// The domain that was asked for.
    pub fn domain(&self) -> &Arc<Domain> {
        &self.domain
    }

    /// The host name asked for, in lower case: the domain's, or its mTLS host.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// By which of its names the domain was asked for.
    pub fn asked_by(&self) -> AskedBy {
        self.asked_by
    }

    /// Whether the request came to the name where clients with certificates do not belong: the domain has another one for them.
    pub fn is_beside_mtls_host(&self) -> bool {
        self.domain.mtls_host().is_some() && self.asked_by == AskedBy::Name
    }

    /// Which of the domain's keys was sent, counted from 0: tells when an old key is no longer in use. None when the front door
    /// proves itself without one.
    pub fn key_position(&self) -> Option<usize> {
        self.evidence.key_position
    }

    /// Which key the request was signed with: tells when an old key is no longer in use.
    pub fn keyid(&self) -> Option<&Arc<str>> {
        self.evidence.signed.as_ref().map(|signed| &signed.keyid)
    }

    /// The client's address, as the front door said it.
    pub fn client_address(&self) -> IpAddr {
        self.client_address
    }

    /// Our own end of the connection; none on a Unix socket.
    pub fn server_address(&self) -> Option<SocketAddr> {
        self.server_address
    }

    /// The method.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The target.
    pub fn target(&self) -> &RequestTarget {
        &self.target
    }

    /// How the client reached the front door. One that does not say is there to do the TLS; whatever it says that is not
    /// `https` is not.
    pub fn scheme(&self) -> &'static str {
        match self.contract.forwarded_proto() {
            Some(proto) if !proto.as_bytes().eq_ignore_ascii_case(b"https") => "http",
            _ => "https",
        }
    }

    /// The headers that are left: none of the contract, none that only we set.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// What the front door's verdict counts. Where the client shook hands with us there is nobody to give one.
    pub fn verdict_mode(&self) -> VerdictMode {
        if self.handshake.is_some() { VerdictMode::Ignore } else { self.domain.front_door().forwarded_verdict }
    }

    /// What the contract headers held.
    pub fn contract(&self) -> &ContractValues {
        &self.contract
    }

    /// The client's own handshake with us; none when a front door stands between.
    pub fn handshake(&self) -> Option<&Arc<TlsPeer>> {
        self.handshake.as_ref()
    }

    /// The request that a subrequest asks about: its method and target stand in two headers that the front door sets.
    ///
    /// # Errors
    /// [`Refusal::RequestTargetInvalid`] when one of them is missing, repeated or unreadable; [`Refusal::SignatureUncovered`]
    /// when the front door signs and its signature does not cover them.
    pub fn into_original(mut self, uri_header: &HeaderName, method_header: &HeaderName) -> Result<Self, Refused> {
        let invalid = |why: String| Refused::new(Refusal::RequestTargetInvalid, why);
        if let Some(signed) = &self.evidence.signed {
            let uncovered = [uri_header, method_header].into_iter().find(|name| !signed.covers(name));
            if let Some(name) = uncovered {
                return Err(Refused::new(Refusal::SignatureUncovered, format!("it does not cover `{name}`")));
            }
        }
        let uri = single(&self.headers, uri_header).map_err(invalid)?;
        let uri = uri.to_str().map_err(|_| invalid(format!("`{uri_header}` is not text")))?;
        self.target = RequestTarget::parse(uri)?;
        self.limits.check_target(&self.target)?;
        let method = single(&self.headers, method_header).map_err(invalid)?;
        self.method = Method::from_bytes(method.as_bytes()).map_err(|_| invalid(format!("`{method_header}` is no method")))?;
        self.headers.remove(uri_header);
        self.headers.remove(method_header);
        Ok(self)
    }

    /// The parts that the rules stage makes a permitted request of.
    pub(crate) fn into_parts(self) -> ForwardParts {
        ForwardParts {
            scheme: self.scheme(),
            host: self.host,
            client_address: self.client_address,
            method: self.method,
            target: self.target,
            headers: self.headers,
        }
    }
}

/// A request whose proofs hold; of a signature only the nonce is unknown. Nothing that it says is believed yet.
struct Proven {
    limits: HeadLimits,
    domain: Arc<Domain>,
    host: String,
    evidence: Evidence,
    head: RequestHead,
}

impl Proven {
    fn prove(directory: &Directory, head: RequestHead, now: UnixTime) -> Result<Self, Refused> {
        directory.limits().check(&head)?;
        let host = asked_host(&head.headers)?;
        let domain = directory.find(host).ok_or_else(|| Refused::new(Refusal::UnknownDomain, format!("no domain `{host}`")))?;
        let host = host.to_ascii_lowercase();
        let evidence = domain.front_door().proofs.check(&Asked { domain: &domain, host: &host, head: &head, now })?;
        if let (Some(custom), Some(position)) = (domain.custom(), evidence.key_position) {
            custom.count(position, now);
        }
        Ok(Self { limits: directory.limits(), domain, host, evidence, head })
    }

    fn read_contract(self) -> Result<AuthenticatedForward, Refused> {
        let Self { limits, domain, host, evidence, head } = self;
        let own = domain.front_door().proofs.are_own_handshake();
        let handshake = head.connection.tls.filter(|_| own);
        let mut headers = head.headers;
        let contract = domain.contract().take(&mut headers)?;
        domain.remove_reserved(&mut headers);
        if let Some(signed) = &evidence.signed {
            signed.remove(&mut headers);
        }
        let (asked_by, host) = asked_by(&domain, &contract, host);
        require_sni(&domain, &contract, &host)?;
        let client_address = client_address(&contract, domain.client_ip_header(), head.connection.peer)?;
        Ok(AuthenticatedForward {
            limits,
            domain,
            host,
            asked_by,
            evidence,
            client_address,
            server_address: head.connection.local,
            method: head.method,
            target: head.target,
            headers,
            contract,
            handshake,
        })
    }
}

/// What is left of a forward when its contract was read.
#[derive(Debug)]
pub(crate) struct ForwardParts {
    pub(crate) host: String,
    pub(crate) scheme: &'static str,
    pub(crate) client_address: IpAddr,
    pub(crate) method: Method,
    pub(crate) target: RequestTarget,
    pub(crate) headers: HeaderMap,
}

/// The host name asked for, without port and final dot.
fn asked_host(headers: &HeaderMap) -> Result<&str, Refused> {
    let malformed = |why: &str| Refused::new(Refusal::RequestMalformed, format!("host: {why}"));
    let mut hosts = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return Err(malformed("not exactly one")) };
    let host = host.to_str().map_err(|_| malformed("not text"))?;
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    Ok(name.strip_suffix('.').unwrap_or(name))
}

/// By which of its names the client asked for a domain, and that name. Auth0's contract has the origin domain name as `Host` for
/// both: then it counts what the front door says about the handshake, where it says that. An origin domain name is only how a
/// front door finds us, and stands for the domain's own name.
fn asked_by(domain: &Domain, contract: &ContractValues, host: String) -> (AskedBy, String) {
    let asked = domain.asked_by(&host);
    if asked != AskedBy::Origin {
        return (asked, host);
    }
    let sni = contract.get(ContractHeader::Sni).and_then(|sni| sni.to_str().ok()).unwrap_or_default();
    let sni = sni.strip_suffix('.').unwrap_or(sni).to_ascii_lowercase();
    match domain.asked_by(&sni) {
        AskedBy::Origin => (asked, domain.name().to_owned()),
        known => (known, sni),
    }
}

/// Who shook hands for one name and asks for another may carry a certificate that this domain's CAs never saw (nginx answers
/// 421 to that; RFC 9110 §15.5.20).
fn require_sni(domain: &Domain, contract: &ContractValues, host: &str) -> Result<(), Refused> {
    if !domain.front_door().require_sni {
        return Ok(());
    }
    let sni = contract.get(ContractHeader::Sni).map(HeaderValue::as_bytes).unwrap_or_default();
    if sni.strip_suffix(b".").unwrap_or(sni).eq_ignore_ascii_case(host.as_bytes()) {
        return Ok(());
    }
    let sni = String::from_utf8_lossy(sni);
    Err(Refused::new(Refusal::SniMismatch, format!("the handshake was for {sni:?}, the request is for `{host}`")))
}

fn client_address(contract: &ContractValues, name: &HeaderName, peer: Option<IpAddr>) -> Result<IpAddr, Refused> {
    let invalid = |why: &str| Refused::new(Refusal::ClientAddressInvalid, format!("`{name}` {why}"));
    match contract.client_address() {
        Some(value) => value
            .to_str()
            .ok()
            .and_then(|text| text.trim_matches([' ', '\t']).parse().ok())
            .ok_or_else(|| invalid("does not hold exactly one address")),
        None => peer.ok_or_else(|| invalid("is missing, and the connection is a Unix socket")),
    }
}

fn single<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<&'h HeaderValue, String> {
    let mut aliases = 0;
    for other in headers.keys() {
        aliases += usize::from(fold(other.as_str()) == fold(name.as_str()));
    }
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next(), aliases) {
        (Some(value), None, 1) => Ok(value),
        (None, _, _) => Err(format!("`{name}` is missing")),
        _ => Err(format!("`{name}` was sent more than once or under an alias")),
    }
}

#[cfg(test)]
mod tests;
