//! What a front door of the configuration must do, whatever product it is.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use http::HeaderName;

use super::Product;
use super::word::Word;
use crate::config::{Listen, Loaded};
use crate::consumer::ConsumerVariable;
use crate::front_door::{ContractHeader, Domain, Format, VerdictMode};
use crate::header_names::fold;
use crate::identity_headers::DEFAULT_HEADERS;
use crate::journey::Tenant;
use crate::oauth::{CLIENT_ID_HEADER, CLIENT_METHOD_HEADER};
use crate::presented::MAX_CHAIN;

/// Which host names ask clients for a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// Every name of a domain that has a route which looks at certificates.
    Needed,
    /// The `mtls.` aliases alone: browsers are not asked on the domain's own name.
    Aliases,
}

/// An address to listen on: a port of all addresses, or of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListenAt {
    /// The address; none means all.
    pub address: Option<IpAddr>,
    /// The port.
    pub port: u16,
}

impl FromStr for ListenAt {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let of_all = |port| Self { address: None, port };
        let of_one = |one: SocketAddr| Self { address: Some(one.ip()), port: one.port() };
        let read = text.parse().map(of_all).or_else(|_| text.parse().map(of_one));
        read.ok().filter(|read| read.port != 0).ok_or_else(|| "accepted: a port, or \"address:port\"".to_owned())
    }
}

/// `443` or `127.0.0.1:443`.
impl fmt::Display for ListenAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            None => write!(f, "{}", self.port),
            Some(address) => SocketAddr::new(address, self.port).fmt(f),
        }
    }
}

/// What the command line says besides the configuration.
#[derive(Debug, Clone)]
pub struct Options {
    /// The tenant that the front door belongs to; needed when several have one of that name.
    pub tenant: Option<String>,
    /// The folder where the files will stand. Relative names start here.
    pub folder: PathBuf,
    /// The server certificate with its chain; `{domain}` stands for the domain's name.
    pub certificate: String,
    /// Its key.
    pub key: String,
    /// CAs of the clients, for products that do not ask for certificates without.
    pub client_ca: String,
    /// The file that holds the front door's secrets.
    pub secrets: String,
    /// Where to listen for TLS.
    pub listen: ListenAt,
    /// Where to listen for plain HTTP, which is sent to TLS.
    pub listen_http: ListenAt,
    /// Where nginx listens as a proxy that asks Vestibule.
    pub listen_asking: ListenAt,
    /// The application behind that proxy.
    pub application: SocketAddr,
    /// Where Vestibule listens; none takes the first listener of the configuration.
    pub vestibule: Option<Listen>,
    /// Which host names ask for a certificate.
    pub ask: Ask,
    /// The user to run as once the ports are open; none takes the product's own.
    pub user: Option<String>,
}

/// A domain as its front door serves it.
pub(super) struct Site {
    pub(super) domain: Word,
    pub(super) certificate: Word,
    pub(super) key: Word,
    /// The names that ask clients for a certificate.
    pub(super) asking: Vec<Word>,
    /// The names that do not.
    pub(super) silent: Vec<Word>,
}

impl Site {
    pub(super) fn hosts(&self) -> impl Iterator<Item = &Word> {
        self.asking.iter().chain(&self.silent)
    }
}

/// The endpoint for subrequests, and what an application behind an asking proxy gets to know.
pub(super) struct Asking {
    pub(super) path: Word,
    pub(super) uri_header: Word,
    pub(super) method_header: Word,
    /// Headers that Vestibule answers with.
    pub(super) told: Vec<Word>,
    /// Headers that only rules set, in proxy mode, and those that an application may believe although nobody sets them.
    pub(super) of_rules: Vec<Word>,
    pub(super) listen: ListenAt,
    pub(super) application: SocketAddr,
}

/// How requests are signed.
pub(super) struct Signing {
    pub(super) label: Word,
    pub(super) keyid: Word,
    pub(super) tag: Option<Word>,
    /// The file with the key.
    pub(super) key_file: Word,
}

/// What a front door must do.
pub struct Plan {
    pub(super) name: Word,
    /// How it forwards.
    pub(super) format: Format,
    pub(super) sites: Vec<Site>,
    pub(super) folder: Word,
    pub(super) client_ca: Word,
    pub(super) secrets: Word,
    pub(super) listen: ListenAt,
    pub(super) listen_http: ListenAt,
    pub(super) vestibule: Listen,
    /// How long an idle connection to Vestibule is kept: shorter than Vestibule keeps it.
    pub(super) keep_alive: u64,
    /// The contract's headers, the key first.
    pub(super) contract: Vec<(ContractHeader, Word)>,
    /// Every other name to strip: aliases of the contract's, and what says which request is meant.
    pub(super) strip: Vec<Word>,
    /// Whether the key is one of the proofs.
    pub(super) sends_key: bool,
    pub(super) signing: Option<Signing>,
    pub(super) asking: Option<Asking>,
    pub(super) user: Option<Word>,
}

