//! The certificates that a worker saw last, found without a hash over the whole header.

use std::cell::RefCell;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use super::PresentedCertificate;
use super::codec::Encoded;
use crate::front_door::Codec;

/// Slots of a worker; a header has some 1,500 bytes.
const SLOTS: usize = 256;
/// How much of a header's end chooses its slot: enough for the last bytes of the signature, which no two certificates share.
const TAIL: usize = 128;

/// One certificate a slot. Only equal headers read by the same codec are a hit, byte for byte, so a collision costs a look
/// into the shared cache and never gives somebody else's certificate.
struct Recent {
    hasher: RandomState,
    slots: Vec<Option<Entry>>,
}

struct Entry {
    codec: Codec,
    leaf: Box<[u8]>,
    chain: Box<[Box<[u8]>]>,
    certificate: Arc<PresentedCertificate>,
}

impl Entry {
    fn is_of(&self, encoded: &Encoded<'_>) -> bool {
        *self.leaf == *encoded.leaf
            && self.codec == encoded.codec
            && self.chain.iter().map(|value| &**value).eq(encoded.chain.iter().copied())
    }
}

thread_local! {
    static RECENT: RefCell<Recent> =
        RefCell::new(Recent { hasher: RandomState::new(), slots: std::iter::repeat_with(|| None).take(SLOTS).collect() });
}

impl Recent {
    fn slot(&self, header: &[u8]) -> usize {
        let tail = header.get(header.len().saturating_sub(TAIL)..).unwrap_or(header);
        usize::try_from(self.hasher.hash_one(tail) % SLOTS as u64).unwrap_or_default()
    }
}

/// The certificate of these headers, when this worker has seen it lately.
pub(super) fn find(encoded: &Encoded<'_>) -> Option<Arc<PresentedCertificate>> {
    RECENT.with_borrow(|recent| {
        let entry = recent.slots.get(recent.slot(encoded.leaf))?.as_ref()?;
        entry.is_of(encoded).then(|| Arc::clone(&entry.certificate))
    })
}

/// Takes the place of whichever certificate has the slot.
pub(super) fn keep(encoded: &Encoded<'_>, certificate: &Arc<PresentedCertificate>) {
    RECENT.with_borrow_mut(|recent| {
        let slot = recent.slot(encoded.leaf);
        if let Some(slot) = recent.slots.get_mut(slot) {
            *slot = Some(Entry {
                codec: encoded.codec,
                leaf: encoded.leaf.into(),
                chain: encoded.chain.iter().map(|&value| value.into()).collect(),
                certificate: Arc::clone(certificate),
            });
        }
    });
}
