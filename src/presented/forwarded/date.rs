//! Forwarded dates of a certificate's validity.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::clock::UnixTime;
use crate::x509::asn1_time::Asn1Time;

/// Whether the text is this date: as OpenSSL prints it, as it stands in the certificate, RFC 3339, or seconds since 1970.
pub(super) fn agrees(date: &Asn1Time, forwarded: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(forwarded) else { return false };
    let printed = date.text();
    // HTTP keeps the space before a single digit; some programs do not.
    if text.split_ascii_whitespace().eq(printed.split_ascii_whitespace()) {
        return true;
    }
    let moment = instant(text);
    moment.is_some() && moment == date.to_unix()
}

fn instant(text: &str) -> Option<UnixTime> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok().map(UnixTime);
    }
    Asn1Time::from_rfc5280_text(text)
        .or_else(|| OffsetDateTime::parse(text, &Rfc3339).ok().map(|moment| UnixTime(moment.unix_timestamp())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts() {
        let second = Some(UnixTime(1_767_225_600));
        for text in ["1767225600", "260101000000Z", "20260101000000Z", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000Z"] {
            assert_eq!(instant(text), second, "{text}");
        }
        assert_eq!(instant("2026-01-01T01:00:00+01:00"), second);
        for text in ["", "260101000000", "2601010000Z", "2026-01-01", "2026-01-01T00:00:00", "20260101000000.5Z", "x"] {
            assert_ne!(instant(text), second, "{text}");
        }
    }
}
