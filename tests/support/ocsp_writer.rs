//! Purpose: writes OCSP responses that no responder would make, and good ones for any instant.
#![allow(dead_code, unreachable_pub, reason = "every test crate that includes this file uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test that cannot make its response has failed")]

use openssl::hash::{MessageDigest, hash};
use openssl::pkey::{PKey, Private};
use openssl::sign::Signer;
use openssl::x509::{X509, X509Ref};
use vestibule::clock::UnixTime;
use vestibule::x509::der::{Reader, encode, tag};

/// AlgorithmIdentifier of ecdsa-with-SHA256.
pub const ECDSA_SHA256: &[u8] = &[0x30, 0x0A, 0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02];
/// AlgorithmIdentifier of SHA-1 and of SHA-256, without parameters.
const SHA1: &[u8] = &[0x30, 0x07, 0x06, 0x05, 0x2B, 0x0E, 0x03, 0x02, 0x1A];
const SHA256: &[u8] = &[0x30, 0x0B, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];

/// CertStatus.
pub const GOOD: &[u8] = &[0x80, 0x00];
pub const UNKNOWN: &[u8] = &[0x82, 0x00];

/// Revoked at this time, for this reason.
pub fn revoked(at: UnixTime, reason: Option<u8>) -> Vec<u8> {
    let reason = reason.map(|code| encode(0xA0, &[0x0A, 1, code])).unwrap_or_default();
    encode(0xA1, &[time(at), reason].concat())
}

/// SingleResponse as its parts.
#[derive(Clone)]
pub struct Single {
    pub cert_id: Vec<u8>,
    pub status: Vec<u8>,
    pub this_update: Vec<u8>,
    pub next_update: Option<Vec<u8>>,
    pub extensions: Vec<Vec<u8>>,
}

impl Single {
    /// Good from `now` minus an hour for a day.
    pub fn good(cert: &X509Ref, issuer: &X509Ref, now: UnixTime) -> Self {
        Self {
            cert_id: cert_id(cert, issuer, false),
            status: GOOD.to_vec(),
            this_update: time(now.plus(-3600)),
            next_update: Some(time(now.plus(82_800))),
            extensions: vec![],
        }
    }

    fn der(&self) -> Vec<u8> {
        let next = self.next_update.as_ref().map(|time| encode(0xA0, time)).unwrap_or_default();
        let parts = [&self.cert_id, &self.status, &self.this_update, &next, &extensions(&self.extensions)];
        encode(tag::SEQUENCE, &parts.map(Vec::as_slice).concat())
    }
}

/// A response as its parts. Change what shall be odd.
#[derive(Clone)]
pub struct OcspWriter {
    pub version: Vec<u8>,
    pub responder: Vec<u8>,
    pub produced_at: Vec<u8>,
    pub singles: Vec<Single>,
    pub extensions: Vec<Vec<u8>>,
    pub algorithm: Vec<u8>,
    pub certificates: Vec<X509>,
}

impl OcspWriter {
    /// A good answer about a certificate, in the name of its issuer.
    pub fn good(cert: &X509Ref, issuer: &X509Ref, now: UnixTime) -> Self {
        Self {
            version: vec![],
            responder: by_name(issuer),
            produced_at: time(now.plus(-3600)),
            singles: vec![Single::good(cert, issuer, now)],
            extensions: vec![],
            algorithm: ECDSA_SHA256.to_vec(),
            certificates: vec![],
        }
    }

    /// Another status.
    pub fn status(mut self, status: &[u8]) -> Self {
        self.singles[0].status = status.to_vec();
        self
    }

    /// Other dates.
    pub fn dated(mut self, this_update: UnixTime, next_update: Option<UnixTime>) -> Self {
        self.produced_at = time(this_update);
        self.singles[0].this_update = time(this_update);
        self.singles[0].next_update = next_update.map(time);
        self
    }

    /// One more status.
    pub fn and(mut self, single: Single) -> Self {
        self.singles.push(single);
        self
    }

    /// One more extension of the whole.
    pub fn with(mut self, extension: Vec<u8>) -> Self {
        self.extensions.push(extension);
        self
    }

    /// From a responder whose certificate is sent along.
    pub fn from(mut self, responder: &X509) -> Self {
        self.responder = by_name(responder);
        self.certificates = vec![responder.clone()];
        self
    }

