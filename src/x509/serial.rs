//! Serial numbers.

use super::der::DerError;

/// What a limb of nine decimal digits holds.
const LIMB: u64 = 1_000_000_000;

/// A certificate's serial number: an INTEGER of any length and sign (RFC 5280 §4.1.2.2 allows less).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SerialNumber {
    octets: Box<[u8]>,
}

impl SerialNumber {
    /// Takes the content octets of an INTEGER, in two's complement and minimal (X.690 §8.3.2).
    pub fn from_content(octets: &[u8]) -> Result<Self, DerError> {
        if is_minimal(octets) {
            Ok(Self { octets: octets.into() })
        } else {
            Err(DerError::new("an INTEGER that is not minimal"))
        }
    }

    /// The content octets, in two's complement: with the sign's octet where there is one.
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// Whether the number is below zero.
    pub fn is_negative(&self) -> bool {
        self.octets.first().is_some_and(|octet| octet & 0x80 != 0)
    }

    /// Whether the number is zero.
    pub fn is_zero(&self) -> bool {
        *self.octets == [0]
    }

    /// The text of OpenSSL's `i2a_ASN1_INTEGER`, which is nginx's `$ssl_client_serial`: the magnitude in upper-case hexadecimal
    /// digits, `-` in front of a negative one, and a backslash and a line feed after every 35 octets that are not the last.
    pub fn text(&self) -> String {
        const OCTETS_A_LINE: usize = 35;
        let lines: Vec<String> = self.magnitude().chunks(OCTETS_A_LINE).map(hex::encode_upper).collect();
        let sign = if self.is_negative() { "-" } else { "" };
        format!("{sign}{}", lines.join("\\\n"))
    }

    /// The number in decimal digits, `-` in front of a negative one (Go, Caddy, Traefik). Takes time with the square of the
    /// length: for numbers of a length that somebody checked.
    pub fn decimal(&self) -> String {
        // Least significant first, nine digits each.
        let mut limbs: Vec<u64> = vec![0];
        for octet in self.magnitude() {
            let mut carry = u64::from(octet);
            for limb in &mut limbs {
                let value = *limb * 256 + carry;
                (*limb, carry) = (value % LIMB, value / LIMB);
            }
            if carry > 0 {
                limbs.push(carry);
            }
        }
        let padded: String = limbs.iter().rev().map(|limb| format!("{limb:09}")).collect();
        let digits = padded.trim_start_matches('0');
        let sign = if self.is_negative() { "-" } else { "" };
        format!("{sign}{}", if digits.is_empty() { "0" } else { digits })
    }

    /// The absolute value, without leading zero octets but for zero itself.
    fn magnitude(&self) -> Vec<u8> {
        let mut octets = self.octets.to_vec();
        if self.is_negative() {
            negate(&mut octets);
        }
        if let [0, rest @ ..] = &octets[..]
            && !rest.is_empty()
        {
            return rest.to_vec();
        }
        octets
    }
}

/// Whether content octets are an INTEGER in as few octets as possible (X.690 §8.3.2): then equal numbers are equal octets.
pub(super) fn is_minimal(octets: &[u8]) -> bool {
    !matches!(octets, [] | [0x00, 0x00..=0x7F, ..] | [0xFF, 0x80..=0xFF, ..])
}

/// The content octets of an INTEGER with this sign and magnitude.
pub(super) fn content_octets(negative: bool, magnitude: &[u8]) -> Vec<u8> {
    let mut octets = [&[0], magnitude].concat();
    if negative {
        negate(&mut octets);
    }
    while !is_minimal(&octets) {
        octets.remove(0);
    }
    octets
}

/// Two's complement: every bit flipped, plus one.
fn negate(octets: &mut [u8]) {
    let mut carry = true;
    for octet in octets.iter_mut().rev() {
        let (value, over) = (!*octet).overflowing_add(u8::from(carry));
        (*octet, carry) = (value, over);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts() {
        for (octets, text) in [
            (&[0x00][..], "00"),
            (&[0x01], "01"),
            (&[0x0A, 0xBC], "0ABC"),
            (&[0x00, 0xFF], "FF"),
            (&[0xFF], "-01"),
            (&[0x80], "-80"),
            (&[0xFF, 0x00], "-0100"),
            (&[0xFF, 0x7F], "-81"),
            (&[0xFF, 0x00, 0x01], "-FFFF"),
            (&[0x80, 0x00], "-8000"),
        ] {
            assert_eq!(SerialNumber::from_content(octets).unwrap().text(), text);
        }
    }

    #[test]
    fn decimals() {
        for (octets, text) in [
            (&[0x00][..], "0"),
            (&[0x01], "1"),
            (&[0xFF], "-1"),
            (&[0x10, 0x0A], "4106"),
            (&[0x3B, 0x9A, 0xCA, 0x00], "1000000000"),
            (&[0x00, 0xF1, 0xE2, 0xD3, 0xC4, 0xB5, 0xA6, 0x97, 0x88], "17429726349691885448"),
        ] {
            assert_eq!(SerialNumber::from_content(octets).unwrap().decimal(), text);
        }
        let long = SerialNumber::from_content(&[0x7F; 20]).unwrap();
        let openssl = openssl::bn::BigNum::from_slice(&[0x7F; 20]).unwrap();
        assert_eq!(long.decimal(), openssl.to_dec_str().unwrap().to_string());
    }

    #[test]
    fn numbers_become_minimal_octets() {
        for (negative, magnitude, octets) in [
            (false, &[][..], &[0][..]),
            (false, &[0, 0, 1], &[1]),
            (false, &[0x7F], &[0x7F]),
            (false, &[0x80], &[0, 0x80]),
            (true, &[1], &[0xFF]),
            (true, &[0x80], &[0x80]),
            (true, &[0x81], &[0xFF, 0x7F]),
            (true, &[1, 0], &[0xFF, 0]),
            (true, &[], &[0]),
        ] {
            assert_eq!(content_octets(negative, magnitude), octets, "{negative} {magnitude:?}");
            assert!(is_minimal(octets));
        }
    }

    #[test]
    fn only_minimal_integers() {
        for bad in [&[][..], &[0, 0], &[0, 0x7F], &[0xFF, 0x80], &[0xFF, 0xFF]] {
            assert!(SerialNumber::from_content(bad).is_err(), "{bad:02X?}");
        }
    }

    #[test]
    fn lines_of_35_octets() {
        let text = |count| SerialNumber::from_content(&vec![0x11; count]).unwrap().text();
        assert_eq!(text(35), "11".repeat(35));
        assert_eq!(text(36), format!("{}\\\n11", "11".repeat(35)));
        assert_eq!(text(71), format!("{0}\\\n{0}\\\n11", "11".repeat(35)));
        let mut negative = vec![0x80];
        negative.extend([0; 70]);
        assert_eq!(
            SerialNumber::from_content(&negative).unwrap().text(),
            format!("-80{0}\\\n{1}\\\n00", "00".repeat(34), "00".repeat(35))
        );
    }
}
