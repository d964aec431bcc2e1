//! What a policy says about the authentication of OAuth clients.

use super::policy::Sets;
use super::table::Table;
use crate::admission::{Policy, VerificationMode};
use crate::oauth::ClientAuthPolicy;

/// A policy's words, before its clients are looked up.
#[derive(Clone, Default)]
pub(super) struct ClientAuthSettings {
    tls: bool,
    self_signed: bool,
    pass_unregistered: bool,
}

impl ClientAuthSettings {
    /// Reads a policy's keys; what it leaves out is as in `self`.
    pub(super) fn read(&self, table: &Table<'_>) -> Self {
        Self {
            tls: table.boolean("tls_client_auth", self.tls),
            self_signed: table.boolean("self_signed_tls_client_auth", self.self_signed),
            pass_unregistered: table.boolean("pass_unregistered_clients", self.pass_unregistered),
        }
    }

    /// Whether no CA has to vouch for anybody.
    pub(super) fn needs_no_ca(&self) -> bool {
        self.self_signed && !self.tls
    }

    /// Looks the clients up. The outer option is none after a problem.
    pub(super) fn ready(&self, at: &Table<'_>, admission: &Policy, sets: &Sets<'_>) -> Option<Option<ClientAuthPolicy>> {
        if !self.tls && !self.self_signed {
            if self.pass_unregistered && at.table("policy").is_some_and(|own| own.has("pass_unregistered_clients")) {
                let found = "has no effect: no client is asked to authenticate itself";
                at.problem(
                    "policy.pass_unregistered_clients",
                    found,
                    "`tls_client_auth` or `self_signed_tls_client_auth` with it",
                );
            }
            return Some(None);
        }
        let key = if self.tls { "policy.tls_client_auth" } else { "policy.self_signed_tls_client_auth" };
        let open = admission.verification == VerificationMode::Permissive;
        if !open {
            let found = "clients without a trusted certificate would not be answered as OAuth clients: `verification` is not `permissive`";
            at.problem(
                key,
                found,
                "`verification` = \"permissive\" with it: the client decides which certificate is asked for",
            );
            return None;
        }
        let Some(clients) = sets.clients else {
            at.problem(
                key,
                "nobody could authenticate: there are no clients",
                "[[oauth.clients]], or the tenant that [management] names",
            );
            return None;
        };
        Some(Some(ClientAuthPolicy {
            clients: std::sync::Arc::clone(clients),
            tls: self.tls,
            self_signed: self.self_signed,
            pass_unregistered: self.pass_unregistered,
        }))
    }
}
