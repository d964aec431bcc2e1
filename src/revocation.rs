//! Fetching of revocation lists and OCSP answers: what of the status of certificates is not known yet, and what was known a
//! while ago.
//!
//! **Enters:** what a verification still wants to know ([`Inquiry`]), the plan of the route's CAs. **Leaves:** lists put in force
//! ([`crate::x509::revocation_lists`]) and answers held ([`OcspAnswers`]); nothing else: the verifier judges again with them.
//!
//! 1. Only what stands behind a sound chain is asked for: strangers cannot make us fetch.
//! 2. URLs are the operator's, or a certificate's whose host the operator listed ([`hosts`]); those lead to public addresses only
//!    ([`address`]).
//! 3. One fetch under way for each list and each question; nothing is tried again within `retry_after_failure`.
//! 4. A request waits only for what nobody knows, and only for `first_wait`. What becomes old is fetched again behind its back.
//! 5. Nothing that was fetched is believed for where it came from: signatures decide, also over what a restart finds on disk.
//!
//! All of it happens on a thread of its own, large lists are read on further ones: requests are served elsewhere.

pub mod address;
mod client;
mod core;
mod explanation;
mod flight;
mod folder;
pub mod hosts;
mod lists;
mod ocsp;
mod outcome;
pub mod plan;
mod redirect;
pub mod resolver;
mod schedule;
pub mod settings;
mod troubles;

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use self::core::Core;
use self::flight::{Landing, wait};
use self::folder::Folder;
use self::lists::{User, Wanted};
use self::plan::Target;
use crate::telemetry::fetches::FetchMetrics;
use crate::verifier::{Inquiry, TrustedCas, Urgency};
use crate::x509::ocsp::{NonceMode, OcspStatus};
use crate::x509::ocsp_answers::OcspAnswers;
use crate::x509::revocation_sources::RevocationSources;

pub use self::core::Clock;
pub use self::plan::{FetchPlan, configured_url};
pub use self::settings::RevocationSettings;

/// How often lists are looked after.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The fetching of a process. Its thread ends with it.
pub struct Revocation {
    core: Arc<Core>,
    _running: oneshot::Sender<()>,
}

impl fmt::Debug for Revocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Revocation").field("settings", &self.core.settings).finish_non_exhaustive()
    }
}

/// Whether what is fetched can be kept in this folder. Nothing stays behind.
///
/// # Errors
/// What the file system says.
pub fn can_keep_in(cache_folder: &Path) -> io::Result<()> {
    Folder::probe(cache_folder)
}

/// What `cache_folder` is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cache {
    /// What is there is read, and nothing is written.
    Read,
    /// Both.
    ReadAndWrite,
}

