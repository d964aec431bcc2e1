//! X.509: reading, printing and judging certificates. Pure: no clock, no I/O.

pub mod asn1_time;
pub mod attribute_value;
pub mod certificate;
pub mod crl;
pub mod der;
pub mod lint;
pub mod name;
pub mod name_reading;
pub mod name_text;
pub mod object_names;
pub mod oid;
pub mod openssl_ffi;
pub mod path;
pub mod pem_text;
pub mod profile;
pub mod qc_statements;
pub mod reason;
pub mod revocation;
pub mod revocation_lists;
pub mod serial;
pub mod subject_alt_name;
mod tbs;
pub(crate) mod time;
pub mod trusted_ca;