/// Headers that say where a request came from or which one is meant: only a front door may. RFC 7239, and what ForwardAuth of
/// Traefik and Caddy send.
const ABOUT_THE_REQUEST: [&str; 9] = [
    "forwarded",
    "x-forwarded-uri",
    "x-forwarded-method",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-prefix",
    "x-forwarded-server",
    "x-forwarded-client-cert",
    "x-request-id",
];

/// Auth0's names for the client's address: a client must not be able to say any of them.
const ADDRESSES: [&str; 5] = ["x-real-ip", "x-forwarded-for", "true-client-ip", "cf-connecting-ip", "x-azure-clientip"];

impl Plan {
    /// The plan of a front door.
    ///
    /// # Errors
    /// What is missing or cannot be written, and what to change.
    pub fn of(name: &str, loaded: &Loaded, options: &Options) -> Result<Self, String> {
        let (tenant, position) = tenant_with(name, loaded, options.tenant.as_deref())?;
        let domains = domains_of(name, position, loaded);
        let Some(first) = domains.values().next().map(|(domain, _)| *domain) else {
            return Err(format!("no domain is reached through the front door `{name}`: name it in [[domains]]"));
        };
        if first.front_door().forwarded_verdict != VerdictMode::Ignore {
            return Err("a generated front door has no CA to judge by and says FAILED to everybody: \
                        set forwarded_verdict = \"ignore\""
                .to_owned());
        }
        let contract = contract_of(&domains)?;
        let asking = asking_of(tenant, options)?;
        let signing = signing_of(first, &contract, options)?;
        let mut sites = Vec::new();
        for (domain, hosts) in domains.values() {
            sites.push(site(domain, hosts, tenant, options)?);
        }
        if options.ask == Ask::Aliases && sites.iter().all(|site| site.asking.is_empty()) {
            return Err("there is no mtls. alias, so that nobody would be asked for a certificate: \
                        set enable_mtls_endpoint_aliases = true, or ask on all names"
                .to_owned());
        }
        Ok(Self {
            name: Word::parse("the front door's name", name)?,
            format: first.front_door().format.clone(),
            sites,
            folder: path_word("the folder", &options.folder, "")?,
            client_ca: path_word("the file of the clients' CAs", &options.folder, &options.client_ca)?,
            secrets: path_word("the file of secrets", &options.folder, &options.secrets)?,
            listen: options.listen,
            listen_http: options.listen_http,
            vestibule: vestibule(loaded, options)?,
            keep_alive: shorter(loaded.process.keep_alive),
            strip: strip(&contract, first.contract().numbered(), asking.as_ref(), signing.is_some())?,
            sends_key: first.front_door().proofs.need_api_keys(),
            signing,
            contract,
            asking,
            user: options.user.as_deref().map(|user| Word::parse("the user", user)).transpose()?,
        })
    }

    /// The product whose own words the front door's format is.
    pub fn own_product(&self) -> Product {
        Product::of_format(&self.format)
    }

    /// What follows the host name in a redirect to TLS.
    pub(super) fn port_suffix(&self) -> String {
        if self.listen.port == 443 { String::new() } else { format!(":{}", self.listen.port) }
    }

    /// The name of a contract header.
    pub(super) fn name_of(&self, wanted: ContractHeader) -> Option<&Word> {
        self.contract.iter().find(|(meaning, _)| *meaning == wanted).map(|(_, name)| name)
    }

    /// Every name that a client must not get through: of the contract, and the others.
    pub(super) fn all_stripped(&self) -> impl Iterator<Item = &Word> {
        self.contract.iter().map(|(_, name)| name).chain(&self.strip)
    }

    /// A regular expression without anchors for every contract name and its aliases.
    pub(super) fn contract_pattern(&self) -> String {
        let folded: BTreeSet<String> =
            self.contract.iter().map(|(_, name)| fold(name.as_str()).replace('-', "[-_.]")).collect();
        folded.into_iter().collect::<Vec<_>>().join("|")
    }
}

