//! When an answer counts (RFC 6960 §4.2.2.1), by the caller's clock.

use super::OcspError;
use super::fields::Data;
use crate::clock::UnixTime;

/// How far an answer's dates may lie. Seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OcspLimits {
    /// How far the responder's clock may differ from ours.
    pub skew: i64,
    /// For how long after its thisUpdate an answer without nextUpdate holds; none refuses it.
    pub max_age_without_next_update: Option<i64>,
}

impl Default for OcspLimits {
    /// Five minutes, and a day.
    fn default() -> Self {
        Self { skew: 300, max_age_without_next_update: Some(86_400) }
    }
}

/// When an answer counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dates {
    pub(super) fresh_from: UnixTime,
    pub(super) fresh_until: UnixTime,
    pub(super) refresh_at: UnixTime,
}

impl Dates {
    pub(super) fn of(data: &Data<'_>, limits: OcspLimits) -> Result<Self, OcspError> {
        let this_update = data.single.this_update;
        let (end, fresh_until) = match (data.single.next_update, limits.max_age_without_next_update) {
            (Some(next_update), _) if next_update < this_update => return Err(OcspError::Dates),
            (Some(next_update), _) => (next_update, next_update.plus(limits.skew)),
            (None, Some(age)) => (this_update.plus(age), this_update.plus(age)),
            (None, None) => return Err(OcspError::NoNextUpdate),
        };
        let window = end.0.saturating_sub(this_update.0);
        Ok(Self {
            fresh_from: this_update.max(data.produced_at).plus(-limits.skew),
            fresh_until,
            refresh_at: this_update.plus(window / 5 * 4),
        })
    }
}
