//! Header bytes to certificate, remembered: the same bytes, read by the same codec, always decode to the same certificate.

use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;
use sha2::{Digest, Sha256};

use super::codec::{self, Encoded, MAX_CHAIN};
use super::{PresentedCertificate, recent};
use crate::front_door::Codec;
use crate::refusal::{Refusal, Refused};
use crate::x509::certificate::Certificate;

/// What an ordinary certificate takes in memory, parsed twice, with its variables.
const ORDINARY: u64 = 12 * 1024;
/// What every entry takes, however small its certificate is.
const LEAST: u64 = 6 * 1024;
/// Longer headers are not kept by each worker as well.
const MOST_RECENT: usize = 4 * 1024;

/// Decodes certificate headers, with a bounded memory of the last ones. Decoding depends on the bytes alone, so what is
/// remembered never grows stale. Failures are not remembered.
pub struct CertificateDecoder {
    known: Option<Cache<[u8; 32], Arc<PresentedCertificate>, Weight>>,
}

/// Entries are weighed by what they take: strangers choose how large a certificate is, and how many they send.
#[derive(Clone)]
struct Weight;

impl Weighter<[u8; 32], Arc<PresentedCertificate>> for Weight {
    fn weight(&self, _: &[u8; 32], certificate: &Arc<PresentedCertificate>) -> u64 {
        LEAST + std::iter::once(certificate.leaf()).chain(certificate.chain()).map(memory_of).sum::<u64>()
    }
}

/// An estimate from above, measured on certificates of many names: each is an object for OpenSSL and one for us.
fn memory_of(certificate: &Certificate) -> u64 {
    let names = certificate.subject_alt_names().map_or(0, <[_]>::len);
    let attributes = certificate.subject().attributes().len() + certificate.issuer().attributes().len();
    (4 * certificate.der().len() + 300 * names + 200 * attributes) as u64
}

impl CertificateDecoder {
    /// A decoder that remembers this many ordinary certificates, or fewer large ones; 0 remembers none.
    pub fn new(entries: usize) -> Self {
        let cache = || Cache::with_weighter(entries, entries as u64 * ORDINARY, Weight);
        Self { known: (entries > 0).then(cache) }
    }

    /// Decodes header values of at most `limit` bytes each.
    ///
    /// # Errors
    /// The `CertificateHeader…` refusals and [`Refusal::CertificateMalformed`].
    pub fn decode(&self, encoded: &Encoded<'_>, limit: usize) -> Result<Arc<PresentedCertificate>, Refused> {
        if encoded.leaf.is_empty() {
            return Err(Refused::new(Refusal::CertificateHeaderEmpty, "the certificate header is empty"));
        }
        let longest = encoded.chain.iter().fold(encoded.leaf.len(), |longest, value| longest.max(value.len()));
        if longest > limit {
            let cause = format!("a certificate header has {longest} bytes; {limit} are allowed");
            return Err(Refused::new(Refusal::CertificateHeaderTooLarge, cause));
        }
        let Some(known) = &self.known else { return read(encoded) };
        if let Some(certificate) = recent::find(encoded) {
            return Ok(certificate);
        }
        let key = key(encoded);
        let certificate = match known.get(&key) {
            Some(certificate) => certificate,
            None => {
                let certificate = read(encoded)?;
                known.insert(key, Arc::clone(&certificate));
                certificate
            }
        };
        if encoded.leaf.len() + encoded.chain.iter().map(|value| value.len()).sum::<usize>() <= MOST_RECENT {
            recent::keep(encoded, &certificate);
        }
        Ok(certificate)
    }
}

impl CertificateDecoder {
    /// The certificates of a handshake of ours, the client's own first; none without any.
    ///
    /// # Errors
    /// [`Refusal::CertificateMalformed`], [`Refusal::CertificateHeaderTooMany`].
    pub fn of_handshake(&self, certificates: &[Vec<u8>]) -> Result<Option<Arc<PresentedCertificate>>, Refused> {
        if certificates.is_empty() {
            return Ok(None);
        }
        if certificates.len() > 1 + MAX_CHAIN {
            let cause = format!("{} certificates in the handshake; {} are read", certificates.len(), 1 + MAX_CHAIN);
            return Err(Refused::new(Refusal::CertificateHeaderTooMany, cause));
        }
        let Some(known) = &self.known else { return parse(certificates, "handshake").map(Some) };
        // Lengths first, and a beginning that no header has.
        let mut digest = Sha256::new_with_prefix(b"\0handshake");
        for certificate in certificates {
            digest.update(certificate.len().to_be_bytes());
            digest.update(certificate);
        }
        let key: [u8; 32] = digest.finalize().into();
        if let Some(certificate) = known.get(&key) {
            return Ok(Some(certificate));
        }
        let certificate = parse(certificates, "handshake")?;
        known.insert(key, Arc::clone(&certificate));
        Ok(Some(certificate))
    }
}

