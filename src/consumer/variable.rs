//! What rules and upstream headers may ask of a consumer.

use std::borrow::Cow;

use super::{FoundBy, Identification};

/// A variable about the consumer; empty without one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConsumerVariable {
    /// The group of a certificate that nobody is looked up for.
    AuthenticatedGroup,
    /// The subject of a certificate that nobody is looked up for.
    ClientCertDn,
    /// Its alternative names.
    ClientCertSan,
    /// `true` when it is the `anonymous` consumer.
    Anonymous,
    /// `custom_id`.
    CustomId,
    /// `groups`, a list.
    Groups,
    /// `id`.
    Id,
    /// `tags`, a list.
    Tags,
    /// `username`.
    Username,
    /// The `id` of the credential.
    CredentialIdentifier,
}

impl ConsumerVariable {
    /// Every one with its name.
    pub const ALL: [(Self, &'static str); 10] = [
        (Self::AuthenticatedGroup, "authenticated_group"),
        (Self::ClientCertDn, "client_cert_dn"),
        (Self::ClientCertSan, "client_cert_san"),
        (Self::Anonymous, "consumer_anonymous"),
        (Self::CustomId, "consumer_custom_id"),
        (Self::Groups, "consumer_groups"),
        (Self::Id, "consumer_id"),
        (Self::Tags, "consumer_tags"),
        (Self::Username, "consumer_username"),
        (Self::CredentialIdentifier, "credential_identifier"),
    ];

    /// Kong's upstream headers, each with its value.
    pub const UPSTREAM_HEADERS: [(&'static str, Self); 9] = [
        ("x-consumer-id", Self::Id),
        ("x-consumer-custom-id", Self::CustomId),
        ("x-consumer-username", Self::Username),
        ("x-consumer-groups", Self::Groups),
        ("x-credential-identifier", Self::CredentialIdentifier),
        ("x-anonymous-consumer", Self::Anonymous),
        ("x-authenticated-groups", Self::AuthenticatedGroup),
        ("x-client-cert-dn", Self::ClientCertDn),
        ("x-client-cert-san", Self::ClientCertSan),
    ];

    /// Finds a variable by its name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(variable, _)| *variable)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(variable, _)| *variable == self).map_or("", |(_, name)| name)
    }

    /// Whether it may have several values.
    pub fn is_list(self) -> bool {
        matches!(self, Self::Groups | Self::Tags)
    }

    /// Its values.
    pub fn values(self, who: &Identification) -> Vec<Cow<'_, str>> {
        match self {
            Self::Groups | Self::Tags => {
                let Some(found) = who.consumer() else { return Vec::new() };
                let list = if self == Self::Groups { &found.consumer().groups } else { &found.consumer().tags };
                list.iter().map(|one| Cow::Borrowed(one.as_str())).collect()
            }
            _ => Some(self.text(who)).filter(|text| !text.is_empty()).into_iter().collect(),
        }
    }

    /// Its value as one text; a list is joined as Kong joins groups.
    pub fn text(self, who: &Identification) -> Cow<'_, str> {
        let (found, certificate) = (who.consumer(), who.certificate());
        let text = match self {
            Self::AuthenticatedGroup => who.authenticated_group(),
            Self::ClientCertDn => certificate.map(|certificate| certificate.dn.as_str()),
            Self::ClientCertSan => certificate.map(|certificate| certificate.san.as_str()),
            Self::Anonymous => found.filter(|found| found.by() == FoundBy::Anonymous).map(|_| "true"),
            Self::CustomId => found.and_then(|found| found.consumer().custom_id.as_deref()),
            Self::Id => found.map(|found| found.consumer().id.as_str()),
            Self::Username => found.and_then(|found| found.consumer().username.as_deref()),
            Self::CredentialIdentifier => found.and_then(|found| found.credential()),
            Self::Groups => return found.map(|found| found.consumer().groups.join(", ").into()).unwrap_or_default(),
            Self::Tags => return found.map(|found| found.consumer().tags.join(", ").into()).unwrap_or_default(),
        };
        Cow::Borrowed(text.unwrap_or_default())
    }
}
