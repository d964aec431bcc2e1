//! UTCTime and GeneralizedTime, read and printed as OpenSSL 3.0 does it.
//!
//! RFC 5280 §4.1.2.5 asks for `YYMMDDHHMMSSZ` until 2049 and `YYYYMMDDHHMMSSZ` from 2050. OpenSSL's certificate parser takes any
//! octets there, its printer takes more than RFC 5280 (no seconds, fractions, offsets), and its verifier takes only the strict
//! form. nginx shows what the printer says; so all of this must be printable, and [`Asn1Time::is_rfc5280`] tells what is
//! in order.

use crate::clock::UnixTime;

use super::der::{Tlv, tag};

/// Which of the two types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Utc,
    Generalized,
}

impl Kind {
    fn of(tag: u8) -> Option<Self> {
        match tag {
            tag::UTC_TIME => Some(Self::Utc),
            tag::GENERALIZED_TIME => Some(Self::Generalized),
            _ => None,
        }
    }

    fn is_rfc5280(self, octets: &[u8]) -> bool {
        let length = match self {
            Self::Utc => 13,
            Self::Generalized => 15,
        };
        octets.len() == length && octets.last() == Some(&b'Z')
    }
}

/// The instant of a time in the form of RFC 5280 §4.1.2.5, and nothing for any other. Keeps nothing: a list of revoked
/// certificates has half a million of them.
pub(super) fn rfc5280_time(value: Tlv<'_>) -> Option<UnixTime> {
    let kind = Kind::of(value.tag).filter(|kind| kind.is_rfc5280(value.content))?;
    read(kind, value.content).map(Moment::to_unix)
}

/// A time as the certificate has it, read or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asn1Time {
    kind: Kind,
    octets: Box<[u8]>,
    moment: Option<Moment>,
}

impl Asn1Time {
    /// Takes a UTCTime or GeneralizedTime of any content; any other type is `None`.
    pub fn from_tlv(value: Tlv<'_>) -> Option<Self> {
        let kind = Kind::of(value.tag)?;
        Some(Self { kind, octets: value.content.into(), moment: read(kind, value.content) })
    }

    /// The instant of a text that is the content of a time in the form of RFC 5280 §4.1.2.5: `260101000000Z`.
    pub fn from_rfc5280_text(text: &str) -> Option<UnixTime> {
        let fits = [Kind::Utc, Kind::Generalized].into_iter().find(|kind| kind.is_rfc5280(text.as_bytes()))?;
        read(fits, text.as_bytes()).map(Moment::to_unix)
    }

    /// The text of `ASN1_TIME_print`: `Jan  1 00:00:00 2025 GMT`, or `Bad time value`.
    pub fn text(&self) -> String {
        let Some(moment) = self.moment else { return "Bad time value".into() };
        let month = MONTHS.get(usize::from(moment.month).wrapping_sub(1)).copied().unwrap_or_default();
        let Moment { year, day, hour, minute, second, .. } = moment;
        format!("{month} {day:2} {hour:02}:{minute:02}:{second:02}{} {year} GMT", self.fraction())
    }

    /// Seconds since 1970, without the fraction. `None` for what prints as `Bad time value`.
    pub fn to_unix(&self) -> Option<UnixTime> {
        self.moment.map(Moment::to_unix)
    }

    /// Whether the form is the one of RFC 5280 §4.1.2.5: seconds, `Z`, no fraction. Anything else fails OpenSSL's path
    /// validation with `format error in certificate's notAfter field`.
    pub fn is_rfc5280(&self) -> bool {
        self.moment.is_some() && self.kind.is_rfc5280(&self.octets)
    }

    /// Whole days from `now` until this time as nginx's `$ssl_client_v_remain` has them.
    ///
    /// nginx prints the time and reads it back with its reader of HTTP dates. So a fraction, or a year that is not four digits,
    /// gives nothing; and the second before 1970 is that reader's error value.
    pub fn days_remaining(&self, now: UnixTime) -> String {
        const DAY: i64 = 86_400;
        let readable = self.moment.filter(|moment| (1000..=9999).contains(&moment.year) && self.fraction().is_empty());
        match readable.map(Moment::to_unix) {
            None | Some(UnixTime(-1)) => String::new(),
            Some(end) if end < now.plus(DAY) => "0".into(),
            Some(end) => (end.0.saturating_sub(now.0) / DAY).to_string(),
        }
    }

