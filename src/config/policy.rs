//! `[policy]`: of a tenant, and of a route on top of it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::registered;
use super::table::Table;
use crate::admission::registered::RegisteredCertificates;
use crate::admission::{Policy, VerificationMode};
use crate::journey::RoutePolicy;
use crate::verifier::{RevocationCheckMode, TrustedCas, VerificationSettings};

/// What a policy says, before its CAs are looked up.
#[derive(Clone)]
pub(super) struct PolicySettings {
    admission: Policy,
    verification: VerificationSettings,
    trusted_ca: Option<String>,
    registered: Arc<RegisteredCertificates>,
    monitor: bool,
}

impl Default for PolicySettings {
    fn default() -> Self {
        Self {
            admission: Policy {
                verification: VerificationMode::Enforce,
                allow_unauthenticated_requests: false,
                allow_expired_certificates: false,
                allow_revoked_certificates: false,
                require_profile: false,
            },
            verification: VerificationSettings::default(),
            trusted_ca: None,
            registered: Arc::default(),
            monitor: false,
        }
    }
}

/// The longest path that a setting may ask for.
const LONGEST_PATH: usize = 20;

impl PolicySettings {
    /// Reads a policy table; what it leaves out is as in `self`.
    pub(super) fn read(&self, table: Table<'_>, folder: &Path) -> Self {
        let (admission, verification) = (&self.admission, &self.verification);
        let settings = Self {
            admission: Policy {
                verification: table.choice(
                    "verification",
                    &[
                        ("enforce", VerificationMode::Enforce),
                        ("permissive", VerificationMode::Permissive),
                        ("off", VerificationMode::Off),
                    ],
                    admission.verification,
                ),
                allow_unauthenticated_requests: flag(
                    &table,
                    "allow_unauthenticated_requests",
                    admission.allow_unauthenticated_requests,
                ),
                allow_expired_certificates: flag(&table, "allow_expired_certificates", admission.allow_expired_certificates),
                allow_revoked_certificates: flag(&table, "allow_revoked_certificates", admission.allow_revoked_certificates),
                require_profile: table.boolean("require_profile", admission.require_profile),
            },
            verification: VerificationSettings {
                revocation_check_mode: table.choice(
                    "revocation_check_mode",
                    &[
                        ("SKIP", RevocationCheckMode::Skip),
                        ("IGNORE_CA_ERROR", RevocationCheckMode::IgnoreCaError),
                        ("STRICT", RevocationCheckMode::Strict),
                    ],
                    verification.revocation_check_mode,
                ),
                allow_stale_crl: table.boolean("allow_stale_crl", verification.allow_stale_crl),
                max_path_length: max_path_length(&table, verification.max_path_length),
                ..verification.clone()
            },
            trusted_ca: table.text("trusted_ca").or_else(|| self.trusted_ca.clone()),
            registered: registered::read(&table, folder, &self.registered),
            monitor: table.choice("verification_mode", &[("enforce", false), ("monitor", true)], self.monitor),
        };
        switches_without_effect(&table, &settings);
        table.finish();
        settings
    }

    /// Looks the CAs up.
    pub(super) fn ready(&self, at: &Table<'_>, trusted: &BTreeMap<String, Option<Arc<TrustedCas>>>) -> Option<RoutePolicy> {
        let names: Vec<&str> = trusted.keys().map(String::as_str).collect();
        let accepted = format!("a set of [trusted_ca]: {}", names.join(", "));
        let trust = match (&self.trusted_ca, self.admission.verification) {
            (Some(name), _) => match trusted.get(name) {
                Some(trust) => Some(trust.clone()),
                None => {
                    at.problem("policy.trusted_ca", format!("there is no set `{name}`"), accepted);
                    None
                }
            },
            (None, VerificationMode::Off) => Some(None),
            (None, _) => {
                at.problem("policy.trusted_ca", "is missing; nobody's certificate could be verified", accepted);
                None
            }
        };
        let (verification, registered) = (self.verification.clone().into(), Arc::clone(&self.registered));
        let monitor = self.monitor;
        Some(RoutePolicy { trust: trust?, verification, admission: self.admission, registered, monitor })
    }
}

fn max_path_length(table: &Table<'_>, default: u32) -> u32 {
    let length = table.number("max_path_length", 0..=LONGEST_PATH, usize::try_from(default).unwrap_or(LONGEST_PATH));
    u32::try_from(length).unwrap_or(default)
}

/// Whoever writes a switch about certificates believes that somebody looks at them.
fn switches_without_effect(table: &Table<'_>, settings: &PolicySettings) {
    let (admission, registered) = (&settings.admission, &settings.registered);
    if admission.verification != VerificationMode::Off {
        return;
    }
    let switches = [
        ("allow_unauthenticated_requests", admission.allow_unauthenticated_requests),
        ("allow_expired_certificates", admission.allow_expired_certificates),
        ("allow_revoked_certificates", admission.allow_revoked_certificates),
        ("require_profile", admission.require_profile),
        ("allow_certificates", !registered.allow.is_empty()),
        ("deny_certificates", !registered.deny.is_empty()),
    ];
    for (name, _) in switches.into_iter().filter(|(name, on)| *on && (table.has(name) || table.has(&camel_case(name)))) {
        let found = "has no effect: `verification` is `off`, and everybody passes";
        table.problem(name, found, "`verification` = \"enforce\" with it, or `off` without it");
    }
}

/// A switch, in our spelling or in Zuplo's (`allowExpiredCertificates`).
fn flag(table: &Table<'_>, name: &str, default: bool) -> bool {
    let ours = table.boolean(name, default);
    let theirs = camel_case(name);
    if !table.has(&theirs) {
        return ours;
    }
    if table.has(name) {
        table.problem(&theirs, format!("stands beside `{name}`, which means the same"), "one of the two");
    }
    table.boolean(&theirs, default)
}

fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let mut camel = words.next().unwrap_or_default().to_owned();
    for word in words {
        let (first, rest) = word.split_at(word.len().min(1));
        camel.push_str(&first.to_ascii_uppercase());
        camel.push_str(rest);
    }
    camel
}
