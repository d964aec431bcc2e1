//! The record of DNS that proves a domain: a TXT record with the challenge, or a CNAME record that points to a name made of it.
//! Every look is a fresh one: an answer from a cache of ours would keep a mended record from being seen.

use std::net::SocketAddr;
use std::time::Duration;

use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::{Resolver, TokioResolver, system_conf};

use super::record::DomainRecord;

/// What stands before the domain's name (Auth0).
const LABEL: &str = "_cf-custom-hostname";
/// How much of a strange record is told.
const SHOWN: usize = 80;
/// How many strange records are told.
const MOST_SHOWN: usize = 3;

/// Who is asked, and for how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnsSettings {
    /// The servers; none are those of the system.
    pub servers: Vec<SocketAddr>,
    /// The longest for one question.
    pub timeout: Duration,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The record, of this kind.
    Verified(&'static str),
    /// Why it was not.
    NotYet(String),
}

/// The name whose record is looked for.
pub(super) fn record_name(domain: &str) -> String {
    format!("{LABEL}.{domain}")
}

/// Looks records up.
pub(super) struct Dns {
    config: ResolverConfig,
    options: ResolverOpts,
}

impl Dns {
    /// # Errors
    /// When the system's servers are not known.
    pub(super) fn new(settings: &DnsSettings) -> Result<Self, String> {
        let mut config = if settings.servers.is_empty() {
            system_conf::read_system_conf().map_err(|why| format!("the system's name servers are not known: {why}"))?.0
        } else {
            ResolverConfig::from_parts(None, Vec::new(), settings.servers.iter().map(|server| name_server(*server)).collect())
        };
        // A search list would look below the system's own domain.
        config = ResolverConfig::from_parts(None, Vec::new(), config.into_parts().2);
        let mut options = ResolverOpts::default();
        options.timeout = settings.timeout;
        options.attempts = 2;
        options.cache_size = 0;
        options.use_hosts_file = ResolveHosts::Never;
        Ok(Self { config, options })
    }

    /// Looks for the record of a domain: TXT first, then CNAME to `target`.
    pub(super) async fn verify(&self, domain: &DomainRecord, target: &str) -> Outcome {
        let resolver = match self.resolver() {
            Ok(resolver) => resolver,
            Err(why) => return Outcome::NotYet(why),
        };
        let name = record_name(&domain.domain);
        let texts = match look(&resolver, &name, RecordType::TXT).await {
            Ok(found) if found.contains(&domain.challenge) => return Outcome::Verified("TXT"),
            texts => texts,
        };
        let targets = match look(&resolver, &name, RecordType::CNAME).await {
            Ok(found) if found.iter().any(|found| found.eq_ignore_ascii_case(target)) => return Outcome::Verified("CNAME"),
            targets => targets,
        };
        let wrong = |kind: &str, found: &[String]| {
            let shown = found.iter().take(MOST_SHOWN);
            let shown = shown.map(|text| format!("{:?}", text.chars().take(SHOWN).collect::<String>()));
            let mut shown = shown.collect::<Vec<_>>().join(", ");
            if found.len() > MOST_SHOWN {
                shown += &format!(" and {} more", found.len() - MOST_SHOWN);
            }
            format!("`{name}` has a {kind} record with {shown}, which is another value")
        };
        let why = match (texts, targets) {
            (Ok(found), _) if !found.is_empty() => wrong("TXT", &found),
            (_, Ok(found)) if !found.is_empty() => wrong("CNAME", &found),
            (Err(why), _) => why,
            (Ok(_), _) => match doubled(&resolver, domain, &name).await {
                Some(doubled) => format!("the record is at `{doubled}`: the zone's name was added once more"),
                None => format!("`{name}` has no TXT record and no CNAME record"),
            },
        };
        Outcome::NotYet(why)
    }

    /// Whether a name has an address, or why not.
    pub(super) async fn resolves(&self, domain: &str) -> Result<(), String> {
        let resolver = self.resolver()?;
        let mut why = String::new();
        for kind in [RecordType::A, RecordType::AAAA] {
            match look(&resolver, domain, kind).await {
                Ok(found) if !found.is_empty() => return Ok(()),
                Ok(_) => {}
                Err(failed) => why = failed,
            }
        }
        Err(if why.is_empty() { format!("`{domain}` has no address") } else { why })
    }

    /// Made for each look: its connections belong to the runtime of whoever looks.
    fn resolver(&self) -> Result<TokioResolver, String> {
        let builder = Resolver::builder_with_config(self.config.clone(), TokioRuntimeProvider::default());
        builder.with_options(self.options.clone()).build().map_err(|why| format!("no question can be asked: {why}"))
    }
}

fn name_server(address: SocketAddr) -> NameServerConfig {
    let mut connections = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
    for connection in &mut connections {
        connection.port = address.port();
    }
    NameServerConfig::new(address.ip(), true, connections)
}

/// Many panels add the zone's name to what is typed in: then the record stands below `…login.example.com.example.com`.
async fn doubled(resolver: &TokioResolver, domain: &DomainRecord, name: &str) -> Option<String> {
    let mut zone = domain.domain.as_str();
    // A host name of few labels; of the others the last three zones are enough.
    while zone.split('.').count() > 4 {
        zone = zone.split_once('.')?.1;
    }
    while zone.contains('.') {
        let doubled = format!("{name}.{zone}");
        if look(resolver, &doubled, RecordType::TXT).await.is_ok_and(|found| found.contains(&domain.challenge)) {
            return Some(doubled);
        }
        zone = zone.split_once('.')?.1;
    }
    None
}

/// The values of the records of one kind; nothing when there are none.
async fn look(resolver: &TokioResolver, name: &str, kind: RecordType) -> Result<Vec<String>, String> {
    let absolute = Name::from_ascii(format!("{name}.")).map_err(|why| format!("`{name}` cannot be asked for: {why}"))?;
    let failed = |why: String| format!("the question for the {kind} records of `{name}` failed: {why}");
    match resolver.lookup(absolute, kind).await {
        Ok(found) => {
            let values =
                found.answers().iter().filter(|record| record.record_type() == kind).filter_map(|record| match &record.data {
                    RData::TXT(text) => Some(text.txt_data.iter().map(|part| String::from_utf8_lossy(part)).collect()),
                    RData::CNAME(target) => Some(target.0.to_ascii().trim_end_matches('.').to_owned()),
                    RData::A(address) => Some(address.to_string()),
                    RData::AAAA(address) => Some(address.to_string()),
                    _ => None,
                });
            Ok(values.collect())
        }
        Err(NetError::Dns(DnsError::NoRecordsFound(none))) => match none.response_code {
            ResponseCode::NoError | ResponseCode::NXDomain => Ok(Vec::new()),
            other => Err(failed(other.to_string())),
        },
        Err(why) => Err(failed(why.to_string())),
    }
}
