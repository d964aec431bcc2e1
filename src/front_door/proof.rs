//! What proves that a request comes from a front door.

mod api_key;
mod network;
mod signature;
mod unix_peer;

use super::domain::Domain;
use crate::clock::UnixTime;
use crate::refusal::Refused;
use crate::request_head::RequestHead;

pub use network::Networks;
pub(super) use signature::Signed;
pub use signature::{NamedKey, SignatureProof};
pub use unix_peer::UnixPeers;

/// One proof.
#[derive(Debug)]
pub enum Proof {
    /// The domain's key in a header (Auth0 `cname-api-key`).
    ApiKey,
    /// The address that it connects from.
    Network(Networks),
    /// A signature over the request (RFC 9421).
    Signature(Box<SignatureProof>),
    /// The process at the other end of a Unix socket.
    UnixPeer(UnixPeers),
}

impl Proof {
    /// The cheapest is checked first.
    fn place(&self) -> usize {
        match self {
            Self::Network(_) => 0,
            Self::UnixPeer(_) => 1,
            Self::ApiKey => 2,
            Self::Signature(_) => 3,
        }
    }

    fn check(&self, asked: &Asked<'_>, evidence: &mut Evidence) -> Result<(), Refused> {
        match self {
            Self::ApiKey => evidence.key_position = Some(api_key::prove(asked.domain, &asked.head.headers)?),
            Self::Network(networks) => networks.prove(asked.head.connection.peer)?,
            Self::Signature(proof) => evidence.signed = Some(proof.prove(asked)?),
            Self::UnixPeer(peers) => peers.prove(asked.head.connection.unix_peer)?,
        }
        Ok(())
    }
}

/// The proofs of a front door: at least one, and all of them are required.
#[derive(Debug)]
pub struct Proofs(Vec<Proof>);

impl Proofs {
    /// Proofs of a list; none when it is empty, since everybody would be that front door.
    pub fn new(mut proofs: Vec<Proof>) -> Option<Self> {
        proofs.sort_by_key(Proof::place);
        (!proofs.is_empty()).then_some(Self(proofs))
    }

    /// Whether the domains of this front door need keys.
    pub fn need_api_keys(&self) -> bool {
        self.0.iter().any(|proof| matches!(proof, Proof::ApiKey))
    }

    /// How this front door signs, when it must.
    pub fn signature(&self) -> Option<&SignatureProof> {
        self.0.iter().find_map(|proof| match proof {
            Proof::Signature(signature) => Some(signature.as_ref()),
            _ => None,
        })
    }

    /// Checks every proof.
    pub(super) fn check(&self, asked: &Asked<'_>) -> Result<Evidence, Refused> {
        let mut evidence = Evidence::default();
        for proof in &self.0 {
            proof.check(asked, &mut evidence)?;
        }
        Ok(evidence)
    }
}

/// What a proof looks at.
pub(super) struct Asked<'a> {
    pub(super) domain: &'a Domain,
    pub(super) head: &'a RequestHead,
    pub(super) now: UnixTime,
}

/// What the proofs found out.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    /// Which of the domain's keys was sent.
    pub(super) key_position: Option<usize>,
    /// The signature.
    pub(super) signed: Option<Signed>,
}
