//! URL-escaped PEM: nginx `$ssl_client_escaped_cert`, Auth0 `client-certificate`.
//!
//! `%XX` is decoded once, in either case of the hex digits; `+` is a plus sign, as nginx, `encodeURIComponent` and AWS's load
//! balancer mean it. What comes out must be PEM certificates (RFC 7468) and nothing else: no text before, between or after.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::refusal::{Refusal, Refused};

/// The most certificates beside the client's own.
pub const MAX_CHAIN: usize = 10;

const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
const END: &[u8] = b"-----END CERTIFICATE-----";

/// Decodes a header value to the DER of its certificates, the client's first.
///
/// # Errors
/// [`Refusal::CertificateHeaderEncoding`], [`Refusal::CertificateHeaderNotPem`] or [`Refusal::CertificateHeaderTooMany`].
pub fn decode(value: &[u8]) -> Result<Vec<Vec<u8>>, Refused> {
    let pem = unescape(value)?;
    let mut rest = pem.as_slice();
    let mut certificates = Vec::with_capacity(1);
    while !rest.is_empty() {
        let (der, after) = block(rest).map_err(|why| not_pem(certificates.len(), why))?;
        if certificates.len() > MAX_CHAIN {
            let cause = format!("more than {} certificates", MAX_CHAIN + 1);
            return Err(Refused::new(Refusal::CertificateHeaderTooMany, cause));
        }
        certificates.push(der);
        rest = after;
    }
    Ok(certificates)
}

fn not_pem(position: usize, why: &str) -> Refused {
    Refused::new(Refusal::CertificateHeaderNotPem, format!("certificate {} of the header: {why}", position + 1))
}

/// Copies the runs between escapes whole: a certificate has an escape about every 60 bytes.
fn unescape(value: &[u8]) -> Result<Vec<u8>, Refused> {
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

/// One PEM block at the very start of the text, and what follows it and its line end.
fn block(text: &[u8]) -> Result<(Vec<u8>, &[u8]), &'static str> {
    let body = text.strip_prefix(BEGIN).ok_or("does not start with `-----BEGIN CERTIFICATE-----`")?;
    let body = line_end(body).ok_or("the first line does not end after the dashes")?;
    let end = memchr::memchr(b'-', body).ok_or("has no `-----END CERTIFICATE-----`")?;
    let (base64, rest) = body.split_at(end);
    let rest = rest.strip_prefix(END).ok_or("has no `-----END CERTIFICATE-----`")?;
    let after = if rest.is_empty() { rest } else { line_end(rest).ok_or("something follows the last dashes")? };
    let der = STANDARD.decode(unfold(base64)?).map_err(|_| "the body is not base64")?;
    Ok((der, after))
}

/// Takes the line ends out. An empty line is none of RFC 7468: to other readers it ends headers, and what stands before it is
/// no part of the certificate (RFC 1421 §4.4).
fn unfold(body: &[u8]) -> Result<Vec<u8>, &'static str> {
    let lines = body.strip_suffix(b"\n").ok_or("the last line does not end before the dashes")?;
    let mut unfolded = Vec::with_capacity(lines.len());
    for line in lines.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            return Err("the body is empty or has an empty line");
        }
        unfolded.extend_from_slice(line);
    }
    Ok(unfolded)
}

fn line_end(text: &[u8]) -> Option<&[u8]> {
    text.strip_prefix(b"\n").or_else(|| text.strip_prefix(b"\r\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
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
