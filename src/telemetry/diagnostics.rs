//! Diagnostics: what the operator should know beside the access lines. To stderr.

use tracing_subscriber::EnvFilter;

/// Starts diagnostics at a level: `error`, `warn`, `info` or `debug`. The libraries beneath stay at `warn`, but for the
/// one that calls it an error of ours when a peer does not speak HTTP: `server` says that itself, as news, not as an error.
pub fn start(level: &str) {
    let filter = EnvFilter::new(format!("warn,actix_http::h1::dispatcher=off,vestibule={level}"));
    let started = tracing_subscriber::fmt().json().flatten_event(true).with_env_filter(filter).with_writer(std::io::stderr);
    // A second start, as in tests, keeps the first.
    let _ = started.try_init();
}
