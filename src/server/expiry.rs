//! Ends of certificates, told ahead: a line once a day for each, and the metrics.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::UnixTime;
use crate::journey::{Expiring, Snapshot};
use crate::shared::Shared;
use crate::telemetry::metrics::Ends;

/// How often the trusted CAs are looked at. A new configuration is seen at the next tick.
const LOOK_EVERY: Duration = Duration::from_secs(60);
const TICK: Duration = Duration::from_millis(500);

impl Shared {
    /// Tells that a client's certificate ends soon: once a day for each certificate of a tenant.
    pub fn tell_expiring(&self, tenant: &str, fingerprint: &[u8; 32], subject: &str, expiring: Expiring) {
        if self.daily.is_first(tenant, fingerprint, expiring.now) {
            self.metrics.expiring(tenant);
            tracing::warn!(
                tenant,
                "cert.fingerprint" = hex::encode(fingerprint),
                "cert.subject" = subject,
                "cert.not_after" = expiring.end.rfc3339(),
                "cert.days_left" = expiring.end.days_after(expiring.now),
                "a client's certificate ends soon"
            );
        }
    }

    fn look_at_trust(&self, snapshot: &Snapshot, now: UnixTime) {
        self.metrics.ends(snapshot.tenants.iter().map(|tenant| {
            let (trusted_ca, crl) = tenant.first_ends();
            (tenant.name.as_str(), Ends { trusted_ca, crl })
        }));
        for tenant in &snapshot.tenants {
            let ending = tenant.ending_cas(now).into_iter();
            for ca in ending.filter(|ca| self.daily.is_first(&tenant.name, &ca.fingerprint, now)) {
                tracing::warn!(
                    tenant = tenant.name,
                    "cert.fingerprint" = hex::encode(ca.fingerprint),
                    "cert.subject" = ca.subject,
                    "cert.not_after" = ca.end.rfc3339(),
                    "cert.days_left" = ca.end.days_after(now),
                    "a trusted CA's certificate ends soon; no client below it is accepted from then on"
                );
            }
        }
    }
}

/// Looks at the trusted CAs at the start, with every new configuration, and every minute: revocation lists change in between.
pub(super) fn watch(shared: Arc<Shared>) -> actix_web::rt::task::JoinHandle<()> {
    actix_web::rt::spawn(async move {
        let mut seen: Option<Arc<Snapshot>> = None;
        let mut waited = Duration::ZERO;
        loop {
            let snapshot = shared.snapshot.load_full();
            if waited >= LOOK_EVERY || seen.as_ref().is_none_or(|seen| !Arc::ptr_eq(seen, &snapshot)) {
                shared.look_at_trust(&snapshot, UnixTime::now());
                (seen, waited) = (Some(snapshot), Duration::ZERO);
            }
            actix_web::rt::time::sleep(TICK).await;
            waited += TICK;
        }
    })
}
