//! Vestibule is the front door itself: the connection is a TLS handshake of ours, for the host that is asked for.

use crate::front_door::proof::Asked;
use crate::refusal::{Refusal, Refused};

/// A request whose connection has no TLS, or whose handshake was for another host or for none: the certificate was not asked
/// for in this host's name, and this host's policy was not the one that decided whether to ask (RFC 9110 §15.5.20). The alias
/// `mtls.` is a host of its own here.
pub(super) fn prove(asked: &Asked<'_>) -> Result<(), Refused> {
    let mismatch = |why: String| Err(Refused::new(Refusal::SniMismatch, why));
    let Some(peer) = &asked.head.connection.tls else {
        return mismatch(format!("`{}` is reached by TLS alone, and this connection has none", asked.host));
    };
    match &peer.sni {
        None => mismatch(format!("the handshake named no server, the request is for `{}`", asked.host)),
        Some(sni) if sni.strip_suffix('.').unwrap_or(sni).eq_ignore_ascii_case(asked.host) => Ok(()),
        Some(sni) => mismatch(format!("the handshake was for `{sni}`, the request is for `{}`", asked.host)),
    }
}
