//! What a route asks about consumers.

use std::sync::Arc;

use super::{Consumer, ConsumerDirectory, Identification};
use crate::refusal::{Refusal, Refused};
use crate::variables::AttributeType;

/// Which names of a consumer a subject name is compared with, when no credential maps it (Kong's `consumer_by`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConsumerBy {
    /// `username`, first.
    pub username: bool,
    /// `custom_id`, second.
    pub custom_id: bool,
}

impl Default for ConsumerBy {
    fn default() -> Self {
        Self { username: true, custom_id: true }
    }
}

/// What becomes the group of a certificate that nobody is looked up for (Kong's `authenticated_group_by`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum GroupBy {
    /// The subject's last common name.
    #[default]
    CommonName,
    /// The whole subject, as `ssl_client_s_dn` prints it.
    DistinguishedName,
}

/// Whether and how consumers are looked up.
#[derive(Clone, Default)]
pub enum Lookup {
    /// The tenant has none, or the route looks at no certificate.
    #[default]
    Off,
    /// Among the tenant's consumers.
    Find {
        /// All of them.
        directory: Arc<ConsumerDirectory>,
        /// By which of their names.
        consumer_by: ConsumerBy,
        /// Which attributes of a directoryName among the alternative names are subject names; none means all.
        san_dirname_matcher: Vec<AttributeType>,
    },
    /// Nowhere: a trusted certificate is enough (Kong's `skip_consumer_lookup`).
    Skip(GroupBy),
}

/// The groups that a route lets pass.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupRules {
    /// When there is any, only these pass.
    pub allow: Vec<String>,
    /// These never pass.
    pub deny: Vec<String>,
}

/// What a route asks about consumers.
#[derive(Clone, Default)]
pub struct ConsumerPolicy {
    /// Who is looked up.
    pub lookup: Lookup,
    /// Who a trusted certificate is that nobody is known by.
    pub default_consumer: Option<Arc<Consumer>>,
    /// Who everybody else is.
    pub anonymous: Option<Arc<Consumer>>,
    /// Whether a trusted certificate that nobody is known by is refused.
    pub required: bool,
    /// Which groups pass.
    pub groups: GroupRules,
}

impl GroupRules {
    /// Lets pass whom the groups let pass. To be denied counts more than to be allowed. A certificate that stands for no group is
    /// denied wherever groups are (Kong's acl).
    ///
    /// # Errors
    /// [`Refusal::ConsumerGroupDenied`].
    pub fn check(&self, who: &Identification) -> Result<(), Refused> {
        let denied = |why: &str| Err(Refused::new(Refusal::ConsumerGroupDenied, why));
        if who.is_in(&self.deny) {
            return denied("in a group of `deny_groups`");
        }
        if !self.deny.is_empty() && who.is_without_group() {
            return denied("the certificate stands for no group, and could be one of `deny_groups`");
        }
        if !self.allow.is_empty() && !who.is_in(&self.allow) {
            return denied("in no group of `allow_groups`");
        }
        Ok(())
    }
}
