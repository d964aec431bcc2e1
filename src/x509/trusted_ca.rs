//! The certificates that a route trusts, made ready once, at configuration time.
//!
//! Every anchor has a store of its own, so that each path is judged by its anchor alone. CA certificates are found by the hash
//! of their subject: a lookup does not grow with their number. Nothing here changes but the revocation lists, which are
//! exchanged while requests are served ([`TrustedCas::revocation_lists`]).

mod build;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use openssl::x509::store::{X509Store, X509StoreRef};
use openssl::x509::{X509, X509Ref};

use super::path::enumerator::Candidate;
use super::path::settings::VerificationSettings;
use super::path::strength::key_problem;
use super::revocation_lists::RevocationLists;
use super::time::unix_time;
use crate::clock::UnixTime;

/// Bytes from the configuration, and where they came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// What a message calls it: a file and the place in it.
    pub origin: String,
    /// The bytes, DER.
    pub der: Vec<u8>,
}

/// What trust is built from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustMaterial {
    /// Trust anchors.
    pub anchors: Vec<Source>,
    /// CA certificates that are not trusted by themselves, but help to build paths.
    pub intermediates: Vec<Source>,
    /// Certificate revocation lists.
    pub crls: Vec<Source>,
}

/// For which certificates of a path OCSP is asked: nginx's words (`ssl_ocsp`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum OcspUse {
    /// For none.
    #[default]
    Off,
    /// For the client's own.
    Leaf,
    /// For every one below the anchor.
    On,
}

impl OcspUse {
    /// Whether it is asked for the certificate at this place in the chain, 0 for the client's own.
    pub fn covers(self, depth: u32) -> bool {
        match self {
            Self::Off => false,
            Self::Leaf => depth == 0,
            Self::On => true,
        }
    }
}

/// How a CA set is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrustOptions {
    /// An anchor need not be self-signed: an intermediate can be trusted by itself.
    pub allow_partial_chain: bool,
    /// OpenSSL's `X509_V_FLAG_X509_STRICT`: CAs must state what RFC 5280 demands of them. Off also admits version 1 anchors.
    pub x509_strict: bool,
    /// Ed448 keys.
    pub allow_ed448: bool,
    /// OCSP.
    pub ocsp: OcspUse,
    /// Only answers with our nonce count: what other sets of CAs were told may be old.
    pub ocsp_nonce_required: bool,
    /// Lists can be fetched for the set, so that it matters to ask although there is none yet.
    pub revocation_sources: bool,
}

impl Default for TrustOptions {
    fn default() -> Self {
        Self {
            allow_partial_chain: false,
            x509_strict: true,
            allow_ed448: false,
            ocsp: OcspUse::Off,
            ocsp_nonce_required: false,
            revocation_sources: false,
        }
    }
}

/// Why a piece of the trust material cannot be used, or is worth a look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustProblem {
    /// Which piece.
    pub origin: String,
    /// What is wrong and how to mend it.
    pub sentence: String,
}

impl fmt::Display for TrustProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.origin, self.sentence)
    }
}

/// Trusted CAs, ready for use by any number of threads.
pub struct TrustedCas {
    certificates: Vec<CaCertificate>,
    by_subject: HashMap<u32, Vec<usize>>,
    empty_store: X509Store,
    lists: Arc<RevocationLists>,
    options: TrustOptions,
    identity: [u8; 32],
    boundaries: Vec<i64>,
    warnings: Vec<TrustProblem>,
}

impl fmt::Debug for TrustedCas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("TrustedCas");
        out.field("anchors", &self.anchors().map(hex::encode).collect::<Vec<_>>());
        out.field("certificates", &self.certificates.len()).field("lists", &self.lists);
        out.field("options", &self.options).finish_non_exhaustive()
    }
}

struct CaCertificate {
    x509: X509,
    sha256: [u8; 32],
    /// Present when it is an anchor.
    store: Option<X509Store>,
    self_signed: bool,
}

impl TrustedCas {
    /// Makes trust ready for use. `now` is only for warnings about dates.
    ///
    /// # Errors
    /// Every problem, not just the first.
    pub fn build(material: &TrustMaterial, options: TrustOptions, now: UnixTime) -> Result<Self, Vec<TrustProblem>> {
        let (trust, problems) = build::assemble(material, options, now)?;
        if problems.is_empty() { Ok(trust) } else { Err(problems) }
    }

