//! Diagnostics: what the operator should know beside the access lines. To stderr.

use tracing_subscriber::EnvFilter;

/// Starts diagnostics at a level: `error`, `warn`, `info` or `debug`. The libraries beneath stay at `warn`.
pub fn start(level: &str) {
    let filter = EnvFilter::new(format!("warn,vestibule={level}"));
    let started = tracing_subscriber::fmt().json().flatten_event(true).with_env_filter(filter).with_writer(std::io::stderr);
    // A second start, as in tests, keeps the first.
    let _ = started.try_init();
}
