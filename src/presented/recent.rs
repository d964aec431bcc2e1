//! The certificates that a worker saw last, found without a hash over the whole header.

use std::cell::RefCell;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use super::PresentedCertificate;

/// Slots of a worker; a header has some 1,500 bytes.
const SLOTS: usize = 256;
/// How much of a header's end chooses its slot: enough for the last bytes of the signature, which no two certificates share.
const TAIL: usize = 128;

/// One certificate a slot. Only an equal header is a hit, byte for byte, so a collision costs a look into the shared cache and
/// never gives somebody else's certificate.
struct Recent {
    hasher: RandomState,
    slots: Vec<Option<Entry>>,
}

type Entry = (Box<[u8]>, Arc<PresentedCertificate>);

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

/// The certificate of this header, when this worker has seen it lately.
pub(super) fn find(header: &[u8]) -> Option<Arc<PresentedCertificate>> {
    RECENT.with_borrow(|recent| {
        let (known, certificate) = recent.slots.get(recent.slot(header))?.as_ref()?;
        (**known == *header).then(|| Arc::clone(certificate))
    })
}

/// Takes the place of whichever certificate has the slot.
pub(super) fn keep(header: &[u8], certificate: &Arc<PresentedCertificate>) {
    RECENT.with_borrow_mut(|recent| {
        let slot = recent.slot(header);
        if let Some(slot) = recent.slots.get_mut(slot) {
            *slot = Some((header.into(), Arc::clone(certificate)));
        }
    });
}
