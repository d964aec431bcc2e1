//! `vestibule probe`: green before every real product with its printed configuration, and red with one protection less.

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

#[allow(dead_code, reason = "the tests of the printed configurations use the rest")]
#[path = "front_door_config/product.rs"]
mod product;
#[allow(dead_code, reason = "the tests of the printed configurations use the rest")]
#[path = "front_door_config/tls.rs"]
mod tls;

#[path = "probe/command.rs"]
mod command;
#[path = "probe/green.rs"]
mod green;
#[path = "probe/red.rs"]
mod red;
#[path = "probe/set_up.rs"]
mod set_up;
#[path = "probe/tokens.rs"]
mod tokens;
