//! What is counted of the store of custom domains, where there is one.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Of the statuses that the management API has.
const CLASSES: [&str; 4] = ["2xx", "3xx", "4xx", "5xx"];

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
    /// OAuth clients in memory.
    pub clients: Gauge,
    answers: Family<[(&'static str, &'static str); 1], Counter>,
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
        registry.register("registered_oauth_clients", "OAuth clients of the store in memory", made.clients.clone());
        for class in CLASSES {
            drop(made.answers.get_or_create(&[("class", class)]));
        }
        registry.register("management_responses", "Answers of the management API, by class of status", made.answers.clone());
        made
    }

    /// Counts an answer of the management API.
    pub fn respond(&self, status: u16) {
        if let Some(class) = CLASSES.get(usize::from(status / 100).saturating_sub(2)) {
            self.answers.get_or_create(&[("class", *class)]).inc();
        }
    }
}
