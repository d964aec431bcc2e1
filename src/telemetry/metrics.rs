//! Counters in Prometheus' text form, on the admin listener.

use std::collections::HashMap;
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::fetches::FetchMetrics;
use super::store::StoreMetrics;
use crate::clock::UnixTime;
use crate::refusal::{Blame, Refusal};

type Labels = [(&'static str, &'static str); 1];
/// A tenant's name: from the configuration, so that there are few.
type OfTenant = [(&'static str, String); 1];

/// Bounds of the duration histograms, in seconds: from a cached answer to a slow upstream.
const SECONDS: [f64; 13] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

/// How a TLS handshake with us ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Handshake {
    /// Well.
    Done,
    /// It broke: no TLS, no common version, a key that is not the certificate's, or the client left.
    Failed,
    /// It was not done in time.
    TimedOut,
    /// Nobody here has the server name.
    UnrecognizedName,
}

impl Handshake {
    const ALL: [(Self, &'static str); 4] = [
        (Self::Done, "done"),
        (Self::Failed, "failed"),
        (Self::TimedOut, "timed_out"),
        (Self::UnrecognizedName, "unrecognized_name"),
    ];
}

/// What was done with an authorization server's metadata on its way to a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MetadataOutcome {
    /// The answer to HEAD lost what is no longer true of the document.
    Head,
    /// Untouched: no JSON by its media type.
    NotJson,
    /// Untouched: no JSON object, or none of metadata.
    NotMetadata,
    /// Untouched: of an issuer on another host.
    OtherIssuer,
    /// Untouched: no 200.
    OtherStatus,
    /// Untouched: compressed.
    Packed,
    /// It was changed.
    Rewritten,
    /// Untouched: with signed metadata.
    Signed,
    /// Untouched: longer than what is read.
    TooLarge,
}

impl MetadataOutcome {
    const ALL: [(Self, &'static str); 9] = [
        (Self::Head, "head"),
        (Self::NotJson, "not_json"),
        (Self::NotMetadata, "not_metadata"),
        (Self::OtherIssuer, "other_issuer"),
        (Self::OtherStatus, "other_status"),
        (Self::Packed, "packed"),
        (Self::Rewritten, "rewritten"),
        (Self::Signed, "signed"),
        (Self::TooLarge, "too_large"),
    ];
}

/// The process's counters. Label values come from closed lists alone.
pub struct Metrics {
    registry: Registry,
    store: Option<StoreMetrics>,
    permitted: Counter,
    answered: Counter,
    refused: HashMap<Refusal, Counter>,
    monitored: Family<Labels, Counter>,
    metadata: HashMap<MetadataOutcome, Counter>,
    responses: [Counter; 5],
    handshakes: HashMap<Handshake, Counter>,
    duration: Histogram,
    upstream: Histogram,
    /// Requests in flight.
    pub in_flight: Gauge,
    /// Nonces that this process remembers.
    pub nonces_remembered: Gauge,
    /// Reloads that took effect.
    pub reloads: Counter,
    /// Reloads that failed; the configuration before them stays.
    pub reload_failures: Counter,
    expiring: Family<OfTenant, Counter>,
    trusted_ca_end: Family<OfTenant, Gauge>,
    crl_end: Family<OfTenant, Gauge>,
    /// What was fetched about revocation.
    pub fetches: FetchMetrics,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("vestibule");
        let refused = Family::<Labels, Counter>::default();
        let responses = Family::<Labels, Counter>::default();
        let handshakes = Family::<Labels, Counter>::default();
        let (permitted, answered) = (Counter::default(), Counter::default());
        let monitored = Family::<Labels, Counter>::default();
        let (duration, upstream) = (Histogram::new(SECONDS), Histogram::new(SECONDS));
        // Verifications that are only watched; what rules would do joins them by name.
        for refusal in Refusal::ALL.iter().filter(|refusal| refusal.blame() == Blame::Client) {
            drop(monitored.get_or_create(&[("would", refusal.code())]));
        }
        let (in_flight, nonces_remembered) = (Gauge::default(), Gauge::default());
        let (reloads, reload_failures) = (Counter::default(), Counter::default());
        registry.register("requests_permitted", "Requests sent to an upstream, or authorized", permitted.clone());
        registry.register("requests_refused", "Requests refused, by code", refused.clone());
        registry.register("requests_answered", "Requests that a rule answered", answered.clone());
        registry.register("monitored", "What was only watched and not done, by behavior or refusal", monitored.clone());
        let metadata = Family::<Labels, Counter>::default();
        registry.register("oauth_metadata", "Metadata of authorization servers, by what was done with it", metadata.clone());
        registry.register("responses", "Answers, by class of status", responses.clone());
        registry.register("tls_handshakes", "Handshakes of our own TLS listener, by outcome", handshakes.clone());
        registry.register("request_duration_seconds", "From head to the end of the answer", duration.clone());
        registry.register("upstream_head_seconds", "Until the upstream's answer began", upstream.clone());
        registry.register("requests_in_flight", "Requests being answered", in_flight.clone());
        registry.register("nonces_remembered", "Nonces of signatures in memory", nonces_remembered.clone());
        registry.register("reloads", "Configurations taken", reloads.clone());
        registry.register("reload_failures", "Configurations refused; the one before stays", reload_failures.clone());
        let expiring = Family::<OfTenant, Counter>::default();
        let (trusted_ca_end, crl_end) = (Family::<OfTenant, Gauge>::default(), Family::<OfTenant, Gauge>::default());
        registry.register("certificates_expiring", "Certificates near their end, each once a day", expiring.clone());
        registry.register("trusted_ca_not_after_timestamp_seconds", "The first end of a CA", trusted_ca_end.clone());
        registry.register("crl_next_update_timestamp_seconds", "The first nextUpdate of a CRL", crl_end.clone());
        let fetches = FetchMetrics::register(&mut registry);
        Self {
            refused: Refusal::ALL
                .iter()
                .map(|&refusal| (refusal, refused.get_or_create_owned(&[("code", refusal.code())])))
                .collect(),
            responses: ["1xx", "2xx", "3xx", "4xx", "5xx"].map(|class| responses.get_or_create_owned(&[("class", class)])),
            handshakes: Handshake::ALL
                .iter()
                .map(|&(outcome, word)| (outcome, handshakes.get_or_create_owned(&[("outcome", word)])))
                .collect(),
            registry,
            store: None,
            permitted,
            answered,
            monitored,
            metadata: MetadataOutcome::ALL
                .iter()
                .map(|&(outcome, word)| (outcome, metadata.get_or_create_owned(&[("outcome", word)])))
                .collect(),
            duration,
            upstream,
            in_flight,
            nonces_remembered,
            reloads,
            reload_failures,
            expiring,
            trusted_ca_end,
            crl_end,
            fetches,
        }
    }
}

/// When the first one of a tenant ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ends {
    /// The notAfter of a CA certificate.
    pub trusted_ca: Option<UnixTime>,
    /// The nextUpdate of a CRL.
    pub crl: Option<UnixTime>,
}

