//! Vestibule: an edge proxy behind a TLS-terminating front door.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

pub mod clock;
pub mod refusal;
pub mod request_head;
pub mod upstream;
pub mod x509;
