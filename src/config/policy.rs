//! `[policy]`: of a tenant, and of a route on top of it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::access_token::AccessTokenSettings;
use super::client_auth::ClientAuthSettings;
use super::consumer_policy::{self, ConsumerSettings};
use super::metadata::MetadataSettings;
use super::oauth::Issuers;
use super::table::Table;
use super::trusted_ca::{TrustSet, TrustSets};
use super::{expiry, registered, verification};
use crate::admission::registered::RegisteredCertificates;
use crate::admission::{Policy, VerificationMode};
use crate::consumer::ConsumerDirectory;
use crate::journey::{ExpiryWarning, RoutePolicy};
use crate::oauth::Clients;
use crate::verifier::{TrustedCas, VerificationSettings};

/// How long ahead of a certificate's end it is told, when nothing else is said.
const DEFAULT_WARNING: Duration = Duration::from_secs(30 * 86_400);

/// What a policy says, before its CAs are looked up.
#[derive(Clone)]
pub(super) struct PolicySettings {
    admission: Policy,
    verification: VerificationSettings,
    trusted_ca: Option<String>,
    registered: Arc<RegisteredCertificates>,
    monitor: bool,
    expiry: ExpiryWarning,
    consumers: ConsumerSettings,
    access_token: AccessTokenSettings,
    client_auth: ClientAuthSettings,
    metadata: MetadataSettings,
}

/// What policies name.
#[derive(Clone, Copy)]
pub(super) struct Sets<'s> {
    pub(super) trusted: &'s TrustSets,
    pub(super) consumers: &'s Arc<ConsumerDirectory>,
    pub(super) issuers: &'s Issuers,
    /// None where the tenant has no clients, and none can be registered for it.
    pub(super) clients: Option<&'s Arc<Clients>>,
    /// Whether domains have mTLS hosts, or may have them some day.
    pub(super) mtls_hosts: bool,
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
            expiry: ExpiryWarning { within: DEFAULT_WARNING, header: None },
            consumers: ConsumerSettings::default(),
            access_token: AccessTokenSettings::default(),
            client_auth: ClientAuthSettings::default(),
            metadata: MetadataSettings::default(),
        }
    }
}

impl PolicySettings {
    /// Reads a policy table; what it leaves out is as in `self`.
    pub(super) fn read(&self, table: Table<'_>, folder: &Path) -> Self {
        let admission = &self.admission;
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
            verification: verification::read(&table, &self.verification),
            expiry: expiry::read(&table, &self.expiry),
            access_token: self.access_token.read(&table),
            client_auth: self.client_auth.read(&table),
            metadata: self.metadata.read(&table),
            trusted_ca: table.text("trusted_ca").or_else(|| self.trusted_ca.clone()),
            registered: registered::read(&table, folder, &self.registered),
            consumers: self.consumers.read(&table),
            monitor: table.choice("verification_mode", &[("enforce", false), ("monitor", true)], self.monitor),
        };
        switches_without_effect(&table, &settings);
        table.finish();
        settings
    }

    /// Looks up what the policy names.
    pub(super) fn ready(&self, at: &Table<'_>, sets: Sets<'_>) -> Option<RoutePolicy> {
        let trusted = sets.trusted;
        let names: Vec<&str> = trusted.keys().map(String::as_str).collect();
        let accepted = format!("a set of [trusted_ca]: {}", names.join(", "));
        let set = match (&self.trusted_ca, self.admission.verification) {
            (Some(name), _) => match trusted.get(name) {
                Some(set) => set.clone().map(Some),
                None => {
                    at.problem("policy.trusted_ca", format!("there is no set `{name}`"), accepted);
                    None
                }
            },
            (None, VerificationMode::Off) => Some(None),
            // Somebody has to say what is wrong with the others.
            (None, _) if self.needs_no_ca() => match TrustedCas::nobody() {
                Ok(nobody) => Some(Some(TrustSet { trust: Arc::new(nobody), plan: None })),
                Err(problems) => {
                    problems.iter().for_each(|problem| at.problem("policy", problem.to_string(), ""));
                    None
                }
            },
            (None, _) => {
                at.problem("policy.trusted_ca", "is missing; nobody's certificate could be verified", accepted);
                None
            }
        };
        let (verification, registered) = (self.verification.clone().into(), Arc::clone(&self.registered));
        let (expiry, monitor) = (self.expiry.clone(), self.monitor);
        let consumers = self.consumers.ready(at, sets.consumers, self.admission.verification);
        let access_token = self.access_token.ready(at, self.admission.verification, sets.issuers)?;
        let client_auth = self.client_auth.ready(at, &self.admission, &sets)?;
        let metadata = self.metadata.ready(at, sets.mtls_hosts);
        if access_token.is_some() && client_auth.is_some() {
            let found =
                "no request could pass: a token stands in `Authorization`, where a client's form may only have HTTP Basic";
            let accepted =
                "`certificate_bound_access_tokens` = \"off\" where clients authenticate themselves, or a route for each";
            at.problem("policy.certificate_bound_access_tokens", found, accepted);
        }
        let (trust, revocation) = set?.map_or((None, None), |set| (Some(set.trust), set.plan));
        Some(RoutePolicy {
            trust,
            revocation,
            verification,
            admission: self.admission,
            registered,
            monitor,
            expiry,
            access_token,
            client_auth,
            consumers: consumers?,
            metadata,
        })
    }

    /// Registered certificates are judged without a CA, and a token may be bound to a certificate that nobody vouches for.
    fn needs_no_ca(&self) -> bool {
        let permissive = self.admission.verification == VerificationMode::Permissive;
        !self.registered.self_signed.is_empty() || (permissive && (self.access_token.is_on() || self.client_auth.needs_no_ca()))
    }
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
        ("self_signed_certificates", !registered.self_signed.is_empty()),
    ];
    let switches = switches.into_iter().filter(|(name, on)| *on && (table.has(name) || table.has(&camel_case(name))));
    let of_consumers = consumer_policy::KEYS.into_iter().filter(|key| settings.consumers.says(table, key));
    for name in switches.map(|(name, _)| name).chain(of_consumers) {
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
