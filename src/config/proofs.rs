//! `front_doors[].proofs`: what proves that a request comes from a front door, and the settings of each proof.

mod signature;

use std::path::Path;

use http::HeaderName;
use ipnet::IpNet;
use nix::unistd::{Group, User};

use super::mutual_tls;
use super::table::Table;
use super::trusted_ca::TrustSets;
use crate::front_door::{Networks, Proof, Proofs, UnixPeers};

/// What the settings of proofs refer to.
pub(super) struct Surroundings<'s> {
    /// The folder of the configuration.
    pub(super) folder: &'s Path,
    /// The header that tells about each request whether there was a certificate, where the format has one.
    pub(super) status: Option<&'s HeaderName>,
    /// The sets of CAs.
    pub(super) trusted: &'s TrustSets,
    /// What is worth a look.
    pub(super) warnings: &'s mut Vec<String>,
}

const ACCEPTED: &str = "accepted: api_key, mutual_tls, network, signature, unix";
/// Which keys of a front door belong to which proof.
const SETTINGS: [(&str, &[&str]); 4] = [
    ("mutual_tls", &mutual_tls::KEYS),
    ("network", &["networks"]),
    ("signature", &signature::KEYS),
    ("unix", &["unix_users", "unix_groups"]),
];

/// The proofs of a front door. One without a proof would let everybody say anything: after a problem it stands as one with a
/// key, so that its domains are read on.
pub(super) fn read(table: &Table<'_>, surroundings: &mut Surroundings<'_>) -> Option<Proofs> {
    let words = table.texts("proofs");
    if words.is_empty() {
        table.problem("proofs", "is missing: anybody could be this front door", "proofs = [\"api_key\"]");
    }
    let mut proofs = Vec::new();
    for (at, word) in words.iter().enumerate() {
        if words.iter().take(at).any(|before| before == word) {
            table.problem("proofs", format!("`{word}` is there twice"), "each proof once");
            continue;
        }
        let proof = match word.as_str() {
            "api_key" => Some(Proof::ApiKey),
            "mutual_tls" => mutual_tls::read(table, surroundings.trusted).map(|proof| Proof::MutualTls(Box::new(proof))),
            "network" => networks(table).map(Proof::Network),
            "signature" => signature::read(table, surroundings).map(|proof| Proof::Signature(Box::new(proof))),
            "unix" => unix_peers(table).map(Proof::UnixPeer),
            other => {
                table.problem("proofs", format!("found `{other}`"), ACCEPTED);
                None
            }
        };
        proofs.extend(proof);
    }
    for (word, keys) in SETTINGS {
        for key in keys.iter().filter(|key| table.has(key) && !words.iter().any(|known| known == word)) {
            table.problem(key, "has no effect", format!("\"{word}\" among `proofs`, or no `{key}`"));
        }
    }
    Proofs::new(proofs).or_else(|| Proofs::new(vec![Proof::ApiKey]))
}

fn networks(table: &Table<'_>) -> Option<Networks> {
    let accepted = "accepted: networks like \"10.0.0.0/8\" or \"2001:db8::/32\", and not all addresses";
    let read = table.texts("networks").into_iter().map(|text| match text.parse::<IpNet>() {
        Ok(network) if network.prefix_len() > 0 => Some(network),
        Ok(_) | Err(_) => {
            table.problem("networks", format!("found `{text}`"), accepted);
            None
        }
    });
    let read: Vec<Option<IpNet>> = read.collect();
    if read.is_empty() {
        table.problem("networks", "is missing: nobody could connect", accepted);
    }
    Networks::new(read.into_iter().collect::<Option<_>>()?)
}

fn unix_peers(table: &Table<'_>) -> Option<UnixPeers> {
    let user = |name: &str| User::from_name(name).ok().flatten().map(|user| user.uid.as_raw());
    let group = |name: &str| Group::from_name(name).ok().flatten().map(|group| group.gid.as_raw());
    let (users, groups) = (ids(table, "unix_users", "user", user), ids(table, "unix_groups", "group", group));
    let (users, groups) = (users?, groups?);
    let peers = UnixPeers::new(users, groups);
    if peers.is_none() {
        table.problem("unix_users", "is missing: nobody could connect", "users or `unix_groups`, by name or number");
    }
    peers
}

/// Names or numbers of users or groups of this machine.
fn ids(table: &Table<'_>, key: &str, what: &str, find: impl Fn(&str) -> Option<u32>) -> Option<Vec<u32>> {
    let read = table.texts(key).into_iter().map(|text| {
        let id = text.parse().ok().or_else(|| find(&text));
        if id.is_none() {
            table.problem(key, format!("there is no {what} `{text}` on this machine"), format!("a {what}'s name or number"));
        }
        id
    });
    read.collect::<Vec<_>>().into_iter().collect()
}
