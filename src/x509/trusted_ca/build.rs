//! From bytes to [`TrustedCas`], with every problem on the way.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use openssl::error::ErrorStack;
use openssl::x509::store::{X509Store, X509StoreBuilder};
use openssl::x509::{X509, X509Ref, X509VerifyResult};
use sha2::{Digest, Sha256};

use super::{CaCertificate, Source, TrustMaterial, TrustOptions, TrustProblem, TrustedCas};
use crate::clock::UnixTime;
use crate::x509::certificate::Certificate;
use crate::x509::crl::CrlIndex;
use crate::x509::lint::{self, Allowances, Role};
use crate::x509::revocation_lists::RevocationLists;
use crate::x509::time::{boundaries_of, unix_time};

/// The set made of what is usable, and what is wrong with the rest. `Err` only when OpenSSL cannot make a store.
pub(super) fn assemble(
    material: &TrustMaterial,
    options: TrustOptions,
    now: UnixTime,
) -> Result<(TrustedCas, Vec<TrustProblem>), Vec<TrustProblem>> {
    let mut assembly = Assembly { options, now, ..Assembly::new() };
    let lists = material.crls.iter().filter_map(|source| assembly.list(source)).collect();
    for source in &material.anchors {
        assembly.certificate(source, Kind::Anchor).map_err(|e| vec![cannot_store(source, &e)])?;
    }
    for source in &material.intermediates {
        assembly.certificate(source, Kind::Intermediate).map_err(|e| vec![cannot_store(source, &e)])?;
    }
    if assembly.certificates.iter().all(|ca| ca.store.is_none()) && assembly.problems.is_empty() {
        let sentence = "holds no trust anchor; add the CA certificate that clients are to chain to";
        assembly.problem("the trusted CAs", sentence.into());
    }
    let identity = identity(&assembly.certificates, options);
    assembly.finish(RevocationLists::new(lists), identity)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Anchor,
    Intermediate,
}

struct Assembly {
    options: TrustOptions,
    now: UnixTime,
    certificates: Vec<CaCertificate>,
    seen: HashSet<[u8; 32]>,
    boundaries: Vec<i64>,
    problems: Vec<TrustProblem>,
    warnings: Vec<TrustProblem>,
}

impl Assembly {
    fn new() -> Self {
        Self {
            options: TrustOptions::default(),
            now: UnixTime(0),
            certificates: Vec::new(),
            seen: HashSet::new(),
            boundaries: Vec::new(),
            problems: Vec::new(),
            warnings: Vec::new(),
        }
    }

    fn problem(&mut self, origin: &str, sentence: String) {
        self.problems.push(TrustProblem { origin: origin.into(), sentence });
    }

    fn warn(&mut self, origin: &str, sentence: &str) {
        self.warnings.push(TrustProblem { origin: origin.into(), sentence: sentence.into() });
    }

    fn list(&mut self, source: &Source) -> Option<Arc<CrlIndex>> {
        match CrlIndex::from_der(&source.der) {
            Ok(list) => {
                if list.next_update() < self.now {
                    self.warn(&source.origin, "the CRL is past its nextUpdate; fetch a new one from the CA");
                }
                Some(Arc::new(list))
            }
            Err(error) => {
                self.problem(&source.origin, error.to_string());
                None
            }
        }
    }

    fn certificate(&mut self, source: &Source, kind: Kind) -> Result<(), ErrorStack> {
        let certificate = match Certificate::from_der(&source.der) {
            Ok(certificate) => certificate,
            Err(error) => {
                self.problem(&source.origin, format!("is not a certificate ({}); give a CA certificate", error.0));
                return Ok(());
            }
        };
        let problems = self.problems_of(&certificate, kind);
        if !problems.is_empty() {
            for sentence in problems {
                self.problem(&source.origin, sentence);
            }
            return Ok(());
        }
        if self.seen.insert(*certificate.sha256()) {
            self.date_warnings(&source.origin, certificate.openssl());
            let kind = self.effective_kind(&source.origin, certificate.openssl(), kind);
            self.add(&certificate, kind)?;
        } else {
            self.warn(&source.origin, "the same certificate stands there twice; one of them is enough");
        }
        Ok(())
    }

