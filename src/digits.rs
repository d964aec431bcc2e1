//! Numbers and addresses as text. `write!` takes several times as long, and a request has a dozen of them in its lines.

use std::fmt::Write as _;
use std::net::IpAddr;

/// As decimal digits, at least so many.
pub fn push_digits(out: &mut String, mut value: u64, at_least: usize) {
    let mut digits = [b'0'; 20];
    let mut used = 0;
    for digit in digits.iter_mut().rev() {
        if value == 0 && used >= at_least {
            break;
        }
        *digit += u8::try_from(value % 10).unwrap_or_default();
        value /= 10;
        used += 1;
    }
    let digits = digits.get(digits.len() - used..).unwrap_or_default();
    out.push_str(std::str::from_utf8(digits).unwrap_or_default());
}

/// An address as `Display` writes it.
pub fn push_address(out: &mut String, address: IpAddr) {
    match address {
        IpAddr::V4(address) => {
            for (at, octet) in address.octets().into_iter().enumerate() {
                if at > 0 {
                    out.push('.');
                }
                push_digits(out, octet.into(), 1);
            }
        }
        IpAddr::V6(address) => {
            // Writing to a String cannot fail.
            let _ = write!(out, "{address}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn digits_are_those_of_display(value: u64, at_least in 1_usize..20) {
            let mut out = String::new();
            push_digits(&mut out, value, at_least);
            prop_assert_eq!(out, format!("{value:0at_least$}"));
        }

        #[test]
        fn addresses_are_those_of_display(address: IpAddr) {
            let mut out = String::new();
            push_address(&mut out, address);
            prop_assert_eq!(out, address.to_string());
        }
    }
}
