//! An authorization server's metadata is changed on its way: the one kind of answer whose body is read here.

use http::header::{
    ACCEPT_RANGES, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue,
    IF_NONE_MATCH, LAST_MODIFIED,
};
use http::{Method, StatusCode};
use sha2::{Digest, Sha256};

use crate::front_door::AuthenticatedForward;
use crate::journey::Tenant;
use crate::oauth::{MOST_METADATA_BYTES, MetadataPolicy, MtlsFront, Untouched, is_metadata, rewritten};
use crate::refusal::Refused;
use crate::rules::Permitted;
use crate::telemetry::metrics::MetadataOutcome;
use crate::upstream::Answer;

/// A request for metadata, before it is decided about.
pub(super) struct Asked {
    host: String,
    mtls_host: String,
    head: bool,
    /// The documents that the client has already.
    if_none_match: Vec<HeaderValue>,
}

impl Asked {
    /// Whether a request is one for metadata, of a domain with two names.
    pub(super) fn of(forward: &AuthenticatedForward) -> Option<Self> {
        let method = forward.method();
        if !matches!(*method, Method::GET | Method::HEAD) || !is_metadata(forward.target().path()) {
            return None;
        }
        let (host, mtls_host) = (forward.domain().name().to_owned(), forward.domain().mtls_host()?.to_owned());
        let if_none_match = forward.headers().get_all(IF_NONE_MATCH).iter().cloned().collect();
        Some(Self { host, mtls_host, head: *method == Method::HEAD, if_none_match })
    }

    /// Asks the upstream so that its answer can be read. Under both names there is one document, that of the domain's own name:
    /// servers write the host that they are asked by into their URLs.
    pub(super) fn prepare(&self, permitted: &mut Permitted) {
        permitted.ask_whole(&self.host);
    }

    /// Changes an answer, if it is metadata. What was done is for the counters.
    ///
    /// # Errors
    /// When the upstream's body broke off.
    pub(super) async fn rewrite(
        &self,
        answer: &mut Answer,
        policy: &MetadataPolicy,
        tenant: &Tenant,
    ) -> Result<MetadataOutcome, Refused> {
        if let Err(why) = can_be_read(answer) {
            return Ok(why);
        }
        if self.head {
            // How long the document is that GET would get is not known.
            forget(&mut answer.headers);
            answer.forget_length();
            return Ok(MetadataOutcome::Head);
        }
        let Some(document) = answer.read(MOST_METADATA_BYTES).await? else { return Ok(MetadataOutcome::TooLarge) };
        let front = MtlsFront {
            host: &self.host,
            mtls_host: &self.mtls_host,
            bound_tokens: policy.bound_tokens,
            methods_at: &|path| tenant.client_methods_at(path),
        };
        let made = match rewritten(&document, &front) {
            Ok(made) => made,
            Err(Untouched::NotMetadata) => return Ok(MetadataOutcome::NotMetadata),
            Err(Untouched::OtherIssuer) => return Ok(MetadataOutcome::OtherIssuer),
            Err(Untouched::Signed) => return Ok(MetadataOutcome::Signed),
        };
        forget(&mut answer.headers);
        let tag = format!("\"{}\"", hex::encode(Sha256::digest(&made).get(..16).unwrap_or_default()));
        let known = self.has(&tag);
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            answer.headers.insert(ETAG, tag);
        }
        if known {
            answer.not_modified();
        } else {
            answer.replace(made.into());
        }
        Ok(MetadataOutcome::Rewritten)
    }

    /// RFC 9110 §13.1.2: compared weakly.
    fn has(&self, tag: &str) -> bool {
        let lines = self.if_none_match.iter().filter_map(|line| line.to_str().ok());
        lines.flat_map(|line| line.split(',')).map(str::trim).any(|one| one == "*" || one.trim_start_matches("W/") == tag)
    }
}

/// Whether it is a whole JSON document, unpacked.
fn can_be_read(answer: &Answer) -> Result<(), MetadataOutcome> {
    let one = |name: HeaderName| {
        let mut lines = answer.headers.get_all(name).iter();
        lines.next().filter(|_| lines.next().is_none()).and_then(|line| line.to_str().ok()).unwrap_or_default()
    };
    let media_type = one(CONTENT_TYPE).split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if answer.status != StatusCode::OK || answer.headers.contains_key(CONTENT_RANGE) {
        return Err(MetadataOutcome::OtherStatus);
    }
    if media_type != "application/json" {
        return Err(MetadataOutcome::NotJson);
    }
    let packed = answer.headers.contains_key(CONTENT_ENCODING) && !one(CONTENT_ENCODING).eq_ignore_ascii_case("identity");
    if packed { Err(MetadataOutcome::Packed) } else { Ok(()) }
}

/// What is true of the document as the server sent it.
fn forget(headers: &mut HeaderMap) {
    for name in [ACCEPT_RANGES, CONTENT_LENGTH, ETAG, LAST_MODIFIED] {
        headers.remove(name);
    }
    for digest in ["content-digest", "content-md5", "digest", "repr-digest"] {
        headers.remove(digest);
    }
}
