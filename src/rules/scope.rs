//! What the texts of a rule may name: they are read once, at load, and nothing is looked up by name afterwards.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::capture::CaptureMatchGroups;
use super::geoip::GeoIp;
use super::list::List;
use super::phase::Phase;

/// What the rules of a tenant may name.
#[derive(Debug, Default)]
pub struct Known {
    /// `[lists]`. One that has problems of its own stands as none, so that its name is still known.
    pub lists: BTreeMap<String, Option<Arc<List>>>,
    /// The names of the upstreams, in the order of their numbers.
    pub upstreams: Vec<String>,
    /// The geo-ip database.
    pub geoip: Option<Arc<GeoIp>>,
    /// Whether every front door says how the client reached it, `http` or `https`.
    pub forwarded_proto: bool,
}

/// What the texts of one rule may name.
#[derive(Debug)]
pub struct Scope<'k> {
    /// The rule's phase.
    pub phase: Phase,
    /// What the tenant's rules may name.
    pub known: &'k Known,
    /// The arrays that behaviors before this place have captured.
    pub(super) captured: Vec<CaptureMatchGroups>,
}

impl<'k> Scope<'k> {
    /// The scope of a rule of this phase.
    pub fn new(phase: Phase, known: &'k Known) -> Self {
        Self { phase, known, captured: Vec::new() }
    }
}
