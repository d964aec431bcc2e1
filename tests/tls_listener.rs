//! Our own TLS listener from outside: curl, `openssl s_client`, nginx and raw sockets against the real program.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

#[path = "journey/bank.rs"]
#[allow(dead_code, reason = "made for another test program; this one uses a part of it")]
mod bank;
#[path = "support/http_client.rs"]
mod http_client;
#[path = "support/nginx.rs"]
mod nginx;
#[path = "support/pki.rs"]
mod pki;
#[path = "support/ports.rs"]
mod ports;
#[path = "support/recording_upstream.rs"]
mod recording_upstream;
#[path = "support/vestibule.rs"]
mod vestibule_program;

#[path = "tls_listener/asking.rs"]
mod asking;
#[path = "tls_listener/certificates.rs"]
mod certificates;
#[path = "tls_listener/front_door_certificate.rs"]
mod front_door_certificate;
#[path = "tls_listener/handshakes.rs"]
mod handshakes;
#[path = "tls_listener/headers.rs"]
mod headers;
#[path = "tls_listener/host_names.rs"]
mod host_names;
#[path = "tls_listener/reload.rs"]
mod reload;
#[path = "tls_listener/resumption.rs"]
mod resumption;
#[path = "tls_listener/set_up.rs"]
mod set_up;
