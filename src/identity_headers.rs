//! Who it is, told to the upstream in headers that it can check or read: a signed token, and Zuplo's user object.
//!
//! **Enters:** a decided [`Admission`] with its [`Identification`]. **Leaves:** [`IdentityHeaders`], which only a
//! [`Permitted`](crate::rules::Permitted) request takes. Refused: [`Refusal::IdentityFailed`].
//!
//! The token is a JWT (RFC 7519) with a signature of ours (RFC 7515: `ES256`, or `EdDSA` of RFC 8037). It tells of every
//! request whether somebody is known: one about nobody has `verified: false` and no `sub`, so that an upstream never has to
//! guess what a missing header means. Names of a certificate that was not verified are not in it.
//!
//! A signature costs more than all the rest of a request, so tokens are kept for a part of their life. What finds a kept
//! token are its own claims, all but the two instants: whatever differs between two requests makes two tokens.

mod claims;
mod keys;
mod user;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use serde::Serialize;

use crate::admission::Admission;
use crate::clock::UnixTime;
use crate::consumer::subject_names::uris;
use crate::consumer::{FoundBy, Identification};
use crate::presented::Presentation;
use crate::refusal::{Refusal, Refused};
use claims::Claims;
use user::User;

pub use keys::{IdentityKeys, SigningKey};

/// The headers that upstreams may believe although nobody set them: a client's own copies are removed in any case.
pub const DEFAULT_HEADERS: [&str; 2] = ["x-vestibule-identity", "x-vestibule-user"];

/// The longest value. Servers take 8 KiB for a line.
const LONGEST: usize = 8000;

/// What a tenant's upstreams are told.
#[derive(Debug, Default)]
pub struct IdentitySettings {
    /// The signed token.
    pub token: Option<TokenSettings>,
    /// The header with Zuplo's user object.
    pub user_header: Option<HeaderName>,
    /// What `sub` is, in both.
    pub subject: SubjectFrom,
}

/// How a token is made.
#[derive(Debug)]
pub struct TokenSettings {
    /// Its header.
    pub header: HeaderName,
    /// `iss`.
    pub issuer: String,
    /// `aud` for upstreams that have none of their own.
    pub audience: Audience,
    /// `aud` by the name of the upstream.
    pub audiences: BTreeMap<String, Audience>,
    /// From `iat` to `exp`, in seconds. A token ends with the certificate at the latest.
    pub lifetime: Duration,
}

/// What `sub` is. It is left out where that is not known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SubjectFrom {
    /// The certificate's subject, as `ssl_client_s_dn` writes it.
    #[default]
    DistinguishedName,
    /// The consumer's `id`; not that of the `anonymous` consumer.
    Consumer,
    /// The only URI among the alternative names: a SPIFFE ID, for one.
    SanUri,
}

/// `aud` (RFC 7519 §4.1.3): a text, or several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Audience {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl IdentitySettings {
    /// The headers that are set by these settings.
    pub fn header_names(&self) -> impl Iterator<Item = &HeaderName> {
        self.token.iter().map(|token| &token.header).chain(&self.user_header)
    }
}

impl TokenSettings {
    fn audience_of(&self, upstream: &str) -> &Audience {
        self.audiences.get(upstream).unwrap_or(&self.audience)
    }
}

/// What is known about a request, by the stages before.
#[derive(Clone, Copy)]
pub struct Known<'k> {
    /// What was presented.
    pub presentation: &'k Presentation,
    /// What it was admitted as.
    pub admission: &'k Admission,
    /// Who it is to the tenant.
    pub identification: &'k Identification,
}

/// The headers for one request. Only made of what the stages before have found:
///
/// ```compile_fail
/// use vestibule::identity_headers::IdentityHeaders;
/// fn another(token: http::HeaderValue) -> IdentityHeaders {
///     IdentityHeaders { lines: vec![(http::HeaderName::from_static("x-vestibule-identity"), token)] }
/// }
/// ```
///
/// ```
/// use vestibule::clock::UnixTime;
/// use vestibule::identity_headers::{IdentityHeaders, IdentityKeys, IdentitySettings, Known};
/// use vestibule::refusal::Refused;
/// fn another(settings: &IdentitySettings, keys: &IdentityKeys, known: Known<'_>) -> Result<IdentityHeaders, Refused> {
///     IdentityHeaders::make(settings, Some(keys), known, "core", UnixTime(0))
/// }
/// ```
#[derive(Debug, Default)]
pub struct IdentityHeaders {
    lines: Vec<(HeaderName, HeaderValue)>,
}

impl IdentityHeaders {
    /// Makes them for an upstream of this name.
    ///
    /// # Errors
    /// [`Refusal::IdentityFailed`] when there is no key, or a value would be longer than servers take.
    pub fn make(
        settings: &IdentitySettings,
        keys: Option<&IdentityKeys>,
        known: Known<'_>,
        upstream: &str,
        now: UnixTime,
    ) -> Result<Self, Refused> {
        let mut lines = Vec::new();
        if let Some(token) = &settings.token {
            let keys = keys.ok_or_else(|| failed("there is no key that signs"))?;
            let claims = Claims::of(known, &token.issuer, token.audience_of(upstream), settings.subject);
            let end = known.admission.identity().and_then(|_| known.presentation.certificate()?.leaf().not_after().to_unix());
            lines.push((token.header.clone(), keys.token(&claims, token.lifetime, end, now)?));
        }
        if let Some(header) = &settings.user_header
            && let Some(user) = User::of(known, settings.subject)
        {
            lines.push((header.clone(), header_value(&user.base64()?)?));
        }
        Ok(Self { lines })
    }

    /// The lines, taken out.
    pub fn into_lines(self) -> Vec<(HeaderName, HeaderValue)> {
        self.lines
    }
}

/// `sub`: of a verified identity alone. What a certificate says that passed by its thumbprint is its holder's word.
fn subject<'k>(known: Known<'k>, from: SubjectFrom) -> Option<std::borrow::Cow<'k, str>> {
    let identity = known.admission.identity()?;
    let certificate = known.presentation.certificate()?;
    let text = match from {
        SubjectFrom::Consumer => {
            let found = known.identification.consumer().filter(|found| found.by() != FoundBy::Anonymous)?;
            found.consumer().id.as_str().into()
        }
        _ if identity.anchor().is_none() => return None,
        SubjectFrom::DistinguishedName => certificate.subject(),
        SubjectFrom::SanUri => match uris(certificate.leaf()).as_slice() {
            [only] => (*only).into(),
            _ => return None,
        },
    };
    Some(text).filter(|text| !text.is_empty())
}

/// A value that no log shows by accident.
fn header_value(text: &str) -> Result<HeaderValue, Refused> {
    if text.len() > LONGEST {
        return Err(failed(&format!("a header would have {} bytes; {LONGEST} are the most", text.len())));
    }
    let mut value = HeaderValue::from_str(text).map_err(|_| failed("a header would hold a byte that none may hold"))?;
    value.set_sensitive(true);
    Ok(value)
}

fn failed(why: &str) -> Refused {
    Refused::new(Refusal::IdentityFailed, why)
}

fn hex_colons(digest: &[u8]) -> String {
    let mut text = String::with_capacity(digest.len() * 3);
    for (at, byte) in digest.iter().enumerate() {
        // Writing to a String cannot fail.
        let _ = write!(text, "{}{byte:02X}", if at > 0 { ":" } else { "" });
    }
    text
}
