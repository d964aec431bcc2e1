//! `policies.json`: the policies mtls-auth-inbound, and what the others could decide.

use std::collections::BTreeMap;

use serde_json::Value;

use super::fields;
use crate::cli::import::fields::{Fields, text};
use crate::cli::import::remark::{Report, one_line};

/// The type of the policy.
const MTLS: &str = "mtls-auth-inbound";

/// Types of inbound policies that never decide who gets in. Every other one closes its routes.
const NOT_GUARDS: [&str; 4] = ["caching-inbound", "rate-limit-inbound", "request-size-limit-inbound", "sleep-inbound"];

/// Types that change requests on their way.
const TRANSFORMERS: [&str; 7] = [
    "change-method-inbound",
    "clear-headers-inbound",
    "remove-headers-inbound",
    "remove-query-params-inbound",
    "set-body-inbound",
    "set-headers-inbound",
    "set-query-params-inbound",
];

/// A policy mtls-auth-inbound.
#[derive(Debug)]
pub(super) struct Policy {
    pub(super) place: String,
    pub(super) name: String,
    /// Keys of ours.
    pub(super) keys: Vec<(&'static str, toml_edit::Value)>,
    /// `certIssuerDN`.
    pub(super) issuer: Option<String>,
    /// Why nobody may pass by it.
    pub(super) closed: Option<String>,
}

impl Policy {
    /// A name for its set of CAs.
    pub(super) fn set(&self) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '-' };
        self.name.chars().map(plain).take(60).collect()
    }

    pub(super) fn ca_file(&self) -> String {
        format!("trusted-ca/{}.pem", self.set())
    }
}

/// What a policy's name stands for.
pub(super) enum Role {
    /// One of [`Policies::mtls`].
    Mtls(usize),
    /// It may decide who gets in.
    Guard,
    Other,
}

/// Every policy.
#[derive(Default)]
pub(super) struct Policies {
    pub(super) mtls: Vec<Policy>,
    roles: BTreeMap<String, Role>,
}

impl Policies {
    /// What a name stands for; one that nobody has may decide anything.
    pub(super) fn role(&self, name: &str) -> &Role {
        self.roles.get(name).unwrap_or(&Role::Guard)
    }

    pub(super) fn read(&mut self, source: &str, json: &Value, report: &mut Report) {
        let Some(mut top) = fields(json) else { return };
        let list = top.get("policies").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        if top.get("corsPolicies").and_then(Value::as_array).is_some_and(|all| !all.is_empty()) {
            report.left_out(source, "`corsPolicies`: there is no CORS here; the upstream or the front door answers it");
        }
        report.unknown(source, &top);
        for value in list {
            let Some(mut of) = fields(value) else {
                report.left_out(source, "a policy that is no object");
                continue;
            };
            let name = of.get("name").and_then(text).unwrap_or_default();
            let kind = of.get("policyType").and_then(text).unwrap_or_default();
            let place = format!("{source}: policy `{}`", one_line(&name));
            let handler = of.get("handler").and_then(fields);
            let unknown = report.unknown(&place, &of);
            // Which of two with one name a route means, nobody can tell.
            let twin = self.roles.contains_key(&name);
            if twin {
                report.left_out(&place, "another policy has its name: the routes of both are closed");
            }
            let role = if kind == MTLS {
                let mut policy = mtls(place, name.clone(), handler, report);
                if unknown || twin {
                    policy.closed = Some("it has fields that are not known, or another one has its name".into());
                }
                self.mtls.push(policy);
                Role::Mtls(self.mtls.len() - 1)
            } else if TRANSFORMERS.contains(&kind.as_str()) {
                let text = "is not carried over: what it takes out of requests, or sets in them, comes as the client says it. Rules do \
                            that here (`filter_request_header`, `add_request_header`)";
                report.weaker(&place, format!("`{}` {text}", one_line(&kind)));
                Role::Other
            } else if NOT_GUARDS.contains(&kind.as_str()) {
                report.left_out(&place, format!("`{}` is not carried over; nobody gets in for that", one_line(&kind)));
                Role::Other
            } else if kind.ends_with("-outbound") {
                report.left_out(&place, format!("`{}` is not carried over: it is about answers", one_line(&kind)));
                // Where a route has it before its handler, it is not what its name says.
                Role::Guard
            } else {
                let text =
                    format!("`{}` may decide who gets in, and is not carried over: its routes are closed", one_line(&kind));
                report.left_out(&place, text);
                Role::Guard
            };
            self.roles.insert(name, if twin { Role::Guard } else { role });
        }
    }
}

