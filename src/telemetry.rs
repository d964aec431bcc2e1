//! What is told about requests: one access line each, counters, diagnostics.

pub mod access;
pub mod daily;
pub mod diagnostics;
pub mod fetches;
pub mod metrics;
pub mod store;
