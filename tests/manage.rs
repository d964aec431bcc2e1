//! The management API and custom domains, from outside: HTTP against the real program, a DNS server of our own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that cannot go on has failed, and says what it did"
)]

#[path = "journey/bank.rs"]
#[allow(dead_code, reason = "made for another test program; this one uses a part of it")]
mod bank;
#[path = "support/dns_server.rs"]
mod dns_server;
#[path = "support/http_client.rs"]
mod http_client;
#[path = "manage/issuers.rs"]
mod issuers;
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
#[path = "manage/attacks.rs"]
mod attacks;
#[path = "manage/backups.rs"]
mod backups;
#[path = "manage/clients.rs"]
mod clients;
#[path = "manage/command.rs"]
mod command;
#[path = "manage/configuration.rs"]
mod configuration;
#[path = "manage/durability.rs"]
mod durability;
#[path = "journey/issuer.rs"]
#[allow(dead_code, reason = "made for another test program; this one uses a part of it")]
mod issuer;
#[path = "manage/keys.rs"]
mod keys;
#[path = "manage/kills.rs"]
mod kills;
#[path = "manage/lifecycle.rs"]
mod lifecycle;
#[path = "manage/lists.rs"]
mod lists;
#[path = "manage/mtls_hosts.rs"]
mod mtls_hosts;
#[path = "manage/oauth_clients.rs"]
mod oauth_clients;
#[path = "manage/office.rs"]
mod office;
#[path = "manage/own_file.rs"]
mod own_file;
#[path = "manage/own_tls.rs"]
mod own_tls;
#[path = "manage/refusals.rs"]
mod refusals;
#[path = "manage/requests.rs"]
mod requests;
#[path = "manage/on_sqlite.rs"]
mod store;
#[path = "manage/token_endpoint.rs"]
mod token_endpoint;
#[path = "manage/verification.rs"]
mod verification;
