//! When a list is fetched again.

use std::time::Duration;

use crate::clock::UnixTime;

/// However far away nextUpdate is: CAs issue lists before they are due, above all when something was revoked.
const LONGEST: i64 = 12 * 60 * 60;

/// The instant from which a newer list is looked for: at four fifths of its life, and not later than [`LONGEST`] after it was
/// fetched.
pub(super) fn due(this_update: UnixTime, next_update: UnixTime, fetched: UnixTime) -> UnixTime {
    let life = next_update.0.saturating_sub(this_update.0).max(0);
    let four_fifths = this_update.plus(life / 5 * 4 + life % 5 * 4 / 5);
    four_fifths.min(fetched.plus(LONGEST))
}

/// How long nothing is fetched after an attempt that brought nothing new: a tenth of what is left of the list's life.
pub(super) fn pause(next_update: Option<UnixTime>, now: UnixTime, least: Duration) -> Duration {
    let left = next_update.map_or(0, |next| next.0.saturating_sub(now.0)).clamp(0, LONGEST);
    least.max(Duration::from_secs(left.unsigned_abs() / 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_four_fifths_or_after_half_a_day() {
        const HOUR: i64 = 3_600;
        for (this, next, fetched, wanted) in [
            (0, 1_000, 0, 800),
            (0, 1_000, 900, 800),
            (0, 7, 0, 5),
            (0, 24 * HOUR, 0, 12 * HOUR),
            (0, 24 * HOUR, 10 * HOUR, 24 * HOUR / 5 * 4),
            (0, 365 * 24 * HOUR, 100, 12 * HOUR + 100),
            (10, 10, 10, 10),
            (10, 5, 10, 10),
        ] {
            assert_eq!(due(UnixTime(this), UnixTime(next), UnixTime(fetched)), UnixTime(wanted), "{this} {next} {fetched}");
        }
    }

    #[test]
    fn pauses_shrink_with_what_is_left() {
        let least = Duration::from_secs(60);
        for (next, wanted) in [(None, 60), (Some(-5), 60), (Some(100), 60), (Some(1_000), 100), (Some(i64::MAX), 4_320)] {
            assert_eq!(pause(next.map(UnixTime), UnixTime(0), least), Duration::from_secs(wanted), "{next:?}");
        }
    }
}
