//! Purpose: writes CRLs that no library would make, and big ones fast: entries are appended as octets, nothing is sorted.
#![allow(dead_code, unreachable_pub, reason = "every test crate that includes this file uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test that cannot make its list has failed")]

use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::sign::Signer;
use openssl::x509::X509Ref;
use vestibule::clock::UnixTime;
use vestibule::x509::der::{encode, tag};
use vestibule::x509::oid::parse_dotted;

/// AlgorithmIdentifier of ecdsa-with-SHA256.
pub const ECDSA_SHA256: &[u8] = &[0x30, 0x0A, 0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02];

/// A list as its parts. Change what shall be odd.
#[derive(Clone)]
pub struct CrlWriter {
    /// The version field with its tag; empty for version 1.
    pub version: Vec<u8>,
    /// The algorithm inside, and the one outside.
    pub algorithms: [Vec<u8>; 2],
    /// The issuer's Name.
    pub issuer: Vec<u8>,
    /// thisUpdate and nextUpdate with their tags.
    pub dates: Vec<u8>,
    /// Entries, one after the other; no field at all when empty.
    pub entries: Vec<u8>,
    /// Extensions; no field at all when empty.
    pub extensions: Vec<Vec<u8>>,
}

impl CrlWriter {
    /// A good, empty list of this CA, from a day before `now` to a day after it, with cRLNumber and authorityKeyIdentifier.
    pub fn of(ca: &X509Ref, now: UnixTime) -> Self {
        let key = ca.subject_key_id().unwrap().as_slice();
        Self {
            version: vec![0x02, 0x01, 0x01],
            algorithms: [ECDSA_SHA256.to_vec(), ECDSA_SHA256.to_vec()],
            issuer: ca.subject_name().to_der().unwrap(),
            dates: [time(now.plus(-86_400)), time(now.plus(86_400))].concat(),
            entries: vec![],
            extensions: vec![
                extension("2.5.29.20", false, &[2, 1, 1]),
                extension("2.5.29.35", false, &encode(tag::SEQUENCE, &encode(0x80, key))),
            ],
        }
    }

    /// Other dates.
    pub fn dated(mut self, this_update: UnixTime, next_update: UnixTime) -> Self {
        self.dates = [time(this_update), time(next_update)].concat();
        self
    }

    /// One more entry: content octets of the serial number, extensions.
    pub fn entry(mut self, serial: &[u8], date: UnixTime, extensions: &[Vec<u8>]) -> Self {
        self.push(serial, date, extensions);
        self
    }

    /// As [`CrlWriter::entry`], in place.
    pub fn push(&mut self, serial: &[u8], date: UnixTime, extensions: &[Vec<u8>]) {
        let mut fields = encode(tag::INTEGER, serial);
        fields.extend(time(date));
        if !extensions.is_empty() {
            fields.extend(encode(tag::SEQUENCE, &extensions.concat()));
        }
        self.entries.extend(encode(tag::SEQUENCE, &fields));
    }

    /// One more extension of the list.
    pub fn with(mut self, extension: Vec<u8>) -> Self {
        self.extensions.push(extension);
        self
    }

    /// An issuing distribution point, critical: the content of its SEQUENCE.
    pub fn scoped(self, content: &[u8]) -> Self {
        self.with(extension("2.5.29.28", true, &encode(tag::SEQUENCE, content)))
    }

    /// tbsCertList.
    pub fn signed_part(&self) -> Vec<u8> {
        let mut content = [&self.version, &self.algorithms[0], &self.issuer, &self.dates].map(Vec::as_slice).concat();
        if !self.entries.is_empty() {
            content.extend(encode(tag::SEQUENCE, &self.entries));
        }
        if !self.extensions.is_empty() {
            content.extend(encode(0xA0, &encode(tag::SEQUENCE, &self.extensions.concat())));
        }
        encode(tag::SEQUENCE, &content)
    }

    /// The list with this signature.
    pub fn finish(&self, signature: &[u8]) -> Vec<u8> {
        let signature = encode(tag::BIT_STRING, &[&[0], signature].concat());
        encode(tag::SEQUENCE, &[self.signed_part(), self.algorithms[1].clone(), signature].concat())
    }

    /// Signed with ECDSA and SHA-256.
    pub fn sign(&self, key: &PKey<Private>) -> Vec<u8> {
        let mut signer = Signer::new(MessageDigest::sha256(), key).unwrap();
        self.finish(&signer.sign_oneshot_to_vec(&self.signed_part()).unwrap())
    }
}

/// An extension of a list or of an entry.
pub fn extension(dotted: &str, critical: bool, value: &[u8]) -> Vec<u8> {
    let critical = if critical { vec![0x01, 0x01, 0xFF] } else { vec![] };
    let parts = [encode(tag::OID, &parse_dotted(dotted).unwrap()), critical, encode(tag::OCTET_STRING, value)];
    encode(tag::SEQUENCE, &parts.concat())
}

/// reasonCode.
pub fn reason(code: u8) -> Vec<u8> {
    extension("2.5.29.21", false, &[0x0A, 1, code])
}

/// UTCTime until 2049, GeneralizedTime from 2050 (RFC 5280 §5.1.2.4).
pub fn time(at: UnixTime) -> Vec<u8> {
    let at = time::OffsetDateTime::from_unix_timestamp(at.0).unwrap();
    let rest = format!("{:02}{:02}{:02}{:02}{:02}Z", u8::from(at.month()), at.day(), at.hour(), at.minute(), at.second());
    match at.year() {
        year @ 1950..2050 => encode(tag::UTC_TIME, format!("{:02}{rest}", year % 100).as_bytes()),
        year => encode(tag::GENERALIZED_TIME, format!("{year:04}{rest}").as_bytes()),
    }
}
