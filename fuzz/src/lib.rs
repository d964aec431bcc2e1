//! What the targets and the maker of their seeds share.

pub mod chain_input;
pub mod decision;
pub mod encoders;
pub mod fixture;
pub mod openssl_name;

/// Makers of certificates, lists and answers: those of the tests.
#[path = "../../tests/support"]
pub mod support {
    pub mod crl_writer;
    pub mod ocsp_writer;
    pub mod pki;
}