fn of(tenant: &str) -> OfTenant {
    [("tenant", tenant.to_owned())]
}

impl Metrics {
    /// Begins to show what is known of a store.
    pub fn watch_store(&mut self) {
        self.store = Some(StoreMetrics::register(&mut self.registry));
    }

    /// The counters of the store, where there is one.
    pub fn store(&self) -> Option<&StoreMetrics> {
        self.store.as_ref()
    }

    /// Counts a request that was let through.
    pub fn permit(&self) {
        self.permitted.inc();
    }

    /// Counts a request that a rule answered.
    pub fn answer(&self) {
        self.answered.inc();
    }

    /// Counts what was not done because it is only watched: the name of a behavior, or the code of a refusal.
    pub fn monitor(&self, would: &'static str) {
        self.monitored.get_or_create(&[("would", would)]).inc();
    }

    /// Counts what was done about an authorization server's metadata.
    pub fn metadata(&self, outcome: MetadataOutcome) {
        if let Some(counter) = self.metadata.get(&outcome) {
            counter.inc();
        }
    }

    /// Counts a refusal.
    pub fn refuse(&self, refusal: Refusal) {
        if let Some(counter) = self.refused.get(&refusal) {
            counter.inc();
        }
    }

    /// Counts a TLS handshake.
    pub fn handshake(&self, outcome: Handshake) {
        if let Some(counter) = self.handshakes.get(&outcome) {
            counter.inc();
        }
    }

    /// Counts an answer.
    pub fn respond(&self, status: u16, duration: Duration, upstream_head: Option<Duration>) {
        if let Some(counter) = self.responses.get(usize::from(status / 100).saturating_sub(1)) {
            counter.inc();
        }
        self.duration.observe(duration.as_secs_f64());
        if let Some(head) = upstream_head {
            self.upstream.observe(head.as_secs_f64());
        }
    }

    /// Counts a client's certificate that is near its end.
    pub fn expiring(&self, tenant: &str) {
        self.expiring.get_or_create(&of(tenant)).inc();
    }

    /// Says for every tenant when the first of its CAs and the first of its CRLs end.
    pub fn ends<'t>(&self, tenants: impl Iterator<Item = (&'t str, Ends)>) {
        self.trusted_ca_end.clear();
        self.crl_end.clear();
        for (tenant, ends) in tenants {
            // The counter stands at zero before the first certificate.
            drop(self.expiring.get_or_create(&of(tenant)));
            for (family, end) in [(&self.trusted_ca_end, ends.trusted_ca), (&self.crl_end, ends.crl)] {
                if let Some(end) = end {
                    family.get_or_create(&of(tenant)).set(end.0);
                }
            }
        }
    }

    /// The text for a scraper.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_stand_at_zero_before_the_first_request() {
        let metrics = Metrics::default();
        metrics.refuse(Refusal::CertificateExpired);
        metrics.respond(200, Duration::from_millis(2), None);
        let text = metrics.text();
        for line in [
            "vestibule_requests_permitted_total 0",
            "vestibule_requests_refused_total{code=\"certificate_expired\"} 1",
            "vestibule_requests_refused_total{code=\"denied_by_rule\"} 0",
            "vestibule_responses_total{class=\"2xx\"} 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        }
    }
}
