//! What a policy says about access tokens.

use super::oauth::Issuers;
use super::table::Table;
use crate::admission::VerificationMode;
use crate::oauth::AccessTokenPolicy;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Off,
    Require,
    WhenBound,
}

/// A policy's words, before its issuer is looked up.
#[derive(Clone)]
pub(super) struct AccessTokenSettings {
    mode: Mode,
    issuer: Option<String>,
    pass_dpop: bool,
    scopes: Vec<String>,
}

impl Default for AccessTokenSettings {
    fn default() -> Self {
        Self { mode: Mode::Off, issuer: None, pass_dpop: false, scopes: Vec::new() }
    }
}

const MODES: [(&str, Mode); 3] = [("off", Mode::Off), ("when_bound", Mode::WhenBound), ("require", Mode::Require)];

impl AccessTokenSettings {
    /// Reads a policy's keys; what it leaves out is as in `self`.
    pub(super) fn read(&self, table: &Table<'_>) -> Self {
        let dpop = [("refuse", false), ("pass", true)];
        let scopes = if table.has("required_scopes") { scopes(table) } else { self.scopes.clone() };
        Self {
            mode: table.choice("certificate_bound_access_tokens", &MODES, self.mode),
            issuer: table.text("access_token_issuer").or_else(|| self.issuer.clone()),
            pass_dpop: table.choice("dpop_bound_access_tokens", &dpop, self.pass_dpop),
            scopes,
        }
    }

    /// Whether tokens are looked at.
    pub(super) fn is_on(&self) -> bool {
        self.mode != Mode::Off
    }

    /// Looks the issuer up. The outer option is none after a problem.
    pub(super) fn ready(
        &self,
        at: &Table<'_>,
        verification: VerificationMode,
        issuers: &Issuers,
    ) -> Option<Option<AccessTokenPolicy>> {
        let names: Vec<&str> = issuers.keys().map(String::as_str).collect();
        let accepted = format!("an issuer of [oauth.issuers]: {}", names.join(", "));
        let problem = |why: String| at.problem("policy.access_token_issuer", why, accepted.as_str());
        let named = self.issuer.as_ref().map(|name| issuers.get(name).ok_or_else(|| format!("there is no issuer `{name}`")));
        let named = named.transpose().map_err(problem).ok()?;
        if self.mode == Mode::Off {
            self.without_effect(at);
            return Some(None);
        }
        if verification == VerificationMode::Off {
            let found = "no certificate would be looked at: `verification` is `off`";
            at.problem(
                "policy.certificate_bound_access_tokens",
                found,
                "`verification` = \"enforce\" or \"permissive\" with it",
            );
            return None;
        }
        let only = issuers.values().next().filter(|_| issuers.len() == 1);
        let Some(issuer) = named.or(only) else {
            problem("is missing: nobody's token could be checked".to_owned());
            return None;
        };
        let issuer = issuer.clone()?;
        let (require_binding, pass_dpop) = (self.mode == Mode::Require, self.pass_dpop);
        Some(Some(AccessTokenPolicy { issuer, require_binding, pass_dpop, scopes: self.scopes.clone() }))
    }

    /// What a tenant says is for its routes; what a route says is for itself.
    fn without_effect(&self, route: &Table<'_>) {
        let Some(own) = route.table("policy") else { return };
        let written = [
            ("access_token_issuer", true),
            ("dpop_bound_access_tokens", self.pass_dpop),
            ("required_scopes", !self.scopes.is_empty()),
        ];
        for (key, _) in written.into_iter().filter(|(key, on)| *on && own.has(key)) {
            let found = "has no effect: `certificate_bound_access_tokens` is `off`, and no token is looked at";
            own.problem(key, found, "`certificate_bound_access_tokens` = \"require\" or \"when_bound\" with it");
        }
    }
}

/// RFC 6749 §3.3: what may stand in a scope, and so in the quotes of a challenge.
fn scopes(table: &Table<'_>) -> Vec<String> {
    let scopes = table.texts("required_scopes");
    let known = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
    for bad in scopes.iter().filter(|scope| scope.is_empty() || !scope.bytes().all(known)) {
        table.problem("required_scopes", format!("found `{bad}`"), "scopes, each a text of its own, like \"payments\"");
    }
    scopes
}
