//! Which consumer is it? Kong's word for whoever calls an API, known to the tenant by name.
//!
//! **Enters:** a decided [`Admission`] and the [`Verification`] behind it. **Leaves:** an [`Identification`]: a consumer, a
//! certificate that stands for itself (`skip_consumer_lookup`), or nobody. Refused: [`Refusal::ConsumerUnknown`],
//! [`Refusal::ConsumerGroupDenied`].
//!
//! Only a verified identity is looked up: a name of a certificate that was not accepted never becomes a consumer. The first
//! that fits, in Kong's order (plugins mtls-auth and header-cert-auth); 1 and the lines with * are ours:
//!
//! 1. * the certificate itself: its SHA-256, its key, its issuer and serial number;
//! 2. mapped by hand for a CA that is on the verified path: a subject name, * a URI, * attributes of the subject;
//! 3. mapped by hand for any CA: the same three;
//! 4. a consumer whose `username`, then whose `custom_id`, is a subject name, as far as `consumer_by` says;
//! 5. `default_consumer`;
//! 6. `anonymous`.
//!
//! What a subject name is says [`subject_names`]. A certificate that passed by its thumbprint has only its holder's word for
//! every name in it: for such a one 1 counts without issuer and serial number, then 5 and 6.

mod directory;
mod policy;
mod subject;
pub mod subject_names;
mod variable;

use std::sync::Arc;

use crate::admission::{Admission, Basis};
use crate::presented::{Presentation, PresentedCertificate};
use crate::refusal::{Refusal, Refused};
use crate::verifier::Verification;

pub use directory::{ConsumerDirectory, Credential, Mapping};
pub use policy::{ConsumerBy, ConsumerPolicy, GroupBy, GroupRules, Lookup};
pub use variable::ConsumerVariable;

/// Somebody whom the tenant knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Consumer {
    /// The one name that every consumer has (`X-Consumer-ID`).
    pub id: String,
    /// Another name; certificates may map by it.
    pub username: Option<String>,
    /// The name in another system; certificates may map by it.
    pub custom_id: Option<String>,
    /// What routes allow or deny.
    pub groups: Vec<String>,
    /// For rules; nothing here reads them.
    pub tags: Vec<String>,
}

/// What a consumer was found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FoundBy {
    /// Nothing: authentication failed or found nobody, and the route has somebody for that.
    Anonymous,
    /// `custom_id` is a subject name.
    CustomId,
    /// Nothing: the certificate is trusted, and the route has somebody for all who are not known.
    DefaultConsumer,
    /// A credential with the certificate's issuer and serial number.
    IssuerSerial,
    /// A credential with a URI of its alternative names.
    SanUri,
    /// A credential with its SHA-256.
    Sha256,
    /// A credential with its key.
    SpkiSha256,
    /// A credential with attributes of its subject.
    Subject,
    /// A credential with a subject name.
    SubjectName,
    /// `username` is a subject name.
    Username,
}

impl FoundBy {
    /// The word in logs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::CustomId => "custom_id",
            Self::DefaultConsumer => "default_consumer",
            Self::IssuerSerial => "issuer-serial",
            Self::SanUri => "san_uri",
            Self::Sha256 => "sha256",
            Self::SpkiSha256 => "spki-sha256",
            Self::Subject => "subject",
            Self::SubjectName => "subject_name",
            Self::Username => "username",
        }
    }
}

/// A consumer, and how it was found.
#[derive(Debug, Clone)]
pub struct FoundConsumer {
    consumer: Arc<Consumer>,
    by: FoundBy,
    credential: Option<Arc<str>>,
}

impl FoundConsumer {
    /// The consumer.
    pub fn consumer(&self) -> &Consumer {
        &self.consumer
    }

    /// What it was found by.
    pub fn by(&self) -> FoundBy {
        self.by
    }

    /// The `id` of the credential that mapped it, when that has one.
    pub fn credential(&self) -> Option<&str> {
        self.credential.as_deref()
    }
}

/// A verified certificate that stands for itself: nobody was looked up.
#[derive(Debug, Clone)]
pub struct TrustedCertificate {
    dn: String,
    san: String,
    group: Option<String>,
}

#[derive(Debug, Clone)]
enum Who {
    Consumer(FoundConsumer),
    Certificate(TrustedCertificate),
    Nobody,
}

/// Who a request is from, as the tenant knows it. Only made of an [`Admission`]:
///
/// ```compile_fail
/// use vestibule::consumer::{Consumer, Identification};
/// fn another(consumer: Consumer) -> Identification {
///     Identification { who: consumer }
/// }
/// ```
///
/// ```
/// use vestibule::consumer::{ConsumerPolicy, Identification};
/// use vestibule::{admission::Admission, presented::Presentation, refusal::Refused, verifier::Verification};
/// fn another(who: &Admission, shown: &Presentation, found: Option<&Verification>, policy: &ConsumerPolicy) -> Result<Identification, Refused> {
///     Identification::find(who, shown, found, policy)
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Identification {
    who: Who,
}

