//! What must hold of a certificate before OpenSSL judges it.
//!
//! OpenSSL checks paths, dates, purposes and policies. It does not check what follows, and each line here answers something
//! that OpenSSL lets through (measured on the public suites and by fuzzing):
//!
//! 1. OpenSSL and x509-parser read the same bytes, to the last one; OpenSSL writes them back unchanged.
//! 2. Version 3, or 1 by a switch; no extension twice; serial number of 1 to 20 octets (RFC 5280 §4.1.2.2, §4.2).
//! 3. The public key is of a kind and size that is worth a signature (`key`).
//! 4. The extensions that decide anything parse to their end; alternative names have the syntax of their kind (`san`).
//! 5. Sizes: 512 alternative names, 64 RDNs in a name, 4 KiB in an attribute value.
//! 6. The end entity is no CA and has no name constraints.
//! 7. A wildcard dNSName does not stand below a CA that excludes DNS names: OpenSSL compares the `*` as a label.
//! 8. What strangers present has no policy constraints without policies: OpenSSL 3.0 never gives back the memory of those.

mod critical;
mod key;
mod san;

use std::collections::HashSet;

pub(crate) use self::critical::{only_qc_statements_is_unprocessed, unprocessed_critical};

use openssl::x509::X509Ref;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, NameConstraints, ParsedExtension};
use x509_parser::oid_registry::{
    OID_X509_EXT_AUTHORITY_KEY_IDENTIFIER, OID_X509_EXT_BASIC_CONSTRAINTS, OID_X509_EXT_CERTIFICATE_POLICIES,
    OID_X509_EXT_EXTENDED_KEY_USAGE, OID_X509_EXT_INHIBIT_ANY_POLICY, OID_X509_EXT_KEY_USAGE, OID_X509_EXT_NAME_CONSTRAINTS,
    OID_X509_EXT_POLICY_CONSTRAINTS, OID_X509_EXT_POLICY_MAPPINGS, OID_X509_EXT_SUBJECT_ALT_NAME,
    OID_X509_EXT_SUBJECT_KEY_IDENTIFIER, Oid,
};
use x509_parser::prelude::FromDer;
use x509_parser::x509::{X509Name, X509Version};

/// `X509_V_ERR_EE_KEY_TOO_SMALL`.
pub(crate) const LEAF_KEY_TOO_WEAK: i32 = 66;
/// `X509_V_ERR_CA_KEY_TOO_SMALL`.
pub(crate) const CA_KEY_TOO_WEAK: i32 = 67;
/// `X509_V_ERR_APPLICATION_VERIFICATION`: the number that OpenSSL sets aside for checks of the application.
pub(crate) const OWN_CHECK: i32 = 50;

/// More alternative names than any client needs; name constraints cost names times constraints.
const MOST_NAMES: usize = 512;
/// RDNs in a subject or issuer.
const MOST_RDNS: usize = 64;
/// Octets in one attribute value.
const LONGEST_VALUE: usize = 4 * 1024;
/// RFC 5280 §4.1.2.2.
const LONGEST_SERIAL: usize = 20;

/// Where the certificate stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A certification authority of the configuration.
    Ca,
    /// The certificate that was presented.
    EndEntity,
    /// A certificate that was presented and is known by itself: it may be its own CA.
    Registered,
    /// What was presented beside it: certification authorities, if they are of use.
    PresentedCa,
}

/// What the operator allows beyond the default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Allowances {
    /// X.509 version 1 certificates.
    pub version_1: bool,
    /// Ed448 keys.
    pub ed448: bool,
}

/// A rule that a certificate breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lint {
    /// The nearest `X509_V_ERR_*` number: 66 or 67 for keys, 50 otherwise.
    pub code: i32,
    /// What is wrong, in words that follow "the certificate".
    pub problem: String,
    /// The certificate is not even handed to OpenSSL: the readers disagree, or it is too large to be worth it.
    pub stops: bool,
}