/// Equal for equal values read by the same codec, and for no others: each value is hashed behind its length.
fn key(encoded: &Encoded<'_>) -> [u8; 32] {
    let mut hash = Sha256::new();
    let Codec { leaf, chain, elements } = encoded.codec;
    hash.update([leaf as u8, chain as u8, elements as u8]);
    for value in std::iter::once(&encoded.leaf).chain(encoded.chain) {
        hash.update(value.len().to_be_bytes());
        hash.update(value);
    }
    hash.finalize().into()
}

fn read(encoded: &Encoded<'_>) -> Result<Arc<PresentedCertificate>, Refused> {
    parse(&codec::decode(encoded)?, "header")
}

fn parse(certificates: &[Vec<u8>], place: &str) -> Result<Arc<PresentedCertificate>, Refused> {
    let mut certificates = certificates.iter().enumerate().map(|(position, der)| {
        Certificate::from_der(der).map_err(|why| {
            Refused::new(Refusal::CertificateMalformed, format!("certificate {} of the {place}: {why}", position + 1))
        })
    });
    let leaf = certificates
        .next()
        .unwrap_or_else(|| Err(Refused::new(Refusal::CertificateHeaderEmpty, "the certificate header holds no certificate")))?;
    let chain = certificates.collect::<Result<Vec<_>, _>>()?;
    Ok(Arc::new(PresentedCertificate::new(leaf, chain)))
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    use super::*;
    use crate::front_door::{ChainCodec, LeafCodec, XfccElements};

    const LEAF: &str = include_str!("../../tests/vectors/front-doors/pem/valid.pem");
    const ISSUER: &str = include_str!("../../tests/vectors/front-doors/pem/inter.pem");

    fn codec(leaf: LeafCodec, chain: ChainCodec) -> Codec {
        Codec { leaf, chain, elements: XfccElements::One }
    }

    fn base64(text: &str) -> String {
        STANDARD.encode(pem::parse(text).unwrap().contents())
    }

    /// What is remembered of one format is not another's, nor of one chain another's.
    #[test]
    fn the_memory_knows_codec_and_chain() {
        let decoder = CertificateDecoder::new(100);
        let bundle = crate::x509::pem_text::escaped(pem::parse(LEAF).unwrap().contents())
            + &crate::x509::pem_text::escaped(pem::parse(ISSUER).unwrap().contents());
        let decode = |leaf, value: &str| {
            let encoded = Encoded { codec: codec(leaf, ChainCodec::None), leaf: value.as_bytes(), chain: &[] };
            decoder.decode(&encoded, 10_000)
        };
        for _ in 0..2 {
            assert_eq!(decode(LeafCodec::EscapedPemBundle, &bundle).unwrap().chain().len(), 1);
            let refused = decode(LeafCodec::EscapedPem, &bundle).err().unwrap();
            assert_eq!(refused.refusal, Refusal::CertificateHeaderTooMany);
            let refused = decode(LeafCodec::Base64Der, &bundle).err().unwrap();
            assert_eq!(refused.refusal, Refusal::CertificateHeaderEncoding);
        }
        let (leaf, issuer) = (base64(LEAF), base64(ISSUER));
        let with = |chain: &[&[u8]]| {
            let codec = codec(LeafCodec::Base64Der, ChainCodec::ConcatenatedDer);
            decoder.decode(&Encoded { codec, leaf: leaf.as_bytes(), chain }, 10_000).unwrap().chain().len()
        };
        for _ in 0..2 {
            assert_eq!(with(&[issuer.as_bytes()]), 1);
            assert_eq!(with(&[]), 0);
            assert_eq!(with(&[leaf.as_bytes()]), 0, "the client's own is no intermediate");
            assert_eq!(with(&[leaf.as_bytes(), issuer.as_bytes()]), 1);
        }
    }

    #[test]
    fn each_value_has_the_limit() {
        let (leaf, issuer) = (base64(LEAF), base64(ISSUER));
        let codec = codec(LeafCodec::Base64Der, ChainCodec::ConcatenatedDer);
        let limited = |limit| {
            let encoded = Encoded { codec, leaf: leaf.as_bytes(), chain: &[issuer.as_bytes(), leaf.as_bytes()] };
            CertificateDecoder::new(0).decode(&encoded, limit).map_err(|refused| refused.refusal).err()
        };
        assert_eq!(limited(leaf.len()), None);
        assert_eq!(limited(leaf.len() - 1), Some(Refusal::CertificateHeaderTooLarge));
    }

    proptest! {
        /// Where a value ends is part of the key.
        #[test]
        fn keys_differ_with_the_values(
            bytes in prop::collection::vec(any::<u8>(), 1..20),
            at in 0..20_usize,
            other in 0..20_usize,
        ) {
            let split = |at: usize| bytes.split_at(at.min(bytes.len()));
            let of = |(leaf, chain): (&[u8], &[u8])| {
                key(&Encoded { codec: codec(LeafCodec::Base64Der, ChainCodec::ConcatenatedDer), leaf, chain: &[chain] })
            };
            prop_assert_eq!(of(split(at)) == of(split(other)), split(at) == split(other));
        }
    }
}
