//! A real oidc-provider, and an API with express-oauth2-jwt-bearer, behind Vestibule behind a real nginx; openid-client in front of
//! all of them. What works, what is refused, and who refused it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

#[path = "support/http_client.rs"]
mod http_client;
#[path = "support/nginx.rs"]
mod nginx;
#[path = "support/node.rs"]
mod node;
#[path = "support/pki.rs"]
mod pki;
#[path = "support/ports.rs"]
mod ports;
#[path = "support/recording_upstream.rs"]
mod recording_upstream;
#[path = "support/vestibule.rs"]
mod vestibule_program;

#[allow(dead_code, reason = "shared with the tests of `journey`")]
#[path = "journey/bank.rs"]
mod bank;
#[allow(dead_code, reason = "shared with the tests of `journey`")]
#[path = "journey/front_door.rs"]
mod front_door;
#[allow(dead_code, reason = "shared with the tests of `journey`")]
#[path = "journey/tls_client.rs"]
mod tls_client;

#[path = "oidc_provider/cast.rs"]
mod cast;
#[path = "oidc_provider/refused.rs"]
mod refused;
#[path = "oidc_provider/stack.rs"]
mod stack;
#[path = "oidc_provider/table.rs"]
mod table;
#[path = "oidc_provider/works.rs"]
mod works;