fn mtls(place: String, name: String, handler: Option<Fields<'_>>, report: &mut Report) -> Policy {
    let mut policy = Policy { place: place.clone(), name, keys: Vec::new(), issuer: None, closed: None };
    let Some(mut handler) = handler else {
        policy.closed = Some("it has no `handler`".into());
        return policy;
    };
    handler.skip(&["export", "module"]);
    let options = handler.get("options");
    report.unknown(&place, &handler);
    let empty = serde_json::Map::new();
    let mut options = options.and_then(fields).unwrap_or_else(|| Fields::of_map(&empty));
    let mut problems = Vec::new();
    let mut flag = |key: &'static str| match options.get(key) {
        None => None,
        Some(Value::Bool(flag)) => Some(*flag),
        Some(_) => {
            problems.push(format!("`{key}` is no truth value"));
            None
        }
    };
    let (expired, revoked) = (flag("allowExpiredCertificates"), flag("allowRevokedCertificates"));
    let anybody = flag("allowUnauthenticatedRequests").unwrap_or(false);
    let old = expired.is_some() || revoked.is_some();
    let issuer = options.get("certIssuerDN");
    policy.issuer = issuer.and_then(Value::as_str).map(str::to_owned).filter(|issuer| !issuer.trim().is_empty());
    if issuer.is_some() && policy.issuer.is_none() {
        problems.push("`certIssuerDN` is no name".into());
    }
    if report.unknown(&place, &options) {
        problems.push("it has options that are not known".into());
    }
    policy.closed = (!problems.is_empty()).then(|| problems.join("; "));
    if let Some(why) = &policy.closed {
        report.left_out(&place, format!("its routes are closed: {why}"));
    }
    let verification = if anybody && !old { "permissive" } else { "enforce" };
    policy.keys.push(("verification", verification.into()));
    policy.keys.push(("trusted_ca", policy.set().into()));
    policy.keys.push(("max_path_length", 0.into()));
    let flags = [
        ("allow_unauthenticated_requests", anybody && old),
        ("allow_expired_certificates", expired == Some(true)),
        ("allow_revoked_certificates", revoked == Some(true)),
    ];
    policy.keys.extend(flags.into_iter().filter(|(_, on)| *on).map(|(key, _)| (key, true.into())));
    tell(&policy, anybody, old, report);
    policy
}

/// What means something else here.
fn tell(policy: &Policy, anybody: bool, old: bool, report: &mut Report) {
    let place = &policy.place;
    match (&policy.issuer, anybody && !old) {
        (Some(_), true) => {
            let text = "`certIssuerDN` does not count in Zuplo beside `allowUnauthenticatedRequests`; here nobody is verified by another CA";
            report.stronger(place, text);
        }
        (Some(_), false) => {
            report.stronger(
                place,
                "`certIssuerDN` compares names; here the CA's own certificate is the anchor, and issues directly",
            );
        }
        (None, false) if !old => {
            report
                .note(place, "`certIssuerDN` is missing, which Zuplo refuses; here the CA's file says whose certificates pass");
        }
        (None, _) => {}
    }
    if anybody && old {
        let text = "`allowUnauthenticatedRequests` of the old policy: requests without a certificate pass; a certificate that is there \
                    must still be good";
        report.stronger(place, text);
    } else if anybody {
        let text = "`allowUnauthenticatedRequests`: everybody passes, as in Zuplo; a name from a certificate that was not verified is \
                    never told as somebody's, which Zuplo does (`request.user.sub`)";
        report.stronger(place, text);
    }
    let text = "`request.user` is told to the upstream, in `X-Vestibule-User` ([identity.user]); what code in the gateway did with it is not";
    report.note(place, text);
}
