//! Certification paths: find them, have OpenSSL judge each one alone, keep the best.
//!
//! Enters: an end entity, what was presented beside it, trusted CAs, settings, an instant. Leaves: every error with its
//! depth, and the path they belong to.
//!
//! OpenSSL is not asked about revocation: `status` says for every certificate below the anchor what OCSP answers and lists say.
//!
//! 1. The lints of [`crate::x509::lint`] on the end entity and on every presented CA.
//! 2. Paths by issuer and subject (`enumerator`), each verified with a store that holds its anchor alone.
//! 3. A path without errors wins. Otherwise the one with the least severe set: chain worse than purpose worse than revoked
//!    worse than revocation unknown worse than validity. So an expired genuine certificate is "expired" and nothing else, and
//!    an expired forgery is a broken chain *and* expired.
//! 4. Without a path, one run against an empty store says why, and what else is wrong.
//!
//! The end entity itself is never an anchor.

pub(crate) mod concern;
mod crl_signers;
pub(crate) mod enumerator;
pub mod inquiry;
mod judgement;
pub mod settings;
mod status;
pub(crate) mod strength;

use std::ops::ControlFlow;

use openssl::x509::store::X509StoreRef;
use openssl::x509::verify::X509VerifyFlags;
use openssl::x509::{X509, X509PurposeId, X509Ref};

use self::enumerator::{Candidate, Field, Presented, Search, search};
pub(crate) use self::judgement::Judgement;
use self::settings::{Purpose, RevocationCheckMode, VerificationSettings};
use self::status::Asked;
use super::certificate::Certificate;
use super::lint::{self, OWN_CHECK, Role};
use super::ocsp_answers::OcspAnswers;
use super::openssl_ffi::{PathError, VerifyRun};
use super::revocation_lists::ListSet;
use super::time::unix_time;
use super::trusted_ca::TrustedCas;
use crate::clock::UnixTime;

/// Keys of 112 bits of strength and no SHA-1 (SSL_CTX_set_security_level(3)).
const AUTH_LEVEL: i32 = 2;
/// `X509_V_ERR_UNSPECIFIED`.
const UNSPECIFIED: i32 = 1;

/// `X509_V_ERR_CERT_NOT_YET_VALID`, `…_CERT_HAS_EXPIRED`, `…_ERROR_IN_CERT_NOT_BEFORE_FIELD`, `…_NOT_AFTER_FIELD`.
const NOT_YET_VALID: i32 = 9;
const HAS_EXPIRED: i32 = 10;
const BAD_NOT_BEFORE: i32 = 13;
const BAD_NOT_AFTER: i32 = 14;
/// `X509_V_ERR_INVALID_PURPOSE`.
const INVALID_PURPOSE: i32 = 26;
/// 2.5.29.37
pub(crate) const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1D, 0x25];
/// `X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION` of the end entity.
const LEAF_CRITICAL_EXTENSION: PathError = PathError { code: 34, depth: 0 };
/// `X509_V_ERR_CERT_REVOKED` for the end entity.
const LEAF_REVOKED: PathError = PathError { code: 23, depth: 0 };

/// What is known about revocation.
#[derive(Clone, Copy)]
pub(crate) struct Knowledge<'a> {
    /// A snapshot of the lists.
    pub(crate) lists: &'a ListSet,
    /// The OCSP answers that are held.
    pub(crate) answers: Option<&'a OcspAnswers>,
}

/// Judges an end entity.
pub(crate) fn judge(
    leaf: &Certificate,
    presented: &[Certificate],
    trust: &TrustedCas,
    knowledge: Knowledge<'_>,
    settings: &VerificationSettings,
    now: UnixTime,
) -> Judgement {
    let mut own = Judgement::default();
    if lint_leaf(leaf, presented.len(), settings, &mut own) {
        own.errors.extend(date_error(leaf, now));
        return own.sorted();
    }
    let presented = accept_presented(presented, settings, &mut own);
    let max_intermediates = usize::try_from(settings.max_path_length).unwrap_or(usize::MAX);
    let field = Field { leaf_sha256: leaf.sha256(), presented: &presented, trust, lists: knowledge.lists, max_intermediates };
    own.errors.extend(missing_eku(leaf, settings, &mut own.remarks));
    let wildcard = lint::has_wildcard_name(leaf.der());
    let reads_qc = settings.allow_critical_qc_statements && lint::only_qc_statements_is_unprocessed(leaf.der());
    let judge = Judge { leaf, field: &field, asked: Asked::new(knowledge.answers), settings, now, wildcard, reads_qc };
    let mut best = judge.best_path();
    best.asked = judge.asked.into_seen();
    best.errors.append(&mut own.errors);
    best.remarks.append(&mut own.remarks);
    if !best.depends_on_status() {
        best.inquiries.clear();
    }
    best.sorted()
}