    /// tbsResponseData.
    fn signed_part(&self) -> Vec<u8> {
        let singles: Vec<u8> = self.singles.iter().flat_map(Single::der).collect();
        let singles = encode(tag::SEQUENCE, &singles);
        let parts = [&self.version, &self.responder, &self.produced_at, &singles, &extensions(&self.extensions)];
        encode(tag::SEQUENCE, &parts.map(Vec::as_slice).concat())
    }

    /// Signed with SHA-256.
    pub fn sign(&self, key: &PKey<Private>) -> Vec<u8> {
        self.sign_with(key, MessageDigest::sha256())
    }

    /// Signed with another hash; [`OcspWriter::algorithm`] is to name it.
    pub fn sign_with(&self, key: &PKey<Private>, digest: MessageDigest) -> Vec<u8> {
        let mut signer = Signer::new(digest, key).unwrap();
        let signature = signer.sign_oneshot_to_vec(&self.signed_part()).unwrap();
        let signature = encode(tag::BIT_STRING, &[&[0], &signature[..]].concat());
        let mut basic = [self.signed_part(), self.algorithm.clone(), signature].concat();
        if !self.certificates.is_empty() {
            let list: Vec<u8> = self.certificates.iter().flat_map(|certificate| certificate.to_der().unwrap()).collect();
            basic.extend(encode(0xA0, &encode(tag::SEQUENCE, &list)));
        }
        successful(&[0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01], &encode(tag::SEQUENCE, &basic))
    }
}

/// OCSPResponse, successful, of a type.
pub fn successful(kind: &[u8], response: &[u8]) -> Vec<u8> {
    let bytes = encode(tag::SEQUENCE, &[encode(tag::OID, kind), encode(tag::OCTET_STRING, response)].concat());
    encode(tag::SEQUENCE, &[vec![0x0A, 1, 0], encode(0xA0, &bytes)].concat())
}

/// ResponderID by name.
pub fn by_name(responder: &X509Ref) -> Vec<u8> {
    encode(0xA1, &responder.subject_name().to_der().unwrap())
}

/// ResponderID by key.
pub fn by_key(responder: &X509Ref) -> Vec<u8> {
    encode(0xA2, &encode(tag::OCTET_STRING, &hash(MessageDigest::sha1(), &key_octets(responder)).unwrap()))
}

/// CertID.
pub fn cert_id(cert: &X509Ref, issuer: &X509Ref, sha256: bool) -> Vec<u8> {
    let (digest, algorithm) = if sha256 { (MessageDigest::sha256(), SHA256) } else { (MessageDigest::sha1(), SHA1) };
    let octets = |content: &[u8]| encode(tag::OCTET_STRING, &hash(digest, content).unwrap());
    let serial = cert.serial_number().to_bn().unwrap().to_vec();
    let sign: &[u8] = if serial[0] & 0x80 == 0 { &[] } else { &[0] };
    let serial = encode(tag::INTEGER, &[sign, &serial].concat());
    let name = octets(&cert.issuer_name().to_der().unwrap());
    encode(tag::SEQUENCE, &[algorithm.to_vec(), name, octets(&key_octets(issuer)), serial].concat())
}

/// GeneralizedTime.
pub fn time(at: UnixTime) -> Vec<u8> {
    let at = time::OffsetDateTime::from_unix_timestamp(at.0).unwrap();
    let (date, time) = (at.date(), at.time());
    let (hour, minute, second) = time.as_hms();
    let text = format!("{:04}{:02}{:02}{hour:02}{minute:02}{second:02}Z", date.year(), u8::from(date.month()), date.day());
    encode(tag::GENERALIZED_TIME, text.as_bytes())
}

fn extensions(list: &[Vec<u8>]) -> Vec<u8> {
    if list.is_empty() { vec![] } else { encode(0xA1, &encode(tag::SEQUENCE, &list.concat())) }
}

fn key_octets(certificate: &X509Ref) -> Vec<u8> {
    let spki = certificate.public_key().unwrap().public_key_to_der().unwrap();
    let mut fields = Reader::new(Reader::new(&spki).any().unwrap().content);
    fields.any().unwrap();
    fields.any().unwrap().content[1..].to_vec()
}
