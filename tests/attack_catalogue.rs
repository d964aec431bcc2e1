//! The catalogue of attacks on client certificates that travel in headers: one test for each row, from outside.
//!
//! Where a row is about front doors, clients attack through real ones, started with the configuration that `vestibule front-door`
//! prints. The other rows are what a careless or hostile front door sends, or whoever stands beside it. None makes a verified
//! identity: the upstream sees nothing, or `ssl-client-verify: NONE`, or the identity that the client proved.

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
#[allow(dead_code, reason = "the tests of the printed configuration use the rest")]
#[path = "front_door_config/product.rs"]
mod product;
#[path = "support/recording_upstream.rs"]
mod recording_upstream;
#[allow(dead_code, reason = "the tests of proofs use the rest")]
#[path = "support/signing.rs"]
mod signing;
#[path = "front_door_config/tls.rs"]
mod tls;
#[path = "support/vestibule.rs"]
mod vestibule_program;

#[path = "attack_catalogue/rows_01_06_headers.rs"]
mod rows_01_06_headers;
#[path = "attack_catalogue/rows_07_09_wire.rs"]
mod rows_07_09_wire;
#[path = "attack_catalogue/rows_10_15_values.rs"]
mod rows_10_15_values;
#[path = "attack_catalogue/rows_16_19_verdicts.rs"]
mod rows_16_19_verdicts;
#[path = "attack_catalogue/rows_20_27_certificates.rs"]
mod rows_20_27_certificates;
#[path = "attack_catalogue/rows_28_32_hop.rs"]
mod rows_28_32_hop;

#[path = "attack_catalogue/attempt.rs"]
mod attempt;
#[path = "attack_catalogue/http2.rs"]
mod http2;
#[path = "attack_catalogue/s_client.rs"]
mod s_client;

/// The catalogue has 32 rows, and so has this program.
#[test]
fn every_row_has_its_test() {
    let sources = [
        include_str!("attack_catalogue/rows_01_06_headers.rs"),
        include_str!("attack_catalogue/rows_07_09_wire.rs"),
        include_str!("attack_catalogue/rows_10_15_values.rs"),
        include_str!("attack_catalogue/rows_16_19_verdicts.rs"),
        include_str!("attack_catalogue/rows_20_27_certificates.rs"),
        include_str!("attack_catalogue/rows_28_32_hop.rs"),
    ];
    let tests = sources.concat();
    let table = include_str!("../docs/attacks.md");
    for row in 1..=32 {
        let name = format!("row_{row:02}_");
        assert_eq!(tests.matches(&format!("#[test]\nfn {name}")).count(), 1, "{name}");
        assert!(table.contains(&format!("\n| {row} | ")), "the table has no row {row}");
    }
}
