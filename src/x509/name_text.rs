//! Whether a text is one that [`Name::rfc2253`](super::name::Name::rfc2253) can have printed.
//!
//! Names in a configuration are compared with that text, byte for byte. It is the only spelling of a name (but for the string
//! type of its values); this tells an operator of any other spelling, which would never be equal to anything.

use super::{object_names, oid};

/// Whether the text is a name as we print it; the empty name is not asked for by anybody.
pub fn is_rfc2253_text(text: &str) -> bool {
    attributes(text).is_some_and(|attributes| attributes.iter().all(|attribute| is_attribute(attribute)))
}

/// Splits at `,` and `+` that no backslash stands before; none if a backslash stands before nothing.
fn attributes(text: &str) -> Option<Vec<&str>> {
    let (mut attributes, mut start, mut escaped) = (Vec::new(), 0, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b',' | b'+' => {
                attributes.push(text.get(start..at)?);
                start = at + 1;
            }
            _ => {}
        }
    }
    attributes.push(text.get(start..)?);
    (!escaped).then_some(attributes)
}

fn is_attribute(text: &str) -> bool {
    let Some((kind, value)) = text.split_once('=') else { return false };
    if object_names::oid_of(kind).is_some() {
        return is_hexadecimal(value) || is_escaped(value);
    }
    // A type that has a name is printed by it; of one that has none, the value is not interpreted.
    oid::parse_dotted(kind).is_some_and(|id| object_names::short_name(&id).is_none()) && is_hexadecimal(value)
}

/// `#` and the DER of a value.
fn is_hexadecimal(value: &str) -> bool {
    let digit = |byte: u8| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte);
    value.strip_prefix('#').is_some_and(|digits| digits.len() >= 4 && digits.len() % 2 == 0 && digits.bytes().all(digit))
}

fn is_escaped(value: &str) -> bool {
    let (mut bytes, mut first) = (value.bytes().peekable(), true);
    while let Some(byte) = bytes.next() {
        let last = bytes.peek().is_none();
        let fits = match byte {
            b'\\' => match bytes.next() {
                Some(b',' | b'+' | b'"' | b'\\' | b'<' | b'>' | b';') => true,
                Some(b'#') => first,
                Some(b' ') => first || bytes.peek().is_none(),
                Some(high) => is_octet(high, bytes.next()),
                None => false,
            },
            b',' | b'+' | b'"' | b'<' | b'>' | b';' => false,
            b' ' => !first && !last,
            b'#' => !first || last,
            byte => (0x20..=0x7E).contains(&byte),
        };
        if !fits {
            return false;
        }
        first = false;
    }
    true
}

/// Two upper-case hexadecimal digits of an octet that is not printed as itself.
fn is_octet(high: u8, low: Option<u8>) -> bool {
    let digits = [high, low.unwrap_or_default()];
    let upper = digits.iter().all(|byte| byte.is_ascii_digit() || (b'A'..=b'F').contains(byte));
    let value = std::str::from_utf8(&digits).ok().and_then(|text| u8::from_str_radix(text, 16).ok());
    upper && value.is_some_and(|octet| !(0x20..=0x7E).contains(&octet))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x509::der::{encode, tag};
    use crate::x509::name::Name;
    use proptest::prelude::*;

    #[test]
    fn other_spellings() {
        for good in
            ["CN=a", "CN=a,O=b", "CN=a+O=b", "CN=\\#a", "CN=#", "CN=\\C3\\A9", "CN=a b", "1.2.3.4=#0C0161", "CN=", "O=x=/y"]
        {
            assert!(is_rfc2253_text(good), "{good}");
        }
        for bad in [
            "",
            "CN",
            "CN=a,",
            ",CN=a",
            "cn=a",
            "CN=a, O=b",
            "CN=a ,O=b",
            "CN = a",
            "CN= a",
            "CN=a\\",
            "CN=é",
            "CN=\\c3\\a9",
            "CN=\\61",
            "CN=#0c",
            "CN=#0",
            "CN=a\"",
            "2.5.4.3=#0C0161",
            "1.2.3.4=a",
            "OID.1.2.3.4=#0C0161",
            "/CN=a",
            "CN=a;O=b",
            "CN=a\\#",
        ] {
            assert!(!is_rfc2253_text(bad), "{bad}");
        }
    }

    proptest! {
        /// Whatever we print is taken.
        #[test]
        fn what_is_printed_is_taken(
            rdns in proptest::collection::vec((0_usize..4, any::<String>()), 1..5),
        ) {
            let types: [&[u8]; 4] = [&[0x55, 0x04, 0x03], &[0x55, 0x04, 0x61], &[0x2A, 0x03, 0x04], &[0x55, 0x04, 0x0A]];
            let rdn = |(kind, value): &(usize, String)| {
                let pair = [encode(tag::OID, types[*kind]), encode(tag::UTF8_STRING, value.as_bytes())].concat();
                encode(tag::SET, &encode(tag::SEQUENCE, &pair))
            };
            let der = encode(tag::SEQUENCE, &rdns.iter().flat_map(rdn).collect::<Vec<u8>>());
            let text = Name::from_der(&der).unwrap().rfc2253();
            prop_assert!(is_rfc2253_text(&text), "{}", text);
        }
    }
}
