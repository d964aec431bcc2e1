//! What `sdks` asks of SQLite with Auth0's own SDKs is asked of PostgreSQL here.

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
#[allow(dead_code, reason = "made for another test program; this one uses a part of it")]
mod dns_server;
#[path = "support/http_client.rs"]
mod http_client;
#[path = "manage/office.rs"]
#[allow(dead_code, reason = "made for another test program; this one uses a part of it")]
mod office;
#[path = "support/pki.rs"]
mod pki;
#[path = "support/ports.rs"]
mod ports;
#[path = "support/postgres.rs"]
mod postgres;
#[path = "support/recording_upstream.rs"]
mod recording_upstream;
#[path = "manage/on_postgres.rs"]
#[allow(dead_code, reason = "made for another test program; this one uses a part of it")]
mod store;
#[path = "support/vestibule.rs"]
mod vestibule_program;

#[path = "sdks/deploy_cli.rs"]
mod deploy_cli;
#[path = "sdks/lifecycle.rs"]
mod lifecycle;
#[path = "sdks/story.rs"]
mod story;
#[path = "sdks/tools.rs"]
mod tools;
