//! URL-escaped PEM: nginx `$ssl_client_escaped_cert`, Auth0 `client-certificate`.
//!
//! `%XX` is decoded once, in either case of the hex digits; `+` is a plus sign, as nginx, `encodeURIComponent` and AWS's load
//! balancer mean it. What comes out must be PEM certificates (RFC 7468) and nothing else: no text before, between or after.

use super::{Ders, pem};
use crate::refusal::{Refusal, Refused};

/// Decodes a header value to the DER of its certificates, the client's first.
///
/// # Errors
/// [`Refusal::CertificateHeaderEncoding`], [`Refusal::CertificateHeaderNotPem`] or [`Refusal::CertificateHeaderTooMany`].
pub fn decode(value: &[u8]) -> Result<Ders, Refused> {
    pem::decode(&unescape(value)?)
}

/// Copies the runs between escapes whole: a certificate has an escape about every 60 bytes.
pub(super) fn unescape(value: &[u8]) -> Result<Vec<u8>, Refused> {
    let bad = |why: String| Refused::new(Refusal::CertificateHeaderEncoding, why);
    let mut decoded = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = memchr::memchr(b'%', rest) {
        let (run, escape) = rest.split_at(at);
        copy_run(run, &mut decoded)?;
        let (Some(&high), Some(&low)) = (escape.get(1), escape.get(2)) else {
            return Err(bad("ends inside a percent escape".into()));
        };
        let (Some(high), Some(low)) = (hex_digit(high), hex_digit(low)) else {
            return Err(bad(format!("a bad percent escape at byte {}", value.len() - escape.len())));
        };
        decoded.push(high << 4 | low);
        rest = escape.get(3..).unwrap_or_default();
    }
    copy_run(rest, &mut decoded)?;
    Ok(decoded)
}

fn copy_run(run: &[u8], decoded: &mut Vec<u8>) -> Result<(), Refused> {
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(byte);
    if let Some(byte) = run.iter().find(|byte| !allowed(byte)) {
        let cause = format!("byte 0x{byte:02X} stands unescaped; the format is URL-escaped PEM");
        return Err(Refused::new(Refusal::CertificateHeaderEncoding, cause));
    }
    decoded.extend_from_slice(run);
    Ok(())
}

fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    const ONE: &str = "-----BEGIN%20CERTIFICATE-----%0AMAMCAQE%3D%0A-----END%20CERTIFICATE-----%0A";
    const DER: [u8; 5] = [0x30, 3, 2, 1, 1];

    #[test]
    fn the_forms_that_front_doors_send() {
        for value in [
            ONE,
            "-----BEGIN%20CERTIFICATE-----%0aMAMCAQE=%0a-----END%20CERTIFICATE-----",
            "-----BEGIN%20CERTIFICATE-----%0D%0AMAMC%0D%0AAQE%3d%0D%0A-----END%20CERTIFICATE-----%0D%0A",
            "%2D%2D%2D%2D%2DBEGIN%20CERTIFICATE-----%0AMAMCAQE%3D%0A-----END%20CERTIFICATE-----%0A",
        ] {
            assert_eq!(decode(value.as_bytes()).unwrap(), [DER.to_vec()], "{value}");
        }
        assert_eq!(decode(ONE.repeat(2).as_bytes()).unwrap().len(), 2);
        assert_eq!(decode(ONE.repeat(11).as_bytes()).unwrap().len(), 11);
    }

    #[test]
    fn plus_is_a_plus_sign() {
        let value = "-----BEGIN%20CERTIFICATE-----%0A++++%0A-----END%20CERTIFICATE-----%0A";
        assert_eq!(decode(value.as_bytes()).unwrap(), [vec![0xfb, 0xef, 0xbe]]);
        let form_encoded = "-----BEGIN+CERTIFICATE-----%0AMAMCAQE%3D%0A-----END+CERTIFICATE-----%0A";
        assert_eq!(decode(form_encoded.as_bytes()).unwrap_err().refusal, Refusal::CertificateHeaderNotPem);
    }

    #[test]
    fn everything_else_is_refused() {
        let encoding = Refusal::CertificateHeaderEncoding;
        let not_pem = Refusal::CertificateHeaderNotPem;
        let twice = ONE.replace('%', "%25");
        let raw = "-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----\n";
        let table = [
            (encoding, raw.to_owned()),
            (encoding, format!("{ONE}%")),
            (encoding, format!("{ONE}%0")),
            (encoding, format!("{ONE}%0g")),
            (encoding, format!("{ONE},{ONE}")),
            (encoding, ONE.replace("%0A", "\u{e9}")),
            (not_pem, twice),
            (not_pem, format!("%20{ONE}")),
            (not_pem, format!("{ONE}x")),
            (not_pem, format!("{ONE}%0A")),
            (not_pem, format!("{ONE}%00")),
            (not_pem, ONE.replace("MAMCAQE%3D", "MAMCAQE")),
            (not_pem, ONE.replace("MAMCAQE%3D", "MAMC%00AQE%3D")),
            (not_pem, ONE.replace("MAMCAQE%3D", "")),
            (not_pem, ONE.replace("MAMCAQE%3D", "MAMC%0A%0AAQE%3D")),
            (not_pem, ONE.replace("MAMCAQE%3D", "%0AMAMCAQE%3D")),
            (not_pem, ONE.replace("MAMCAQE%3D", "MAMCAQE%3D%0D%0A")),
            (not_pem, ONE.replace("MAMCAQE%3D", "MAMC%0DAQE%3D")),
            (not_pem, ONE.replace("%3D%0A", "%3D")),
            (not_pem, ONE.replace("END%20", "")),
            (not_pem, ONE.replace("CERTIFICATE", "TRUSTED%20CERTIFICATE")),
            (not_pem, ONE.get(..38).unwrap().to_owned()),
            (not_pem, "MAMCAQE%3D".to_owned()),
            (Refusal::CertificateHeaderTooMany, ONE.repeat(12)),
        ];
        for (expected, value) in table {
            assert_eq!(decode(value.as_bytes()).unwrap_err().refusal, expected, "{value}");
        }
    }

    proptest! {
        #[test]
        fn any_der_survives(der in prop::collection::vec(any::<u8>(), 1..600)) {
            let pem = format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", STANDARD.encode(&der));
            let escaped = percent_encoding::utf8_percent_encode(&pem, percent_encoding::NON_ALPHANUMERIC).to_string();
            prop_assert_eq!(decode(escaped.as_bytes()).unwrap(), [der]);
        }

        #[test]
        fn no_bytes_panic(value in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = decode(&value);
        }
    }
}
