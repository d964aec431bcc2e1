//! The consumers of a tenant, found by hash: 100,000 of them cost a request what one does.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use openssl::x509::X509;

use super::subject::{MOST_SHAPES, NotTaken, SubjectIndex};
use super::subject_names::{subject_names, uris};
use super::{Consumer, ConsumerBy, FoundBy, FoundConsumer};
use crate::admission::registered::CertificateEntry;
use crate::variables::AttributeType;
use crate::x509::certificate::Certificate;

/// What maps a certificate to a consumer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mapping {
    /// The certificate itself.
    Certificate(CertificateEntry),
    /// One of its subject names (Kong's `subject_name`).
    SubjectName(String),
    /// One of the URIs among its alternative names. A SPIFFE ID counts only where it is the only URI.
    SanUri(String),
    /// Attributes of its subject, all of them.
    Subject(Vec<(AttributeType, String)>),
}

/// A mapping, for certificates below one CA or for all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// What upstreams get to know it by (`X-Credential-Identifier`).
    pub id: Option<String>,
    /// What it maps.
    pub mapping: Mapping,
    /// SHA-256 of a CA that must be on the verified path.
    pub ca_certificate: Option<[u8; 32]>,
}

/// A consumer, and the credential that leads to it.
pub(super) struct Credited {
    consumer: Arc<Consumer>,
    credential: Option<Arc<str>>,
}

/// Where a credential stood already.
pub(super) struct Taken;

/// The credentials for one name.
#[derive(Default)]
pub(super) struct Mapped {
    any: Option<Credited>,
    of_ca: BTreeMap<[u8; 32], Credited>,
}

/// Which credentials count.
#[derive(Clone, Copy)]
pub(super) enum Scope<'s> {
    Any,
    /// The CAs of the verified path.
    Of(&'s [[u8; 32]]),
}

impl Mapped {
    pub(super) fn get(&self, scope: Scope<'_>) -> Option<&Credited> {
        match scope {
            Scope::Any => self.any.as_ref(),
            Scope::Of(cas) => cas.iter().find_map(|ca| self.of_ca.get(ca)),
        }
    }

    fn put(&mut self, ca: Option<[u8; 32]>, credited: Credited) -> Result<(), Taken> {
        let before = match ca {
            Some(ca) => self.of_ca.insert(ca, credited),
            None => self.any.replace(credited),
        };
        before.map_or(Ok(()), |_| Err(Taken))
    }
}

/// The consumers of a tenant.
#[derive(Default)]
pub struct ConsumerDirectory {
    by_id: HashMap<String, Arc<Consumer>>,
    by_username: HashMap<String, Arc<Consumer>>,
    by_custom_id: HashMap<String, Arc<Consumer>>,
    certificates: HashMap<CertificateEntry, Credited>,
    issuers_and_serials: bool,
    subject_names: HashMap<String, Mapped>,
    san_uris: HashMap<String, Mapped>,
    subjects: SubjectIndex,
    scoped: bool,
}