fn tenant_with<'l>(name: &str, loaded: &'l Loaded, wanted: Option<&str>) -> Result<(&'l Tenant, usize), String> {
    let tenants = &loaded.snapshot.tenants;
    let has_door = |position: usize| {
        loaded.snapshot.directory.hosts().any(|(_, domain)| domain.tenant() == position && domain.front_door().name == name)
    };
    let mut with_door = Vec::new();
    for (position, tenant) in tenants.iter().enumerate() {
        if wanted.is_none_or(|wanted| wanted == tenant.name) && has_door(position) {
            with_door.push((tenant, position));
        }
    }
    match with_door.as_slice() {
        [one] => Ok(*one),
        [] => {
            let doors: BTreeSet<String> = loaded
                .snapshot
                .directory
                .hosts()
                .filter_map(|(_, domain)| {
                    Some(format!("`{}` of tenant `{}`", domain.front_door().name, tenants.get(domain.tenant())?.name))
                })
                .collect();
            let of = wanted.map(|tenant| format!(" of tenant `{tenant}`")).unwrap_or_default();
            let known = doors.into_iter().collect::<Vec<_>>().join(", ");
            Err(format!("no domain is reached through a front door `{name}`{of}; there is {known}"))
        }
        several => {
            let names: Vec<&str> = several.iter().map(|(tenant, _)| tenant.name.as_str()).collect();
            Err(format!("several tenants have a front door `{name}`; say which with --tenant: {}", names.join(", ")))
        }
    }
}

/// The domains of a front door with all their host names, by name.
fn domains_of<'l>(name: &str, tenant: usize, loaded: &'l Loaded) -> BTreeMap<&'l str, (&'l Domain, BTreeSet<&'l str>)> {
    let mut domains = BTreeMap::new();
    for (host, domain) in loaded.snapshot.directory.hosts() {
        if domain.tenant() == tenant && domain.front_door().name == name {
            let (_, hosts) = domains.entry(domain.name()).or_insert_with(|| (domain.as_ref(), BTreeSet::new()));
            hosts.insert(host);
        }
    }
    domains
}

/// The contract's headers of all domains: they share all names but that of the client's address.
fn contract_of(domains: &BTreeMap<&str, (&Domain, BTreeSet<&str>)>) -> Result<Vec<(ContractHeader, Word)>, String> {
    let mut headers: Vec<(ContractHeader, Word)> = Vec::new();
    for (domain, _) in domains.values() {
        for (meaning, name) in domain.contract().headers() {
            let name = Word::parse("the header name", name.as_str())?;
            if !headers.iter().any(|(_, known)| *known == name) {
                headers.push((meaning, name));
            }
        }
    }
    Ok(headers)
}

fn site(domain: &Domain, hosts: &BTreeSet<&str>, tenant: &Tenant, options: &Options) -> Result<Site, String> {
    let asks = |host: &str| match options.ask {
        Ask::Needed => tenant.looks_at_certificates(),
        Ask::Aliases => host != domain.name(),
    };
    let (mut asking, mut silent) = (Vec::new(), Vec::new());
    for host in hosts {
        let list = if asks(host) { &mut asking } else { &mut silent };
        list.push(Word::parse("the host name", host)?);
    }
    let place = |what: &str, pattern: &str| path_word(what, &options.folder, &pattern.replace("{domain}", domain.name()));
    Ok(Site {
        domain: Word::parse("the domain", domain.name())?,
        certificate: place("the certificate's file", &options.certificate)?,
        key: place("the key's file", &options.key)?,
        asking,
        silent,
    })
}

fn asking_of(tenant: &Tenant, options: &Options) -> Result<Option<Asking>, String> {
    let Some(endpoint) = &tenant.authorize else { return Ok(None) };
    let word = |name: &HeaderName| Word::parse("the header name", name.as_str());
    let told = tenant.rules.upstream_headers.iter().map(|(name, _)| name).chain(tenant.identity.header_names());
    let told = told.map(word).collect::<Result<Vec<_>, _>>()?;
    let mut of_rules = Vec::new();
    // The application may believe Kong's headers and ours, also where we set none of them.
    let of_consumers = ConsumerVariable::UPSTREAM_HEADERS.iter().map(|(name, _)| HeaderName::from_static(name));
    let fixed =
        of_consumers.chain(DEFAULT_HEADERS.map(HeaderName::from_static)).chain([CLIENT_ID_HEADER, CLIENT_METHOD_HEADER]);
    let fixed: Vec<HeaderName> = fixed.collect();
    for name in tenant.rules.header_names().chain(&fixed) {
        let name = word(name)?;
        if !told.contains(&name) && !of_rules.contains(&name) {
            of_rules.push(name);
        }
    }
    Ok(Some(Asking {
        path: Word::parse("authorize.path", &endpoint.path)?,
        uri_header: word(&endpoint.original_uri_header)?,
        method_header: word(&endpoint.original_method_header)?,
        told,
        of_rules,
        listen: options.listen_asking,
        application: options.application,
    }))
}

