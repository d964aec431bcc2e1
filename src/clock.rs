//! Time as a value. Only surfaces (`proxy`, `authorize`, `cli`) read the clock, once per request; everything below is handed
//! an [`Instant`](UnixTime).

use std::time::{SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Seconds.
const DAY: i64 = 86_400;

/// Seconds since 1970-01-01T00:00:00Z. Negative before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(pub i64);

impl UnixTime {
    /// Reads the machine's clock.
    pub fn now() -> Self {
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => Self(i64::try_from(since.as_secs()).unwrap_or(i64::MAX)),
            Err(before) => Self(-i64::try_from(before.duration().as_secs()).unwrap_or(i64::MAX)),
        }
    }

    /// As RFC 3339 writes it, in UTC: `2026-01-31T12:00:00Z`. Empty outside the years 0 to 9999.
    pub fn rfc3339(self) -> String {
        let date = OffsetDateTime::from_unix_timestamp(self.0).ok();
        date.filter(|date| date.year() >= 0).and_then(|date| date.format(&Rfc3339).ok()).unwrap_or_default()
    }

    /// Reads an instant of RFC 3339. Fractions of a second are left out.
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        OffsetDateTime::parse(text, &Rfc3339).ok().map(|date| Self(date.unix_timestamp()))
    }

    /// Whole days from `now` until this time; negative when it has passed.
    pub fn days_after(self, now: Self) -> i64 {
        self.0.saturating_sub(now.0).div_euclid(DAY)
    }

    /// The number of the day, counted from 1970-01-01 in UTC.
    pub fn day(self) -> i64 {
        self.0.div_euclid(DAY)
    }

    /// This time plus a number of seconds, saturating.
    pub fn plus(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_texts() {
        let noon = UnixTime(1_768_478_400);
        assert_eq!(noon.rfc3339(), "2026-01-15T12:00:00Z");
        for beyond in [i64::MIN, -99_999_999_999, 253_402_300_800, i64::MAX] {
            assert_eq!(UnixTime(beyond).rfc3339(), "", "{beyond}");
        }
        for (seconds, days) in [(0, 0), (86_399, 0), (86_400, 1), (-1, -1), (-86_401, -2)] {
            assert_eq!(noon.plus(seconds).days_after(noon), days, "{seconds}");
        }
        assert_eq!((UnixTime(-1).day(), UnixTime(86_400).day()), (-1, 1));
        assert_eq!(UnixTime(i64::MAX).days_after(UnixTime(i64::MIN)), i64::MAX / DAY);
    }
}
