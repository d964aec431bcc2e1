//! The configuration: files and environment in, ready values or every problem at once out.
//!
//! `vestibule.toml` is the process; each file in `tenants/` is a tenant. Environment variables override both:
//! `VESTIBULE__SERVER__KEEP_ALIVE` a key of the process, `VESTIBULE__TENANTS__ACME__POLICY__VERIFICATION` a key of
//! `tenants/acme.toml`. The domain does not know this module; this module builds the domain.

mod access_token;
mod client_auth;
mod clients;
mod consumer_policy;
mod consumers;
mod debugging;
mod domains;
mod environment;
mod expiry;
mod front_doors;
mod identity;
mod management;
mod metadata;
mod mutual_tls;
mod oauth;
mod own_tls;
mod pem_file;
mod policy;
mod probe;
mod problem;
mod process;
mod profiles;
mod proofs;
mod registered;
mod revocation;
mod routes;
mod rules;
mod secret_file;
mod server_tls;
mod source;
mod table;
mod tenant;
mod trust_warnings;
mod trusted_ca;
mod units;
mod upstreams;
mod verification;
mod watched;

use std::path::Path;
use std::sync::Arc;

use crate::clock::UnixTime;
use crate::front_door::Directory;
use crate::identity_headers::IdentityKeys;
use crate::journey::Snapshot;
use crate::presented::CertificateDecoder;
use crate::verifier::cache::CachedVerifier;
use crate::x509::ocsp_answers::OcspAnswers;

pub use management::ManagementSettings;
pub use problem::Problem;
pub use process::{Listen, NoPepper, Process, read_pepper};
pub use server_tls::ServerTls;
pub use units::duration;
pub use watched::files as watched_files;

use problem::Collector;
use table::Table;

/// A configuration, ready to run.
pub struct Loaded {
    /// What the process needs to start.
    pub process: Process,
    /// What requests are judged by.
    pub snapshot: Snapshot,
    /// What is worth a look but no reason to refuse.
    pub warnings: Vec<String>,
    /// The effective settings as text, secrets masked.
    pub effective: String,
}

/// Reads a configuration folder. `now` is only for warnings about certificates that have expired.
///
/// # Errors
/// Every problem that was found.
pub fn load(folder: &Path, now: UnixTime) -> Result<Loaded, Vec<Problem>> {
    let collector = Collector::default();
    let mut warnings = Vec::new();
    let read = source::read(folder, &collector);
    // Of a file that could not be read, one problem is enough.
    let unread = Collector::default();
    let about_process = if read.process.file.is_empty() { &unread } else { &collector };
    let process_file = read.process.file.clone();
    let is_unread = process_file.is_empty();
    let mut process = Process::read(Table::of(read.process, about_process), folder, now, &mut warnings);
    if is_unread {
        process.pepper = Err(NoPepper::Refused);
    }
    let mut directory = Directory::new(process.head_limits);
    let mut tenants = Vec::new();
    let mut wanted = server_tls::Wanted::default();
    let of_custom_domains = process.management.as_ref().map(|management| &management.registry.tenant);
    if let Some(name) = of_custom_domains.filter(|name| read.tenants.iter().all(|tenant| tenant.name != **name)) {
        let (key, found) = ("management.tenant".into(), format!("there is no tenant `{name}`"));
        about_process.add(Problem {
            file: process_file.clone(),
            key,
            found,
            accepted: "the name of a file in tenants/".into(),
        });
    }
    for file in read.tenants {
        let name = file.name.clone();
        let place = tenant::Place { name: &name, position: tenants.len(), folder, now };
        tenants.extend(tenant::read(Table::of(file, &collector), &place, &process, &mut directory, &mut wanted, &mut warnings));
    }
    let tls = server_tls::names(process.tls.as_ref(), &wanted, |key, found, accepted| {
        about_process.add(Problem { file: process_file.clone(), key: key.into(), found, accepted: accepted.into() });
    });
    let signs = tenants.iter().any(|tenant| tenant.identity.token.is_some());
    let keys = match process.identity_keys.take() {
        None if signs => {
            let failed =
                |why| Problem { file: process_file, key: "identity".into(), found: why, accepted: "randomness".into() };
            IdentityKeys::generate().map_err(|why| collector.add(failed(why))).ok()
        }
        keys => keys,
    };
    let keys = keys.map(Arc::new);
    let problems = collector.into_problems();
    if !problems.is_empty() {
        return Err(problems);
    }
    let snapshot = Snapshot {
        directory,
        tenants,
        tls,
        admin_certificate: process.admin_tls.clone().flatten(),
        decoder: CertificateDecoder::new(process.certificate_cache_entries),
        verifier: CachedVerifier::new(process.verification_cache_entries),
        debugging: process.debugging.take(),
        identity_keys: keys,
        answers: Arc::new(OcspAnswers::new(0)),
        revocation: None,
        oauth: None,
    };
    Ok(Loaded { process, snapshot, warnings, effective: read.effective })
}
