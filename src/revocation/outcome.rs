//! What became of a fetch.

use std::fmt;

use crate::telemetry::fetches::FetchOutcome;

/// Why a fetch brought nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FetchError {
    /// The host has, or is, an address that is not of the public internet.
    Address(String),
    /// No connection, or it broke.
    Connection(String),
    /// The body is packed, which would defeat the limit of its size.
    Encoded(String),
    /// What came is not what was asked for, or nobody vouches for it.
    Invalid(String),
    /// It points to another host, or too often.
    Redirect(String),
    /// It is past its nextUpdate. What it says against a certificate counts all the same.
    Stale,
    /// Another status than 200.
    Status(u16),
    /// Nothing whole within the time.
    Timeout,
    /// More octets than this.
    TooLarge(usize),
}

impl FetchError {
    pub(super) fn outcome(&self) -> FetchOutcome {
        match self {
            Self::Address(_) => FetchOutcome::RefusedAddress,
            Self::Connection(_) => FetchOutcome::Connection,
            Self::Encoded(_) => FetchOutcome::Encoded,
            Self::Invalid(_) => FetchOutcome::Invalid,
            Self::Redirect(_) => FetchOutcome::RefusedRedirect,
            Self::Stale => FetchOutcome::Stale,
            Self::Status(_) => FetchOutcome::HttpStatus,
            Self::Timeout => FetchOutcome::Timeout,
            Self::TooLarge(_) => FetchOutcome::TooLarge,
        }
    }
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(what) => {
                write!(f, "{what} is not an address of the public internet; `allow_private_addresses` would allow it")
            }
            Self::Connection(why) => write!(f, "no connection: {why}"),
            Self::Encoded(how) => write!(f, "the body is packed (content-encoding: {how})"),
            Self::Invalid(why) => f.write_str(why),
            Self::Redirect(why) => write!(f, "redirect refused: {why}"),
            Self::Stale => f.write_str("the list is past its nextUpdate; the CA must publish a new one"),
            Self::Status(status) => write!(f, "HTTP status {status}"),
            Self::Timeout => f.write_str("not whole within `http_timeout`"),
            Self::TooLarge(most) => write!(f, "more than {most} octets"),
        }
    }
}
