//! The address that a connection comes from.
//!
//! It proves little: whoever can send from such an address is the front door, and so is every other program there.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::refusal::{Refusal, Refused};

/// The networks that a front door connects from.
#[derive(Debug)]
pub struct Networks(Vec<IpNet>);

impl Networks {
    /// Networks of a list; none when it is empty, since nobody could connect.
    pub fn new(networks: Vec<IpNet>) -> Option<Self> {
        (!networks.is_empty()).then_some(Self(networks))
    }

    pub(super) fn prove(&self, peer: Option<IpAddr>) -> Result<(), Refused> {
        let refuse = |why: String| Err(Refused::new(Refusal::FrontDoorNetwork, why));
        let Some(peer) = peer.map(|peer| peer.to_canonical()) else {
            return refuse("the connection has no address: it is a Unix socket".into());
        };
        if self.0.iter().any(|network| network.contains(&peer)) {
            return Ok(());
        }
        refuse(format!("{peer} is in none of the front door's networks"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_networks_pass() {
        let networks = ["192.0.2.0/25", "2001:db8::/32", "198.51.100.7/32"];
        let networks = Networks::new(networks.map(|text| text.parse().unwrap()).to_vec()).unwrap();
        for (address, passes) in [
            ("192.0.2.0", true),
            ("192.0.2.127", true),
            ("192.0.2.128", false),
            ("::ffff:192.0.2.1", true),
            ("::ffff:192.0.2.129", false),
            ("198.51.100.7", true),
            ("198.51.100.8", false),
            ("2001:db8:ffff::1", true),
            ("2001:db9::1", false),
            ("::", false),
            ("0.0.0.0", false),
        ] {
            let outcome = networks.prove(Some(address.parse().unwrap()));
            assert_eq!(outcome.is_ok(), passes, "{address}");
        }
        assert_eq!(networks.prove(None).unwrap_err().refusal, Refusal::FrontDoorNetwork);
        assert!(Networks::new(Vec::new()).is_none());
    }
}
