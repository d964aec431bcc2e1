//! Dates as criteria write them.

use time::format_description::well_known::Rfc3339;
use time::{Date, Month, OffsetDateTime, Time, UtcOffset};

use crate::clock::UnixTime;

const MONTHS: [(&str, Month); 12] = [
    ("Jan", Month::January),
    ("Feb", Month::February),
    ("Mar", Month::March),
    ("Apr", Month::April),
    ("May", Month::May),
    ("Jun", Month::June),
    ("Jul", Month::July),
    ("Aug", Month::August),
    ("Sep", Month::September),
    ("Oct", Month::October),
    ("Nov", Month::November),
    ("Dec", Month::December),
];
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// Reads `2026-01-15T12:00:00Z` (RFC 3339), nginx's `Jan 15 12:00:00 2026 GMT` or Azion's `20260115120000`.
pub(super) fn parse(text: &str) -> Option<UnixTime> {
    if let Ok(time) = OffsetDateTime::parse(text, &Rfc3339) {
        return Some(UnixTime(time.unix_timestamp()));
    }
    if let Some(time) = compact(text) {
        return Some(time);
    }
    let mut words = text.split_ascii_whitespace();
    let (month, day, clock, year) = (words.next()?, words.next()?, words.next()?, words.next()?);
    if words.next() != Some("GMT") || words.next().is_some() {
        return None;
    }
    let (_, month) = MONTHS.iter().find(|(name, _)| *name == month)?;
    let date = Date::from_calendar_date(year.parse().ok()?, *month, day.parse().ok()?).ok()?;
    // A certificate's date may have a fraction (RFC 5280 forbids it, X.690 does not).
    let clock = clock.split('.').next()?;
    let mut parts = clock.split(':').map(str::parse::<u8>);
    let (hour, minute, second) = (parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?);
    if parts.next().is_some() {
        return None;
    }
    let time = Time::from_hms(hour, minute, second).ok()?;
    Some(UnixTime(OffsetDateTime::new_in_offset(date, time, UtcOffset::UTC).unix_timestamp()))
}

fn compact(text: &str) -> Option<UnixTime> {
    if text.len() != 14 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = |from, to| text.get(from..to)?.parse::<u8>().ok();
    let month = Month::try_from(number(4, 6)?).ok()?;
    let date = Date::from_calendar_date(text.get(..4)?.parse().ok()?, month, number(6, 8)?).ok()?;
    let time = Time::from_hms(number(8, 10)?, number(10, 12)?, number(12, 14)?).ok()?;
    Some(UnixTime(OffsetDateTime::new_in_offset(date, time, UtcOffset::UTC).unix_timestamp()))
}

/// The date of `Expires` in a cookie (RFC 9110 §5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`. Empty for a time beyond all dates.
pub(super) fn http_date(UnixTime(seconds): UnixTime) -> String {
    let Ok(time) = OffsetDateTime::from_unix_timestamp(seconds) else { return String::new() };
    let day = DAYS.get(usize::from(time.weekday().number_days_from_monday())).copied().unwrap_or_default();
    let month = MONTHS.iter().find(|(_, month)| *month == time.month()).map_or("", |(name, _)| *name);
    format!(
        "{day}, {:02} {month} {:04} {:02}:{:02}:{:02} GMT",
        time.day(),
        time.year(),
        time.hour(),
        time.minute(),
        time.second()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_and_no_other() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1970-01-01T01:00:00+01:00", 0),
            ("Jan  1 00:00:00 1970 GMT", 0),
            ("Jan 15 12:00:00 2026 GMT", 1_768_478_400),
            ("Dec 31 23:59:59.5 9999 GMT", 253_402_300_799),
        ] {
            assert_eq!(parse(text), Some(UnixTime(seconds)), "{text}");
        }
        for bad in
            ["", "Bad time value", "2026-01-15", "Jan 32 00:00:00 2026 GMT", "Jan 15 12:00 2026 GMT", "Foo 1 0:0:0 1 GMT"]
        {
            assert_eq!(parse(bad), None, "{bad}");
        }
        assert_eq!(http_date(UnixTime(784_111_777)), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(http_date(UnixTime(i64::MAX)), "");
    }
}
