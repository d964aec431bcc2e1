//! The search for certification paths (RFC 4158), bounded. OpenSSL never goes back once it has picked an issuer; with
//! cross-signed CAs it then refuses certificates that have a good path. Here every path is found, up to a budget.

use std::cmp::Ordering;
use std::ops::ControlFlow;

use openssl::x509::store::X509StoreRef;
use openssl::x509::{X509, X509Ref, X509VerifyResult};

use crate::x509::certificate::Certificate;
use crate::x509::lint::{self, Allowances, Role};
use crate::x509::revocation_lists::ListSet;
use crate::x509::trusted_ca::TrustedCas;

/// Issuer and subject pairs looked at. A hostile chain of ten mutually issuing certificates has millions of paths.
const MOST_STEPS: usize = 5_000;
/// Complete paths that are verified.
const MOST_PATHS: usize = 32;
/// Signatures on those paths, the bound of rustls-webpki: a hostile chain of P-521 keys makes each one cost a millisecond.
const MOST_SIGNATURES: usize = 100;
/// Whatever the settings say: a bound for the recursion.
const LONGEST_PATH: usize = 64;

/// A CA certificate that may stand on a path.
#[derive(Clone)]
pub(crate) struct Candidate<'a> {
    pub(crate) x509: &'a X509,
    pub(crate) sha256: &'a [u8; 32],
    /// The store that trusts this certificate and no other, when it is an anchor.
    pub(crate) store: Option<&'a X509StoreRef>,
    /// From the configuration, not from a peer.
    pub(crate) configured: bool,
    /// Only asked of anchors.
    pub(crate) self_signed: bool,
}

impl Candidate<'_> {
    /// Issuer and subject are one name: a CA certifies its own next key (RFC 5280 §3.2).
    fn is_self_issued(&self) -> bool {
        matches!(self.x509.subject_name().try_cmp(self.x509.issuer_name()), Ok(Ordering::Equal))
    }
}

/// A presented certificate that passed the lints, owned for the time of one verification.
pub(crate) struct Presented {
    x509: X509,
    sha256: [u8; 32],
    subject_hash: u32,
}

impl Presented {
    /// Takes a presented certificate as a candidate.
    ///
    /// # Errors
    /// Which rule it breaks.
    pub(crate) fn accept(certificate: &Certificate, allow: Allowances) -> Result<Self, String> {
        let (x509, der) = (certificate.openssl(), certificate.der());
        if let Some(first) = lint::lint(x509, der, Role::PresentedCa, allow).into_iter().next() {
            return Err(first.problem);
        }
        Ok(Self { x509: x509.to_owned(), sha256: *certificate.sha256(), subject_hash: x509.subject_name_hash() })
    }

    pub(crate) fn x509(&self) -> &X509 {
        &self.x509
    }

    fn candidate(&self) -> Candidate<'_> {
        Candidate { x509: &self.x509, sha256: &self.sha256, store: None, configured: false, self_signed: false }
    }
}

/// Everything that a path may be made of.
pub(crate) struct Field<'a> {
    pub(crate) leaf_sha256: &'a [u8; 32],
    pub(crate) presented: &'a [Presented],
    pub(crate) trust: &'a TrustedCas,
    /// The lists of this verification, one snapshot.
    pub(crate) lists: &'a ListSet,
    pub(crate) max_intermediates: usize,
}

impl<'a> Field<'a> {
    /// The certificates whose subject has this hash: anchors first, then configured intermediates, then presented ones.
    pub(crate) fn named(&self, subject_hash: u32) -> impl Iterator<Item = Candidate<'a>> + use<'a> {
        let configured = self.trust.named(subject_hash);
        let presented = self.presented.iter().filter(move |presented| presented.subject_hash == subject_hash);
        configured.chain(presented.map(Presented::candidate))
    }
}

/// How the search ended.
pub(crate) struct Search<'a> {
    /// The budget was spent before every path was seen.
    pub(crate) budget_spent: bool,
    /// The longest way up that was found, complete or not; the end entity not counted.
    pub(crate) longest: Vec<Candidate<'a>>,
}

/// Shows every complete path above `leaf` (issuer of the leaf first, anchor last) until `visit` breaks.
pub(crate) fn search<'a>(
    leaf: &X509Ref,
    field: &Field<'a>,
    visit: &mut dyn FnMut(&[Candidate<'a>]) -> ControlFlow<()>,
) -> Search<'a> {
    let found = Search { budget_spent: false, longest: Vec::new() };
    let mut climb = Climb { field, steps: 0, paths: 0, signatures: 0, path: Vec::new(), visit, found };
    let _ = climb.above(leaf);
    climb.found
}

struct Climb<'a, 'f> {
    field: &'f Field<'a>,
    steps: usize,
    paths: usize,
    signatures: usize,
    path: Vec<Candidate<'a>>,
    visit: &'f mut dyn FnMut(&[Candidate<'a>]) -> ControlFlow<()>,
    found: Search<'a>,
}

impl<'a> Climb<'a, '_> {
    fn above(&mut self, subject: &X509Ref) -> ControlFlow<()> {
        for issuer in self.field.named(subject.issuer_name_hash()) {
            self.steps += 1;
            if self.steps > MOST_STEPS {
                return self.spent();
            }
            if self.may_stand_above(&issuer, subject) {
                self.path.push(issuer.clone());
                let flow = self.arrive(&issuer);
                self.path.pop();
                flow?;
            }
        }
        ControlFlow::Continue(())
    }

    fn may_stand_above(&self, issuer: &Candidate<'a>, subject: &X509Ref) -> bool {
        let fresh = issuer.sha256 != self.field.leaf_sha256 && self.path.iter().all(|on_path| on_path.sha256 != issuer.sha256);
        fresh && issuer.x509.issued(subject) == X509VerifyResult::OK
    }

    /// The last certificate of the path is new.
    fn arrive(&mut self, newest: &Candidate<'a>) -> ControlFlow<()> {
        if self.path.len() > self.found.longest.len() {
            self.found.longest.clone_from(&self.path);
        }
        if newest.store.is_some() {
            self.paths += 1;
            self.signatures += self.path.len();
            let spent = self.paths > MOST_PATHS || self.signatures > MOST_SIGNATURES;
            return if spent { self.spent() } else { (self.visit)(&self.path) };
        }
        // As for pathLenConstraint, self-issued ones do not count (RFC 5280 §4.2.1.9, §6.1.4 l).
        let counted = self.path.iter().filter(|candidate| !candidate.is_self_issued()).count();
        if counted > self.field.max_intermediates || self.path.len() > LONGEST_PATH {
            return ControlFlow::Continue(());
        }
        self.above(newest.x509)
    }

    fn spent(&mut self) -> ControlFlow<()> {
        self.found.budget_spent = true;
        ControlFlow::Break(())
    }
}
