//! `front_doors[].proofs`: what proves that a request comes from a front door.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::mutual_tls;
use super::table::Table;
use crate::front_door::{Proof, Proofs};
use crate::verifier::TrustedCas;

/// The proofs of a front door. One without a proof would let everybody say anything: after that problem it stands as one with
/// a key, so that its domains are read on.
pub(super) fn read(table: &Table<'_>, trusted: &BTreeMap<String, Option<Arc<TrustedCas>>>) -> Option<Proofs> {
    let words = table.texts("proofs");
    if words.is_empty() {
        table.problem("proofs", "is missing: anybody could be this front door", "proofs = [\"api_key\"]");
    }
    let mut proofs = Vec::new();
    for word in &words {
        match word.as_str() {
            "api_key" => proofs.push(Proof::ApiKey),
            "mutual_tls" => proofs.extend(mutual_tls::read(table, trusted).map(|proof| Proof::MutualTls(Box::new(proof)))),
            other => table.problem("proofs", format!("found `{other}`"), "accepted: api_key, mutual_tls"),
        }
    }
    if !words.iter().any(|word| word == "mutual_tls") {
        mutual_tls::without_effect(table);
    }
    Proofs::new(proofs).or_else(|| Proofs::new(vec![Proof::ApiKey]))
}
