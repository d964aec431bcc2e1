//! CNPJ: the number of a Brazilian company.
//!
//! Twelve characters and two check digits. Since July 2026 the twelve may hold capital letters (Instrução Normativa RFB
//! 2.229/2024): a character counts its ASCII code less 48, so digits count as ever. Each check digit is 11 less the weighted sum
//! modulo 11, or 0 where that is over 9; weights are 2 to 9 from the right, again and again.

/// Whether this is a CNPJ: 14 characters without punctuation, and right check digits.
pub(super) fn is_cnpj(text: &str) -> bool {
    let Some((base, digits)) = text.split_at_checked(12) else { return false };
    let known = |byte: u8| byte.is_ascii_digit() || byte.is_ascii_uppercase();
    if !base.bytes().all(known) || digits.len() != 2 || base.bytes().all(|byte| byte == b'0') {
        return false;
    }
    let first = check_digit(base.bytes());
    let second = check_digit(base.bytes().chain([first]));
    digits.bytes().eq([first, second])
}

fn check_digit(characters: impl DoubleEndedIterator<Item = u8>) -> u8 {
    let weights = (2..=9).cycle();
    let sum: u32 =
        characters.rev().zip(weights).map(|(character, weight)| u32::from(character.wrapping_sub(b'0')) * weight).sum();
    match sum % 11 {
        0 | 1 => b'0',
        rest => b'0' + u8::try_from(11 - rest).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_numbers() {
        // The Receita Federal's own example with letters; Banco do Brasil; two of public sandbox certificates.
        for good in ["12ABC34501DE35", "00000000000191", "43142666000197", "18236120000158"] {
            assert!(is_cnpj(good), "{good}");
        }
        for bad in [
            "",
            "260447503",
            "1335323600189",
            "43142666000198",
            "43142666000187",
            "12ABC34501DE36",
            "12abc34501de35",
            "12ABC34501DE3A",
            "43.142.666/0001-97",
            "00000000000000",
            "4314266600019７",
            "ééééééé",
        ] {
            assert!(!is_cnpj(bad), "{bad}");
        }
    }

    proptest! {
        /// One digit that differs changes a check digit: all weights and 11 have no common factor.
        #[test]
        fn one_wrong_digit_shows(base in "[0-9]{12}", at in 0_usize..12, other in 0_u8..10) {
            prop_assume!(base != "000000000000");
            let first = check_digit(base.bytes());
            let second = check_digit(base.bytes().chain([first]));
            let mut number = [base.as_bytes(), &[first, second]].concat();
            prop_assert!(is_cnpj(std::str::from_utf8(&number).unwrap()));
            let same = number[at] == b'0' + other;
            number[at] = b'0' + other;
            // Two remainders share the digit 0, so the first check digit alone may stay as it is.
            let still = is_cnpj(std::str::from_utf8(&number).unwrap());
            prop_assert!(same || !still || first == b'0' || second == b'0');
        }

        #[test]
        fn any_text_is_no_panic(text in any::<String>()) {
            let _ = is_cnpj(&text);
        }
    }
}
