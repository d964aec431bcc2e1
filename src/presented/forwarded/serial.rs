//! Forwarded serial numbers.

use crate::front_door::SerialDialect;
use crate::x509::serial::SerialNumber;

/// The most octets of a serial number that is compared; RFC 5280 §4.1.2.2 allows 20.
const MOST_OCTETS: usize = 64;

/// Whether the text is this number. Leading zeros and the case of digits do not matter.
pub(super) fn agrees(serial: &SerialNumber, forwarded: &[u8], dialect: SerialDialect) -> bool {
    let Ok(text) = std::str::from_utf8(forwarded) else { return false };
    if serial.octets().len() > MOST_OCTETS {
        return false;
    }
    match dialect {
        SerialDialect::Decimal => serial.decimal() == text,
        SerialDialect::Hexadecimal => {
            let ours = serial.text().replace("\\\n", "");
            let theirs: String = text.chars().filter(|c| *c != ':').collect();
            !theirs.is_empty() && significant(&ours) == significant(&theirs.to_ascii_uppercase())
        }
    }
}

/// The sign, and the digits from the first that is not 0.
fn significant(text: &str) -> (bool, &str) {
    let digits = text.strip_prefix('-');
    (digits.is_some(), digits.unwrap_or(text).trim_start_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts() {
        let serial = |octets: &[u8]| SerialNumber::from_content(octets).unwrap();
        let hexadecimal = SerialDialect::Hexadecimal;
        for text in ["F1E2D3C4B5A69788", "f1e2d3c4b5a69788", "00F1E2D3C4B5A69788", "F1:E2:D3:C4:B5:A6:97:88"] {
            assert!(
                agrees(&serial(&[0, 0xF1, 0xE2, 0xD3, 0xC4, 0xB5, 0xA6, 0x97, 0x88]), text.as_bytes(), hexadecimal),
                "{text}"
            );
        }
        let number = serial(&[0, 0xF1, 0xE2, 0xD3, 0xC4, 0xB5, 0xA6, 0x97, 0x88]);
        assert!(agrees(&number, b"17429726349691885448", SerialDialect::Decimal));
        for text in ["", "0", "-F1E2D3C4B5A69788", "F1E2D3C4B5A6978", "0xF1E2D3C4B5A69788", "17429726349691885448", "\u{fc}"] {
            assert!(!agrees(&number, text.as_bytes(), hexadecimal), "{text}");
        }
        for text in ["", "F1E2D3C4B5A69788", "+17429726349691885448", "017429726349691885448", "1742972634969188544"] {
            assert!(!agrees(&number, text.as_bytes(), SerialDialect::Decimal), "{text}");
        }
        assert!(agrees(&serial(&[0]), b"00", hexadecimal));
        assert!(agrees(&serial(&[0xFF]), b"-01", hexadecimal));
        assert!(!agrees(&serial(&[0x11; 65]), "11".repeat(65).as_bytes(), hexadecimal));
    }
}
