//! The other form of a certificate whose issuer signs with ECDSA.
//!
//! If (r, s) is a signature, (r, n − s) is one too, n being the order of the curve's group (FIPS 186-5 §6.4.2 checks s by its
//! inverse alone). So whoever holds such a certificate can make another one of it, equal in all that was signed and as valid,
//! with another SHA-256. What is to be kept out by its SHA-256 must be looked for in both forms.

use std::sync::LazyLock;

use openssl::bn::{BigNum, BigNumContext};
use openssl::ec::EcGroup;
use openssl::error::ErrorStack;
use openssl::nid::Nid;

use super::der::{self, DerError, Reader, encode, tag};

/// The orders of the curves that certificates are signed with. The issuer's curve need not be known: another curve's order
/// gives a certificate that nobody has.
static ORDERS: LazyLock<Vec<BigNum>> = LazyLock::new(|| {
    let curves = [Nid::X9_62_PRIME256V1, Nid::SECP384R1, Nid::SECP521R1];
    curves.into_iter().filter_map(|curve| order(curve).ok()).collect()
});

fn order(curve: Nid) -> Result<BigNum, ErrorStack> {
    let (mut order, mut context) = (BigNum::new()?, BigNumContext::new()?);
    EcGroup::from_curve_name(curve)?.order(&mut order, &mut context)?;
    Ok(order)
}

/// The other forms of a certificate; none when its signature is no pair of numbers.
pub(crate) fn twins(der: &[u8]) -> Vec<Vec<u8>> {
    let Ok(parts) = Parts::read(der) else { return Vec::new() };
    ORDERS.iter().filter_map(|order| parts.with_s_turned(order)).collect()
}

struct Parts<'a> {
    /// tbsCertificate and signatureAlgorithm.
    signed: [&'a [u8]; 2],
    r: &'a [u8],
    s: &'a [u8],
}

impl<'a> Parts<'a> {
    fn read(der: &'a [u8]) -> Result<Self, DerError> {
        let mut certificate = Reader::new(der::single(der, tag::SEQUENCE)?.content);
        let signed = [certificate.expect(tag::SEQUENCE)?.der, certificate.expect(tag::SEQUENCE)?.der];
        let signature = certificate.expect(tag::BIT_STRING)?.content;
        certificate.finish()?;
        let (_, signature) = signature.split_first().ok_or(DerError::new("a signature of no octets"))?;
        let mut pair = Reader::new(der::single(signature, tag::SEQUENCE)?.content);
        let (r, s) = (pair.expect(tag::INTEGER)?.der, pair.expect(tag::INTEGER)?.content);
        pair.finish()?;
        Ok(Self { signed, r, s })
    }

    fn with_s_turned(&self, order: &BigNum) -> Option<Vec<u8>> {
        let s = BigNum::from_slice(self.s).ok()?;
        let mut turned = BigNum::new().ok()?;
        turned.checked_sub(order, &s).ok()?;
        if turned.is_negative() || turned.num_bits() == 0 {
            return None;
        }
        let mut octets = turned.to_vec();
        if octets.first().is_some_and(|first| first & 0x80 != 0) {
            octets.insert(0, 0);
        }
        let pair = encode(tag::SEQUENCE, &[self.r, &encode(tag::INTEGER, &octets)].concat());
        let signature = encode(tag::BIT_STRING, &[&[0], pair.as_slice()].concat());
        let [tbs, algorithm] = self.signed;
        Some(encode(tag::SEQUENCE, &[tbs, algorithm, &signature].concat()))
    }
}

#[cfg(test)]
mod tests {
    use openssl::asn1::Asn1Time;
    use openssl::ec::EcKey;
    use openssl::hash::MessageDigest;
    use openssl::pkey::{PKey, Private};
    use openssl::x509::X509;

    use super::*;

    fn certificate(key: &PKey<Private>, digest: MessageDigest) -> Vec<u8> {
        let mut builder = X509::builder().unwrap();
        builder.set_version(2).unwrap();
        builder.set_pubkey(key).unwrap();
        builder.set_not_before(&Asn1Time::from_unix(0).unwrap()).unwrap();
        builder.set_not_after(&Asn1Time::from_unix(1).unwrap()).unwrap();
        builder.sign(key, digest).unwrap();
        builder.build().to_der().unwrap()
    }

    #[test]
    fn one_of_them_is_as_valid_and_its_twin_is_the_first() {
        for curve in [Nid::X9_62_PRIME256V1, Nid::SECP384R1, Nid::SECP521R1] {
            let group = EcGroup::from_curve_name(curve).unwrap();
            let key = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
            for _ in 0..8 {
                let der = certificate(&key, MessageDigest::sha256());
                let is_valid = |der: &Vec<u8>| X509::from_der(der).is_ok_and(|twin| twin.verify(&key).unwrap_or(false));
                let valid: Vec<_> = twins(&der).into_iter().filter(is_valid).collect();
                assert_eq!(valid.len(), 1, "{curve:?}");
                assert!(valid[0] != der && twins(&valid[0]).contains(&der), "{curve:?}");
            }
        }
    }

    #[test]
    fn other_signatures_have_none() {
        let key = PKey::generate_ed25519().unwrap();
        assert!(twins(&certificate(&key, MessageDigest::null())).is_empty());
        let key = PKey::from_rsa(openssl::rsa::Rsa::generate(2048).unwrap()).unwrap();
        assert!(twins(&certificate(&key, MessageDigest::sha256())).is_empty());
        assert!(twins(b"").is_empty() && twins(&[0x30, 0]).is_empty());
    }
}
