//! The management API and custom domains on PostgreSQL: what `manage` asks of SQLite is asked here again, and what only several
//! processes can get wrong.

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
#[path = "support/nginx.rs"]
mod nginx;
#[path = "support/pki.rs"]
mod pki;
#[path = "support/ports.rs"]
mod ports;
#[path = "support/postgres.rs"]
mod postgres;
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
#[path = "manage/keys.rs"]
mod keys;
#[path = "manage/kills.rs"]
mod kills;
#[path = "manage/lifecycle.rs"]
mod lifecycle;
#[path = "manage/lists.rs"]
mod lists;
#[path = "manage/oauth_clients.rs"]
mod oauth_clients;
#[path = "manage/office.rs"]
#[allow(dead_code, reason = "other test programs use more of it")]
mod office;
#[path = "manage/outage.rs"]
mod outage;
#[path = "manage/own_tls.rs"]
mod own_tls;
#[path = "manage/replicas.rs"]
mod replicas;
#[path = "manage/replicated_clients.rs"]
mod replicated_clients;
#[path = "manage/requests.rs"]
mod requests;
#[path = "manage/on_postgres.rs"]
mod store;
#[path = "manage/token_endpoint.rs"]
mod token_endpoint;
#[path = "manage/verification.rs"]
mod verification;