/// True when the certificate is not to be handed to OpenSSL at all.
fn lint_leaf(leaf: &Certificate, presented: usize, settings: &VerificationSettings, own: &mut Judgement) -> bool {
    let mut stops = false;
    for found in lint::lint(leaf.openssl(), leaf.der(), Role::EndEntity, settings.allowances()) {
        own.errors.push(PathError { code: found.code, depth: 0 });
        own.remarks.push(format!("the certificate {}", found.problem));
        stops |= found.stops;
    }
    if presented > settings.max_presented {
        own.errors.push(PathError { code: OWN_CHECK, depth: 0 });
        own.remarks.push(format!("{presented} certificates beside the client's own; {} are accepted", settings.max_presented));
        stops = true;
    }
    stops
}

/// To OpenSSL an end entity without extended key usage is fit for everything.
fn missing_eku(leaf: &Certificate, settings: &VerificationSettings, remarks: &mut Vec<String>) -> Option<PathError> {
    let asked = settings.purpose != Purpose::Any && !settings.allow_missing_eku;
    if !asked || leaf.extension(EXTENDED_KEY_USAGE) != Ok(None) {
        return None;
    }
    remarks.push("the certificate has no extended key usage, and `allow_missing_eku` is off".into());
    Some(PathError { code: INVALID_PURPOSE, depth: 0 })
}

/// What OpenSSL would have said of the dates.
pub(crate) fn date_error(leaf: &Certificate, now: UnixTime) -> Option<PathError> {
    let code = match (unix_time(leaf.openssl().not_before()), unix_time(leaf.openssl().not_after())) {
        (None, _) => BAD_NOT_BEFORE,
        (_, None) => BAD_NOT_AFTER,
        (Some(start), _) if now < start => NOT_YET_VALID,
        (_, Some(end)) if end <= now => HAS_EXPIRED,
        _ => return None,
    };
    Some(PathError { code, depth: 0 })
}

fn accept_presented(presented: &[Certificate], settings: &VerificationSettings, own: &mut Judgement) -> Vec<Presented> {
    let mut accepted = Vec::with_capacity(presented.len());
    for (at, certificate) in presented.iter().enumerate() {
        match Presented::accept(certificate, settings.allowances()) {
            Ok(candidate) => accepted.push(candidate),
            Err(problem) => own.remarks.push(format!("presented certificate {} left out: it {problem}", at + 1)),
        }
    }
    accepted
}

struct Judge<'a> {
    leaf: &'a Certificate,
    field: &'a Field<'a>,
    asked: Asked<'a>,
    settings: &'a VerificationSettings,
    now: UnixTime,
    wildcard: bool,
    /// The end entity's one critical extension that OpenSSL does not process is read by us.
    reads_qc: bool,
}

