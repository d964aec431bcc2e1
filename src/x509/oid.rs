//! Object identifiers as content octets, and their dotted text.

use super::der::DerError;

/// RFC 2578 §3.5 allows 128 arcs of 32 bits, which is 586 octets. OpenSSL prints nothing for more, and so do we: the decimal
/// text of an endless arc costs time quadratic in its length.
const MAX_PRINTED_OCTETS: usize = 586;

/// Checks that octets are an OID's content: some arcs, each one minimal and ended (X.690 §8.19.2).
pub fn check(content: &[u8]) -> Result<(), DerError> {
    if content.last().is_none_or(|&octet| octet & 0x80 != 0) {
        return Err(DerError::new("an object identifier without an end"));
    }
    let mut starts_arc = true;
    for &octet in content {
        if starts_arc && octet == 0x80 {
            return Err(DerError::new("an object identifier whose arc is not minimal"));
        }
        starts_arc = octet & 0x80 == 0;
    }
    Ok(())
}

/// The dotted text of content octets, with arcs of any size. Empty if the octets are no OID or are more than 586.
pub fn dotted(content: &[u8]) -> String {
    if content.len() > MAX_PRINTED_OCTETS || check(content).is_err() {
        return String::new();
    }
    let mut text = String::new();
    for octets in content.split_inclusive(|octet| octet & 0x80 == 0) {
        let mut arc = Decimal::from_base128(octets);
        if text.is_empty() {
            let root = arc.take_root();
            text.push_str(root);
        }
        text.push('.');
        text.push_str(&arc.text());
    }
    text
}

/// The content octets of a dotted text. Arcs up to 128 bits, which covers `2.25.` followed by a UUID.
pub fn parse_dotted(text: &str) -> Option<Vec<u8>> {
    let mut arcs = text.split('.').map(parse_arc);
    let (root, second) = (arcs.next()??, arcs.next()??);
    if root > 2 || (root < 2 && second > 39) {
        return None;
    }
    let mut octets = Vec::new();
    push_base128(&mut octets, (root * 40).checked_add(second)?);
    for arc in arcs {
        push_base128(&mut octets, arc?);
    }
    Some(octets)
}

fn parse_arc(text: &str) -> Option<u128> {
    let canonical = text == "0" || !text.starts_with('0');
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if canonical && digits { text.parse().ok() } else { None }
}

fn push_base128(octets: &mut Vec<u8>, arc: u128) {
    let highest = (0..=18_u32).rev().find(|group| arc >> (7 * group) != 0).unwrap_or(0);
    for group in (0..=highest).rev() {
        let bits = u8::try_from((arc >> (7 * group)) & 0x7F).unwrap_or_default();
        octets.push(if group == 0 { bits } else { bits | 0x80 });
    }
}

/// A number in limbs of nine decimal digits, the lowest first: it is only built up and printed.
struct Decimal(Vec<u32>);

const LIMB: u64 = 1_000_000_000;

impl Decimal {
    fn from_base128(octets: &[u8]) -> Self {
        let mut number = Self(vec![0]);
        for &octet in octets {
            number.shift_in(octet & 0x7F);
        }
        number
    }

    /// Multiplies by 128 and adds.
    fn shift_in(&mut self, bits: u8) {
        let mut carry = u64::from(bits);
        for limb in &mut self.0 {
            let value = u64::from(*limb) * 128 + carry;
            *limb = u32::try_from(value % LIMB).unwrap_or_default();
            carry = value / LIMB;
        }
        if carry > 0 {
            self.0.push(u32::try_from(carry).unwrap_or_default());
        }
    }

    /// Splits the first two arcs, which share a number (X.690 §8.19.4): what stays is the second.
    fn take_root(&mut self) -> &'static str {
        let small = if let [only] = self.0[..] { Some(only) } else { None };
        let (root, taken) = match small {
            Some(0..40) => ("0", 0),
            Some(40..80) => ("1", 40),
            _ => ("2", 80),
        };
        self.subtract(taken);
        root
    }

    fn subtract(&mut self, mut amount: u32) {
        for limb in &mut self.0 {
            if *limb >= amount {
                *limb -= amount;
                return;
            }
            *limb = *limb + 1_000_000_000 - amount;
            amount = 1;
        }
    }

    fn text(&self) -> String {
        let mut limbs = self.0.iter().rev().skip_while(|&&limb| limb == 0);
        let mut text = limbs.next().copied().unwrap_or_default().to_string();
        for limb in limbs {
            text.push_str(&format!("{limb:09}"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_texts() {
        for (octets, text) in [
            (&[0x55, 0x04, 0x03][..], "2.5.4.3"),
            (&[0x00], "0.0"),
            (&[0x27], "0.39"),
            (&[0x28], "1.0"),
            (&[0x4F], "1.39"),
            (&[0x50], "2.0"),
            (&[0x88, 0x37], "2.999"),
            (&[0x2B, 0x86, 0x8D, 0x1F], "1.3.99999"),
            (&[], ""),
            (&[0x80, 0x01], ""),
            (&[0x81], ""),
        ] {
            assert_eq!(dotted(octets), text, "{octets:02X?}");
        }
    }

    #[test]
    fn arcs_have_no_limit() {
        let mut octets = vec![0x2B];
        octets.extend([0xFF; 19]);
        octets.push(0x7F);
        // 2 to the power of 140, less one.
        assert_eq!(dotted(&octets), "1.3.1393796574908163946345982392040522594123775");
        assert_eq!(dotted(&[&[0x81][..], &[0x80; 583], &[0x00, 0x01]].concat()).len(), 1235);
        assert_eq!(dotted(&[0x01; 587]), "");
    }

    #[test]
    fn only_canonical_dotted_text_is_read() {
        for bad in ["", "1", "1.", ".1", "3.1", "1.40", "1.2.03", "1.2.-3", "1.2.+3", "1.2. 3", "CN", "2.5.4.3."] {
            assert_eq!(parse_dotted(bad), None, "{bad}");
        }
        assert_eq!(parse_dotted("2.5.4.3"), Some(vec![0x55, 0x04, 0x03]));
    }

    proptest! {
        #[test]
        fn text_and_octets_agree(second in 0..40_u128, rest in proptest::collection::vec(any::<u128>(), 0..6), root in 0..3_u8) {
            let mut text = format!("{root}.{second}");
            for arc in rest {
                text.push_str(&format!(".{arc}"));
            }
            prop_assert_eq!(dotted(&parse_dotted(&text).unwrap()), text);
        }
    }
}
