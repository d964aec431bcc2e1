//! Reload on SIGHUP and when a file of the configuration changes: build everything, swap once, or keep the old and say why.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use notify::{RecursiveMode, Watcher};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use super::Shared;
use crate::clock::UnixTime;
use crate::config;

/// Editors and deployments write several files: wait until nothing has changed for this long.
const QUIET: Duration = Duration::from_millis(300);

/// Reloads a configuration folder.
pub struct Reloader {
    folder: PathBuf,
}

impl Reloader {
    /// A reloader of a folder.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Starts to watch for SIGHUP and for changes of files.
    ///
    /// # Errors
    /// When signals or file events cannot be had.
    pub(super) fn watch(self, shared: Arc<Shared>) -> io::Result<actix_web::rt::task::JoinHandle<()>> {
        let mut hangup = signal(SignalKind::hangup())?;
        let (changed, mut changes) = mpsc::channel(1);
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // A full channel already holds the news.
            if event.is_ok_and(|event| !event.kind.is_access()) {
                let _ = changed.try_send(());
            }
        })
        .map_err(io::Error::other)?;
        watcher.watch(&self.folder, RecursiveMode::Recursive).map_err(io::Error::other)?;
        Ok(actix_web::rt::spawn(async move {
            let _watcher = watcher;
            loop {
                tokio::select! {
                    _ = hangup.recv() => {}
                    changed = changes.recv() => if changed.is_none() { return },
                }
                settle(&mut changes).await;
                self.reload(&shared).await;
            }
        }))
    }

    /// Reading files and building trust takes its time: off the threads that serve.
    async fn reload(&self, shared: &Arc<Shared>) {
        let folder = self.folder.clone();
        let loaded = tokio::task::spawn_blocking(move || config::load(&folder, UnixTime::now())).await;
        match loaded {
            Ok(Ok(loaded)) => {
                shared.snapshot.store(Arc::new(loaded.snapshot));
                shared.metrics.reloads.inc();
                for warning in &loaded.warnings {
                    tracing::warn!("{warning}");
                }
                tracing::info!("configuration taken");
            }
            Ok(Err(problems)) => {
                shared.metrics.reload_failures.inc();
                for problem in &problems {
                    tracing::error!("configuration: {problem}");
                }
                tracing::error!("configuration refused with {} problems; the one before stays in force", problems.len());
            }
            Err(why) => {
                shared.metrics.reload_failures.inc();
                tracing::error!("configuration: reading it failed: {why}");
            }
        }
    }
}

async fn settle(changes: &mut mpsc::Receiver<()>) {
    while tokio::time::timeout(QUIET, changes.recv()).await.is_ok_and(|change| change.is_some()) {}
}
