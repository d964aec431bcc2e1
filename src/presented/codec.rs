//! Header values to DER: one small decoder a format, and [`decode`], which picks it.
//!
//! Every decoder decodes once, takes exactly its own form, and refuses what is left over. None looks into a certificate.

mod base64_der;
mod base64_pem;
mod byte_sequence;
mod concatenated_der;
mod escaped_pem;
mod pem;
mod pem_bodies;
mod spaced_pem;
mod xfcc;
mod xfcc_json;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::front_door::{ChainCodec, Codec, LeafCodec};
use crate::refusal::{Refusal, Refused};

pub use base64_der::decode as decode_base64_der;
pub use base64_pem::decode as decode_base64_pem;
pub use byte_sequence::{decode as decode_byte_sequence, decode_list as decode_byte_sequences};
pub use concatenated_der::decode as decode_concatenated_der;
pub use escaped_pem::decode as decode_escaped_pem;
pub use pem_bodies::{decode as decode_pem_bodies, decode_escaped as decode_escaped_pem_bodies};
pub use spaced_pem::decode as decode_spaced_pem;
pub use xfcc::decode as decode_xfcc;
pub use xfcc_json::decode as decode_xfcc_json;

/// The most certificates beside the client's own.
pub const MAX_CHAIN: usize = 10;

/// The DER of certificates.
pub type Ders = Vec<Vec<u8>>;

/// Header values with certificates in them.
#[derive(Debug, Clone, Copy)]
pub struct Encoded<'h> {
    /// How to read them.
    pub codec: Codec,
    /// The header with the client's certificate.
    pub leaf: &'h [u8],
    /// Headers with others.
    pub chain: &'h [&'h [u8]],
}

/// Decodes the client's certificate and, after it, the others: in any order, never the client's again.
pub(super) fn decode(encoded: &Encoded<'_>) -> Result<Ders, Refused> {
    let mut ders = leaf(encoded.codec, encoded.leaf)?;
    for value in encoded.chain {
        ders.extend(chain(encoded.codec, value)?);
    }
    let mut distinct = Ders::with_capacity(ders.len());
    for der in ders {
        // The client's own is often the first of its chain.
        if distinct.is_empty() || !distinct.contains(&der) {
            distinct.push(der);
        }
    }
    if distinct.len() > MAX_CHAIN + 1 { Err(too_many()) } else { Ok(distinct) }
}

fn leaf(codec: Codec, value: &[u8]) -> Result<Ders, Refused> {
    match codec.leaf {
        LeafCodec::EscapedPem => only_one(escaped_pem::decode(value)?),
        LeafCodec::EscapedPemBundle => escaped_pem::decode(value),
        LeafCodec::SpacedPem => only_one(spaced_pem::decode(value)?),
        LeafCodec::Base64Der => base64_der::decode(value).map(|der| vec![der]),
        LeafCodec::PemBodies => pem_bodies::decode(value),
        LeafCodec::EscapedPemBodies => pem_bodies::decode_escaped(value),
        LeafCodec::Base64Pem => only_one(base64_pem::decode(value)?),
        LeafCodec::ByteSequence => byte_sequence::decode(value).map(|der| vec![der]),
        LeafCodec::Xfcc => xfcc::decode(value),
        LeafCodec::XfccJson => xfcc_json::decode(value, codec.elements),
    }
}

fn chain(codec: Codec, value: &[u8]) -> Result<Ders, Refused> {
    match codec.chain {
        ChainCodec::None => Ok(Ders::new()),
        ChainCodec::ByteSequences => byte_sequence::decode_list(value),
        ChainCodec::ConcatenatedDer => concatenated_der::decode(value),
        ChainCodec::Numbered => only_one(leaf(codec, value)?),
        ChainCodec::EscapedPemBundle => escaped_pem::decode(value),
    }
}

/// A format of one certificate refuses several: which one is the client's would be a guess.
fn only_one(ders: Ders) -> Result<Ders, Refused> {
    match ders.len() {
        0 | 1 => Ok(ders),
        several => {
            let cause = format!("{several} certificates where the format has one");
            Err(Refused::new(Refusal::CertificateHeaderTooMany, cause))
        }
    }
}

fn too_many() -> Refused {
    Refused::new(Refusal::CertificateHeaderTooMany, format!("more than {} certificates", MAX_CHAIN + 1))
}

fn encoding(why: impl Into<String>) -> Refused {
    Refused::new(Refusal::CertificateHeaderEncoding, why)
}

/// Standard base64 with padding, canonical, and not of nothing.
fn base64(text: &[u8]) -> Result<Vec<u8>, &'static str> {
    let decoded = STANDARD.decode(text).map_err(|_| "is not base64")?;
    if decoded.is_empty() { Err("is empty") } else { Ok(decoded) }
}

#[cfg(test)]
mod tests;
