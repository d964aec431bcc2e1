//! OpenSSL's opinion of a list's octets. Two readers that are lenient in different ways may see two lists in one; so both must
//! take it.
//!
//! OpenSSL's object is seven times as large as the list. It is shown the list in pieces: all fields as they are, and some
//! thousand entries at a time. The signature is not looked at here.

use openssl::x509::X509Crl;

use super::CrlError;
use super::fields::Fields;
use crate::x509::der::{Reader, encode, tag};

/// A piece of a thousand entries or so: a quarter of a megabyte in OpenSSL.
const PIECE: usize = 32 * 1024;

/// Shows every octet of the list to OpenSSL.
pub(super) fn accepts(fields: &Fields<'_>) -> Result<(), CrlError> {
    let mut rest = fields.entries;
    loop {
        let piece = rest.get(..whole_entries(rest)?).unwrap_or(rest);
        let der = list_of(fields, piece);
        X509Crl::from_der(&der).map_err(|_| CrlError::SecondReader)?;
        rest = rest.get(piece.len()..).unwrap_or_default();
        if rest.is_empty() {
            return Ok(());
        }
    }
}

/// Octets of as many whole entries as make a piece.
fn whole_entries(content: &[u8]) -> Result<usize, CrlError> {
    let mut entries = Reader::new(content);
    while !entries.is_empty() && content.len() - entries.remaining() < PIECE {
        entries.any()?;
    }
    Ok(content.len() - entries.remaining())
}

fn list_of(fields: &Fields<'_>, entries: &[u8]) -> Vec<u8> {
    let (before, after) = fields.around_entries;
    let entries = if entries.is_empty() { Vec::new() } else { encode(tag::SEQUENCE, entries) };
    let tbs = encode(tag::SEQUENCE, &[before, &entries, after].concat());
    encode(tag::SEQUENCE, &[&tbs, fields.algorithm.der, fields.signature.der].concat())
}
