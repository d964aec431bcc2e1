//! Kong's declarative configuration as a configuration folder.
//!
//! Pure: a document in, files and remarks out. **A route whose guard cannot be carried over whole is closed**: it stands there and
//! leads nowhere, so that no broader route takes its requests. A request that only Kong could tell apart is refused by a rule.

mod auth;
mod authority;
mod consumers_file;
mod document;
mod entity;
mod guard;
mod person;
mod plan;
mod policy;
mod route;
mod service;
mod tenant;
mod upstream;
mod write;

use std::collections::BTreeSet;

use serde_json::Value;

use self::auth::Auth;
use self::guard::{Acl, Role};
use self::tenant::Made;
use self::write::{Door, ProcessFile};
use super::folder::{Import, NewFile};
use super::remark::Report;

/// What the file does not say.
#[derive(Debug, Default)]
pub struct Options {
    /// Hosts beside those that routes name.
    pub domains: Vec<String>,
    /// The format of the front door; none means the one that takes Kong's place.
    pub front_door: Option<String>,
    /// Hosts of lists and OCSP responders.
    pub revocation_hosts: Vec<String>,
}

/// Converts a declarative configuration. `source` is its name in remarks.
///
/// # Errors
/// When it is none, or nothing of it could be served.
pub fn convert(source: &str, json: &Value, options: &Options) -> Result<Import, String> {
    let mut report = Report::default();
    let mut document = document::read(source, json, &mut report)?;
    let mut roles = guard::roles(&document.plugins, &mut report);
    let acls: Vec<&Acl> = roles.iter().filter_map(|role| if let Role::Acl(acl) = role { Some(acl) } else { None }).collect();
    let counted = policy::consumer_groups(&document.people, &acls);
    for role in &mut roles {
        if let Role::Acl(acl) = role {
            acl.settle(&counted);
        }
    }
    let auths = || roles.iter().filter_map(|role| if let Role::Auth(auth) = role { Some(auth.as_ref()) } else { None });
    document.people.settle(&counted, &mut report);
    if auths().next().is_some() {
        let text = "certificates need the purpose clientAuth, RSA keys of 2048 bits and signatures better than SHA-1, and CAs must be \
                    as RFC 5280 has them; Kong documents no such checks (`allow_missing_eku`, `x509_strict`)";
        report.stronger(source, text);
    }
    for auth in auths() {
        policy::lost_names(auth, &document.people, &mut report);
        policy::revocation(auth, &options.revocation_hosts, &mut report);
    }
    let hosts = plan::hosts(source, &document, &options.domains, &mut report);
    if hosts.is_empty() {
        return Err("holds no route that could be served".into());
    }
    let mut files = Vec::new();
    let mut made = Made::default();
    for (at, hosts) in hosts.iter().enumerate() {
        let name = tenant::name(at, &hosts.names);
        let tenant = tenant::make(name, hosts, &document, &roles, options, &mut made, &mut report);
        files.push(write::tenant(source, &tenant));
    }
    for kind in &made.kinds {
        files.push(NewFile::new(write::consumers_path(*kind), document.people.write(*kind, &counted)));
    }
    for authority in &document.authorities {
        // Two ids may have one certificate.
        if let Some(path) = made.authorities.remove(&authority.sha256) {
            files.push(NewFile::new(path, authority.pem.as_str()));
        }
    }
    let own_tls = made.doors.iter().any(|door| matches!(door, Door::OwnTls { .. }));
    let front_doors = made.doors.iter().any(|door| !matches!(door, Door::OwnTls { .. }));
    let certificates = certificates(source, &document.certificates, own_tls, &mut files, &mut report);
    let revocation = fetching(&auths().collect::<Vec<_>>(), &mut report);
    files.push(write::process(source, &ProcessFile { certificates, own_tls, front_doors, revocation }));
    files.append(&mut made.files);
    if front_doors {
        let text = "`cname_api_keys` of [[domains]]: `vestibule keygen --config FOLDER` makes the front door's key and its tag";
        report.blank(source, text);
    }
    let unused = document.people.consumers.is_empty() || !made.kinds.is_empty();
    if !unused {
        report.left_out(source, "the consumers: no route looks any up");
    }
    let (routes, closed) = (made.routes, made.closed);
    let summary = format!(
        "{} tenants, {routes} routes of which {closed} closed, {} consumers",
        hosts.len(),
        if made.kinds.is_empty() { 0 } else { document.people.consumers.len() }
    );
    Ok(Import { files, remarks: report.remarks, summary })
}

/// The gateway's own certificates, where handshakes are ours.
fn certificates(
    source: &str,
    all: &[authority::ServerCertificate],
    own_tls: bool,
    files: &mut Vec<NewFile>,
    report: &mut Report,
) -> Vec<(String, String)> {
    if !own_tls {
        if !all.is_empty() {
            report.left_out(source, "`certificates`: the front door shows them now; it has to have them");
        }
        return Vec::new();
    }
    let mut pairs = Vec::new();
    for (at, certificate) in all.iter().enumerate() {
        let (chain, key) = (format!("tls/server-{}.pem", at + 1), format!("tls/server-{}.key", at + 1));
        files.push(NewFile::new(&chain, certificate.chain.as_str()));
        files.push(NewFile::secret(&key, certificate.key.clone()));
        pairs.push((chain, key));
    }
    if pairs.is_empty() {
        report.blank(
            source,
            "`tls/server.pem` and `tls/server.key`: the file holds no `certificates` for our own handshakes; make the \
                              folder `tls` for them",
        );
        pairs.push(("tls/server.pem".into(), "tls/server.key".into()));
    }
    pairs
}

/// What holds for every fetch here, and for each plugin there.
fn fetching(auths: &[&Auth], report: &mut Report) -> policy::Keys {
    let mut keys = policy::Keys::new();
    let asking = || auths.iter().filter(|auth| auth.revocation_check_mode != "SKIP");
    let timeouts: BTreeSet<u64> = asking().filter_map(|auth| auth.http_timeout).collect();
    if let Some(shortest) = timeouts.first() {
        keys.push(("http_timeout", format!("{}ms", (*shortest).max(1)).into()));
    }
    let proxies = |of: fn(&Auth) -> Option<&String>| asking().map(|auth| of(auth).cloned()).collect::<BTreeSet<_>>();
    let (http, https) = (proxies(|auth| auth.http_proxy.as_ref()), proxies(|auth| auth.https_proxy.as_ref()));
    for (key, all) in [("http_proxy", &http), ("https_proxy", &https)] {
        if let Some(proxy) = all.iter().flatten().next() {
            keys.push((key, proxy.as_str().into()));
        }
    }
    if timeouts.len() > 1 || http.len() > 1 || https.len() > 1 {
        let text = "`http_timeout` and proxies are the same for all routes here: the shortest time and one proxy are taken";
        report.left_out("revocation", text);
    }
    if asking().any(|auth| auth.http_timeout.is_none()) && timeouts.is_empty() {
        report.note("revocation", "`http_timeout` is 5 seconds when nothing is said; Kong's is 30");
    }
    keys
}
