//! What other front doors than nginx forward: requests recorded behind real ones, and by hand where none can run here.

#[path = "formats/by_hand.rs"]
mod by_hand;
#[path = "formats/captures.rs"]
mod captures;
#[path = "formats/every_capture.rs"]
mod every_capture;
#[path = "formats/injection.rs"]
mod injection;
#[path = "formats/withheld.rs"]
mod withheld;

use crate::bank::{Bank, Tenant, files};
use crate::http_client::Answer;
use crate::recording_upstream::RecordingUpstream;
use crate::vestibule_program::Vestibule;

/// A tenant whose front door is described by these lines, and whose clients' intermediates come with the request alone.
fn tenant(door: &str) -> Tenant {
    Tenant { door_lines: format!("{door}\n"), trust_lines: String::new(), ..Tenant::default() }
}

fn open(door: &str) -> Bank {
    Bank::with(&tenant(door))
}

/// The same, and the CA is that of the recorded requests.
fn open_for_recorded(door: &str) -> Bank {
    let upstream = RecordingUpstream::start();
    let mut files = files(&[(tenant(door), upstream.url())]);
    let root = files.iter_mut().find(|(path, _)| path == "trusted-ca/root.pem").unwrap();
    root.1 = include_str!("../vectors/front-doors/pem/root.pem").into();
    Bank { vestibule: Vestibule::start(&files), upstream }
}

/// SHA-256 of the certificate that was read; none if there was none.
fn fingerprint(bank: &Bank, answer: &Answer) -> Option<String> {
    bank.vestibule.access_line(answer)["cert.fingerprint"].as_str().map(str::to_owned)
}
