//! The domains that front doors may ask for, ready for look-up.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use http::{HeaderMap, HeaderName};

use super::contract::Contract;
use super::custom::{CustomContract, CustomDomain, CustomDomains, CustomTemplate};
use super::format::Format;
use super::proof::Proofs;
use crate::header_names::HeaderNames;
use crate::refusal::{Refusal, Refused};
use crate::request_head::{RequestHead, RequestTarget};
use crate::secret::ApiKeys;

/// How the front door's own verdict counts. It never makes ours better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VerdictMode {
    /// Not at all. The recommended nginx has no CA and says `FAILED` to everybody.
    Ignore,
    /// `FAILED` refuses.
    Narrow,
    /// Only `SUCCESS` passes.
    Require,
}

/// What to do when the front door's words and the certificate disagree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForwardedMismatch {
    /// Refuse the request.
    Refuse,
    /// Put it in the log and go on.
    Report,
}

/// How a front door forwards.
#[derive(Debug)]
pub struct FrontDoor {
    /// Its name in the configuration.
    pub name: String,
    /// What proves that a request comes from it; all are required.
    pub proofs: Proofs,
    /// The most bytes of a header that holds certificates.
    pub certificate_header_max: usize,
    /// How its verdict counts.
    pub forwarded_verdict: VerdictMode,
    /// What follows when it contradicts the certificate.
    pub forwarded_mismatch: ForwardedMismatch,
    /// How it writes what it forwards.
    pub format: Format,
    /// Whether it must forward the server name of the handshake, and that must be the host asked for.
    pub require_sni: bool,
}

/// What a [`Domain`] is made of.
pub struct DomainParts {
    /// The host name, lower case.
    pub name: String,
    /// Its other host name, where clients with certificates come to; none when it has one name alone.
    pub mtls_host: Option<String>,
    /// Which of the configuration's tenants it belongs to.
    pub tenant: usize,
    /// The front door that it is reached through.
    pub front_door: Arc<FrontDoor>,
    /// The header names.
    pub contract: Contract,
    /// The keys that prove the front door, when it proves itself by one.
    pub api_keys: Option<ApiKeys>,
    /// The header with the client's address (Auth0 `custom_client_ip_header`).
    pub client_ip_header: HeaderName,
    /// Headers that only we set; a request's own copies are removed.
    pub reserved: HeaderNames<()>,
}

/// By which of its names a domain was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AskedBy {
    /// Its own name.
    Name,
    /// Its mTLS host.
    MtlsHost,
    /// The origin domain name of a custom domain, and nobody said for which of the others its client's handshake was.
    Origin,
}

/// A host name, and what a request for it must bring.
pub struct Domain {
    name: String,
    mtls_host: Option<String>,
    tenant: usize,
    front_door: Arc<FrontDoor>,
    contract: Arc<Contract>,
    api_keys: Option<ApiKeys>,
    custom: Option<Arc<CustomDomain>>,
    client_ip_header: HeaderName,
    reserved: Arc<HeaderNames<()>>,
}

impl Domain {
    /// A domain of its parts.
    pub fn new(parts: DomainParts) -> Self {
        let DomainParts { name, mtls_host, tenant, front_door, contract, api_keys, client_ip_header, reserved } = parts;
        let (contract, reserved) = (Arc::new(contract), Arc::new(reserved));
        Self { name, mtls_host, tenant, front_door, contract, api_keys, custom: None, client_ip_header, reserved }
    }

    /// A custom domain, whose keys are its own.
    pub(super) fn of_custom(
        custom: Arc<CustomDomain>,
        mtls_host: Option<String>,
        template: &CustomTemplate,
        shared: &CustomContract,
    ) -> Self {
        Self {
            name: custom.name().to_owned(),
            mtls_host,
            tenant: template.tenant,
            front_door: Arc::clone(&template.front_door),
            contract: Arc::clone(&shared.contract),
            api_keys: None,
            custom: Some(custom),
            client_ip_header: shared.client_ip_header.clone(),
            reserved: Arc::clone(&shared.reserved),
        }
    }

    /// The host name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its other host name, where clients with certificates come to.
    pub fn mtls_host(&self) -> Option<&str> {
        self.mtls_host.as_deref()
    }

    /// Which tenant it belongs to.
    pub fn tenant(&self) -> usize {
        self.tenant
    }

    /// The front door that it is reached through.
    pub fn front_door(&self) -> &FrontDoor {
        &self.front_door
    }

    /// The names of the headers that its front door sends.
    pub fn contract(&self) -> &Contract {
        &self.contract
    }

    pub(super) fn api_keys(&self) -> Option<&ApiKeys> {
        self.api_keys.as_ref()
    }

