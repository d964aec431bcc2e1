//! RFC 9440 `Client-Cert` and `Client-Cert-Chain`: structured fields (RFC 9651), an Item that is a Byte Sequence and a List of
//! those.
//!
//! The library reads structured fields as generously as their RFC allows: without padding, with bits left over, with
//! parameters. Here a value must be written as its bytes are written again.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sfv::{BareItem, Item, List, ListEntry, Parser};

use super::{Ders, MAX_CHAIN, encoding, too_many};
use crate::refusal::{Refusal, Refused};

/// Decodes a `Client-Cert` value to one certificate's DER.
///
/// # Errors
/// [`Refusal::CertificateHeaderEncoding`], or [`Refusal::CertificateHeaderEmpty`] for `::`, which HAProxy writes in place of
/// a certificate that is too large for it.
pub fn decode(value: &[u8]) -> Result<Vec<u8>, Refused> {
    let item: Item = Parser::new(value).parse().map_err(|why| encoding(format!("not a structured field: {why}")))?;
    let der = bytes(item)?;
    if written(&der).as_bytes() != value {
        return Err(encoding("a Byte Sequence that is not in its one right spelling"));
    }
    Ok(der)
}

/// Decodes a `Client-Cert-Chain` value to the DER of its certificates.
///
/// # Errors
/// Those of [`decode`], and [`Refusal::CertificateHeaderTooMany`].
pub fn decode_list(value: &[u8]) -> Result<Ders, Refused> {
    let list: List = Parser::new(value).parse().map_err(|why| encoding(format!("not a structured field: {why}")))?;
    if list.len() > MAX_CHAIN + 1 {
        return Err(too_many());
    }
    let ders = list.into_iter().map(|entry| match entry {
        ListEntry::Item(item) => bytes(item),
        ListEntry::InnerList(_) => Err(encoding("a list in the list of certificates")),
    });
    let ders = ders.collect::<Result<Ders, Refused>>()?;
    let again: Vec<String> = ders.iter().map(|der| written(der)).collect();
    // White space around commas is free.
    let compact = value.iter().copied().filter(|byte| !matches!(byte, b' ' | b'\t'));
    if again.join(",").bytes().ne(compact) {
        return Err(encoding("a Byte Sequence that is not in its one right spelling"));
    }
    Ok(ders)
}

fn bytes(item: Item) -> Result<Vec<u8>, Refused> {
    if !item.params.is_empty() {
        return Err(encoding("a certificate with parameters"));
    }
    match item.bare_item {
        BareItem::ByteSequence(bytes) if bytes.is_empty() => {
            Err(Refused::new(Refusal::CertificateHeaderEmpty, "an empty Byte Sequence"))
        }
        BareItem::ByteSequence(bytes) => Ok(bytes),
        _ => Err(encoding("not a Byte Sequence")),
    }
}

fn written(der: &[u8]) -> String {
    format!(":{}:", STANDARD.encode(der))
}
