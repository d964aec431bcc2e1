//! The management API and custom domains, from outside: HTTP against the real program, a DNS server of our own.

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
#[path = "support/dns_server.rs"]
mod dns_server;
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

#[path = "manage/access.rs"]
mod access;
#[path = "manage/clients.rs"]
mod clients;
#[path = "manage/command.rs"]
mod command;
#[path = "manage/configuration.rs"]
mod configuration;
#[path = "manage/durability.rs"]
mod durability;
#[path = "manage/keys.rs"]
mod keys;
#[path = "manage/lifecycle.rs"]
mod lifecycle;
#[path = "manage/lists.rs"]
mod lists;
#[path = "manage/office.rs"]
mod office;
#[path = "manage/requests.rs"]
mod requests;
#[path = "manage/token_endpoint.rs"]
mod token_endpoint;
#[path = "manage/verification.rs"]
mod verification;
