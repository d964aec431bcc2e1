//! Public keys that are worth a signature: RSA of 2048 to 8192 bits with a sane exponent, P-256, P-384, P-521, Ed25519, and
//! Ed448 by a switch. Never DSA, never a curve given by explicit parameters (CVE-2020-0601), never a curve without a name
//! in everyday use.

use openssl::x509::X509Ref;
use x509_parser::certificate::X509Certificate;
use x509_parser::oid_registry::asn1_rs::Oid;
use x509_parser::public_key::{PublicKey, RSAPublicKey};

use super::Allowances;

/// Below, factoring is in reach; above, one signature check costs as much as a whole request.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// Whether the key is acceptable, or what is wrong with it.
pub(super) fn check(parsed: &X509Certificate<'_>, certificate: &X509Ref, allow: Allowances) -> Result<(), String> {
    let info = parsed.public_key();
    match info.algorithm.algorithm.to_id_string().as_str() {
        // rsaEncryption, id-RSASSA-PSS
        "1.2.840.113549.1.1.1" | "1.2.840.113549.1.1.10" => match info.parsed() {
            Ok(PublicKey::RSA(key)) => check_rsa(&key)?,
            // x509-parser does not read the key of RSASSA-PSS; its form is that of rsaEncryption (RFC 4055 §1.2).
            Ok(PublicKey::Unknown(bytes)) => check_pss(bytes)?,
            _ => return Err("has an RSA key that cannot be read".into()),
        },
        // id-ecPublicKey
        "1.2.840.10045.2.1" => {
            let curve =
                info.algorithm.parameters.as_ref().and_then(|p| Oid::try_from(p.clone()).ok()).map(|o| o.to_id_string());
            check_curve(curve.as_deref())?;
        }
        "1.3.101.112" => {}
        "1.3.101.113" if allow.ed448 => {}
        other => return Err(format!("has a key of a kind that is not accepted ({other})")),
    }
    certificate.public_key().map(drop).map_err(|_| "has a public key that OpenSSL cannot read".into())
}

fn check_pss(bytes: &[u8]) -> Result<(), String> {
    let rsa = openssl::rsa::Rsa::public_key_from_der_pkcs1(bytes).map_err(|_| "has an RSA key that cannot be read")?;
    let (modulus, exponent) = (rsa.n().to_vec(), rsa.e().to_vec());
    check_rsa(&RSAPublicKey { modulus: &modulus, exponent: &exponent })
}

fn check_rsa(key: &RSAPublicKey<'_>) -> Result<(), String> {
    let bits = bit_length(key.modulus);
    if !RSA_BITS.contains(&bits) {
        return Err(format!("has an RSA key of {bits} bits, not {} to {}", RSA_BITS.start(), RSA_BITS.end()));
    }
    let exponent = key.try_exponent().map_err(|_| "has an RSA key with an exponent of more than 64 bits")?;
    if exponent < 3 || exponent.is_multiple_of(2) {
        return Err(format!("has an RSA key with exponent {exponent}"));
    }
    Ok(())
}

fn check_curve(curve: Option<&str>) -> Result<(), String> {
    match curve {
        // secp256r1, secp384r1, secp521r1
        Some("1.2.840.10045.3.1.7" | "1.3.132.0.34" | "1.3.132.0.35") => Ok(()),
        Some(other) => Err(format!("has a key on curve {other}; accepted are P-256, P-384, P-521")),
        None => Err("has an elliptic-curve key that does not name its curve".into()),
    }
}

/// Bits of an unsigned big-endian number, leading zeros not counted.
fn bit_length(number: &[u8]) -> usize {
    let significant: Vec<u8> = number.iter().copied().skip_while(|octet| *octet == 0).collect();
    let first = significant.first().map_or(0, |octet| octet.leading_zeros() as usize);
    significant.len() * 8 - first
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_count_bits_and_not_octets() {
        assert_eq!(bit_length(&[]), 0);
        assert_eq!(bit_length(&[0, 0x80]), 8);
        assert_eq!(bit_length(&[0x01, 0x00]), 9);
        let mut modulus = vec![0xff; 256];
        assert!(check_rsa(&RSAPublicKey { modulus: &modulus, exponent: &[1, 0, 1] }).is_ok());
        modulus[0] = 0x7f;
        assert!(check_rsa(&RSAPublicKey { modulus: &modulus, exponent: &[1, 0, 1] }).unwrap_err().contains("2047 bits"));
    }

    #[test]
    fn exponents_are_odd_small_and_not_one() {
        let modulus = vec![0xff; 256];
        for (exponent, good) in [(&[1][..], false), (&[3], true), (&[4], false), (&[1, 0, 1], true), (&[1; 9], false)] {
            assert_eq!(check_rsa(&RSAPublicKey { modulus: &modulus, exponent }).is_ok(), good, "{exponent:?}");
        }
    }
}
