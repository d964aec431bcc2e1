//! The lists in force, exchanged while requests are served.
//!
//! A verification takes one snapshot ([`RevocationLists::current`]) and judges with that alone. Every change makes a new
//! snapshot with a new epoch; the epoch is in the key of kept verifications, so that from the first request after a change on
//! nothing is answered from before it. Readers never wait: the pointer is exchanged when the new snapshot is complete.
//!
//! Whoever fetches lists calls [`RevocationLists::put`]. It takes a list only with the signature of its issuer and only if it
//! is newer: a stranger on the way of the fetch can neither displace a good list by rubbish, nor bring an old one back.

use std::cmp::Ordering;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering as Memory};

use arc_swap::ArcSwap;
use openssl::x509::{X509NameRef, X509Ref};

use super::crl::{CrlIndex, SignerCheck};
use super::lint;
use crate::clock::UnixTime;

/// No two snapshots of a process have the same number, whichever set they belong to.
static NEXT_EPOCH: AtomicU64 = AtomicU64::new(1);

/// One snapshot of the lists, by issuer.
#[derive(Debug)]
pub struct ListSet {
    epoch: u64,
    /// Sorted by issuer in OpenSSL's canonical order, in which names that RFC 5280 §7.1 calls equal are equal.
    lists: Vec<Arc<CrlIndex>>,
    boundaries: Vec<i64>,
}

/// The lists in force.
#[derive(Debug)]
pub struct RevocationLists {
    current: ArcSwap<ListSet>,
}

/// What became of a list that was to be put in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// The first of its issuer, key and scope.
    Added,
    /// Not newer than the one in force, which stays.
    NotNewer,
    /// Not signed by that issuer, or not by a key that may sign lists. Nothing changed.
    NotSigned,
    /// In the place of an older one.
    Replaced,
}

impl RevocationLists {
    /// The lists of the configuration. Their signatures are checked where they are used.
    pub fn new(lists: Vec<Arc<CrlIndex>>) -> Self {
        Self { current: ArcSwap::from_pointee(ListSet::new(lists)) }
    }

    /// The lists of this moment.
    pub fn current(&self) -> Arc<ListSet> {
        self.current.load_full()
    }

    /// Puts a list in force that was issued by `issuer`, a CA that the caller has validated.
    pub fn put(&self, list: &Arc<CrlIndex>, issuer: &X509Ref) -> Put {
        let same_name = matches!(list.issuer_name().try_cmp(issuer.subject_name()), Ok(Ordering::Equal));
        let may_sign = issuer.to_der().is_ok_and(|der| lint::may_sign_crls(&der));
        if !same_name || !may_sign || list.signed_by(issuer) != SignerCheck::Signed {
            return Put::NotSigned;
        }
        let mut outcome = Put::NotNewer;
        self.current.rcu(|set| match set.with(list) {
            (Put::NotNewer, _) => {
                outcome = Put::NotNewer;
                Arc::clone(set)
            }
            (changed, lists) => {
                outcome = changed;
                Arc::new(ListSet::new(lists))
            }
        });
        outcome
    }

    /// Takes this very list out of force. A newer one of its series stays.
    pub fn remove(&self, list: &CrlIndex) {
        self.current.rcu(|set| {
            if set.lists.iter().all(|held| held.sha256() != list.sha256()) {
                return Arc::clone(set);
            }
            let kept = set.lists.iter().filter(|held| held.sha256() != list.sha256());
            Arc::new(ListSet::new(kept.cloned().collect()))
        });
    }

    /// Puts other lists in the place of all: files that were read again.
    pub fn replace_all(&self, lists: Vec<Arc<CrlIndex>>) {
        self.current.store(Arc::new(ListSet::new(lists)));
    }
}

impl ListSet {
    fn new(mut lists: Vec<Arc<CrlIndex>>) -> Self {
        lists.sort_by(|a, b| canonical_order(a.issuer_name(), b.issuer_name()));
        let mut boundaries: Vec<i64> = lists.iter().flat_map(|list| list.boundaries()).collect();
        boundaries.sort_unstable();
        boundaries.dedup();
        Self { epoch: NEXT_EPOCH.fetch_add(1, Memory::Relaxed), lists, boundaries }
    }

    /// The number of the snapshot, greater than that of any one before it.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The lists of an issuer.
    pub(crate) fn of(&self, issuer: &X509NameRef) -> &[Arc<CrlIndex>] {
        let start = self.lists.partition_point(|list| canonical_order(list.issuer_name(), issuer) == Ordering::Less);
        let from = self.lists.get(start..).unwrap_or_default();
        let end = from.partition_point(|list| canonical_order(list.issuer_name(), issuer) == Ordering::Equal);
        from.get(..end).unwrap_or_default()
    }

    /// Every list.
    pub fn lists(&self) -> &[Arc<CrlIndex>] {
        &self.lists
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.lists.is_empty()
    }

    /// The last second up to and including `now`, and the first one after it, at which a date of a list changes a verdict.
    pub(crate) fn boundaries_around(&self, now: UnixTime) -> (Option<i64>, Option<i64>) {
        let at = self.boundaries.partition_point(|boundary| *boundary <= now.0);
        (at.checked_sub(1).and_then(|before| self.boundaries.get(before)).copied(), self.boundaries.get(at).copied())
    }

    fn with(&self, list: &Arc<CrlIndex>) -> (Put, Vec<Arc<CrlIndex>>) {
        let (older, mut kept): (Vec<_>, Vec<_>) = self.lists.iter().cloned().partition(|old| old.is_same_series(list));
        if older.iter().any(|old| !is_newer(list, old)) {
            return (Put::NotNewer, Vec::new());
        }
        kept.push(Arc::clone(list));
        (if older.is_empty() { Put::Added } else { Put::Replaced }, kept)
    }
}

/// By date, and within a second by number (RFC 5280 §5.2.3): minimal INTEGERs that are not negative, so a longer one is greater.
fn is_newer(list: &CrlIndex, old: &CrlIndex) -> bool {
    let age = |list: &CrlIndex| (list.this_update(), list.number().map(|number| (number.len(), number.to_vec())));
    age(list) > age(old)
}

/// An error means that OpenSSL has no memory for a name it has already read; equality must not come of it.
fn canonical_order(one: &X509NameRef, other: &X509NameRef) -> Ordering {
    one.try_cmp(other).unwrap_or(Ordering::Less)
}