impl Revocation {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the thread cannot be had, or the cache folder cannot be made.
    pub fn start(settings: RevocationSettings, cache: Cache, metrics: FetchMetrics, clock: Clock) -> io::Result<Arc<Self>> {
        let folder = settings.cache_folder.as_ref().map(|path| {
            let failed = |why: io::Error| io::Error::new(why.kind(), format!("`cache_folder` {}: {why}", path.display()));
            Folder::open(path, cache == Cache::ReadAndWrite).map_err(failed)
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let core = Core::new(settings, clock, metrics, folder.transpose()?, runtime.handle().clone());
        let core = Arc::new(core);
        let (running, stopped) = oneshot::channel();
        let of_thread = Arc::clone(&core);
        std::thread::Builder::new().name("revocation".into()).spawn(move || {
            runtime.block_on(look_after(&of_thread, stopped));
            runtime.shutdown_background();
        })?;
        Ok(Arc::new(Self { core, _running: running }))
    }

    /// The answers that are held.
    pub fn answers(&self) -> &Arc<OcspAnswers> {
        &self.core.answers
    }

    /// Takes a set of CAs into care, before the first request is judged by it: what is known is put in force at once, and
    /// what the operator named is fetched.
    pub fn adopt(&self, plan: &FetchPlan, trust: &Arc<TrustedCas>) {
        for url in &plan.crl_urls {
            lists::want(&self.core, Target::configured(url), User::configured(trust));
        }
        lists::adopt(&self.core, plan, trust);
    }

    /// Obtains what a verification wants to know, as far as it can be had. How long that took, when it is worth judging again;
    /// none when nothing can have changed. What is only ageing is fetched without waiting.
    pub async fn obtain(&self, plan: &FetchPlan, trust: &Arc<TrustedCas>, inquiries: &[Inquiry]) -> Option<Duration> {
        let begun = Instant::now();
        let first_wait = self.core.settings.first_wait;
        let until = begun.checked_add(first_wait).unwrap_or(begun);
        let asked = self.ask(plan, inquiries);
        let mut worth_it = !asked.is_empty();
        // A silent responder leaves half of the time to the lists that stand in for it.
        let lists_help = inquiries.iter().any(|inquiry| inquiry.list.is_some());
        wait(asked, if lists_help { begun.checked_add(first_wait / 2).unwrap_or(begun) } else { until }).await;
        let (in_force, on_their_way) = self.want_lists(plan, trust, inquiries);
        worth_it |= in_force || !on_their_way.is_empty();
        wait(on_their_way, until).await;
        worth_it.then(|| begun.elapsed())
    }

    /// What keeps the status of these certificates unknown, in sentences.
    pub fn explain(&self, plan: &FetchPlan, inquiries: &[Inquiry]) -> Vec<String> {
        explanation::of(&self.core, plan, inquiries)
    }

    /// Asks responders. What is to be waited for comes back.
    fn ask(&self, plan: &FetchPlan, inquiries: &[Inquiry]) -> Vec<Landing> {
        let asked = inquiries.iter().filter_map(|inquiry| {
            let urgency = inquiry.ocsp?;
            let landing = ocsp::want(&self.core, plan, inquiry)?;
            (urgency == Urgency::Wanted).then_some(landing)
        });
        asked.collect()
    }

    /// Lists for the certificates that no responder has told about. Whether one is in force, and those on their way.
    fn want_lists(&self, plan: &FetchPlan, trust: &Arc<TrustedCas>, inquiries: &[Inquiry]) -> (bool, Vec<Landing>) {
        let (mut in_force, mut on_their_way) = (false, Vec::new());
        for inquiry in inquiries.iter().filter(|inquiry| inquiry.list.is_some() && !self.is_answered(plan, inquiry)) {
            let named = RevocationSources::read(&inquiry.certificate).crl;
            let configured = plan.crl_urls.iter().map(Target::configured);
            let permitted = plan.permitted(&named, |url, why| self.core.troubles.not_permitted(url, why));
            for target in configured.chain(permitted) {
                match lists::want(&self.core, target, User::of_issuer(trust, &inquiry.issuer)) {
                    Wanted::InForce => in_force = true,
                    Wanted::Nothing => {}
                    Wanted::OnItsWay(landing) => on_their_way.push(landing),
                }
            }
        }
        (in_force, on_their_way)
    }

    fn is_answered(&self, plan: &FetchPlan, inquiry: &Inquiry) -> bool {
        let now = self.core.now();
        let told = |status| !matches!(status, OcspStatus::Unknown);
        let held = self.core.answers.get(&inquiry.id).filter(|_| inquiry.ocsp.is_some());
        held.is_some_and(|held| {
            let of_us = plan.ocsp_nonce != NonceMode::Require || held.answer.has_nonce();
            of_us && held.answer.is_fresh(now) && told(held.answer.status())
        })
    }
}

async fn look_after(core: &Arc<Core>, mut stopped: oneshot::Receiver<()>) {
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = &mut stopped => return,
            _ = ticks.tick() => {}
        }
        lists::look_after(core);
        ocsp::look_after(core);
    }
}
