//! What is stored of a custom domain.

use std::collections::BTreeMap;

use crate::clock::UnixTime;
use crate::secret::Tag;

/// Where a domain is in its life (Auth0 `status`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Its record of DNS was not found yet.
    PendingVerification,
    /// It is verified and has keys.
    Ready,
    /// Nobody set the record in time.
    Failed,
}

impl Status {
    const ALL: [(Self, &'static str); 3] =
        [(Self::PendingVerification, "pending_verification"), (Self::Ready, "ready"), (Self::Failed, "failed")];

    /// Auth0's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::PendingVerification => "pending_verification",
            Self::Ready => "ready",
            Self::Failed => "failed",
        }
    }

    pub(super) fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == word).map(|(status, _)| *status)
    }
}

/// A custom domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainRecord {
    /// `cd_` and 16 letters and digits.
    pub id: String,
    /// The host name, lower case.
    pub domain: String,
    /// Where it is in its life.
    pub status: Status,
    /// What the record of DNS must hold: a UUID.
    pub challenge: String,
    /// The header with the client's address, when it is not the usual one.
    pub client_ip_header: Option<String>,
    /// The operator's notes; none until there were any.
    pub metadata: Option<BTreeMap<String, String>>,
    /// The name under which passkeys are registered (WebAuthn).
    pub relying_party_identifier: Option<String>,
    /// Whether it is the default of the tenant.
    pub is_default: bool,
    /// When it was created.
    pub created_at: UnixTime,
    /// When its verification was last begun.
    pub started_at: UnixTime,
    /// When its record was found.
    pub verified_at: Option<UnixTime>,
    /// When its record was last looked for.
    pub attempted_at: Option<UnixTime>,
    /// Why it was not found then.
    pub attempt_error: Option<String>,
    /// How often it was looked for since the verification was begun.
    pub attempts: i64,
    /// The number of its last change.
    pub revision: i64,
}

/// What is stored of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRecord {
    /// Its public name.
    pub id: String,
    /// Its tag.
    pub tag: Tag,
    /// When it was issued.
    pub created_at: UnixTime,
    /// The first instant at which it is no longer taken.
    pub expires_at: Option<UnixTime>,
    /// How many requests brought it.
    pub uses: i64,
    /// When the last one did.
    pub last_used_at: Option<UnixTime>,
}

/// A line of the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditLine {
    /// The number of the change.
    pub revision: i64,
    /// When.
    pub at: UnixTime,
    /// Who: the name of a token.
    pub actor: String,
    /// What, like `create`.
    pub action: String,
    /// Which domain, by its id.
    pub custom_domain_id: Option<String>,
    /// Which domain, by its name.
    pub domain: Option<String>,
    /// What was changed, in words.
    pub details: String,
    /// The id of the request.
    pub request_id: String,
}
