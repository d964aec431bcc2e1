//! The command line as a user meets it: output, messages, exit codes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "support/edge_config.rs"]
mod edge_config;
#[path = "support/pki.rs"]
mod pki;

#[path = "command_line/commands.rs"]
mod commands;
#[path = "command_line/demo.rs"]
mod demo;
#[path = "command_line/explain.rs"]
mod explain;
#[path = "command_line/keygen.rs"]
mod keygen;