/// Every rule that the certificate breaks.
pub fn lint(certificate: &X509Ref, der: &[u8], role: Role, allow: Allowances) -> Vec<Lint> {
    let parsed = match read(certificate, der) {
        Ok(parsed) => parsed,
        Err(problem) => return vec![Lint { code: OWN_CHECK, problem, stops: true }],
    };
    let mut lints: Vec<Lint> =
        too_large(&parsed).into_iter().map(|p| Lint { code: OWN_CHECK, problem: p, stops: true }).collect();
    let plain = |problem| Lint { code: OWN_CHECK, problem, stops: false };
    if role != Role::Ca {
        lints.extend(leaking(&parsed).map(|problem| Lint { code: OWN_CHECK, problem, stops: true }));
    }
    lints.extend(fields(&parsed, allow).into_iter().chain(extensions(&parsed)).map(plain));
    if let Err(problem) = key::check(&parsed, certificate, allow) {
        let is_leaf = matches!(role, Role::EndEntity | Role::Registered);
        let code = if is_leaf { LEAF_KEY_TOO_WEAK } else { CA_KEY_TOO_WEAK };
        lints.push(Lint { code, problem, stops: false });
    }
    if role == Role::EndEntity {
        lints.extend(end_entity(&parsed).into_iter().map(plain));
    }
    lints
}

/// Whether the certificate says that it is a CA: basicConstraints cA (RFC 5280 §4.2.1.9), and keyCertSign where key usage is
/// stated. A version 1 certificate cannot say so; `None`.
pub(crate) fn is_ca(der: &[u8]) -> Option<bool> {
    let (_, parsed) = X509Certificate::from_der(der).ok()?;
    if parsed.version() == X509Version::V1 {
        return None;
    }
    let signs = parsed.key_usage().ok()?.is_none_or(|usage| usage.value.key_cert_sign());
    Some(signs && parsed.basic_constraints().ok()?.is_some_and(|constraints| constraints.value.ca))
}

/// basicConstraints cA; `None` when it cannot be told.
pub(crate) fn has_ca_flag(der: &[u8]) -> Option<bool> {
    let (_, parsed) = X509Certificate::from_der(der).ok()?;
    Some(parsed.basic_constraints().ok()?.is_some_and(|constraints| constraints.value.ca))
}

/// Key usage cRLSign, or no word on key usage (RFC 5280 §6.3.3 f).
pub(crate) fn may_sign_crls(der: &[u8]) -> bool {
    let Ok((_, parsed)) = X509Certificate::from_der(der) else { return false };
    parsed.key_usage().is_ok_and(|usage| usage.is_none_or(|usage| usage.value.crl_sign()))
}

/// Key usage cRLSign without keyCertSign: a key that an issuer keeps for its CRLs alone (RFC 5280 §4.2.1.3).
pub(crate) fn signs_crls_only(der: &[u8]) -> bool {
    let Ok((_, parsed)) = X509Certificate::from_der(der) else { return false };
    let Ok(Some(usage)) = parsed.key_usage() else { return false };
    usage.value.crl_sign() && !usage.value.key_cert_sign()
}

/// A dNSName with `*`.
pub(crate) fn has_wildcard_name(der: &[u8]) -> bool {
    let Ok((_, parsed)) = X509Certificate::from_der(der) else { return false };
    let names = parsed.subject_alternative_name().ok().flatten();
    names.is_some_and(|names| names.value.general_names.iter().any(|n| matches!(n, GeneralName::DNSName(n) if n.contains('*'))))
}

/// Name constraints that exclude a DNS subtree (RFC 5280 §4.2.1.10).
pub(crate) fn excludes_dns_names(der: &[u8]) -> bool {
    let Ok((_, parsed)) = X509Certificate::from_der(der) else { return false };
    let constraints = parsed.name_constraints().ok().flatten();
    let excluded = constraints.and_then(|constraints| constraints.value.excluded_subtrees.as_ref());
    excluded.is_some_and(|subtrees| subtrees.iter().any(|subtree| matches!(subtree.base, GeneralName::DNSName(_))))
}

fn read<'a>(certificate: &X509Ref, der: &'a [u8]) -> Result<X509Certificate<'a>, String> {
    let (rest, parsed) = X509Certificate::from_der(der).map_err(|e| format!("cannot be read by our second reader: {e}"))?;
    if !rest.is_empty() {
        return Err("is followed by more bytes".into());
    }
    match certificate.to_der() {
        Ok(written) if written == der => Ok(parsed),
        _ => Err("is not in DER: OpenSSL would write it differently".into()),
    }
}

fn too_large(parsed: &X509Certificate<'_>) -> Vec<String> {
    let mut problems = Vec::new();
    for (which, name) in [("subject", parsed.subject()), ("issuer", parsed.issuer())] {
        problems.extend(name_too_large(name).map(|what| format!("has a {which} with {what}")));
    }
    let names = parsed.extensions().iter().filter_map(|extension| match extension.parsed_extension() {
        ParsedExtension::SubjectAlternativeName(names) => Some(names.general_names.len()),
        _ => None,
    });
    if names.sum::<usize>() > MOST_NAMES {
        problems.push(format!("has more than {MOST_NAMES} alternative names"));
    }
    problems
}