/// A signature with the last of the front door's keys: it is the new one while keys are rotated.
fn signing_of(domain: &Domain, contract: &[(ContractHeader, Word)], options: &Options) -> Result<Option<Signing>, String> {
    let Some(proof) = domain.front_door().proofs.signature() else { return Ok(None) };
    let always_sent = |name: &str| {
        let always = [ContractHeader::Verdict, ContractHeader::Presented, ContractHeader::ClientAddress];
        contract.iter().any(|(meaning, known)| known.as_str() == name && always.contains(meaning))
    };
    if let Some(other) = proof.components.iter().find(|name| !always_sent(name.as_str())) {
        return Err(format!("a generated front door does not always send `{other}`: take it out of signature_components"));
    }
    let key = proof.keys.last().ok_or("the signature has no key")?;
    Ok(Some(Signing {
        label: Word::parse("signature_label", &proof.label)?,
        keyid: Word::parse("the keyid", &key.keyid)?,
        tag: proof.tag.as_deref().map(|tag| Word::parse("signature_tag", tag)).transpose()?,
        key_file: path_word("the file of secrets", &options.folder, &format!("{}.signature", options.secrets))?,
    }))
}

/// An absolute path, so that no product reads it from another folder than the next one does.
fn path_word(what: &str, folder: &Path, name: &str) -> Result<Word, String> {
    let path = if name.is_empty() { folder.to_owned() } else { folder.join(name) };
    let plain = path.components().all(|part| matches!(part, Component::RootDir | Component::Normal(_)));
    if !path.is_absolute() || !plain {
        return Err(format!("{what} `{}` is no absolute path without `..`", path.display()));
    }
    let text = path.to_str().ok_or_else(|| format!("{what} `{}` is not text", path.display()))?;
    Word::parse(what, text)
}

fn vestibule(loaded: &Loaded, options: &Options) -> Result<Listen, String> {
    let listen = options.vestibule.as_ref().or(loaded.process.listen.first());
    match listen {
        Some(Listen::Tcp(address)) if address.ip().is_unspecified() => Err(format!(
            "Vestibule listens on all addresses ({address}): say with --vestibule-address which one the front door connects to"
        )),
        Some(Listen::Unix(path)) => {
            path_word("Vestibule's socket", path, "").map(|word| Listen::Unix(PathBuf::from(word.as_str())))
        }
        Some(listen) => Ok(listen.clone()),
        None => Err("Vestibule listens nowhere: set server.listen".to_owned()),
    }
}

/// Four fifths, so that no request meets a connection that is just being closed.
fn shorter(keep_alive: Duration) -> u64 {
    (keep_alive.as_secs() * 4 / 5).max(1)
}

/// A contract name in the spellings that programs take for each other, and the names that say which request is meant.
fn strip(
    contract: &[(ContractHeader, Word)],
    numbered: Option<&str>,
    asking: Option<&Asking>,
    signs: bool,
) -> Result<Vec<Word>, String> {
    let mut names: Vec<String> = Vec::new();
    for (_, name) in contract {
        let folded = fold(name.as_str()).into_owned();
        names.extend([folded.replace('-', "_"), folded.replace('-', "."), folded]);
    }
    // No front door of ours sends the chain: it is gone when a session is resumed.
    names.extend(numbered.into_iter().flat_map(|prefix| (0..=MAX_CHAIN).map(move |number| format!("{prefix}{number}"))));
    if signs {
        names.extend(["signature".to_owned(), "signature-input".to_owned()]);
    }
    names.extend(ABOUT_THE_REQUEST.iter().chain(&ADDRESSES).map(|name| (*name).to_owned()));
    if let Some(asking) = asking {
        names.extend([asking.uri_header.as_str().to_owned(), asking.method_header.as_str().to_owned()]);
    }
    let mut words: Vec<Word> = Vec::new();
    for name in names {
        let word = Word::parse("the header name", &name)?;
        if !words.contains(&word) && !contract.iter().any(|(_, known)| *known == word) {
            words.push(word);
        }
    }
    Ok(words)
}