impl<'a> Judge<'a> {
    fn best_path(&self) -> Judgement {
        let mut best: Option<Judgement> = None;
        let mut revoked = false;
        let mut inquiries = Vec::new();
        let found = search(self.leaf.openssl(), self.field, &mut |path| {
            let judged = self.one_path(path);
            if judged.waits_for_status() {
                inquiry::add(&mut inquiries, judged.inquiries.clone());
            }
            let clean = judged.errors.is_empty();
            revoked |= judged.is_chain_sound() && judged.errors.contains(&LEAF_REVOKED);
            let better = |old: &Judgement| judged.severity(self.settings) < old.severity(self.settings);
            if best.as_ref().is_none_or(better) {
                best = Some(judged);
            }
            if clean { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        let budget_spent = found.budget_spent;
        let mut best = best.unwrap_or_else(|| self.without_path(&found));
        // The issuer's word holds on every path, also on one along which its CRL could not be used.
        if revoked && !best.errors.is_empty() {
            best.errors.push(LEAF_REVOKED);
        }
        // A path that is not the best for want of a status may become it.
        if !best.errors.is_empty() {
            inquiry::add(&mut best.inquiries, inquiries);
        }
        // A sound chain stays sound whatever else the search would have found.
        if budget_spent && !best.is_chain_sound() {
            best.budget_spent = true;
            best.errors.push(PathError { code: OWN_CHECK, depth: 0 });
            best.remarks.push("too many candidate paths: the search was cut short".into());
        }
        best
    }

    fn one_path(&self, path: &[Candidate<'a>]) -> Judgement {
        let Some(anchor) = path.last() else { return Judgement::unfinished("no path") };
        let mut judged = self.run_along(self.leaf.openssl(), path, purpose_id(self.settings.purpose));
        judged.errors.retain(|error| !(self.reads_qc && *error == LEAF_CRITICAL_EXTENSION));
        for (error, problem) in strength::problems(&judged.chain, self.settings) {
            judged.errors.push(error);
            judged.remarks.push(problem);
        }
        // What a CA says of its serial numbers tells nothing about a certificate that it may not have issued.
        if self.checks_revocation() && judged.is_chain_sound() {
            self.ask_status(&mut judged, anchor);
        }
        let excludes = |ca: &X509| ca.to_der().is_ok_and(|der| lint::excludes_dns_names(&der));
        if self.wildcard && judged.chain.iter().any(excludes) {
            judged.errors.push(PathError { code: OWN_CHECK, depth: 0 });
            judged.remarks.push("the certificate has a wildcard dNSName below a CA that excludes DNS names".into());
        }
        judged.sorted()
    }

    /// One run of OpenSSL with the path's anchor alone and the path's certificates.
    fn run_along(&self, leaf: &X509Ref, path: &[Candidate<'a>], purpose: X509PurposeId) -> Judgement {
        let Some((anchor, intermediates)) = path.split_last() else { return Judgement::unfinished("no path") };
        let Some(store) = anchor.store else { return Judgement::unfinished("no anchor") };
        // OpenSSL checks less of a chain when partial chains are allowed: only where an anchor needs it.
        let partial = self.field.trust.options().allow_partial_chain && !anchor.self_signed;
        let intermediates: Vec<X509> = intermediates.iter().map(|candidate| candidate.x509.clone()).collect();
        // The search has counted them; there is nothing else that OpenSSL could put on the path.
        let depth = u32::try_from(intermediates.len()).unwrap_or(u32::MAX);
        self.run(leaf, store, &intermediates, (purpose, depth), partial)
    }

    /// The reason why there is no path, and what else is wrong. The store is empty, so this never accepts.
    fn without_path(&self, found: &Search<'a>) -> Judgement {
        let presented = self.field.presented.iter().map(|presented| presented.x509().clone());
        let untrusted: Vec<X509> = presented.chain(found.longest.iter().map(|candidate| candidate.x509.clone())).collect();
        let purpose = purpose_id(self.settings.purpose);
        let asked = (purpose, self.settings.max_path_length);
        let mut judged = self.run(self.leaf.openssl(), self.field.trust.empty_store(), &untrusted, asked, false);
        if judged.is_chain_sound() {
            judged.errors.push(PathError { code: UNSPECIFIED, depth: 0 });
        }
        judged
    }

    fn run(
        &self,
        leaf: &X509Ref,
        store: &X509StoreRef,
        untrusted: &[X509],
        (purpose, depth): (X509PurposeId, u32),
        partial: bool,
    ) -> Judgement {
        let run = VerifyRun {
            leaf,
            untrusted,
            store,
            time: self.now,
            purpose,
            depth,
            auth_level: AUTH_LEVEL,
            flags: self.flags(partial),
            policies: self.settings.policy.initial_set(),
        };
        match run.run() {
            Ok(outcome) => Judgement { errors: outcome.errors, chain: outcome.chain, ..Judgement::default() },
            Err(error) => Judgement::unfinished(&error.0),
        }
    }

    fn flags(&self, partial: bool) -> X509VerifyFlags {
        let policy = &self.settings.policy;
        let mut flags = X509VerifyFlags::TRUSTED_FIRST | X509VerifyFlags::POLICY_CHECK;
        flags.set(X509VerifyFlags::X509_STRICT, self.field.trust.options().x509_strict);
        flags.set(X509VerifyFlags::PARTIAL_CHAIN, partial);
        flags.set(X509VerifyFlags::EXPLICIT_POLICY, policy.explicit);
        flags.set(X509VerifyFlags::INHIBIT_MAP, policy.inhibit_mapping);
        flags.set(X509VerifyFlags::INHIBIT_ANY, policy.inhibit_any);
        flags
    }

    fn checks_revocation(&self) -> bool {
        match self.settings.revocation_check_mode {
            RevocationCheckMode::Skip => false,
            RevocationCheckMode::IgnoreCaError => !self.field.lists.is_empty() || self.asks(),
            RevocationCheckMode::Strict => true,
        }
    }
}

fn purpose_id(purpose: Purpose) -> X509PurposeId {
    match purpose {
        Purpose::Any => X509PurposeId::ANY,
        Purpose::Client => X509PurposeId::SSL_CLIENT,
        Purpose::Server => X509PurposeId::SSL_SERVER,
    }
}
