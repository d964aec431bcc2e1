//! Reload on SIGHUP and when a file of the configuration changes: build everything, swap once, or keep the old and say why.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use super::domains::tokens;
use crate::clock::UnixTime;
use crate::config;
use crate::manage::Management;
use crate::shared::Shared;

/// How often the files are looked at. Looking, and not events of the file system: it sees through symbolic links and replaced
/// folders, and costs a few calls.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// A deployment writes several files: a change is taken when two looks see the same, or after so many looks.
const MOST_LOOKS: u32 = 6;

/// Reloads a configuration folder.
pub struct Reloader {
    folder: PathBuf,
    first: Marks,
}

/// What tells that a file is another one than before: time of change in seconds and nanoseconds, length, inode.
type Mark = (i64, i64, u64, u64);
/// The files of a configuration, as they were when it was read.
type Marks = BTreeMap<PathBuf, Option<Mark>>;

impl Reloader {
    /// A reloader of a folder. Made before the configuration is read for the first time, so that no change is missed.
    pub fn new(folder: PathBuf) -> Self {
        let first = look(&folder, &Marks::new());
        Self { folder, first }
    }

    /// Starts to watch for SIGHUP and for changes of the files that the configuration is made of.
    ///
    /// # Errors
    /// When signals cannot be had.
    pub(super) fn watch(
        self,
        shared: Arc<Shared>,
        management: Option<Arc<Management>>,
    ) -> io::Result<actix_web::rt::task::JoinHandle<()>> {
        let mut hangup = signal(SignalKind::hangup())?;
        Ok(actix_web::rt::spawn(async move {
            let mut taken = self.first.clone();
            loop {
                tokio::select! {
                    _ = hangup.recv() => taken = self.look(&taken).await,
                    () = tokio::time::sleep(LOOK_EVERY) => {
                        let seen = self.look(&taken).await;
                        if seen == taken {
                            continue;
                        }
                        taken = self.settle(seen).await;
                    }
                }
                self.reload(&shared, management.as_deref()).await;
            }
        }))
    }

    async fn settle(&self, mut seen: Marks) -> Marks {
        for _ in 0..MOST_LOOKS {
            tokio::time::sleep(LOOK_EVERY).await;
            let again = self.look(&seen).await;
            if again == seen {
                break;
            }
            seen = again;
        }
        seen
    }

    /// Files may lie on a slow file system: off the threads that serve.
    async fn look(&self, before: &Marks) -> Marks {
        let (folder, known) = (self.folder.clone(), before.clone());
        tokio::task::spawn_blocking(move || look(&folder, &known)).await.unwrap_or_else(|_| before.clone())
    }

    /// Reading files and building trust takes its time: off the threads that serve.
    async fn reload(&self, shared: &Arc<Shared>, management: Option<&Management>) {
        let (folder, revocation, oauth) = (self.folder.clone(), Arc::clone(&shared.revocation), Arc::clone(&shared.oauth));
        let judged = shared.domains.as_ref().map(|registry| registry.judged());
        let loaded = tokio::task::spawn_blocking(move || {
            let mut loaded = config::load(&folder, UnixTime::now())?;
            // The signatures of fetched lists are checked for the new CAs: that takes its time too.
            loaded.snapshot.attach(&revocation, &oauth);
            if let Some(judged) = judged {
                super::attach(&mut loaded.snapshot, &judged)?;
            }
            Ok::<_, Vec<config::Problem>>(loaded)
        });
        let loaded = loaded.await;
        match loaded {
            Ok(Ok(loaded)) => {
                let mut snapshot = loaded.snapshot;
                snapshot.keep_generated_key(&shared.snapshot.load());
                shared.snapshot.store(Arc::new(snapshot));
                let settings = loaded.process.management.as_ref().zip(loaded.process.pepper.as_ref().ok());
                if let (Some(management), Some((settings, pepper))) = (management, settings) {
                    management.take_tokens(tokens(settings, pepper, shared));
                }
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

/// Looks at the files that were named before. Only when one of them has changed are their names read again; those that were
/// named before stay, so that a file that cannot be read for the moment does not make us forget the others.
fn look(folder: &Path, before: &Marks) -> Marks {
    let marks: Marks = before.keys().map(|file| (file.clone(), mark(file))).collect();
    if marks == *before && !before.is_empty() {
        return marks;
    }
    config::watched_files(folder).into_iter().chain(marks.into_keys()).map(|file| (file.clone(), mark(&file))).collect()
}

fn mark(file: &Path) -> Option<Mark> {
    let metadata = std::fs::metadata(file).ok()?;
    Some((metadata.ctime(), metadata.ctime_nsec(), metadata.len(), metadata.ino()))
}
