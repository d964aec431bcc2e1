//! ASN.1 times as seconds since 1970.

use openssl::asn1::{Asn1Time, Asn1TimeRef};

use crate::clock::UnixTime;

/// The instant, or none when OpenSSL cannot read the time.
pub(crate) fn unix_time(time: &Asn1TimeRef) -> Option<UnixTime> {
    let since = Asn1Time::from_unix(0).ok()?.diff(time).ok()?;
    Some(UnixTime(i64::from(since.days) * 86_400 + i64::from(since.secs)))
}

/// The seconds at which a verdict that depends on these times can change: each time itself and the second after it, so that
/// it does not matter whether a comparison includes its end.
pub(crate) fn boundaries_of<const N: usize>(times: [Option<&Asn1TimeRef>; N]) -> Vec<i64> {
    let seconds = times.into_iter().flatten().filter_map(unix_time).map(|time| time.0);
    seconds.flat_map(|second| [second, second.saturating_add(1)]).collect()
}
