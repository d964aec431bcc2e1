//! The input of the target `chain`: one octet of settings, then pieces.
//!
//! A piece is one octet that says what it is and who signs it, two octets of length, and DER. A piece that is to be signed
//! keeps its first element (tbsCertificate, tbsCertList) and gets a good signature over it: so a changed certificate is not
//! refused for its signature alone, and the checks behind it are reached.

use openssl::bn::{BigNum, BigNumContext};
use openssl::ec::{EcGroup, EcKey, EcPoint};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::sign::Signer;
use vestibule::x509::der::{encode, tag};

/// AlgorithmIdentifier of ecdsa-with-SHA256.
const ECDSA_SHA256: &[u8] = &[0x30, 0x0A, 0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02];

/// What a piece is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    Leaf,
    Presented,
    Intermediate,
    Anchor,
    Crl,
}

impl Kind {
    pub const ALL: [Self; 5] = [Self::Leaf, Self::Presented, Self::Intermediate, Self::Anchor, Self::Crl];
}

/// Who signs a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum By {
    /// The signature that is there stays.
    Nobody,
    Root,
    Issuing,
    Client,
}

impl By {
    pub const ALL: [Self; 4] = [Self::Nobody, Self::Root, Self::Issuing, Self::Client];

    /// A key that is always the same.
    pub fn key(self) -> PKey<Private> {
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
        let number = BigNum::from_slice(&[0x2A, self as u8 + 1].repeat(15)).unwrap();
        let mut point = EcPoint::new(&group).unwrap();
        point.mul_generator2(&group, &number, &mut BigNumContext::new().unwrap()).unwrap();
        PKey::from_ec_key(EcKey::from_private_components(&group, &number, &point).unwrap()).unwrap()
    }
}

/// The keys, made once.
pub struct Keys([PKey<Private>; 4]);

impl Default for Keys {
    fn default() -> Self {
        Self(By::ALL.map(By::key))
    }
}

impl Keys {
    fn sign(&self, der: &[u8], by: By) -> Vec<u8> {
        if by == By::Nobody {
            return der.to_vec();
        }
        let Some(signed_part) = content(der).and_then(first) else { return der.to_vec() };
        let mut signer = Signer::new(MessageDigest::sha256(), &self.0[by as usize]).unwrap();
        let signature = signer.sign_oneshot_to_vec(signed_part).unwrap();
        let signature = encode(tag::BIT_STRING, &[&[0], signature.as_slice()].concat());
        encode(tag::SEQUENCE, &[signed_part, ECDSA_SHA256, &signature].concat())
    }
}

/// One piece, signed.
pub struct Piece {
    pub kind: Kind,
    pub der: Vec<u8>,
}

/// At most so many pieces are read.
const MOST_PIECES: usize = 6;

/// Reads an input: settings, pieces.
pub fn read(input: &[u8], keys: &Keys) -> Option<(u8, Vec<Piece>)> {
    let (&settings, mut rest) = input.split_first()?;
    let mut pieces = Vec::new();
    while let [what, high, low, after @ ..] = rest {
        let (der, next) = after.split_at(after.len().min(usize::from(u16::from_be_bytes([*high, *low]))));
        let kind = Kind::ALL[usize::from(what & 0x0F) % Kind::ALL.len()];
        let by = By::ALL[usize::from(what >> 4) % By::ALL.len()];
        pieces.push(Piece { kind, der: keys.sign(der, by) });
        rest = next;
        if pieces.len() == MOST_PIECES {
            break;
        }
    }
    Some((settings, pieces))
}

/// Writes one piece.
pub fn write(kind: Kind, by: By, der: &[u8], into: &mut Vec<u8>) {
    into.push(kind as u8 | (by as u8) << 4);
    into.extend(u16::try_from(der.len()).unwrap().to_be_bytes());
    into.extend_from_slice(der);
}

/// The content of an element, however wrong its length is.
fn content(der: &[u8]) -> Option<&[u8]> {
    let (at, _) = header(der)?;
    der.get(at..)
}

/// The first element, whole.
fn first(content: &[u8]) -> Option<&[u8]> {
    let (at, length) = header(content)?;
    content.get(..at.checked_add(length)?)
}

fn header(der: &[u8]) -> Option<(usize, usize)> {
    match der.get(1)? {
        short @ 0..=0x7F => Some((2, usize::from(*short))),
        0x81 => Some((3, usize::from(*der.get(2)?))),
        0x82 => Some((4, usize::from(u16::from_be_bytes([*der.get(2)?, *der.get(3)?])))),
        _ => None,
    }
}
