//! Lists and OCSP answers fetched by the real program, from servers that are good, bad, slow and dead.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]
#![allow(clippy::type_complexity, reason = "tables")]

#[path = "journey/bank.rs"]
#[allow(dead_code, reason = "the bank of the journey tests, of which these use a part")]
mod bank;
#[path = "support/crl_writer.rs"]
mod crl_writer;
#[path = "support/http_client.rs"]
mod http_client;
#[path = "support/nginx.rs"]
mod nginx;
#[path = "support/ocsp_writer.rs"]
mod ocsp_writer;
#[path = "support/openssl_responder.rs"]
mod openssl_responder;
#[path = "support/pki.rs"]
mod pki;
#[path = "support/ports.rs"]
mod ports;
#[path = "support/recording_upstream.rs"]
mod recording_upstream;
#[path = "support/revocation_server.rs"]
mod revocation_server;
#[path = "support/vestibule.rs"]
mod vestibule_program;

#[path = "revocation_fetch/caching.rs"]
mod caching;
#[path = "revocation_fetch/explained.rs"]
mod explained;
#[path = "revocation_fetch/https.rs"]
mod https;
#[path = "revocation_fetch/large.rs"]
mod large;
#[path = "revocation_fetch/limits.rs"]
mod limits;
#[path = "revocation_fetch/nonce.rs"]
mod nonce;
#[path = "revocation_fetch/set_up.rs"]
mod set_up;
#[path = "revocation_fetch/the_whole_path.rs"]
mod the_whole_path;
#[path = "revocation_fetch/truth_table.rs"]
mod truth_table;