impl Identification {
    /// Looks up whom a route's policy asks for.
    ///
    /// # Errors
    /// [`Refusal::ConsumerUnknown`] when nobody fits and the route lets only consumers pass.
    pub fn find(
        admission: &Admission,
        presentation: &Presentation,
        verification: Option<&Verification>,
        policy: &ConsumerPolicy,
    ) -> Result<Self, Refused> {
        let verified = admission.identity().zip(presentation.certificate());
        let who = match (&policy.lookup, verified) {
            (Lookup::Off, _) => Who::Nobody,
            (Lookup::Find { .. } | Lookup::Skip(_), None) => policy.anonymous(),
            (Lookup::Skip(group_by), Some((identity, certificate))) => match identity.basis() {
                Basis::Ca(_) => Who::Certificate(TrustedCertificate::of(certificate, *group_by)),
                Basis::Thumbprint(_) => Who::Nobody,
            },
            (Lookup::Find { directory, consumer_by, san_dirname_matcher }, Some((identity, certificate))) => {
                let leaf = certificate.leaf();
                let found = match (identity.basis(), verification) {
                    (Basis::Ca(_), Some(verification)) => {
                        directory.find(leaf, verification.path(), *consumer_by, san_dirname_matcher)
                    }
                    _ => directory.find_by_thumbprint(leaf),
                };
                found.map(Who::Consumer).map_or_else(|| policy.of_a_stranger(), Ok)?
            }
        };
        Ok(Self { who })
    }

    /// What a route that only watches makes of a refusal: nobody is known.
    pub fn not_enforced(_refused: &Refused) -> Self {
        Self { who: Who::Nobody }
    }

    /// The consumer, if it is one.
    pub fn consumer(&self) -> Option<&FoundConsumer> {
        match &self.who {
            Who::Consumer(found) => Some(found),
            Who::Certificate(_) | Who::Nobody => None,
        }
    }

    /// The group that a certificate stands for where nobody is looked up (`authenticated_group_by`).
    pub fn authenticated_group(&self) -> Option<&str> {
        self.certificate()?.group.as_deref()
    }

    fn certificate(&self) -> Option<&TrustedCertificate> {
        match &self.who {
            Who::Certificate(certificate) => Some(certificate),
            Who::Consumer(_) | Who::Nobody => None,
        }
    }

    /// Whether it stands for itself, and for no group that could be compared.
    fn is_without_group(&self) -> bool {
        self.certificate().is_some_and(|certificate| certificate.group.is_none())
    }

    fn is_in(&self, groups: &[String]) -> bool {
        let of = |group: &str| groups.iter().any(|known| known == group);
        match &self.who {
            Who::Consumer(found) => found.consumer.groups.iter().any(|group| of(group)),
            Who::Certificate(certificate) => certificate.group.as_deref().is_some_and(of),
            Who::Nobody => false,
        }
    }
}

impl ConsumerPolicy {
    fn anonymous(&self) -> Who {
        let known = self.anonymous.as_ref();
        known.map_or(Who::Nobody, |consumer| Who::Consumer(FoundConsumer::without_credential(consumer, FoundBy::Anonymous)))
    }

    /// Of a certificate that is trusted and nobody's.
    fn of_a_stranger(&self) -> Result<Who, Refused> {
        if let Some(consumer) = &self.default_consumer {
            return Ok(Who::Consumer(FoundConsumer::without_credential(consumer, FoundBy::DefaultConsumer)));
        }
        match self.anonymous() {
            Who::Nobody if self.required => {
                Err(Refused::new(Refusal::ConsumerUnknown, "the certificate is trusted, and no consumer is known by it"))
            }
            who => Ok(who),
        }
    }
}

impl FoundConsumer {
    fn without_credential(consumer: &Arc<Consumer>, by: FoundBy) -> Self {
        Self { consumer: Arc::clone(consumer), by, credential: None }
    }
}

impl TrustedCertificate {
    fn of(certificate: &PresentedCertificate, group_by: GroupBy) -> Self {
        let subject = certificate.leaf().subject();
        let dn = subject.rfc2253();
        let group = match group_by {
            GroupBy::CommonName => subject.last_common_name().map(|name| name.text().into_owned()),
            GroupBy::DistinguishedName => Some(dn.clone()),
        };
        // Groups stand in one header, with commas between them: a common name with a comma would be two of them to its reader.
        let is_one = |group: &String| !group.is_empty() && (group_by == GroupBy::DistinguishedName || !group.contains(','));
        let group = group.filter(is_one);
        Self { san: subject_names::header_text(certificate.leaf()), dn, group }
    }
}
