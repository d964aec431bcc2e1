//! What a policy says about the metadata of authorization servers.

use super::table::Table;
use crate::oauth::MetadataPolicy;

/// A policy's words.
#[derive(Clone, Default)]
pub(super) struct MetadataSettings {
    rewrite: bool,
    bound_tokens: bool,
}

const MODE: &str = "authorization_server_metadata";
const BOUND_TOKENS: &str = "advertise_certificate_bound_access_tokens";

impl MetadataSettings {
    /// Reads a policy's keys; what it leaves out is as in `self`.
    pub(super) fn read(&self, table: &Table<'_>) -> Self {
        Self {
            rewrite: table.choice(MODE, &[("pass", false), ("rewrite", true)], self.rewrite),
            bound_tokens: table.boolean(BOUND_TOKENS, self.bound_tokens),
        }
    }

    /// The policy of a route.
    pub(super) fn ready(&self, at: &Table<'_>, mtls_hosts: bool) -> Option<MetadataPolicy> {
        if self.rewrite && !mtls_hosts {
            let found = "there are no mTLS hosts that it could tell clients of";
            at.problem(&format!("policy.{MODE}"), found, "`enable_mtls_endpoint_aliases` = true with it");
        }
        if !self.rewrite && self.bound_tokens && at.table("policy").is_some_and(|own| own.has(BOUND_TOKENS)) {
            let found = "has no effect: metadata passes as it is";
            at.problem(&format!("policy.{BOUND_TOKENS}"), found, format!("`{MODE}` = \"rewrite\" with it"));
        }
        self.rewrite.then_some(MetadataPolicy { bound_tokens: self.bound_tokens })
    }
}
