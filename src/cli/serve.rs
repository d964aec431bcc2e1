//! `vestibule serve`: the program's main job.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use arc_swap::ArcSwap;

use super::{failed, refused};
use crate::clock::UnixTime;
use crate::config;
use crate::oauth::OAuth;
use crate::revocation::{Cache, Revocation};
use crate::server::{self, Reloader};
use crate::shared::Shared;
use crate::telemetry::access::AccessLog;
use crate::telemetry::daily::Daily;
use crate::telemetry::diagnostics;
use crate::telemetry::metrics::Metrics;

pub(super) fn run(folder: &Path) -> ExitCode {
    let reloader = Reloader::new(folder.to_owned());
    let mut loaded = match config::load(folder, UnixTime::now()) {
        Ok(loaded) => loaded,
        Err(problems) => return refused(folder, &problems),
    };
    diagnostics::start(&loaded.process.log_level);
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    // Each request holds two connections, and the usual soft limit is 1,024 files.
    if let Err(why) = rlimit::increase_nofile_limit(rlimit::INFINITY) {
        tracing::warn!("the limit of open files stays as it is: {why}");
    }
    let access = match AccessLog::open(&loaded.process.access) {
        Ok(access) => access,
        Err(why) => return failed(&format!("the access log cannot be opened: {why}")),
    };
    let mut metrics = Metrics::default();
    let settings = loaded.process.revocation.clone();
    let clock = Box::new(UnixTime::now);
    let revocation = match Revocation::start(settings, Cache::ReadAndWrite, metrics.fetches.clone(), clock) {
        Ok(revocation) => revocation,
        Err(why) => return failed(&format!("nothing can be fetched about revocation: {why}")),
    };
    let oauth = match OAuth::start() {
        Ok(oauth) => oauth,
        Err(why) => return failed(&format!("authorization servers cannot be asked: {why}")),
    };
    loaded.snapshot.attach(&revocation, &oauth);
    let (replay, probe) = (Arc::clone(&loaded.process.replay), loaded.process.probe.clone());
    let system = actix_web::rt::System::new();
    let settings = loaded.process.management.as_ref().zip(loaded.process.pepper.as_ref().ok());
    let domains = match settings.map(|(settings, pepper)| system.block_on(server::open(settings, pepper))).transpose() {
        Ok(domains) => domains,
        Err(why) => return failed(&why),
    };
    if let Some(registry) = &domains
        && let Err(problems) = server::attach(&mut loaded.snapshot, &registry.judged())
    {
        return refused(folder, &problems);
    }
    if domains.is_some() {
        metrics.watch_store();
    }
    let snapshot = ArcSwap::from_pointee(loaded.snapshot);
    let shared = Shared { snapshot, revocation, oauth, metrics, access, daily: Daily::default(), replay, probe, domains };
    match system.block_on(server::serve(&loaded.process, Arc::new(shared), reloader)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => failed(&why),
    }
}
