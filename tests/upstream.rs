//! Forwarding over real sockets: a real server in front, an upstream that the test writes byte by byte behind.

#![allow(unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "upstream/bodies.rs"]
mod bodies;
#[path = "upstream/connections.rs"]
mod connections;
#[path = "upstream/failures.rs"]
mod failures;
#[path = "support/forwarder.rs"]
mod forwarder;
#[path = "upstream/framing.rs"]
mod framing;
#[path = "upstream/header_lines.rs"]
mod header_lines;
#[path = "support/raw_upstream.rs"]
mod raw_upstream;
#[path = "upstream/websocket.rs"]
mod websocket;