    fn problems_of(&self, certificate: &Certificate, kind: Kind) -> Vec<String> {
        let allow =
            Allowances { version_1: kind == Kind::Anchor && !self.options.x509_strict, ed448: self.options.allow_ed448 };
        let der = certificate.der();
        let lints = lint::lint(certificate.openssl(), der, Role::Ca, allow);
        let mut problems: Vec<String> =
            lints.into_iter().map(|found| format!("the certificate {}; ask the CA for another one", found.problem)).collect();
        let crl_signer = kind == Kind::Intermediate && lint::signs_crls_only(der);
        if lint::is_ca(der) == Some(false) && !crl_signer {
            problems.push("is not the certificate of a CA (basicConstraints, key usage); give the CA that issued it".into());
        }
        let x509 = certificate.openssl();
        if is_self_signed(x509) && x509.issued(x509) != X509VerifyResult::OK {
            problems
                .push("is self-signed, but its authority key identifier names another key; ask the CA for another one".into());
        }
        problems
    }

    fn date_warnings(&mut self, origin: &str, x509: &X509Ref) {
        if unix_time(x509.not_after()).is_none_or(|end| end <= self.now) {
            self.warn(origin, "the CA certificate has expired, no client below it is accepted; replace it");
        }
        if unix_time(x509.not_before()).is_none_or(|start| start > self.now) {
            self.warn(origin, "the CA certificate is not valid yet");
        }
    }

    /// OpenSSL ends a chain only at a self-signed certificate unless partial chains are allowed.
    fn effective_kind(&mut self, origin: &str, x509: &X509Ref, kind: Kind) -> Kind {
        if kind == Kind::Anchor && !self.options.allow_partial_chain && !is_self_signed(x509) {
            let sentence =
                "is not self-signed, so it only helps to build paths; set `allow_partial_chain` to trust it by itself";
            self.warn(origin, sentence);
            return Kind::Intermediate;
        }
        kind
    }

    fn add(&mut self, certificate: &Certificate, kind: Kind) -> Result<(), ErrorStack> {
        let x509 = certificate.openssl().to_owned();
        let store = if kind == Kind::Anchor { Some(anchor_store(&x509)?) } else { None };
        self.boundaries.extend(boundaries_of([Some(x509.not_before()), Some(x509.not_after())]));
        self.certificates.push(CaCertificate {
            self_signed: is_self_signed(&x509),
            x509,
            sha256: *certificate.sha256(),
            store,
        });
        Ok(())
    }

    fn finish(
        mut self,
        lists: RevocationLists,
        identity: [u8; 32],
    ) -> Result<(TrustedCas, Vec<TrustProblem>), Vec<TrustProblem>> {
        // Anchors first: the search takes the shortest way to trust. The sort is stable, so the order written is kept.
        self.certificates.sort_by_key(|ca| ca.store.is_none());
        let mut by_subject: HashMap<u32, Vec<usize>> = HashMap::new();
        for (place, ca) in self.certificates.iter().enumerate() {
            by_subject.entry(ca.x509.subject_name_hash()).or_default().push(place);
        }
        self.boundaries.sort_unstable();
        self.boundaries.dedup();
        let empty_store =
            X509StoreBuilder::new().map_err(|e| vec![TrustProblem { origin: "OpenSSL".into(), sentence: e.to_string() }])?;
        let trust = TrustedCas {
            certificates: self.certificates,
            by_subject,
            empty_store: empty_store.build(),
            lists: Arc::new(lists),
            options: self.options,
            identity,
            boundaries: self.boundaries,
            warnings: self.warnings,
        };
        Ok((trust, self.problems))
    }
}

fn cannot_store(source: &Source, error: &ErrorStack) -> TrustProblem {
    TrustProblem { origin: source.origin.clone(), sentence: format!("OpenSSL cannot hold it: {error}") }
}

/// RFC 5280 §3.2: self-issued, and the signature is by the certificate's own key.
fn is_self_signed(x509: &X509Ref) -> bool {
    let own_name = matches!(x509.subject_name().try_cmp(x509.issuer_name()), Ok(Ordering::Equal));
    own_name && x509.public_key().and_then(|key| x509.verify(&key)).unwrap_or(false)
}

fn anchor_store(anchor: &X509) -> Result<X509Store, ErrorStack> {
    let mut store = X509StoreBuilder::new()?;
    store.add_cert(anchor.clone())?;
    Ok(store.build())
}

fn identity(certificates: &[CaCertificate], options: TrustOptions) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(format!("{options:?} {}", certificates.len()));
    for ca in certificates {
        hash.update([u8::from(ca.store.is_some())]);
        hash.update(ca.sha256);
    }
    hash.finalize().into()
}
