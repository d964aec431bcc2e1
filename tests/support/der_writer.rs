//! Purpose: writes DER, and on request BER that DER forbids, for certificates that no library would make.
#![allow(dead_code, reason = "every test crate that includes this file uses a part of it")]

use openssl::ecdsa::EcdsaSig;
use openssl::pkey::{PKey, Private};
use openssl::sha::sha256;

pub(crate) fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match content.len() {
        short @ 0..0x80 => out.push(short as u8),
        middle @ 0x80..0x100 => out.extend([0x81, middle as u8]),
        long => out.extend([0x82, (long >> 8) as u8, long as u8]),
    }
    out.extend_from_slice(content);
    out
}

/// A length in three octets where fewer are enough.
pub(crate) fn tlv_with_long_length(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag, 0x82, (content.len() >> 8) as u8, content.len() as u8];
    out.extend_from_slice(content);
    out
}

pub(crate) fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

/// An OID of any arcs, also absurd ones.
pub(crate) fn oid(dotted: &str) -> Vec<u8> {
    let arcs: Vec<u128> = dotted.split('.').map(|arc| arc.parse().unwrap()).collect();
    let numbers = std::iter::once(arcs[0] * 40 + arcs[1]).chain(arcs[2..].iter().copied());
    tlv(0x06, &numbers.flat_map(base128).collect::<Vec<u8>>())
}

fn base128(number: u128) -> Vec<u8> {
    let mut octets = vec![(number & 0x7F) as u8];
    let mut rest = number >> 7;
    while rest > 0 {
        octets.insert(0, 0x80 | (rest & 0x7F) as u8);
        rest >>= 7;
    }
    octets
}

/// An attribute of a type with a value that is already encoded.
pub(crate) fn attribute(oid: &[u8], value: &[u8]) -> Vec<u8> {
    tlv(0x30, &[oid, value].concat())
}

/// A Name of relative distinguished names, each a list of attributes, in this very order.
pub(crate) fn name(rdns: &[Vec<Vec<u8>>]) -> Vec<u8> {
    sequence(&rdns.iter().map(|pairs| tlv(0x31, &pairs.concat())).collect::<Vec<_>>())
}

/// A Name with one common name.
pub(crate) fn common_name(tag: u8, content: &[u8]) -> Vec<u8> {
    name(&[vec![attribute(&oid("2.5.4.3"), &tlv(tag, content))]])
}

pub(crate) fn extension(dotted: &str, value: &[u8]) -> Vec<u8> {
    sequence(&[oid(dotted), tlv(0x04, value)])
}

/// The parts of a certificate, each one as its own octets.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) version: Vec<u8>,
    pub(crate) serial: Vec<u8>,
    pub(crate) issuer: Vec<u8>,
    pub(crate) validity: Vec<u8>,
    pub(crate) subject: Vec<u8>,
    /// Everything after the public key.
    pub(crate) tail: Vec<u8>,
}

impl Parts {
    /// A good certificate; change what shall be odd.
    pub(crate) fn good() -> Self {
        let usage = extension("2.5.29.37", &sequence(&[oid("1.3.6.1.5.5.7.3.2")]));
        Self {
            version: tlv(0xA0, &tlv(0x02, &[2])),
            serial: tlv(0x02, &[0x10, 0x01]),
            issuer: common_name(0x0C, b"Odd CA"),
            validity: sequence(&[tlv(0x17, b"250101000000Z"), tlv(0x17, b"451231235959Z")]),
            subject: common_name(0x0C, b"alice"),
            tail: tlv(0xA3, &sequence(&[usage])),
        }
    }

    pub(crate) fn with_extensions(self, extensions: &[Vec<u8>]) -> Self {
        Self { tail: tlv(0xA3, &sequence(extensions)), ..self }
    }

    /// Signs with ECDSA and SHA-256, the outer SEQUENCE written by `outer`.
    pub(crate) fn sign(&self, key: &PKey<Private>, outer: fn(u8, &[u8]) -> Vec<u8>) -> Vec<u8> {
        let algorithm = sequence(&[oid("1.2.840.10045.4.3.2")]);
        let spki = key.public_key_to_der().unwrap();
        let parts = [&self.version, &self.serial, &algorithm, &self.issuer, &self.validity, &self.subject, &spki, &self.tail];
        let tbs = tlv(0x30, &parts.map(Vec::as_slice).concat());
        let signature = EcdsaSig::sign(&sha256(&tbs), &key.ec_key().unwrap()).unwrap().to_der().unwrap();
        outer(0x30, &[tbs, algorithm, tlv(0x03, &[vec![0], signature].concat())].concat())
    }
}
