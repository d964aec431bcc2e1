//! Being told of changes that other processes made (LISTEN, NOTIFY). Nothing is lost when this fails: the number of the last
//! change is looked at anyway, and this only makes it sooner.

use std::time::Duration;

use sqlx::postgres::PgListener;
use tokio::sync::Notify;

use super::schema::CHANNEL;
use super::{Store, StoreLocation};

/// How long after a failure.
const AGAIN: Duration = Duration::from_millis(500);

impl Store {
    /// Tells of changes for as long as it is polled, and of every time when some may have gone unheard.
    pub(in crate::domains) async fn tell(&self, changed: &Notify) {
        let StoreLocation::Database(url) = &self.location else { return std::future::pending().await };
        loop {
            if let Err(why) = listen(url.whole(), changed).await {
                tracing::debug!("custom domains: changes are not told: {why}");
            }
            changed.notify_one();
            tokio::time::sleep(AGAIN).await;
        }
    }
}

async fn listen(url: &str, changed: &Notify) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect(url).await?;
    listener.listen(CHANNEL).await?;
    loop {
        changed.notify_one();
        listener.try_recv().await?;
    }
}
