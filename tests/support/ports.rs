//! Purpose: ports of 127.0.0.1 for programs that must be told theirs.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

/// Where the ports begin and how many there are: below the range from which outgoing connections take theirs, so that no
/// connection of another test sits on a port between this look and the program's own.
const FIRST: u16 = 10_000;
const COUNT: u16 = 20_000;

/// A port that was free a moment ago, and that this test program hands out once.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Test programs that run at the same time begin in different places.
    let begin = (std::process::id() % u32::from(COUNT)) as u16;
    loop {
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + ((u32::from(begin) * 37 + u32::from(next)) % u32::from(COUNT)) as u16;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