    /// Like [`TrustedCas::build`], but leaves out what cannot be used and says why. For judging somebody else's material;
    /// a server must not start with less trust than was configured.
    ///
    /// # Errors
    /// When OpenSSL cannot make a store.
    pub fn build_leaving_out(
        material: &TrustMaterial,
        options: TrustOptions,
        now: UnixTime,
    ) -> Result<(Self, Vec<TrustProblem>), Vec<TrustProblem>> {
        build::assemble(material, options, now)
    }

    /// Trust in nobody, for a route whose clients are all registered one by one: it finds out what is wrong with the others.
    ///
    /// # Errors
    /// When OpenSSL cannot make a store.
    pub fn nobody() -> Result<Self, Vec<TrustProblem>> {
        let (trust, _) = build::assemble(&TrustMaterial::default(), TrustOptions::default(), UnixTime(0))?;
        Ok(trust)
    }

    /// How the set is used.
    pub fn options(&self) -> TrustOptions {
        self.options
    }

    /// A hash over every certificate and option: equal only for sets that judge alike with the same revocation lists. Those
    /// have a number of their own ([`super::revocation_lists::ListSet::epoch`]).
    pub fn identity(&self) -> &[u8; 32] {
        &self.identity
    }

    /// What is worth a look but no reason to refuse: expired certificates, stale CRLs.
    pub fn warnings(&self) -> &[TrustProblem] {
        &self.warnings
    }

    /// SHA-256 of every trust anchor's DER.
    pub fn anchors(&self) -> impl Iterator<Item = &[u8; 32]> {
        self.certificates.iter().filter(|ca| ca.store.is_some()).map(|ca| &ca.sha256)
    }

    /// SHA-256 of every certificate's DER, anchors first.
    pub fn fingerprints(&self) -> impl Iterator<Item = &[u8; 32]> {
        self.certificates.iter().map(|ca| &ca.sha256)
    }

    /// The certificates whose keys are weaker than the settings ask for, by SHA-256, with what is wrong.
    pub fn weaker_than(&self, settings: &VerificationSettings) -> impl Iterator<Item = (&[u8; 32], String)> {
        self.certificates.iter().filter_map(|ca| Some((&ca.sha256, key_problem(&ca.x509, settings)?)))
    }

    /// Every certificate and the instant at which it ends, anchors first. One whose date cannot be read is left out.
    pub fn ends(&self) -> impl Iterator<Item = (&X509Ref, UnixTime)> {
        self.certificates.iter().filter_map(|ca| Some((&*ca.x509, unix_time(ca.x509.not_after())?)))
    }

    /// Every certificate of the set, anchors first.
    pub fn certificates(&self) -> impl Iterator<Item = &X509> {
        self.certificates.iter().map(|ca| &ca.x509)
    }

    /// The subjects of all certificates, anchors and intermediates, as DER: what a TLS server tells clients, who look for the
    /// issuer of theirs. Each name once.
    pub fn subjects(&self) -> Vec<Vec<u8>> {
        let mut subjects: Vec<_> = self.certificates.iter().filter_map(|ca| ca.x509.subject_name().to_der().ok()).collect();
        subjects.sort_unstable();
        subjects.dedup();
        subjects
    }

    /// The revocation lists: those of the configuration first, and whatever is put in their place.
    pub fn revocation_lists(&self) -> &Arc<RevocationLists> {
        &self.lists
    }

    /// The last second up to and including `now`, and the first one after it, at which a verdict can change because of the
    /// date of a certificate in the set.
    pub(crate) fn boundaries_around(&self, now: UnixTime) -> (Option<i64>, Option<i64>) {
        let at = self.boundaries.partition_point(|boundary| *boundary <= now.0);
        (at.checked_sub(1).and_then(|before| self.boundaries.get(before)).copied(), self.boundaries.get(at).copied())
    }

    pub(crate) fn empty_store(&self) -> &X509StoreRef {
        &self.empty_store
    }

    /// The certificates whose subject has this hash, anchors first.
    pub(crate) fn named(&self, subject_hash: u32) -> impl Iterator<Item = Candidate<'_>> {
        let places = self.by_subject.get(&subject_hash).map(Vec::as_slice).unwrap_or_default();
        places.iter().filter_map(|place| self.certificates.get(*place)).map(CaCertificate::candidate)
    }
}

impl CaCertificate {
    fn candidate(&self) -> Candidate<'_> {
        Candidate {
            x509: &self.x509,
            sha256: &self.sha256,
            store: self.store.as_deref(),
            configured: true,
            self_signed: self.self_signed,
        }
    }
}
