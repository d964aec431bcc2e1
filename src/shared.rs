//! What all workers share, for as long as the process lives.

use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::domains::Registry;
use crate::front_door::Replay;
use crate::journey::Snapshot;
use crate::oauth::OAuth;
use crate::probe::Probe;
use crate::revocation::Revocation;
use crate::telemetry::access::AccessLog;
use crate::telemetry::daily::Daily;
use crate::telemetry::metrics::Metrics;

/// What all workers share.
pub struct Shared {
    /// The configuration in force.
    pub snapshot: ArcSwap<Snapshot>,
    /// What fetches lists and OCSP answers, for every configuration in turn.
    pub revocation: Arc<Revocation>,
    /// What asks authorization servers, likewise.
    pub oauth: Arc<OAuth>,
    /// The counters.
    pub metrics: Metrics,
    /// The access log.
    pub access: Arc<AccessLog>,
    /// Which ends of certificates were told today.
    pub daily: Daily,
    /// The nonces of signed requests. A reload does not touch them.
    pub replay: Arc<Replay>,
    /// The custom domains, when there is a management API. A reload does not touch them.
    pub domains: Option<Arc<Registry>>,
    /// The endpoint for `vestibule probe`, and the tokens that were used. A reload does not touch them.
    pub probe: Option<Arc<Probe>>,
}
