//! `vestibule front-door`: what it prints, and what the real products do with it.
//!
//! Each product is started with the printed configuration as it is, addresses and files chosen by flags, between TLS clients and a
//! real Vestibule with a recording upstream.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

#[allow(dead_code, reason = "the journeys use the rest")]
#[path = "journey/bank.rs"]
mod bank;
#[path = "support/http_client.rs"]
mod http_client;
#[path = "support/pki.rs"]
mod pki;
#[path = "support/ports.rs"]
mod ports;
#[path = "support/recording_upstream.rs"]
mod recording_upstream;
#[path = "support/vestibule.rs"]
mod vestibule_program;

#[path = "front_door_config/clients.rs"]
mod clients;
#[path = "front_door_config/command.rs"]
mod command;
#[path = "front_door_config/formats.rs"]
mod formats;
#[path = "front_door_config/product.rs"]
mod product;
#[path = "front_door_config/spoofs.rs"]
mod spoofs;
#[path = "front_door_config/tls.rs"]
mod tls;
