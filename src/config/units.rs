//! Durations and sizes with their units: `"30s"`, `"8KiB"`.

use std::time::Duration;

/// What a duration may look like.
pub(super) const DURATION: &str = "a number with ms, s, m, h or d, like \"30s\"";
/// What a size may look like.
pub(super) const SIZE: &str = "a number with B, KiB or MiB, like \"16KiB\"";

/// Reads a duration: a number with a unit.
pub fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = split(text)?;
    match unit {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" => number.checked_mul(60).map(Duration::from_secs),
        "h" => number.checked_mul(3_600).map(Duration::from_secs),
        "d" => number.checked_mul(86_400).map(Duration::from_secs),
        _ => None,
    }
}

pub(super) fn size(text: &str) -> Option<usize> {
    let (number, unit) = split(text)?;
    let factor: u64 = match unit {
        "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    number.checked_mul(factor).and_then(|bytes| usize::try_from(bytes).ok())
}

fn split(text: &str) -> Option<(u64, &str)> {
    let unit_at = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(unit_at);
    Some((number.parse().ok()?, unit.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_sizes() {
        assert_eq!(duration("250ms"), Some(Duration::from_millis(250)));
        assert_eq!(duration("2 m"), Some(Duration::from_secs(120)));
        assert_eq!(size("16KiB"), Some(16_384));
        assert_eq!(size("1 GiB"), Some(1 << 30));
        assert_eq!(duration("30d"), Some(Duration::from_secs(2_592_000)));
        for bad in
            ["", "5", "s", "-1s", "1.5s", "5 S", "99999999999999999999s", "18446744073709551615h", "18446744073709551615d"]
        {
            assert_eq!(duration(bad), None, "{bad}");
        }
        for bad in ["", "5", "5K", "5KB", "-1B", "18446744073709551615GiB"] {
            assert_eq!(size(bad), None, "{bad}");
        }
    }
}