    /// The point and digits that are printed after the seconds.
    fn fraction(&self) -> &str {
        let Kind::Generalized = self.kind else { return "" };
        match self.octets.split_at_checked(14) {
            Some((_, [b'.', digits @ ..])) => {
                let count = digits.iter().take_while(|octet| octet.is_ascii_digit()).count();
                self.octets.get(14..=14 + count).and_then(|octets| std::str::from_utf8(octets).ok()).unwrap_or_default()
            }
            _ => "",
        }
    }
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A civil time in GMT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Moment {
    year: i64,
    month: u8,
    day: u8,
    hour: u8,
    minute: u8,
    second: u8,
}

impl Moment {
    fn to_unix(self) -> UnixTime {
        let days = days_from_civil(self.year, i64::from(self.month), i64::from(self.day));
        UnixTime(days * 86_400 + i64::from(self.hour) * 3600 + i64::from(self.minute) * 60 + i64::from(self.second))
    }

    fn from_unix(UnixTime(seconds): UnixTime) -> Self {
        let (year, month, day) = civil_from_days(seconds.div_euclid(86_400));
        let within = seconds.rem_euclid(86_400);
        let small = |number: i64| u8::try_from(number).unwrap_or_default();
        let (hour, minute, second) = (small(within / 3600), small(within / 60 % 60), small(within % 60));
        Self { year, month: small(month), day: small(day), hour, minute, second }
    }
}

/// Reads the octets by the rules of OpenSSL's `ossl_asn1_time_to_tm`, without its strict mode.
fn read(kind: Kind, octets: &[u8]) -> Option<Moment> {
    let least = match kind {
        Kind::Utc => 11,
        Kind::Generalized => 13,
    };
    if octets.len() < least {
        return None;
    }
    let mut cursor = Cursor(octets);
    let year = match kind {
        Kind::Utc => match cursor.number(0..=99)? {
            short @ 0..50 => 2000 + i64::from(short),
            short => 1900 + i64::from(short),
        },
        Kind::Generalized => i64::from(cursor.number(0..=99)?) * 100 + i64::from(cursor.number(0..=99)?),
    };
    let month = cursor.number(1..=12)?;
    let day = cursor.number(1..=days_in_month(year, month))?;
    let (hour, minute) = (cursor.number(0..=23)?, cursor.number(0..=59)?);
    let second = if cursor.at_zone() { 0 } else { cursor.number(0..=59)? };
    if kind == Kind::Generalized {
        cursor.skip_fraction()?;
    }
    let offset = cursor.zone()?;
    let moment = Moment { year, month, day, hour, minute, second };
    if offset == 0 { Some(moment) } else { shifted(moment, offset) }
}

/// Takes an offset off. OpenSSL's `OPENSSL_gmtime_adj` gives up outside the years 1900 to 9999.
fn shifted(moment: Moment, offset: i64) -> Option<Moment> {
    let shifted = Moment::from_unix(moment.to_unix().plus(-offset));
    (1900..=9999).contains(&shifted.year).then_some(shifted)
}

struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    /// Two digits in a range.
    fn number(&mut self, range: std::ops::RangeInclusive<u8>) -> Option<u8> {
        let (&[tens, ones], rest) = self.0.split_first_chunk()?;
        if !tens.is_ascii_digit() || !ones.is_ascii_digit() {
            return None;
        }
        self.0 = rest;
        Some((tens - b'0') * 10 + (ones - b'0')).filter(|number| range.contains(number))
    }

    fn at_zone(&self) -> bool {
        matches!(self.0.first(), Some(b'Z' | b'+' | b'-'))
    }

    /// A point and at least one digit, or nothing.
    fn skip_fraction(&mut self) -> Option<()> {
        if let [b'.', rest @ ..] = self.0 {
            let count = rest.iter().take_while(|octet| octet.is_ascii_digit()).count();
            self.0 = rest.get(count..).filter(|_| count > 0)?;
        }
        Some(())
    }

    /// `Z`, `+hhmm` or `-hhmm`, and the end: the seconds that local time is ahead. Hours go up to 12.
    fn zone(&mut self) -> Option<i64> {
        let sign = match self.0.split_first()? {
            (b'Z', []) => return Some(0),
            (b'+', rest) => (1, rest),
            (b'-', rest) => (-1, rest),
            _ => return None,
        };
        self.0 = sign.1;
        let seconds = i64::from(self.number(0..=12)?) * 3600 + i64::from(self.number(0..=59)?) * 60;
        self.0.is_empty().then_some(sign.0 * seconds)
    }
}

fn days_in_month(year: i64, month: u8) -> u8 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 in the proleptic Gregorian calendar. Years begin in March, so that the leap day comes last.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The inverse of [`days_from_civil`]: year, month, day.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * of_year + 2) / 153;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, of_year - (153 * march_month + 2) / 5 + 1)
}

#[cfg(test)]
mod tests;
