//! What proves that a request comes from a front door.

mod api_key;
mod handshake;
mod mutual_tls;
mod network;
mod signature;
mod unix_peer;

use super::domain::Domain;
use crate::clock::UnixTime;
use crate::refusal::Refused;
use crate::request_head::RequestHead;

pub use mutual_tls::{Issued, MutualTls, Pin, REMEMBERED};
pub use network::Networks;
pub(super) use signature::Signed;
pub use signature::{NamedKey, SignatureProof};
pub use unix_peer::UnixPeers;

/// One proof.
#[derive(Debug)]
pub enum Proof {
    /// The domain's key in a header (Auth0 `cname-api-key`).
    ApiKey,
    /// We are the front door: our own TLS handshake, for the host that is asked for.
    Handshake,
    /// The front door's own certificate, shown to our TLS listener.
    MutualTls(Box<MutualTls>),
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
            Self::Handshake | Self::Network(_) => 0,
            Self::UnixPeer(_) => 1,
            Self::ApiKey => 2,
            Self::MutualTls(_) => 3,
            Self::Signature(_) => 4,
        }
    }

    fn check(&self, asked: &Asked<'_>, evidence: &mut Evidence) -> Result<(), Refused> {
        match self {
            Self::ApiKey => evidence.key_position = Some(api_key::prove(asked)?),
            Self::Handshake => handshake::prove(asked)?,
            Self::MutualTls(expected) => expected.prove(asked.head.connection.tls.as_deref(), asked.now)?,
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

    /// Whether the clients' own handshake is the proof: then their certificates come from the connection, and no header is
    /// anybody's but the client's.
    pub fn are_own_handshake(&self) -> bool {
        self.0.iter().any(|proof| matches!(proof, Proof::Handshake))
    }

    /// Whether the front door shows a certificate of its own.
    pub fn need_front_door_certificate(&self) -> bool {
        self.0.iter().any(|proof| matches!(proof, Proof::MutualTls(_)))
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
    /// The host name asked for, lower case: the domain's, or its alias.
    pub(super) host: &'a str,
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
