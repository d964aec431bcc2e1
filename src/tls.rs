//! Our own TLS: for which server name, which certificate, and whose certificate is asked for.
//!
//! What a client shows in the handshake is carried on as it is: whoever proved to hold the key of a certificate may go on,
//! whatever the certificate says. Whether it is any good is for the pipeline, with every request, as for certificates that
//! arrive in headers. So an expired certificate gets an answer with a request id, and not a broken handshake.
//!
//! Every server name has a configuration of its own, and none of them resumes sessions: no certificate travels from one host
//! to another (CVE-2025-23419), and none is believed for longer than the connection that proved it.
//!
//! rustls reads the handshakes: what strangers send meets safe Rust first.

mod current;
mod names;
mod possession;
mod server_certificate;

pub use current::current;
pub use names::{AskedHost, BuildError, ServerNames};
pub use server_certificate::{PemError, ServerCertificate};

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, aws_lc_rs};

/// The one provider of cryptography, named and not looked up: a process-wide default could be another's.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}
