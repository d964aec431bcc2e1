//! The process at the other end of a Unix socket, as the kernel tells it (`SO_PEERCRED`, unix(7)).

use crate::refusal::{Refusal, Refused};
use crate::request_head::UnixPeer;

/// Who may connect. Each list that is not empty must hold the peer's.
#[derive(Debug)]
pub struct UnixPeers {
    users: Vec<u32>,
    groups: Vec<u32>,
}

impl UnixPeers {
    /// Users and groups by number; none when both lists are empty, since everybody could connect.
    pub fn new(users: Vec<u32>, groups: Vec<u32>) -> Option<Self> {
        (!users.is_empty() || !groups.is_empty()).then_some(Self { users, groups })
    }

    pub(super) fn prove(&self, peer: Option<UnixPeer>) -> Result<(), Refused> {
        let refuse = |why: String| Err(Refused::new(Refusal::FrontDoorUnixPeer, why));
        let Some(peer) = peer else { return refuse("the connection is no Unix socket".into()) };
        let holds = |list: &[u32], id| list.is_empty() || list.contains(&id);
        if holds(&self.users, peer.uid) && holds(&self.groups, peer.gid) {
            return Ok(());
        }
        refuse(format!("user {} of group {} is not the front door", peer.uid, peer.gid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_lists_count() {
        let proves = |users: &[u32], groups: &[u32], uid, gid| {
            let peers = UnixPeers::new(users.to_vec(), groups.to_vec()).unwrap();
            peers.prove(Some(UnixPeer { uid, gid, pid: None })).is_ok()
        };
        for (users, groups, uid, gid, passes) in [
            (&[33][..], &[][..], 33, 1, true),
            (&[33, 34], &[], 34, 1, true),
            (&[33], &[], 0, 33, false),
            (&[], &[44], 7, 44, true),
            (&[], &[44], 44, 7, false),
            (&[33], &[44], 33, 44, true),
            (&[33], &[44], 33, 45, false),
            (&[33], &[44], 34, 44, false),
        ] {
            assert_eq!(proves(users, groups, uid, gid), passes, "{users:?} {groups:?} {uid} {gid}");
        }
        let peers = UnixPeers::new(vec![0], Vec::new()).unwrap();
        assert_eq!(peers.prove(None).unwrap_err().refusal, Refusal::FrontDoorUnixPeer);
        assert!(UnixPeers::new(Vec::new(), Vec::new()).is_none());
    }
}
