//! What the targets and the maker of their seeds share.

pub mod chain_input;
pub mod openssl_name;
