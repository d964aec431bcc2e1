//! What is counted of the store of custom domains, where there is one.

use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// The counters.
#[derive(Debug, Default)]
pub struct StoreMetrics {
    /// 1 while the store answers, 0 while it does not.
    pub up: Gauge,
    /// When it last answered.
    pub answered: Gauge,
    /// The last change that requests are judged by.
    pub revision: Gauge,
    /// Custom domains in memory.
    pub domains: Gauge,
}

impl StoreMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let made = Self::default();
        registry.register("store_up", "Whether the store of custom domains answers", made.up.clone());
        let help = "When the store of custom domains last answered";
        registry.register("store_answered_timestamp_seconds", help, made.answered.clone());
        let help = "The last change of custom domains that requests are judged by";
        registry.register("store_revision", help, made.revision.clone());
        registry.register("custom_domains", "Custom domains in memory", made.domains.clone());
        made
    }
}
