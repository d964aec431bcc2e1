//! The `vestibule` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    // Before anything else uses OpenSSL: only the first to start it decides.
    vestibule::x509::openssl_ffi::leave_exit_alone();
    vestibule::cli::run()
}
