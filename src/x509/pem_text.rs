//! The three texts of a certificate that nginx has, all made of its PEM (RFC 7468).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// `$ssl_client_raw_cert`: PEM with lines of 64 characters, each one ended by a line feed.
pub fn raw(der: &[u8]) -> String {
    const COLUMNS: usize = 64;
    let encoded = STANDARD.encode(der);
    let mut pem = String::with_capacity(encoded.len() + encoded.len() / COLUMNS + 64);
    pem.push_str("-----BEGIN CERTIFICATE-----\n");
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at_checked(COLUMNS).unwrap_or((rest, ""));
        pem.push_str(line);
        pem.push('\n');
        rest = after;
    }
    pem.push_str("-----END CERTIFICATE-----\n");
    pem
}

/// `$ssl_client_cert`, deprecated in nginx: the last line feed is dropped, and a tab follows every other one.
pub fn folded(der: &[u8]) -> String {
    raw(der).trim_end_matches('\n').replace('\n', "\n\t")
}

/// `$ssl_client_escaped_cert`: everything percent-encoded but the unreserved characters of RFC 3986 §2.3.
pub fn escaped(der: &[u8]) -> String {
    const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    utf8_percent_encode(&raw(der), ESCAPED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_texts_of_two_lines() {
        let der = [0xFB; 50];
        let long = "+/v7".repeat(16);
        assert_eq!(raw(&der), format!("-----BEGIN CERTIFICATE-----\n{long}\n+/s=\n-----END CERTIFICATE-----\n"));
        assert_eq!(folded(&der), format!("-----BEGIN CERTIFICATE-----\n\t{long}\n\t+/s=\n\t-----END CERTIFICATE-----"));
        let long = "%2B%2Fv7".repeat(16);
        assert_eq!(
            escaped(&der),
            format!("-----BEGIN%20CERTIFICATE-----%0A{long}%0A%2B%2Fs%3D%0A-----END%20CERTIFICATE-----%0A")
        );
    }

    #[test]
    fn a_whole_last_line_has_no_empty_line_after_it() {
        assert_eq!(raw(&[0; 48]).lines().count(), 3);
        assert_eq!(raw(&[0; 49]).lines().count(), 4);
    }
}
