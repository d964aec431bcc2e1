//! Which certificate a status is about: our own identifier, and CertID as OCSP writes it (RFC 6960 §4.1.1).

use openssl::hash::{MessageDigest, hash};
use openssl::x509::X509Ref;
use sha2::{Digest, Sha256};

use super::OcspError;
use crate::x509::der::{self, DerError, Reader, Tlv, encode, tag};
use crate::x509::tbs;

/// AlgorithmIdentifier of SHA-1 with NULL parameters, as responders know it best.
const SHA1: &[u8] = &[0x30, 0x09, 0x06, 0x05, 0x2B, 0x0E, 0x03, 0x02, 0x1A, 0x05, 0x00];
/// Content octets of 1.3.14.3.2.26.
const SHA1_OID: &[u8] = &[0x2B, 0x0E, 0x03, 0x02, 0x1A];
/// Content octets of 2.16.840.1.101.3.4.2.1.
const SHA256_OID: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];

/// A certificate whose status is asked, by its issuer's name and key and its serial number: what CertID says, with SHA-256 and
/// the whole key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CertId([u8; 32]);

impl CertId {
    /// The identifier of a certificate under this issuer. None when one of them cannot be read.
    pub fn of(cert: &X509Ref, issuer: &X509Ref) -> Option<Self> {
        Subject::read(cert, issuer).ok().map(|subject| subject.id())
    }

    /// The 32 octets.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// What CertID is made of.
pub(super) struct Subject {
    issuer_name: Vec<u8>,
    issuer_spki: Vec<u8>,
    serial: Vec<u8>,
}

impl Subject {
    pub(super) fn read(cert: &X509Ref, issuer: &X509Ref) -> Result<Self, OcspError> {
        let unreadable = |_| OcspError::Certificate;
        let (cert, issuer) = (cert.to_der().map_err(unreadable)?, issuer.to_der().map_err(unreadable)?);
        let unreadable = |_: DerError| OcspError::Certificate;
        let (cert, issuer) = (tbs::Fields::read(&cert).map_err(unreadable)?, tbs::Fields::read(&issuer).map_err(unreadable)?);
        Ok(Self { issuer_name: cert.issuer.to_vec(), issuer_spki: issuer.spki.to_vec(), serial: cert.serial.to_vec() })
    }

    pub(super) fn id(&self) -> CertId {
        let mut digest = Sha256::new();
        for part in [&self.issuer_name, &self.issuer_spki, &self.serial] {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        CertId(digest.finalize().into())
    }

    /// CertID with SHA-1, the only hash that every responder knows (RFC 5019 §2.1.1). It names a certificate; nothing is
    /// trusted for it.
    pub(super) fn cert_id_sha1(&self) -> Result<Vec<u8>, OcspError> {
        let name = digest(MessageDigest::sha1(), &self.issuer_name)?;
        let key = digest(MessageDigest::sha1(), key_octets(&self.issuer_spki).map_err(|_| OcspError::Certificate)?)?;
        let fields =
            [SHA1, &encode(tag::OCTET_STRING, &name), &encode(tag::OCTET_STRING, &key), &encode(tag::INTEGER, &self.serial)];
        Ok(encode(tag::SEQUENCE, &fields.concat()))
    }

    /// Whether a CertID of an answer means this certificate. SHA-1 and SHA-256 are known.
    pub(super) fn is_meant_by(&self, cert_id: Tlv<'_>) -> Result<bool, OcspError> {
        let mut fields = Reader::new(cert_id.content);
        let algorithm = fields.expect(tag::SEQUENCE)?;
        let name_hash = fields.expect(tag::OCTET_STRING)?.content;
        let key_hash = fields.expect(tag::OCTET_STRING)?.content;
        let serial = fields.expect(tag::INTEGER)?.content;
        fields.finish()?;
        let mut algorithm = Reader::new(algorithm.content);
        let digest_name = algorithm.expect(tag::OID)?.content;
        let parameters = if algorithm.is_empty() { None } else { Some(algorithm.any()?.der) };
        algorithm.finish()?;
        if !matches!(parameters, None | Some([0x05, 0x00])) {
            return Err(DerError::new("a hash with parameters").into());
        }
        let with = match digest_name {
            SHA1_OID => MessageDigest::sha1(),
            SHA256_OID => MessageDigest::sha256(),
            _ => return Ok(false),
        };
        let key = key_octets(&self.issuer_spki).map_err(|_| OcspError::Certificate)?;
        Ok(serial == self.serial && digest(with, &self.issuer_name)? == name_hash && digest(with, key)? == key_hash)
    }
}

/// The value of the BIT STRING subjectPublicKey, without tag, length and the count of unused bits.
pub(super) fn key_octets(spki: &[u8]) -> Result<&[u8], DerError> {
    let mut fields = Reader::new(der::single(spki, tag::SEQUENCE)?.content);
    fields.expect(tag::SEQUENCE)?;
    let key = fields.expect(tag::BIT_STRING)?.content;
    fields.finish()?;
    key.split_first().map(|(_, key)| key).ok_or(DerError::new("a key of no octets"))
}

/// A digest by OpenSSL.
pub(super) fn digest(with: MessageDigest, octets: &[u8]) -> Result<Vec<u8>, OcspError> {
    hash(with, octets).map(|digest| digest.to_vec()).map_err(|_| OcspError::SecondReader)
}