    /// What is its own, when it is a custom domain.
    pub fn custom(&self) -> Option<&CustomDomain> {
        self.custom.as_deref()
    }

    /// By which name a host that found this domain asks for it.
    pub(super) fn asked_by(&self, host: &str) -> AskedBy {
        if host == self.name {
            AskedBy::Name
        } else if self.mtls_host() == Some(host) {
            AskedBy::MtlsHost
        } else {
            AskedBy::Origin
        }
    }

    pub(super) fn client_ip_header(&self) -> &HeaderName {
        &self.client_ip_header
    }

    /// Removes the request's own copies of headers that only we set, under any alias.
    pub(super) fn remove_reserved(&self, headers: &mut HeaderMap) {
        let reserved: Vec<HeaderName> =
            headers.keys().filter(|name| self.reserved.find(name.as_str()).is_some()).cloned().collect();
        for name in &reserved {
            headers.remove(name);
        }
    }
}

impl std::fmt::Debug for Domain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Domain").field("name", &self.name).finish_non_exhaustive()
    }
}

/// How large a request head may be.
#[derive(Debug, Clone, Copy)]
pub struct HeadLimits {
    /// Header lines.
    pub header_count: usize,
    /// Bytes of all names and values.
    pub header_bytes: usize,
    /// Whether a path may have parameters (`/a;b=c`).
    pub allow_path_parameters: bool,
}

impl HeadLimits {
    pub(super) fn check_target(&self, target: &RequestTarget) -> Result<(), Refused> {
        if target.has_path_parameters() && !self.allow_path_parameters {
            let cause = "request target: a `;` in the path, which Java servers cut off; see limits.allow_path_parameters";
            return Err(Refused::new(Refusal::RequestTargetInvalid, cause));
        }
        Ok(())
    }

    pub(super) fn check(&self, head: &RequestHead) -> Result<(), Refused> {
        self.check_target(&head.target)?;
        let headers = &head.headers;
        let too_large = |what: String| Err(Refused::new(Refusal::RequestHeadTooLarge, what));
        if headers.len() > self.header_count {
            return too_large(format!("{} header lines; {} are allowed", headers.len(), self.header_count));
        }
        let bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
        if bytes > self.header_bytes {
            return too_large(format!("{bytes} bytes of headers; {} are allowed", self.header_bytes));
        }
        Ok(())
    }
}

/// Every host name that we answer for. A look-up costs the same with one domain and with many.
#[derive(Debug)]
pub struct Directory {
    limits: HeadLimits,
    by_host: HashMap<String, Arc<Domain>>,
    template: Option<CustomTemplate>,
    custom: Option<Arc<CustomDomains>>,
}

impl Directory {
    /// An empty directory.
    pub fn new(limits: HeadLimits) -> Self {
        Self { limits, by_host: HashMap::new(), template: None, custom: None }
    }

    /// Makes a domain known under a host name.
    ///
    /// # Errors
    /// The domain that has this name already.
    pub fn add(&mut self, host: &str, domain: Arc<Domain>) -> Result<(), Arc<Domain>> {
        match self.by_host.entry(host.to_ascii_lowercase()) {
            Entry::Occupied(taken) => Err(Arc::clone(taken.get())),
            Entry::Vacant(free) => {
                free.insert(domain);
                Ok(())
            }
        }
    }

    /// Says what custom domains have in common. They are known once they are attached.
    pub fn set_template(&mut self, template: CustomTemplate) {
        self.template = Some(template);
    }

    /// Makes custom domains known beside our own, which come first.
    pub fn attach(&mut self, domains: &Arc<CustomDomains>) {
        self.custom = Some(Arc::clone(domains));
    }

    /// Which of the configuration's tenants custom domains belong to, when there may be any.
    pub fn custom_tenant(&self) -> Option<usize> {
        self.template.as_ref().map(|template| template.tenant)
    }

    /// The domain of the configuration that has a host name, in lower case.
    pub fn configured(&self, host: &str) -> Option<&Arc<Domain>> {
        self.by_host.get(host)
    }

    pub(super) fn limits(&self) -> HeadLimits {
        self.limits
    }

    /// Every host name, in no order, with its domain.
    pub fn hosts(&self) -> impl Iterator<Item = (&str, &Arc<Domain>)> {
        self.by_host.iter().map(|(host, domain)| (host.as_str(), domain))
    }

    /// The domain with this host name. Case does not matter.
    pub fn find(&self, host: &str) -> Option<Arc<Domain>> {
        if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return self.find(&host.to_ascii_lowercase());
        }
        self.by_host.get(host).cloned().or_else(|| self.template.as_ref()?.find(self.custom.as_ref()?, host))
    }
}
