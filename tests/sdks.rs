//! Auth0's own SDKs, unmodified and at pinned versions, against the management API over TLS; and schemathesis, which asks the
//! API what its OpenAPI document says of it.

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
#[path = "support/recording_upstream.rs"]
mod recording_upstream;
#[path = "support/vestibule.rs"]
mod vestibule_program;

#[path = "sdks/deploy_cli.rs"]
mod deploy_cli;
#[path = "sdks/lifecycle.rs"]
mod lifecycle;
#[path = "sdks/schemathesis.rs"]
mod schemathesis;
#[path = "sdks/story.rs"]
mod story;
#[path = "sdks/tools.rs"]
mod tools;
