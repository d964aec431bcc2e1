//! Vestibule: an edge proxy behind a TLS-terminating front door.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

pub mod clock;
pub mod header_names;
pub mod refusal;
pub mod request_head;
pub mod secret;

pub mod x509;

pub mod admission;
pub mod front_door;
pub mod presented;
pub mod verifier;

pub mod rules;
pub mod variables;

pub mod upstream;

pub mod answer;
pub mod authorize;
pub mod journey;
pub mod proxy;
pub mod record;
pub mod telemetry;

pub mod cli;
pub mod config;
pub mod server;