fn name_too_large(name: &X509Name<'_>) -> Option<String> {
    if name.iter_rdn().count() > MOST_RDNS {
        return Some(format!("more than {MOST_RDNS} parts"));
    }
    let long = name.iter_attributes().any(|attribute| attribute.as_slice().len() > LONGEST_VALUE);
    long.then(|| format!("a value of more than {LONGEST_VALUE} octets"))
}

/// OpenSSL 3.0 reads policyConstraints, finds no certificatePolicies beside them, and forgets what it has read (`policy_cache_set`
/// of pcy_cache.c): forty octets for each time that somebody presents such a certificate. Those of the configuration stay
/// allowed: they are read once.
fn leaking(parsed: &X509Certificate<'_>) -> Option<String> {
    let has = |oid: Oid<'_>| parsed.extensions().iter().any(|extension| extension.oid == oid);
    let leaks = has(OID_X509_EXT_POLICY_CONSTRAINTS) && !has(OID_X509_EXT_CERTIFICATE_POLICIES);
    leaks.then(|| "has policy constraints, but no certificate policies".into())
}

fn fields(parsed: &X509Certificate<'_>, allow: Allowances) -> Vec<String> {
    let mut problems = Vec::new();
    match parsed.version() {
        X509Version::V3 => {}
        X509Version::V1 if allow.version_1 => {}
        other => problems.push(format!("has version {}, not 3", other.0.saturating_add(1))),
    }
    if !(1..=LONGEST_SERIAL).contains(&parsed.raw_serial().len()) {
        problems.push(format!("has a serial number of {} octets, not 1 to {LONGEST_SERIAL}", parsed.raw_serial().len()));
    }
    let mut seen = HashSet::new();
    if let Some(twice) = parsed.extensions().iter().find(|extension| !seen.insert(&extension.oid)) {
        problems.push(format!("has extension {} twice", twice.oid));
    }
    problems
}

/// Extensions that decide something. Others (information access, transparency timestamps, comments) may be odd.
const DECIDING: [Oid<'static>; 11] = [
    OID_X509_EXT_AUTHORITY_KEY_IDENTIFIER,
    OID_X509_EXT_BASIC_CONSTRAINTS,
    OID_X509_EXT_CERTIFICATE_POLICIES,
    OID_X509_EXT_EXTENDED_KEY_USAGE,
    OID_X509_EXT_INHIBIT_ANY_POLICY,
    OID_X509_EXT_KEY_USAGE,
    OID_X509_EXT_NAME_CONSTRAINTS,
    OID_X509_EXT_POLICY_CONSTRAINTS,
    OID_X509_EXT_POLICY_MAPPINGS,
    OID_X509_EXT_SUBJECT_ALT_NAME,
    OID_X509_EXT_SUBJECT_KEY_IDENTIFIER,
];

fn extensions(parsed: &X509Certificate<'_>) -> Vec<String> {
    let mut problems = Vec::new();
    for extension in parsed.extensions() {
        match extension.parsed_extension() {
            ParsedExtension::ParseError { error } if DECIDING.contains(&extension.oid) => {
                problems.push(format!("has an extension {} that cannot be read: {error}", extension.oid));
            }
            ParsedExtension::SubjectAlternativeName(names) => {
                problems.extend(names.general_names.iter().filter_map(san::problem_of));
            }
            // RFC 5280 §4.2.1.10 forbids it; readers differ on what it means.
            ParsedExtension::NameConstraints(constraints) if constrains_nothing(constraints) => {
                problems.push("has name constraints without a subtree".into());
            }
            _ => {}
        }
    }
    problems
}

fn constrains_nothing(constraints: &NameConstraints<'_>) -> bool {
    [&constraints.permitted_subtrees, &constraints.excluded_subtrees].into_iter().flatten().all(Vec::is_empty)
}

fn end_entity(parsed: &X509Certificate<'_>) -> Vec<String> {
    let mut problems = Vec::new();
    if parsed.basic_constraints().ok().flatten().is_some_and(|constraints| constraints.value.ca) {
        problems.push("is the certificate of a CA, not of a client".into());
    }
    // RFC 5280 §4.2.1.10: only in a CA certificate.
    if parsed.extensions().iter().any(|extension| extension.oid == OID_X509_EXT_NAME_CONSTRAINTS) {
        problems.push("has name constraints, which only a CA may have".into());
    }
    problems
}
