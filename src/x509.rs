//! X.509: reading, printing and judging certificates. Pure: no clock, no I/O.

pub mod certificate;
pub mod crl;
pub mod lint;
pub mod openssl_ffi;
pub mod path;
pub mod reason;
pub(crate) mod time;
pub mod trusted_ca;