impl ConsumerDirectory {
    /// Takes in a consumer with its credentials.
    ///
    /// # Errors
    /// The keys whose values another consumer has already, and what is accepted.
    pub fn add(&mut self, consumer: Consumer, credentials: Vec<Credential>) -> Result<(), Vec<(String, String)>> {
        let consumer = Arc::new(consumer);
        let mut problems = Vec::new();
        let names = [
            ("id", Some(&consumer.id), &mut self.by_id),
            ("username", consumer.username.as_ref(), &mut self.by_username),
            ("custom_id", consumer.custom_id.as_ref(), &mut self.by_custom_id),
        ];
        for (key, name, known) in names {
            let Some(name) = name else { continue };
            if known.insert(name.clone(), Arc::clone(&consumer)).is_some() {
                problems.push((key.to_owned(), format!("two consumers have the {key} `{name}`")));
            }
        }
        for (at, credential) in credentials.into_iter().enumerate() {
            if let Err(not_taken) = self.map(&consumer, credential) {
                let why = match not_taken {
                    NotTaken::Taken => "two credentials map the same certificates".to_owned(),
                    NotTaken::TooManyShapes => format!("`subject`: more than {MOST_SHAPES} sets of attribute types"),
                };
                problems.push((format!("credentials[{at}]"), why));
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    fn map(&mut self, consumer: &Arc<Consumer>, credential: Credential) -> Result<(), NotTaken> {
        let credited = Credited { consumer: Arc::clone(consumer), credential: credential.id.map(Into::into) };
        let ca = credential.ca_certificate;
        self.scoped |= ca.is_some();
        match credential.mapping {
            Mapping::Certificate(entry) => {
                self.issuers_and_serials |= matches!(entry, CertificateEntry::IssuerSerial { .. });
                if self.certificates.insert(entry, credited).is_some() {
                    return Err(NotTaken::Taken);
                }
            }
            Mapping::SubjectName(name) => self.subject_names.entry(name).or_default().put(ca, credited)?,
            Mapping::SanUri(uri) => self.san_uris.entry(uri).or_default().put(ca, credited)?,
            Mapping::Subject(attributes) => {
                let attributes = attributes.into_iter().map(|(kind, value)| (kind.oid().into(), value.into())).collect();
                self.subjects.entry(&attributes)?.put(ca, credited)?;
            }
        }
        Ok(())
    }

    /// Whether there is nobody.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// The consumer with this id, else the one with this username.
    pub fn named(&self, name: &str) -> Option<&Arc<Consumer>> {
        self.by_id.get(name).or_else(|| self.by_username.get(name))
    }

    /// Whom a certificate maps to whose path was verified.
    pub(super) fn find(
        &self,
        leaf: &Certificate,
        path: &[X509],
        consumer_by: ConsumerBy,
        dirname: &[AttributeType],
    ) -> Option<FoundConsumer> {
        let by_certificate = self.find_by_thumbprint(leaf).or_else(|| self.find_by_issuer_and_serial(leaf));
        if by_certificate.is_some() {
            return by_certificate;
        }
        let names = subject_names(leaf, dirname);
        let find = |scope: Scope<'_>| {
            let by_name = names.iter().find_map(|name| self.subject_names.get(name.as_ref())?.get(scope));
            let by_name = by_name.map(|found| found.by(FoundBy::SubjectName));
            let by_uri = || self.find_by_uri(leaf, scope).map(|found| found.by(FoundBy::SanUri));
            let by_subject = || self.subjects.find(leaf.subject(), scope).map(|found| found.by(FoundBy::Subject));
            by_name.or_else(by_uri).or_else(by_subject)
        };
        let of_ca = if self.scoped { find(Scope::Of(&digests(path))) } else { None };
        of_ca.or_else(|| find(Scope::Any)).or_else(|| {
            let named = |names: &HashMap<String, Arc<Consumer>>, name: &str, by| {
                names.get(name).map(|consumer| FoundConsumer::without_credential(consumer, by))
            };
            names.iter().find_map(|name| {
                let username = consumer_by.username.then(|| named(&self.by_username, name, FoundBy::Username)).flatten();
                username.or_else(|| consumer_by.custom_id.then(|| named(&self.by_custom_id, name, FoundBy::CustomId)).flatten())
            })
        })
    }

    /// Whom the certificate itself, or its key, maps to.
    pub(super) fn find_by_thumbprint(&self, leaf: &Certificate) -> Option<FoundConsumer> {
        if self.certificates.is_empty() {
            return None;
        }
        let by_sha256 = self.certificates.get(&CertificateEntry::Sha256(*leaf.sha256()));
        let by_sha256 = by_sha256.map(|found| found.by(FoundBy::Sha256));
        by_sha256.or_else(|| {
            let by_key = self.certificates.get(&CertificateEntry::SpkiSha256(*leaf.spki_sha256()))?;
            Some(by_key.by(FoundBy::SpkiSha256))
        })
    }

    fn find_by_issuer_and_serial(&self, leaf: &Certificate) -> Option<FoundConsumer> {
        // The two texts are only made where somebody asks for them.
        if !self.issuers_and_serials {
            return None;
        }
        Some(self.certificates.get(&CertificateEntry::issuer_serial_of(leaf)?)?.by(FoundBy::IssuerSerial))
    }

    fn find_by_uri(&self, leaf: &Certificate, scope: Scope<'_>) -> Option<&Credited> {
        if self.san_uris.is_empty() {
            return None;
        }
        let uris = uris(leaf);
        let alone = uris.len() == 1;
        uris.iter().filter(|uri| alone || !is_spiffe(uri)).find_map(|uri| self.san_uris.get(*uri)?.get(scope))
    }
}

/// An X.509-SVID has one URI; a certificate with more is none (SPIFFE X.509-SVID §2).
fn is_spiffe(uri: &str) -> bool {
    uri.get(.."spiffe:".len()).is_some_and(|scheme| scheme.eq_ignore_ascii_case("spiffe:"))
}

impl Credited {
    fn by(&self, by: FoundBy) -> FoundConsumer {
        FoundConsumer { consumer: Arc::clone(&self.consumer), by, credential: self.credential.clone() }
    }
}

/// SHA-256 of the CAs of a path, the nearest first.
fn digests(path: &[X509]) -> Vec<[u8; 32]> {
    let digest = |ca: &X509| ca.to_der().ok().map(|der| openssl::sha::sha256(&der));
    path.iter().skip(1).filter_map(digest).collect()
}
