//! The whole program from outside: clients, a real nginx or raw sockets in front, a recording upstream behind.
//!
//! Every test starts its own programs on its own ports. Each attack is also asked: did the upstream see it, does the answer
//! keep the cause to itself, does the next good request still pass?

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

#[path = "support/der_writer.rs"]
mod der_writer;
#[path = "support/haproxy.rs"]
mod haproxy;
#[path = "support/http_client.rs"]
mod http_client;
#[path = "support/nginx.rs"]
mod nginx;
#[path = "support/pki.rs"]
mod pki;
#[path = "support/ports.rs"]
mod ports;
#[path = "support/pyjwt.rs"]
mod pyjwt;
#[path = "support/recording_upstream.rs"]
mod recording_upstream;
#[path = "support/redis.rs"]
mod redis_server;
#[path = "support/signing.rs"]
mod signing;
#[path = "support/vestibule.rs"]
mod vestibule_program;

#[path = "journey/access_line.rs"]
mod access_line;
#[path = "journey/access_tokens.rs"]
mod access_tokens;
#[path = "journey/attacks.rs"]
mod attacks;
#[path = "journey/bank.rs"]
mod bank;
#[path = "journey/client_information.rs"]
mod client_information;
#[path = "journey/consumers.rs"]
mod consumers;
#[path = "journey/dn_helper.rs"]
mod dn_helper;
#[path = "journey/expiry.rs"]
mod expiry;
#[path = "journey/formats.rs"]
mod formats;
#[path = "journey/front_door.rs"]
mod front_door;
#[path = "journey/hostile_samples.rs"]
mod hostile_samples;
#[path = "journey/identity.rs"]
mod identity;
#[path = "journey/issuer.rs"]
mod issuer;
#[path = "journey/metadata.rs"]
mod metadata;
#[path = "journey/oauth_attacks.rs"]
mod oauth_attacks;
#[path = "journey/oauth_clients.rs"]
mod oauth_clients;
#[path = "journey/oauth_facts.rs"]
mod oauth_facts;
#[path = "journey/presented.rs"]
mod presented;
#[path = "journey/profiles.rs"]
mod profiles;
#[path = "journey/proofs.rs"]
mod proofs;
#[path = "journey/refusals.rs"]
mod refusals;
#[path = "journey/registered.rs"]
mod registered;
#[path = "journey/reload.rs"]
mod reload;
#[path = "journey/self_signed.rs"]
mod self_signed;
#[path = "journey/shutdown.rs"]
mod shutdown;
#[path = "journey/signing_doors.rs"]
mod signing_doors;
#[path = "journey/streaming.rs"]
mod streaming;
#[path = "journey/strength.rs"]
mod strength;
#[path = "journey/surfaces.rs"]
mod surfaces;
#[path = "journey/through_nginx.rs"]
mod through_nginx;
#[path = "journey/time.rs"]
mod time;
#[path = "journey/tls_client.rs"]
mod tls_client;
