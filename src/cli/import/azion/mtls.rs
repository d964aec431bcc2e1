//! mTLS settings of domains (v3) and workloads (v4) as a policy.

use serde_json::Value;

use crate::cli::import::fields::{Fields, id, text};
use crate::cli::import::remark::Remark;

/// A tenant's policy.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mtls {
    place: String,
    pub(super) settings: Settings,
}

/// What becomes `[policy]` and `[trusted_ca]`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) verification: &'static str,
    /// Id of the Trusted CA.
    pub(super) trusted_ca: Option<String>,
    /// Ids of CRLs.
    pub(super) crl: Vec<String>,
}

/// Fields of a domain or workload that say nothing of client certificates.
const OTHERS: [&str; 27] = [
    "id",
    "name",
    "active",
    "is_active",
    "cnames",
    "cname_access_only",
    "domain_name",
    "domains",
    "alternate_domains",
    "edge_application_id",
    "edge_application",
    "edge_firewall_id",
    "edge_firewall",
    "digital_certificate_id",
    "environment",
    "network_map",
    "product_version",
    "tls",
    "protocols",
    "infrastructure",
    "workload_domain",
    "workload_hostname",
    "workload_domain_allow_access",
    "last_editor",
    "last_modified",
    "created_at",
    "description",
];

/// Converts the settings of one domain. What cannot be read makes the policy stricter, never weaker.
pub(super) fn convert(source: &str, json: &Value, remarks: &mut Vec<Remark>) -> Option<Mtls> {
    let mut fields = Fields::of(json)?;
    let name = fields.get("name").and_then(text).unwrap_or_else(|| "without name".into());
    let place = format!("{source}: domain `{name}`");
    fields.skip(&OTHERS);
    let mut problems = Vec::new();
    let mut settings = read(&mut fields, &mut problems);
    let unknown = fields.unknown();
    if !unknown.is_empty() {
        problems.push(format!("unknown fields of the domain: `{}`", unknown.join("`, `")));
    }
    remarks.extend(problems.into_iter().map(|text| Remark::left_out(text, &place)));
    let note = "only its mTLS settings are read; write [[domains]] yourself, with a key from `vestibule keygen`";
    remarks.push(Remark::note(note.into(), &place));
    if settings.verification == "off" {
        settings.trusted_ca = None;
        settings.crl.clear();
    } else if let Some(ca) = &settings.trusted_ca {
        let text = format!(
            "put the PEM of the Trusted CA {ca} into `trusted-ca/ca_{ca}.pem` (roots; intermediates into a file of their own, \
             under `intermediates`)"
        );
        remarks.push(Remark::note(text, &place));
        remarks
            .extend(settings.crl.iter().map(|crl| Remark::note(format!("put the CRL {crl} into `crl/crl_{crl}.pem`"), &place)));
    } else {
        remarks.push(Remark::left_out("no Trusted CA is named: set `trusted_ca` in [policy]".into(), &place));
    }
    Some(Mtls { place, settings })
}

fn read(fields: &mut Fields<'_>, problems: &mut Vec<String>) -> Settings {
    let flat_enabled = fields.get("is_mtls_enabled");
    let flat = (fields.get("mtls_verification"), fields.get("mtls_trusted_ca_certificate_id"), fields.get("crl_list"));
    let Some(mtls) = fields.get("mtls") else {
        return settings(flat_enabled, flat, problems);
    };
    if flat_enabled.is_some() || flat.0.is_some() {
        problems.push("the mTLS settings of v3 stand beside those of v4; only the latter are read".into());
    }
    let Some(mut outer) = Fields::of(mtls) else {
        problems.push(format!("`mtls` is {mtls}, which is no object"));
        return settings(None, (None, None, None), problems);
    };
    let enabled = outer.get("enabled");
    // Guides still show the settings without `config` around them.
    let config = outer.get("config").unwrap_or(mtls);
    let Some(mut inner) = Fields::of(config) else {
        problems.push(format!("`mtls.config` is {config}, which is no object"));
        return settings(enabled, (None, None, None), problems);
    };
    let values = (inner.get("verification"), inner.get("certificate"), inner.get("crl"));
    inner.skip(&["enabled", "config"]);
    if !std::ptr::eq(config, mtls) {
        problems.extend(outer.finish().err());
    }
    problems.extend(inner.finish().err());
    settings(enabled, values, problems)
}

type Values<'j> = (Option<&'j Value>, Option<&'j Value>, Option<&'j Value>);

fn settings(enabled: Option<&Value>, (verification, ca, crl): Values<'_>, problems: &mut Vec<String>) -> Settings {
    let enabled = match enabled {
        None | Some(Value::Bool(true)) => true,
        Some(Value::Bool(false)) => false,
        Some(other) => {
            problems.push(format!("whether mTLS is on is {other}; taken as on"));
            true
        }
    };
    let verification = match verification.map(|word| (word, word.as_str())) {
        _ if !enabled => "off",
        None | Some((_, Some("enforce"))) => "enforce",
        Some((_, Some("permissive"))) => "permissive",
        Some((word, _)) => {
            problems.push(format!("the verification {word} is not known; taken as enforce"));
            "enforce"
        }
    };
    let mut ids = |what: &str, value: &Value| {
        let id = id(value);
        if id.is_none() {
            problems.push(format!("{value} is no id of a {what}"));
        }
        id
    };
    let trusted_ca = ca.and_then(|ca| ids("Trusted CA", ca));
    let crl = match crl {
        Some(Value::Array(list)) => list.iter().filter_map(|crl| ids("CRL", crl)).collect(),
        Some(one) => ids("CRL", one).into_iter().collect(),
        None => Vec::new(),
    };
    Settings { verification, trusted_ca, crl }
}

/// A tenant has one policy; of several that differ none is taken, and what holds then is `enforce`.
pub(super) fn only_one(mut all: Vec<Mtls>, remarks: &mut Vec<Remark>) -> Option<Settings> {
    let last = all.pop()?;
    if let Some(other) = all.iter().find(|other| other.settings != last.settings) {
        let text = format!("its mTLS settings are not those of {}: import each into a tenant of its own", other.place);
        remarks.push(Remark::left_out(text, &last.place));
        return None;
    }
    Some(last.settings)
}
